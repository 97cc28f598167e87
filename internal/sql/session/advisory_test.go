package session

import (
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
)

func TestAdvisoryLocks(t *testing.T) {
	var locks advisoryLocks
	a, b, c := &Session{}, &Session{}, &Session{}
	one, two := advisoryKey{a: 1}, advisoryKey{a: 2}
	take := func(k advisoryKey, s *Session, shared bool) (bool, *advisoryWaiter) {
		t.Helper()
		ok, w, err := locks.take(k, s, shared, true)
		if err != nil {
			t.Fatal(err)
		}
		return ok, w
	}
	if ok, _ := take(one, a, true); !ok {
		t.Fatal("a free lock is not given")
	}
	if ok, _ := take(one, b, true); !ok {
		t.Fatal("a shared lock is not shared")
	}
	_, wc := take(one, c, false)
	if wc == nil {
		t.Fatal("an exclusive lock beside shared ones")
	}
	if ok, _ := take(one, a, true); !ok {
		t.Fatal("a holder waits behind those who wait for it")
	}
	if ok, _, _ := locks.take(one, b, false, false); ok {
		t.Fatal("pg_try_advisory_lock took a lock that others hold")
	}
	for _, s := range []*Session{a, a, b} {
		if !locks.release(one, s, true) {
			t.Fatal("a lock that is held cannot be given up")
		}
	}
	select {
	case <-wc.granted:
	default:
		t.Fatal("the last holder does not pass the lock on")
	}
	if locks.release(one, a, true) {
		t.Fatal("a lock is given up more often than taken")
	}
	if ok, _ := take(two, a, false); !ok {
		t.Fatal("a free lock is not given")
	}
	_, wa := take(one, a, false) // waits for c
	if _, _, err := locks.take(two, c, false, true); failure.CodeOf(err) != failure.DeadlockDetected {
		t.Fatalf("waiting in a circle: %v", err)
	}
	locks.release(one, c, false)
	<-wa.granted
	locks.release(one, a, false)
	locks.release(two, a, false)
	if len(locks.locks) != 0 {
		t.Fatalf("%d locks are left", len(locks.locks))
	}
}
