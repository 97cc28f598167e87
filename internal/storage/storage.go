package storage

import (
	"context"
	"sync"

	"github.com/meridiandb/meridian/internal/clock"
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
	background struct {
		cancel  context.CancelFunc
		running sync.WaitGroup
	}
}

// Open opens the files, and follows the journals from where the files left off.
func Open(cfg Config) (*Storage, error) {
	cfg.ensureDefaults()
	s := &Storage{cfg: cfg, flushed: make(chan struct{}, 1), flushSoon: make(chan struct{}, 1)}
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
	from := make(map[txn.JournalID]uint64)
	for _, id := range cfg.Feed.Journals() {
		f := &follower{id: id, store: store, bulk: make(map[txn.ID]*bulk), large: func() { leave(s.flushSoon) }}
		p := positions[id]
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
	s.background.running.Wait()
	_ = s.Flush() // a store that has failed says so again when it is closed
	return s.store.Close()
}

// leave puts a token into a channel that holds one.
func leave(tokens chan struct{}) {
	select {
	case tokens <- struct{}{}:
	default:
	}
}

func (s *Storage) fail(err error) { s.fatal.Do(func() { s.cfg.Fatal(err) }) }

// cut ends the node when a journal cannot be followed: it could never be complete again.
func (s *Storage) cut(_ txn.JournalID, err error) { s.fail(err) }

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

// DropSpan removes a span for good, some time after no read can see it any more: at is a time at which nothing refers to
// it. When it returns, the request survives a crash.
func (s *Storage) DropSpan(span keys.Span, at clock.Timestamp) error {
	if err := s.store.DropSpan(span, at); err != nil {
		return err
	}
	return s.store.Flush()
}

// Metrics returns the figures of the store.
func (s *Storage) Metrics() mvcc.Metrics { return s.store.Metrics() }

// waitComplete returns when every record at or below a time is applied (I5).
func (s *Storage) waitComplete(ctx context.Context, at clock.Timestamp) error {
	for _, f := range s.journals {
		if f.complete.Load() < uint64(at) {
			if err := s.nudge(ctx, f, at); err != nil {
				return err
			}
		}
	}
	return nil
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
