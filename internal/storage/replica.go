package storage

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Peers is the storage of other nodes. Each call asks the nearest that can answer.
type Peers interface {
	Get(ctx context.Context, at clock.Timestamp, ks []keys.Key, values [][]byte) error
	Scan(ctx context.Context, at clock.Timestamp, req txn.ScanRequest) (txn.Scan, error)
	SchemaTimeAt(ctx context.Context, at clock.Timestamp) (clock.Timestamp, error)
	// Copy opens the stream of a ServeCopy.
	Copy(ctx context.Context) (Copy, error)
}

// ReplicaConfig of one replica among several.
type ReplicaConfig struct {
	Config
	// Peers are the others. Nil means that there are none.
	Peers Peers
	// HedgeAfter is how long a read waits for this replica alone. 0 is 10 ms.
	HedgeAfter time.Duration
	// Note, when set, is told in words what becomes of the replica: that it is being rebuilt, that it is ready.
	Note func(what string, err error)
}

// Replica is a storage that is one of several. When it cannot follow a journal any more it is replaced by a copy of
// another's; meanwhile, and while it is slow or has much to catch up with, reads go to the others. It is safe for
// concurrent use.
type Replica struct {
	cfg ReplicaConfig
	gen generation // belongs to run

	current atomic.Pointer[Storage] // nil while it is being rebuilt
	ready   atomic.Bool             // current has once been complete up to the present
	trimmed chan *Storage
	cancel  context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex
	durable map[txn.JournalID]uint64
	closed  bool
}

// OpenReplica opens the files, or what a finished rebuild left, and follows the journals.
func OpenReplica(cfg ReplicaConfig) (*Replica, error) {
	cfg.Config.ensureDefaults()
	if cfg.HedgeAfter == 0 {
		cfg.HedgeAfter = 10 * time.Millisecond
	}
	if cfg.Note == nil {
		cfg.Note = func(string, error) {}
	}
	r := &Replica{cfg: cfg, trimmed: make(chan *Storage, 1), durable: make(map[txn.JournalID]uint64)}
	var err error
	if r.gen, err = openGeneration(cfg.Store.FS, cfg.Store.Dir); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	if err := r.open(ctx, r.gen); err != nil {
		cancel()
		return nil, err
	}
	r.work.Go(func() { r.run(ctx) })
	return r, nil
}

// open starts a storage on a generation's folder.
func (r *Replica) open(ctx context.Context, g generation) error {
	cfg := r.cfg.Config
	cfg.Store.Dir = g.dir()
	opened := make(chan *Storage, 1)
	if r.cfg.Peers != nil {
		cfg.Trimmed = func(error) {
			select {
			case s := <-opened:
				opened <- s
				select {
				case r.trimmed <- s:
				default: // told already
				}
			case <-ctx.Done():
			}
		}
	}
	tell := cfg.Durable
	cfg.Durable = func(m map[txn.JournalID]uint64) {
		r.setDurable(m)
		tell(m)
	}
	s, err := Open(cfg)
	if err != nil {
		return err
	}
	if positions, err := s.store.Positions(true); err == nil {
		m := make(map[txn.JournalID]uint64, len(positions))
		for j, p := range positions {
			m[j] = p.Index
		}
		r.setDurable(m)
	}
	r.ready.Store(r.cfg.Peers == nil)
	r.current.Store(s)
	opened <- s
	if r.cfg.Peers != nil {
		r.work.Go(func() { r.catchUp(ctx, s) })
	}
	return nil
}

// catchUp makes the replica ready once it holds everything up to the time at which it was opened.
func (r *Replica) catchUp(ctx context.Context, s *Storage) {
	for {
		now, ok := r.cfg.Clock.Now()
		if ok {
			err := s.waitComplete(ctx, now.Earliest)
			if err == nil {
				r.ready.Store(r.current.Load() == s)
				r.cfg.Note("storage is ready", nil)
				return
			}
			if failure.CodeOf(err) == failure.AdminShutdown {
				return
			}
		}
		if r.cfg.Time.Sleep(ctx, 50*time.Millisecond) != nil {
			return
		}
	}
}

// Close stops everything and closes the files.
func (r *Replica) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	s := r.current.Swap(nil)
	var err error
	if s != nil {
		err = s.Close()
	}
	r.work.Wait()
	if s := r.current.Swap(nil); s != nil { // a rebuild had just ended
		err = errors.Join(err, s.Close())
	}
	return err
}

// Ready says whether reads are answered here.
func (r *Replica) Ready() bool { return r.ready.Load() && r.current.Load() != nil }

// Current returns the storage of this moment, nil while it is being rebuilt.
func (r *Replica) Current() *Storage { return r.current.Load() }

// Durable returns up to which record this replica needs no journal any more, not even after a crash. A journal may be
// trimmed up to the least of what the live replicas say; one that says nothing of a journal needs a copy anyway. While a
// copy is on its way, it is what the copy holds.
func (r *Replica) Durable() map[txn.JournalID]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.durable)
}

