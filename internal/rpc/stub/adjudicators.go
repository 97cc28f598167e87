package stub

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Adjudicator is an adjudicator that runs on this node. Its errors have txn.ErrNotOwner in their chain when nothing was
// done because it is not, or not yet, or not any more the owner of its journal.
type Adjudicator interface {
	Commit(ctx context.Context, r *txn.CommitRequest) (txn.CommitResult, error)
	Prepare(ctx context.Context, r *txn.PrepareRequest) (txn.Vote, error)
	GoAhead(id txn.ID, c clock.Timestamp)
	GoAbort(id txn.ID, attempt uint32)
	Bulk(ctx context.Context, id txn.ID, seq uint32, images []txn.Image) error
	Resolve(ctx context.Context, id txn.ID, ub clock.Timestamp) (txn.Outcome, clock.Timestamp, error)
	Promise(atLeast clock.Timestamp) (txn.Watermark, bool)
	PromiseWait(ctx context.Context, atLeast clock.Timestamp) (txn.Watermark, error)
	Ahead() (txn.Watermark, bool)
}

// AdjudicatorsConfig of a node's adjudicators.
type AdjudicatorsConfig struct {
	Self   rpc.NodeID
	Net    Net
	Time   host.Time
	Random host.Random
	// Leader says which node leads a journal and in which generation (Raft term), as far as the local replica of the journal
	// knows; 0 when there is none or it does not know. It must not block.
	Leader func(j txn.JournalID) (rpc.NodeID, txn.Generation)
	// Voters are the nodes that may lead a journal, by the cluster's map: the preferred one first.
	Voters func(j txn.JournalID) []rpc.NodeID
	// Patience is how long a request looks for the owner of a journal. 0 is 5 s, which covers an election and the rest of
	// the old owner's interval.
	Patience time.Duration
}

// Adjudicators is every adjudicator of the cluster as this node sees it: those that run here, which other nodes may ask,
// and those of other nodes, which this node asks. It is safe for concurrent use.
type Adjudicators struct {
	cfg AdjudicatorsConfig

	mu       sync.RWMutex
	journals map[txn.JournalID]*Remote
	// nudged hears which node waits for a watermark.
	nudged func(from rpc.NodeID)
}

// Remote is the adjudicator of one journal, wherever it runs. It is a coordinator.Adjudicator.
type Remote struct {
	all     *Adjudicators
	journal txn.JournalID

	mu     sync.RWMutex
	local  Adjudicator // nil when it does not run here
	owner  rpc.NodeID  // where it was last seen or is said to be, 0 when that is not known
	gen    txn.Generation
	shun   rpc.NodeID // asked last without success
	beyond uint32     // how often nobody was found
}

// NewAdjudicators makes them, and answers other nodes from now on.
func NewAdjudicators(cfg AdjudicatorsConfig) *Adjudicators {
	if cfg.Patience == 0 {
		cfg.Patience = 5 * time.Second
	}
	a := &Adjudicators{cfg: cfg, journals: make(map[txn.JournalID]*Remote), nudged: func(rpc.NodeID) {}}
	cfg.Net.Handle(rpc.Adjudicator, a.serve)
	cfg.Net.HandleMessage(rpc.Adjudicator, a.hear)
	return a
}

// Of returns the adjudicator of a journal.
func (a *Adjudicators) Of(j txn.JournalID) *Remote {
	a.mu.RLock()
	r := a.journals[j]
	a.mu.RUnlock()
	if r != nil {
		return r
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if r = a.journals[j]; r == nil {
		r = &Remote{all: a, journal: j}
		a.journals[j] = r
	}
	return r
}

// Set says that a journal's adjudicator has started here, or, with nil, that it has stopped.
func (a *Adjudicators) Set(j txn.JournalID, local Adjudicator) {
	r := a.Of(j)
	r.mu.Lock()
	r.local = local
	r.mu.Unlock()
}

// each calls f for every adjudicator that runs here.
func (a *Adjudicators) each(f func(Adjudicator)) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, r := range a.journals {
		if l := r.Local(); l != nil {
			f(l)
		}
	}
}

// Local returns the adjudicator when it runs here, nil otherwise.
func (r *Remote) Local() Adjudicator {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.local
}

