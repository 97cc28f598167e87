package mvcc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// Position is how far a journal has been applied: every entry up to and including Index. Time is the commit time of the
// last one, or what a watermark promised, whichever is known.
type Position struct {
	Index uint64
	Time  clock.Timestamp
}

// Store is a set of versions. It is safe for concurrent use.
type Store struct {
	cfg  Config
	db   *pebble.DB
	hot  *hotCache
	gc   collector
	err  atomic.Pointer[failure.Error]
	dead chan struct{} // closed when err is set
	open sync.RWMutex  // held for reading by every call, for writing by Close
	done bool

	// schemas are the times of schema changes, rising; replaced, never changed in place.
	schemas  atomic.Pointer[[]clock.Timestamp]
	schemaMu sync.Mutex    // held by who replaces schemas
	horizon  atomic.Uint64 // reads below it are refused
	scans    sync.Pool     // *scanMemory
	views    atomic.Int64  // open scans
}

// Open opens or creates a store.
func Open(cfg Config) (*Store, error) {
	cfg.ensureDefaults()
	s := &Store{cfg: cfg, hot: newHotCache(cfg.HotBytes), dead: make(chan struct{})}
	s.gc.init()
	s.scans.New = func() any { return &scanMemory{} }
	db, err := s.openPebble()
	if err != nil {
		return nil, failure.New(failure.IOError, "cannot open storage in %q: %v", cfg.Dir, err).WithCause(err)
	}
	s.db = db
	if err := s.loadMeta(); err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

// openPebble opens the files in a goroutine of its own, because what Pebble cannot live with ends the goroutine it happens
// in.
func (s *Store) openPebble() (db *pebble.DB, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		db, err = pebble.Open(s.cfg.Dir, s.options())
	}()
	<-done
	if db == nil && err == nil {
		err = s.err.Load()
	}
	return db, err
}

// Close waits for running calls and closes the files. What is still in memory is written out first, so that a restart
// has nothing to replay. A store that has failed is left as it is: Pebble would wait for work that can never be done, and
// the files belong to the process until it ends.
func (s *Store) Close() error {
	s.open.Lock()
	defer s.open.Unlock()
	if s.done {
		return nil
	}
	s.done = true
	if s.err.Load() == nil {
		_ = s.flush()
	}
	if e := s.err.Load(); e != nil {
		return e
	}
	return s.db.Close()
}

// enter guards a call against Close and against use after a fatal error; leave ends it.
func (s *Store) enter() error {
	if e := s.err.Load(); e != nil {
		return e
	}
	s.open.RLock()
	if s.done {
		s.open.RUnlock()
		return failure.New(failure.AdminShutdown, "storage is closed")
	}
	return nil
}

func (s *Store) leave() { s.open.RUnlock() }

// fail makes the store refuse everything from now on and tells the owner once.
func (s *Store) fail(err error) {
	code := failure.IOError
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, host.ErrNoSpace) {
		code = failure.DiskFull
	}
	e := failure.New(code, "storage has failed: %v", err).WithCause(err)
	if s.err.CompareAndSwap(nil, e) {
		close(s.dead)
		s.cfg.Fatal(e)
	}
}

// logger takes Pebble's messages: only the fatal ones matter here.
type logger struct{ s *Store }

func (logger) Infof(string, ...any)  {}
func (logger) Errorf(string, ...any) {}

// Fatalf must not return: Pebble is about to rely on what has just failed.
func (l logger) Fatalf(format string, args ...any) {
	l.s.fail(fmt.Errorf(format, args...))
	runtime.Goexit()
}

// Batch is a set of versions and positions that become visible together. It is used by one goroutine.
type Batch struct {
	s       *Store
	b       *pebble.Batch
	touched []touch
	schemas []clock.Timestamp
	drops   []drop
	size    int // when it was applied
}

// touch is a version in a batch, for the hot cache: key and value point to memory that lives as long as the batch.
type touch struct {
	hash  uint64
	key   keys.Key
	value []byte // nil for a tombstone
	at    clock.Timestamp
}

// NewBatch makes an empty batch; Apply or Close ends it.
func (s *Store) NewBatch() *Batch { return &Batch{s: s, b: s.db.NewBatch()} }

// NewBatchLike is NewBatch for what goes on where a large batch ended: it takes as much memory at once.
func (s *Store) NewBatchLike(b *Batch) *Batch {
	return &Batch{s: s, b: s.db.NewBatchWithSize(b.size), touched: make([]touch, 0, len(b.touched)+len(b.touched)/8)}
}

// Put adds a version. Key and value are copied for the store, but must stay unchanged until Apply.
func (b *Batch) Put(k keys.Key, at clock.Timestamp, value []byte) error {
	op := b.b.SetDeferred(len(k)+tailLen, 1+len(value))
	putKey(op.Key, k, at)
	op.Value[0] = valuePresent
	copy(op.Value[1:], value)
	if err := op.Finish(); err != nil {
		return err
	}
	if value == nil {
		value = empty
	}
	b.touched = append(b.touched, touch{hash: xxhash.Sum64(k), key: k, value: value, at: at})
	return nil
}

// Delete adds a tombstone.
func (b *Batch) Delete(k keys.Key, at clock.Timestamp) error {
	op := b.b.SetDeferred(len(k)+tailLen, 1)
	putKey(op.Key, k, at)
	op.Value[0] = valueDeleted
	if err := op.Finish(); err != nil {
		return err
	}
	b.touched = append(b.touched, touch{hash: xxhash.Sum64(k), key: k, at: at})
	return nil
}

