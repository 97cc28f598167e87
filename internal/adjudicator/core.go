package adjudicator

import (
	"bytes"
	"slices"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator/conflict"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// core is the adjudicator's state and its steps (protocol.md 2.4 to 2.7 and appendix A). It does no I/O, reads no clock and
// has no goroutine: every step gets the time it needs and returns what it decided. The shell calls it under its mutex.
type core struct {
	cfg  *Config
	gen  txn.Generation
	lo   clock.Timestamp
	hi   clock.Timestamp // granted durably: votes and watermarks lie at or below it
	ask  clock.Timestamp // granted as soon as the log gets there: commit times lie at or below it
	last clock.Timestamp // highest commit time or watermark; every later commit is above it
	vote clock.Timestamp // highest bound of a vote

	floor    clock.Timestamp
	ranges   []owned
	window   *conflict.Window
	promises map[txn.ID]*promise
	held     map[keys.Hash]hold       // the keys of all promises, but for what the big ones write
	marked   map[keys.Hash][]*promise // the granules in which promises write
	big      []*promise               // promises with a set of their own
	writers  writers
	// abandoned remembers, until ub has passed, up to which attempt a transaction was given up by this leader.
	abandoned map[txn.ID]abandonment
	sweepAt   int // number of promises at which the expired ones are looked for

	flight  ring // transactions on their way to the log
	grants  ring // grants on their way to the log
	settled []txn.ID
	ablate  ablation
	used    bool // since takeUsed was called last
}

// ablation drops rules, so that tests can prove that they would notice. All false outside of them.
type ablation struct {
	forgetExpired   bool // a promise that ran out leaves no mark
	keepFloor       bool // a new owner judges snapshots from before its time
	ignoreUpper     bool // the leader commits above the votes' bounds
	noIndex         bool // a watermark points at what is durable, not at what was proposed
	forgetWatermark bool // commits are not kept above watermarks
	ignorePromises  bool // open promises are not looked at
}

// takeUsed says whether the core was used since the last call.
func (c *core) takeUsed() bool {
	u := c.used
	c.used = false
	return u
}

// promise is a yes vote that is still open: until ub, nobody else gets its keys.
type promise struct {
	id        txn.ID
	attempt   uint32
	leader    txn.JournalID
	start     clock.Timestamp
	lb, ub    clock.Timestamp
	exclusive []keys.Hash
	shared    []keys.Hash
	marks     []keys.Hash
	set       hashSet // exclusive, when there are many
}

// hold counts the promises on a key: the one that writes it, those that share it.
type hold struct {
	writer  *promise
	sharers []*promise
}

type abandonment struct {
	attempt uint32
	ub      clock.Timestamp
}

// verdict of a check: a refusal, or whom to wait for, or neither.
type verdict struct {
	reason      txn.Reason
	conflicting clock.Timestamp
	wait        *promise // older than its holder: wait until it is settled, or its ub at the latest
}

func newCore(cfg *Config) *core {
	c := &core{cfg: cfg}
	c.setRanges(nil)
	return c
}

// own starts a generation whose Own record has an index: nothing of what came before is remembered, and the floor stands
// in for it (I3, I6). Watermarks never point before that index: what the predecessors left in the log lies there.
func (c *core) own(gen txn.Generation, lo clock.Timestamp, index uint64) {
	invariant.Check(gen > c.gen && lo >= c.ask, "I3: generation %d from %s follows %d up to %s", gen, lo, c.gen, c.ask)
	c.gen, c.lo, c.hi, c.ask, c.last, c.vote, c.floor = gen, lo, lo, lo, lo, lo, lo
	if c.ablate.keepFloor {
		c.floor = 0
	}
	c.window = conflict.New(c.cfg.Window, c.floor)
	c.promises, c.held, c.marked, c.big = map[txn.ID]*promise{}, map[keys.Hash]hold{}, nil, nil
	c.abandoned = map[txn.ID]abandonment{}
	c.sweepAt = 64
	c.flight, c.grants = ring{gone: index}, ring{gone: index}
}

// durable hears that the log has been applied up to an index.
func (c *core) durable(index uint64) {
	c.flight.pop(index, nil)
	c.grants.pop(index, func(hi clock.Timestamp) { c.hi = max(c.hi, hi) })
}

// renewal returns the hi to ask for when less than half a grant is left, or when need lies above it; zero when there is
// enough.
func (c *core) renewal(now clock.Interval, need clock.Timestamp) clock.Timestamp {
	grant := c.cfg.grant()
	if c.ask >= now.Latest.Add(grant/2) && c.ask >= need {
		return 0
	}
	return max(now.Latest, c.lo, need).Add(grant)
}

// asked notes a grant that has been queued at an index.
func (c *core) asked(hi clock.Timestamp, index uint64) {
	invariant.Check(hi > c.ask, "I3: grant lowered from %s to %s", c.ask, hi)
	c.ask = hi
	c.grants.push(flying{time: hi, index: index})
}

// request is what a prepare or a commit asks of this adjudicator.
type request struct {
	id        txn.ID
	attempt   uint32
	start     clock.Timestamp
	conflicts *txn.Conflicts
}

// owner finds the range of a hash.
func (c *core) owner(h keys.Hash) (r owned, ok bool) {
	for _, r := range c.ranges {
		if r.Contains(h) {
			return r, true
		}
	}
	return owned{}, false
}

// check applies rules 1 to 4 of protocol.md 2.4 and returns the time that every bound must exceed.
func (c *core) check(now clock.Interval, r *request) (above clock.Timestamp, v verdict) {
	for _, hs := range [...][]keys.Hash{r.conflicts.Exclusive, r.conflicts.Shared, r.conflicts.Marks} {
		for _, h := range hs {
			o, ok := c.owner(h) // schema keys are everywhere keys: every adjudicator owns them
			if !ok {
				return 0, verdict{reason: txn.ReasonWrongOwner}
			}
			if r.start < o.fence {
				return 0, verdict{reason: txn.ReasonTooOld, conflicting: o.fence}
			}
		}
	}
	if r.start < max(c.floor, c.window.Floor()) {
		return 0, verdict{reason: txn.ReasonTooOld, conflicting: max(c.floor, c.window.Floor())}
	}
	if len(c.promises) > 0 && !c.ablate.ignorePromises {
		if v := c.checkPromises(now, r); v.wait != nil || v.reason != txn.ReasonNone {
			return 0, v
		}
	}
	own := c.writers.number(r.id)
	k := keyCheck{core: c, start: r.start, own: own}
	k.exclusive(r.conflicts.Exclusive, txn.ReasonConflict)
	k.shared(r.conflicts.Shared, txn.ReasonConflict)
	k.shared(r.conflicts.Schema, txn.ReasonSchema)
	k.exclusive(r.conflicts.SchemaWrites, txn.ReasonSchema)
	for _, h := range r.conflicts.Marks {
		// Whoever has looked there and committed is served by coming first.
		k.above = max(k.above, c.window.Get(h).Shared)
	}
	return k.above, k.verdict
}

// keyCheck compares a transaction's keys with the window (rule 3). It goes on after a conflict, to report the latest time
// lost against: a retry from there does not meet the next one.
type keyCheck struct {
	core    *core
	start   clock.Timestamp
	own     uint32 // the writer's number of the transaction itself, 0 for none
	above   clock.Timestamp
	verdict verdict
}

func (k *keyCheck) exclusive(hs []keys.Hash, reason txn.Reason) {
	for _, h := range hs {
		m := k.core.window.Get(h)
		k.above = max(k.above, m.Write, m.Shared)
		if m.Write > k.start && (m.Writer == 0 || m.Writer != k.own) {
			k.lost(reason, m.Write)
		}
		if m.Shared > k.start {
			k.lost(reason, m.Shared)
		}
	}
}

func (k *keyCheck) shared(hs []keys.Hash, reason txn.Reason) {
	for _, h := range hs {
		m := k.core.window.Get(h)
		k.above = max(k.above, m.Write)
		if m.Write > k.start && (m.Writer == 0 || m.Writer != k.own) {
			k.lost(reason, m.Write)
		}
	}
}

func (k *keyCheck) lost(reason txn.Reason, t clock.Timestamp) {
	if k.verdict.reason != txn.ReasonSchema {
		k.verdict.reason = reason
	}
	k.verdict.conflicting = max(k.verdict.conflicting, t)
}

// checkPromises settles the requester with the open promises on its keys (rule 4).
func (c *core) checkPromises(now clock.Interval, r *request) verdict {
	for _, hs := range [...][]keys.Hash{r.conflicts.Exclusive, r.conflicts.SchemaWrites, r.conflicts.Marks} {
		for _, h := range hs {
			for {
				o := c.holder(h, r.id, true)
				if o == nil {
					break
				}
				if v, open := c.meet(now, r, o); open {
					return v
				}
			}
		}
	}
	for _, hs := range [...][]keys.Hash{r.conflicts.Shared, r.conflicts.Schema} {
		for _, h := range hs {
			for {
				o := c.holder(h, r.id, false)
				if o == nil {
					break
				}
				if v, open := c.meet(now, r, o); open {
					return v
				}
			}
		}
	}
	return verdict{}
}

// holder returns a promise that conflicts with what id wants of a key.
func (c *core) holder(h keys.Hash, id txn.ID, exclusive bool) *promise {
	for _, p := range c.big {
		if p.id != id && p.set.has(h) {
			return p
		}
	}
	if !exclusive && len(c.marked) > 0 {
		for _, p := range c.marked[h] {
			if p.id != id {
				return p
			}
		}
	}
	return c.held[h].other(id, exclusive)
}

// other returns a promise on the key that conflicts with a request of id.
func (h hold) other(id txn.ID, exclusive bool) *promise {
	if h.writer != nil && h.writer.id != id {
		return h.writer
	}
	if exclusive {
		for _, o := range h.sharers {
			if o.id != id {
				return o
			}
		}
	}
	return nil
}

// meet folds o when its fate does not matter to r any more, or is known; else it says who waits (wait-die).
func (c *core) meet(now clock.Interval, r *request, o *promise) (v verdict, open bool) {
	if r.start >= o.ub {
		c.fold(o, o.ub) // whatever became of o, the requester's snapshot has seen it
		return verdict{}, false
	}
	if c.cfg.Fate != nil {
		switch t, outcome := c.cfg.Fate(o.leader, o.id, o.ub); outcome {
		case txn.OutcomeCommitted:
			c.fold(o, t)
			return verdict{}, false
		case txn.OutcomeAborted:
			c.drop(o)
			return verdict{}, false
		}
	}
	if now.Earliest > o.ub {
		if c.ablate.forgetExpired {
			c.drop(o)
		} else {
			c.fold(o, o.ub) // its time has run out: presumed written at the end of it
		}
		return verdict{}, false
	}
	if older(r.start, r.id, o) {
		return verdict{wait: o}, true
	}
	return verdict{reason: txn.ReasonBusy, conflicting: o.ub}, true
}

// older orders transactions for wait-die: waits go from old to young only, so they make no cycle.
func older(start clock.Timestamp, id txn.ID, o *promise) bool {
	if start != o.start {
		return start < o.start
	}
	return bytes.Compare(id[:], o.id[:]) < 0
}

// prepare decides a vote (rule 5 and 6). The caller has no lease worries: ub is cut at what is granted durably.
func (c *core) prepare(now clock.Interval, r *request, leader txn.JournalID) (txn.Vote, *promise) {
	no := func(v verdict) txn.Vote {
		return txn.Vote{From: c.cfg.Journal, Gen: c.gen, Reason: v.reason, Conflicting: v.conflicting}
	}
	c.sweep(now)
	mine := c.promises[r.id]
	if mine != nil {
		switch {
		case mine.leader != leader || mine.attempt > r.attempt:
			return no(verdict{reason: txn.ReasonBusy}), nil
		case mine.attempt == r.attempt:
			return c.yes(mine), nil
		}
	}
	above, v := c.check(now, r)
	if v.wait != nil {
		return txn.Vote{}, v.wait
	}
	if v.reason != txn.ReasonNone {
		return no(v), nil
	}
	lb := max(now.Latest, r.start+1, c.lo+1, above+1)
	hold := c.cfg.promiseFor(r.conflicts)
	ub := min(lb.Add(hold), c.hi)
	if ub < lb || hold > c.cfg.promise() && ub < lb.Add(hold) {
		return no(verdict{reason: txn.ReasonNotReady}), nil
	}
	if mine != nil {
		// A later attempt of the same leader: it has given the earlier one up. The keys stay held without a gap.
		c.unhold(mine)
	}
	p := &promise{id: r.id, attempt: r.attempt, leader: leader, start: r.start, lb: lb, ub: ub}
	p.exclusive = append(append(p.exclusive, r.conflicts.Exclusive...), r.conflicts.SchemaWrites...)
	p.shared = append(append(p.shared, r.conflicts.Shared...), r.conflicts.Schema...)
	p.marks = slices.Clone(r.conflicts.Marks)
	c.vote = max(c.vote, ub)
	c.hold(p)
	return c.yes(p), nil
}

func (c *core) yes(p *promise) txn.Vote {
	invariant.Check(p.ub <= c.hi && p.lb > c.lo, "I3: vote [%s, %s] outside (%s, %s]", p.lb, p.ub, c.lo, c.hi)
	return txn.Vote{From: c.cfg.Journal, Gen: c.gen, Yes: true, Lower: p.lb, Upper: p.ub}
}

func (c *core) hold(p *promise) {
	c.promises[p.id] = p
	if len(p.exclusive) >= bigPromise {
		p.set = newHashSet(p.exclusive)
		c.big = append(c.big, p)
	} else {
		for _, h := range p.exclusive {
			k := c.held[h]
			k.writer = p
			c.held[h] = k
		}
	}
	for _, h := range p.shared {
		k := c.held[h]
		k.sharers = append(k.sharers, p)
		c.held[h] = k
	}
	if c.marked == nil && len(p.marks) > 0 {
		c.marked = map[keys.Hash][]*promise{}
	}
	for _, h := range p.marks {
		c.marked[h] = append(c.marked[h], p)
	}
}

func (c *core) unhold(p *promise) {
	delete(c.promises, p.id)
	for _, h := range p.marks {
		left := slices.DeleteFunc(c.marked[h], func(o *promise) bool { return o == p })
		if c.marked[h] = left; len(left) == 0 {
			delete(c.marked, h)
		}
	}
	exclusive := p.exclusive
	if i := slices.Index(c.big, p); i >= 0 {
		c.big = slices.Delete(c.big, i, i+1)
		exclusive = nil
	}
	for _, hs := range [...][]keys.Hash{exclusive, p.shared} {
		for _, h := range hs {
			k, ok := c.held[h]
			if !ok {
				continue
			}
			if k.writer == p {
				k.writer = nil
			}
			for i := 0; i < len(k.sharers); i++ {
				if k.sharers[i] == p {
					k.sharers = append(k.sharers[:i:i], k.sharers[i+1:]...)
					i--
				}
			}
			if k.writer == nil && len(k.sharers) == 0 {
				delete(c.held, h)
			} else {
				c.held[h] = k
			}
		}
	}
}

// fold turns a promise into writes and shared reads at t: at its commit time, or at its bound when nobody knows.
func (c *core) fold(p *promise, t clock.Timestamp) {
	w := c.writers.add(p.id)
	c.window.Reserve(len(p.exclusive) + len(p.shared) + len(p.marks))
	for _, h := range p.exclusive {
		c.window.Write(h, t, w)
	}
	for _, h := range p.shared {
		c.window.Share(h, t)
	}
	for _, h := range p.marks {
		c.window.Write(h, t, w)
	}
	c.drop(p)
}

// drop forgets a promise whose transaction did not commit.
func (c *core) drop(p *promise) {
	c.unhold(p)
	c.settled = append(c.settled, p.id)
}

// goAhead hears from the leader that a transaction commits at t.
func (c *core) goAhead(id txn.ID, t clock.Timestamp) {
	if p := c.promises[id]; p != nil {
		invariant.Check(t <= p.ub, "I6: %s commits at %s, promised up to %s", id, t, p.ub)
		c.fold(p, t)
	}
}

// goAbort hears from the leader that it has given up an attempt and all before it.
func (c *core) goAbort(id txn.ID, attempt uint32) {
	if p := c.promises[id]; p != nil && p.attempt <= attempt {
		c.drop(p)
	}
}

// sweep folds promises that ran out and that nobody asked about.
func (c *core) sweep(now clock.Interval) {
	if len(c.promises) < c.sweepAt {
		return
	}
	for _, p := range c.promises {
		if now.Earliest > p.ub {
			c.fold(p, p.ub)
		}
	}
	for id, a := range c.abandoned {
		if c.last >= a.ub {
			delete(c.abandoned, id)
		}
	}
	c.sweepAt = max(64, 2*len(c.promises))
}

// decide is the leader's decision (2.5), with its own check fused in. With ReasonNone the caller must append the record
// with the time returned, behind everything appended before, and call proposed.
func (c *core) decide(now clock.Interval, lead time.Duration, r *request, votes []txn.Vote) (clock.Timestamp, verdict) {
	if a, ok := c.abandoned[r.id]; ok && r.attempt <= a.attempt {
		return 0, verdict{reason: txn.ReasonExpired}
	}
	lower, upper := clock.Timestamp(0), clock.MaxTimestamp
	for i := range votes {
		v := &votes[i]
		if !v.Yes {
			c.abandon(r, votes)
			return 0, verdict{reason: v.Reason, conflicting: v.Conflicting}
		}
		lower, upper = max(lower, v.Lower), min(upper, v.Upper)
	}
	above, v := c.check(now, r)
	if v.wait != nil {
		return 0, v
	}
	if v.reason != txn.ReasonNone {
		c.abandon(r, votes)
		return 0, v
	}
	t := max(now.Latest.Add(lead), c.last+1, r.start+1, above+1, lower)
	if t > upper && !c.ablate.ignoreUpper {
		c.abandon(r, votes)
		return 0, verdict{reason: txn.ReasonExpired}
	}
	if t > now.Latest.Add(c.cfg.grant()) {
		// A vote or a snapshot from a clock far ahead of this one. Leading the interval there would stall everybody.
		c.abandon(r, votes)
		return 0, verdict{reason: txn.ReasonNotReady}
	}
	return t, verdict{}
}

// abandon gives an attempt up for good; only then may GoAbort be sent for it (2.5.4).
func (c *core) abandon(r *request, votes []txn.Vote) {
	if len(votes) == 0 {
		return // no promise is open anywhere
	}
	ub := clock.Timestamp(0)
	for i := range votes {
		ub = max(ub, votes[i].Upper)
	}
	if len(c.abandoned) >= 1<<16 {
		for id, a := range c.abandoned {
			if c.last >= a.ub {
				delete(c.abandoned, id)
			}
		}
	}
	c.abandoned[r.id] = abandonment{attempt: r.attempt, ub: ub}
}

// proposed takes over a decision whose record has been queued at an index. The writes count from now on: should the
// record have no effect after all, that costs others a retry and nothing else.
func (c *core) proposed(r *request, t clock.Timestamp, index uint64) {
	if t <= c.last || t <= c.lo || t > c.ask { // spelt out: the arguments of a Check are allocated whether it holds or not
		invariant.Unreachable("I2, I3, I4: commit time %s after %s in (%s, %s]", t, c.last, c.lo, c.ask)
	}
	c.last = t
	c.flight.push(flying{time: t, index: index, id: r.id})
	if p := c.promises[r.id]; p != nil {
		c.drop(p)
	}
	n := len(r.conflicts.Exclusive) + len(r.conflicts.Shared) + len(r.conflicts.Marks)
	c.window.Reserve(n)
	for _, h := range r.conflicts.Exclusive {
		c.window.Write(h, t, 0)
	}
	for _, h := range r.conflicts.SchemaWrites {
		c.window.Write(h, t, 0)
	}
	for _, h := range r.conflicts.Marks {
		c.window.Write(h, t, 0)
	}
	for _, h := range r.conflicts.Shared {
		c.window.Share(h, t)
	}
	for _, h := range r.conflicts.Schema {
		c.window.Share(h, t)
	}
	c.window.Forget(t.Add(-c.cfg.WindowAge), 2*(n+1))
}

// promise makes a watermark at t: from now on everything is above t (I4). Ok is false when t is above what is granted.
func (c *core) promise(t clock.Timestamp) (txn.Watermark, bool) {
	if t > c.hi {
		return txn.Watermark{}, false
	}
	if !c.ablate.forgetWatermark {
		c.last = max(c.last, t)
	}
	if c.ablate.noIndex {
		return txn.Watermark{Journal: c.cfg.Journal, Gen: c.gen, Index: c.flight.gone, Time: t}, true
	}
	return txn.Watermark{Journal: c.cfg.Journal, Gen: c.gen, Index: c.flight.upTo(t), Time: t}, true
}

// end returns the time to retire at: everything that was ever issued lies at or below it.
func (c *core) end() clock.Timestamp {
	return max(c.last, c.vote)
}
