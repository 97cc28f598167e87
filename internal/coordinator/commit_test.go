package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// scripted is an adjudicator that answers what the test says and writes down what it was asked.
type scripted struct {
	mu       sync.Mutex
	name     string
	calls    []string
	commits  []any // Result or error, in turn; the last one stays
	votes    []any // txn.Vote or error
	resolved any   // clock.Timestamp (0: aborted) or error
	decided  func()
}

func (s *scripted) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

func take(script *[]any) any {
	next := (*script)[0]
	if len(*script) > 1 {
		*script = (*script)[1:]
	}
	return next
}

func (s *scripted) Commit(_ context.Context, r *CommitRequest) (Result, error) {
	s.note("commit attempt=%d exclusive=%d shared=%d schema=%d schema-writes=%d votes=%d images=%d chunks=%d participants=%v",
		r.Attempt, len(r.Conflicts.Exclusive), len(r.Conflicts.Shared), len(r.Conflicts.Schema), len(r.Conflicts.SchemaWrites),
		len(r.Votes), len(r.Record.Images), r.Record.Chunks, r.Record.Participants)
	if s.decided != nil {
		s.decided()
	}
	switch a := take(&s.commits).(type) {
	case Result:
		if r.Proposed != nil && a.Reason == txn.ReasonNone {
			r.Proposed(a.Time)
		}
		return a, nil
	default:
		return Result{}, a.(error)
	}
}

func (s *scripted) Prepare(_ context.Context, r *PrepareRequest) (txn.Vote, error) {
	s.note("prepare attempt=%d leader=%d exclusive=%d", r.Attempt, r.Leader, len(r.Conflicts.Exclusive))
	switch a := take(&s.votes).(type) {
	case txn.Vote:
		return a, nil
	default:
		return txn.Vote{}, a.(error)
	}
}

func (s *scripted) GoAhead(_ txn.ID, c clock.Timestamp) { s.note("go ahead at %d", uint64(c)) }
func (s *scripted) GoAbort(_ txn.ID, attempt uint32)    { s.note("go abort attempt=%d", attempt) }
func (s *scripted) Bulk(_ context.Context, _ txn.ID, chunk uint32, images []txn.Image) error {
	s.note("bulk chunk=%d images=%d", chunk, len(images))
	return nil
}
func (s *scripted) Resolve(_ context.Context, _ txn.ID, ub clock.Timestamp) (txn.Outcome, clock.Timestamp, error) {
	s.note("resolve bound=%d", uint64(ub))
	switch a := s.resolved.(type) {
	case clock.Timestamp:
		if a == 0 {
			return txn.OutcomeAborted, 0, nil
		}
		return txn.OutcomeCommitted, a, nil
	default:
		return 0, 0, a.(error)
	}
}

// world is a coordinator over scripted adjudicators, with nothing in storage.
type world struct {
	t    *testing.T
	adjs []*scripted
	db   *DB
	now  clock.Timestamp
	lost bool // the clock's error is not bounded: no time is known to have passed
}

func newWorld(t *testing.T, adjudicators int, change func(*Config)) *world {
	w := &world{t: t, now: 1000}
	for i := range adjudicators {
		w.adjs = append(w.adjs, &scripted{name: fmt.Sprint(i + 1), commits: []any{Result{Time: 5000}},
			votes: []any{txn.Vote{Yes: true, Lower: 4000, Upper: 9000}}})
	}
	cfg := Config{Clock: w, Time: wallClock{w}, Random: w, Snapshots: w, Ranges: w, BulkBytes: 100}
	if change != nil {
		change(&cfg)
	}
	w.db = New(cfg)
	return w
}

func (w *world) Now() (clock.Interval, bool) {
	w.now++
	return clock.Interval{Earliest: w.now, Latest: w.now}, true
}
func (w *world) WaitPast(t clock.Timestamp, done <-chan struct{}) bool {
	if w.lost {
		<-done
		return false
	}
	w.now = max(w.now, t)
	return true
}
func (w *world) Uint64() uint64                                   { return 4 }
func (w *world) Refresh(context.Context) error                    { return nil }
func (w *world) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
func (w *world) Monotonic() time.Duration                         { return 0 }
func (w *world) AfterFunc(time.Duration, func()) func() bool      { return nil }

