package storage

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Storage is one storage node. It is safe for concurrent use.
type Storage struct {
	cfg      Config
	store    *mvcc.Store
	journals []*follower // by Feed.Journals
	stop     func()
	fatal    sync.Once

	flushSoon  chan struct{} // holds a token when a flush would save a restart much work
	flushed    chan struct{} // holds a token when Pebble has flushed and the journals have not been told
	releasing  sync.Mutex    // held while they are told
	closed     chan struct{} // closed when nothing is followed any more
	copies     atomic.Uint64 // made for other nodes
	background struct {
		cancel  context.CancelFunc
		running sync.WaitGroup
	}
}

// Open opens the files, and follows the journals from where the files left off.
func Open(cfg Config) (*Storage, error) {
	cfg.ensureDefaults()
	s := &Storage{cfg: cfg, flushed: make(chan struct{}, 1), flushSoon: make(chan struct{}, 1), closed: make(chan struct{})}
	cfg.Store.Fatal = s.fail
	cfg.Store.Flushed = func() { leave(s.flushed) }
	store, err := mvcc.Open(cfg.Store)
	if err != nil {
		return nil, err
	}
	s.store = store
	positions, err := store.Positions(false)
	if err != nil {
		_ = store.Close()
		return nil, err
	}
	digests, err := store.Digests()
	if err != nil {
		_ = store.Close()
		return nil, err
	}
	from := make(map[txn.JournalID]uint64)
	for _, id := range cfg.Feed.Journals() {
		f := &follower{id: id, store: store, bulk: make(map[txn.ID]*bulk), closed: s.closed,
			large: func() { leave(s.flushSoon) }}
		p := positions[id]
		var known bool
		if f.digest, known = digests[id]; !known {
			f.digest = mvcc.Digest{Since: p.Index, Index: p.Index}
		}
		f.applied.Store(p.Index)
		f.lastTime = p.Time
		f.complete.Store(uint64(p.Time))
		f.held.Store(uint64(clock.MaxTimestamp))
		from[id] = p.Index + 1
		s.journals = append(s.journals, f)
	}
	if len(positions) > 0 {
		store.SweepAll()
	}
	s.stop = cfg.Feed.Subscribe(from, s.deliver, s.cut)
	s.startBackground()
	return s, nil
}

// Close stops following, writes out what is in memory, lets go of the journals so that a restart has next to nothing to
// read, and closes the files.
func (s *Storage) Close() error {
	s.background.cancel()
	s.stop()
	close(s.closed)
	s.background.running.Wait()
	_ = s.Flush() // a store that has failed says so again when it is closed
	return s.store.Close()
}

// Applied returns up to which record each journal is applied.
func (s *Storage) Applied() map[txn.JournalID]uint64 {
	out := make(map[txn.JournalID]uint64, len(s.journals))
	for _, f := range s.journals {
		out[f.id] = f.applied.Load()
	}
	return out
}

// leave puts a token into a channel that holds one.
func leave(tokens chan struct{}) {
	select {
	case tokens <- struct{}{}:
	default:
	}
}

func (s *Storage) fail(err error) { s.fatal.Do(func() { s.cfg.Fatal(err) }) }

// cut ends the node when a journal cannot be followed: it could never be complete again. Only a copy of another node's
// storage helps when the journal has been trimmed.
func (s *Storage) cut(_ txn.JournalID, err error) {
	if s.cfg.Trimmed != nil && failure.CodeOf(err) == failure.SnapshotTooOld {
		s.cfg.Trimmed(err)
		return
	}
	s.fail(err)
}

func (s *Storage) deliver(j txn.JournalID, entries []txn.Entry, next uint64) error {
	for _, f := range s.journals {
		if f.id == j {
			return f.deliver(entries, next)
		}
	}
	invariant.Unreachable("delivery of unknown journal %d", j)
	return nil
}

