package pgwire

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/session"
)

// conn serves one client.
type conn struct {
	srv       *Server
	net       net.Conn
	in        reader
	out       writer
	pid       int32
	secret    int32
	secure    bool
	overLimit bool
	ses       Session
	rows      rowEncoder
	bind      bindBuffers
	// skip is set after an error of the extended protocol: messages are dropped until Sync.
	skip bool

	baseCtx func() (context.Context, context.CancelCauseFunc)
	ctx     context.Context // of the running statement; made anew after it was cancelled

	// mu guards what other goroutines touch: cancel requests and the shutdown.
	mu struct {
		sync.Mutex
		cancel     context.CancelCauseFunc
		busy       bool
		canceled   bool
		terminated error
	}
}

func newConn(s *Server, nc net.Conn, pid, secret int32) *conn {
	c := &conn{srv: s, pid: pid, secret: secret}
	c.in.max = maxStartupBytes
	c.use(nc)
	return c
}

// use switches the byte stream, at the start and once TLS is up.
func (c *conn) use(nc net.Conn) {
	c.net = nc
	c.in.br = bufio.NewReaderSize(nc, 8<<10)
	c.out.dst = nc
}

func (c *conn) renewContext() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx, c.mu.cancel = c.baseCtx()
	c.mu.canceled = false
}

func (c *conn) cancelStatement(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.busy && !c.mu.canceled {
		c.mu.canceled = true
		c.mu.cancel(cause)
	}
}

// terminate ends the session: a running statement fails with the cause, an idle client is told at once.
func (c *conn) terminate(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.terminated != nil {
		return
	}
	c.mu.terminated = cause
	c.mu.cancel(cause)
	_ = c.net.SetReadDeadline(time.Unix(1, 0)) // wakes a goroutine that waits for the client
}

func (c *conn) terminatedBy() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.terminated
}

// setBusy brackets the time in which a cancel request has an effect. A context that a request has cancelled is made
// anew before the next statement.
func (c *conn) setBusy(busy bool) {
	c.mu.Lock()
	c.mu.busy = busy
	renew := c.mu.canceled && c.mu.terminated == nil
	c.mu.Unlock()
	if renew {
		c.renewContext()
	}
}

// serve runs the connection from the first byte to the last.
func (c *conn) serve() {
	defer func() {
		_ = c.net.Close()
		c.mu.Lock()
		cancel := c.mu.cancel
		c.mu.Unlock()
		cancel(context.Canceled)
	}()
	defer c.recoverPanic()
	if err := c.open(); err != nil {
		c.lastWords(err)
		return
	}
	if c.ses == nil {
		return
	}
	defer c.ses.Close()
	if err := c.loop(); err != nil {
		c.lastWords(err)
	}
}

// recoverPanic keeps one session's defect from taking the others down. A broken invariant is re-raised: the node stops.
func (c *conn) recoverPanic() {
	r := recover()
	if r == nil {
		return
	}
	c.srv.cfg.Log.Error("a session ended by a panic", "panic", r, "stack", string(debug.Stack()))
	c.lastWords(fatal(failure.InternalError, "internal error: %v", r).
		WithHint("The session has been closed. Please report this together with the server's log."))
}

// lastWords sends a final error, if there is anybody to hear it.
func (c *conn) lastWords(err error) {
	if errors.Is(err, errTerminated) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) {
		return
	}
	if t := c.terminatedBy(); t != nil {
		err = t
	}
	e := failure.As(err)
	if e == nil {
		c.srv.cfg.Log.Debug("connection ended", "error", err)
		return
	}
	if e.Severity == failure.SeverityError {
		e = e.Edit().WithSeverity(failure.SeverityFatal)
	}
	_ = c.net.SetWriteDeadline(c.srv.cfg.Host.Now().Add(5 * time.Second))
	c.out.failure('E', e)
	_ = c.out.flush()
}