// SchemaChange notes that the schema changed at a time.
func (b *Batch) SchemaChange(at clock.Timestamp) error {
	b.schemas = append(b.schemas, at)
	return b.b.Set(metaKey(metaSchema, binary.BigEndian.AppendUint64(nil, uint64(at))...), nil, nil)
}

// SetPosition notes how far a journal is applied with this batch.
func (b *Batch) SetPosition(j txn.JournalID, p Position) error {
	var v [16]byte
	binary.BigEndian.PutUint64(v[:8], p.Index)
	binary.BigEndian.PutUint64(v[8:], uint64(p.Time))
	return b.b.Set(metaKey(metaPosition, binary.BigEndian.AppendUint32(nil, uint32(j))...), v[:], nil)
}

// Len is the size of the batch in bytes.
func (b *Batch) Len() int { return b.b.Len() }

// Close drops a batch, unless it was applied.
func (b *Batch) Close() {
	if b.b != nil {
		_ = b.b.Close()
		b.b = nil
	}
}

// Apply makes a batch visible and ends it. Readers are told of the new times only afterwards, by the caller.
func (s *Store) Apply(b *Batch) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	defer b.Close()
	b.size = b.b.Len()
	if err := b.b.Commit(pebble.NoSync); err != nil {
		s.fail(err)
		return s.err.Load()
	}
	// Pebble first, cache second: see hotCache for why this order is the one without stale fills.
	for i := range b.touched {
		t := &b.touched[i]
		s.hot.update(t.hash, t.key, t.at, t.value)
	}
	s.gc.note(b.touched)
	s.gc.noteDrops(b.drops)
	for _, at := range b.schemas {
		s.addSchema(at)
	}
	return nil
}

func (s *Store) addSchema(at clock.Timestamp) {
	s.schemaMu.Lock()
	defer s.schemaMu.Unlock()
	old := *s.schemas.Load()
	i, found := slices.BinarySearch(old, at)
	if !found {
		list := slices.Insert(slices.Clone(old), i, at)
		s.schemas.Store(&list)
	}
}

// SchemaTimeAt returns the time of the newest schema change at or below a time, 0 when there is none.
func (s *Store) SchemaTimeAt(at clock.Timestamp) clock.Timestamp {
	list := *s.schemas.Load()
	n := len(list)
	if n > 0 && list[n-1] <= at {
		return list[n-1]
	}
	i, found := slices.BinarySearch(list, at)
	switch {
	case found:
		return at
	case i == 0:
		return 0
	}
	return list[i-1]
}

// Positions returns where every known journal has been applied to. With durable set, only what a crash cannot undo
// counts: below it, journals need not be kept for this store.
func (s *Store) Positions(durable bool) (map[txn.JournalID]Position, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	out := make(map[txn.JournalID]Position)
	err := s.eachMeta(metaPosition, durable, func(rest, value []byte) error {
		if len(rest) != 4 || len(value) != 16 {
			return corrupt("position")
		}
		out[txn.JournalID(binary.BigEndian.Uint32(rest))] = Position{
			Index: binary.BigEndian.Uint64(value), Time: clock.Timestamp(binary.BigEndian.Uint64(value[8:])),
		}
		return nil
	})
	return out, err
}

// Flush writes the memtables out and returns when that is durable.
func (s *Store) Flush() error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	return s.flush()
}

// flush does not wait for Pebble once the store has failed: Pebble tries for ever.
func (s *Store) flush() error {
	done, err := s.db.AsyncFlush()
	if err != nil {
		s.fail(err)
		return s.err.Load()
	}
	select {
	case <-done:
		return nil
	case <-s.dead:
		return s.err.Load()
	}
}

// eachMeta calls f with the rest of the key and the value of every meta key of a kind; both end with the call.
func (s *Store) eachMeta(kind byte, durable bool, f func(rest, value []byte) error) error {
	lower, upper := metaSpan(kind)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper, OnlyReadGuaranteedDurable: durable})
	if err != nil {
		return err
	}
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err == nil {
			err = f(metaRest(it.Key()), v)
		}
		if err != nil {
			_ = it.Close()
			return err
		}
	}
	return it.Close()
}

func (s *Store) loadMeta() error {
	times := []clock.Timestamp{}
	err := s.eachMeta(metaSchema, false, func(rest, _ []byte) error {
		if len(rest) != 8 {
			return corrupt("schema time")
		}
		times = append(times, clock.Timestamp(binary.BigEndian.Uint64(rest)))
		return nil
	})
	if err != nil {
		return err
	}
	s.schemas.Store(&times)
	err = s.eachMeta(metaHorizon, false, func(_, value []byte) error {
		if len(value) != 8 {
			return corrupt("horizon")
		}
		s.horizon.Store(binary.BigEndian.Uint64(value))
		return nil
	})
	if err != nil {
		return err
	}
	return s.loadDrops()
}

// Metrics are figures for monitoring.
type Metrics struct {
	DiskBytes     uint64
	MemTableBytes uint64
	ReadAmp       int
	CacheHits     int64
	CacheMisses   int64
}

// Metrics returns the store's figures.
func (s *Store) Metrics() Metrics {
	if s.enter() != nil {
		return Metrics{}
	}
	defer s.leave()
	m := s.db.Metrics()
	return Metrics{DiskBytes: m.DiskSpaceUsage(), MemTableBytes: m.MemTable.Size, ReadAmp: m.ReadAmp(),
		CacheHits: m.BlockCache.Hits, CacheMisses: m.BlockCache.Misses}
}
