package raftgroup

import (
	"errors"
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
)

// collect steps Raft with what has come in and puts what the group has to store into the frame.
func (g *Group) collect(f *frame) error {
	g.inbox.Lock()
	messages, ticks, campaign := g.inbox.messages, g.inbox.ticks, g.inbox.campaign
	g.inbox.messages, g.inbox.ticks, g.inbox.campaign = nil, 0, false
	g.inbox.Unlock()
	for range ticks {
		g.rn.Tick()
	}
	for _, m := range messages {
		if err := g.rn.Step(m); err != nil && !errors.Is(err, raft.ErrStepPeerNotFound) && !errors.Is(err, raft.ErrProposalDropped) {
			return fmt.Errorf("group %d: step %s: %w", g.id, m.GetType(), err)
		}
	}
	if campaign {
		if err := g.rn.Campaign(); err != nil {
			return fmt.Errorf("group %d: campaign: %w", g.id, err)
		}
	}
	if g.announced {
		if data := g.machine.Gather(); data != nil {
			// A drop means that leadership is just being lost, which Follow tells the machine.
			if err := g.rn.Propose(data); err != nil && !errors.Is(err, raft.ErrProposalDropped) {
				return fmt.Errorf("group %d: propose: %w", g.id, err)
			}
		}
	}
	if err := g.moveBase(f); err != nil {
		return err
	}
	return g.ready(f)
}

// owed says whether the frame being collected holds something that the group waits for.
func (g *Group) owed() bool { return len(g.entryRuns) > 0 || len(g.responses) > 0 || g.baseDue != 0 }

// moveBase carries out a Trim.
func (g *Group) moveBase(f *frame) error {
	to := g.trimTo.Load()
	if to <= g.Base() {
		return nil
	}
	term, err := g.state.Term(to)
	if err != nil {
		return fmt.Errorf("group %d: trim to %d: %w", g.id, to, err)
	}
	_, conf, _ := g.state.InitialState()
	g.state.setBase(to, term, conf)
	g.baseDue = to
	f.must = true
	return f.addBase(g.id, to, term, conf)
}

// ready takes everything that Raft wants done: what is to be stored goes into the frame, what is committed is kept for
// apply, messages leave.
func (g *Group) ready(f *frame) error {
	for g.rn.HasReady() {
		rd := g.rn.Ready()
		if rd.SoftState != nil {
			g.lead(rd.SoftState.RaftState == raft.StateLeader)
		}
		var out []*pb.Message
		for _, m := range rd.Messages {
			switch m.GetTo() {
			case raft.LocalAppendThread:
				if err := g.store(m, f); err != nil {
					return err
				}
			case raft.LocalApplyThread:
				g.applies = append(g.applies, m)
			default:
				out = append(out, m)
			}
		}
		g.send(out)
	}
	return nil
}

func (g *Group) send(out []*pb.Message) {
	if len(out) > 0 && g.transport != nil {
		g.transport.Send(g.id, out)
	}
}

// lead keeps track of leadership. The machine hears of it once an entry of the term has been applied.
func (g *Group) lead(leading bool) {
	if !leading {
		g.leading = 0
		if g.announced {
			g.announced = false
			g.machine.Follow()
		}
		return
	}
	g.leading = g.rn.BasicStatus().GetTerm()
}

// store puts an append of Raft's into the frame. Nothing waits for a hard state that only moves the commit index: it
// goes along with the next frame.
func (g *Group) store(m *pb.Message, f *frame) error {
	if m.Snapshot != nil && !raft.IsEmptySnap(m.Snapshot) {
		return failure.New(failure.FeatureNotSupported, "group %d: snapshots between voters not supported", g.id)
	}
	if m.Term != nil {
		h := hardState{m.GetTerm(), m.GetVote(), m.GetCommit()}
		g.state.setHard(h)
		f.addHard(g.id, h.term, h.vote, h.commit)
	}
	if len(m.Entries) > 0 {
		f.addEntries(g.id, m.Entries)
		g.entryRuns = append(g.entryRuns, m.Entries)
		f.must = true
	}
	if len(m.Responses) > 0 {
		g.responses = append(g.responses, m.Responses...)
		f.must = true
	}
	return nil
}

