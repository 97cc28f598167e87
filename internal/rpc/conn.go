package rpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
)

// conn is one connection past its handshake. The dialer's side keeps calls and incoming streams, the accepter's side requests and outgoing
// streams.
type conn struct {
	n      *Network
	c      net.Conn // perhaps with TLS
	raw    net.Conn // the same without: closing it never waits
	r      *bufio.Reader
	peer   NodeID
	who    string // for texts
	dialer bool
	q      *queue
	done   chan struct{} // closed when the connection is dead
	ended  chan struct{} // closed when its goroutines have ended too

	in, out atomic.Int64
	sight   *sight

	mu       sync.Mutex
	err      error
	nextID   uint64
	calls    map[uint64]*call
	streams  map[uint64]*inStream
	requests map[uint64]*request
	pushes   map[uint64]*outStream
	partial  int64 // bytes promised to bodies that are still arriving
	pingSeq  uint64
	pingAt   time.Duration
}

// call is the dialer's side of a request.
type call struct {
	done  chan struct{} // one token when answered
	round uint64        // in the queue
	body  []byte
	want  uint64 // bytes of body still to come
	err   error
}

// request is the accepter's side.
type request struct {
	cancel  context.CancelCauseFunc
	ctx     context.Context // handed to the handler when the body is there
	service Service
	stop    func() bool // of the deadline's timer
	body    []byte
	want    uint64
}

func newConn(n *Network, raw, c net.Conn, r *bufio.Reader, peer NodeID, who string, dialer bool) *conn {
	return &conn{n: n, c: c, raw: raw, r: r, peer: peer, who: who, dialer: dialer, q: newQueue(n.cfg.MaxQueue),
		done: make(chan struct{}), ended: make(chan struct{}), sight: &sight{}, calls: map[uint64]*call{}, streams: map[uint64]*inStream{},
		requests: map[uint64]*request{}, pushes: map[uint64]*outStream{}}
}

// run serves the connection until it dies and returns why.
func (c *conn) run() error {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		c.close(c.writeAll())
	}()
	c.close(c.readAll())
	wg.Wait()
	c.abandon()
	close(c.ended)
	return c.why()
}

func (c *conn) writeAll() error {
	count := func(n int) { c.out.Add(int64(n)) }
	if c.n.cfg.Delay == nil || c.peer == 0 {
		return c.q.write(c.c, c.done, count)
	}
	l := newLine(c.n.cfg.Host, func() time.Duration { return c.n.cfg.Delay(c.peer) })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.close(l.run(ctx, c.c))
	}()
	err := c.q.write(l, c.done, count)
	cancel()
	<-ended
	return err
}

func (c *conn) close(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
		close(c.done)
	}
	c.mu.Unlock()
	if first {
		c.q.close()
		_ = c.raw.Close()
	}
}

func (c *conn) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// abandon ends everything that waits for the dead connection.
func (c *conn) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.calls {
		if k.round == 0 || !c.q.taken(k.round) {
			k.err = unreachable(c.who, c.err)
		} else {
			k.err = lost(c.who, c.err)
		}
		k.done <- struct{}{}
	}
	c.calls = nil
	for _, s := range c.streams {
		s.end(lost(c.who, c.err))
	}
	c.streams = nil
	for _, r := range c.requests {
		r.cancel(errClosed)
		if r.want > 0 && r.stop != nil {
			r.stop()
		}
	}
	for _, p := range c.pushes {
		p.cancel(errClosed)
	}
}

var errProtocol = errors.New("protocol violation")

func (c *conn) readAll() error {
	var scratch [headMax]byte
	for {
		b, err := readFrame(c.r, c.n.cfg.MaxBody+headMax, &scratch)
		if errors.Is(err, io.EOF) {
			return errors.New("the node closed the connection")
		}
		if err != nil {
			return err
		}
		c.in.Add(int64(frameHead + len(b)))
		f, err := decodeFrame(b)
		if err == nil {
			if c.dialer {
				err = c.answer(&f)
			} else {
				err = c.ask(&f)
			}
		}
		if err != nil {
			return err
		}
	}
}

// answer handles what an accepter says.
func (c *conn) answer(f *frame) error {
	switch f.kind {
	case kindPong:
		c.pong(f)
	case kindResponse, kindFailure, kindPart:
		return c.callFrame(f)
	case kindItem, kindEnd:
		return c.streamFrame(f)
	case kindPing, kindMessage, kindRequest, kindCancel, kindOpen, kindCredit, kindClose:
		return fmt.Errorf("%w: the accepter sent a frame of kind %d", errProtocol, f.kind)
	}
	return nil
}

