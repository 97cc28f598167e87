package adjudicator

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/txn"
)

// Adjudicator decides transactions for its range of conflict hashes, and owns a journal to record them in.
type Adjudicator struct {
	cfg     Config
	clock   clock.Clock
	time    host.Time
	journal Journal
	lead    leadEstimate
	// sampling is set while somebody feeds the lead.
	sampling atomic.Bool
	broken   atomic.Pointer[failure.Error] // why nothing more is decided: another owner, or a broken rule
	down     chan struct{}                 // closed when broken is set

	mu struct {
		sync.Mutex
		core    *core
		waiting map[txn.ID]chan struct{} // closed when a promise is settled
		used    time.Duration            // monotonic time of the last use
		tending bool                     // a tend call is due
		closed  bool
		stop    func() bool
		tends   sync.WaitGroup
	}

	tickets sync.Pool // *ticket
}

// New makes an adjudicator; Start lets it work. The journal must be its alone.
func New(cfg Config, clk clock.Clock, tm host.Time, j Journal) *Adjudicator {
	cfg.ensureDefaults()
	a := &Adjudicator{cfg: cfg, clock: clk, time: tm, journal: j, down: make(chan struct{})}
	a.lead.init(&a.cfg)
	a.mu.core = newCore(&a.cfg)
	a.mu.waiting = map[txn.ID]chan struct{}{}
	a.tickets.New = func() any { return &ticket{ready: make(chan txn.Fate, 1)} }
	return a
}

// ticket waits for the fate of one record, and lends its buffer to it.
type ticket struct {
	ready chan txn.Fate
	buf   []byte
}

// Appended implements txn.Receipt.
func (t *ticket) Appended(_ uint64, fate txn.Fate) { t.ready <- fate }

func (a *Adjudicator) ticket() *ticket { return a.tickets.Get().(*ticket) }

// done gives a ticket back once its receipt has come. Buffers of large transactions are not kept.
func (a *Adjudicator) done(t *ticket) {
	if cap(t.buf) > 64<<10 {
		t.buf = nil
	}
	a.tickets.Put(t)
}

// advancer is a clock that can be told how far time has come; a process alone has one.
type advancer interface{ Advance(clock.Timestamp) }

// Start takes the journal over: it waits until this node may append, records a new generation whose interval starts where
// all earlier ones end, and asks for a first grant. The record closes everything up to there, so that reads go on at once;
// commits carry times above it, and with a clock that other machines share they are acknowledged once the interval of the
// predecessor is over, which takes a grant's length at most. An error for which NotOwner holds means that the journal
// stopped leading here meanwhile.
func (a *Adjudicator) Start(ctx context.Context) error {
	gen, err := a.journal.WaitLeader(ctx)
	if err != nil {
		return err
	}
	a.cfg.look()
	lo := max(a.journal.Lease().Hi, 1)
	if c, ok := a.clock.(advancer); ok {
		c.Advance(lo)
	}
	now, err := a.now()
	if err != nil {
		return err
	}
	a.mu.Lock()
	own, grant := a.ticket(), a.ticket()
	own.buf = sealed(own.buf, &txn.Record{Kind: txn.RecordOwn, Gen: gen, Time: lo})
	index, err := a.appendLocked(own.buf, own)
	if err == nil {
		a.mu.core.own(gen, lo, index)
		if m, ok := a.journal.(mover); ok {
			a.mu.core.setRanges(m.Moves())
		}
		err = a.grantLocked(a.mu.core.renewal(now, max(now.Latest, lo+1)), grant)
		if err != nil {
			grant.ready <- txn.FateDropped
		}
	}
	a.mu.used = a.time.Monotonic()
	a.mu.Unlock()
	if err != nil {
		return err
	}
	for _, t := range []*ticket{own, grant} {
		if err := a.mustTakeEffect(<-t.ready); err != nil {
			return err
		}
		a.done(t)
	}
	a.mu.Lock()
	a.refreshLocked()
	a.tendLocked()
	a.mu.Unlock()
	return nil
}