// Applied is Storage.Applied; it has nothing while the replica is being rebuilt.
func (r *Replica) Applied() map[txn.JournalID]uint64 {
	if s := r.current.Load(); s != nil {
		return s.Applied()
	}
	return nil
}

func (r *Replica) setDurable(m map[txn.JournalID]uint64) {
	r.mu.Lock()
	r.durable = maps.Clone(m)
	r.mu.Unlock()
}

// Flush is Storage.Flush.
func (r *Replica) Flush() error {
	if s := r.current.Load(); s != nil {
		return s.Flush()
	}
	return nil
}

// Metrics is Storage.Metrics.
func (r *Replica) Metrics() mvcc.Metrics {
	if s := r.current.Load(); s != nil {
		return s.Metrics()
	}
	return mvcc.Metrics{}
}

// SpanBytes is Storage.SpanBytes; it knows nothing while the replica is being rebuilt.
func (r *Replica) SpanBytes(span keys.Span) (int64, error) {
	if s := r.current.Load(); s != nil {
		return s.SpanBytes(span)
	}
	return 0, errNotReady()
}

// run rebuilds the replica whenever it is cut off.
func (r *Replica) run(ctx context.Context) {
	for {
		select {
		case s := <-r.trimmed:
			if s != r.current.Load() {
				continue
			}
			r.rebuild(ctx, s)
		case <-ctx.Done():
			return
		}
	}
}