// target says whom to ask: the last known owner, else what the local replica knows, else the map, one after the other.
func (r *Remote) target() rpc.NodeID {
	r.mu.RLock()
	owner, gen, shun, beyond := r.owner, r.gen, r.shun, r.beyond
	r.mu.RUnlock()
	if n, g := r.all.cfg.Leader(r.journal); n != 0 && (g > gen || owner == 0 && g == gen) && (n != shun || beyond%2 == 0) {
		return n
	}
	if owner != 0 {
		return owner
	}
	nodes := r.all.cfg.Voters(r.journal)
	if len(nodes) == 0 {
		return 0
	}
	return nodes[int(beyond/2)%len(nodes)]
}

// Owner returns the node that is asked first, 0 when nothing is known.
func (r *Remote) Owner() rpc.NodeID {
	if r.Local() != nil {
		return r.all.cfg.Self
	}
	return r.target()
}

// failed hears that a node is not the owner, and whom it believes to be it. It says whether that is news: somebody else can
// be asked at once.
func (r *Remote) failed(asked, hint rpc.NodeID, gen txn.Generation) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if hint != 0 && hint != asked && gen >= r.gen && (hint != r.owner || gen > r.gen) {
		r.owner, r.gen = hint, gen
		return true
	}
	if r.owner == asked || r.owner == 0 {
		if hint == asked {
			r.owner = asked // it leads, and only needs time
			return false
		}
		r.owner = 0
	}
	r.shun = asked
	r.beyond++
	return false
}

func (r *Remote) found(at rpc.NodeID) {
	r.mu.Lock()
	r.owner, r.shun = at, 0
	r.mu.Unlock()
}

// question is one request, for here or for another node.
type question struct {
	// again allows to repeat it when the answer was lost.
	again bool
	// local asks an adjudicator of this node; remote makes the body of a call, answer reads what came back.
	local  func(a Adjudicator) error
	remote func() []byte
	answer func(r *reader)
}

func errNoOwner(j txn.JournalID, cause error) error {
	return failure.New(failure.CannotConnectNow, "no node answers for journal %d", j).WithCause(cause)
}

// lostAnswer is the error of a request that may have been carried out.
func lostAnswer(err error) bool { return errors.Is(err, rpc.ErrLost) }

// notDone says whether a request certainly was not carried out, for a reason that may be gone soon.
func notDone(err error) bool {
	return errors.Is(err, rpc.ErrUnreachable) || errors.Is(err, txn.ErrNotOwner)
}

// do asks until there is an answer, for as long as patience lasts. Only what certainly was not carried out is repeated,
// unless repeating does no harm.
func (r *Remote) do(ctx context.Context, q *question) error {
	all := r.all
	var body []byte
	until := all.cfg.Time.Monotonic() + all.cfg.Patience
	for try, hints := uint(0), 0; ; try++ {
		news, err := r.ask(ctx, q, &body)
		if err == nil || !notDone(err) && !(q.again && lostAnswer(err)) {
			return err
		}
		if ctx.Err() != nil {
			return err
		}
		if all.cfg.Time.Monotonic() > until {
			return errNoOwner(r.journal, err)
		}
		if news && hints < 2 {
			hints++
			continue
		}
		hints = 0
		pause := time.Millisecond << min(try, 6)
		if all.cfg.Time.Sleep(ctx, pause/2+time.Duration(all.cfg.Random.Uint64()%uint64(pause))) != nil {
			return err
		}
	}
}