// Get reads keys at a time; see coordinator.Snapshots.
func (s *Storage) Get(ctx context.Context, at clock.Timestamp, ks []keys.Key, values [][]byte) error {
	if err := s.waitComplete(ctx, at); err != nil {
		return err
	}
	return s.store.Get(at, ks, values)
}

// Scan reads a span at a time; see txn.Txn.
func (s *Storage) Scan(ctx context.Context, at clock.Timestamp, req txn.ScanRequest) (txn.Scan, error) {
	if err := s.waitComplete(ctx, at); err != nil {
		return nil, err
	}
	c, err := s.store.Scan(at, req)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// SchemaTimeAt returns the commit time of the newest schema change at or below a time.
func (s *Storage) SchemaTimeAt(ctx context.Context, at clock.Timestamp) (clock.Timestamp, error) {
	if err := s.waitComplete(ctx, at); err != nil {
		return 0, err
	}
	return s.store.SchemaTimeAt(at), nil
}

// Checksum adds up the rows of a span at a time. Every replica that holds the span answers the same (I10).
func (s *Storage) Checksum(ctx context.Context, span keys.Span, at clock.Timestamp) (rows int64, sum uint64, err error) {
	if err := s.waitComplete(ctx, at); err != nil {
		return 0, 0, err
	}
	return s.store.Checksum(ctx, span, at)
}

// Digests returns, for every journal, sums over the records applied here up to some of the indexes that all replicas use.
// Two replicas that follow the same journal agree wherever both have a sum with the same Since and Index (I10).
func (s *Storage) Digests() map[txn.JournalID][]mvcc.Digest {
	out := make(map[txn.JournalID][]mvcc.Digest)
	for _, f := range s.journals {
		f.mu.Lock()
		out[f.id] = slices.Clone(f.marks)
		f.mu.Unlock()
	}
	return out
}

// SpanBytes returns about how many bytes a span takes on disk; see mvcc.Store.
func (s *Storage) SpanBytes(span keys.Span) (int64, error) { return s.store.SpanBytes(span) }

// Metrics returns the figures of the store.
func (s *Storage) Metrics() mvcc.Metrics { return s.store.Metrics() }

// complete says whether every record at or below a time is applied, as far as that can be told without waiting.
func (s *Storage) complete(at clock.Timestamp) bool {
	done := true
	for _, f := range s.journals {
		if f.complete.Load() >= uint64(at) {
			continue
		}
		w, ok := s.cfg.Feed.Look(f.id, at)
		if !ok || f.applied.Load() < w.Index {
			done = false
			continue
		}
		raise(&f.complete, w.Time)
	}
	return done
}

// waitComplete returns when every record at or below a time is applied (I5).
func (s *Storage) waitComplete(ctx context.Context, at clock.Timestamp) error {
	behind := -1
	var others []int
	for i, f := range s.journals {
		switch {
		case f.complete.Load() >= uint64(at):
		case behind < 0:
			behind = i
		default:
			others = append(others, i)
		}
	}
	if behind < 0 || s.complete(at) {
		return nil
	}
	if len(others) == 0 {
		return s.nudge(ctx, s.journals[behind], at)
	}
	// Owners may be far away: all are asked at once.
	answers := make(chan error, len(others))
	for _, i := range others {
		go func() { answers <- s.nudge(ctx, s.journals[i], at) }()
	}
	err := s.nudge(ctx, s.journals[behind], at)
	for range others {
		if e := <-answers; err == nil {
			err = e
		}
	}
	return err
}

// nudge makes a journal's owner promise the time, and waits until what the promise speaks of is applied.
func (s *Storage) nudge(ctx context.Context, f *follower, at clock.Timestamp) error {
	for f.complete.Load() < uint64(at) {
		w, err := s.cfg.Feed.Promise(ctx, f.id, at)
		if err != nil {
			return err
		}
		reached, err := f.waitApplied(ctx, w.Index)
		if err != nil {
			return err
		}
		if reached {
			raise(&f.complete, w.Time)
		}
	}
	return nil
}
