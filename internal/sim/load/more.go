package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/anishathalye/porcupine"

	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/test/check"
)

// counter is what the smaller loads have in common.
type counter struct {
	mu        sync.Mutex
	committed int
}

// Committed implements Load.
func (c *counter) Committed() int { return c.committed }

func (c *counter) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.committed++
	}
}

// Ring is a cycle of nodes; a step takes three neighbours and swaps the middle two. Whatever is lost or torn breaks the
// ring into pieces.
type Ring struct {
	counter
	Size int
}

// Name implements Load.
func (r *Ring) Name() string { return "ring" }

// Setup implements Load.
func (r *Ring) Setup(ctx context.Context, db txn.DB) error {
	return Insist(ctx, db, func(tx txn.Txn) error {
		for i := range r.Size {
			if err := tx.Write(ctx, txn.Write{Key: rowKey(tableRing, i), Value: number(int64((i + 1) % r.Size)), Identity: true}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Step implements Load: a → b → c → d becomes a → c → b → d.
func (r *Ring) Step(ctx context.Context, db txn.DB, rng *rand.Rand) {
	a := rng.IntN(r.Size)
	_, err := run(ctx, db, func(tx txn.Txn) error {
		next := func(i int) (int, error) {
			v, err := get(ctx, tx, rowKey(tableRing, i))
			return int(asNumber(v)), err
		}
		b, err := next(a)
		if err != nil {
			return err
		}
		c, err := next(b)
		if err != nil {
			return err
		}
		d, err := next(c)
		if err != nil {
			return err
		}
		return tx.Write(ctx, txn.Write{Key: rowKey(tableRing, a), Value: number(int64(c))},
			txn.Write{Key: rowKey(tableRing, c), Value: number(int64(b))}, txn.Write{Key: rowKey(tableRing, b), Value: number(int64(d))})
	})
	r.note(err)
}

// Verify implements Load.
func (r *Ring) Verify(ctx context.Context, db txn.DB) error {
	return read(ctx, db, func(tx txn.Txn) error {
		rows, err := all(ctx, tx, tableRing)
		if err != nil {
			return err
		}
		at, seen := 0, map[int]bool{}
		for range r.Size {
			if seen[at] {
				break
			}
			seen[at] = true
			at = int(asNumber(rows[at]))
		}
		if at != 0 || len(seen) != r.Size {
			return fmt.Errorf("I6: the ring of %d is broken: %d reached", r.Size, len(seen))
		}
		return nil
	})
}

// Unique inserts rows that others insert, too: one may win.
type Unique struct {
	counter
	Keys int
	won  map[int]int // key to the client that was told so
	twin error
}

// Name implements Load.
func (u *Unique) Name() string { return "unique" }

// Setup implements Load.
func (u *Unique) Setup(context.Context, txn.DB) error { u.won = map[int]int{}; return nil }

// Step implements Load.
func (u *Unique) Step(ctx context.Context, db txn.DB, rng *rand.Rand) {
	k, who := rng.IntN(u.Keys), 1+rng.IntN(1<<30)
	taken := fmt.Errorf("taken")
	_, err := run(ctx, db, func(tx txn.Txn) error {
		v, err := get(ctx, tx, rowKey(tableUnique, k))
		if err == nil && v != nil {
			err = taken
		}
		if err != nil {
			return err
		}
		return tx.Write(ctx, txn.Write{Key: rowKey(tableUnique, k), Value: number(int64(who)), Identity: true})
	})
	u.note(err)
	if err != nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if other, ok := u.won[k]; ok {
		u.twin = fmt.Errorf("I6: key %d was inserted by %d and by %d", k, other, who)
	}
	u.won[k] = who
}

// Verify implements Load.
func (u *Unique) Verify(ctx context.Context, db txn.DB) error {
	if u.twin != nil {
		return u.twin
	}
	return read(ctx, db, func(tx txn.Txn) error {
		rows, err := all(ctx, tx, tableUnique)
		for k, who := range u.won {
			if err == nil && asNumber(rows[k]) != int64(who) {
				err = fmt.Errorf("I7: key %d was inserted by %d and holds %d", k, who, asNumber(rows[k]))
			}
		}
		return err
	})
}

// Families inserts children and deletes parents: no child may be left without its parent.
type Families struct {
	counter
	Parents int
	next    int
}

// Name implements Load.
func (f *Families) Name() string { return "foreign keys" }

// Setup implements Load.
func (f *Families) Setup(context.Context, txn.DB) error { return nil }

// Step implements Load.
func (f *Families) Step(ctx context.Context, db txn.DB, rng *rand.Rand) {
	p := rng.IntN(f.Parents)
	f.mu.Lock()
	f.next++
	child := f.next*f.Parents + p
	f.mu.Unlock()
	_, err := run(ctx, db, func(tx txn.Txn) error {
		v, err := get(ctx, tx, rowKey(tableParent, p))
		switch {
		case err != nil:
			return err
		case v == nil:
			return tx.Write(ctx, txn.Write{Key: rowKey(tableParent, p), Value: number(1), Identity: true})
		case rng.IntN(3) > 0:
			if err := tx.Check(ctx, txn.Check{Key: rowKey(tableParent, p), Mode: txn.CheckKeyShare}); err != nil {
				return err
			}
			return tx.Write(ctx, txn.Write{Key: rowKey(tableChild, child), Value: number(int64(p)), Identity: true})
		}
		children, err := all(ctx, tx, tableChild)
		if err != nil {
			return err
		}
		for id, of := range children {
			if asNumber(of) == int64(p) {
				if err := tx.Write(ctx, txn.Write{Key: rowKey(tableChild, id), Delete: true, Identity: true}); err != nil {
					return err
				}
			}
		}
		return tx.Write(ctx, txn.Write{Key: rowKey(tableParent, p), Delete: true, Identity: true})
	})
	f.note(err)
}

// Verify implements Load.
func (f *Families) Verify(ctx context.Context, db txn.DB) error {
	return read(ctx, db, func(tx txn.Txn) error {
		parents, err := all(ctx, tx, tableParent)
		if err != nil {
			return err
		}
		children, err := all(ctx, tx, tableChild)
		for id, p := range children {
			if _, there := parents[int(asNumber(p))]; err == nil && !there {
				err = fmt.Errorf("I6: child %d has lost its parent %d", id, asNumber(p))
			}
		}
		return err
	})
}

// Registers reads and writes single rows; porcupine judges whether they are linearizable.
type Registers struct {
	counter
	Keys  int
	Clock Clock
	next  int
	ops   []porcupine.Operation
}

type registerInput struct {
	key   int
	write bool
	value int
}

// Name implements Load.
func (r *Registers) Name() string { return "registers" }

// Setup implements Load.
func (r *Registers) Setup(context.Context, txn.DB) error { return nil }

// Step implements Load.
func (r *Registers) Step(ctx context.Context, db txn.DB, rng *rand.Rand) {
	in := registerInput{key: rng.IntN(r.Keys), write: rng.IntN(2) == 0}
	r.mu.Lock()
	r.next++
	in.value = r.next
	r.mu.Unlock()
	began, out := r.Clock(), 0
	committing, err := run(ctx, db, func(tx txn.Txn) error {
		if in.write {
			return tx.Write(ctx, txn.Write{Key: rowKey(tableRegister, in.key), Value: number(int64(in.value))})
		}
		v, err := get(ctx, tx, rowKey(tableRegister, in.key))
		out = int(asNumber(v))
		return err
	})
	r.note(err)
	ended := int64(r.Clock())
	switch s := outcome(err, committing); {
	case s == check.Aborted, s == check.Unknown && !in.write:
		return // nothing happened, or nothing was seen
	case s == check.Unknown:
		ended = 1 << 62 // it may happen at any time from now on
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, porcupine.Operation{ClientId: len(r.ops), Input: in, Output: out, Call: int64(began), Return: ended})
}

// Verify implements Load.
func (r *Registers) Verify(context.Context, txn.DB) error {
	model := porcupine.Model{
		Partition: func(h []porcupine.Operation) [][]porcupine.Operation {
			parts := make([][]porcupine.Operation, r.Keys)
			for _, o := range h {
				k := o.Input.(registerInput).key
				parts[k] = append(parts[k], o)
			}
			return parts
		},
		Init: func() any { return 0 },
		Step: func(state, input, output any) (bool, any) {
			if in := input.(registerInput); in.write {
				return true, in.value
			}
			return output == state, state
		},
		Equal: func(a, b any) bool { return a == b },
	}
	if !porcupine.CheckOperations(model, r.ops) {
		return fmt.Errorf("I1: %d operations on registers are not linearizable", len(r.ops))
	}
	return nil
}
