package rpc

import (
	"context"
	"fmt"
	"time"
)

// maxIdle is how many workers stay for the next request, with stacks that have grown already.
const maxIdle = 64

type job struct {
	c  *conn
	id uint64
	r  *request
}

// goServe runs f in a goroutine that Close waits for; false when the network is closed.
func (n *Network) goServe(f func()) bool {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return false
	}
	n.wg.Add(1)
	n.mu.Unlock()
	go func() {
		defer n.wg.Done()
		f()
	}()
	return true
}

// work hands a request to a worker. Only goroutines that Close waits for call it.
func (n *Network) work(j job) {
	select {
	case n.jobs <- j:
		return
	default:
	}
	n.wg.Add(1)
	go func() {
		defer n.wg.Done()
		n.worker(j)
	}()
}

func (n *Network) worker(j job) {
	for {
		j.c.serve(j.id, j.r)
		if n.idle.Add(1) > maxIdle {
			n.idle.Add(-1)
			return
		}
		select {
		case j = <-n.jobs:
			n.idle.Add(-1)
		case <-n.done:
			n.idle.Add(-1)
			return
		}
	}
}

// watch is what the keeper remembers about a connection.
type watch struct {
	in, out int64
	heard   time.Duration
}

// track adds a connection to those that are pinged and watched, or takes it away.
func (n *Network) track(c *conn, live bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !live {
		delete(n.conns, c)
		return
	}
	n.conns[c] = &watch{heard: n.cfg.Host.Monotonic()}
	if n.closed {
		c.goodbye()
	} else if c.dialer {
		c.ping(n.cfg.Host.Monotonic())
	}
}

// watchAll pings and times out all connections: one timer for the whole node.
func (n *Network) watchAll() {
	defer n.wg.Done()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n.wg.Add(1)
	go func() {
		defer n.wg.Done()
		<-n.done
		cancel()
	}()
	last := n.cfg.Host.Monotonic()
	for {
		if n.cfg.Host.Sleep(ctx, n.cfg.PingInterval) != nil {
			return
		}
		now := n.cfg.Host.Monotonic()
		// When this process itself did not run for a while, silence proves nothing about the others.
		stalled := max(now-last-2*n.cfg.PingInterval, 0)
		last = now
		n.look(now, stalled)
	}
}

func (n *Network) look(now, stalled time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c, w := range n.conns {
		in, out := c.in.Load(), c.out.Load()
		if in != w.in {
			w.heard = now
		}
		w.heard = min(w.heard+stalled, now)
		quiet := now - w.heard
		switch {
		case quiet >= n.cfg.Timeout:
			c.close(fmt.Errorf("nothing was heard for %s", quiet.Round(time.Millisecond)))
		case c.dialer:
			c.ping(now)
		case in != w.in && out == w.out:
			// A long body arrives and the pings are behind it: tell the sender that somebody listens.
			c.q.put(&frame{kind: kindPong}, true)
		}
		w.in, w.out = in, out
	}
}

// ping sends one.
func (c *conn) ping(now time.Duration) {
	c.mu.Lock()
	if c.pingAt == 0 { // the last one was answered
		c.pingSeq++
		c.pingAt = now
	}
	f := frame{kind: kindPing, number: c.pingSeq, t: [3]int64{c.n.cfg.Host.Now().UnixNano()}}
	c.mu.Unlock()
	c.q.put(&f, true)
}

func (c *conn) pong(f *frame) {
	now := c.n.cfg.Host.Monotonic()
	c.mu.Lock()
	rtt := now - c.pingAt
	known := f.number == c.pingSeq && c.pingAt != 0
	if known {
		c.pingAt = 0
	}
	c.mu.Unlock()
	if known {
		c.sight.add(now, rtt, f.t[0], f.t[1], f.t[2], c.n.cfg.Host.Now().UnixNano())
	}
}

// goodbye ends the connection; the peer need not wait for a timeout.
func (c *conn) goodbye() { c.close(errClosed) }
