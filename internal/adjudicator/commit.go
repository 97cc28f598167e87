package adjudicator

import (
	"context"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/txn"
)

// Commit decides a transaction as its leader: it checks, fixes the commit time, appends the record once and returns when
// that is durable and commit wait is over. A Result with a Reason means that this attempt certainly did not and will not
// commit. The error is 40003 when the outcome cannot be told. The context is looked at until the record is on its way.
func (a *Adjudicator) Commit(ctx context.Context, req *CommitRequest) (Result, error) {
	r := request{id: req.ID, attempt: req.Attempt, start: req.Start, conflicts: &req.Conflicts}
	t := a.ticket()
	if req.Encoded != nil {
		t.buf = append(t.buf[:0], req.Encoded...)
	} else {
		t.buf = req.Record.AppendTo(t.buf[:0])
	}
	for {
		c, v, park, at, err := a.decide(&r, req, t)
		switch {
		case err != nil:
			a.done(t)
			return Result{}, err
		case park != nil:
			if err := a.await(ctx, park, v.wait.ub); err != nil {
				a.done(t)
				return Result{}, err
			}
			continue
		case v.reason != txn.ReasonNone:
			a.done(t)
			return a.refused(ctx, &r, v)
		}
		if req.Proposed != nil {
			req.Proposed(c)
		}
		fate := <-t.ready
		a.done(t)
		return a.finish(req, c, fate, at)
	}
}

// decide runs one decision and queues its record, in one critical section: the order of times is the order of the log.
func (a *Adjudicator) decide(r *request, req *CommitRequest, t *ticket) (c clock.Timestamp, v verdict, park <-chan struct{}, at clock.Interval, err error) {
	at, err = a.now()
	if err != nil {
		return 0, v, nil, at, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.usableLocked(); err != nil {
		return 0, v, nil, at, err
	}
	a.refreshLocked()
	core := a.mu.core
	core.used = true
	if !a.mu.tending {
		a.tendLocked()
	}
	c, v = core.decide(at, a.lead.get(), r, req.Votes)
	a.wakeLocked()
	if v.wait != nil {
		return 0, v, a.parkLocked(v.wait), at, nil
	}
	if v.reason != txn.ReasonNone {
		return 0, v, nil, at, nil
	}
	if err := a.renewLocked(at, c); err != nil {
		return 0, v, nil, at, err
	}
	txn.SealRecord(t.buf, core.gen, c)
	index, err := a.appendLocked(t.buf, t)
	if err != nil {
		return 0, v, nil, at, err
	}
	core.proposed(r, c, index)
	return c, v, nil, at, nil
}

// finish waits for the moment at which the client may be told.
func (a *Adjudicator) finish(req *CommitRequest, c clock.Timestamp, fate txn.Fate, at clock.Interval) (Result, error) {
	switch fate {
	case txn.FateEffective: // I7: acknowledged implies durable
		a.sampleLead(at)
		if !req.NoWait {
			a.clock.WaitPast(c, nil)
		}
		return Result{Time: c}, nil
	case txn.FateSettled:
		return a.earlier(req.ID)
	case txn.FateRefused:
		a.stepDown()
		return Result{}, a.broken.Load()
	case txn.FateDropped:
		return Result{}, notOwner("journal %d stopped before the transaction was recorded", a.cfg.Journal)
	default:
		return Result{}, failure.New(failure.StatementCompletionUnknown, "the outcome of the transaction is not known").
			WithDetail("Journal %d stopped while the transaction was being recorded.", a.cfg.Journal).
			WithHint("Ask pg_xact_status for transaction %s.", req.ID)
	}
}

// sampleLead measures an append, every now and then.
func (a *Adjudicator) sampleLead(at clock.Interval) {
	if !a.sampling.CompareAndSwap(false, true) {
		return
	}
	if now, ok := a.clock.Now(); ok {
		a.lead.sample(now.Earliest.Sub(at.Earliest))
	}
	a.sampling.Store(false)
}

// earlier answers a transaction that was settled before: the same answer as then (I8).
func (a *Adjudicator) earlier(id txn.ID) (Result, error) {
	outcome, c := a.journal.Outcome(id)
	switch outcome {
	case txn.OutcomeCommitted:
		a.clock.WaitPast(c, nil)
		return Result{Time: c}, nil
	case txn.OutcomeAborted:
		return Result{Reason: txn.ReasonTooOld}, nil
	default:
		return Result{}, failure.New(failure.StatementCompletionUnknown, "the outcome of the transaction is not known").
			WithDetail("Transaction %s is too old to be remembered.", id)
	}
}

// refused answers a refusal, unless an earlier copy of the same request is the reason for it.
func (a *Adjudicator) refused(ctx context.Context, r *request, v verdict) (Result, error) {
	if v.reason == txn.ReasonConflict || v.reason == txn.ReasonSchema {
		if err := a.landed(ctx, r.id); err != nil {
			return Result{}, err
		}
		if outcome, _ := a.journal.Outcome(r.id); outcome == txn.OutcomeCommitted {
			return a.earlier(r.id)
		}
	}
	return Result{Reason: v.reason, Conflicting: v.conflicting}, nil
}

// landed waits until no record of the transaction is on its way to the log.
func (a *Adjudicator) landed(ctx context.Context, id txn.ID) error {
	a.mu.Lock()
	a.refreshLocked()
	index := a.mu.core.flight.find(id)
	a.mu.Unlock()
	if index == 0 {
		return nil
	}
	return a.wait(ctx, index)
}

// Prepare is a participant's vote. A yes holds the keys until its bound.
func (a *Adjudicator) Prepare(ctx context.Context, req *PrepareRequest) (txn.Vote, error) {
	r := request{id: req.ID, attempt: req.Attempt, start: req.Start, conflicts: &req.Conflicts}
	renewed := false
	for {
		now, err := a.now()
		if err != nil {
			return txn.Vote{}, err
		}
		vote, park, wait, err := a.prepare(now, &r, req.Leader)
		if err != nil {
			return txn.Vote{}, err
		}
		if park != nil {
			if err := a.await(ctx, park, wait); err != nil {
				return txn.Vote{}, err
			}
			continue
		}
		if vote.Reason == txn.ReasonNotReady && !renewed {
			renewed = true
			if err := a.renewed(ctx, now.Latest.Add(a.cfg.promiseFor(r.conflicts))); err != nil {
				return txn.Vote{}, err
			}
			continue
		}
		return vote, nil
	}
}

func (a *Adjudicator) prepare(now clock.Interval, r *request, leader txn.JournalID) (txn.Vote, <-chan struct{}, clock.Timestamp, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.usableLocked(); err != nil {
		return txn.Vote{}, nil, 0, err
	}
	a.refreshLocked()
	core := a.mu.core
	core.used = true
	if !a.mu.tending {
		a.tendLocked()
	}
	if err := a.renewLocked(now, 0); err != nil {
		return txn.Vote{}, nil, 0, err
	}
	vote, wait := core.prepare(now, r, leader)
	a.wakeLocked()
	if wait != nil {
		return txn.Vote{}, a.parkLocked(wait), wait.ub, nil
	}
	return vote, nil, 0, nil
}

// GoAhead tells a participant that the leader commits a transaction at c.
func (a *Adjudicator) GoAhead(id txn.ID, c clock.Timestamp) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.core.gen != 0 {
		a.mu.core.goAhead(id, c)
		a.wakeLocked()
	}
}

