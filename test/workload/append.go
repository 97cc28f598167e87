package workload

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridiandb/meridian/test/check"
)

// Append runs list-append transactions: lists are texts of numbers that SQL appends to.
type Append struct {
	URL  string
	Keys int

	mu      sync.Mutex
	history []*check.Txn
	next    int
	began   time.Time
}

// Setup makes the table.
func (a *Append) Setup(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, a.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	a.began = time.Now()
	_, err = conn.Exec(ctx, `CREATE TABLE lists (id int PRIMARY KEY, list text NOT NULL)`)
	return err
}

// History is what has happened so far.
func (a *Append) History() []*check.Txn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*check.Txn(nil), a.history...)
}

func (a *Append) value() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next++
	return a.next
}

// Run makes transactions on one connection until the context ends or the connection breaks.
func (a *Append) Run(ctx context.Context, rng *rand.Rand) error { return a.RunAt(ctx, a.URL, rng) }

// RunAt is Run at one endpoint.
func (a *Append) RunAt(ctx context.Context, url string, rng *rand.Rand) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for ctx.Err() == nil && !conn.IsClosed() {
		t := &check.Txn{Start: time.Since(a.began).Nanoseconds()}
		err := a.transaction(ctx, conn, rng, t)
		t.End = time.Since(a.began).Nanoseconds()
		t.Status = Outcome(err)
		a.mu.Lock()
		t.ID = len(a.history) + 1
		a.history = append(a.history, t)
		a.mu.Unlock()
	}
	return nil
}

func (a *Append) transaction(ctx context.Context, conn *pgx.Conn, rng *rand.Rand, t *check.Txn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return beforeCommit{err}
	}
	for range 1 + rng.IntN(4) {
		key := rng.IntN(a.Keys)
		if rng.IntN(2) == 0 {
			v := a.value()
			t.Ops = append(t.Ops, check.Op{Key: key, Append: true, Value: v})
			_, err = tx.Exec(ctx, `INSERT INTO lists VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET list = lists.list || ' ' || excluded.list`,
				key, strconv.Itoa(v))
		} else {
			var list string
			err = tx.QueryRow(ctx, `SELECT coalesce((SELECT list FROM lists WHERE id = $1), '')`, key).Scan(&list)
			if err == nil {
				t.Ops = append(t.Ops, check.Op{Key: key, List: numbers(list)})
			}
		}
		if err != nil {
			_ = tx.Rollback(ctx)
			return beforeCommit{err}
		}
	}
	return tx.Commit(ctx)
}

func numbers(list string) []int {
	var out []int
	for _, w := range strings.Fields(list) {
		n, err := strconv.Atoi(w)
		if err != nil {
			n = -1
		}
		out = append(out, n)
	}
	return out
}
