package coordinator

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// share is what one adjudicator has to do with a transaction.
type share struct {
	journal   txn.JournalID
	adj       Adjudicator
	distance  Distance
	conflicts txn.Conflicts
}

// plan is a commit before it is sent: who takes part, and with what.
type plan struct {
	shares []share
	leader int
	record txn.Record
	images []txn.Image
}

// Commit decides the transaction; see txn.Txn.
func (t *Txn) Commit(ctx context.Context) (clock.Timestamp, error) {
	if t.done {
		return 0, errOver()
	}
	defer t.end()
	if t.buf.n == 0 && !t.mustCheck() {
		return t.snapshot, nil // a read-only commit is free (I9)
	}
	if _, err := t.Snapshot(ctx); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := t.checkLimits(); err != nil {
		return 0, err
	}
	if t.reads.beyond && t.buf.n > 0 {
		return 0, errBeyond()
	}
	t.makeID()
	p := t.plan()
	if err := t.sendBulk(ctx, p); err != nil {
		return 0, err
	}
	return t.decide(ctx, p)
}

// mustCheck says whether a transaction without writes has something to validate: rows that it locked. Schema checks
// alone protect nothing when nothing is written.
func (t *Txn) mustCheck() bool {
	for i := range t.checks {
		if t.checks[i].Mode != txn.CheckSchema {
			return true
		}
	}
	return false
}

// limits are what holds for all, where the transaction has no narrower ones.
func (t *Txn) limits() Limits {
	l, own := t.db.cfg.Limits, &t.opts.Limits
	if own.Rows > 0 {
		l.Rows = own.Rows
	}
	if own.Bytes > 0 {
		l.Bytes = own.Bytes
	}
	if own.Age > 0 {
		l.Age = own.Age
	}
	return l
}

func (t *Txn) checkLimits() error {
	l := t.limits()
	if t.opts.Internal {
		return nil
	}
	if l.Bytes > 0 && t.buf.bytes > l.Bytes {
		return failure.New(failure.ProgramLimitExceeded, "transaction size limit %dmb exceeded", l.Bytes>>20).
			WithDetail("The transaction changes %d bytes.", t.buf.bytes)
	}
	if l.Age > 0 {
		now, ok := t.db.cfg.Clock.Now()
		if !ok {
			return errNoClock()
		}
		if age := now.Latest.Sub(t.snapshot); age > l.Age {
			return failure.New(failure.ProgramLimitExceeded, "transaction age limit of %ds exceeded", int(l.Age/time.Second)).
				WithDetail("The transaction is %d seconds old.", int(age/time.Second))
		}
	}
	return nil
}

// plan cuts the write set and the checks by conflict range.
func (t *Txn) plan() *plan {
	ranges := t.db.cfg.Ranges.Ranges()
	s := splitter{db: t.db, ranges: ranges, shares: make([]share, 0, 1)}
	p := &plan{images: make([]txn.Image, 0, t.buf.live)}
	if len(ranges) == 1 {
		s.at(0).conflicts.Exclusive = make([]keys.Hash, 0, t.buf.live+t.buf.live/2)
	}
	schema := false
	t.eachWrite(func(e *entry) {
		if e.flags&flagSchema != 0 {
			schema = true
			return // goes everywhere, and carries no data
		}
		p.images = append(p.images, txn.Image{Key: e.key, Value: e.value, Delete: e.flags&flagDelete != 0})
		s.write(e)
	})
	for i := range t.checks {
		s.check(&t.checks[i])
	}
	if t.opts.Serializable && t.buf.n > 0 {
		s.serial(t)
	}
	if schema {
		for i := range ranges {
			s.at(i)
		}
	}
	if len(s.shares) == 0 {
		// Only blind writes: any adjudicator can order them.
		s.at(nearest(ranges, int(t.id[15])))
	}
	s.everywhere(t)
	p.shares, p.leader = s.shares, leaderOf(s.shares)
	p.record = txn.Record{Kind: txn.RecordTx, ID: t.id, Start: t.snapshot, Images: p.images}
	if len(p.shares) > 1 {
		for i := range p.shares {
			p.record.Participants = append(p.record.Participants, p.shares[i].journal)
		}
	}
	p.record.Conflicts = recordedConflicts(p.shares)
	return p
}

// recordHashes is how many conflict hashes a record holds at most. Beyond, both hashes of every image's key stand for
// them, which are more: a follower may count a key as written that was not, never the other way round.
const recordHashes = 1 << 16

