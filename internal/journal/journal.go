package journal

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// Journal is one journal on this node. All methods may be called at any time from anywhere.
type Journal struct {
	cfg   Config
	fs    host.FS
	dir   string
	group *raftgroup.Group

	committed atomic.Uint64
	trimming  sync.Mutex      // held by the one Trim that is at work; guards the next two
	blocks    []block         // files of settled ids that the checkpoint names
	saved     clock.Timestamp // ids settled below it are in blocks

	// mu is held for short, never during I/O. The log writer takes it to gather and to apply.
	mu struct {
		sync.Mutex
		core    core
		raft    uint64   // Raft index of the last applied entry
		pending []queued // appended, not yet gathered
		flight  []queued // gathered, not yet applied
		next    uint64   // index of the next record to append
		term    uint64   // the term this node leads in, 0 when it may not append
		// raftTerm and leader are as Raft knows them.
		raftTerm, leader uint64
		stopped          error

		recent      []batch // newest applied batches, without gaps
		recentBytes int
		places      []place
		placeBytes  int      // batch bytes since the last place
		skipped     []uint64 // indexes of records without effect, ascending

		changed     chan struct{}   // closed when committed, leadership or life changes; nil when nobody waits
		led         chan struct{}   // closed when leadership or life changes; nil when nobody waits
		subscribers []*func(uint64) // replaced, never changed
		learners    map[txn.ID][]*learner
	}

	// Receipts to hand out, and learners to tell; they belong to the log writer.
	due     []settled
	lessons []learned
}

type queued struct {
	rec     []byte
	receipt txn.Receipt
}

type settled struct {
	receipt txn.Receipt
	index   uint64
	fate    txn.Fate
}

// place says which Raft entry holds a record: one for every placeSpacing bytes.
type place struct{ first, raft uint64 }

const placeSpacing = 64 << 10

// Open adds a journal to a log, before or after that was started. Its checkpoint is read here; the records behind it are
// applied once the log runs. Files of its own go to dir.
func Open(log *raftgroup.Log, fs host.FS, dir string, cfg Config) (*Journal, error) {
	cfg.ensureDefaults()
	j := &Journal{cfg: cfg, fs: fs, dir: dir}
	g, err := log.Group(raftgroup.GroupConfig{ID: raftgroup.GroupID(cfg.ID), Node: cfg.Node, Voters: cfg.Voters, Join: cfg.Join,
		Established: cfg.Established, LocalLearning: cfg.LocalLearning, ElectionTicks: cfg.ElectionTicks,
		HeartbeatTicks: cfg.HeartbeatTicks}, func(checkpoint []byte) (raftgroup.Machine, error) {
		return (*machine)(j), j.restore(checkpoint)
	})
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	j.group = g // the log writer may have asked for it already, and found nothing to do
	j.mu.Unlock()
	return j, nil
}

// ID returns the journal's id.
func (j *Journal) ID() txn.JournalID { return j.cfg.ID }

