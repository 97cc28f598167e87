// Package txntest gives tests of other packages a txn.DB in memory: the real coordinator over a data plane that is one
// map of versions behind one lock. It is a test double: nothing is durable and nothing scales.
package txntest

import (
	"bytes"
	"context"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/coordinator"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/txn"
)

// DB is an in-memory txn.DB.
type DB struct {
	txn.DB
	Clock *Clock
	store *store
}

// New makes an empty database.
func New() *DB { return NewWithLimits(coordinator.Limits{}) }

// NewWithLimits makes an empty database whose transactions are bounded.
func NewWithLimits(l coordinator.Limits) *DB {
	c := &Clock{}
	c.now.Store(uint64(clock.FromTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))))
	s := &store{
		clock: c, versions: map[string][]version{}, writes: map[keys.Hash]clock.Timestamp{},
		shared: map[keys.Hash]clock.Timestamp{}, done: map[txn.ID]clock.Timestamp{}, bulk: map[txn.ID][]txn.Image{},
	}
	cfg := coordinator.Config{Clock: c, Time: fakeTime{}, Random: &random{}, Snapshots: s, Ranges: s, Limits: l}
	return &DB{DB: coordinator.New(cfg), Clock: c, store: s}
}

// Dump returns the rows that a transaction beginning now would see under a prefix, for assertions.
func (d *DB) Dump(prefix keys.Key) []txn.KV {
	now, _ := d.Clock.Now()
	s, _ := d.store.Scan(context.Background(), now.Latest, txn.ScanRequest{Span: keys.Span{Start: prefix, End: keys.PrefixEnd(prefix)}})
	kvs, _ := s.Next(context.Background())
	return kvs
}

// Clock is exact logical time: every reading is a microsecond later than the one before.
type Clock struct{ now atomic.Uint64 }

// Now implements clock.Clock.
func (c *Clock) Now() (clock.Interval, bool) {
	t := clock.Timestamp(c.now.Add(1 << clock.FractionBits))
	return clock.Interval{Earliest: t, Latest: t}, true
}

// WaitPast moves time instead of waiting.
func (c *Clock) WaitPast(t clock.Timestamp, _ <-chan struct{}) bool {
	for {
		now := c.now.Load()
		if now >= uint64(t) || c.now.CompareAndSwap(now, uint64(t)) {
			return true
		}
	}
}

// Advance moves time forward.
func (c *Clock) Advance(d time.Duration) { c.now.Add(uint64(d/time.Microsecond) << clock.FractionBits) }

type fakeTime struct{}

func (fakeTime) Now() time.Time                                   { return time.Unix(0, 0) }
func (fakeTime) Monotonic() time.Duration                         { return 0 }
func (fakeTime) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
func (fakeTime) AfterFunc(_ time.Duration, f func()) (_ func() bool) {
	return func() bool { return false }
}

type random struct{ n atomic.Uint64 }

func (r *random) Uint64() uint64 { return r.n.Add(1) * 0x9e3779b97f4a7c15 }

type version struct {
	at     clock.Timestamp
	value  []byte
	delete bool
}

// store is storage and the one adjudicator in one.
type store struct {
	clock *Clock

	mu       sync.RWMutex
	versions map[string][]version // oldest first
	order    []string             // the keys of versions, sorted
	writes   map[keys.Hash]clock.Timestamp
	shared   map[keys.Hash]clock.Timestamp
	schemas  []clock.Timestamp
	done     map[txn.ID]clock.Timestamp
	bulk     map[txn.ID][]txn.Image
}

func (s *store) Ranges() []coordinator.Range {
	return []coordinator.Range{{Start: 0, Journal: 1, Adjudicator: s}}
}

func (s *store) Refresh(context.Context) error { return nil }

func (s *store) read(k string, at clock.Timestamp) []byte {
	vs := s.versions[k]
	for i := len(vs) - 1; i >= 0; i-- {
		if vs[i].at > at {
			continue
		}
		if vs[i].delete {
			return nil
		}
		return vs[i].value
	}
	return nil
}

func (s *store) Get(ctx context.Context, at clock.Timestamp, ks []keys.Key, values [][]byte) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i, k := range ks {
		values[i] = s.read(string(k), at)
	}
	return ctx.Err()
}

func (s *store) SchemaTimeAt(_ context.Context, at clock.Timestamp) (clock.Timestamp, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := sort.Search(len(s.schemas), func(i int) bool { return s.schemas[i] > at })
	if i == 0 {
		return 0, nil
	}
	return s.schemas[i-1], nil
}