// Close retires: it records the last time ever issued, so that the successor need not wait until the lease runs out.
// Nothing is decided afterwards. The journal is closed, or its leadership handed over, later, by its owner.
func (a *Adjudicator) Close(context.Context) error {
	a.mu.Lock()
	if a.endLocked() {
		a.mu.Unlock()
		return nil
	}
	c := a.mu.core
	if c.gen == 0 || a.broken.Load() != nil {
		a.mu.Unlock()
		a.mu.tends.Wait()
		return nil
	}
	t := a.ticket()
	t.buf = sealed(t.buf, &txn.Record{Kind: txn.RecordRetire, Gen: c.gen, Time: c.end()})
	_, err := a.journal.Append(t.buf, t)
	a.mu.Unlock()
	a.mu.tends.Wait()
	if err != nil {
		return err
	}
	return a.mustTakeEffect(<-t.ready)
}

// Stop ends an adjudicator without writing anything: its journal does not lead here any more. Everybody who waits is told
// so; those whose record is on its way to the log hear of its fate from the journal.
func (a *Adjudicator) Stop() {
	a.stepDown()
	a.mu.Lock()
	a.endLocked()
	a.mu.Unlock()
	a.mu.tends.Wait()
}

// endLocked stops the renewal of the lease, and says whether that was done before.
func (a *Adjudicator) endLocked() bool {
	if a.mu.closed {
		return true
	}
	a.mu.closed = true
	if a.mu.stop != nil && a.mu.stop() {
		a.mu.tends.Done()
	}
	return false
}

func sealed(buf []byte, r *txn.Record) []byte { return r.AppendTo(buf[:0]) }

// now reads the clock; without a bound on its error nothing may be decided (I1).
func (a *Adjudicator) now() (clock.Interval, error) {
	now, ok := a.clock.Now()
	if !ok {
		return now, failure.New(failure.CannotConnectNow, "the clock of this node has no known error bound")
	}
	return now, nil
}

// refreshLocked lets the core see how far the log is.
func (a *Adjudicator) refreshLocked() { a.mu.core.durable(a.journal.Committed()) }

// grantLocked queues a grant.
func (a *Adjudicator) grantLocked(hi clock.Timestamp, r txn.Receipt) error {
	rec := txn.Record{Kind: txn.RecordGrant, Gen: a.mu.core.gen, Time: hi}
	index, err := a.appendLocked(rec.AppendTo(nil), r)
	if err != nil {
		return err
	}
	a.mu.core.asked(hi, index)
	return nil
}

// renewLocked asks for more of the interval when half of a grant is used up, or when need lies outside. Grants travel in
// the same batch as the commits that caused them, and cost no sync of their own then.
func (a *Adjudicator) renewLocked(now clock.Interval, need clock.Timestamp) error {
	hi := a.mu.core.renewal(now, need)
	if hi == 0 {
		return nil
	}
	return a.grantLocked(hi, (*watchdog)(a))
}

// watchdog receives the fates of grants: one without effect means that another generation has begun.
type watchdog Adjudicator

// Appended implements txn.Receipt.
func (w *watchdog) Appended(_ uint64, fate txn.Fate) {
	if fate == txn.FateRefused {
		(*Adjudicator)(w).stepDown()
	}
}

func (a *Adjudicator) stepDown() {
	if a.broken.CompareAndSwap(nil, notOwner("adjudicator %d is not the owner any more", a.cfg.Journal)) {
		close(a.down)
	}
}

func notOwner(format string, args ...any) *failure.Error {
	return failure.New(failure.CannotConnectNow, format, args...).WithCause(txn.ErrNotOwner)
}

// NotOwner says whether an error means that nothing was done because the adjudicator does not own its journal, or not
// yet, or not any more: another node may be asked, or the same again.
func NotOwner(err error) bool { return errors.Is(err, txn.ErrNotOwner) }