// ask asks once. news says that the answer names somebody else to ask at once.
func (r *Remote) ask(ctx context.Context, q *question, body *[]byte) (news bool, err error) {
	all := r.all
	if l := r.Local(); l != nil {
		err := q.local(l)
		if !errors.Is(err, txn.ErrNotOwner) {
			return false, err
		}
	}
	to := r.target()
	if to == 0 || to == all.cfg.Self {
		// The local replica leads, and its adjudicator is about to start, or nobody leads.
		r.failed(to, 0, 0)
		return false, failure.New(failure.CannotConnectNow, "journal %d has no owner", r.journal).WithCause(txn.ErrNotOwner)
	}
	if *body == nil {
		*body = q.remote()
	}
	b, err := all.cfg.Net.Call(ctx, to, rpc.Adjudicator, *body)
	if err != nil {
		// A caller that has heard the outcome elsewhere gives up the call; that says nothing of the node.
		if !errors.Is(ctx.Err(), context.Canceled) && (notDone(err) || lostAnswer(err)) {
			r.failed(to, 0, 0)
		}
		return false, err
	}
	status, in := newReader(b)
	if in.err == nil && status == answerNotOwner {
		hint, gen := rpc.NodeID(in.uint32()), txn.Generation(in.uint())
		if in.err == nil {
			return r.failed(to, hint, gen), failure.New(failure.CannotConnectNow, "node %d does not own journal %d", to, r.journal).WithCause(txn.ErrNotOwner)
		}
	}
	q.answer(in)
	if in.err != nil {
		return false, in.err
	}
	r.found(to)
	return false, nil
}

// Commit asks the adjudicator to decide a transaction as its leader. When the answer is lost the error is 40003; any other
// error means that nothing was done. The caller does the commit wait. A request that reaches another node has its
// go-aheads sent from there.
func (r *Remote) Commit(ctx context.Context, q *txn.CommitRequest) (res txn.CommitResult, err error) {
	if l := r.Local(); l != nil {
		res, err = l.Commit(ctx, q)
		if err == nil || !errors.Is(err, txn.ErrNotOwner) {
			return res, err
		}
	}
	err = r.do(ctx, &question{
		local:  func(a Adjudicator) (err error) { res, err = a.Commit(ctx, q); return err },
		remote: func() []byte { return encodeCommit(r.journal, q) },
		answer: func(in *reader) { res = in.result() },
	})
	if lostAnswer(err) || failure.CodeOf(err) == failure.ProtocolViolation {
		err = failure.New(failure.StatementCompletionUnknown, "the outcome of the transaction is not known").WithCause(err)
	}
	return res, err
}

// Prepare asks for a vote.
func (r *Remote) Prepare(ctx context.Context, q *txn.PrepareRequest) (v txn.Vote, err error) {
	err = r.do(ctx, &question{
		again:  true,
		local:  func(a Adjudicator) (err error) { v, err = a.Prepare(ctx, q); return err },
		remote: func() []byte { return encodePrepare(r.journal, q) },
		answer: func(in *reader) { v = in.vote() },
	})
	return v, err
}

// Bulk appends images ahead of a commit. A chunk that arrives twice counts once.
func (r *Remote) Bulk(ctx context.Context, id txn.ID, seq uint32, images []txn.Image) error {
	return r.do(ctx, &question{
		again:  true,
		local:  func(a Adjudicator) error { return a.Bulk(ctx, id, seq, images) },
		remote: func() []byte { return encodeBulk(r.journal, id, seq, images) },
		answer: func(*reader) {},
	})
}

// Resolve settles a transaction that this adjudicator leads or led.
func (r *Remote) Resolve(ctx context.Context, id txn.ID, ub clock.Timestamp) (o txn.Outcome, c clock.Timestamp, err error) {
	err = r.do(ctx, &question{
		again:  true,
		local:  func(a Adjudicator) (err error) { o, c, err = a.Resolve(ctx, id, ub); return err },
		remote: func() []byte { return encodeResolve(r.journal, id, ub) },
		answer: func(in *reader) { o, c = in.outcome() },
	})
	return o, c, err
}

// DropBulk says that a transaction which has sent chunks will not commit.
func (r *Remote) DropBulk(ctx context.Context, id txn.ID) error {
	_, _, err := r.Resolve(ctx, id, 0)
	return err
}

// PromiseWait asks for a watermark at or above a time.
func (r *Remote) PromiseWait(ctx context.Context, at clock.Timestamp) (m txn.Watermark, err error) {
	err = r.do(ctx, &question{
		again:  true,
		local:  func(a Adjudicator) (err error) { m, err = a.PromiseWait(ctx, at); return err },
		remote: func() []byte { return encodePromise(r.journal, at) },
		answer: func(in *reader) { m = in.watermark() },
	})
	return m, err
}