// recordedConflicts is what the record tells of all participants' conflicts.
func recordedConflicts(shares []share) txn.Conflicts {
	n := 0
	for i := range shares {
		c := &shares[i].conflicts
		n += len(c.Exclusive) + len(c.Shared) + len(c.Marks)
	}
	if len(shares) == 1 && n <= recordHashes {
		return recordMarks(shares[0].conflicts)
	}
	all := txn.Conflicts{Schema: shares[0].conflicts.Schema, SchemaWrites: shares[0].conflicts.SchemaWrites}
	if n > recordHashes {
		return all
	}
	for i := range shares {
		all.Exclusive = append(all.Exclusive, shares[i].conflicts.Exclusive...)
		all.Exclusive = append(all.Exclusive, shares[i].conflicts.Marks...)
		all.Shared = append(all.Shared, shares[i].conflicts.Shared...)
	}
	return all
}

// eachWrite calls f with the newest entry of every key, in the order in which they were written.
func (t *Txn) eachWrite(f func(*entry)) {
	if t.buf.live == t.buf.n {
		for i := int32(0); i < t.buf.n; i++ {
			f(t.buf.at(i))
		}
		return
	}
	for i := int32(0); i < t.buf.n; i++ {
		if e := t.buf.at(i); t.buf.find(e.key) == i {
			f(e)
		}
	}
}

// leaderOf chooses the participant that is farthest away: the others' votes travel with the commit, and what it decides
// is replicated towards here, so that one round trip suffices (protocol.md 2.12). Among equals it is the one with the most
// keys: it has the most to lose from a promise held for another.
func leaderOf(shares []share) int {
	best, most := 0, -1
	for i := range shares {
		n := len(shares[i].conflicts.Exclusive)
		if d := shares[best].distance; shares[i].distance > d || shares[i].distance == d && n > most {
			best, most = i, n
		}
	}
	return best
}

// nearest returns one of the ranges that are nearest, by a random number.
func nearest(ranges []Range, random int) int {
	best, n := ranges[0].Distance, 0
	for i := range ranges {
		if d := ranges[i].Distance; d < best {
			best, n = d, 1
		} else if d == best {
			n++
		}
	}
	for i, k := 0, random%n; ; i++ {
		if ranges[i].Distance != best {
			continue
		}
		if k == 0 {
			return i
		}
		k--
	}
}

// splitter sorts conflict hashes to their owners.
type splitter struct {
	db     *DB
	ranges []Range
	shares []share
}

// at returns the share of the owner of a range.
func (s *splitter) at(r int) *share {
	id := s.ranges[r].Journal
	for i := range s.shares {
		if s.shares[i].journal == id {
			return &s.shares[i]
		}
	}
	s.shares = append(s.shares, share{journal: id, adj: s.ranges[r].Adjudicator, distance: s.ranges[r].Distance})
	return &s.shares[len(s.shares)-1]
}

// owner returns the share that a hash belongs to.
func (s *splitter) owner(h keys.Hash) *share {
	lo, hi := 0, len(s.ranges)
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if s.ranges[mid].Start <= h {
			lo = mid
		} else {
			hi = mid
		}
	}
	return s.at(lo)
}

func (s *splitter) exclusive(k keys.Key, part keys.Part) {
	h := s.db.hashOf(k, part)
	sh := s.owner(h)
	sh.conflicts.Exclusive = append(sh.conflicts.Exclusive, h)
}

func (s *splitter) shared(k keys.Key, part keys.Part) {
	h := s.db.hashOf(k, part)
	sh := s.owner(h)
	sh.conflicts.Shared = append(sh.conflicts.Shared, h)
}

func (s *splitter) write(e *entry) {
	if e.flags&flagBlind != 0 {
		return
	}
	s.exclusive(e.key, keys.PartRow)
	if e.flags&flagIdentity != 0 {
		s.exclusive(e.key, keys.PartIdentity)
	}
}

func (s *splitter) check(c *txn.Check) {
	switch c.Mode {
	case txn.CheckUpdate:
		s.exclusive(c.Key, keys.PartRow)
		s.exclusive(c.Key, keys.PartIdentity)
	case txn.CheckNoKeyUpdate:
		s.exclusive(c.Key, keys.PartRow)
	case txn.CheckShare:
		s.shared(c.Key, keys.PartRow)
	case txn.CheckKeyShare:
		s.shared(c.Key, keys.PartIdentity)
	case txn.CheckSchema: // goes everywhere
	}
}

// everywhere adds the schema checks and schema writes to every share.
func (s *splitter) everywhere(t *Txn) {
	var checks, writes []keys.Hash
	for i := range t.checks {
		if t.checks[i].Mode == txn.CheckSchema {
			checks = append(checks, s.db.hashOf(t.checks[i].Key, keys.PartRow))
		}
	}
	t.eachWrite(func(e *entry) {
		if e.flags&flagSchema != 0 {
			writes = append(writes, s.db.hashOf(e.key, keys.PartRow))
		}
	})
	for i := range s.shares {
		s.shares[i].conflicts.Schema = checks
		s.shares[i].conflicts.SchemaWrites = writes
	}
}

