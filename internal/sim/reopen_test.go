package sim

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// BenchmarkReopen measures how long it takes to verify and apply a log of 160 MB that nobody has trimmed.
func BenchmarkReopen(b *testing.B) {
	dir, err := os.MkdirTemp("/dev/shm", "meridian")
	if err != nil {
		b.Skip(err)
	}
	defer os.RemoveAll(dir)
	fs := slowSync{oshost.New().FS(), time.Microsecond}
	s := openSite(b, fs, filepath.Join(dir, "j"), raftgroup.LogConfig{}, adjudicator.Config{})
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			value := make([]byte, 400)
			for n := range 5000 {
				key := keys.Key{byte(w), byte(n >> 8), byte(n)}
				req := adjudicator.CommitRequest{ID: s.id(), Start: s.now()}
				req.Conflicts.Exclusive = []keys.Hash{keys.ConflictHash(1, key, keys.PartRow)}
				req.Record = &txn.Record{Kind: txn.RecordTx, ID: req.ID, Start: req.Start, Conflicts: req.Conflicts,
					Images: []txn.Image{{Key: key, Value: value}}}
				if r, err := s.adj.Commit(context.Background(), &req); err != nil || r.Reason != txn.ReasonNone {
					b.Errorf("%+v %v", r, err)
				}
			}
		})
	}
	wg.Wait()
	s.close()
	b.ResetTimer()
	for range b.N {
		s = openSite(b, fs, filepath.Join(dir, "j"), raftgroup.LogConfig{}, adjudicator.Config{})
		b.StopTimer()
		s.close()
		b.StartTimer()
	}
}