// GoAhead tells the adjudicator that the leader decided for c. It may be lost.
func (r *Remote) GoAhead(id txn.ID, c clock.Timestamp) {
	if l := r.Local(); l != nil {
		l.GoAhead(id, c)
	} else if to := r.target(); to != 0 && to != r.all.cfg.Self {
		r.all.cfg.Net.Send(to, rpc.Adjudicator, encodeGoAhead(r.journal, id, c))
	}
}

// GoAbort tells the adjudicator that an attempt was given up. It may be lost.
func (r *Remote) GoAbort(id txn.ID, attempt uint32) {
	if l := r.Local(); l != nil {
		l.GoAbort(id, attempt)
	} else if to := r.target(); to != 0 && to != r.all.cfg.Self {
		r.all.cfg.Net.Send(to, rpc.Adjudicator, encodeGoAbort(r.journal, id, attempt))
	}
}

// serve answers a call of another node.
func (a *Adjudicators) serve(ctx context.Context, from rpc.NodeID, body []byte) ([]byte, error) {
	op, in := newReader(body)
	j := in.journal()
	if in.err != nil {
		return nil, in.err
	}
	l := a.Of(j).Local()
	if l == nil {
		return a.notOwner(j), nil
	}
	out, err := a.carryOut(ctx, from, l, j, op, in)
	if errors.Is(err, txn.ErrNotOwner) {
		return a.notOwner(j), nil
	}
	return out, err
}

func (a *Adjudicators) notOwner(j txn.JournalID) []byte {
	n, gen := a.cfg.Leader(j)
	w := newWriter(answerNotOwner, 16)
	w.uint(uint64(n))
	w.uint(uint64(gen))
	return w.b
}

func (a *Adjudicators) carryOut(ctx context.Context, from rpc.NodeID, l Adjudicator, j txn.JournalID, op byte, in *reader) ([]byte, error) {
	switch op {
	case opCommit:
		q, rec := decodeCommit(in)
		if in.err != nil {
			return nil, in.err
		}
		q.NoWait = true
		q.Proposed = func(c clock.Timestamp) {
			for i := range rec.Participants() {
				if p := rec.Participant(i); p != j {
					a.Of(p).GoAhead(q.ID, c)
				}
			}
		}
		res, err := l.Commit(ctx, q)
		return encodeResult(res), err
	case opPrepare:
		q := in.prepare()
		if in.err != nil {
			return nil, in.err
		}
		v, err := l.Prepare(ctx, q)
		return encodeVote(v), err
	case opBulk:
		id, seq, images := in.bulk()
		if in.err != nil {
			return nil, in.err
		}
		return newWriter(answerOK, 0).b, l.Bulk(ctx, id, seq, images)
	case opResolve:
		id, ub := in.id(), in.time()
		if in.err != nil {
			return nil, in.err
		}
		o, c, err := l.Resolve(ctx, id, ub)
		return encodeOutcome(o, c), err
	case opPromise:
		at := in.time()
		if in.err != nil {
			return nil, in.err
		}
		m, err := a.promise(ctx, from, l, at)
		w := newWriter(answerOK, 40)
		w.watermark(m)
		return w.b, err
	default:
		return nil, failure.NotSupported("request %d to adjudicators is", op)
	}
}

// promise answers a nudge: with what is being pushed from now on anyway, when that reaches so far.
func (a *Adjudicators) promise(ctx context.Context, from rpc.NodeID, l Adjudicator, at clock.Timestamp) (txn.Watermark, error) {
	a.nudged(from)
	if m, ok := l.Ahead(); ok && m.Time >= at {
		return m, nil
	}
	return l.PromiseWait(ctx, at)
}

// hear takes a message of another node.
func (a *Adjudicators) hear(_ rpc.NodeID, body []byte) {
	op, in := newReader(body)
	j, id := in.journal(), in.id()
	l := Adjudicator(nil)
	if in.err == nil {
		l = a.Of(j).Local()
	}
	if l == nil {
		return
	}
	switch op {
	case opGoAhead:
		if c := in.time(); in.err == nil {
			l.GoAhead(id, c)
		}
	case opGoAbort:
		if attempt := in.uint32(); in.err == nil {
			l.GoAbort(id, attempt)
		}
	}
}
