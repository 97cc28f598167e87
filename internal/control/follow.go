package control

import (
	"context"
	"errors"
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// pollTime is how long a poll for a newer map waits at the one who is asked.
const pollTime = 10 * time.Second

// follow takes maps over from the replica on this node, while there is one, and keeps the replica's log short.
func (s *Service) follow(ctx context.Context) {
	for ctx.Err() == nil {
		_, changed := s.current()
		r := s.replica()
		if r == nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		v := r.machine.View()
		if v.Err != nil {
			// The group was removed, or the log has stopped, which its owner hears of, too.
			if !s.pause(ctx, s.cfg.Beat) {
				return
			}
			continue
		}
		s.publish(v.Map)
		if v.Leader != 0 {
			s.setHint(v.Leader)
		}
		select {
		case <-v.Changed:
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// poll asks for newer maps when there is no replica on this node.
func (s *Service) poll(ctx context.Context) {
	for ctx.Err() == nil {
		_, changed := s.current()
		if s.replica() != nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		if err := s.fetch(ctx, pollTime); err != nil && !s.pause(ctx, s.cfg.Beat) {
			return
		}
	}
}

// fetch asks for a newer map and waits for it there.
func (s *Service) fetch(ctx context.Context, wait time.Duration) error {
	to := s.target()
	if to == s.self {
		return errors.New("nobody else is known")
	}
	ctx, cancel := context.WithTimeout(ctx, wait+5*time.Second)
	defer cancel()
	a, err := s.call(ctx, to, &request{Op: opWatch, After: s.Map().Version, Wait: wait})
	if err != nil {
		s.missed(to)
		return err
	}
	if a.Leader != 0 {
		s.setHint(a.Leader)
	}
	if len(a.Map) > 0 {
		m, err := meta.DecodeMap(a.Map)
		if err != nil {
			return err
		}
		s.publish(m)
	}
	return nil
}

// announce tells the cluster what this node says of itself, until it has been heard or was refused.
func (s *Service) announce(ctx context.Context) {
	self := s.cfg.Self
	for ctx.Err() == nil {
		one, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, err := s.Propose(one, meta.Command{Update: &self})
		cancel()
		switch {
		case err == nil:
			return
		case ctx.Err() != nil:
			return
		case !passing(err):
			s.cfg.Fatal(err)
			return
		}
		if failure.CodeOf(err) == failure.CannotConnectNow {
			s.cfg.Log.Warn("this node waits for the control plane", "error", err)
		}
	}
}

// beat tells the leader every now and then how this node is.
func (s *Service) beat(ctx context.Context) {
	for {
		started := s.cfg.Host.Monotonic()
		s.beatOnce(ctx)
		if !s.pause(ctx, max(s.cfg.Beat-(s.cfg.Host.Monotonic()-started), s.cfg.Beat/8)) {
			return
		}
	}
}

func (s *Service) beatOnce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, max(2*s.cfg.Beat, time.Second))
	defer cancel()
	report := s.report()
	for range 3 {
		to := s.target()
		if to == s.self {
			o := s.heartbeat(report)
			s.obey(ctx, o)
			if o.Leads || o.Leader == s.self {
				return
			}
			s.setHint(o.Leader)
			continue
		}
		a, err := s.call(ctx, to, &request{Op: opBeat, Report: report})
		if err != nil || a.Order == nil {
			s.missed(to)
			return
		}
		s.obey(ctx, *a.Order)
		if a.Order.Leads {
			s.setHint(to)
			return
		}
		s.setHint(a.Order.Leader)
	}
}

// obey does what the answer to a heartbeat says.
func (s *Service) obey(ctx context.Context, o order) {
	if !o.Leads {
		return
	}
	if s.cfg.Horizons != nil && len(o.Horizons) > 0 {
		s.cfg.Horizons(o.Horizons)
	}
	if o.MapVersion > s.Map().Version {
		// A replica that does not hear of it any more, or a poll that hangs.
		if err := s.fetch(ctx, 0); err != nil {
			s.cfg.Log.Debug("fetching the cluster's map failed", "error", err)
		}
	}
}

// report describes this node.
func (s *Service) report() *Report {
	m := s.Map()
	s.mu.Lock()
	stopping := s.mu.stopping
	s.mu.Unlock()
	r := &Report{Stopping: stopping, Node: s.self, Incarnation: s.cfg.Member.Incarnation, Software: s.cfg.Self.Software, MapVersion: m.Version,
		Wall: s.cfg.Host.Now().UnixNano()}
	if g, ok := s.groupReport(0); ok {
		r.Groups = append(r.Groups, g)
	}
	for i := range m.Journals {
		if g, ok := s.groupReport(m.Journals[i].ID); ok {
			r.Groups = append(r.Groups, g)
		}
	}
	for _, p := range s.cfg.Network.Peers() {
		r.Links = append(r.Links, Link{Node: meta.NodeID(p.ID), Connected: p.Connected, RTT: p.RTT, OffsetKnown: p.OffsetKnown,
			OffsetMin: p.OffsetMin, OffsetMax: p.OffsetMax, Error: p.LastError})
	}
	if s.cfg.Fill != nil {
		s.cfg.Fill(r)
	}
	return r
}

// HandOver has other nodes take over what this one leads, so that nobody waits for an election when it stops. It returns
// when nothing is led here any more, or when ctx ends. Close must follow.
func (s *Service) HandOver(ctx context.Context) {
	s.mu.Lock()
	s.mu.stopping = true
	s.mu.Unlock()
	s.beatOnce(ctx) // or the leader would put things right again
	m := s.Map()
	groups := make([]txn.JournalID, 0, len(m.Journals)+1)
	for _, j := range m.Journals {
		groups = append(groups, j.ID)
	}
	groups = append(groups, 0) // the control group last: it looks after the others
	for _, id := range groups {
		s.handOver(ctx, m, id)
	}
	for _, id := range groups {
		for {
			g, ok := s.groupReport(id)
			if !ok || g.Leader != s.self || s.successor(m, &g) == 0 || !s.pause(ctx, 5*time.Millisecond) {
				break
			}
		}
	}
}

// handOver asks another voter to lead a group.
func (s *Service) handOver(ctx context.Context, m *meta.Map, id txn.JournalID) {
	g, ok := s.groupReport(id)
	if !ok || g.Leader != s.self {
		return
	}
	if to := s.successor(m, &g); to != 0 {
		if _, err := s.changeGroup(ctx, &change{Group: id, Op: "transfer", Node: to}); err != nil {
			s.cfg.Log.Debug("handing a group over failed", "group", groupName(id), "error", err)
		}
	}
}

// successor is who can take over a group that is led here: a data node that has all of the log, a witness when it is the
// control group.
func (s *Service) successor(m *meta.Map, g *GroupReport) meta.NodeID {
	witness := meta.NodeID(0)
	for _, id := range g.Voters {
		n, ok := m.Node(id)
		switch {
		case !ok || id == s.self || !g.caught(id):
		case !n.Witness:
			return id
		case g.Group == 0:
			witness = id
		}
	}
	return witness
}