// wallClock gives the world host.Time's Now, whose name the clock has taken.
type wallClock struct{ *world }

func (wallClock) Now() time.Time { return time.Time{} }

func (w *world) Ranges() []Range {
	var out []Range
	for i, a := range w.adjs {
		out = append(out, Range{Start: keys.Hash(uint64(i) * (1 << 63 / uint64(len(w.adjs)) * 2)), Journal: txn.JournalID(i + 1), Adjudicator: a})
	}
	return out
}

func (w *world) Get(_ context.Context, _ clock.Timestamp, _ []keys.Key, values [][]byte) error {
	clear(values)
	return nil
}
func (w *world) Scan(context.Context, clock.Timestamp, txn.ScanRequest) (txn.Scan, error) {
	return nil, errors.New("no scans")
}
func (w *world) SchemaTimeAt(context.Context, clock.Timestamp) (clock.Timestamp, error) {
	return 0, nil
}

// key returns a key whose row hash belongs to an adjudicator.
func (w *world) key(adj int, n int) keys.Key {
	for i := 0; ; i++ {
		k := append(keys.AppendPrefix(nil, 1, keys.PrimaryIndex), fmt.Sprint(i)...)
		s := splitter{db: w.db, ranges: w.Ranges()}
		if s.owner(w.db.hashOf(k, keys.PartRow)).journal == txn.JournalID(adj) {
			if n--; n < 0 {
				return k
			}
		}
	}
}

