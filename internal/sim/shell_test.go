package sim

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// manualTime moves only when told, or when somebody sleeps.
type manualTime struct {
	mu     sync.Mutex
	mono   time.Duration
	timers map[int]timer
	next   int
}

type timer struct {
	at time.Duration
	f  func()
}

func newManualTime() *manualTime { return &manualTime{timers: map[int]timer{}} }

func (m *manualTime) Now() time.Time { return time.Unix(1_800_000_000, 0).Add(m.Monotonic()) }

func (m *manualTime) Monotonic() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mono
}

func (m *manualTime) Sleep(_ context.Context, d time.Duration) error {
	m.advance(d)
	return nil
}

func (m *manualTime) AfterFunc(d time.Duration, f func()) func() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	n := m.next
	m.timers[n] = timer{m.mono + d, f}
	return func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		_, ok := m.timers[n]
		delete(m.timers, n)
		return ok
	}
}

// advance moves time and runs the timers that are due, one after the other.
func (m *manualTime) advance(d time.Duration) {
	m.mu.Lock()
	to := m.mono + d
	for {
		due := 0
		for n, t := range m.timers {
			if t.at <= to && (due == 0 || t.at < m.timers[due].at) {
				due = n
			}
		}
		if due == 0 {
			break
		}
		t := m.timers[due]
		delete(m.timers, due)
		m.mono = max(m.mono, t.at)
		m.mu.Unlock()
		t.f()
		m.mu.Lock()
	}
	m.mono = max(m.mono, to)
	m.mu.Unlock()
}

