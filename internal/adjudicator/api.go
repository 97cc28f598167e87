package adjudicator

import (
	"context"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/txn"
)

// The words of the commit protocol, as both sides of it use them.
type (
	CommitRequest  = txn.CommitRequest
	Result         = txn.CommitResult
	PrepareRequest = txn.PrepareRequest
)

// Journal is what an adjudicator needs of its journal. Appended records keep their order.
type Journal interface {
	// WaitLeader blocks until this node may append, and returns the generation to own the journal under.
	WaitLeader(ctx context.Context) (txn.Generation, error)
	// Append queues an encoded, sealed record and returns its index. The journal owns rec until the receipt is called.
	// An error means that the record was not queued and never will be.
	Append(rec []byte, r txn.Receipt) (index uint64, err error)
	// Committed returns the index of the last record that is durable and applied; it costs an atomic load.
	Committed() uint64
	// Wait blocks until Committed is above an index.
	Wait(ctx context.Context, above uint64) (uint64, error)
	// Lease returns what the log says of its owner.
	Lease() txn.Lease
	// Outcome looks a transaction up among the applied records.
	Outcome(id txn.ID) (txn.Outcome, clock.Timestamp)
	// Resolve is Outcome for an attempt that cannot commit above ub (0: not known).
	Resolve(id txn.ID, ub clock.Timestamp) (txn.Outcome, clock.Timestamp)
}
