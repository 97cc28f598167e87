package session

import (
	"context"
	"strings"
	"sync"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
)

// advisoryKey names an advisory lock: one number of 64 bits or two of 32, which are different spaces.
type advisoryKey struct {
	two  bool
	a, b int64
}

// advisoryLocks are the advisory locks of an engine. They exclude the sessions of one query processor from each other,
// and are held in its memory alone.
type advisoryLocks struct {
	mu    sync.Mutex
	locks map[advisoryKey]*advisoryLock
}

// advisoryLock is a lock that somebody holds or waits for.
type advisoryLock struct {
	holders map[*Session]*advisoryHold
	// queue are those who wait, first come first.
	queue []*advisoryWaiter
}

// advisoryHold counts how often a session has taken a lock, by mode.
type advisoryHold struct{ shared, exclusive int }

type advisoryWaiter struct {
	s      *Session
	shared bool
	// granted is closed when the lock is the waiter's.
	granted chan struct{}
}

// free says whether a session can have the lock beside those who hold it.
func (l *advisoryLock) free(s *Session, shared bool) bool {
	for other, h := range l.holders {
		if other != s && (!shared && h.shared > 0 || h.exclusive > 0) {
			return false
		}
	}
	return true
}

func (l *advisoryLock) grant(s *Session, shared bool) {
	h := l.holders[s]
	if h == nil {
		h = &advisoryHold{}
		l.holders[s] = h
	}
	if shared {
		h.shared++
	} else {
		h.exclusive++
	}
}

// take tries to get a lock. When it is not free it answers a waiter, which is in the queue, or nil without wait.
func (a *advisoryLocks) take(k advisoryKey, s *Session, shared, wait bool) (ok bool, w *advisoryWaiter, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.locks == nil {
		a.locks = map[advisoryKey]*advisoryLock{}
	}
	l := a.locks[k]
	if l == nil {
		l = &advisoryLock{holders: map[*Session]*advisoryHold{}}
		a.locks[k] = l
	}
	// Who holds the lock already may have more of it without queueing, or it would wait for those who wait for it.
	if l.free(s, shared) && (len(l.queue) == 0 || l.holders[s] != nil) {
		l.grant(s, shared)
		return true, nil, nil
	}
	if !wait {
		return false, nil, nil
	}
	w = &advisoryWaiter{s: s, shared: shared, granted: make(chan struct{})}
	l.queue = append(l.queue, w)
	if a.deadlock(l, w, map[*advisoryLock]bool{}) {
		a.leave(k, w)
		return false, nil, failure.New(failure.DeadlockDetected, "deadlock detected").WithHint("See server log for query details.")
	}
	return false, w, nil
}

// deadlock says whether those who keep w from the lock wait, directly or not, for something that w's session holds.
func (a *advisoryLocks) deadlock(l *advisoryLock, w *advisoryWaiter, seen map[*advisoryLock]bool) bool {
	if seen[l] {
		return false
	}
	seen[l] = true
	for holder := range l.holders {
		for _, other := range a.locks {
			for _, x := range other.queue {
				if x.s != holder || x == w {
					continue
				}
				if h := other.holders[w.s]; h != nil || a.deadlock(other, w, seen) {
					return true
				}
			}
		}
	}
	return false
}

// leave takes a waiter out of the queue. It returns false when the lock was granted meanwhile.
func (a *advisoryLocks) leave(k advisoryKey, w *advisoryWaiter) bool {
	l := a.locks[k]
	for i, x := range l.queue {
		if x == w {
			l.queue = append(l.queue[:i:i], l.queue[i+1:]...)
			a.pass(k, l)
			return true
		}
	}
	return false
}

// pass gives the lock to those at the head of the queue who can have it now.
func (a *advisoryLocks) pass(k advisoryKey, l *advisoryLock) {
	for len(l.queue) > 0 && l.free(l.queue[0].s, l.queue[0].shared) {
		w := l.queue[0]
		l.queue = l.queue[1:]
		l.grant(w.s, w.shared)
		close(w.granted)
	}
	if len(l.holders) == 0 && len(l.queue) == 0 {
		delete(a.locks, k)
	}
}

// release gives a lock up once; it returns false when the session does not hold it.
func (a *advisoryLocks) release(k advisoryKey, s *Session, shared bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.locks[k]
	if l == nil || l.holders[s] == nil {
		return false
	}
	h := l.holders[s]
	n := &h.exclusive
	if shared {
		n = &h.shared
	}
	if *n == 0 {
		return false
	}
	*n--
	if h.shared == 0 && h.exclusive == 0 {
		delete(l.holders, s)
	}
	a.pass(k, l)
	return true
}

