package txntest

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meridiandb/meridian/internal/coordinator"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/test/check"
)

// forgetful loses a part of what an adjudicator is told.
type forgetful struct {
	coordinator.Adjudicator
	lose func(*txn.Conflicts)
}

func (f forgetful) Commit(ctx context.Context, r *coordinator.CommitRequest) (coordinator.Result, error) {
	q := *r
	f.lose(&q.Conflicts)
	return f.Adjudicator.Commit(ctx, &q)
}

func (f forgetful) Prepare(ctx context.Context, r *coordinator.PrepareRequest) (txn.Vote, error) {
	q := *r
	f.lose(&q.Conflicts)
	return f.Adjudicator.Prepare(ctx, &q)
}

// TestSerializableLists runs list-append transactions that look at lists one by one and by scans. No history may have a
// cycle; and when the marks or the shares are lost on the way, some have one.
func TestSerializableLists(t *testing.T) {
	for _, c := range []struct {
		name   string
		ranges int
		lose   func(*txn.Conflicts)
	}{
		{"one range", 1, nil},
		{"three ranges", 3, nil},
		{"no marks", 3, func(c *txn.Conflicts) { c.Marks = nil }},
		{"no shares", 3, func(c *txn.Conflicts) { c.Shared = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := StackConfig{Ranges: c.ranges}
			if c.lose != nil {
				cfg.Adjudicator = func(a coordinator.Adjudicator) coordinator.Adjudicator { return forgetful{a, c.lose} }
			}
			s := openStack(t, cfg)
			defer closeStack(t, s)
			l := &lists{t: t, db: s}
			var wg sync.WaitGroup
			for i := range 3 {
				wg.Go(func() { l.run(rand.New(rand.NewPCG(uint64(i), 7)), 600) })
			}
			wg.Wait()
			found := check.Append(l.history, check.Options{Serializable: true, RealTime: true})
			if (found != nil) != (c.lose != nil) {
				t.Errorf("found %v", found)
			}
			if l.committed < 100 {
				t.Errorf("only %d transactions have committed", l.committed)
			}
		})
	}
}

type lists struct {
	t    *testing.T
	db   txn.DB
	time atomic.Int64

	mu        sync.Mutex
	history   []*check.Txn
	committed int
}

// openList is a transaction in the middle of its work.
type openList struct {
	tx txn.Txn
	h  *check.Txn
}

const listKeys = 6

// run keeps three transactions open and takes steps in them by chance.
func (l *lists) run(rng *rand.Rand, steps int) {
	var open [3]*openList
	for range steps {
		at := rng.IntN(len(open))
		o := open[at]
		if o == nil {
			o = &openList{tx: l.db.Begin(txn.Options{Serializable: true}), h: &check.Txn{Start: l.time.Add(1)}}
			open[at] = o
		}
		if len(o.h.Ops) >= 2 && rng.IntN(2) == 0 {
			open[at] = nil
			l.end(o)
			continue
		}
		l.step(o, rng)
	}
	for _, o := range open {
		if o != nil {
			l.end(o)
		}
	}
}

func (l *lists) step(o *openList, rng *rand.Rand) {
	k := rng.IntN(listKeys)
	if rng.IntN(4) == 0 {
		for k := range listKeys {
			o.h.Ops = append(o.h.Ops, check.Op{Key: k, List: nil})
		}
		l.scan(o, o.h.Ops[len(o.h.Ops)-listKeys:])
		return
	}
	v := [1][]byte{}
	if err := o.tx.Get(l.t.Context(), []keys.Key{entryKey(1, 1, int64(k))}, v[:]); err != nil {
		l.t.Error(err)
		return
	}
	if rng.IntN(2) == 0 {
		o.h.Ops = append(o.h.Ops, check.Op{Key: k, List: numbersOf(v[0])})
		return
	}
	n := int(l.time.Add(1))
	o.h.Ops = append(o.h.Ops, check.Op{Key: k, Append: true, Value: n})
	w := txn.Write{Key: entryKey(1, 1, int64(k)), Value: binary.BigEndian.AppendUint64(slices.Clone(v[0]), uint64(n))}
	if err := o.tx.Write(l.t.Context(), w); err != nil {
		l.t.Error(err)
	}
}

func (l *lists) scan(o *openList, ops []check.Op) {
	s, err := o.tx.Scan(l.t.Context(), txn.ScanRequest{Span: prefixSpan(entryKey(1, 1))})
	if err != nil {
		l.t.Error(err)
		return
	}
	defer s.Close()
	for {
		kvs, err := s.Next(l.t.Context())
		if err != nil {
			l.t.Error(err)
		}
		if len(kvs) == 0 {
			return
		}
		for _, kv := range kvs {
			for k := range ops {
				if slices.Equal(kv.Key, entryKey(1, 1, int64(k))) {
					ops[k].List = numbersOf(kv.Value)
				}
			}
		}
	}
}

func (l *lists) end(o *openList) {
	_, err := o.tx.Commit(l.t.Context())
	o.h.End = l.time.Add(1)
	switch {
	case failure.OutcomeUnknown(err):
		o.h.Status = check.Unknown
	case err != nil:
		o.h.Status = check.Aborted
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	o.h.ID = len(l.history) + 1
	l.history = append(l.history, o.h)
	if err == nil {
		l.committed++
	}
}

func numbersOf(b []byte) []int {
	var out []int
	for ; len(b) >= 8; b = b[8:] {
		out = append(out, int(binary.BigEndian.Uint64(b)))
	}
	return out
}
