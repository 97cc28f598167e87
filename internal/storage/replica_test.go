package storage

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// shared is a journal that several storages follow, each by itself; what is below trimmed cannot be read.
type shared struct {
	mu      sync.Mutex
	entries []txn.Entry
	trimmed uint64
	moved   chan struct{}
}

func newShared() *shared { return &shared{moved: make(chan struct{})} }

func (l *shared) append(at clock.Timestamp, images ...txn.Image) {
	r := txn.Record{Kind: txn.RecordTx, Time: at, ID: txn.MakeID(at, 1), Start: at - 1, Images: images}
	v, _, err := txn.ParseRecord(r.AppendTo(nil))
	if err != nil {
		panic(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, txn.Entry{Index: uint64(len(l.entries) + 1), Record: v})
	close(l.moved)
	l.moved = make(chan struct{})
}

func (l *shared) trim(to uint64) {
	l.mu.Lock()
	l.trimmed = to
	l.mu.Unlock()
}

func (l *shared) Journals() []txn.JournalID { return []txn.JournalID{1} }

func (l *shared) Look(_ txn.JournalID, at clock.Timestamp) (txn.Watermark, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return txn.Watermark{Journal: 1, Index: uint64(len(l.entries)), Time: at}, true
}

func (l *shared) Promise(_ context.Context, j txn.JournalID, at clock.Timestamp) (txn.Watermark, error) {
	w, _ := l.Look(j, at)
	return w, nil
}

func (l *shared) Subscribe(from map[txn.JournalID]uint64, deliver func(txn.JournalID, []txn.Entry, uint64) error, cut func(txn.JournalID, error)) func() {
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		next := max(from[1], 1)
		for {
			l.mu.Lock()
			moved, gone := l.moved, next <= l.trimmed
			var batch []txn.Entry
			if !gone {
				batch = l.entries[next-1:]
			}
			l.mu.Unlock()
			if gone {
				cut(1, failure.New(failure.SnapshotTooOld, "record %d was trimmed", next))
				return
			}
			if len(batch) > 0 {
				next += uint64(len(batch))
				if err := deliver(1, batch, next); err != nil {
					cut(1, err)
					return
				}
				continue
			}
			select {
			case <-moved:
			case <-stop:
				return
			}
		}
	})
	return func() {
		close(stop)
		running.Wait()
	}
}

// peers is one other storage in this process, whose streams can be cut.
type peers struct {
	*Storage
	cutAfter atomic.Int64 // items; 0 is never
	copies   atomic.Int64
}

type piped struct {
	items chan []byte
	err   error
	stop  context.CancelFunc
}

func (p *piped) Recv(context.Context) ([]byte, error) {
	item, ok := <-p.items
	if !ok {
		if p.err != nil {
			return nil, p.err
		}
		return nil, io.EOF
	}
	return item, nil
}

func (p *piped) Close() {
	p.stop()
	for range p.items {
	}
}

