package txntest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

func openStack(t testing.TB, cfg StackConfig) *Stack {
	t.Helper()
	if cfg.FS == nil {
		cfg.FS = memhost.New()
	}
	s, err := OpenStack(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStack(t testing.TB, s *Stack) {
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestStackConformance(t *testing.T) {
	for _, ranges := range []int{1, 3} {
		t.Run(fmt.Sprint(ranges), func(t *testing.T) {
			Conformance(t, func(t *testing.T) txn.DB {
				s := openStack(t, StackConfig{Ranges: ranges})
				t.Cleanup(func() { closeStack(t, s) })
				return s
			})
		})
	}
}

// TestTransfers: money moves between accounts under contention; every snapshot sees the same sum (I5, I6).
func TestTransfers(t *testing.T) {
	const accounts, workers, each = 20, 8, 60
	s := openStack(t, StackConfig{Ranges: 3})
	defer closeStack(t, s)
	w := &world{T: t, ctx: t.Context(), db: s}
	name := func(i int) string { return fmt.Sprintf("acc%02d", i) }
	for i := range accounts {
		w.load(put(name(i), "100"))
	}
	sum := func() int {
		x := s.Begin(txn.Options{})
		total, n := 0, 0
		c, err := x.Scan(t.Context(), txn.ScanRequest{Span: span("acc", "acd")})
		if err != nil {
			t.Error(err)
			return 0
		}
		defer c.Close()
		for {
			kvs, err := c.Next(t.Context())
			if err != nil || len(kvs) == 0 {
				break
			}
			for _, kv := range kvs {
				var v int
				_, _ = fmt.Sscan(string(kv.Value), &v)
				total += v
				n++
			}
		}
		if n != accounts {
			t.Errorf("%d accounts", n)
		}
		return total
	}
	var conflicts atomic.Int64
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			for i := 0; i < each; {
				err := transfer(t.Context(), s, name((worker+i)%accounts), name((worker*7+i*3+1)%accounts))
				switch {
				case err == nil:
					i++
				case failure.Retryable(err):
					conflicts.Add(1)
				default:
					t.Error(err)
					return
				}
				if i%10 == 0 {
					if got := sum(); got != accounts*100 {
						t.Errorf("sum is %d", got)
					}
				}
			}
		})
	}
	running.Wait()
	if got := sum(); got != accounts*100 {
		t.Errorf("sum is %d", got)
	}
	t.Logf("%d transfers, %d conflicts", workers*each, conflicts.Load())
}

func transfer(ctx context.Context, db txn.DB, from, to string) error {
	if from == to {
		return nil
	}
	x := db.Begin(txn.Options{})
	defer x.Rollback()
	v := make([][]byte, 2)
	if err := x.Get(ctx, []keys.Key{key(from), key(to)}, v); err != nil {
		return err
	}
	var a, b int
	_, _ = fmt.Sscan(string(v[0]), &a)
	_, _ = fmt.Sscan(string(v[1]), &b)
	if err := x.Write(ctx, put(from, fmt.Sprint(a-1)), put(to, fmt.Sprint(b+1))); err != nil {
		return err
	}
	_, err := x.Commit(ctx)
	return err
}

