package rpc

import (
	"context"
	"io"
	"sync"

	"github.com/meridiandb/meridian/internal/failure"
)

// loopback is a node's way to its own handlers, with the same rules.
type loopback struct {
	n *Network

	mu      sync.Mutex
	queue   []letter
	bytes   int
	running bool
	closed  bool
	cancel  map[*inStream]func()
}

type letter struct {
	s    Service
	body []byte
}

func (l *loopback) init(n *Network) { l.n, l.cancel = n, map[*inStream]func(){} }

func (l *loopback) call(ctx context.Context, s Service, body []byte) ([]byte, error) {
	h := l.n.callHandler(s)
	if h == nil {
		return nil, failure.NotSupported("%s on node %d is", s, l.n.self())
	}
	answer, err := h(ctx, l.n.self(), append([]byte(nil), body...))
	if err != nil {
		return nil, asFailure(err)
	}
	return answer, nil
}

// send queues a message; a goroutine delivers them in order and ends when there are none.
func (l *loopback) send(s Service, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.bytes+len(body) > l.n.cfg.MaxQueue {
		return
	}
	l.queue = append(l.queue, letter{s, append([]byte(nil), body...)})
	l.bytes += len(body)
	if !l.running {
		l.running = l.n.goServe(l.deliver)
	}
}

func (l *loopback) deliver() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 || l.closed {
			l.running, l.queue = false, nil
			l.mu.Unlock()
			return
		}
		m := l.queue[0]
		l.queue = l.queue[1:]
		l.bytes -= len(m.body)
		l.mu.Unlock()
		if h := l.n.messageHandler(m.s); h != nil {
			h(l.n.self(), m.body)
		}
	}
}

// stream runs the handler beside the receiver; the receiver's window bounds what waits.
func (l *loopback) stream(s Service, open []byte) (Stream, error) {
	in := newInStream(nil, 0, l.n.cfg.Window)
	ctx, cancel := context.WithCancel(context.Background())
	in.leave = cancel
	l.mu.Lock()
	l.cancel[in] = cancel
	closed := l.closed
	l.mu.Unlock()
	open = append([]byte(nil), open...)
	run := func() {
		defer func() {
			cancel()
			l.mu.Lock()
			delete(l.cancel, in)
			l.mu.Unlock()
		}()
		h := l.n.streamHandler(s)
		if h == nil {
			in.end(failure.NotSupported("a stream of %s on node %d is", s, l.n.self()))
			return
		}
		if err := h(ctx, l.n.self(), open, func(item []byte) error { return l.push(ctx, in, item) }); err != nil {
			in.end(asFailure(err))
			return
		}
		in.end(io.EOF)
	}
	if closed || !l.n.goServe(run) {
		cancel()
		return nil, unreachable(target(l.n.self(), ""), errClosed)
	}
	return in, nil
}

func (l *loopback) push(ctx context.Context, in *inStream, item []byte) error {
	for {
		in.mu.Lock()
		if in.err != nil || ctx.Err() != nil {
			in.mu.Unlock()
			return failure.New(failure.ConnectionFailure, "the stream's receiver is gone").WithCause(ErrLost)
		}
		if in.open > 0 {
			cost := int64(len(item)) + itemCost
			in.open -= cost
			in.items = append(in.items, append([]byte(nil), item...))
			in.mu.Unlock()
			token(in.wake)
			return nil
		}
		in.mu.Unlock()
		select {
		case <-in.room:
		case <-ctx.Done():
		}
	}
}

func (l *loopback) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, cancel := range l.cancel {
		cancel()
	}
}
