package coordinator

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// Snapshots answers reads at a time: storage, in the transaction's own region. It waits until it is complete at that
// time (I5) and refuses with 72000 when the time is older than what it keeps.
type Snapshots interface {
	// Get sets values[i] to the value of keys[i] at the time, nil when it is absent and not nil when present. The
	// values are never changed afterwards.
	Get(ctx context.Context, at clock.Timestamp, ks []keys.Key, values [][]byte) error
	// Scan reads a span at the time.
	Scan(ctx context.Context, at clock.Timestamp, req txn.ScanRequest) (txn.Scan, error)
	// SchemaTimeAt returns the commit time of the newest schema change at or below the time.
	SchemaTimeAt(ctx context.Context, at clock.Timestamp) (clock.Timestamp, error)
}

// The words of the commit protocol, as both sides of it use them.
type (
	CommitRequest  = txn.CommitRequest
	Result         = txn.CommitResult
	PrepareRequest = txn.PrepareRequest
)

// Adjudicator is the owner of a conflict range with its journal.
type Adjudicator interface {
	// Commit decides. An error is 40003 when it cannot be told what happened; any other means that nothing did. The
	// context counts until the record is on its way to the log.
	Commit(ctx context.Context, r *CommitRequest) (Result, error)
	// Prepare asks for a vote. An error is as good as a no.
	Prepare(ctx context.Context, r *PrepareRequest) (txn.Vote, error)
	// GoAhead tells a participant that the leader decided for c. It may be lost.
	GoAhead(id txn.ID, c clock.Timestamp)
	// GoAbort tells a participant that an attempt was abandoned. It may be lost.
	GoAbort(id txn.ID, attempt uint32)
	// Bulk appends images of a transaction ahead of its commit; chunk counts from 0. They take effect with the record.
	// An error means that the transaction cannot commit any more.
	Bulk(ctx context.Context, id txn.ID, chunk uint32, images []txn.Image) error
	// Resolve says whether a transaction is committed in this adjudicator's journal, and if it is not makes sure that
	// it never will be (protocol.md 2.9). No commit time of the transaction can be above ub.
	Resolve(ctx context.Context, id txn.ID, ub clock.Timestamp) (txn.Outcome, clock.Timestamp, error)
}

// Distance says how far away something is.
type Distance uint8

// The distances.
const (
	Here    Distance = iota // on this node
	Near                    // on another node of this region
	FarAway                 // in another region
)

// Range is a conflict range: the hashes from Start up to the next range's.
type Range struct {
	Start       keys.Hash
	Journal     txn.JournalID
	Adjudicator Adjudicator
	// Distance is where the adjudicator is believed to run.
	Distance Distance
}

// Learner is this node's replicas of journals, which know what became of a transaction before its leader, on another
// node, can tell (protocol.md 2.12).
type Learner interface {
	// Learn calls f once the outcome of a transaction in a journal is known here, at most once and without waiting for
	// it. Ok is false when there is no replica here. Cancel ends it; a call may still be under way then.
	Learn(j txn.JournalID, id txn.ID, f func(txn.Outcome, clock.Timestamp)) (cancel func(), ok bool)
}

// Ranges is the directory of conflict ranges. It is only a hint: adjudicators know what they own.
type Ranges interface {
	// Ranges returns all ranges by Start; the first starts at 0. The slice is not changed any more.
	Ranges() []Range
	// Refresh is called after an answer that the directory was wrong.
	Refresh(ctx context.Context) error
}

// Limits bound one transaction of a user; zero is no limit.
type Limits = txn.Limits

// Config of a coordinator.
type Config struct {
	Clock     clock.Clock
	Time      host.Time
	Random    host.Random
	Snapshots Snapshots
	Ranges    Ranges
	// Learn, when not nil, is asked about transactions whose leader is on another node.
	Learn Learner
	// Elsewhere, when not nil, says whether a transaction of another node is still open there: nobody may settle it then.
	Elsewhere func(ctx context.Context, node uint16, id txn.ID) (open bool, err error)
	// HashSeed is the cluster's seed of conflict hashes.
	HashSeed uint64
	// Node is this process's number in transaction ids.
	Node uint16
	// Limits of users' transactions.
	Limits Limits
	// BulkBytes is the size of a chunk of images sent ahead of the commit; write sets below it travel in the record.
	// 0 is txn.BulkSize.
	BulkBytes int64
	// Attempts bounds the silent repetitions of a commit that met a busy adjudicator. 0 is 64.
	Attempts int
	// OutcomeWindow is how long journals remember transaction ids. 0 is an hour.
	OutcomeWindow time.Duration
}

func (c *Config) ensureDefaults() {
	if c.BulkBytes == 0 {
		c.BulkBytes = txn.BulkSize
	}
	if c.Attempts == 0 {
		c.Attempts = 64
	}
	if c.OutcomeWindow == 0 {
		c.OutcomeWindow = time.Hour
	}
}