// WaitLeader blocks until this node may append and everything in the log has been applied, and returns the generation
// for an Own record: the Raft term.
func (j *Journal) WaitLeader(ctx context.Context) (txn.Generation, error) {
	for {
		j.mu.Lock()
		term, err := j.mu.term, j.mu.stopped
		ch := j.changedLocked()
		j.mu.Unlock()
		if err != nil {
			return 0, err
		}
		if term != 0 {
			return txn.Generation(term), nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Append queues an encoded, sealed record behind all earlier ones and returns its index. The receipt, which may be nil,
// is told what became of it; until then rec belongs to the journal. An error means that the record was not queued.
func (j *Journal) Append(rec []byte, r txn.Receipt) (uint64, error) {
	if len(rec) > txn.RecordMax {
		return 0, failure.New(failure.ProgramLimitExceeded, "transaction record of %d bytes is too large", len(rec))
	}
	j.mu.Lock()
	if j.mu.stopped != nil {
		defer j.mu.Unlock()
		return 0, j.mu.stopped
	}
	if j.mu.term == 0 {
		j.mu.Unlock()
		return 0, failure.New(failure.CannotConnectNow, "journal %d has no leader on this node", j.cfg.ID)
	}
	index := j.mu.next
	j.mu.next++
	j.mu.pending = append(j.mu.pending, queued{rec, r})
	j.mu.Unlock()
	j.group.Wake()
	return index, nil
}

// Committed returns the index of the last record that is durable and applied.
func (j *Journal) Committed() uint64 { return j.committed.Load() }

// Wait blocks until Committed is above an index, and returns it.
func (j *Journal) Wait(ctx context.Context, above uint64) (uint64, error) {
	for {
		if n := j.committed.Load(); n > above {
			return n, nil
		}
		j.mu.Lock()
		n, err := j.committed.Load(), j.mu.stopped
		ch := j.changedLocked()
		j.mu.Unlock()
		if n > above {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return n, ctx.Err()
		}
	}
}

// Subscribe calls f with Committed whenever it has moved, once per batch, from the goroutine that writes the log: f must
// not block. Cancel ends it; a call may still be under way then.
func (j *Journal) Subscribe(f func(committed uint64)) (cancel func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.subscribers = append(slices.Clip(j.mu.subscribers), &f)
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.mu.subscribers = slices.DeleteFunc(slices.Clone(j.mu.subscribers), func(g *func(uint64)) bool { return g == &f })
	}
}

// changedLocked returns the channel that is closed at the next change.
func (j *Journal) changedLocked() <-chan struct{} {
	if j.mu.changed == nil {
		j.mu.changed = make(chan struct{})
	}
	return j.mu.changed
}

func (j *Journal) announceLocked() {
	if j.mu.changed != nil {
		close(j.mu.changed)
		j.mu.changed = nil
	}
}

// Lease returns what the applied log says of its owners.
func (j *Journal) Lease() txn.Lease {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.core.lease
}

// Moves returns what the applied log says of ranges that were given away or taken over, in the order of the ranges, which do
// not overlap.
func (j *Journal) Moves() []txn.Move {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.core.moves
}

// Outcome looks a transaction up among the applied records: committed at a time, aborted (tombstoned), unknown (too old
// to remember), or in progress as far as this journal can tell.
func (j *Journal) Outcome(id txn.ID) (txn.Outcome, clock.Timestamp) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.core.outcome(id)
}

// Resolve is Outcome for one attempt whose votes end at ub (protocol.md 2.9): once the journal's time has passed ub, an
// attempt that is not there will never be. Otherwise the owner can settle it with a Tombstone (adjudicator.Resolve).
func (j *Journal) Resolve(id txn.ID, ub clock.Timestamp) (txn.Outcome, clock.Timestamp) {
	j.mu.Lock()
	defer j.mu.Unlock()
	outcome, t := j.mu.core.outcome(id)
	if outcome == txn.OutcomeInProgress && ub != 0 && j.mu.core.lease.Last >= ub {
		return txn.OutcomeAborted, 0
	}
	return outcome, t
}

// machine is the Journal as its Raft group sees it.
type machine Journal

// Gather implements raftgroup.Machine: all pending records, up to a limit, become one entry.
func (m *machine) Gather() []byte {
	j := (*Journal)(m)
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.mu.pending) == 0 || j.mu.term == 0 {
		return nil
	}
	n, size := 0, batchHead
	for n < len(j.mu.pending) && (n == 0 || size+len(j.mu.pending[n].rec) <= j.cfg.EntryBytes) {
		size += len(j.mu.pending[n].rec)
		n++
	}
	first := j.mu.next - uint64(len(j.mu.pending))
	b := appendBatchHead(make([]byte, 0, size), n, first)
	for i := range j.mu.pending[:n] {
		q := &j.mu.pending[i]
		b = append(b, q.rec...)
		j.mu.flight = append(j.mu.flight, queued{receipt: q.receipt})
	}
	rest := copy(j.mu.pending, j.mu.pending[n:])
	clear(j.mu.pending[rest:])
	j.mu.pending = j.mu.pending[:rest]
	if rest > 0 {
		j.group.Wake()
	}
	return b
}