// TestRestart: what was committed is there after a clean restart, large transactions included.
func TestRestart(t *testing.T) {
	fs := memhost.New()
	for round := range 4 {
		s := openStack(t, StackConfig{FS: fs, Ranges: 2})
		w := &world{T: t, ctx: t.Context(), db: s}
		for r := range round {
			w.want(s.Begin(txn.Options{}), fmt.Sprint("round", r), fmt.Sprint(r))
			w.want(s.Begin(txn.Options{}), fmt.Sprint("big", r, ".", 2999), string(make([]byte, 1000)))
		}
		w.load(put(fmt.Sprint("round", round), fmt.Sprint(round)))
		x := s.Begin(txn.Options{})
		for i := range 3000 {
			w.write(x, put(fmt.Sprint("big", round, ".", i), string(make([]byte, 1000))))
		}
		w.commit(x)
		if round == 1 {
			if err := s.Storage.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		closeStack(t, s)
	}
}

func benchStack(b *testing.B) (*Stack, *world) {
	s := openStack(b, StackConfig{})
	b.Cleanup(func() { closeStack(b, s) })
	return s, &world{ctx: b.Context(), db: s}
}

func BenchmarkStackGet(b *testing.B) {
	s, w := benchStack(b)
	x := s.Begin(txn.Options{})
	_ = x.Write(w.ctx, put("a", "1"))
	_, _ = x.Commit(w.ctx)
	ks, v := []keys.Key{key("a")}, make([][]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		x := s.Begin(txn.Options{})
		if err := x.Get(w.ctx, ks, v); err != nil || v[0] == nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStackUpdate(b *testing.B) {
	s, w := benchStack(b)
	ks, v := []keys.Key{key("a")}, make([][]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		x := s.Begin(txn.Options{})
		if err := x.Get(w.ctx, ks, v); err != nil {
			b.Fatal(err)
		}
		_ = x.Write(w.ctx, txn.Write{Key: ks[0], Value: []byte("value")})
		if _, err := x.Commit(w.ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCrash: power fails under load; what was acknowledged is there afterwards, and nothing is torn (I7).
func TestCrash(t *testing.T) {
	fs := memhost.New()
	rng := rand.New(rand.NewPCG(3, 9))
	acked := map[string]int{}
	for round := range 6 {
		s := openStack(t, StackConfig{FS: fs, Ranges: 2})
		w := &world{T: t, ctx: t.Context(), db: s}
		for k, v := range acked {
			if got := w.get(s.Begin(txn.Options{}), k); got != fmt.Sprint(v) && got != fmt.Sprint(v+1) {
				t.Fatalf("round %d: %s is %s, acknowledged was %d", round, k, got, v)
			}
			if a, b := w.get(s.Begin(txn.Options{}), k), w.get(s.Begin(txn.Options{}), k+"'"); a != b {
				t.Fatalf("round %d: torn transaction: %s and %s", round, a, b)
			}
		}
		var mu sync.Mutex
		var running sync.WaitGroup
		stop := make(chan struct{})
		for i := range 4 {
			k := fmt.Sprint("w", i)
			mu.Lock()
			first := acked[k]
			mu.Unlock()
			if got := w.get(s.Begin(txn.Options{}), k); got == fmt.Sprint(first+1) {
				first++ // committed, but the answer was lost
				mu.Lock()
				acked[k] = first
				mu.Unlock()
			}
			running.Go(func() {
				for n := first + 1; ; n++ {
					x := s.Begin(txn.Options{})
					_ = x.Write(context.Background(), put(k, fmt.Sprint(n)), put(k+"'", fmt.Sprint(n)))
					if _, err := x.Commit(context.Background()); err != nil {
						return
					}
					select {
					case <-stop:
						return
					default:
					}
					mu.Lock()
					acked[k] = n
					mu.Unlock()
				}
			})
		}
		for enough := false; !enough; {
			if rng.IntN(2) == 0 {
				_ = s.Storage.Flush()
			}
			mu.Lock()
			enough = acked["w0"] > 40*(round+1)
			mu.Unlock()
		}
		mu.Lock() // no acknowledgement between the power failure and the end of the counting
		fs = fs.Crash(rng)
		close(stop)
		mu.Unlock()
		s.Abandon()
		running.Wait()
	}
}

func BenchmarkStackUpdateParallel(b *testing.B) {
	s := openStack(b, StackConfig{Ranges: 2, SegmentBytes: 64 << 20})
	defer closeStack(b, s)
	b.SetParallelism(16)
	b.ReportAllocs()
	var worker atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		ctx := b.Context()
		ks, v := []keys.Key{key(fmt.Sprint(worker.Add(1)))}, make([][]byte, 1)
		for pb.Next() {
			x := s.Begin(txn.Options{})
			if err := x.Get(ctx, ks, v); err != nil {
				b.Error(err)
			}
			_ = x.Write(ctx, txn.Write{Key: ks[0], Value: []byte("value")})
			if _, err := x.Commit(ctx); err != nil {
				b.Error(err)
			}
		}
	})
}
