package sim

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// site is a journal with its adjudicator.
type site struct {
	t       testing.TB
	log     *raftgroup.Log
	journal *journal.Journal
	adj     *adjudicator.Adjudicator
	clock   *clock.Local
	unique  uint64
	mu      sync.Mutex
}

func openSite(t testing.TB, fs host.FS, dir string, logCfg raftgroup.LogConfig, cfg adjudicator.Config) *site {
	t.Helper()
	machine := oshost.New()
	s := &site{t: t, clock: clock.New(machine, 0)}
	var err error
	if s.log, err = raftgroup.OpenLog(fs, dir, logCfg); err != nil {
		t.Fatal(err)
	}
	if s.journal, err = journal.Open(s.log, fs, dir, journal.Config{ID: 1}); err != nil {
		t.Fatal(err)
	}
	s.log.Start()
	cfg.Journal = 1
	s.adj = adjudicator.New(cfg, s.clock, machine, s.journal)
	if err := s.adj.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) close() {
	s.t.Helper()
	if err := s.adj.Close(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	if err := s.log.Close(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) now() clock.Timestamp {
	i, _ := s.clock.Now()
	return i.Latest
}

func (s *site) id() txn.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unique++
	return txn.MakeID(s.now(), s.unique)
}

// request writes keys at a snapshot.
func (s *site) request(start clock.Timestamp, ks ...string) *adjudicator.CommitRequest {
	req := &adjudicator.CommitRequest{ID: s.id(), Start: start}
	rec := &txn.Record{Kind: txn.RecordTx, ID: req.ID, Start: start}
	for _, k := range ks {
		key := keys.Key(k)
		req.Conflicts.Exclusive = append(req.Conflicts.Exclusive, keys.ConflictHash(0, key, keys.PartRow))
		rec.Images = append(rec.Images, txn.Image{Key: key, Value: []byte("v-" + k)})
	}
	rec.Conflicts = req.Conflicts
	req.Record = rec
	return req
}

func (s *site) commit(start clock.Timestamp, ks ...string) adjudicator.Result {
	s.t.Helper()
	res, err := s.adj.Commit(context.Background(), s.request(start, ks...))
	if err != nil {
		s.t.Fatal(err)
	}
	return res
}

func TestCommitAndConflict(t *testing.T) {
	s := openSite(t, memhost.New(), "j", raftgroup.LogConfig{SegmentBytes: 1 << 20}, adjudicator.Config{})
	defer s.close()
	start := s.now()
	first := s.commit(start, "a", "b")
	if first.Reason != txn.ReasonNone || first.Time <= start {
		t.Fatalf("%+v", first)
	}
	if r := s.commit(start, "b"); r.Reason != txn.ReasonConflict || r.Conflicting != first.Time {
		t.Fatalf("I6: %+v", r)
	}
	if r := s.commit(s.now(), "b"); r.Reason != txn.ReasonNone || r.Time <= first.Time {
		t.Fatalf("%+v", r)
	}
	now := s.now()
	w, err := s.adj.PromiseWait(context.Background(), now)
	if err != nil || w.Time != now {
		t.Fatalf("%+v %v", w, err)
	}
	if r := s.commit(start, "c"); r.Time <= w.Time {
		t.Fatalf("I4: %+v after watermark %+v", r, w)
	}
	entries, next, err := s.journal.Read(1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	txs := 0
	for _, e := range entries {
		if e.Record.Kind() == txn.RecordTx {
			txs++
		}
	}
	if next <= w.Index {
		t.Fatalf("read up to %d, watermark at %d of %+v", next, w.Index, entries)
	}
}

func TestRestartOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	var last clock.Timestamp
	for round := range 3 {
		s := openSite(t, oshost.New().FS(), dir, raftgroup.LogConfig{SegmentBytes: 4 << 20}, adjudicator.Config{})
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range 50 {
					r, err := s.adj.Commit(context.Background(), s.request(s.now(), fmt.Sprintf("%d-%d", w, i)))
					if err != nil || r.Reason != txn.ReasonNone {
						t.Errorf("%+v %v", r, err)
					}
				}
			}()
		}
		wg.Wait()
		seen := 0
		var prev clock.Timestamp
		for from := uint64(1); from <= s.journal.Committed(); {
			entries, next, err := s.journal.Read(from, 1<<10)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Record.Kind() == txn.RecordTx {
					seen++
					if e.Record.Time() <= prev {
						t.Fatalf("I2: %s after %s", e.Record.Time(), prev)
					}
					prev = e.Record.Time()
				}
			}
			from = next
		}
		if want := 400 * (round + 1); seen != want {
			t.Fatalf("%d transactions, want %d", seen, want)
		}
		if l := s.journal.Lease(); l.Lo < last {
			t.Fatalf("I3: %+v after %s", l, last)
		}
		last = s.journal.Lease().Last
		s.close()
	}
}
