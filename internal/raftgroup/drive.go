package raftgroup

import (
	"bytes"
	"errors"
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
)

// collect steps Raft with what has come in and puts what the group has to store into the frame.
func (g *Group) collect(f *frame) error {
	g.inbox.Lock()
	messages, ticks, campaign, requests := g.inbox.messages, g.inbox.ticks, g.inbox.campaign, g.inbox.requests
	g.inbox.messages, g.inbox.ticks, g.inbox.campaign, g.inbox.requests = nil, 0, false, nil
	g.inbox.Unlock()
	if g.fresh {
		g.fresh = false
		if err := g.state.repeat(f); err != nil {
			return err
		}
	}
	if len(requests) > 0 {
		g.serve(requests, f)
	}
	if g.gone != nil {
		for _, r := range g.changes {
			r.done <- g.gone
		}
		g.changes = nil
		return nil
	}
	room := g.log.frameMax() - f.items()
	for i, e := range messages {
		if err := g.receive(e); err != nil {
			return err
		}
		if g.gone != nil {
			return nil
		}
		if room -= e.size(); room < 0 && i+1 < len(messages) {
			g.postpone(messages[i+1:])
			break
		}
	}
	// The messages came first: if this node was held up itself, they are proof that the leader was not.
	ticks = min(ticks, ticksMax)
	for range ticks {
		g.rn.Tick()
	}
	if ticks > 0 {
		g.tickSnapshots(ticks)
		g.noteNeeded()
	}
	if campaign {
		if err := g.rn.Campaign(); err != nil {
			return fmt.Errorf("group %d: campaign: %w", g.id, err)
		}
	}
	if len(g.changes) > 0 {
		if err := g.pursue(ticks); err != nil {
			return err
		}
	}
	if g.announced && !g.transferUnderWay() {
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
	if err := g.ready(f); err != nil {
		return err
	}
	g.releaseHeld()
	return nil
}

// noteNeeded finds the lowest entry that another member still has to be sent.
func (g *Group) noteNeeded() {
	needed := uint64(0)
	if g.leading != 0 {
		g.rn.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
			if lacks := max(p.Match, p.PendingSnapshot) + 1; id != g.node && (needed == 0 || lacks < needed) {
				needed = lacks
			}
		})
	}
	g.needed.Store(needed)
}

// postpone puts messages back: what they bring does not fit the frame.
func (g *Group) postpone(messages []Envelope) {
	g.inbox.Lock()
	g.inbox.messages = append(messages, g.inbox.messages...)
	g.inbox.Unlock()
	g.Wake()
}

// ticksMax is how many ticks count at once after the log writer was held up.
const ticksMax = 2

// receive takes a message of another node.
func (g *Group) receive(e Envelope) error {
	if e.To() != g.node {
		return nil
	}
	if e.piece != nil {
		return g.receivePiece(e.piece)
	}
	m := e.m
	switch m.GetType() {
	case pb.MsgVote, pb.MsgPreVote, pb.MsgTimeoutNow:
		if last, _ := g.state.LastIndex(); last == 0 {
			return nil // joined, but not told of anything yet
		}
	case pb.MsgSnap:
		return g.receiveSnapshot(m)
	case pb.MsgApp:
		g.noteSynced(m)
	case pb.MsgHeartbeat:
		if err := g.lost(m); err != nil {
			g.stop(err)
			return nil
		}
	}
	return g.step(m)
}

func (g *Group) step(m *pb.Message) error {
	if !sendable(m.GetType()) {
		return nil
	}
	if err := g.rn.Step(m); err != nil && !errors.Is(err, raft.ErrStepPeerNotFound) && !errors.Is(err, raft.ErrProposalDropped) {
		return fmt.Errorf("group %d: step %s: %w", g.id, m.GetType(), err)
	}
	return nil
}

// owed says whether the frame being collected holds something that the group waits for.
func (g *Group) owed() bool {
	return len(g.entryRuns) > 0 || len(g.responses) > 0 || g.baseDue != 0 || g.removal != nil || g.install != nil
}

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
	conf := g.state.confAt(to)
	g.state.setBase(to, term, conf)
	g.baseDue = to
	f.must = true
	return f.addBase(itemBase, g.id, to, term, conf)
}

// ready takes everything that Raft wants done: what is to be stored goes into the frame, what is committed is kept for
// apply, messages leave.
func (g *Group) ready(f *frame) error {
	for g.rn.HasReady() {
		rd := g.rn.Ready()
		if rd.SoftState != nil || rd.HardState != nil && rd.HardState.GetTerm() != g.term {
			g.lead()
		}
		for _, m := range rd.Messages {
			switch m.GetTo() {
			case raft.LocalAppendThread:
				if err := g.store(m, f); err != nil {
					return err
				}
			case raft.LocalApplyThread:
				g.applies = append(g.applies, m)
			default:
				g.send(m)
			}
		}
	}
	return nil
}

