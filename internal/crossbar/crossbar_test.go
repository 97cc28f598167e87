package crossbar

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/txn"
)

// memLog is a journal in memory. Records whose index divides by three have no effect.
type memLog struct {
	mu      sync.Mutex
	n       uint64
	changed chan struct{}
	err     error
}

func newMemLog() *memLog { return &memLog{changed: make(chan struct{})} }

func (l *memLog) grow(n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n += n
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *memLog) Read(from uint64, _ int) (out []txn.Entry, next uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, 0, l.err
	}
	for next = from; next <= l.n && next < from+10; next++ {
		if next%3 != 0 {
			out = append(out, txn.Entry{Index: next})
		}
	}
	return out, next, nil
}

func (l *memLog) Wait(ctx context.Context, index uint64) (uint64, error) {
	for {
		l.mu.Lock()
		n, changed := l.n, l.changed
		l.mu.Unlock()
		if n > index {
			return n, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

type owner struct{ quick bool }

func (o owner) Promise(at clock.Timestamp) (txn.Watermark, bool) {
	return txn.Watermark{Time: at, Index: 1}, o.quick
}

func (o owner) PromiseWait(_ context.Context, at clock.Timestamp) (txn.Watermark, error) {
	return txn.Watermark{Time: at, Index: 2}, nil
}

// received checks the order of what one subscriber is given.
type received struct {
	t    *testing.T
	mu   sync.Mutex
	next map[txn.JournalID]uint64
	fail map[txn.JournalID]error
	cuts map[txn.JournalID]error
}

func newReceived(t *testing.T) *received {
	return &received{t: t, next: map[txn.JournalID]uint64{}, fail: map[txn.JournalID]error{}, cuts: map[txn.JournalID]error{}}
}

func (r *received) deliver(j txn.JournalID, entries []txn.Entry, next uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := max(r.next[j], 1)
	for _, e := range entries {
		for at%3 == 0 {
			at++
		}
		if e.Index != at {
			r.t.Errorf("journal %d: record %d, want %d", j, e.Index, at)
		}
		at++
	}
	r.next[j] = next
	return r.fail[j]
}

func (r *received) cut(j txn.JournalID, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cuts[j] = err
}

func (r *received) state() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.next, r.cuts)
}

func TestDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newMemLog(), newMemLog()
		c := New(Source{ID: 1, Log: a, Owner: owner{}}, Source{ID: 2, Log: b, Owner: owner{}})
		r, late := newReceived(t), newReceived(t)
		stop := c.Subscribe(nil, r.deliver, r.cut)
		want := func(r *received, s string) {
			t.Helper()
			synctest.Wait()
			if got := r.state(); got != s {
				t.Fatalf("got %s, want %s", got, s)
			}
		}
		a.grow(25)
		want(r, "map[1:26] map[]")
		b.grow(3)
		want(r, "map[1:26 2:4] map[]")
		late.next[1] = 20
		stopLate := c.Subscribe(map[txn.JournalID]uint64{1: 20}, late.deliver, late.cut)
		want(late, "map[1:26 2:4] map[]")
		stop()
		a.grow(1)
		want(r, "map[1:26 2:4] map[]")
		want(late, "map[1:27 2:4] map[]")
		late.fail[1] = errors.New("disk full")
		a.grow(1)
		want(late, "map[1:28 2:4] map[1:disk full]")
		a.grow(1)
		b.grow(1) // the other journal goes on
		want(late, "map[1:28 2:5] map[1:disk full]")
		b.mu.Lock()
		b.err = errors.New("trimmed")
		b.mu.Unlock()
		b.grow(1)
		want(late, "map[1:28 2:5] map[1:disk full 2:trimmed]")
		stopLate()
	})
}

func TestPromise(t *testing.T) {
	c := New(Source{ID: 1, Owner: owner{quick: true}}, Source{ID: 2, Owner: owner{}})
	for j, index := range map[txn.JournalID]uint64{1: 1, 2: 2} {
		if w, err := c.Promise(t.Context(), j, 7); err != nil || w.Index != index || w.Time != 7 {
			t.Fatal(w, err)
		}
	}
	if fmt.Sprint(c.Journals()) != "[1 2]" {
		t.Fatal(c.Journals())
	}
}