// ask handles what a dialer says.
func (c *conn) ask(f *frame) error {
	if c.peer == 0 && f.service != Join {
		switch f.kind {
		case kindRequest:
			c.fail(f.id, strange(), flagNotExecuted)
			return nil
		case kindOpen:
			c.endPush(f.id, strange(), nil)
			return nil
		case kindMessage:
			return nil
		}
	}
	switch f.kind {
	case kindPing:
		now := c.n.cfg.Host.Now().UnixNano()
		c.q.put(&frame{kind: kindPong, number: f.number, t: [3]int64{f.t[0], now, now}}, true)
	case kindMessage:
		if h := c.n.messageHandler(f.service); h != nil {
			h(c.peer, f.body)
		}
	case kindRequest:
		return c.request(f)
	case kindPart:
		return c.requestPart(f)
	case kindCancel:
		c.cancelRequest(f.id)
	case kindOpen:
		return c.open(f)
	case kindCredit:
		c.credit(f)
	case kindClose:
		c.closePush(f.id)
	case kindPong, kindResponse, kindFailure, kindItem, kindEnd:
		return fmt.Errorf("%w: the dialer sent a frame of kind %d", errProtocol, f.kind)
	}
	return nil
}

func strange() *failure.Error {
	return failure.New(failure.InsufficientPrivilege, "a node that has not joined may only ask to join")
}

// start sends a request.
func (c *conn) start(ctx context.Context, s Service, body []byte, k *call) (uint64, error) {
	f := frame{kind: kindRequest, service: s, body: body}
	if d, ok := ctx.Deadline(); ok {
		// Deadlines are by the process's clock, which is not the host's in a simulation.
		f.number = uint64(max(time.Until(d), time.Microsecond) / time.Microsecond)
	}
	if len(body) > chunk {
		f.total, f.body = uint64(len(body)), nil
	}
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return 0, unreachable(c.who, c.err)
	}
	c.nextID++
	f.id = c.nextID
	k.round = c.q.put(&f, false)
	if k.round == 0 {
		c.mu.Unlock()
		return 0, unreachable(c.who, errors.New("too much waits to be sent"))
	}
	c.calls[f.id] = k
	c.mu.Unlock()
	if f.total > 0 {
		c.parts(f.id, body, ctx.Done())
	}
	return f.id, nil
}

// parts sends a large body; the rest is not sent when done or the connection ends first.
func (c *conn) parts(id uint64, body []byte, done <-chan struct{}) {
	for len(body) > 0 {
		n := min(len(body), chunk)
		if !c.q.putBulk(&frame{kind: kindPart, id: id, body: body[:n]}, done) {
			return
		}
		body = body[n:]
	}
}

func (c *conn) call(ctx context.Context, s Service, body []byte) ([]byte, error) {
	if len(body) > c.n.cfg.MaxBody {
		return nil, unreachable(c.who, fmt.Errorf("a request of %d bytes is larger than %d", len(body), c.n.cfg.MaxBody))
	}
	k := c.n.calls.Get().(*call)
	id, err := c.start(ctx, s, body, k)
	if err != nil {
		c.n.calls.Put(k)
		return nil, err
	}
	select {
	case <-k.done:
	case <-ctx.Done():
		c.mu.Lock()
		_, waiting := c.calls[id]
		delete(c.calls, id)
		c.mu.Unlock()
		if waiting {
			sent := c.q.taken(k.round)
			c.q.put(&frame{kind: kindCancel, id: id}, true)
			return nil, ended(c.who, ctx, sent)
		}
		<-k.done // the answer came in the same moment
	}
	answer, err := k.body, k.err
	*k = call{done: k.done}
	c.n.calls.Put(k)
	return answer, err
}

// callFrame takes an answer, or a piece of one. Answers to calls that are not waited for any more are dropped.
func (c *conn) callFrame(f *frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.calls[f.id]
	if k == nil {
		return nil
	}
	switch f.kind {
	case kindResponse:
		if f.total > uint64(c.n.cfg.MaxBody) || k.want > 0 {
			return fmt.Errorf("%w: an answer of %d bytes", errProtocol, f.total)
		}
		if f.total > 0 {
			k.want, k.body = f.total, make([]byte, 0, min(f.total, believed))
			return nil
		}
		k.body = f.body
	case kindPart:
		if uint64(len(f.body)) > k.want || len(f.body) == 0 {
			return fmt.Errorf("%w: too long an answer", errProtocol)
		}
		k.body = append(k.body, f.body...)
		if k.want -= uint64(len(f.body)); k.want > 0 {
			return nil
		}
	case kindFailure:
		e, err := decodeFailure(f.body)
		if err != nil {
			return err
		}
		if k.err = e; f.flags&flagNotExecuted != 0 {
			k.err = e.WithCause(ErrUnreachable)
		}
		k.body = nil
	}
	delete(c.calls, f.id)
	k.done <- struct{}{}
	return nil
}