// advisoryHeld is a lock that a session holds once, for the session or for the transaction.
type advisoryHeld struct {
	key    advisoryKey
	shared bool
}

// lockAdvisory takes a lock for the session or, with xact, for the transaction.
func (s *Session) lockAdvisory(ctx context.Context, k advisoryKey, shared, xact, wait bool) (bool, error) {
	locks := &s.engine.advisory
	ok, w, err := locks.take(k, s, shared, wait)
	if err != nil || !ok && w == nil {
		return false, err
	}
	if w != nil {
		if err := s.awaitAdvisory(ctx, k, w); err != nil {
			return false, err
		}
		s.t.waited = true
	}
	held := advisoryHeld{k, shared}
	if xact {
		s.t.advisory = append(s.t.advisory, held)
	} else {
		s.advisory = append(s.advisory, held)
	}
	return true, nil
}

// awaitAdvisory waits for a lock, until lock_timeout or the end of the statement.
func (s *Session) awaitAdvisory(ctx context.Context, k advisoryKey, w *advisoryWaiter) error {
	if limit := s.settings.Duration("lock_timeout"); limit > 0 {
		limited, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer s.engine.cfg.Host.AfterFunc(limit, func() {
			cancel(failure.New(failure.LockNotAvailable, "canceling statement due to lock timeout"))
		})()
		ctx = limited
	}
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
	}
	locks := &s.engine.advisory
	locks.mu.Lock()
	gone := locks.leave(k, w)
	locks.mu.Unlock()
	if !gone { // granted at the last moment
		locks.release(k, s, w.shared)
	}
	if cause := failure.As(context.Cause(ctx)); cause != nil {
		return cause
	}
	return failure.New(failure.QueryCanceled, "canceling statement due to user request")
}

// unlockAdvisory gives up a lock of the session.
func (s *Session) unlockAdvisory(k advisoryKey, shared bool) bool {
	for i := len(s.advisory) - 1; i >= 0; i-- {
		if s.advisory[i] == (advisoryHeld{k, shared}) {
			s.advisory = append(s.advisory[:i:i], s.advisory[i+1:]...)
			return s.engine.advisory.release(k, s, shared)
		}
	}
	mode := "ExclusiveLock"
	if shared {
		mode = "ShareLock"
	}
	s.warn(failure.Warning, "you don't own a lock of type %s", mode)
	return false
}

// releaseAdvisory gives up locks from the position on in a list.
func (s *Session) releaseAdvisory(list []advisoryHeld, from int) []advisoryHeld {
	for _, h := range list[from:] {
		s.engine.advisory.release(h.key, s, h.shared)
	}
	return list[:from]
}

// advisoryFunction computes a function over advisory locks; known is false for other functions.
func (h *hooks) advisoryFunction(fn *builtin.Func, args []datum.Datum) (d datum.Datum, known bool, err error) {
	name, try := strings.CutPrefix(fn.Name, "pg_try_advisory_")
	if !try {
		if name, known = strings.CutPrefix(fn.Name, "pg_advisory_"); !known {
			return datum.Null, false, nil
		}
	}
	s := h.ses()
	var k advisoryKey
	switch len(args) {
	case 1:
		k = advisoryKey{a: args[0].Int()}
	case 2:
		k = advisoryKey{two: true, a: args[0].Int(), b: args[1].Int()}
	}
	name, shared := strings.CutSuffix(name, "_shared")
	switch name {
	case "unlock_all":
		s.advisory = s.releaseAdvisory(s.advisory, 0)
		return datum.NewText(""), true, nil
	case "unlock":
		return datum.NewBool(s.unlockAdvisory(k, shared)), true, nil
	}
	ok, err := s.lockAdvisory(h.ctx, k, shared, name == "xact_lock", !try)
	if try {
		return datum.NewBool(ok), true, err
	}
	return datum.NewText(""), true, err
}

// renew gives a transaction that has done nothing but wait for an advisory lock a new snapshot: it waited in order to see
// what the lock's last holder did.
func (s *Session) renew() {
	if !s.t.waited {
		return
	}
	s.t.waited = false
	if s.t.tx == nil || s.t.statements > 1 || len(s.t.savepoints) > 0 || s.t.state.Wrote() || len(s.portalsOpen()) > 0 {
		return
	}
	s.t.tx.Rollback()
	s.t.tx, s.t.cat = nil, nil
	state := s.t.state
	state.Reset()
	s.t.state = state
	s.search = searchPath{}
}

// portalsOpen are the cursors that read from the transaction.
func (s *Session) portalsOpen() []string {
	var out []string
	for name, p := range s.portals {
		if p.exec != nil || p.cursor != nil && p.cursor.held == nil {
			out = append(out, name)
		}
	}
	return out
}
