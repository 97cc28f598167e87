package load

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/internal/txn/txntest"
)

// loads are all of them, small.
func loads() []Load {
	machine := oshost.New()
	now := func() time.Duration { return machine.Monotonic() }
	return []Load{&Bank{Accounts: 8}, &Lists{Keys: 4, Clock: now}, &Ring{Size: 8}, &Unique{Keys: 40}, &Families{Parents: 4},
		&Registers{Keys: 3, Clock: now}}
}

func work(t *testing.T, db func(client int) txn.DB, l Load, steps int) error {
	t.Helper()
	if err := l.Setup(t.Context(), db(0)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	for client := range 4 {
		go func() {
			rng := rand.New(rand.NewPCG(1, uint64(client)))
			for range steps {
				l.Step(t.Context(), db(client), rng)
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	return l.Verify(t.Context(), db(0))
}

func stack(t *testing.T) *txntest.Stack {
	t.Helper()
	s, err := txntest.OpenStack(t.Context(), txntest.StackConfig{FS: memhost.New(), Ranges: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestSound runs every load on a sound database.
func TestSound(t *testing.T) {
	for _, l := range loads() {
		t.Run(l.Name(), func(t *testing.T) {
			s := stack(t)
			if err := work(t, func(int) txn.DB { return s }, l, 100); err != nil {
				t.Error(err)
			}
			if l.Committed() < 20 {
				t.Errorf("only %d committed", l.Committed())
			}
		})
	}
}

// careless is a planted bug: a database that loses a part of the writes of every fifth commit, or sees the past.
type careless struct {
	txn.DB
	n int
}

type carelessTxn struct {
	txn.Txn
	drop bool
}

func (c *careless) Begin(o txn.Options) txn.Txn {
	c.n++
	return &carelessTxn{c.DB.Begin(o), c.n%5 == 0}
}

func (c *carelessTxn) Write(ctx context.Context, ws ...txn.Write) error {
	if c.drop {
		ws = ws[:len(ws)-1]
	}
	return c.Txn.Write(ctx, ws...)
}

func (c *carelessTxn) Check(ctx context.Context, cs ...txn.Check) error {
	if c.drop {
		return nil
	}
	return c.Txn.Check(ctx, cs...)
}

// TestPlanted shows that the checks of each load can fail.
func TestPlanted(t *testing.T) {
	for _, l := range loads() {
		if l.Name() == "foreign keys" {
			continue // one client never loses that race
		}
		t.Run(l.Name(), func(t *testing.T) {
			s := stack(t)
			if err := l.Setup(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			db, rng := &careless{DB: s}, rand.New(rand.NewPCG(1, 1))
			for range 200 {
				l.Step(t.Context(), db, rng)
			}
			if err := l.Verify(t.Context(), s); err == nil {
				t.Error("lost writes went unseen")
			}
		})
	}
}
