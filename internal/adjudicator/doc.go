// Package adjudicator decides which transactions commit, and when: it owns a range of conflict hashes and remembers, for
// a bounded window, when each was last written.
//
//	             Commit / Prepare                       Append                     Promise(τs)
//	coordinator ─────────────────▶ Core (one mutex) ─────────────▶ journal   storage ─────────▶ Core ─▶ Watermark
//	                                 │ window of writes and shared reads
//	                                 │ promises of open transactions
//	                                 └ leased interval (lo, hi], last time issued
//
// The core is a pure state machine (core.go, protocol.md appendix A): time and answers of the log come in as arguments.
// Every call runs it directly under one mutex, in the caller's goroutine; nothing is handed from goroutine to goroutine
// on the way to the log.
//
// The methods that other roles use:
//
//	New(cfg Config, clk clock.Clock, time host.Time, j Journal) *Adjudicator
//	Start(ctx) error                                   own the journal: a new generation, a first grant
//	Commit(ctx, *CommitRequest) (Result, error)        the leader's decision, durable; alone or with Votes
//	Prepare(ctx, *PrepareRequest) (txn.Vote, error)            a participant's vote
//	GoAhead(id txn.ID, c clock.Timestamp)              the leader decided: the promise becomes a write at c
//	GoAbort(id txn.ID, attempt uint32)                 the leader abandoned that attempt
//	Bulk(ctx, id txn.ID, seq uint32, images []txn.Image) error
//	Promise(atLeast clock.Timestamp) (txn.Watermark, bool)
//	PromiseWait(ctx, atLeast) (txn.Watermark, error)   the same, renewing the lease when it has lapsed
//	Resolve(ctx, id txn.ID, ub clock.Timestamp) (txn.Outcome, clock.Timestamp, error)
//	Close(ctx) error                                   retire, so that a restart need not wait for the lease to run out
//
// Errors of Commit are the journal's: 40003 when the outcome cannot be told, 58030 or 57P03 when nothing was appended.
// Refusals are a Result with a Reason, which the coordinator turns into 40001 or a retry of the attempt
// (ReasonBusy, ReasonNotReady, ReasonExpired: the same commit again, with a higher Attempt).
package adjudicator
