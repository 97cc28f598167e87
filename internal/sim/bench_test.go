package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// slowSync is a file system in memory whose syncs take as long as those of a disk, without using the processor.
type slowSync struct {
	host.FS
	delay time.Duration
}

type slowFile struct {
	host.File
	delay time.Duration
}

func (f slowFile) SyncData() error {
	ts := unix.NsecToTimespec(int64(f.delay))
	for unix.Nanosleep(&ts, &ts) == unix.EINTR {
		continue
	}
	return nil
}

func (s slowSync) OpenReadWrite(path string) (host.File, error) {
	f, err := s.FS.OpenReadWrite(path)
	return slowFile{f, s.delay}, err
}

// BenchmarkCommit measures one-participant commits of two rows. cpu-µs/op is processor time of the whole process, which
// with the slow memory disk excludes the syncs.
func BenchmarkCommit(b *testing.B) {
	for _, disk := range []string{"memory-150µs", "disk"} {
		for _, writers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/%d", disk, writers), func(b *testing.B) {
				dir := b.TempDir()
				var fs host.FS = oshost.New().FS()
				if disk != "disk" {
					shm, err := os.MkdirTemp("/dev/shm", "meridian")
					if err != nil {
						b.Skip(err)
					}
					defer os.RemoveAll(shm)
					dir, fs = shm, slowSync{fs, 100 * time.Microsecond}
				}
				benchCommit(b, fs, filepath.Join(dir, "j"), writers)
			})
		}
	}
}

func benchCommit(b *testing.B, fs host.FS, dir string, writers int) {
	s := openSite(b, fs, dir, raftgroup.LogConfig{}, adjudicator.Config{})
	defer s.close()
	b.ReportAllocs()
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			value := make([]byte, 100)
			ks := [2]keys.Key{}
			images := make([]txn.Image, 2)
			hashes := make([]keys.Hash, 2)
			for n := uint64(w) << 40; left.Add(-1) >= 0; n++ {
				req := adjudicator.CommitRequest{ID: txn.MakeID(s.now(), n), Start: s.now()}
				for i := range ks {
					ks[i] = fmt.Appendf(ks[i][:0], "key-%d-%d-%d", w, n, i)
					hashes[i] = keys.ConflictHash(1, ks[i], keys.PartRow)
					images[i] = txn.Image{Key: ks[i], Value: value}
				}
				req.Conflicts.Exclusive = hashes
				rec := txn.Record{Kind: txn.RecordTx, ID: req.ID, Start: req.Start, Conflicts: req.Conflicts, Images: images}
				req.Record = &rec
				if r, err := s.adj.Commit(context.Background(), &req); err != nil || r.Reason != txn.ReasonNone {
					b.Errorf("%+v %v", r, err)
				}
			}
		}()
	}
	wg.Wait()
	b.StopTimer()
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	cpu := func(r *unix.Rusage) float64 { return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e3 }
	b.ReportMetric((cpu(&after)-cpu(&before))/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	runtime.KeepAlive(s)
}

// BenchmarkPromise measures the nudge of a reader.
func BenchmarkPromise(b *testing.B) {
	s := openSite(b, memhost.New(), "j", raftgroup.LogConfig{SegmentBytes: 1 << 20}, adjudicator.Config{})
	defer s.close()
	b.ReportAllocs()
	for range b.N {
		if _, ok := s.adj.Promise(s.now()); !ok {
			if _, err := s.adj.PromiseWait(context.Background(), s.now()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