// open does everything up to the first ReadyForQuery.
func (c *conn) open() error {
	_ = c.net.SetDeadline(c.srv.cfg.Host.Now().Add(c.srv.cfg.AuthTimeout))
	s, err := c.startup()
	if err != nil || s == nil {
		return err
	}
	if c.overLimit {
		return fatal(failure.TooManyConnections, "sorry, too many clients already")
	}
	c.in.max = maxStartupBytes
	if err := c.authenticate(c.ctx, s); err != nil {
		return err
	}
	ses, err := c.srv.cfg.Backend.Open(c.ctx, *s, (*sink)(c))
	if err != nil {
		return err
	}
	c.ses = ses
	c.in.max = c.srv.cfg.MaxMessageBytes
	for _, p := range ses.Greeting() {
		c.out.parameterStatus(p.Name, p.Value)
	}
	c.out.begin('K')
	c.out.int32(c.pid)
	c.out.int32(c.secret)
	c.out.end()
	c.out.readyForQuery(ses.Status())
	if err := c.net.SetDeadline(time.Time{}); err != nil {
		return errTerminated
	}
	return nil
}

// loop serves messages until the client leaves.
func (c *conn) loop() error {
	for {
		kind, body, err := c.receive()
		if err != nil {
			return err
		}
		if c.skip && kind != 'S' && kind != 'X' {
			continue
		}
		if kind == 'X' {
			return errTerminated
		}
		c.setBusy(true)
		err = c.dispatch(kind, body)
		c.setBusy(false)
		if err != nil {
			if err := c.fail(err, kind); err != nil {
				return err
			}
		}
		if c.terminatedBy() != nil {
			return errShutdown
		}
	}
}

// receive waits for the next message, flushing first when there is none yet.
func (c *conn) receive() (byte, []byte, error) {
	if !c.in.buffered() {
		if err := c.out.flush(); err != nil {
			return 0, nil, errTerminated
		}
		limit, why := c.ses.IdleTimeout()
		if limit > 0 {
			_ = c.net.SetReadDeadline(c.srv.cfg.Host.Now().Add(limit))
			defer c.clearDeadline()
		}
		kind, body, err := c.in.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if t := c.terminatedBy(); t != nil {
				return 0, nil, t
			}
			return 0, nil, why
		}
		return kind, body, err
	}
	return c.in.next()
}

// clearDeadline lifts an idle limit again, but never the deadline by which a shutdown wakes this goroutine.
func (c *conn) clearDeadline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.terminated == nil {
		_ = c.net.SetReadDeadline(time.Time{})
	}
}

// fail sends an error and decides how the protocol goes on. A fatal one is returned and ends the connection.
func (c *conn) fail(err error, kind byte) error {
	if t := c.terminatedBy(); t != nil {
		return t
	}
	e := c.asFailure(err)
	if e == nil {
		return err
	}
	c.ses.Failed(e)
	if e.Severity == failure.SeverityFatal || e.Severity == failure.SeverityPanic {
		return e
	}
	c.out.failure('E', e)
	switch kind {
	case 'Q', 'S', 'F':
		c.out.readyForQuery(c.ses.Status())
	default:
		c.skip = true
	}
	return nil
}

// asFailure finds the error to send; nil when the connection itself is broken.
func (c *conn) asFailure(err error) *failure.Error {
	if errors.Is(err, errTerminated) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	if e := failure.As(err); e != nil {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		if cause := failure.As(context.Cause(c.ctx)); cause != nil {
			return cause
		}
		return errCanceled
	}
	c.srv.cfg.Log.Error("a statement failed without a SQLSTATE", "error", err)
	return failure.New(failure.InternalError, "%s", err.Error())
}