// proceed goes on after the frame was synced: Raft hears of it, and what is committed by it is applied. What Raft then
// wants stored goes into the next frame.
func (g *Group) proceed(at point, next *frame) error {
	if len(g.entryRuns) > 0 {
		invariant.Check(at.segment != 0, "I7: entries of group %d acknowledged without a sync", g.id)
		for _, run := range g.entryRuns {
			g.state.stored(run, at)
			g.log.noteHighest(at.segment, g.id, run[len(run)-1].GetIndex())
		}
		g.entryRuns = g.entryRuns[:0]
	}
	if g.baseDue != 0 {
		g.state.mu.Lock()
		g.state.mu.durableBase = g.baseDue
		g.state.mu.Unlock()
		g.baseDue = 0
	}
	due := g.responses
	g.responses = nil
	if err := g.deliver(due); err != nil {
		return err
	}
	if err := g.ready(next); err != nil {
		return err
	}
	if err := g.apply(next); err != nil {
		return err
	}
	if next.must {
		g.Wake()
	}
	return nil
}

// deliver hands responses to Raft itself or to other voters.
func (g *Group) deliver(due []*pb.Message) error {
	var out []*pb.Message
	for _, m := range due {
		if m.GetTo() != g.node {
			out = append(out, m)
			continue
		}
		if err := g.rn.Step(m); err != nil && !errors.Is(err, raft.ErrStepPeerNotFound) {
			return fmt.Errorf("group %d: step %s: %w", g.id, m.GetType(), err)
		}
	}
	g.send(out)
	return nil
}

// apply hands committed entries to the machine until Raft has no more.
func (g *Group) apply(next *frame) error {
	any := false
	for len(g.applies) > 0 {
		m := g.applies[0]
		g.applies = g.applies[1:]
		for _, e := range m.Entries {
			if err := g.applyEntry(e); err != nil {
				return err
			}
			any = true
		}
		g.state.release(m.Entries[len(m.Entries)-1].GetIndex())
		if err := g.deliver(m.Responses); err != nil {
			return err
		}
		if err := g.ready(next); err != nil {
			return err
		}
	}
	g.applies = nil
	if any {
		g.machine.Applied()
	}
	return nil
}

func (g *Group) applyEntry(e *pb.Entry) error {
	switch e.GetType() {
	case pb.EntryNormal:
		var data []byte
		if len(e.Data) > 0 {
			data = e.Data
		}
		g.machine.Apply(e.GetIndex(), e.GetTerm(), data)
	default:
		return failure.New(failure.FeatureNotSupported, "group %d: changes of membership not supported", g.id)
	}
	if g.leading != 0 && !g.announced && e.GetTerm() == g.leading {
		g.announced = true
		g.machine.Lead(g.leading)
		g.Wake()
	}
	return nil
}

// noteHighest remembers which entries a file holds.
func (l *Log) noteHighest(segment uint64, g GroupID, index uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seg := l.mu.segments[len(l.mu.segments)-1]
	invariant.Check(seg.number == segment, "entries noted for segment %d, which is not the current one", segment)
	seg.highest[g] = max(seg.highest[g], index)
}

// quiet is a raft.Logger that only panics when Raft does. What matters of a group is told by its machine.
type quiet struct{}

func (quiet) Debug(...any)                   {}
func (quiet) Debugf(string, ...any)          {}
func (quiet) Error(...any)                   {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Info(...any)                    {}
func (quiet) Infof(string, ...any)           {}
func (quiet) Warning(...any)                 {}
func (quiet) Warningf(string, ...any)        {}
func (quiet) Fatal(v ...any)                 { invariant.Unreachable("raft: %s", fmt.Sprint(v...)) }
func (quiet) Fatalf(format string, v ...any) { invariant.Unreachable("raft: "+format, v...) }
func (quiet) Panic(v ...any)                 { invariant.Unreachable("raft: %s", fmt.Sprint(v...)) }
func (quiet) Panicf(format string, v ...any) { invariant.Unreachable("raft: "+format, v...) }