// GoAbort tells a participant that the leader has given up an attempt and all before it. Only after the leader's Commit
// answered with a Reason, or when Commit was never called for the attempt and never will be.
func (a *Adjudicator) GoAbort(id txn.ID, attempt uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.core.gen != 0 {
		a.mu.core.goAbort(id, attempt)
		a.wakeLocked()
	}
}

// Bulk appends images of a large transaction ahead of its Tx record, at the leader: chunk seq counts from 0, and the Tx's
// record says how many there are. It returns when the chunk is durable. If the transaction is given up after that,
// DropBulk lets storage forget the chunks.
func (a *Adjudicator) Bulk(ctx context.Context, id txn.ID, seq uint32, images []txn.Image) error {
	rec := txn.Record{Kind: txn.RecordBulk, ID: id, Chunks: seq, Images: images}
	t := a.ticket()
	t.buf = rec.AppendTo(t.buf[:0])
	if err := a.appendSealed(t, 0); err != nil {
		a.done(t)
		return err
	}
	fate := <-t.ready
	a.done(t)
	return a.mustTakeEffect(fate)
}

// DropBulk says that a transaction which has sent Bulk records will not commit.
func (a *Adjudicator) DropBulk(ctx context.Context, id txn.ID) error {
	_, _, err := a.Resolve(ctx, id, 0)
	return err
}