// request begins one; when its body is whole it is handed to a worker.
func (c *conn) request(f *frame) error {
	c.mu.Lock()
	if _, twice := c.requests[f.id]; twice {
		c.mu.Unlock()
		return fmt.Errorf("%w: request %d twice", errProtocol, f.id)
	}
	if why := c.tooMuch(f); why != nil {
		c.mu.Unlock()
		c.fail(f.id, why, flagNotExecuted)
		return nil
	}
	r := &request{service: f.service, body: f.body, want: f.total}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	if f.number > 0 {
		left := time.Duration(min(f.number, 1<<40)) * time.Microsecond
		r.ctx = &deadlineContext{r.ctx, c.n.cfg.Host.Now().Add(left)}
		r.stop = c.n.cfg.Host.AfterFunc(left, func() { r.cancel(context.DeadlineExceeded) })
	}
	c.requests[f.id] = r
	if c.partial += int64(f.total); f.total > 0 {
		r.body = make([]byte, 0, min(f.total, believed))
		c.mu.Unlock()
		return nil
	}
	c.mu.Unlock()
	c.n.work(job{c, f.id, r})
	return nil
}

// tooMuch says why a request cannot be taken; c.mu is held.
func (c *conn) tooMuch(f *frame) *failure.Error {
	switch {
	case len(c.requests) >= c.n.cfg.MaxRequests:
		return failure.New(failure.InsufficientResources, "node %d has too many requests of node %d at once", c.n.self(), c.peer)
	case f.total > uint64(c.n.cfg.MaxBody):
		return failure.New(failure.ProgramLimitExceeded, "a request of %d bytes is larger than %d", f.total, c.n.cfg.MaxBody)
	case c.partial+int64(f.total) > c.n.cfg.MaxPartial:
		return failure.New(failure.OutOfMemory, "node %d has too many large requests of node %d at once", c.n.self(), c.peer)
	}
	return nil
}

func (c *conn) requestPart(f *frame) error {
	c.mu.Lock()
	r := c.requests[f.id]
	if r == nil {
		c.mu.Unlock()
		return nil // canceled or refused
	}
	if uint64(len(f.body)) > r.want || len(f.body) == 0 {
		c.mu.Unlock()
		return fmt.Errorf("%w: too long a request", errProtocol)
	}
	r.body = append(r.body, f.body...)
	c.partial -= int64(len(f.body))
	r.want -= uint64(len(f.body))
	whole := r.want == 0
	c.mu.Unlock()
	if whole {
		c.n.work(job{c, f.id, r})
	}
	return nil
}

// cancelRequest ends a request's context. One whose body had not arrived is forgotten.
func (c *conn) cancelRequest(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.requests[id]; r != nil {
		r.cancel(context.Canceled)
		if r.want > 0 {
			c.forget(id, r)
		}
	}
}

// forget drops a request; c.mu is held.
func (c *conn) forget(id uint64, r *request) {
	if c.requests[id] != r {
		return
	}
	delete(c.requests, id)
	c.partial -= int64(r.want)
	if r.stop != nil {
		r.stop()
	}
}

// serve runs a request's handler and sends the answer.
func (c *conn) serve(id uint64, r *request) {
	var answer []byte
	var err error
	if h := c.n.callHandler(r.service); h == nil {
		err = failure.NotSupported("%s on node %d is", r.service, c.n.self())
	} else if answer, err = h(r.ctx, c.peer, r.body); err == nil && len(answer) > c.n.cfg.MaxBody {
		err = failure.New(failure.ProgramLimitExceeded, "an answer of %d bytes is larger than %d", len(answer), c.n.cfg.MaxBody)
	}
	wanted := r.ctx.Err() == nil
	switch {
	case err != nil:
		c.fail(id, asFailure(err), 0)
	case len(answer) <= chunk:
		c.q.put(&frame{kind: kindResponse, id: id, body: answer}, true)
	case wanted:
		c.q.put(&frame{kind: kindResponse, id: id, total: uint64(len(answer))}, true)
		c.parts(id, answer, r.ctx.Done())
	}
	c.mu.Lock()
	c.forget(id, r)
	c.mu.Unlock()
	r.cancel(nil)
}

func (c *conn) fail(id uint64, e *failure.Error, flags byte) {
	c.q.put(&frame{kind: kindFailure, id: id, flags: flags, body: appendFailure(nil, e)}, true)
}

// deadlineContext tells a handler the caller's deadline; the context below it ends by the host's timer.
type deadlineContext struct {
	context.Context
	deadline time.Time
}

func (d *deadlineContext) Deadline() (time.Time, bool) { return d.deadline, true }

func (d *deadlineContext) Err() error {
	err := d.Context.Err()
	if err != nil && errors.Is(context.Cause(d.Context), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}
