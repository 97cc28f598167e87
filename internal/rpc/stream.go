package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/meridiandb/meridian/internal/failure"
)

// Stream is what a peer pushes.
type Stream interface {
	// Recv returns the next item, which is the caller's. At the end it answers io.EOF, or the handler's error; a connection that
	// was lost answers an error with ErrLost. Not for concurrent use.
	Recv(ctx context.Context) ([]byte, error)
	// Close ends the stream; the handler's context ends. Safe to call at any time, more than once.
	Close()
}

// itemCost is what an item counts besides its bytes, so that empty ones are bounded too.
const itemCost = 64

// inStream is the receiver's side. Memory is bounded by the window: more is granted only for what was received.
type inStream struct {
	c  *conn // nil for a node's stream to itself
	id uint64

	mu      sync.Mutex
	window  int64
	items   [][]byte
	partial []byte // of the item that is arriving
	want    uint64 // bytes of it still to come
	open    int64  // credit that the sender has left
	owed    int64  // consumed, not granted again yet
	waiting bool   // somebody is in Recv and nothing is whole
	err     error
	wake    chan struct{}
	leave   func() // for a stream to oneself: cancel the handler
	room    chan struct{}
}

func newInStream(c *conn, id uint64, window int) *inStream {
	return &inStream{c: c, id: id, window: int64(window), open: int64(window), wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// end finishes the stream once its items have been received.
func (s *inStream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	token(s.wake)
}

// take accepts a piece of an item.
func (s *inStream) take(b []byte, follow uint64, limit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cost := int64(len(b)) + itemCost
	if s.open <= 0 {
		return fmt.Errorf("%w: a stream sent more than its credit", errProtocol)
	}
	s.open -= cost
	if s.want > 0 && s.want != uint64(len(b))+follow || follow > uint64(limit) || follow > 0 && len(b) == 0 {
		return fmt.Errorf("%w: a stream's item has two lengths", errProtocol)
	}
	switch {
	case s.want == 0 && follow == 0:
		s.items = append(s.items, b)
	case follow == 0:
		s.items = append(s.items, append(s.partial, b...))
		s.partial = nil
	default:
		s.partial = append(s.partial, b...)
	}
	if s.want = follow; follow > 0 {
		// The pieces of an item that somebody waits for are granted again at once: it may be larger than the window.
		s.owed += cost
		if s.waiting {
			s.grant()
		}
		return nil
	}
	token(s.wake)
	return nil
}

// grant gives the sender credit for what was consumed, when it has become much; s.mu is held.
func (s *inStream) grant() {
	if s.owed < s.window/4 || s.err != nil {
		return
	}
	s.open += s.owed
	n := s.owed
	s.owed = 0
	if s.c == nil {
		token(s.room)
		return
	}
	s.c.q.put(&frame{kind: kindCredit, id: s.id, number: uint64(n)}, true)
}

// Recv implements Stream.
func (s *inStream) Recv(ctx context.Context) ([]byte, error) {
	for {
		s.mu.Lock()
		if len(s.items) > 0 {
			item := s.items[0]
			s.items[0] = nil
			if s.items = s.items[1:]; len(s.items) == 0 {
				s.items = nil
			}
			// The last piece's cost; earlier ones were counted as they came.
			if s.owed += itemCost + int64(lastPiece(len(item))); s.c == nil {
				s.owed += int64(len(item) - lastPiece(len(item)))
			}
			s.grant()
			s.waiting = false
			s.mu.Unlock()
			return item, nil
		}
		if s.err != nil {
			defer s.mu.Unlock()
			return nil, s.err
		}
		s.waiting = true
		s.grant()
		s.mu.Unlock()
		select {
		case <-s.wake:
		case <-ctx.Done():
			s.mu.Lock()
			s.waiting = false
			s.mu.Unlock()
			return nil, ctx.Err()
		}
	}
}

// lastPiece is the length of an item's last piece, by the rule that senders cut at chunk.
func lastPiece(n int) int {
	if n == 0 {
		return 0
	}
	return (n-1)%chunk + 1
}

// Close implements Stream.
func (s *inStream) Close() {
	s.end(failure.New(failure.QueryCanceled, "stream was closed").WithCause(errClosed))
	s.mu.Lock()
	s.items, s.partial = nil, nil
	s.mu.Unlock()
	if s.c == nil {
		s.leave()
		token(s.room)
		return
	}
	s.c.mu.Lock()
	_, live := s.c.streams[s.id]
	delete(s.c.streams, s.id)
	s.c.mu.Unlock()
	if live {
		s.c.q.put(&frame{kind: kindClose, id: s.id}, true)
	}
}

// stream opens one.
func (c *conn) stream(s Service, open []byte) (Stream, error) {
	if len(open) > c.n.cfg.MaxBody {
		return nil, unreachable(c.who, fmt.Errorf("an opening of %d bytes is larger than %d", len(open), c.n.cfg.MaxBody))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, unreachable(c.who, c.err)
	}
	c.nextID++
	in := newInStream(c, c.nextID, c.n.cfg.Window)
	if c.q.put(&frame{kind: kindOpen, id: in.id, service: s, number: uint64(in.window), body: open}, false) == 0 {
		return nil, unreachable(c.who, errors.New("too much waits to be sent"))
	}
	c.streams[in.id] = in
	return in, nil
}

// streamFrame takes a piece or the end of a stream; what comes for closed ones is dropped.
func (c *conn) streamFrame(f *frame) error {
	c.mu.Lock()
	s := c.streams[f.id]
	if f.kind == kindEnd {
		delete(c.streams, f.id)
	}
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	if f.kind == kindItem {
		return s.take(f.body, f.number, c.n.cfg.MaxBody)
	}
	if f.flags == 0 {
		s.end(io.EOF)
		return nil
	}
	e, err := decodeFailure(f.body)
	if err != nil {
		return err
	}
	s.end(e)
	return nil
}

// outStream is the sender's side.
type outStream struct {
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	credit int64
	wake   chan struct{}
}

// spend takes credit for n bytes, waiting until there is any.
func (o *outStream) spend(n int64, done <-chan struct{}) bool {
	for {
		o.mu.Lock()
		if o.credit > 0 {
			o.credit -= n
			o.mu.Unlock()
			return true
		}
		o.mu.Unlock()
		select {
		case <-o.wake:
		case <-done:
			return false
		}
	}
}

func (c *conn) open(f *frame) error {
	o := &outStream{credit: int64(min(f.number, 1<<40)), wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancelCause(context.Background())
	o.cancel = cancel
	c.mu.Lock()
	_, twice := c.pushes[f.id]
	many := len(c.pushes) >= c.n.cfg.MaxStreams
	if !twice && !many {
		c.pushes[f.id] = o
	}
	c.mu.Unlock()
	switch {
	case twice:
		cancel(nil)
		return fmt.Errorf("%w: stream %d twice", errProtocol, f.id)
	case many:
		cancel(nil)
		c.endPush(f.id, failure.New(failure.InsufficientResources, "node %d has too many streams to node %d at once", c.n.self(), c.peer), nil)
		return nil
	}
	c.n.goServe(func() { c.push(ctx, f.id, f.service, f.body, o) })
	return nil
}

// push runs a stream's handler.
func (c *conn) push(ctx context.Context, id uint64, s Service, open []byte, o *outStream) {
	var err error
	if h := c.n.streamHandler(s); h == nil {
		err = failure.NotSupported("a stream of %s on node %d is", s, c.n.self())
	} else {
		err = h(ctx, c.peer, open, func(item []byte) error { return c.sendItem(ctx, id, item, o) })
	}
	c.endPush(id, err, ctx.Done())
	c.mu.Lock()
	delete(c.pushes, id)
	c.mu.Unlock()
	o.cancel(nil)
}

func (c *conn) sendItem(ctx context.Context, id uint64, item []byte, o *outStream) error {
	if len(item) > c.n.cfg.MaxBody {
		return failure.New(failure.ProgramLimitExceeded, "a stream's item of %d bytes is larger than %d", len(item), c.n.cfg.MaxBody)
	}
	for first := true; first || len(item) > 0; first = false {
		n := min(len(item), chunk)
		f := frame{kind: kindItem, id: id, number: uint64(len(item) - n), body: item[:n]}
		if !o.spend(int64(n)+itemCost, ctx.Done()) || !c.q.putBulk(&f, ctx.Done()) {
			return failure.New(failure.ConnectionFailure, "the stream's receiver is gone").WithCause(errors.Join(ErrLost, ctx.Err()))
		}
		item = item[n:]
	}
	return nil
}

// endPush tells the receiver that the stream has ended; behind its items, so as bulk.
func (c *conn) endPush(id uint64, err error, done <-chan struct{}) {
	f := frame{kind: kindEnd, id: id}
	if err != nil {
		f.flags, f.body = 1, appendFailure(nil, asFailure(err))
	}
	if done == nil {
		c.q.put(&f, true)
		return
	}
	c.q.putBulk(&f, done)
}

func (c *conn) credit(f *frame) {
	c.mu.Lock()
	o := c.pushes[f.id]
	c.mu.Unlock()
	if o == nil {
		return
	}
	o.mu.Lock()
	o.credit += int64(min(f.number, 1<<40))
	o.mu.Unlock()
	token(o.wake)
}

func (c *conn) closePush(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.pushes[id]; o != nil {
		o.cancel(context.Canceled)
	}
}
