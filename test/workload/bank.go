package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridiandb/meridian/test/check"
)

// Bank moves money between accounts; every transfer also writes a row of its own, by which it is found again.
type Bank struct {
	URL      string
	Accounts int
	Balance  int

	mu     sync.Mutex
	status map[int64]check.Status // by transfer
}

// Setup makes the tables.
func (b *Bank) Setup(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	b.status = map[int64]check.Status{}
	_, err = conn.Exec(ctx, fmt.Sprintf(`CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL);
		CREATE TABLE transfers (id bigint PRIMARY KEY, source int, target int, amount int);
		CREATE INDEX transfers_source ON transfers (source);
		INSERT INTO accounts SELECT g, %d FROM generate_series(0, %d) g`, b.Balance, b.Accounts-1))
	return err
}

// Run makes transfers on one connection, numbered from first, until the context ends or the connection breaks.
func (b *Bank) Run(ctx context.Context, first int64, rng *rand.Rand) (int64, error) {
	return b.RunAt(ctx, b.URL, first, rng)
}

// RunAt is Run at one endpoint.
func (b *Bank) RunAt(ctx context.Context, url string, first int64, rng *rand.Rand) (int64, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return first, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	id := first
	for ; ctx.Err() == nil; id++ {
		from, to := rng.IntN(b.Accounts), rng.IntN(b.Accounts)
		if from == to {
			continue
		}
		err := b.transfer(ctx, conn, id, from, to, rng.IntN(50))
		b.note(id, err)
		if conn.IsClosed() {
			return id + 1, err
		}
	}
	return id, nil
}

func (b *Bank) note(id int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status[id] = Outcome(err)
}

// Outcome is what a client may conclude from an error of COMMIT or of an earlier statement. Errors with a SQLSTATE other
// than 40003 and 08xxx mean that nothing happened; a broken connection leaves it open.
func Outcome(err error) check.Status {
	if err == nil {
		return check.Committed
	}
	var early beforeCommit
	if errors.As(err, &early) {
		return check.Aborted
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code != "40003" && pg.Code[:2] != "08" && pg.Code[:2] != "57" {
		return check.Aborted
	}
	return check.Unknown
}

// beforeCommit marks an error that came before COMMIT was sent: nothing can have happened.
type beforeCommit struct{ error }

func (e beforeCommit) Unwrap() error { return e.error }

func (b *Bank) transfer(ctx context.Context, conn *pgx.Conn, id int64, from, to, amount int) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return beforeCommit{err}
	}
	steps := func() error {
		var have int64
		if err := tx.QueryRow(ctx, "SELECT balance FROM accounts WHERE id = $1", from).Scan(&have); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE accounts SET balance = $2 WHERE id = $1", from, have-int64(amount)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE accounts SET balance = balance + $2 WHERE id = $1", to, amount); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO transfers VALUES ($1, $2, $3, $4)", id, from, to, amount)
		return err
	}
	if err := steps(); err != nil {
		_ = tx.Rollback(ctx)
		return beforeCommit{err}
	}
	return tx.Commit(ctx)
}

// Counts says how transfers ended for their clients.
func (b *Bank) Counts() (committed, aborted, unknown int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.status {
		switch s {
		case check.Committed:
			committed++
		case check.Aborted:
			aborted++
		default:
			unknown++
		}
	}
	return committed, aborted, unknown
}

// Verify checks that every acknowledged transfer is there and every refused one is not, that the balances are what the
// transfers make of them, and that the index agrees with the table.
func (b *Bank) Verify(ctx context.Context) error { return b.VerifyAt(ctx, b.URL) }

// VerifyAt is Verify at one endpoint.
func (b *Bank) VerifyAt(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	found, expected := map[int64]bool{}, map[int]int64{}
	rows, err := tx.Query(ctx, "SELECT id, source, target, amount FROM transfers")
	if err != nil {
		return err
	}
	var id int64
	var source, target, amount int
	_, err = pgx.ForEachRow(rows, []any{&id, &source, &target, &amount}, func() error {
		found[id] = true
		expected[source] -= int64(amount)
		expected[target] += int64(amount)
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.verifyStatus(found); err != nil {
		return err
	}
	var account int
	var balance int64
	rows, err = tx.Query(ctx, "SELECT id, balance FROM accounts")
	if err != nil {
		return err
	}
	n := 0
	_, err = pgx.ForEachRow(rows, []any{&account, &balance}, func() error {
		n++
		if want := int64(b.Balance) + expected[account]; balance != want {
			return fmt.Errorf("account %d has %d, its transfers make %d", account, balance, want)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n != b.Accounts {
		return fmt.Errorf("there are %d accounts, want %d", n, b.Accounts)
	}
	var indexed int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM transfers WHERE source >= 0").Scan(&indexed); err != nil {
		return err
	}
	if indexed != len(found) {
		return fmt.Errorf("the index finds %d transfers, the table %d", indexed, len(found))
	}
	return nil
}

func (b *Bank) verifyStatus(found map[int64]bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, s := range b.status {
		if s == check.Committed && !found[id] {
			return fmt.Errorf("transfer %d was acknowledged and is lost", id)
		}
		if s == check.Aborted && found[id] {
			return fmt.Errorf("transfer %d was refused and is there", id)
		}
	}
	for id := range found {
		if _, known := b.status[id]; !known {
			return fmt.Errorf("transfer %d was never sent", id)
		}
	}
	return nil
}