func (w *world) put(x txn.Txn, adj, n int) {
	w.t.Helper()
	if err := x.Write(w.t.Context(), txn.Write{Key: w.key(adj, n), Value: []byte("v")}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(adj int, calls ...string) {
	w.t.Helper()
	if got := strings.Join(w.adjs[adj-1].calls, "\n"); got != strings.Join(calls, "\n") {
		w.t.Errorf("adjudicator %d heard:\n%s\nwant:\n%s", adj, got, strings.Join(calls, "\n"))
	}
}

func (w *world) commit(x txn.Txn) error {
	_, err := x.Commit(w.t.Context())
	return err
}

func TestOneAdjudicator(t *testing.T) {
	w := newWorld(t, 1, nil)
	x := w.db.Begin(txn.Options{})
	w.put(x, 1, 0)
	_ = x.Write(t.Context(), txn.Write{Key: w.key(1, 1), Delete: true, Identity: true}, txn.Write{Key: w.key(1, 2), Blind: true})
	_ = x.Check(t.Context(), txn.Check{Key: keys.SchemaKey(1), Mode: txn.CheckSchema}, txn.Check{Key: w.key(1, 3), Mode: txn.CheckKeyShare},
		txn.Check{Key: w.key(1, 4), Mode: txn.CheckUpdate})
	if at, err := x.Commit(t.Context()); err != nil || at != 5000 {
		t.Fatal(at, err)
	}
	w.want(1, "commit attempt=1 exclusive=5 shared=1 schema=1 schema-writes=0 votes=0 images=3 chunks=0 participants=[]")
	if w.now < 5000 {
		t.Fatal("no commit wait")
	}
}

func TestReadOnlyAsksNobody(t *testing.T) {
	w := newWorld(t, 2, nil)
	x := w.db.Begin(txn.Options{})
	_ = x.Get(t.Context(), []keys.Key{w.key(1, 0)}, make([][]byte, 1))
	_ = x.Check(t.Context(), txn.Check{Key: keys.SchemaKey(1), Mode: txn.CheckSchema})
	if err := w.commit(x); err != nil {
		t.Fatal(err)
	}
	w.want(1)
	w.want(2)
}

func TestSeveralAdjudicators(t *testing.T) {
	w := newWorld(t, 3, nil)
	x := w.db.Begin(txn.Options{})
	w.put(x, 1, 0)
	w.put(x, 3, 0)
	w.put(x, 3, 1)
	if err := w.commit(x); err != nil {
		t.Fatal(err)
	}
	w.want(1, "prepare attempt=1 leader=3 exclusive=1", "go ahead at 5000")
	w.want(2)
	w.want(3, "commit attempt=1 exclusive=2 shared=0 schema=0 schema-writes=0 votes=1 images=3 chunks=0 participants=[1 3]")
}

func TestSchemaWritesGoEverywhere(t *testing.T) {
	w := newWorld(t, 3, nil)
	x := w.db.Begin(txn.Options{})
	_ = x.Write(t.Context(), txn.Write{Key: keys.SchemaKey(1), Schema: true})
	if err := w.commit(x); err != nil {
		t.Fatal(err)
	}
	w.want(1, "commit attempt=1 exclusive=0 shared=0 schema=0 schema-writes=1 votes=2 images=0 chunks=0 participants=[1 2 3]")
	w.want(2, "prepare attempt=1 leader=1 exclusive=0", "go ahead at 5000")
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		vote  txn.Vote
		calls []string
		want  string
	}{
		{txn.Vote{Reason: txn.ReasonConflict, Conflicting: 77}, nil, "OC000"},
		{txn.Vote{Reason: txn.ReasonSchema, Conflicting: 77}, nil, "OC001"},
		{txn.Vote{Reason: txn.ReasonTooOld, Conflicting: 77}, nil, "OC000"},
		{txn.Vote{Reason: txn.ReasonWrongOwner, Conflicting: 77}, nil, "OC000"},
	} {
		w := newWorld(t, 2, nil)
		w.adjs[1].votes = []any{c.vote}
		x := w.db.Begin(txn.Options{})
		w.put(x, 1, 0)
		w.put(x, 1, 1)
		w.put(x, 2, 0)
		err := w.commit(x)
		if !failure.Retryable(err) || !strings.Contains(err.Error(), c.want) || failure.As(err).RetryAfter != 77 {
			t.Fatal(err)
		}
		w.want(1) // the leader never hears of it
		w.want(2, "prepare attempt=1 leader=1 exclusive=1", "go abort attempt=1")
	}
}

// TestBusyIsRetriedUnseen: the same commit again, with the same leader.
func TestBusyIsRetriedUnseen(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.adjs[1].votes = []any{txn.Vote{Reason: txn.ReasonBusy}, errors.New("unreachable"), txn.Vote{Yes: true, Upper: 9000}}
	w.adjs[0].commits = []any{Result{Reason: txn.ReasonExpired}, Result{Time: 6000}}
	x := w.db.Begin(txn.Options{})
	w.put(x, 1, 0)
	w.put(x, 1, 1)
	w.put(x, 2, 0)
	if err := w.commit(x); err != nil {
		t.Fatal(err)
	}
	w.want(2, "prepare attempt=1 leader=1 exclusive=1", "go abort attempt=1", "prepare attempt=2 leader=1 exclusive=1",
		"go abort attempt=2", "prepare attempt=3 leader=1 exclusive=1", "go abort attempt=3",
		"prepare attempt=4 leader=1 exclusive=1", "go ahead at 6000")
}

func TestUnknownOutcomeIsResolved(t *testing.T) {
	lost := failure.New(failure.StatementCompletionUnknown, "lost")
	for _, c := range []struct {
		resolved any
		want     failure.Code
	}{
		{clock.Timestamp(8000), ""},
		{clock.Timestamp(0), failure.SerializationFailure},
		{errors.New("gone"), failure.StatementCompletionUnknown},
	} {
		w := newWorld(t, 2, nil)
		w.adjs[0].commits, w.adjs[0].resolved = []any{lost}, c.resolved
		x := w.db.Begin(txn.Options{})
		w.put(x, 1, 0)
		w.put(x, 1, 1)
		w.put(x, 2, 0)
		if err := w.commit(x); failure.CodeOf(err) != c.want {
			t.Fatal(err)
		}
		if calls := w.adjs[0].calls; calls[len(calls)-1] != "resolve bound=9000" {
			t.Fatal(calls)
		}
	}
	w := newWorld(t, 1, nil)
	w.adjs[0].commits = []any{failure.New(failure.CannotConnectNow, "stopped")}
	x := w.db.Begin(txn.Options{})
	w.put(x, 1, 0)
	if err := w.commit(x); !failure.Retryable(err) {
		t.Fatal(err)
	}
}

func TestBulk(t *testing.T) {
	w := newWorld(t, 1, nil)
	x := w.db.Begin(txn.Options{})
	for i := range 25 {
		w.put(x, 1, i) // eleven or twelve bytes each
	}
	if err := w.commit(x); err != nil {
		t.Fatal(err)
	}
	w.want(1, "bulk chunk=0 images=10", "bulk chunk=1 images=9",
		"commit attempt=1 exclusive=25 shared=0 schema=0 schema-writes=0 votes=0 images=6 chunks=2 participants=[]")
}

func TestLimits(t *testing.T) {
	w := newWorld(t, 1, func(c *Config) {
		c.Limits = Limits{Rows: 3, Bytes: 1 << 20, Age: 300 * time.Second}
	})
	ctx := t.Context()
	limit := func(err error, text string) {
		t.Helper()
		if failure.CodeOf(err) != failure.ProgramLimitExceeded || failure.As(err).Message != text || failure.As(err).Detail == "" {
			t.Fatal(err)
		}
	}
	x := w.db.Begin(txn.Options{})
	for i := range 3 {
		w.put(x, 1, i)
		w.put(x, 1, i)
	}
	index := keys.Key(keys.AppendPrefix(nil, 1, 2))
	if err := x.Write(ctx, txn.Write{Key: index}); err != nil {
		t.Fatal("index entries are not rows:", err)
	}
	limit(x.Write(ctx, txn.Write{Key: w.key(1, 3)}), "transaction row limit exceeded")
	y := w.db.Begin(txn.Options{})
	_ = y.Write(ctx, txn.Write{Key: w.key(1, 0), Value: make([]byte, 1<<20)})
	limit(w.commit(y), "transaction size limit 1mb exceeded")
	z := w.db.Begin(txn.Options{})
	w.put(z, 1, 0)
	_, _ = z.Snapshot(ctx)
	w.now = w.now.Add(301 * time.Second)
	limit(w.commit(z), "transaction age limit of 300s exceeded")
	free := w.db.Begin(txn.Options{Internal: true})
	for i := range 9 {
		w.put(free, 1, i)
	}
	_ = free.Write(ctx, txn.Write{Key: w.key(1, 0), Value: make([]byte, 2<<20)})
	if err := w.commit(free); err != nil {
		t.Fatal(err)
	}
}

func TestCancelledCommit(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.adjs[0].commits = []any{Result{Reason: txn.ReasonBusy}}
	x := w.db.Begin(txn.Options{})
	w.put(x, 1, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.want(1)
}

func BenchmarkCommit(b *testing.B) {
	w := newWorld(&testing.T{}, 1, nil)
	ks := []keys.Key{w.key(1, 0), w.key(1, 1), w.key(1, 2), w.key(1, 3)}
	a := instant{w.adjs[0]}
	w.db.cfg.Ranges = fixed{{Journal: 1, Adjudicator: a}}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		x := w.db.Begin(txn.Options{})
		for _, k := range ks {
			_ = x.Write(ctx, txn.Write{Key: k, Value: k})
		}
		_ = x.Check(ctx, txn.Check{Key: ks[0], Mode: txn.CheckSchema})
		if _, err := x.Commit(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

type instant struct{ *scripted }

func (instant) Commit(context.Context, *CommitRequest) (Result, error) { return Result{Time: 1}, nil }

type fixed []Range

func (f fixed) Ranges() []Range               { return f }
func (f fixed) Refresh(context.Context) error { return nil }

// TestCommitWaitEnds cancels a client whose commit waits for a clock that has lost its bound.
func TestCommitWaitEnds(t *testing.T) {
	w := newWorld(t, 1, nil)
	tx := w.db.Begin(txn.Options{})
	if err := tx.Write(t.Context(), txn.Write{Key: keys.AppendPrefix(nil, 100, keys.PrimaryIndex), Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	w.lost = true
	ctx, cancel := context.WithCancel(t.Context())
	w.adjs[0].decided = cancel
	if _, err := tx.Commit(ctx); !failure.OutcomeUnknown(err) {
		t.Errorf("a commit that nobody may acknowledge yet answers %v", err)
	}
}
