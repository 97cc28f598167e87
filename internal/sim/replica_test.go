package sim

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// replicas is a journal with several voters in one process; messages are encoded and pass through a goroutine a link.
type replicas struct {
	t     testing.TB
	logs  []*raftgroup.Log
	js    []*journal.Journal
	links []chan []byte
	wg    sync.WaitGroup
}

// wire is the transport of one node.
type wire struct {
	r    *replicas
	from int
}

func (w wire) Send(to uint64, batch []raftgroup.Envelope) {
	select {
	case w.r.links[w.from*len(w.r.logs)+int(to-1)] <- raftgroup.EncodeMessages(nil, batch):
	default: // full: lost
	}
}

func openReplicas(t testing.TB, n, journals int, fs func(i int) (host.FS, string), local bool) *replicas {
	r := &replicas{t: t, logs: make([]*raftgroup.Log, n)}
	var voters []uint64
	for i := range n {
		voters = append(voters, uint64(i+1))
	}
	for range n * n {
		r.links = append(r.links, make(chan []byte, 256))
	}
	for i := range n {
		f, dir := fs(i)
		log, err := raftgroup.OpenLog(f, dir, raftgroup.LogConfig{SegmentBytes: 16 << 20, Transport: wire{r, i}, Time: oshost.New(), Tick: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		r.logs[i] = log
		for k := range journals {
			j, err := journal.Open(log, f, dir, journal.Config{ID: txn.JournalID(k + 1), Node: uint64(i + 1), Voters: voters, LocalLearning: local, HeartbeatTicks: 2})
			if err != nil {
				t.Fatal(err)
			}
			r.js = append(r.js, j)
		}
		log.Start()
	}
	for from := range n {
		for to := range n {
			r.wg.Go(func() {
				for body := range r.links[from*n+to] {
					batch, err := raftgroup.DecodeMessages(body)
					if err != nil {
						t.Error(err)
					}
					r.logs[to].Step(uint64(from+1), batch)
				}
			})
		}
	}
	return r
}

func (r *replicas) close() {
	for _, l := range r.logs {
		if err := l.Close(); err != nil {
			r.t.Error(err)
		}
	}
	for _, c := range r.links {
		close(c)
	}
	r.wg.Wait()
}

// lead waits for a leader among the replicas of the first journal, and owns it.
func (r *replicas) lead() (*journal.Journal, *txn.Lease) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	found := make(chan *journal.Journal, len(r.js))
	var wg sync.WaitGroup
	for _, j := range r.js {
		if j.ID() == 1 {
			wg.Go(func() {
				if _, err := j.WaitLeader(ctx); err == nil {
					found <- j
					cancel()
				}
			})
		}
	}
	wg.Wait()
	if len(found) == 0 {
		r.t.Fatal("no leader")
	}
	j := <-found
	l := &txn.Lease{Gen: txn.Generation(j.Leadership().Term), Lo: max(j.Lease().Hi, 1)}
	l.Hi, l.Last = l.Lo+1<<50, l.Lo
	for _, rec := range []txn.Record{{Kind: txn.RecordOwn, Gen: l.Gen, Time: l.Lo}, {Kind: txn.RecordGrant, Gen: l.Gen, Time: l.Hi}} {
		done := make(fate, 1)
		if _, err := j.Append(rec.AppendTo(nil), done); err != nil {
			r.t.Fatal(err)
		}
		if f := <-done; f != txn.FateEffective {
			r.t.Fatalf("kind %d: fate %d", rec.Kind, f)
		}
	}
	return j, l
}

type fate chan txn.Fate

func (f fate) Appended(_ uint64, what txn.Fate) { f <- what }

// writer appends transactions one after the other.
func (r *replicas) write(j *journal.Journal, mu *sync.Mutex, l *txn.Lease, key string) txn.ID {
	rec := txn.Record{Kind: txn.RecordTx, Gen: l.Gen, Start: 1, Images: []txn.Image{{Key: keys.Key(key), Value: make([]byte, 100)}}}
	mu.Lock()
	l.Last++
	rec.Time = l.Last
	rec.ID = txn.MakeID(l.Last, uint64(l.Last))
	done := make(fate, 1)
	_, err := j.Append(rec.AppendTo(nil), done)
	mu.Unlock()
	if err != nil {
		r.t.Error(err)
		return rec.ID
	}
	if f := <-done; f != txn.FateEffective {
		r.t.Errorf("fate %d", f)
	}
	return rec.ID
}

// TestReplicas: three nodes in earnest, with goroutines and time; every replica learns of every transaction.
func TestReplicas(t *testing.T) {
	for _, local := range []bool{false, true} {
		r := openReplicas(t, 3, 2, func(int) (host.FS, string) { return memhost.New(), "j" }, local)
		j, l := r.lead()
		var mu sync.Mutex
		var wg sync.WaitGroup
		learned := make(chan txn.Outcome, 1000)
		for w := range 8 {
			wg.Go(func() {
				for i := range 10 {
					id := r.write(j, &mu, l, fmt.Sprint(w, i))
					for _, j := range r.js {
						if j.ID() == 1 {
							j.Learn(id, func(o txn.Outcome, _ clock.Timestamp) { learned <- o })
						}
					}
				}
			})
		}
		wg.Wait()
		for range 3 * 80 {
			if o := <-learned; o != txn.OutcomeCommitted {
				t.Errorf("outcome %d", o)
			}
		}
		s, err := j.Status()
		if err != nil || len(s.Members) != 3 || s.Leader != s.Node {
			t.Errorf("%+v %v", s, err)
		}
		r.close()
	}
}

// BenchmarkReplicas appends to a journal with one and with three voters, all on this machine's disk.
func BenchmarkReplicas(b *testing.B) {
	for _, kind := range []string{"1", "3", "3-local"} {
		for _, writers := range []int{1, 8, 32} {
			b.Run(fmt.Sprintf("voters=%s/writers=%d", kind, writers), func(b *testing.B) {
				n := 3
				if kind == "1" {
					n = 1
				}
				dir := b.TempDir()
				fs := oshost.New().FS()
				r := openReplicas(b, n, 1, func(i int) (host.FS, string) { return fs, filepath.Join(dir, fmt.Sprint(i)) }, kind == "3-local")
				defer r.close()
				j, l := r.lead()
				var mu sync.Mutex
				var wg sync.WaitGroup
				took := make([][]time.Duration, writers)
				var before, after unix.Rusage
				_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
				b.ReportAllocs()
				b.ResetTimer()
				for w := range writers {
					wg.Go(func() {
						for i := w; i < b.N; i += writers {
							from := time.Now()
							r.write(j, &mu, l, "key")
							took[w] = append(took[w], time.Since(from))
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
				all := slices.Sorted(slices.Values(slices.Concat(took...)))
				cpu := func(r *unix.Rusage) float64 { return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e3 }
				b.ReportMetric((cpu(&after)-cpu(&before))/float64(b.N), "cpu-µs/op")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
				b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
				runtime.KeepAlive(r)
			})
		}
	}
}

// BenchmarkIdleReplicas measures what an idle cluster costs: three nodes, three journals, one second an operation.
func BenchmarkIdleReplicas(b *testing.B) {
	r := openReplicas(b, 3, 3, func(int) (host.FS, string) { return memhost.New(), "j" }, false)
	defer r.close()
	r.lead()
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	b.ResetTimer()
	ended := make(chan struct{}, 1)
	for range b.N {
		time.AfterFunc(time.Second, func() { ended <- struct{}{} })
		<-ended
	}
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	cpu := func(r *unix.Rusage) float64 { return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9 }
	b.ReportMetric(100*(cpu(&after)-cpu(&before))/b.Elapsed().Seconds()/3, "%-of-a-core/node")
}