func (g *Group) send(m *pb.Message) {
	switch m.GetType() {
	case pb.MsgSnap:
		g.offer(m)
	case pb.MsgApp:
		if g.cfg.LocalLearning {
			g.hold(m)
			return
		}
		g.log.post(m.GetTo(), Envelope{group: g.id, m: m})
	case pb.MsgHeartbeatResp:
		if !bytes.Equal(m.Context, markLearned()) {
			g.log.post(m.GetTo(), Envelope{group: g.id, m: m})
		}
	default:
		g.log.post(m.GetTo(), Envelope{group: g.id, m: m})
	}
}

// lead keeps track of leadership. The machine hears of its own once an entry of the term has been applied. Leadership of one
// term that follows that of another is a new one, even if Raft never said that it was lost between.
func (g *Group) lead() {
	st := g.rn.BasicStatus()
	leads := st.RaftState == raft.StateLeader
	if g.leading != 0 && (!leads || st.GetTerm() != g.leading) {
		g.leading = 0
		g.transferring = false
		if g.announced {
			g.announced = false
			g.machine.Follow()
		}
		for i := range g.changes {
			g.changes[i].wait = 0
		}
		if len(g.changes) > 0 {
			g.Wake()
		}
	}
	if leads {
		g.leading = st.GetTerm()
	}
	if g.term == st.GetTerm() && g.leader == st.Lead {
		return
	}
	g.term, g.leader = st.GetTerm(), st.Lead
	if o, ok := g.machine.(Observer); ok {
		o.Leader(g.term, g.leader)
	}
}

// store puts an append of Raft's into the frame. Nothing waits for a hard state that only moves the commit index: it
// goes along with the next frame. Responses that depend on nothing that is not durable yet go out at once.
func (g *Group) store(m *pb.Message, f *frame) error {
	if m.Snapshot != nil && !raft.IsEmptySnap(m.Snapshot) {
		if err := g.storeSnapshot(m.Snapshot, f); err != nil {
			return err
		}
		g.dirty = true
	}
	if m.Term != nil {
		h := hardState{m.GetTerm(), m.GetVote(), m.GetCommit()}
		if old := g.state.setHard(h); old.term != h.term || old.vote != h.vote {
			g.dirty, f.must = true, true
		}
		f.addHard(g.id, h.term, h.vote, h.commit)
	}
	if len(m.Entries) > 0 {
		f.addEntries(g.id, m.Entries)
		g.entryRuns = append(g.entryRuns, m.Entries)
		g.confSeen = max(g.confSeen, confChangeIn(m.Entries))
		g.dirty, f.must = true, true
	}
	if len(m.Responses) == 0 {
		return nil
	}
	if !g.dirty {
		return g.deliver(m.Responses)
	}
	g.responses = append(g.responses, m.Responses...)
	f.must = true
	return nil
}

// proceed goes on after the frame was synced: Raft hears of it, and what is committed by it is applied. What Raft then
// wants stored goes into the next frame.
func (g *Group) proceed(at point, next *frame) error {
	var last *pb.Entry
	if len(g.entryRuns) > 0 {
		invariant.Check(at.segment != 0, "I7: entries of group %d acknowledged without a sync", g.id)
		for _, run := range g.entryRuns {
			g.state.stored(run, at)
			last = run[len(run)-1]
			g.log.noteHighest(at.segment, g.id, last.GetIndex())
		}
		g.entryRuns = g.entryRuns[:0]
		g.releaseHeld()
	}
	if g.baseDue != 0 {
		g.state.mu.Lock()
		g.state.mu.durableBase = g.baseDue
		g.state.mu.Unlock()
		g.baseDue = 0
	}
	if g.removal != nil {
		return g.finishRemoval()
	}
	if g.gone != nil {
		return nil
	}
	if g.install != nil {
		if err := g.installed(); err != nil {
			return err
		}
	}
	g.dirty = false
	due := g.responses
	g.responses = nil
	if err := g.deliver(due); err != nil {
		return err
	}
	if last != nil {
		if err := g.learn(last); err != nil {
			return err
		}
	}
	if err := g.ready(next); err != nil {
		return err
	}
	if err := g.apply(next); err != nil {
		return err
	}
	g.releaseHeld()
	if next.must {
		g.Wake()
	}
	return nil
}

// finishRemoval goes on after the log was told that the group is gone.
func (g *Group) finishRemoval() error {
	l := g.log
	l.mu.Lock()
	delete(l.mu.groups, g.id)
	l.forgetHighest(g.id)
	l.mu.Unlock()
	err := g.removeCheckpoints()
	g.removal <- err
	g.removal = nil
	g.stop(failure.New(failure.UndefinedObject, "group %d was removed", g.id))
	return err
}

// deliver hands responses to Raft itself or to other voters.
func (g *Group) deliver(due []*pb.Message) error {
	for _, m := range due {
		if m.GetTo() != g.node {
			g.send(m)
			continue
		}
		if err := g.rn.Step(m); err != nil && !errors.Is(err, raft.ErrStepPeerNotFound) {
			return fmt.Errorf("group %d: step %s: %w", g.id, m.GetType(), err)
		}
	}
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
		if !g.ticked.Load() { // other members may still need them
			g.state.release(m.Entries[len(m.Entries)-1].GetIndex())
		}
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
		if err := g.applyChange(e); err != nil {
			return err
		}
		g.machine.Apply(e.GetIndex(), e.GetTerm(), nil)
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
