package rpc

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// peer is a node that this one keeps a connection to.
type peer struct {
	n    *Network
	id   NodeID
	addr string
	stop context.CancelFunc
	kick chan struct{} // one token: dial now
	gone chan struct{} // closed when its goroutine has ended

	mu      sync.Mutex
	conn    *conn
	trying  chan struct{} // closed when the attempt that runs has ended; nil when none runs
	lastErr error
	since   time.Time // of the connection
	in, out int64     // of earlier connections
	sight   *sight    // of the latest connection
}

// keep dials until it is stopped.
func (p *peer) keep(ctx context.Context) {
	defer close(p.gone)
	defer p.giveUp()
	wait := p.n.cfg.BackoffMin
	for ctx.Err() == nil {
		c, err := p.dial(ctx)
		if err == nil {
			wait = p.n.cfg.BackoffMin
			err = p.serve(ctx, c)
		}
		p.mu.Lock()
		p.lastErr = err
		p.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
		p.n.cfg.Log.Debug("connection to another node ended", "node", p.id, "address", p.addr, "error", err)
		var r *refusal
		if errors.As(err, &r) {
			p.n.refused(target(p.id, p.addr), err.Error())
			wait = p.n.cfg.BackoffMax
		}
		p.pause(ctx, wait/2+time.Duration(p.n.cfg.Host.Uint64()%uint64(wait)))
		wait = min(2*wait, p.n.cfg.BackoffMax)
	}
}

// giveUp lets go whoever waits for an attempt.
func (p *peer) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trying != nil {
		close(p.trying)
		p.trying = nil
	}
}

// pause waits before the next attempt; a token in kick cuts it short.
func (p *peer) pause(ctx context.Context, d time.Duration) {
	over := make(chan struct{})
	stop := p.n.cfg.Host.AfterFunc(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
	case <-p.kick:
	case <-ctx.Done():
	}
}

func (p *peer) dial(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	trying := p.trying // the first attempt's is made with the peer
	if trying == nil {
		trying = make(chan struct{})
		p.trying = trying
	}
	p.mu.Unlock()
	c, _, err := p.n.connect(ctx, p.id, p.addr)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.conn, p.since, p.sight = c, p.n.cfg.Host.Now(), c.sight
	}
	p.lastErr = err
	p.trying = nil
	close(trying)
	return c, err
}

// serve runs a connection until it dies or the peer is stopped.
func (p *peer) serve(ctx context.Context, c *conn) error {
	unhook := context.AfterFunc(ctx, func() { c.goodbye() })
	defer unhook()
	p.n.track(c, true)
	defer p.n.track(c, false)
	err := c.run()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn = nil
	p.in += c.in.Load()
	p.out += c.out.Load()
	return err
}

// get returns the connection, waiting for an attempt that runs.
func (p *peer) get(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	c, trying := p.conn, p.trying
	p.mu.Unlock()
	if c == nil && trying != nil {
		select {
		case <-trying:
		case <-ctx.Done():
			return nil, ended(target(p.id, p.addr), ctx, false)
		}
		p.mu.Lock()
		c = p.conn
		p.mu.Unlock()
	}
	if c != nil {
		return c, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return nil, unreachable(target(p.id, p.addr), p.lastErr)
}

func (p *peer) current() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn
}

func (p *peer) status(mono time.Duration) PeerStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := PeerStatus{ID: p.id, Address: p.addr, Connected: p.conn != nil, BytesIn: p.in, BytesOut: p.out}
	if p.conn != nil {
		s.Since = p.since
		s.BytesIn += p.conn.in.Load()
		s.BytesOut += p.conn.out.Load()
	}
	if p.sight != nil {
		s.RTT, s.OffsetMin, s.OffsetMax, s.OffsetKnown = p.sight.read(mono)
	}
	if p.lastErr != nil && p.conn == nil {
		s.LastError = p.lastErr.Error()
	}
	return s
}

// connect dials and shakes hands.
func (n *Network) connect(ctx context.Context, to NodeID, addr string) (*conn, hello, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := n.cfg.Host.AfterFunc(n.cfg.HandshakeTimeout, cancel)
	defer stop()
	raw, err := n.cfg.Host.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, hello{}, err
	}
	unhook := context.AfterFunc(ctx, func() { _ = raw.Close() })
	nc, r, answer, err := n.greet(ctx, raw, to, addr)
	if !unhook() && err == nil {
		err = errors.New("the node did not answer in time")
	}
	if err != nil {
		_ = raw.Close()
		return nil, hello{}, err
	}
	return newConn(n, raw, nc, r, answer.from, target(answer.from, addr), true), answer, nil
}

func (n *Network) greet(ctx context.Context, raw net.Conn, to NodeID, addr string) (net.Conn, *bufio.Reader, hello, error) {
	nc := raw
	if n.cfg.TLS != nil {
		t := tls.Client(raw, clientConfig(n.cfg.TLS, addr))
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, nil, hello{}, fmt.Errorf("TLS with the node: %w", err)
		}
		nc = t
	}
	r := bufio.NewReaderSize(nc, readBuffer)
	answer, err := n.identity().shake(nc, r, to)
	if err == nil {
		err = n.vouch(nc, answer.from)
	}
	return nc, r, answer, err
}

// clientConfig adds the name to verify when the configuration leaves it open.
func clientConfig(c *tls.Config, addr string) *tls.Config {
	if c.ServerName != "" || c.InsecureSkipVerify {
		return c
	}
	c = c.Clone()
	if host, _, err := net.SplitHostPort(addr); err == nil {
		c.ServerName = host
	}
	return c
}

// vouch asks whether the certificate shown may speak for the node.
func (n *Network) vouch(c net.Conn, id NodeID) error {
	t, ok := c.(*tls.Conn)
	if !ok || n.cfg.Authorize == nil {
		return nil
	}
	state := t.ConnectionState()
	if len(state.PeerCertificates) == 0 {
		return errors.New("no certificate was shown")
	}
	return n.cfg.Authorize(id, state.PeerCertificates[0])
}
