package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/test/check"
)

// Load is one kind of work.
type Load interface {
	Name() string
	// Setup makes what the work starts from.
	Setup(ctx context.Context, db txn.DB) error
	// Step is one transaction of one client. It must not return before its outcome, as the client sees it, is noted.
	Step(ctx context.Context, db txn.DB, rng *rand.Rand)
	// Verify says what is wrong, nil if nothing is. The database is at rest.
	Verify(ctx context.Context, db txn.DB) error
	// Committed is the number of transactions that were acknowledged.
	Committed() int
}

// Clock is the time by which histories are ordered; all clients share it.
type Clock func() time.Duration

// outcome is what a client may conclude from a transaction's end. committing says that Commit was called.
func outcome(err error, committing bool) check.Status {
	switch {
	case err == nil:
		return check.Committed
	case !committing:
		return check.Aborted
	case failure.OutcomeUnknown(err), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return check.Unknown
	default:
		return check.Aborted
	}
}

// run makes one transaction. The error is that of the steps or of the commit.
func run(ctx context.Context, db txn.DB, steps func(tx txn.Txn) error) (committing bool, err error) {
	tx := db.Begin(txn.Options{})
	defer tx.Rollback()
	if err := steps(tx); err != nil {
		return false, err
	}
	_, err = tx.Commit(ctx)
	return true, err
}

// Insist repeats a transaction until it commits or fails for good; for setting up and for looking at the end.
func Insist(ctx context.Context, db txn.DB, steps func(tx txn.Txn) error) error {
	for {
		_, err := run(ctx, db, steps)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if e := failure.As(err); e == nil || e.Code == failure.DataCorrupted || e.Code == failure.InternalError {
			return err
		}
	}
}

// The tables of the loads.
const (
	tableBank keys.TableID = 100 + iota
	tableTransfer
	tableList
	tableRing
	tableUnique
	tableParent
	tableChild
	tableRegister
)

func rowKey(t keys.TableID, id int) keys.Key {
	return keys.AppendInt(keys.AppendPrefix(nil, t, keys.PrimaryIndex), int64(id), false)
}

func rowID(k keys.Key) int {
	_, _, rest, ok := keys.DecodePrefix(k)
	if !ok {
		return -1
	}
	id, _, err := keys.DecodeInt(rest, false)
	if err != nil {
		return -1
	}
	return int(id)
}

func number(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }

func asNumber(b []byte) int64 {
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// get reads one row; nil when it is absent.
func get(ctx context.Context, tx txn.Txn, k keys.Key) ([]byte, error) {
	var v [1][]byte
	err := tx.Get(ctx, []keys.Key{k}, v[:])
	return v[0], err
}

// all reads a whole table.
func all(ctx context.Context, tx txn.Txn, t keys.TableID) (map[int][]byte, error) {
	s, err := tx.Scan(ctx, txn.ScanRequest{Span: keys.IndexSpan(t, keys.PrimaryIndex)})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out := map[int][]byte{}
	for {
		batch, err := s.Next(ctx)
		if err != nil {
			return nil, err
		}
		if len(batch) == 0 {
			return out, nil
		}
		for _, kv := range batch {
			out[rowID(kv.Key)] = append([]byte{}, kv.Value...)
		}
	}
}

// read runs a read-only look at the end.
func read(ctx context.Context, db txn.DB, look func(tx txn.Txn) error) error {
	err := Insist(ctx, db, look)
	if err != nil {
		return fmt.Errorf("reading at the end: %w", err)
	}
	return nil
}
