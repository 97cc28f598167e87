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

// Request is what every adjudicator of a commit attempt is told.
type Request struct {
	ID        txn.ID
	Attempt   uint32
	Start     clock.Timestamp
	Leader    txn.JournalID
	Conflicts txn.Conflicts // the part that the addressed adjudicator owns
}

// Payload is what the leader appends.
type Payload struct {
	Images []txn.Image
	// Schema says that the transaction changes a schema.
	Schema bool
	// Bulk is the number of chunks of images that were sent ahead with Bulk.
	Bulk uint32
	// Participants are all adjudicators of the attempt, the leader included.
	Participants []txn.JournalID
}

// Decision is the outcome of one commit attempt.
type Decision struct {
	Committed bool
	At        clock.Timestamp // the commit time
	// Reason and Conflicting say why it was refused.
	Reason      txn.Reason
	Conflicting clock.Timestamp
}

// Adjudicator is the owner of a conflict range with its journal. An error of Commit, Decide and Resolve means that the
// caller cannot know what happened; an error of the others means that it did not happen.
type Adjudicator interface {
	// Commit judges and decides a transaction that concerns this adjudicator alone.
	Commit(ctx context.Context, r *Request, p *Payload) (Decision, error)
	// Prepare asks for a vote.
	Prepare(ctx context.Context, r *Request) (txn.Vote, error)
	// Decide makes the leader choose the commit time inside everybody's votes and append.
	Decide(ctx context.Context, r *Request, votes []txn.Vote, p *Payload) (Decision, error)
	// Settle tells a participant what became of an attempt that it voted for: GoAhead or GoAbort. It may be lost.
	Settle(id txn.ID, attempt uint32, d Decision)
	// Bulk appends images of a transaction ahead of its commit; chunk counts from 0. They take effect with the record.
	Bulk(ctx context.Context, id txn.ID, chunk uint32, images []txn.Image) error
	// Resolve says whether a transaction is committed in this adjudicator's journal, and if it is not makes sure that
	// it never will be (protocol.md 2.9).
	Resolve(ctx context.Context, id txn.ID) (Decision, error)
}

// Range is a conflict range: the hashes from Start up to the next range's.
type Range struct {
	Start       keys.Hash
	Journal     txn.JournalID
	Adjudicator Adjudicator
}

// Ranges is the directory of conflict ranges. It is only a hint: adjudicators know what they own.
type Ranges interface {
	// Ranges returns all ranges by Start; the first starts at 0. The slice is not changed any more.
	Ranges() []Range
	// Refresh is called after an answer that the directory was wrong.
	Refresh(ctx context.Context) error
}

// Limits bound one transaction of a user; zero is no limit.
type Limits struct {
	Rows  int           // rows changed
	Bytes int64         // bytes of rows and index entries changed, judged at commit
	Age   time.Duration // from snapshot to commit
}

// Config of a coordinator.
type Config struct {
	Clock     clock.Clock
	Time      host.Time
	Random    host.Random
	Snapshots Snapshots
	Ranges    Ranges
	// HashSeed is the cluster's seed of conflict hashes.
	HashSeed uint64
	// Node is this process's number in transaction ids.
	Node uint16
	// Limits of users' transactions.
	Limits Limits
	// BulkBytes is the size of a chunk of images sent ahead of the commit; write sets below it travel in the record.
	// 0 is 4 MiB.
	BulkBytes int64
	// Attempts bounds the silent repetitions of a commit that met a busy adjudicator. 0 is 64.
	Attempts int
	// OutcomeWindow is how long journals remember transaction ids. 0 is an hour.
	OutcomeWindow time.Duration
}

func (c *Config) ensureDefaults() {
	if c.BulkBytes == 0 {
		c.BulkBytes = 4 << 20
	}
	if c.Attempts == 0 {
		c.Attempts = 64
	}
	if c.OutcomeWindow == 0 {
		c.OutcomeWindow = time.Hour
	}
}
