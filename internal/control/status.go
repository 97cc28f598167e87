package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/control/placement"
	"github.com/meridiandb/meridian/internal/txn"
)

// Status describes the cluster: as its control leader sees it, or, when that cannot be reached, as this node does.
func (s *Service) Status(ctx context.Context) *Status {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for range 3 {
		to := s.target()
		if to == s.self {
			if st := s.ownStatus(); st.Leader == s.self {
				return st
			}
			s.missed(to)
			continue
		}
		a, err := s.call(ctx, to, &request{Op: opStatus})
		if err != nil {
			s.missed(to)
			continue
		}
		if a.Status != nil {
			return a.Status
		}
		s.setHint(a.Leader)
	}
	st := s.ownStatus()
	if st.Leader != s.self {
		st.Problems = append([]string{fmt.Sprintf("the control plane has no leader that node %d can reach: nodes are not replaced and cannot join", s.self)}, st.Problems...)
	}
	return st
}

// ownStatus is what this node knows; its Leader is this node only when it leads.
func (s *Service) ownStatus() *Status {
	m := s.Map()
	st := &Status{Map: m}
	var term uint64
	if r := s.replica(); r != nil {
		term = r.machine.View().Term
	}
	if term != 0 {
		st.Leader, st.Term = s.self, term
	} else {
		s.table.put(s.report(), s.cfg.Host.Monotonic())
	}
	v := s.look(m)
	for _, n := range m.Nodes {
		if n.State != meta.Removed || m.Seats(n.ID) > 0 {
			st.Nodes = append(st.Nodes, v.node(n))
		}
	}
	s.mu.Lock()
	states := s.mu.states
	if term == 0 {
		states = nil
	}
	for _, j := range m.Journals {
		st.Journals = append(st.Journals, v.journal(j, states[j.ID]))
	}
	controlState := states[0]
	s.mu.Unlock()
	for i, j := range st.Journals {
		if j.Leader != 0 {
			if k := slices.IndexFunc(st.Nodes, func(n NodeStatus) bool { return n.ID == j.Leader }); k >= 0 {
				st.Nodes[k].Leads++
			}
		}
		st.Journals[i].Share = share(m, j.ID)
	}
	if term != 0 {
		st.Problems = v.problems(st, controlState)
		return st
	}
	for _, n := range st.Nodes {
		if n.ID == s.self && n.Report != nil {
			st.Problems = v.links(n, func(meta.NodeID) bool { return true })
		}
	}
	return st
}

func (v *view) node(n meta.Node) NodeStatus {
	ns := NodeStatus{Node: n, Health: healthName(v.health(n.ID)), Heard: -1, Seats: v.m.Seats(n.ID)}
	if h, ok := v.heard[n.ID]; ok {
		ns.Report, ns.Heard = h.report, v.now-h.at
	}
	return ns
}

func (v *view) journal(j meta.Journal, state string) JournalStatus {
	js := JournalStatus{Journal: j, State: state}
	leader, g := v.leader(j.ID)
	js.Leader = leader
	if g == nil {
		return js
	}
	for _, m := range g.Members {
		if m.Match < g.Commit {
			js.Lag = max(js.Lag, g.Commit-m.Match)
		}
	}
	if l, ok := v.heard[leader].report.Load[j.ID]; ok {
		js.Load = &l
	}
	high, low, any := uint64(0), uint64(0), false
	for _, h := range v.heard {
		if p, ok := h.report.Storage[j.ID]; ok {
			if high = max(high, p.Applied); !any || p.Applied < low {
				low, any = p.Applied, true
			}
		}
	}
	js.StorageLag = high - low
	return js
}

// share is the part of the hash space that a journal decides.
func share(m *meta.Map, j txn.JournalID) float64 {
	sum := 0.0
	for _, r := range m.RangesOf(j) {
		sum += float64(r.Last-r.First) / float64(1<<63) / 2
	}
	return sum
}

// bound is how far a node says that its clock may be off.
func (v *view) bound(id meta.NodeID) time.Duration {
	if h, ok := v.heard[id]; ok {
		return h.report.ClockBound
	}
	return v.cfg.MaxOffset
}

// links says what is wrong between a node and others, those that should be there.
func (v *view) links(n NodeStatus, there func(meta.NodeID) bool) (out []string) {
	for _, l := range n.Report.Links {
		if peer, ok := v.m.Node(l.Node); !ok || peer.State == meta.Removed {
			continue
		}
		off, bound := max(l.OffsetMin, -l.OffsetMax), v.bound(n.ID)+v.bound(l.Node)
		if l.OffsetKnown && off > bound && l.Node > n.ID {
			out = append(out, fmt.Sprintf("the clocks of node %d and node %d are at least %s apart, and their bounds allow %s: commits may be seen late",
				n.ID, l.Node, off.Round(100*time.Microsecond), bound))
		}
		if !l.Connected && there(l.Node) {
			out = append(out, fmt.Sprintf("node %d has no connection to node %d: %s", n.ID, l.Node, l.Error))
		}
	}
	return out
}

// problems says in words what is not as it should be.
func (v *view) problems(st *Status, controlState string) []string {
	out := []string{}
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, n := range st.Nodes {
		switch {
		case n.State == meta.Joining:
			add("node %d (%s) has not reported for duty yet", n.ID, n.Address)
		case v.health(n.ID) == placement.Dead:
			add("node %d (%s) is dead: nothing was heard of it for %s", n.ID, n.Address, v.silence(n.ID).Round(time.Second))
		case v.health(n.ID) == placement.Silent:
			add("node %d (%s) is silent for %s", n.ID, n.Address, v.silence(n.ID).Round(time.Second))
		case n.State == meta.Draining && n.Seats > 0:
			add("node %d is being drained: %d replicas left", n.ID, n.Seats)
		}
		if r := n.Report; r != nil && v.health(n.ID) == placement.Alive {
			if r.ClockLost {
				add("node %d cannot bound its clock: it takes no part in transactions", n.ID)
			}
			out = append(out, v.links(n, func(id meta.NodeID) bool { return v.health(id) == placement.Alive })...)
			for _, p := range r.Problems {
				add("node %d: %s", n.ID, p)
			}
		}
	}
	for _, j := range st.Journals {
		switch {
		case j.Leader == 0:
			add("journal %d has no leader: its part of the data (%.0f %%) takes no writes", j.ID, 100*j.Share)
		case j.State != "":
			add("journal %d: %s", j.ID, j.State)
		}
	}
	if controlState != "" {
		add("control group: %s", controlState)
	}
	return out
}
