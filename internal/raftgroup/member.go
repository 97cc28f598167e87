package raftgroup

import (
	"context"
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"google.golang.org/protobuf/proto"

	"github.com/meridiandb/meridian/internal/failure"
)

// Change is a change of a group's membership.
type Change int

// The changes. A new member is added as a learner, which is sent everything but has no say, and promoted once it has
// caught up.
const (
	AddLearner Change = iota
	Promote           // makes a learner a voter; waits until it has caught up
	Remove
)

// request is what a caller wants of the log writer.
type request struct {
	kind   int
	change Change
	node   uint64
	done   chan error // with room for one
	status *Status
	wait   int // ticks until a change is proposed once more
}

const (
	askRemove = iota
	askStatus
	askTransfer
	askChange
	askCancel // of the request with the same done
)

func (g *Group) ask(r request) {
	g.inbox.Lock()
	g.inbox.requests = append(g.inbox.requests, r)
	g.inbox.Unlock()
	g.Wake()
}

// await waits for the answer to a request. The log writer answers all of them, but for those that come after its end.
func (g *Group) await(done chan error) error {
	select {
	case err := <-done:
		return err
	case <-g.log.stopped:
	}
	select {
	case err := <-done:
		return err
	default:
		return errClosed()
	}
}

// Change changes the membership and returns when the change has been applied here, which must be where the group is led. It
// succeeds at once when nothing is left to do, so it may be called again after an error or when ctx ended, which says
// nothing about what became of it.
func (g *Group) Change(ctx context.Context, change Change, node uint64) error {
	done := make(chan error, 1)
	g.ask(request{kind: askChange, change: change, node: node, done: done})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		g.ask(request{kind: askCancel, done: done})
		return ctx.Err()
	case <-g.log.stopped:
		return g.await(done)
	}
}

// TransferLeader asks a voter to take over. It returns at once: the attempt takes about a round trip once the voter has
// caught up, and is given up after an election timeout. Proposals wait meanwhile.
func (g *Group) TransferLeader(to uint64) error {
	done := make(chan error, 1)
	g.ask(request{kind: askTransfer, node: to, done: done})
	return g.await(done)
}

// Status is what a group knows of itself.
type Status struct {
	Group    GroupID
	Node     uint64
	Term     uint64
	Leader   uint64 // 0 when none is known
	Commit   uint64
	Applied  uint64
	Base     uint64 // the log starts behind this entry
	Last     uint64 // durable entry
	Voters   []uint64
	Learners []uint64
	// Members is what the leader knows of the members, itself included; nil elsewhere.
	Members []MemberStatus
}

// MemberStatus is what a leader knows of a member.
type MemberStatus struct {
	Node    uint64
	Learner bool
	Match   uint64 // the member has durably stored the log up to here
	Active  bool   // it has answered within an election timeout
	State   string // probe, replicate or snapshot
}

// Status returns the group's state. It waits for the log writer, that is, for up to one sync.
func (g *Group) Status() (Status, error) {
	var s Status
	done := make(chan error, 1)
	g.ask(request{kind: askStatus, status: &s, done: done})
	err := g.await(done)
	return s, err
}

func (g *Group) fillStatus(s *Status) {
	st := g.rn.Status()
	*s = Status{Group: g.id, Node: g.node, Term: st.GetTerm(), Leader: st.Lead, Commit: st.GetCommit(), Applied: st.Applied, Base: g.Base()}
	s.Last, _ = g.state.LastIndex()
	conf := g.state.latestConf()
	s.Voters, s.Learners = slices.Clone(conf.Voters), slices.Clone(conf.Learners)
	slices.Sort(s.Voters)
	slices.Sort(s.Learners)
	for id, p := range st.Progress {
		state := "probe"
		switch p.State {
		case tracker.StateReplicate:
			state = "replicate"
		case tracker.StateSnapshot:
			state = "snapshot"
		}
		s.Members = append(s.Members, MemberStatus{Node: id, Learner: p.IsLearner, Match: p.Match, Active: p.RecentActive || id == g.node, State: state})
	}
	slices.SortFunc(s.Members, func(a, b MemberStatus) int { return int(int64(a.Node) - int64(b.Node)) })
}

// serve answers requests; those that take longer are kept in g.changes.
func (g *Group) serve(requests []request, f *frame) {
	for _, r := range requests {
		switch r.kind {
		case askStatus:
			g.fillStatus(r.status)
			r.done <- nil
		case askRemove:
			f.addGone(g.id)
			f.must = true
			g.removal = r.done
		case askTransfer:
			r.done <- g.transfer(r.node)
		case askChange:
			g.changes = append(g.changes, r)
		case askCancel:
			g.changes = slices.DeleteFunc(g.changes, func(c request) bool { return c.done == r.done })
		}
	}
}

func (g *Group) errNotLeader() *failure.Error {
	return failure.New(failure.ObjectNotInPrerequisiteState, "group %d is not led by node %d", g.id, g.node)
}

func (g *Group) transfer(to uint64) error {
	if g.leading == 0 {
		return g.errNotLeader()
	}
	if !slices.Contains(g.state.latestConf().Voters, to) {
		return failure.New(failure.ObjectNotInPrerequisiteState, "node %d is not a voter of group %d", to, g.id)
	}
	if to != g.node {
		g.rn.TransferLeader(to)
		g.transferring = true
	}
	return nil
}