func (s *store) Scan(_ context.Context, at clock.Timestamp, req txn.ScanRequest) (txn.Scan, error) {
	var filter *pushdown.Evaluator
	if req.Program != nil {
		var err error
		if filter, err = pushdown.NewEvaluator(req.Program); err != nil {
			return nil, err
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	lo := sort.SearchStrings(s.order, string(req.Span.Start))
	hi := len(s.order)
	if len(req.Span.End) > 0 {
		hi = max(lo, sort.SearchStrings(s.order, string(req.Span.End)))
	}
	out := &rows{}
	for n := 0; n < hi-lo; n++ {
		k := s.order[lo+n]
		if req.Reverse {
			k = s.order[hi-1-n]
		}
		v := s.read(k, at)
		if v == nil {
			continue
		}
		kv := txn.KV{Key: keys.Key(k), Value: v}
		if filter != nil {
			ok, err := filter.Match(kv.Key, v)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			if req.Program.KeysOnly {
				kv.Value = nil
			}
		}
		out.kvs = append(out.kvs, kv)
		if req.Limit > 0 && int64(len(out.kvs)) == req.Limit {
			break
		}
	}
	return out, nil
}

// rows is a whole answer, handed out at once.
type rows struct{ kvs []txn.KV }

func (r *rows) Next(ctx context.Context) ([]txn.KV, error) {
	kvs := r.kvs
	r.kvs = nil
	return kvs, ctx.Err()
}

func (r *rows) Close() {}

// Commit applies the rules of protocol.md 2.4 for one participant.
func (s *store) Commit(_ context.Context, r *coordinator.CommitRequest) (coordinator.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.done[r.ID]; ok {
		return coordinator.Result{Time: at}, nil
	}
	if d := s.judge(r); d.Reason != txn.ReasonNone {
		return d, nil
	}
	now, _ := s.clock.Now()
	at := now.Latest
	for _, hs := range [][]keys.Hash{r.Conflicts.Exclusive, r.Conflicts.SchemaWrites, r.Conflicts.Marks} {
		for _, h := range hs {
			s.writes[h] = at
		}
	}
	for _, hs := range [][]keys.Hash{r.Conflicts.Shared, r.Conflicts.Schema} {
		for _, h := range hs {
			s.shared[h] = at
		}
	}
	for _, img := range append(s.bulk[r.ID], r.Record.Images...) {
		s.apply(at, img)
	}
	delete(s.bulk, r.ID)
	if len(r.Conflicts.SchemaWrites) > 0 {
		s.schemas = append(s.schemas, at)
	}
	s.done[r.ID] = at
	return coordinator.Result{Time: at}, nil
}

func (s *store) judge(r *coordinator.CommitRequest) coordinator.Result {
	exclusive := func(hs []keys.Hash, why txn.Reason) coordinator.Result {
		for _, h := range hs {
			if at := max(s.writes[h], s.shared[h]); at > r.Start {
				return coordinator.Result{Reason: why, Conflicting: at}
			}
		}
		return coordinator.Result{}
	}
	shared := func(hs []keys.Hash, why txn.Reason) coordinator.Result {
		for _, h := range hs {
			if at := s.writes[h]; at > r.Start {
				return coordinator.Result{Reason: why, Conflicting: at}
			}
		}
		return coordinator.Result{}
	}
	c := &r.Conflicts
	for _, d := range []coordinator.Result{
		shared(c.Schema, txn.ReasonSchema), exclusive(c.SchemaWrites, txn.ReasonSchema),
		exclusive(c.Exclusive, txn.ReasonConflict), shared(c.Shared, txn.ReasonConflict),
	} {
		if d.Reason != txn.ReasonNone {
			return d
		}
	}
	return coordinator.Result{}
}

func (s *store) apply(at clock.Timestamp, img txn.Image) {
	k := string(img.Key)
	vs, known := s.versions[k]
	if !known {
		i := sort.SearchStrings(s.order, k)
		s.order = append(s.order, "")
		copy(s.order[i+1:], s.order[i:])
		s.order[i] = strings.Clone(k)
	}
	value := bytes.Clone(img.Value)
	if value == nil {
		value = []byte{}
	}
	s.versions[k] = append(vs, version{at: at, value: value, delete: img.Delete})
}

func (s *store) Prepare(context.Context, *coordinator.PrepareRequest) (txn.Vote, error) {
	return txn.Vote{Reason: txn.ReasonWrongOwner}, nil
}

func (s *store) GoAhead(txn.ID, clock.Timestamp) {}
func (s *store) GoAbort(txn.ID, uint32)          {}

func (s *store) Bulk(_ context.Context, id txn.ID, _ uint32, images []txn.Image) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bulk[id] = append(s.bulk[id], images...)
	return nil
}

func (s *store) Resolve(_ context.Context, id txn.ID, _ clock.Timestamp) (txn.Outcome, clock.Timestamp, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.done[id]; ok {
		return txn.OutcomeCommitted, at, nil
	}
	return txn.OutcomeAborted, 0, nil
}