// timedSite is a site on manual time.
func timedSite(t *testing.T, fs host.FS, tm *manualTime) *site {
	t.Helper()
	s := &site{t: t, clock: clock.New(tm, 0)}
	var err error
	if s.log, err = raftgroup.OpenLog(fs, "j", raftgroup.LogConfig{SegmentBytes: 8 << 20}); err != nil {
		t.Fatal(err)
	}
	if s.journal, err = journal.Open(s.log, fs, "j", journal.Config{ID: 1}); err != nil {
		t.Fatal(err)
	}
	s.log.Start()
	s.adj = adjudicator.New(adjudicator.Config{Journal: 1}, s.clock, tm, s.journal)
	if err := s.adj.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestIdleWritesNothing: the lease is renewed while it is used, then lapses; the next reader renews it with one append.
func TestIdleWritesNothing(t *testing.T) {
	fs, tm := memhost.New(), newManualTime()
	s := timedSite(t, fs, tm)
	defer s.close()
	settle := func() { // waits until everything appended so far is durable, by appending something
		if _, _, err := s.adj.Resolve(context.Background(), s.id(), 0); err != nil {
			t.Fatal(err)
		}
	}
	for range 40 {
		tm.advance(100 * time.Millisecond)
		settle()
		if _, ok := s.adj.Promise(s.now()); !ok {
			t.Fatal("the lease lapsed in use")
		}
	}
	tm.advance(10 * time.Second)
	settle()
	syncs := fs.Stats().Syncs
	tm.advance(time.Hour)
	if n := fs.Stats().Syncs; n != syncs {
		t.Fatalf("%d syncs in an idle hour", n-syncs)
	}
	if _, ok := s.adj.Promise(s.now()); ok {
		t.Fatal("I3: promised outside the interval")
	}
	if w, err := s.adj.PromiseWait(context.Background(), s.now()); err != nil || w.Time != s.now() {
		t.Fatal(w, err)
	}
	if n := fs.Stats().Syncs; n > syncs+2 {
		t.Fatalf("%d syncs to renew", n-syncs)
	}
	if _, err := s.adj.PromiseWait(context.Background(), s.now().Add(time.Minute)); failure.CodeOf(err) != failure.CannotConnectNow {
		t.Fatalf("followed a clock a minute ahead: %v", err)
	}
	if r := s.commit(s.now(), "a"); r.Reason != txn.ReasonNone {
		t.Fatalf("%+v", r)
	}
}

// TestRestartWaitsForNothing: after a crash the lease of the dead owner reaches ahead of the clock; a wall clock that was
// set back is even further behind. Neither makes anybody wait, and no time is used twice (I3).
func TestRestartWaitsForNothing(t *testing.T) {
	fs := memhost.New()
	var last clock.Timestamp
	for range 3 {
		tm := newManualTime() // starts at the same wall time each time
		s := timedSite(t, fs, tm)
		if tm.Monotonic() > time.Millisecond {
			t.Fatalf("waited %s", tm.Monotonic())
		}
		start := s.now()
		r := s.commit(start, "a")
		if r.Reason != txn.ReasonNone || r.Time <= last {
			t.Fatalf("%+v after %s", r, last)
		}
		if w, err := s.adj.PromiseWait(context.Background(), s.now()); err != nil || w.Time < last {
			t.Fatal(w, err)
		}
		last = s.journal.Lease().Hi
		fs = fs.Crash(nil)
		_ = s.log.Close()
	}
}

func TestResolve(t *testing.T) {
	s := timedSite(t, memhost.New(), newManualTime())
	defer s.close()
	ctx := context.Background()
	req := s.request(s.now(), "a")
	first, err := s.adj.Commit(ctx, req)
	if err != nil || first.Reason != txn.ReasonNone {
		t.Fatal(first, err)
	}
	// The same request again, as after a lost reply, gets the same answer (I8).
	if again, err := s.adj.Commit(ctx, req); err != nil || again != first {
		t.Fatal(again, err)
	}
	if o, c, err := s.adj.Resolve(ctx, req.ID, 0); err != nil || o != txn.OutcomeCommitted || c != first.Time {
		t.Fatal(o, c, err)
	}
	late := s.request(s.now(), "b")
	if o, _, err := s.adj.Resolve(ctx, late.ID, 0); err != nil || o != txn.OutcomeAborted {
		t.Fatal(o, err)
	}
	if r, err := s.adj.Commit(ctx, late); err != nil || r.Reason == txn.ReasonNone {
		t.Fatalf("I8: committed after its tombstone: %+v %v", r, err)
	}
	if o, _, err := s.adj.Resolve(ctx, late.ID, 0); err != nil || o != txn.OutcomeAborted {
		t.Fatal(o, err)
	}
}

func TestBulk(t *testing.T) {
	s := timedSite(t, memhost.New(), newManualTime())
	defer s.close()
	ctx := context.Background()
	req := s.request(s.now(), "a")
	big := make([]byte, txn.BulkSize)
	for i := range uint32(5) {
		if err := s.adj.Bulk(ctx, req.ID, i, []txn.Image{{Key: keys.Key{byte(i)}, Value: big}}); err != nil {
			t.Fatal(err)
		}
	}
	req.Record.Chunks = 5
	res, err := s.adj.Commit(ctx, req)
	if err != nil || res.Reason != txn.ReasonNone {
		t.Fatal(res, err)
	}
	chunks := uint32(0)
	for from := uint64(1); from <= s.journal.Committed(); {
		entries, next, err := s.journal.Read(from, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			switch e.Record.Kind() {
			case txn.RecordBulk:
				if e.Record.ID() != req.ID || e.Record.Chunks() != chunks || len(e.Record.Image(0).Value) != len(big) {
					t.Fatal("chunk")
				}
				chunks++
			case txn.RecordTx:
				if e.Record.Chunks() != chunks {
					t.Fatalf("%d of %d chunks before the Tx", chunks, e.Record.Chunks())
				}
			}
		}
		from = next
	}
	too := s.request(s.now(), "b")
	too.Record.Images[0].Value = make([]byte, txn.RecordMax)
	if _, err := s.adj.Commit(ctx, too); failure.CodeOf(err) != failure.ProgramLimitExceeded {
		t.Fatal(err)
	}
}

// TestDiskFailure: the reply of a commit whose sync failed is that nobody knows; later ones are told why they cannot.
func TestDiskFailure(t *testing.T) {
	fs := memhost.New()
	s := timedSite(t, fs, newManualTime())
	fs.SetFaults(memhost.Faults{SyncErr: errors.New("input/output error")})
	_, err := s.adj.Commit(context.Background(), s.request(s.now(), "a"))
	if !failure.OutcomeUnknown(err) {
		t.Fatal(err)
	}
	_, err = s.adj.Commit(context.Background(), s.request(s.now(), "b"))
	if failure.CodeOf(err) != failure.IOError {
		t.Fatal(err)
	}
	if _, err := s.adj.PromiseWait(context.Background(), s.now().Add(900*time.Millisecond)); err == nil {
		t.Log("the lease held that far")
	}
	_ = s.adj.Close(context.Background())
	_ = s.log.Close()
}

// TestOlderWaits: an older transaction waits for a younger one's promise, and goes on when that is settled.
func TestOlderWaits(t *testing.T) {
	s := openSite(t, memhost.New(), "j", raftgroup.LogConfig{SegmentBytes: 1 << 20}, adjudicator.Config{Promise: time.Minute, Grant: 5 * time.Minute})
	defer s.close()
	ctx := context.Background()
	older := s.request(s.now(), "a")
	start := s.now()
	younger := s.request(start, "a")
	v, err := s.adj.Prepare(ctx, &adjudicator.PrepareRequest{ID: younger.ID, Start: start, Leader: 2, Conflicts: younger.Conflicts})
	if err != nil || !v.Yes {
		t.Fatal(v, err)
	}
	done := make(chan adjudicator.Result)
	go func() {
		r, err := s.adj.Commit(ctx, older)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	s.adj.GoAbort(younger.ID, 0)
	if r := <-done; r.Reason != txn.ReasonNone {
		t.Fatalf("%+v", r)
	}
	cancelled, cancel := context.WithCancel(ctx)
	v, err = s.adj.Prepare(ctx, &adjudicator.PrepareRequest{ID: s.id(), Start: s.now(), Leader: 2, Conflicts: s.request(0, "b").Conflicts})
	if err != nil || !v.Yes {
		t.Fatal(v, err)
	}
	cancel()
	if _, err := s.adj.Commit(cancelled, s.request(start, "b")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// TestStopReleasesAll: an adjudicator that is stopped, because its journal leads elsewhere, leaves nobody waiting, and says
// that another may be asked.
func TestStopReleasesAll(t *testing.T) {
	s := openSite(t, memhost.New(), "j", raftgroup.LogConfig{SegmentBytes: 1 << 20}, adjudicator.Config{Promise: time.Minute, Grant: 5 * time.Minute})
	defer s.close()
	ctx := context.Background()
	older := s.request(s.now(), "a")
	younger := s.request(s.now(), "a")
	v, err := s.adj.Prepare(ctx, &adjudicator.PrepareRequest{ID: younger.ID, Start: younger.Start, Leader: 2, Conflicts: younger.Conflicts})
	if err != nil || !v.Yes {
		t.Fatal(v, err)
	}
	parked := make(chan error)
	go func() {
		_, err := s.adj.Commit(ctx, older)
		parked <- err
	}()
	s.adj.Stop()
	if err := <-parked; !adjudicator.NotOwner(err) {
		t.Fatal(err)
	}
	if _, err := s.adj.Commit(ctx, s.request(s.now(), "b")); !adjudicator.NotOwner(err) {
		t.Fatal(err)
	}
	if _, ok := s.adj.Ahead(); ok {
		t.Fatal("I4: a watermark after the end")
	}
	if _, err := s.adj.PromiseWait(ctx, s.now()); !adjudicator.NotOwner(err) {
		t.Fatal(err)
	}
}