func (p *peers) Copy(ctx context.Context) (Copy, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &piped{items: make(chan []byte), stop: cancel}
	p.copies.Add(1)
	cut := p.cutAfter.Swap(0)
	go func() {
		defer close(c.items)
		n := int64(0)
		c.err = p.ServeCopy(ctx, func(b []byte) error {
			if n++; cut > 0 && n > cut {
				return errors.New("the wire was cut")
			}
			select {
			case c.items <- append([]byte(nil), b...):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	return c, nil
}

func replicaConfig(fs host.FS, feed Feed, clk clock.Clock) Config {
	return Config{Store: mvcc.Config{FS: fs, Dir: "data/storage", CacheBytes: 1 << 20, HotBytes: 1 << 20, MemTableBytes: 1 << 20}, Feed: feed,
		Clock: clk, Time: oshost.New()}
}

// fixedClock is always at the same time.
type fixedClock clock.Timestamp

func (c fixedClock) Now() (clock.Interval, bool) {
	return clock.Interval{Earliest: clock.Timestamp(c), Latest: clock.Timestamp(c)}, true
}
func (fixedClock) WaitPast(clock.Timestamp, <-chan struct{}) bool { return true }

const present = clock.Timestamp(1 << 40)

// world is a storage that has everything, and a journal that has been trimmed.
func world(t *testing.T) (*shared, *peers) {
	l := newShared()
	for i := range 400 {
		l.append(clock.Timestamp(1<<30+i*10), txn.Image{Key: testKey(strconv.Itoa(i % 150)), Value: make([]byte, 2000+i)})
	}
	s, err := Open(replicaConfig(memhost.New(), l, fixedClock(present)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.waitComplete(context.Background(), present); err != nil {
		t.Fatal(err)
	}
	l.trim(300)
	return l, &peers{Storage: s}
}

func settle(t *testing.T, done func() bool) {
	t.Helper()
	h := oshost.New()
	for range 10000 {
		if done() {
			return
		}
		_ = h.Sleep(context.Background(), 2e6)
	}
	t.Fatal("it did not happen")
}

func sameContent(t *testing.T, a, b *Storage) {
	t.Helper()
	rows, sum, err := a.Checksum(context.Background(), keys.Span{}, present)
	if err != nil {
		t.Fatal(err)
	}
	rows2, sum2, err := b.Checksum(context.Background(), keys.Span{}, present)
	if err != nil || rows != rows2 || sum != sum2 {
		t.Fatalf("I10: %d rows %x, %d rows %x, %v", rows, sum, rows2, sum2, err)
	}
}

// TestRebuildCut: a copy that breaks off is thrown away and made again; reads go to the peer meanwhile.
func TestRebuildCut(t *testing.T) {
	l, p := world(t)
	for _, cut := range []int64{1, 2, 5, 9} {
		p.cutAfter.Store(cut)
		fs := memhost.New()
		r, err := OpenReplica(ReplicaConfig{Config: replicaConfig(fs, l, fixedClock(present)), Peers: p})
		if err != nil {
			t.Fatal(err)
		}
		v := make([][]byte, 1)
		if err := r.Get(context.Background(), present, []keys.Key{testKey("7")}, v); err != nil || len(v[0]) == 0 {
			t.Fatal(len(v[0]), err)
		}
		settle(t, r.Ready)
		sameContent(t, p.Storage, r.Current())
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRebuildCrash: wherever a rebuild crashes, the next start finds the old folder or the whole new one, and ends up with
// everything.
func TestRebuildCrash(t *testing.T) {
	l, p := world(t)
	random := rand.New(rand.NewPCG(1, 2))
	for at := 1; at < 160; at += 1 + random.IntN(12) {
		fs := memhost.New()
		fs.CrashAt(at, random)
		cfg := replicaConfig(fs, l, fixedClock(present))
		broken := make(chan struct{}, 1)
		cfg.Fatal = func(error) { leave(broken) }
		r, err := OpenReplica(ReplicaConfig{Config: cfg, Peers: p, Note: func(_ string, err error) {
			if err != nil {
				leave(broken)
			}
		}})
		if err == nil {
			settle(t, func() bool {
				select {
				case <-broken:
					return true
				default:
					return r.Ready()
				}
			})
			_ = r.Close()
		}
		fs = fs.Crash(random)
		r, err = OpenReplica(ReplicaConfig{Config: replicaConfig(fs, l, fixedClock(present)), Peers: p})
		if err != nil {
			t.Fatalf("crash at %d: %v", at, err)
		}
		settle(t, r.Ready)
		sameContent(t, p.Storage, r.Current())
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		names, err := fs.List("data")
		if err != nil || len(names) > 2 {
			t.Fatalf("crash at %d leaves %v, %v", at, names, err)
		}
	}
}

// TestDropFact: a span that a record drops is gone once the horizon has passed the record, on every replica, and the fact
// itself is no row.
func TestDropFact(t *testing.T) {
	l := newShared()
	l.append(100, txn.Image{Key: testKey("a"), Value: []byte("1")}, txn.Image{Key: testKey("b"), Value: []byte("2")})
	l.append(200, txn.Image{Key: keys.DropKey(keys.Span{Start: testKey("a"), End: testKey("b")}), Value: testKey("b")})
	s, err := Open(replicaConfig(memhost.New(), l, fixedClock(present)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	count := func() int64 {
		n, _, err := s.Checksum(context.Background(), keys.Span{}, present)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 2 {
		t.Fatalf("%d rows", n)
	}
	for _, step := range []struct {
		horizon clock.Timestamp
		rows    int64
	}{{150, 2}, {200, 1}} {
		if _, err := s.store.Collect(step.horizon, 1000); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != step.rows {
			t.Fatalf("%d rows at horizon %d, want %d", n, step.horizon, step.rows)
		}
	}
}
