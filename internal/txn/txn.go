// Package txn is the vocabulary that SQL and the roles share, and the one door between them: DB and Txn.
//
// SQL sees only DB and Txn, and cannot tell one process from many. The rest are the words of the commit protocol
// (protocol.md section 2): ids, write sets, votes, decisions, and the records that journals hold.
package txn

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
)

// ID names a transaction for ever: 8 bytes start time (a timestamp, big endian), 8 bytes of node and randomness. Journals
// remember ids by their start time for at least an hour, so it must be a time of this cluster, taken when the
// transaction began.
type ID [16]byte

// MakeID builds an id.
func MakeID(start clock.Timestamp, unique uint64) (id ID) {
	binary.BigEndian.PutUint64(id[:], uint64(start))
	binary.BigEndian.PutUint64(id[8:], unique)
	return id
}

// Start returns the start time in an id.
func (id ID) Start() clock.Timestamp { return clock.Timestamp(binary.BigEndian.Uint64(id[:])) }

// String prints an id in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// DB opens transactions.
type DB interface {
	// Begin opens a transaction. Nothing is sent and no snapshot is taken before its first read or Snapshot call.
	Begin(o Options) Txn
	// Outcome says what became of a transaction, settling it if need be (protocol.md 2.9).
	Outcome(ctx context.Context, id ID) (Outcome, error)
}

// Options of a transaction.
type Options struct {
	ReadOnly bool
	// AsOf, when not zero, is the snapshot to read at, in the past and inside the retention window; implies ReadOnly.
	AsOf clock.Timestamp
	// NotBefore, when not zero, is a time the snapshot must reach: a retry waits for what it lost against.
	NotBefore clock.Timestamp
	// Serializable transactions that write are checked for what they have read, too: those among them that commit are as if
	// each had run alone, at its commit time (or at its snapshot, when it wrote nothing).
	Serializable bool
	// Internal transactions (jobs, sequences) are free of the users' limits.
	Internal bool
	// Limits are narrower than the ones that hold for all, where they are not zero.
	Limits Limits
}

// Limits of one transaction; 0 is none.
type Limits struct {
	Rows  int           // rows changed
	Bytes int64         // bytes of rows and index entries changed, judged at commit
	Age   time.Duration // from snapshot to commit
}

// Outcome of a transaction as far as it is known.
type Outcome uint8

// The outcomes.
const (
	OutcomeUnknown Outcome = iota // too old to tell
	OutcomeInProgress
	OutcomeCommitted
	OutcomeAborted
)

// Txn is one transaction on one snapshot, with its buffered writes. It is used by one goroutine at a time. Errors are
// *failure.Error; after an error of Get or Scan the transaction may go on, after an error of Commit it is over.
type Txn interface {
	ID() ID
	// Snapshot returns τs, taking it at the first call.
	Snapshot(ctx context.Context) (clock.Timestamp, error)
	// SchemaTime returns the commit time of the newest schema change at or below the snapshot: descriptors loaded at
	// any snapshot with the same SchemaTime are valid here.
	SchemaTime(ctx context.Context) (clock.Timestamp, error)
	// Get looks up keys at the snapshot with this transaction's own writes over it. values[i] is nil when keys[i] is
	// absent, and not nil (perhaps empty) when present. Values stay valid and unchanged until the transaction ends.
	Get(ctx context.Context, ks []keys.Key, values [][]byte) error
	// Scan reads a span in key order, own writes included, running a push-down program near the data.
	Scan(ctx context.Context, req ScanRequest) (Scan, error)
	// Write buffers writes. Keys and values are kept, not copied. A later write of a key replaces an earlier one.
	Write(ctx context.Context, ws ...Write) error
	// Check adds keys to be validated at commit without being written.
	Check(ctx context.Context, cs ...Check) error
	// Mark returns the state of the write buffer for a later Rollback to it (savepoints, failed statements).
	Mark() Mark
	// RollbackTo forgets every write and check made since the mark.
	RollbackTo(m Mark)
	// Stats returns the number of buffered writes and checks and their bytes.
	Stats() (writes, checks int, bytes int64)
	// Commit decides the transaction. A read-only one commits without talking to anyone. The error is 40001 when it
	// certainly did not commit, 40003 when that cannot be told.
	Commit(ctx context.Context) (clock.Timestamp, error)
	// Rollback ends the transaction without a trace. It may be called after Commit, and then does nothing.
	Rollback()
}

// Mark is a position in a transaction's write buffer.
type Mark int

// ScanRequest asks for the rows of a span.
type ScanRequest struct {
	Span    keys.Span
	Reverse bool
	// Program filters and trims near the data; nil returns whole rows.
	Program *pushdown.Program
	// Limit bounds the number of rows that pass the program; 0 is no limit.
	Limit int64
}

// KV is a row as it is stored.
type KV struct {
	Key   keys.Key
	Value []byte
}

// Scan is a running scan, closed by its owner.
type Scan interface {
	// Next returns the next batch, empty at the end. The batch and its memory are valid until the next call of Next or
	// Close.
	Next(ctx context.Context) ([]KV, error)
	Close()
}

// Write is one buffered write. A nil Value with Delete set is a deletion.
type Write struct {
	Key    keys.Key
	Value  []byte
	Delete bool
	// Blind writes are not checked for conflicts: entries of non-unique secondary indexes, rows under generated row ids and
	// all of a table that the transaction has made itself. Their keys can only be written by whoever wrote a key that is
	// checked, or by nobody else at all.
	Blind bool
	// Identity marks a write that removes or re-keys a row: it also conflicts with foreign-key checks. To add a row needs
	// none: whoever checked its key has seen it there, so somebody has removed it since.
	Identity bool
	// Schema marks a write of a schema key (keys.SchemaKey): prepared at every adjudicator, an everywhere key; it
	// carries no data, and moves SchemaTime.
	Schema bool
}

// CheckMode is what a check protects against.
type CheckMode uint8

// The check modes, by PostgreSQL's lock strengths.
const (
	CheckUpdate      CheckMode = iota // FOR UPDATE: as if the row were deleted: exclusive on row and identity
	CheckNoKeyUpdate                  // FOR NO KEY UPDATE: exclusive on row
	CheckShare                        // FOR SHARE: shared on row
	CheckKeyShare                     // FOR KEY SHARE, foreign-key parents: shared on identity
	CheckSchema                       // shared on an everywhere key; a conflict is OC001
)

// Check is a key validated at commit.
type Check struct {
	Key  keys.Key
	Mode CheckMode
}
