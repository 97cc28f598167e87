package journal

import (
	"context"
	"encoding/binary"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// Leadership is who leads the journal, as far as this node knows. Only Leading is more than a hint, and it may be out of
// date when it is read.
type Leadership struct {
	Term   uint64
	Leader uint64 // 0 when none is known
	// Leading says that this node leads in the term, has applied everything that earlier ones left, and may append: time to
	// start an adjudicator.
	Leading bool
}

// Leadership returns who leads.
func (j *Journal) Leadership() Leadership {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.leadershipLocked()
}

func (j *Journal) leadershipLocked() Leadership {
	return Leadership{Term: max(j.mu.raftTerm, j.mu.term), Leader: j.mu.leader, Leading: j.mu.term != 0}
}

// WatchLeadership blocks until Leadership differs from a known value. A short leadership may go unnoticed, but not that the
// term has changed.
func (j *Journal) WatchLeadership(ctx context.Context, known Leadership) (Leadership, error) {
	for {
		j.mu.Lock()
		now, err := j.leadershipLocked(), j.mu.stopped
		if j.mu.led == nil {
			j.mu.led = make(chan struct{})
		}
		ch := j.mu.led
		j.mu.Unlock()
		if err != nil {
			return now, err
		}
		if now != known {
			return now, nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}

func (j *Journal) announceLeaderLocked() {
	if j.mu.led != nil {
		close(j.mu.led)
		j.mu.led = nil
	}
}

// Leader implements raftgroup.Observer.
func (m *machine) Leader(term, leader uint64) {
	j := (*Journal)(m)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.raftTerm, j.mu.leader = term, leader
	j.announceLeaderLocked()
}

// Status returns what the Raft group knows of itself; see raftgroup.Group.Status.
func (j *Journal) Status() (raftgroup.Status, error) { return j.group.Status() }

// Change changes the members; see raftgroup.Group.Change.
func (j *Journal) Change(ctx context.Context, change raftgroup.Change, node uint64) error {
	return j.group.Change(ctx, change, node)
}

// Group returns the journal's Raft group.
func (j *Journal) Group() *raftgroup.Group { return j.group }

// TransferLeader asks a voter to take over; see raftgroup.Group.TransferLeader.
func (j *Journal) TransferLeader(to uint64) error { return j.group.TransferLeader(to) }

// Learn calls f once the outcome of a transaction is known here: by the log writer, right after the record was applied, or at
// once. It must not block. Cancel ends it; a call may still be under way then. Nothing is called when the journal stops.
func (j *Journal) Learn(id txn.ID, f func(txn.Outcome, clock.Timestamp)) (cancel func()) {
	j.mu.Lock()
	outcome, t := j.mu.core.outcome(id)
	if outcome == txn.OutcomeInProgress {
		defer j.mu.Unlock()
		if j.mu.learners == nil {
			j.mu.learners = map[txn.ID][]*learner{}
		}
		l := &learner{f}
		j.mu.learners[id] = append(j.mu.learners[id], l)
		return func() { j.forgetLearner(id, l) }
	}
	j.mu.Unlock()
	f(outcome, t)
	return func() {}
}

type learner struct {
	f func(txn.Outcome, clock.Timestamp)
}

// learned is a call that is due when the batch has been applied.
type learned struct {
	l       *learner
	outcome txn.Outcome
	time    clock.Timestamp
}

func (j *Journal) forgetLearner(id txn.ID, l *learner) {
	j.mu.Lock()
	defer j.mu.Unlock()
	rest := j.mu.learners[id][:0]
	for _, o := range j.mu.learners[id] {
		if o != l {
			rest = append(rest, o)
		}
	}
	if len(rest) == 0 {
		delete(j.mu.learners, id)
	} else {
		j.mu.learners[id] = rest
	}
}

// teachLocked tells whoever waits for an id.
func (j *Journal) teachLocked(id txn.ID) {
	ls := j.mu.learners[id]
	if ls == nil {
		return
	}
	outcome, t := j.mu.core.outcome(id)
	if outcome == txn.OutcomeInProgress {
		return
	}
	delete(j.mu.learners, id)
	for _, l := range ls {
		j.lessons = append(j.lessons, learned{l, outcome, t})
	}
}

// snapshotVersion marks a checkpoint that holds the settled ids itself: one that travels to another node.
const snapshotVersion = 3

// Snapshot implements raftgroup.Snapshotter: the state without any record that could be read.
func (m *machine) Snapshot() (uint64, []byte, error) {
	j := (*Journal)(m)
	for {
		j.mu.Lock()
		if j.mu.stopped != nil {
			defer j.mu.Unlock()
			return 0, nil, j.mu.stopped
		}
		at, last, horizon := j.mu.raft, j.mu.core.lease.Last, j.mu.core.ids.horizon
		b := j.encodeLocked(nil, nil)
		j.mu.Unlock()
		b[0] = snapshotVersion
		fresh, _ := j.settledBetween(0, last)
		for _, s := range fresh {
			b = binary.LittleEndian.AppendUint64(b, s.a)
			b = binary.LittleEndian.AppendUint64(b, s.b)
			b = binary.LittleEndian.AppendUint64(b, s.time)
		}
		j.mu.Lock()
		same := horizon == j.mu.core.ids.horizon
		j.mu.Unlock()
		if same && at != 0 {
			return at, b, nil
		}
		if at == 0 {
			return 0, nil, failure.New(failure.CannotConnectNow, "journal %d has applied nothing yet", j.cfg.ID)
		}
	}
}

// Restore implements raftgroup.Snapshotter. The records before the snapshot cannot be read here any more.
func (m *machine) Restore(index uint64, data []byte) error {
	j := (*Journal)(m)
	fresh := &Journal{cfg: j.cfg}
	if err := fresh.decode(data); err != nil {
		return err
	}
	j.trimming.Lock() // a trim that is at work ends first
	defer j.trimming.Unlock()
	j.mu.Lock()
	j.mu.core = fresh.mu.core
	j.mu.raft = index
	j.mu.places, j.mu.placeBytes, j.mu.skipped = nil, 0, nil
	j.mu.recent, j.mu.recentBytes = nil, 0
	for id := range j.mu.learners {
		j.teachLocked(id)
	}
	j.mu.Unlock()
	j.blocks, j.saved = nil, 0
	return j.removeOtherBlocks()
}
