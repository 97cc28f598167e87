package simhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

var (
	errReset   = errors.New("simhost: connection reset")
	errRefused = errors.New("simhost: connection refused")
)

type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }

// Address is a port of a machine, as Listen and Dial take it.
func Address(machine, port int) string { return fmt.Sprintf("m%d:%d", machine, port) }

func machineOf(address string) (int, bool) {
	h, _, err := net.SplitHostPort(address)
	if err != nil || len(h) < 2 || h[0] != 'm' {
		return 0, false
	}
	n, err := strconv.Atoi(h[1:])
	return n, err == nil
}

type listener struct {
	m      *Machine
	addr   string
	queue  chan *conn
	closed chan struct{}
	once   sync.Once
}

// Listen implements host.Network. The address is Address of this machine.
func (l *Life) Listen(_, address string) (net.Listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n != l.life {
		return nil, errReset
	}
	if l.listeners[address] != nil {
		return nil, fmt.Errorf("simhost: %s is in use", address)
	}
	li := &listener{m: l.Machine, addr: address, queue: make(chan *conn, 64), closed: make(chan struct{})}
	l.listeners[address] = li
	return li, nil
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.m.mu.Lock()
		if l.m.listeners[l.addr] == l {
			delete(l.m.listeners, l.addr)
		}
		l.m.mu.Unlock()
		close(l.closed)
	})
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return addr(l.addr) }

// Dial implements host.Network: the handshake takes one round trip.
func (l *Life) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	if l.Ended() {
		return nil, errReset // a ghost must not talk to the living
	}
	to, ok := machineOf(address)
	if !ok || to >= len(l.w.machines) {
		return nil, fmt.Errorf("simhost: no machine at %s", address)
	}
	l.mu.Lock()
	l.nextPort++
	local := Address(l.id, 40000+l.nextPort)
	l.mu.Unlock()
	there, back := newPipe(l.w, l.id, to), newPipe(l.w, to, l.id)
	mine := &conn{w: l.w, in: back, out: there, local: addr(local), remote: addr(address)}
	theirs := &conn{w: l.w, in: there, out: back, local: addr(address), remote: addr(local), peer: mine}
	mine.peer = theirs
	answer := make(chan error, 1)
	there.schedule(func() {
		m := l.w.machines[to]
		m.mu.Lock()
		li := m.listeners[address]
		m.mu.Unlock()
		var err error
		if li == nil {
			err = errRefused
		} else {
			l.w.mu.Lock()
			l.w.conns[mine], l.w.conns[theirs] = true, true
			l.w.mu.Unlock()
			select {
			case li.queue <- theirs:
			default:
				err = errRefused
			}
		}
		back.schedule(func() { answer <- err })
	})
	select {
	case err := <-answer:
		if err == nil && l.Ended() {
			mine.fail(errReset)
			theirs.fail(errReset)
			err = errReset
		}
		if err != nil {
			return nil, err
		}
		return mine, nil
	case <-l.dead:
		mine.fail(errReset)
		theirs.fail(errReset)
		return nil, errReset
	case <-ctx.Done():
		mine.fail(errReset)
		theirs.fail(errReset)
		return nil, ctx.Err()
	}
}

// conn is one end of a stream.
type conn struct {
	w             *World
	in, out       *pipe
	peer          *conn
	local, remote addr
	readBy        deadline
	dead          bool // with its machine; guarded by in.mu
}

func sortConns(cs []*conn) {
	slices.SortFunc(cs, func(a, b *conn) int {
		if a.local != b.local {
			return compare(string(a.local), string(b.local))
		}
		return compare(string(a.remote), string(b.remote))
	})
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) { return c.in.read(p, c) }