// transferUnderWay says whether proposals would be dropped.
func (g *Group) transferUnderWay() bool {
	if g.transferring {
		g.transferring = g.rn.BasicStatus().LeadTransferee != raft.None
	}
	return g.transferring
}

// pursue proposes the changes that callers wait for, one after the other.
func (g *Group) pursue(ticks int) error {
	for len(g.changes) > 0 {
		r := &g.changes[0]
		cc, err := g.planChange(r)
		if err == nil && cc != nil {
			if r.wait -= ticks; r.wait > 0 || !g.announced || g.transferUnderWay() {
				return nil
			}
			// Raft makes a no-op of a change that comes while another is under way, so it is tried again.
			r.wait = g.cfg.ElectionTicks
			if cc.Type == nil {
				return nil // wait for the learner
			}
			if err := g.rn.ProposeConfChange(cc); err != nil {
				return nil // dropped; tried again
			}
			return nil
		}
		r.done <- err
		g.changes = g.changes[1:]
	}
	return nil
}

// planChange says what to propose for a request: nil when it is done, a change without a type when it has to wait.
func (g *Group) planChange(r *request) (*pb.ConfChange, error) {
	if g.leading == 0 {
		return nil, g.errNotLeader()
	}
	conf := g.state.latestConf()
	voter, learner := slices.Contains(conf.Voters, r.node), slices.Contains(conf.Learners, r.node)
	cc := &pb.ConfChange{NodeId: &r.node}
	switch r.change {
	case AddLearner:
		if voter || learner {
			return nil, nil
		}
		cc.Type = pb.ConfChangeAddLearnerNode.Enum()
	case Promote:
		if voter {
			return nil, nil
		}
		if !learner {
			return nil, failure.New(failure.ObjectNotInPrerequisiteState, "node %d is not a learner of group %d", r.node, g.id)
		}
		if g.caughtUp(r.node) {
			cc.Type = pb.ConfChangeAddNode.Enum()
		}
	case Remove:
		if !voter && !learner {
			return nil, nil
		}
		if r.node == g.node {
			return nil, failure.New(failure.ObjectInUse, "node %d leads group %d", r.node, g.id).
				WithHint("Transfer the leadership to another voter first.")
		}
		cc.Type = pb.ConfChangeRemoveNode.Enum()
	}
	return cc, nil
}

// catchUpEntries is how far a learner may lag when it is promoted. Right behind the promotion, commits may wait for it.
const catchUpEntries = 64

func (g *Group) caughtUp(node uint64) bool {
	near := false
	commit := g.rn.BasicStatus().GetCommit()
	g.rn.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		if id == node {
			near = p.State == tracker.StateReplicate && p.RecentActive && p.Match+catchUpEntries >= commit
		}
	})
	return near
}

// applyChange takes an applied change of membership over.
func (g *Group) applyChange(e *pb.Entry) error {
	cc := &pb.ConfChange{}
	if e.GetType() != pb.EntryConfChange || proto.Unmarshal(e.Data, cc) != nil {
		return failure.New(failure.DataCorrupted, "group %d: entry %d is no change of membership", g.id, e.GetIndex())
	}
	conf := g.rn.ApplyConfChange(cc)
	g.state.noteConf(e.GetIndex(), conf)
	g.noteMembers()
	for i := range g.changes {
		g.changes[i].wait = 0
	}
	if len(g.changes) > 0 {
		g.Wake()
	}
	return nil
}

// stop ends the machine's life and answers whoever waits. The log keeps what it holds of the group.
func (g *Group) stop(why error) {
	g.inbox.Lock()
	requests := g.inbox.requests
	g.inbox.requests, g.inbox.messages = nil, nil
	g.inbox.Unlock()
	for _, r := range append(requests, g.changes...) {
		if r.done != nil && r.kind != askCancel {
			r.done <- why
		}
	}
	g.changes = nil
	if g.removal != nil {
		g.removal <- why
		g.removal = nil
	}
	if g.gone == nil {
		g.gone = why
		g.ticked.Store(false)
		g.machine.Stopped(why)
	}
}

// lost says whether a message proves that this node has forgotten entries that it once acknowledged: a leader's
// heartbeat never speaks of more than the receiver has said to hold. The first it can be told of is what was synced.
func (g *Group) lost(m *pb.Message) error {
	if m.GetType() != pb.MsgHeartbeat || m.GetTerm() < g.rn.BasicStatus().GetTerm() {
		return nil
	}
	last, _ := g.state.LastIndex()
	if m.GetCommit() <= last {
		return nil
	}
	return errForgot(g.node, "and has acknowledged entries of group %d up to %d, but its log ends at %d", g.id, m.GetCommit(), last)
}

// errForgot says that this node's disk does not hold what the node has promised to keep.
func errForgot(node uint64, what string, args ...any) *failure.Error {
	return failure.New(failure.DataCorrupted, "node %d is a voter %s", node, fmt.Sprintf(what, args...)).
		WithHint("Remove the node from the cluster and let it join again under a new number.")
}