func (c *conn) dispatch(kind byte, body []byte) error {
	f := fields{b: body}
	switch kind {
	case 'Q':
		sql := f.cstring()
		if err := f.end(); err != nil {
			return err
		}
		if err := c.ses.Query(c.ctx, sql); err != nil {
			return err
		}
		c.out.readyForQuery(c.ses.Status())
		return nil
	case 'P':
		return c.parse(&f)
	case 'B':
		return c.bindPortal(&f)
	case 'D':
		what, name := f.uint8(), f.cstring()
		if err := f.end(); err != nil {
			return err
		}
		switch what {
		case 'S':
			return c.ses.DescribeStatement(c.ctx, name)
		case 'P':
			return c.ses.DescribePortal(c.ctx, name)
		}
		return failure.New(failure.ProtocolViolation, "invalid DESCRIBE message subtype %d", what)
	case 'E':
		name, rows := f.cstring(), f.int32()
		if err := f.end(); err != nil {
			return err
		}
		return c.ses.Execute(c.ctx, name, int(max(rows, 0)))
	case 'C':
		return c.closeObject(&f)
	case 'S':
		c.skip = false
		if err := c.ses.Sync(c.ctx); err != nil {
			return err
		}
		c.out.readyForQuery(c.ses.Status())
		return nil
	case 'H':
		if err := c.out.flush(); err != nil {
			return errTerminated
		}
		return nil
	case 'd', 'c', 'f':
		return nil // left over from a COPY that has failed
	case 'F':
		return failure.NotSupported("the function call message")
	default:
		return fatal(failure.ProtocolViolation, "invalid frontend message type %d", kind)
	}
}

func (c *conn) parse(f *fields) error {
	name, sql := f.cstring(), f.cstring()
	n := f.uint16()
	var types []uint32
	if n > 0 && !f.bad && n*4 <= len(f.b) {
		types = make([]uint32, n)
		for i := range types {
			types[i] = uint32(f.int32())
		}
	} else if n > 0 {
		f.bad = true
	}
	if err := f.end(); err != nil {
		return err
	}
	if err := c.ses.Parse(c.ctx, name, sql, types); err != nil {
		return err
	}
	c.out.simple('1')
	return nil
}

// bindBuffers are reused from one Bind to the next.
type bindBuffers struct {
	paramFormats, resultFormats []int16
	params                      [][]byte
}

func (c *conn) bindPortal(f *fields) error {
	b := session.Bind{Portal: f.cstring(), Statement: f.cstring()}
	c.bind.paramFormats = formats(f, c.bind.paramFormats[:0])
	n := f.uint16()
	c.bind.params = c.bind.params[:0]
	for i := 0; i < n && !f.bad; i++ {
		size := f.int32()
		if size == -1 {
			c.bind.params = append(c.bind.params, nil)
			continue
		}
		v := f.take(int(size))
		if v == nil {
			v = []byte{}
		}
		c.bind.params = append(c.bind.params, v)
	}
	c.bind.resultFormats = formats(f, c.bind.resultFormats[:0])
	if err := f.end(); err != nil {
		return err
	}
	b.ParamFormats, b.Params, b.ResultFormats = c.bind.paramFormats, c.bind.params, c.bind.resultFormats
	if err := c.ses.Bind(c.ctx, b); err != nil {
		return err
	}
	c.out.simple('2')
	return nil
}

func formats(f *fields, into []int16) []int16 {
	n := f.uint16()
	for i := 0; i < n && !f.bad; i++ {
		into = append(into, int16(f.uint16()))
	}
	return into
}

func (c *conn) closeObject(f *fields) error {
	what, name := f.uint8(), f.cstring()
	if err := f.end(); err != nil {
		return err
	}
	var err error
	switch what {
	case 'S':
		err = c.ses.CloseStatement(name)
	case 'P':
		err = c.ses.ClosePortal(name)
	default:
		err = failure.New(failure.ProtocolViolation, "invalid CLOSE message subtype %d", what)
	}
	if err != nil {
		return err
	}
	c.out.simple('3')
	return nil
}