// rebuild replaces a storage that was cut off by a copy of another node's.
func (r *Replica) rebuild(ctx context.Context, old *Storage) {
	r.ready.Store(false)
	if !r.current.CompareAndSwap(old, nil) {
		return // closed
	}
	r.cfg.Note("storage is rebuilt from another node: a journal that it follows has been trimmed", nil)
	closed := old.closeUnused(ctx)
	// The old folder stays until the new one counts: nothing is thrown away for a copy that may never come.
	left := r.gen.dir()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := r.fetch(ctx)
		if err == nil {
			if closed {
				_ = r.cfg.Store.FS.RemoveAll(left)
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		r.cfg.Note("copying the storage of another node failed", err)
		if r.cfg.Time.Sleep(ctx, pause) != nil {
			return
		}
	}
}

// fetch makes one try at it.
func (r *Replica) fetch(ctx context.Context) error {
	next := r.gen.next()
	c, err := r.cfg.Peers.Copy(ctx)
	if err != nil {
		return err
	}
	err = receive(ctx, r.cfg.Store.FS, next.dir(), c, r.setDurable)
	c.Close()
	if err == nil {
		err = next.install()
	}
	if err != nil {
		_ = r.cfg.Store.FS.RemoveAll(next.dir())
		return err
	}
	r.gen = next
	return r.open(ctx, next)
}

// closeUnused closes a storage whose readers may be at work still. When they do not finish soon the files stay as they
// are until the process ends.
func (s *Storage) closeUnused(ctx context.Context) bool {
	s.background.cancel()
	s.stop()
	close(s.closed)
	s.background.running.Wait()
	for range 100 {
		if s.store.Scans() == 0 {
			return s.store.Close() == nil
		}
		if s.cfg.Time.Sleep(ctx, 100*time.Millisecond) != nil {
			break
		}
	}
	return false
}

// errNotReady refuses a read that nobody can answer.
func errNotReady() error {
	return failure.New(failure.CannotConnectNow, "storage of this node is being rebuilt")
}

// moved says whether a read failed only because the storage it asked has been replaced.
func (r *Replica) moved(s *Storage, err error) bool {
	return failure.CodeOf(err) == failure.AdminShutdown && r.current.Load() != s
}

// Get reads keys at a time; see coordinator.Snapshots.
func (r *Replica) Get(ctx context.Context, at clock.Timestamp, ks []keys.Key, values [][]byte) error {
	if s := r.current.Load(); s != nil && (r.cfg.Peers == nil || s.complete(at)) {
		if err := s.Get(ctx, at, ks, values); !r.moved(s, err) {
			return err
		}
	}
	there := make([][]byte, len(values))
	s, err := r.either(ctx, at, func(ctx context.Context) error { return r.cfg.Peers.Get(ctx, at, ks, there) })
	switch {
	case err != nil:
		return err
	case s != nil:
		return s.Get(ctx, at, ks, values)
	}
	copy(values, there)
	return nil
}

// Scan reads a span at a time.
func (r *Replica) Scan(ctx context.Context, at clock.Timestamp, req txn.ScanRequest) (txn.Scan, error) {
	if s := r.current.Load(); s != nil && (r.cfg.Peers == nil || s.complete(at)) {
		if c, err := s.Scan(ctx, at, req); !r.moved(s, err) {
			return c, err
		}
	}
	var there txn.Scan
	s, err := r.either(ctx, at, func(asking context.Context) (err error) {
		// The scan outlives the race; its stream ends with Close.
		there, err = r.cfg.Peers.Scan(context.WithoutCancel(asking), at, req)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case s != nil:
		if there != nil {
			there.Close()
		}
		return s.Scan(ctx, at, req)
	}
	return there, nil
}

// SchemaTimeAt returns the commit time of the newest schema change at or below a time.
func (r *Replica) SchemaTimeAt(ctx context.Context, at clock.Timestamp) (clock.Timestamp, error) {
	if s := r.current.Load(); s != nil && (r.cfg.Peers == nil || s.complete(at)) {
		if t, err := s.SchemaTimeAt(ctx, at); !r.moved(s, err) {
			return t, err
		}
	}
	var there clock.Timestamp
	s, err := r.either(ctx, at, func(ctx context.Context) (err error) {
		there, err = r.cfg.Peers.SchemaTimeAt(ctx, at)
		return err
	})
	if err != nil || s == nil {
		return there, err
	}
	return s.SchemaTimeAt(ctx, at)
}

// either finds out who can answer at a time first: this replica, which is returned then, or the others, whose answer
// remote keeps. Remote is asked at once when this replica is not ready, and otherwise when it lets wait for itself.
func (r *Replica) either(ctx context.Context, at clock.Timestamp, remote func(context.Context) error) (*Storage, error) {
	s := r.current.Load()
	if r.cfg.Peers == nil {
		if s == nil {
			return nil, errNotReady()
		}
		return s, nil
	}
	if s == nil {
		return nil, remote(ctx)
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	here := make(chan error, 1)
	go func() { here <- s.waitComplete(waiting, at) }()
	if r.ready.Load() {
		late := make(chan struct{})
		stop := r.cfg.Time.AfterFunc(r.cfg.HedgeAfter, func() { close(late) })
		select {
		case err := <-here:
			stop()
			if !r.moved(s, err) {
				return s, err
			}
			return nil, remote(ctx)
		case <-late:
		}
	}
	there := make(chan error, 1)
	go func() { there <- remote(waiting) }()
	select {
	case err := <-here:
		if err == nil {
			cancel()
			<-there
			return s, nil
		}
		if e := <-there; e == nil || r.moved(s, err) {
			return nil, e
		}
		return nil, err
	case err := <-there:
		if err == nil {
			cancel()
			<-here
			return nil, nil
		}
		if e := <-here; e != nil {
			return nil, e
		}
		return s, nil
	}
}

// Alone is a replica as other nodes see it: it answers for itself and asks nobody.
type Alone struct{ r *Replica }

// Alone returns it.
func (r *Replica) Alone() Alone { return Alone{r} }

// Ready says whether it can answer.
func (a Alone) Ready() bool { return a.r.Ready() }

func (a Alone) storage() (*Storage, error) {
	if s := a.r.current.Load(); s != nil && a.r.ready.Load() {
		return s, nil
	}
	return nil, errNotReady()
}

// Get is Storage.Get.
func (a Alone) Get(ctx context.Context, at clock.Timestamp, ks []keys.Key, values [][]byte) error {
	s, err := a.storage()
	if err != nil {
		return err
	}
	return s.Get(ctx, at, ks, values)
}

// Scan is Storage.Scan.
func (a Alone) Scan(ctx context.Context, at clock.Timestamp, req txn.ScanRequest) (txn.Scan, error) {
	s, err := a.storage()
	if err != nil {
		return nil, err
	}
	return s.Scan(ctx, at, req)
}

// SchemaTimeAt is Storage.SchemaTimeAt.
func (a Alone) SchemaTimeAt(ctx context.Context, at clock.Timestamp) (clock.Timestamp, error) {
	s, err := a.storage()
	if err != nil {
		return 0, err
	}
	return s.SchemaTimeAt(ctx, at)
}

// Checksum is Storage.Checksum.
func (a Alone) Checksum(ctx context.Context, span keys.Span, at clock.Timestamp) (rows int64, sum uint64, err error) {
	s, err := a.storage()
	if err != nil {
		return 0, 0, err
	}
	return s.Checksum(ctx, span, at)
}

// Digests is Storage.Digests.
func (a Alone) Digests() map[txn.JournalID][]txn.Digest { return a.r.Digests() }

// ServeCopy is Storage.ServeCopy.
func (a Alone) ServeCopy(ctx context.Context, send func([]byte) error) error {
	s, err := a.storage()
	if err != nil {
		return err
	}
	return s.ServeCopy(ctx, send)
}

// Digests is Storage.Digests; it has nothing while the replica is being rebuilt.
func (r *Replica) Digests() map[txn.JournalID][]mvcc.Digest {
	if s := r.current.Load(); s != nil {
		return s.Digests()
	}
	return nil
}