func (a *Adjudicator) appendSealed(t *ticket, at clock.Timestamp) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.usableLocked(); err != nil {
		return err
	}
	txn.SealRecord(t.buf, a.mu.core.gen, at)
	_, err := a.appendLocked(t.buf, t)
	return err
}

// Resolve settles a transaction that this adjudicator leads or led (protocol.md 2.9): committed at a time, or aborted for
// good. Ub is the least upper bound of the attempt's votes, 0 when it is not known.
func (a *Adjudicator) Resolve(ctx context.Context, id txn.ID, ub clock.Timestamp) (txn.Outcome, clock.Timestamp, error) {
	if err := a.landed(ctx, id); err != nil {
		return txn.OutcomeUnknown, 0, err
	}
	outcome, c := a.journal.Resolve(id, ub)
	if outcome != txn.OutcomeInProgress {
		return outcome, c, nil
	}
	// The first of Tx and Tombstone in the log wins.
	rec := txn.Record{Kind: txn.RecordTombstone, ID: id}
	t := a.ticket()
	t.buf = rec.AppendTo(t.buf[:0])
	if err := a.appendSealed(t, 0); err != nil {
		a.done(t)
		return txn.OutcomeUnknown, 0, err
	}
	fate := <-t.ready
	a.done(t)
	switch fate {
	case txn.FateEffective:
		return txn.OutcomeAborted, 0, nil
	case txn.FateSettled:
		outcome, c = a.journal.Outcome(id)
		invariant.Check(outcome != txn.OutcomeInProgress, "I8: transaction %s is settled but not remembered", id)
		return outcome, c, nil
	default:
		return txn.OutcomeUnknown, 0, a.mustTakeEffect(fate)
	}
}

// Promise gives a watermark at exactly atLeast: no later commit is at or below it. It never waits. Ok is false when the
// lease does not reach that far yet, or the adjudicator does not run; PromiseWait then helps, or says why not.
func (a *Adjudicator) Promise(atLeast clock.Timestamp) (txn.Watermark, bool) {
	a.mu.Lock()
	core := a.mu.core
	if a.broken.Load() != nil || a.mu.closed || core.gen == 0 {
		a.mu.Unlock()
		return txn.Watermark{}, false
	}
	a.refreshLocked()
	core.used = true
	if !a.mu.tending {
		a.tendLocked()
	}
	w, ok := core.promise(atLeast)
	a.mu.Unlock()
	return w, ok
}

// Ahead gives a watermark as far ahead of the clock as commit times lie: what is pushed to those who read. Ok is false when the lease has lapsed, or the adjudicator does not run.
func (a *Adjudicator) Ahead() (txn.Watermark, bool) {
	now, err := a.now()
	if err != nil {
		return txn.Watermark{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.usableLocked() != nil {
		return txn.Watermark{}, false
	}
	a.refreshLocked()
	core := a.mu.core
	core.used = true
	if !a.mu.tending {
		a.tendLocked()
	}
	w := min(now.Latest.Add(a.lead.get()), core.hi)
	if w < now.Earliest {
		return txn.Watermark{}, false
	}
	return core.promise(w)
}

// PromiseWait is Promise that renews the lease when it has lapsed, at the cost of one append.
func (a *Adjudicator) PromiseWait(ctx context.Context, atLeast clock.Timestamp) (txn.Watermark, error) {
	for {
		if w, ok := a.Promise(atLeast); ok {
			return w, nil
		}
		if err := a.renewed(ctx, atLeast); err != nil {
			return txn.Watermark{}, err
		}
	}
}

// renewed waits until the interval durably reaches a time. Times further ahead of the clock than a grant are refused:
// leading the interval there would stall every commit.
func (a *Adjudicator) renewed(ctx context.Context, need clock.Timestamp) error {
	now, err := a.now()
	if err != nil {
		return err
	}
	if need > now.Latest.Add(a.cfg.grant()) {
		return failure.New(failure.CannotConnectNow, "time %s is %s ahead of the clock of adjudicator %d",
			need, need.Sub(now.Latest), a.cfg.Journal)
	}
	a.mu.Lock()
	err = a.usableLocked()
	if err == nil {
		err = a.renewLocked(now, need)
	}
	var index uint64
	if err == nil {
		index = a.mu.core.grants.upTo(clock.MaxTimestamp)
	}
	a.mu.Unlock()
	if err != nil {
		return err
	}
	if err := a.wait(ctx, index); err != nil {
		return err
	}
	if err := a.broken.Load(); err != nil {
		return err
	}
	return nil
}
