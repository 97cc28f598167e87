package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/test/check"
)

// Bank moves money. Every transfer also writes a row of its own, by which it is found again; now and then a client adds all
// balances up, on a snapshot that must be whole.
type Bank struct {
	Accounts int

	mu        sync.Mutex
	next      int
	status    map[int]check.Status
	committed int
	broken    error
}

const balance = 1000

// Name implements Load.
func (b *Bank) Name() string { return "bank" }

// Setup implements Load.
func (b *Bank) Setup(ctx context.Context, db txn.DB) error {
	b.status = map[int]check.Status{}
	return Insist(ctx, db, func(tx txn.Txn) error {
		for i := range b.Accounts {
			if err := tx.Write(ctx, txn.Write{Key: rowKey(tableBank, i), Value: number(balance), Identity: true}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Step implements Load.
func (b *Bank) Step(ctx context.Context, db txn.DB, rng *rand.Rand) {
	if rng.IntN(5) == 0 {
		b.total(ctx, db)
		return
	}
	b.mu.Lock()
	b.next++
	id := b.next
	b.mu.Unlock()
	from, to, amount := rng.IntN(b.Accounts), rng.IntN(b.Accounts), int64(rng.IntN(50))
	committing, err := run(ctx, db, func(tx txn.Txn) error {
		for _, move := range []struct {
			account int
			amount  int64
		}{{from, -amount}, {to, amount}} {
			v, err := get(ctx, tx, rowKey(tableBank, move.account))
			if err != nil {
				return err
			}
			w := txn.Write{Key: rowKey(tableBank, move.account), Value: number(asNumber(v) + move.amount)}
			if err := tx.Write(ctx, w); err != nil {
				return err
			}
		}
		record := append(append(number(int64(from)), number(int64(to))...), number(amount)...)
		return tx.Write(ctx, txn.Write{Key: rowKey(tableTransfer, id), Value: record, Identity: true})
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status[id] = outcome(err, committing)
	if err == nil {
		b.committed++
	}
}

// total adds all balances up.
func (b *Bank) total(ctx context.Context, db txn.DB) {
	var sum int64
	var n int
	_, err := run(ctx, db, func(tx txn.Txn) error {
		rows, err := all(ctx, tx, tableBank)
		for _, v := range rows {
			sum += asNumber(v)
			n++
		}
		return err
	})
	if err == nil && (sum != int64(b.Accounts)*balance || n != b.Accounts) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.broken = fmt.Errorf("I5: a snapshot adds %d accounts up to %d", n, sum)
	}
}

// Verify implements Load.
func (b *Bank) Verify(ctx context.Context, db txn.DB) error {
	if b.broken != nil {
		return b.broken
	}
	return read(ctx, db, func(tx txn.Txn) error {
		accounts, err := all(ctx, tx, tableBank)
		if err != nil {
			return err
		}
		transfers, err := all(ctx, tx, tableTransfer)
		if err != nil {
			return err
		}
		want := make([]int64, b.Accounts)
		for i := range want {
			want[i] = balance
		}
		for id, r := range transfers {
			if s, known := b.status[id]; !known || s == check.Aborted {
				return fmt.Errorf("I7: transfer %d is there, but was refused", id)
			}
			want[asNumber(r[:8])] -= asNumber(r[16:])
			want[asNumber(r[8:16])] += asNumber(r[16:])
		}
		for id, s := range b.status {
			if _, there := transfers[id]; s == check.Committed && !there {
				return fmt.Errorf("I7: transfer %d was acknowledged and is lost", id)
			}
		}
		for i, w := range want {
			if have := asNumber(accounts[i]); have != w {
				return fmt.Errorf("I6: account %d holds %d, its transfers make %d", i, have, w)
			}
		}
		return nil
	})
}

// Committed implements Load.
func (b *Bank) Committed() int { return b.committed }