// mustTakeEffect turns the fate of one of the owner's own records into an error.
func (a *Adjudicator) mustTakeEffect(fate txn.Fate) error {
	switch fate {
	case txn.FateEffective:
		return nil
	case txn.FateRefused, txn.FateSettled:
		a.stepDown()
		return a.broken.Load()
	default:
		return notOwner("journal %d stopped", a.cfg.Journal)
	}
}

// appendLocked queues a sealed record. An error means that it is not queued.
func (a *Adjudicator) appendLocked(rec []byte, r txn.Receipt) (uint64, error) {
	index, err := a.journal.Append(rec, r)
	if failure.CodeOf(err) == failure.CannotConnectNow { // the journal does not lead here
		err = notOwner("journal %d cannot be written to here", a.cfg.Journal)
	}
	return index, err
}

// wait returns once the log is applied up to an index, or with an error when the adjudicator steps down first.
func (a *Adjudicator) wait(ctx context.Context, index uint64) error {
	if a.journal.Committed() >= index {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-a.down:
			cancel()
		case <-ctx.Done():
		}
	})
	_, err := a.journal.Wait(ctx, index-1)
	cancel()
	watch.Wait()
	if e := a.broken.Load(); e != nil {
		return e
	}
	return err
}

// usableLocked says whether anything may be decided, and notes the use.
func (a *Adjudicator) usableLocked() error {
	if err := a.broken.Load(); err != nil {
		return err
	}
	if a.mu.closed || a.mu.core.gen == 0 {
		return notOwner("adjudicator %d is not running", a.cfg.Journal)
	}
	return nil
}

// tendLocked arranges the next look at the lease.
func (a *Adjudicator) tendLocked() {
	if a.mu.closed || a.mu.tending {
		return
	}
	a.mu.tending = true
	a.mu.used = a.time.Monotonic()
	a.scheduleLocked()
}

func (a *Adjudicator) scheduleLocked() {
	a.mu.tends.Add(1)
	a.mu.stop = a.time.AfterFunc(a.cfg.grant()/4, func() {
		defer a.mu.tends.Done()
		a.tend()
	})
}

// tend renews the lease while the adjudicator is in use, and stops when it is not: an idle node writes nothing.
func (a *Adjudicator) tend() {
	a.cfg.look()
	now, err := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.usableLocked() != nil {
		a.mu.tending = false
		return
	}
	a.refreshLocked()
	if a.mu.core.takeUsed() {
		a.mu.used = a.time.Monotonic()
	} else if a.time.Monotonic()-a.mu.used > a.cfg.KeepAlive {
		a.mu.tending = false
		return
	}
	if err == nil {
		err = a.renewLocked(now, 0)
	}
	if err != nil {
		a.mu.tending = false
		return
	}
	a.scheduleLocked()
}

// wakeLocked tells those who wait that promises are settled.
func (a *Adjudicator) wakeLocked() {
	c := a.mu.core
	if len(c.settled) == 0 {
		return
	}
	for _, id := range c.settled {
		if ch := a.mu.waiting[id]; ch != nil {
			close(ch)
			delete(a.mu.waiting, id)
		}
	}
	c.settled = c.settled[:0]
}

// parkLocked returns a channel that is closed when the promise is settled.
func (a *Adjudicator) parkLocked(p *promise) <-chan struct{} {
	ch := a.mu.waiting[p.id]
	if ch == nil {
		ch = make(chan struct{})
		a.mu.waiting[p.id] = ch
	}
	return ch
}

// await waits for a promise to be settled, until its bound has passed for certain.
func (a *Adjudicator) await(ctx context.Context, settled <-chan struct{}, ub clock.Timestamp) error {
	now, err := a.now()
	if err != nil {
		return err
	}
	expired := make(chan struct{})
	stop := a.time.AfterFunc(max(0, ub.Sub(now.Earliest))+time.Millisecond, func() { close(expired) })
	defer stop()
	select {
	case <-settled:
	case <-expired:
	case <-a.down:
		return a.broken.Load()
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