// Apply implements raftgroup.Machine.
func (m *machine) Apply(index, term uint64, data []byte) {
	j := (*Journal)(m)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.raft = index
	if data == nil {
		return
	}
	first := j.mu.core.seq + 1
	b := batch{first: first, bytes: len(data), entries: make([]txn.Entry, 0, binary.LittleEndian.Uint32(data[4:]))}
	// Entries of the term this node leads in are its own, in the order it gathered them.
	own := 0
	err := splitBatch(data, func(i uint64, v txn.RecordView) error {
		if i != j.mu.core.seq+1 {
			invariant.Unreachable("I2: record %d of journal %d applied behind record %d", i, j.cfg.ID, j.mu.core.seq)
		}
		fate := j.mu.core.apply(v)
		if fate == txn.FateEffective {
			b.entries = append(b.entries, txn.Entry{Index: i, Record: v})
			if len(j.mu.learners) > 0 && (v.Kind() == txn.RecordTx || v.Kind() == txn.RecordTombstone) {
				j.teachLocked(v.ID())
			}
		} else {
			j.mu.skipped = append(j.mu.skipped, i)
		}
		if term == j.mu.term && own < len(j.mu.flight) {
			if r := j.mu.flight[own].receipt; r != nil {
				j.due = append(j.due, settled{r, i, fate})
			}
			own++
		}
		return nil
	})
	if err != nil {
		invariant.Unreachable("journal %d: entry %d: %v", j.cfg.ID, index, err)
	}
	rest := copy(j.mu.flight, j.mu.flight[own:])
	clear(j.mu.flight[rest:])
	j.mu.flight = j.mu.flight[:rest]
	b.next = j.mu.core.seq + 1
	j.placeLocked(first, index, len(data))
	j.keepLocked(b)
}

// placeLocked notes where a batch lies, now and then.
func (j *Journal) placeLocked(first, raft uint64, size int) {
	if len(j.mu.places) == 0 || j.mu.placeBytes >= placeSpacing {
		j.mu.places = append(j.mu.places, place{first, raft})
		j.mu.placeBytes = 0
	}
	j.mu.placeBytes += size
}

// keepLocked keeps a batch in memory for feeds, letting the oldest go.
func (j *Journal) keepLocked(b batch) {
	j.mu.recent = append(j.mu.recent, b)
	j.mu.recentBytes += b.bytes
	for j.mu.recentBytes > j.cfg.RecentBytes && len(j.mu.recent) > 1 {
		j.mu.recentBytes -= j.mu.recent[0].bytes
		j.mu.recent[0] = batch{}
		j.mu.recent = j.mu.recent[1:]
	}
}

// Applied implements raftgroup.Machine.
func (m *machine) Applied() {
	j := (*Journal)(m)
	j.mu.Lock()
	n := j.mu.core.seq
	j.committed.Store(n)
	j.announceLocked()
	subscribers := j.mu.subscribers
	j.mu.Unlock()
	for _, f := range subscribers {
		(*f)(n)
	}
	for i := range j.due {
		d := &j.due[i]
		d.receipt.Appended(d.index, d.fate)
		*d = settled{}
	}
	j.due = j.due[:0]
	for i := range j.lessons {
		d := &j.lessons[i]
		d.l.f(d.outcome, d.time)
		*d = learned{}
	}
	j.lessons = j.lessons[:0]
}

// Lead implements raftgroup.Machine.
func (m *machine) Lead(term uint64) {
	j := (*Journal)(m)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.term = term
	j.mu.next = j.mu.core.seq + 1
	j.announceLocked()
	j.announceLeaderLocked()
}

// Follow implements raftgroup.Machine.
func (m *machine) Follow() { (*Journal)(m).abandon(nil) }

// Stopped implements raftgroup.Machine.
func (m *machine) Stopped(reason error) { (*Journal)(m).abandon(reason) }

// abandon gives up on what was appended: nobody will tell us any more what became of it.
func (j *Journal) abandon(reason error) {
	j.mu.Lock()
	flight, pending := j.mu.flight, j.mu.pending
	j.mu.flight, j.mu.pending = nil, nil
	first := j.mu.next - uint64(len(flight)+len(pending))
	j.mu.term = 0
	if reason != nil {
		j.mu.stopped = reason
	}
	j.announceLocked()
	j.announceLeaderLocked()
	j.mu.Unlock()
	for i, q := range append(flight, pending...) {
		fate := txn.FateUnknown
		if i >= len(flight) {
			fate = txn.FateDropped
		}
		if q.receipt != nil {
			q.receipt.Appended(first+uint64(i), fate)
		}
	}
}