// sendBulk sends the images of a big write set ahead, all but the last chunk.
func (t *Txn) sendBulk(ctx context.Context, p *plan) error {
	if t.buf.bytes <= t.db.cfg.BulkBytes {
		return nil
	}
	size, from := int64(0), 0
	for i := range p.images {
		size += int64(len(p.images[i].Key) + len(p.images[i].Value))
		if size < t.db.cfg.BulkBytes {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := p.shares[p.leader].adj.Bulk(ctx, t.id, p.record.Chunks, p.images[from:i+1])
		if err != nil {
			return failure.New(failure.SerializationFailure, "could not send the transaction's rows ahead").WithCause(err)
		}
		p.record.Chunks++
		from, size = i+1, 0
	}
	p.record.Images = p.images[from:]
	return nil
}

// decide runs commit attempts until there is an outcome. Attempts that merely met a busy or unready adjudicator are
// repeated with the same leader (I8); the client never hears of them.
func (t *Txn) decide(ctx context.Context, p *plan) (clock.Timestamp, error) {
	for attempt := uint32(1); ; attempt++ {
		r, err := t.attempt(ctx, p, attempt)
		if err != nil {
			return 0, err
		}
		switch r.Reason {
		case txn.ReasonNone:
			// Commit wait: usually over already, because the append took longer than the lead.
			if !t.db.cfg.Clock.WaitPast(r.Time, ctx.Done()) {
				// It is committed, but must not be acknowledged before its time has passed everywhere (I1). While the clock's error
				// is not bounded that may take for ever.
				return 0, errUnknown(ctx.Err())
			}
			return r.Time, nil
		case txn.ReasonBusy, txn.ReasonNotReady, txn.ReasonExpired:
			if int(attempt) < t.db.cfg.Attempts {
				if err := t.backoff(ctx, attempt); err != nil {
					return 0, err
				}
				continue
			}
		case txn.ReasonWrongOwner:
			// A refused attempt leaves nothing behind; the client's next transaction starts from the true directory.
			if err := t.db.cfg.Ranges.Refresh(ctx); err != nil {
				return 0, failure.New(failure.SerializationFailure, "conflict range has moved").WithCause(err)
			}
		}
		return 0, conflictError(r, t.opts.Serializable)
	}
}

// attempt makes one commit attempt. An error means that nothing was committed, or is 40003.
func (t *Txn) attempt(ctx context.Context, p *plan, attempt uint32) (Result, error) {
	leader := &p.shares[p.leader]
	p.record.Attempt = attempt
	r := &CommitRequest{ID: t.id, Attempt: attempt, Start: t.snapshot, Conflicts: leader.conflicts, Record: &p.record,
		NoWait: true}
	bound := clock.MaxTimestamp
	if len(p.shares) > 1 {
		var no *Result
		if r.Votes, no = t.prepare(ctx, p, attempt); no != nil {
			t.abort(p, attempt)
			return *no, nil
		}
		for i := range r.Votes {
			bound = min(bound, r.Votes[i].Upper)
		}
		r.Proposed = func(c clock.Timestamp) { t.goAhead(p, c) }
	}
	res, err := t.lead(ctx, leader, r)
	switch {
	case err != nil && ctx.Err() != nil && !failure.OutcomeUnknown(err):
		t.abort(p, attempt)
		return Result{}, ctx.Err()
	case failure.OutcomeUnknown(err):
		return t.resolve(ctx, p, bound, err)
	case err != nil:
		t.abort(p, attempt)
		return Result{}, failure.New(failure.SerializationFailure, "transaction was not committed: %v", err).WithCause(err)
	case res.Reason != txn.ReasonNone:
		t.abort(p, attempt)
	}
	return res, nil
}

// prepare collects the votes of all participants but the leader at once; no is the refusal to report when there is one.
// The last participant is asked in the caller's goroutine: mostly it is the only one.
func (t *Txn) prepare(ctx context.Context, p *plan, attempt uint32) (votes []txn.Vote, no *Result) {
	answers := make(chan txn.Vote, len(p.shares))
	ask := func(s *share) {
		v, err := s.adj.Prepare(ctx, &PrepareRequest{ID: t.id, Attempt: attempt, Start: t.snapshot,
			Leader: p.shares[p.leader].journal, Conflicts: s.conflicts})
		if err != nil {
			v = txn.Vote{From: s.journal, Reason: txn.ReasonNotReady}
		}
		answers <- v
	}
	last := len(p.shares) - 1
	if last == p.leader {
		last--
	}
	for i := range last {
		if i != p.leader {
			go ask(&p.shares[i])
		}
	}
	ask(&p.shares[last])
	votes = make([]txn.Vote, 0, len(p.shares)-1)
	for range len(p.shares) - 1 {
		v := <-answers
		votes = append(votes, v)
		if !v.Yes && (no == nil || final(v.Reason) && !final(no.Reason)) {
			no = &Result{Reason: v.Reason, Conflicting: v.Conflicting}
		}
	}
	return votes, no
}

// final says whether repeating the same commit cannot help.
func final(r txn.Reason) bool {
	return r == txn.ReasonConflict || r == txn.ReasonSchema || r == txn.ReasonTooOld
}

// goAhead and abort tell the participants what became of an attempt. Whoever misses it finds out from the journal, or
// lets its promise run out.
func (t *Txn) goAhead(p *plan, c clock.Timestamp) {
	for i := range p.shares {
		if i != p.leader {
			p.shares[i].adj.GoAhead(t.id, c)
		}
	}
}

func (t *Txn) abort(p *plan, attempt uint32) {
	for i := range p.shares {
		if i != p.leader {
			p.shares[i].adj.GoAbort(t.id, attempt)
		}
	}
}

// lead asks the leader to decide. When it is on another node, the journal's replica on this one may know first.
func (t *Txn) lead(ctx context.Context, leader *share, r *CommitRequest) (Result, error) {
	if leader.distance == Here || t.db.cfg.Learn == nil {
		return leader.adj.Commit(ctx, r)
	}
	learned := make(chan clock.Timestamp, 1)
	cancel, ok := t.db.cfg.Learn.Learn(leader.journal, t.id, func(o txn.Outcome, c clock.Timestamp) {
		if o == txn.OutcomeCommitted {
			learned <- c
		}
	})
	if !ok {
		return leader.adj.Commit(ctx, r)
	}
	defer cancel()
	asking, stop := context.WithCancel(ctx)
	defer stop()
	type answer struct {
		res Result
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		res, err := leader.adj.Commit(asking, r)
		answered <- answer{res, err}
	}()
	select {
	case c := <-learned:
		stop()
		<-answered // a cancelled call ends at once; the request is not used any more then
		return Result{Time: c}, nil
	case a := <-answered:
		if a.err != nil || a.res.Reason != txn.ReasonNone {
			select {
			case c := <-learned:
				return Result{Time: c}, nil
			default:
			}
		}
		return a.res, a.err
	}
}

// resolve finds out what became of an attempt whose answer was lost.
func (t *Txn) resolve(ctx context.Context, p *plan, bound clock.Timestamp, cause error) (Result, error) {
	o, c, err := p.shares[p.leader].adj.Resolve(context.WithoutCancel(ctx), t.id, bound)
	switch {
	case err == nil && o == txn.OutcomeCommitted:
		t.goAhead(p, c)
		return Result{Time: c}, nil
	case err == nil && o == txn.OutcomeAborted && !t.named && p.record.Chunks == 0:
		// Settled for ever: a repetition under this id would be refused. But nobody knows the id, so there can be another.
		t.abort(p, p.record.Attempt)
		t.hasID = false
		t.makeID()
		p.record.ID = t.id
		return Result{Reason: txn.ReasonNotReady}, nil
	case err == nil && o == txn.OutcomeAborted:
		t.abort(p, p.record.Attempt)
		return Result{}, failure.New(failure.SerializationFailure, "transaction was not committed because its adjudicator changed").
			WithCause(cause)
	default:
		return Result{}, errUnknown(cause)
	}
}

func errUnknown(cause error) error {
	return failure.New(failure.StatementCompletionUnknown, "transaction outcome is unknown").
		WithHint("Ask for it with pg_xact_status().").WithCause(cause)
}

// backoff waits a little, longer with every attempt, and differently for everyone.
func (t *Txn) backoff(ctx context.Context, attempt uint32) error {
	limit := uint64(100*time.Microsecond) << min(attempt, 8)
	return t.db.cfg.Time.Sleep(ctx, time.Duration(limit/2+t.db.cfg.Random.Uint64()%(limit/2)))
}

// conflictError is what the client hears of a refusal.
func conflictError(d Result, serializable bool) error {
	e := failure.New(failure.SerializationFailure, "change conflicts with another transaction (OC000)")
	switch d.Reason {
	case txn.ReasonConflict:
		if serializable {
			e = serializationError()
		}
	case txn.ReasonSchema:
		e = failure.New(failure.SerializationFailure, "schema has been updated by another transaction (OC001)")
	case txn.ReasonTooOld:
		e.Detail = "The transaction began before its adjudicator's memory."
	case txn.ReasonBusy, txn.ReasonNotReady, txn.ReasonExpired:
		e.Detail = "The adjudicators stayed busy."
	case txn.ReasonWrongOwner:
		e.Detail = "A conflict range has moved."
	}
	e.RetryAfter = uint64(d.Conflicting)
	return e
}
