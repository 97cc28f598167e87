package meta

import (
	"context"
	"sync"

	"github.com/meridiandb/meridian/internal/failure"
)

// Machine is the map as the state machine of the control group (raftgroup.Machine). All methods of its own may be called
// from anywhere.
type Machine struct {
	wake func()

	mu struct {
		sync.Mutex
		m       *Map
		index   uint64 // of the last applied entry
		term    uint64 // the term this node leads in, 0 when it does not
		leader  NodeID // as far as this node knows, 0 for none
		pending [][]byte
		waiting map[uint64]chan Result
		changed chan struct{} // closed when map, leadership or life changes
		stopped error
	}
}

// NewMachine takes over a checkpoint; nil is that of a new group, which has no map yet.
func NewMachine(checkpoint []byte) (*Machine, error) {
	s := &Machine{}
	s.mu.m = &Map{}
	s.mu.waiting = map[uint64]chan Result{}
	s.mu.changed = make(chan struct{})
	if checkpoint != nil {
		if err := s.Restore(0, checkpoint); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// OnWork says how to wake the group when there is something to gather. It must be set before the first Propose.
func (s *Machine) OnWork(wake func()) { s.wake = wake }

// Restore implements raftgroup.Snapshotter.
func (s *Machine) Restore(index uint64, data []byte) error {
	m, err := DecodeMap(data)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.m, s.mu.index = m, max(s.mu.index, index)
	s.announceLocked()
	return nil
}

// Snapshot implements raftgroup.Snapshotter.
func (s *Machine) Snapshot() (index uint64, data []byte, err error) {
	s.mu.Lock()
	index, m := s.mu.index, s.mu.m
	s.mu.Unlock()
	return index, m.Encode(), nil
}

// Leader implements raftgroup.Observer.
func (s *Machine) Leader(term, leader uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.leader = NodeID(leader)
	s.announceLocked()
}

// View is what the machine shows.
type View struct {
	Map *Map
	// Term is the term in which this node leads the control group, 0 when it does not.
	Term uint64
	// Leader is the control group's leader as far as this node knows, 0 for none.
	Leader NodeID
	// Index is that of the last applied entry of the log.
	Index uint64
	// Changed is closed when anything of this has changed.
	Changed <-chan struct{}
	// Err is why the group has stopped.
	Err error
}

// View returns the current state.
func (s *Machine) View() View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return View{Map: s.mu.m, Term: s.mu.term, Leader: s.mu.leader, Index: s.mu.index, Changed: s.mu.changed, Err: s.mu.stopped}
}

func (s *Machine) announceLocked() {
	close(s.mu.changed)
	s.mu.changed = make(chan struct{})
}

// NotLeader is the error of a node that does not lead the control group.
func NotLeader() error {
	return failure.New(failure.CannotConnectNow, "this node does not lead the control plane")
}

// Propose has a command carried out; its ID must be random. When ctx ends or leadership is lost first, the outcome is
// not known, and the command may be proposed again.
func (s *Machine) Propose(ctx context.Context, c *Command) (Result, error) {
	done := make(chan Result, 1)
	s.mu.Lock()
	if s.mu.stopped != nil || s.mu.term == 0 {
		err := s.mu.stopped
		s.mu.Unlock()
		if err == nil {
			err = NotLeader()
		}
		return Result{}, err
	}
	s.mu.pending = append(s.mu.pending, c.Encode())
	s.mu.waiting[c.ID] = done
	s.mu.Unlock()
	s.wake()
	defer func() {
		s.mu.Lock()
		delete(s.mu.waiting, c.ID)
		s.mu.Unlock()
	}()
	select {
	case r := <-done:
		return r, r.Err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// Gather implements raftgroup.Machine.
func (s *Machine) Gather() []byte {
	s.mu.Lock()
	if len(s.mu.pending) == 0 {
		s.mu.Unlock()
		return nil
	}
	b := s.mu.pending[0]
	s.mu.pending = s.mu.pending[1:]
	more := len(s.mu.pending) > 0
	s.mu.Unlock()
	if more {
		s.wake() // an entry is one command; the group asks for the others next
	}
	return b
}

// Apply implements raftgroup.Machine. An entry that cannot be read would make replicas differ: the group ends instead.
func (s *Machine) Apply(index, _ uint64, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.index = index
	if data == nil || s.mu.stopped != nil {
		return
	}
	c, err := DecodeCommand(data)
	if err != nil {
		s.stopLocked(err)
		return
	}
	r := s.mu.m.Apply(c)
	if r.Map != s.mu.m {
		s.mu.m = r.Map
		s.announceLocked()
	}
	if done := s.mu.waiting[c.ID]; done != nil {
		delete(s.mu.waiting, c.ID)
		done <- r
	}
}

// Applied implements raftgroup.Machine.
func (s *Machine) Applied() {}

// Lead implements raftgroup.Machine.
func (s *Machine) Lead(term uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.term = term
	s.announceLocked()
}

// Follow implements raftgroup.Machine.
func (s *Machine) Follow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.term = 0
	s.dropLocked(failure.New(failure.StatementCompletionUnknown, "the control plane's leader changed while the command was under way"))
	s.announceLocked()
}

// Stopped implements raftgroup.Machine.
func (s *Machine) Stopped(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopLocked(reason)
}

func (s *Machine) stopLocked(reason error) {
	if s.mu.stopped == nil {
		s.mu.stopped, s.mu.term = reason, 0
		s.dropLocked(reason)
		s.announceLocked()
	}
}

func (s *Machine) dropLocked(reason error) {
	s.mu.pending = nil
	for id, done := range s.mu.waiting {
		delete(s.mu.waiting, id)
		done <- Result{Err: reason}
	}
}
