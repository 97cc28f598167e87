package adjudicator

import (
	"context"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/txn"
)

// CommitRequest asks the leader of a transaction to decide it. The caller keeps nothing of it until Commit returns.
type CommitRequest struct {
	ID      txn.ID
	Attempt uint32
	Start   clock.Timestamp // τs
	// Conflicts is the part that this adjudicator judges.
	Conflicts txn.Conflicts
	// Votes of the other participants; empty for a transaction with one adjudicator. A no among them abandons the attempt.
	Votes []txn.Vote
	// Record is the transaction's record: Kind, ID, Attempt, Start, Participants, Conflicts (of all participants, for
	// standbys), Images, Chunks. Commit fills in Gen and Time.
	Record *txn.Record
	// Proposed, when not nil, is called once the commit time is fixed and the record is on its way to the log: the moment
	// to send GoAhead to the other participants. It must not block.
	Proposed func(c clock.Timestamp)
}

// Result is the leader's answer. When Reason is ReasonNone the transaction is committed at Time, durably, and commit wait
// is over. Otherwise it certainly did not commit in this attempt, and Conflicting says what it lost against, if anything.
type Result struct {
	Time        clock.Timestamp
	Reason      txn.Reason
	Conflicting clock.Timestamp
}

// PrepareRequest asks a participant that is not the leader for its vote.
type PrepareRequest struct {
	ID        txn.ID
	Attempt   uint32
	Start     clock.Timestamp
	Leader    txn.JournalID
	Conflicts txn.Conflicts // this adjudicator's part
}

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
