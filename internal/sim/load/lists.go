package load

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/test/check"
)

// Lists appends to lists and reads them; its history is judged by the cycle checker for strong snapshot isolation.
type Lists struct {
	Keys  int
	Clock Clock

	mu        sync.Mutex
	history   []*check.Txn
	next      int
	committed int
}

// Name implements Load.
func (l *Lists) Name() string { return "list-append" }

// Setup implements Load.
func (l *Lists) Setup(context.Context, txn.DB) error { return nil }

// Step implements Load.
func (l *Lists) Step(ctx context.Context, db txn.DB, rng *rand.Rand) {
	t := &check.Txn{Start: int64(l.Clock())}
	committing, err := run(ctx, db, func(tx txn.Txn) error {
		for range 1 + rng.IntN(4) {
			key := rng.IntN(l.Keys)
			v, err := get(ctx, tx, rowKey(tableList, key))
			if err != nil {
				return err
			}
			list := decodeList(v)
			if rng.IntN(2) == 0 {
				t.Ops = append(t.Ops, check.Op{Key: key, List: list})
				continue
			}
			l.mu.Lock()
			l.next++
			value := l.next
			l.mu.Unlock()
			t.Ops = append(t.Ops, check.Op{Key: key, Append: true, Value: value})
			w := txn.Write{Key: rowKey(tableList, key), Value: append(append([]byte{}, v...), number(int64(value))...), Identity: v == nil}
			if err := tx.Write(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
	t.End, t.Status = int64(l.Clock()), outcome(err, committing)
	l.mu.Lock()
	defer l.mu.Unlock()
	t.ID = len(l.history) + 1
	l.history = append(l.history, t)
	if err == nil {
		l.committed++
	}
}

func decodeList(b []byte) []int {
	var out []int
	for ; len(b) >= 8; b = b[8:] {
		out = append(out, int(asNumber(b[:8])))
	}
	return out
}

// Verify implements Load: it reads all lists once more, so that every acknowledged append is looked for.
func (l *Lists) Verify(ctx context.Context, db txn.DB) error {
	t := &check.Txn{ID: len(l.history) + 1, Start: int64(l.Clock())}
	err := read(ctx, db, func(tx txn.Txn) error {
		t.Ops = nil
		for key := range l.Keys {
			v, err := get(ctx, tx, rowKey(tableList, key))
			if err != nil {
				return err
			}
			t.Ops = append(t.Ops, check.Op{Key: key, List: decodeList(v)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.End = int64(l.Clock())
	if a := check.Append(append(append([]*check.Txn{}, l.history...), t), check.Options{RealTime: true}); a != nil {
		return a
	}
	return nil
}

// Committed implements Load.
func (l *Lists) Committed() int { return l.committed }