// Write implements net.Conn: it never blocks, as long as the receiver's window (4 MiB here) is open.
func (c *conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close implements net.Conn.
func (c *conn) Close() error {
	c.out.end()
	c.in.fail(net.ErrClosed)
	c.forget()
	return nil
}

func (c *conn) forget() {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	delete(c.w.conns, c)
}

// fail breaks the connection at this end.
func (c *conn) fail(err error) {
	c.in.fail(err)
	c.out.fail(err)
	c.forget()
}

// die ends this end only: nobody tells the other.
func (c *conn) die() {
	c.out.stall()
	c.in.mu.Lock()
	c.dead = true
	c.in.cond.Broadcast()
	c.in.mu.Unlock()
	c.forget()
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn. Writes do not wait.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	d := time.Duration(0)
	if !t.IsZero() {
		d = max(1, t.Sub(c.w.machines[c.out.from].Now()))
	}
	c.readBy.set(d, c.in)
	return nil
}

// deadline of reads.
type deadline struct {
	mu      sync.Mutex
	timer   *time.Timer
	expired bool
}

// set lets reads fail after a while, 0 for never.
func (d *deadline) set(after time.Duration, p *pipe) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	d.expired = false
	if after == 0 {
		return
	}
	d.timer = time.AfterFunc(after, func() {
		d.mu.Lock()
		d.expired = true
		d.mu.Unlock()
		p.mu.Lock()
		p.cond.Broadcast()
		p.mu.Unlock()
	})
}

func (d *deadline) passed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.expired
}

// pipe is one direction of a stream.
type pipe struct {
	w        *World
	from, to int
	mu       sync.Mutex
	cond     *sync.Cond
	arrived  []byte
	err      error
	eof      bool
	last     time.Duration // world time of the last scheduled arrival: a stream keeps its order
	stalled  bool
	waiting  []func()
}

func newPipe(w *World, from, to int) *pipe {
	p := &pipe{w: w, from: from, to: to}
	p.cond = sync.NewCond(&p.mu)
	return p
}

// schedule lets something arrive at the other end, behind everything before it.
func (p *pipe) schedule(f func()) {
	w := p.w
	w.machines[p.from].gate(-1, func() {
		w.mu.Lock()
		weather := w.cfg.Link(p.from, p.to)
		d := weather.Latency
		if weather.Jitter > 0 {
			d += time.Duration(w.rng.Int64N(int64(weather.Jitter)))
		}
		if weather.Tail > 0 && w.rng.IntN(1000) < weather.Tail {
			d *= time.Duration(2 + w.rng.IntN(9))
		}
		now := w.Elapsed()
		p.mu.Lock()
		at := now + w.instantLocked(max(d, p.last-now))
		p.last = at
		p.mu.Unlock()
		w.mu.Unlock()
		time.AfterFunc(at-now, func() { p.arrive(f) })
	})
}

// arrive delivers, unless the way is cut: then it waits with all that comes behind it.
func (p *pipe) arrive(f func()) {
	p.w.mu.Lock()
	cut := p.w.cut[[2]int{p.from, p.to}]
	p.w.mu.Unlock()
	p.mu.Lock()
	if cut || p.stalled || len(p.waiting) > 0 {
		p.waiting = append(p.waiting, f)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	p.w.machines[p.to].gate(-1, f)
}

// resume delivers what a cut has held up.
func (p *pipe) resume() {
	p.mu.Lock()
	held := p.waiting
	p.waiting = nil
	p.mu.Unlock()
	for _, f := range held {
		p.schedule(f)
	}
}

// stall stops deliveries for ever.
func (p *pipe) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = true
}

func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	err := p.err
	p.mu.Unlock()
	if err != nil {
		return 0, err
	}
	data := slices.Clone(b)
	p.schedule(func() {
		p.w.mu.Lock()
		p.w.noteLocked(fmt.Appendf(nil, "%d>%d %d", p.from, p.to, len(data)))
		p.w.mu.Unlock()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.arrived = append(p.arrived, data...)
		p.cond.Broadcast()
	})
	return len(b), nil
}

// end closes the stream behind what was written.
func (p *pipe) end() {
	p.schedule(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.eof = true
		p.cond.Broadcast()
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = net.ErrClosed // for writers only: readers get what has arrived, then the end
	}
}

func (p *pipe) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.eof = true
	p.arrived = nil
	if p.err == nil {
		p.err = err
	}
	p.cond.Broadcast()
}

func (p *pipe) read(b []byte, c *conn) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if c.dead {
			return 0, errReset
		}
		if c.readBy.passed() {
			return 0, os.ErrDeadlineExceeded
		}
		if len(p.arrived) > 0 {
			n := copy(b, p.arrived)
			p.arrived = p.arrived[n:]
			return n, nil
		}
		if p.eof {
			if p.err != nil && !errors.Is(p.err, net.ErrClosed) {
				return 0, p.err
			}
			return 0, io.EOF
		}
		p.cond.Wait()
	}
}
