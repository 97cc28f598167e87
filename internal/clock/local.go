package clock

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// New returns the clock of one machine: the wall clock carried by monotonic time, within an error bound that the operator
// states. One process alone has bound 0.
//
// A wall clock that was stepped ahead (or a machine that woke up from sleep) is followed at once, one that was stepped
// back by running slower: the edges never decrease.
func New(t host.Time, bound time.Duration) *Local {
	c := &Local{time: t, bound: int64(bound)}
	now, mono := t.Now(), int64(t.Monotonic())
	c.course.Store(&course{base: now.UnixNano() - mono})
	c.look.Store(mono + lookEvery)
	return c
}

// Local is a Clock that needs no other machine.
type Local struct {
	time   host.Time
	bound  int64
	course atomic.Pointer[course]
	look   atomic.Int64 // monotonic time at which to compare with the wall clock again
}

// course turns monotonic time into wall time: base + mono, and ahead of that by what is left of a jump made at some moment.
type course struct{ base, at, by int64 }

const (
	// slew is how slowly a jump wears off: one part in so many of the time that passes.
	slew = 64
	// lookEvery is how often the wall clock is compared with, and stepMin the difference that counts as a step.
	lookEvery = int64(100 * time.Millisecond)
	stepMin   = int64(100 * time.Millisecond)
)

func (c *course) left(mono int64) int64 { return max(0, c.by-(mono-c.at)/slew) }

func (c *course) wall(mono int64) int64 { return c.base + mono + c.left(mono) }

// Advance tells the clock that time had come as far as t before, as a durable record of an earlier run proves: a lease
// taken ahead of time before a crash, or a wall clock that was set back. The clock jumps there at once, so that nobody
// has to wait, and falls back to wall time by running slower. Only for a process alone, whose clock nobody else compares
// with.
func (c *Local) Advance(t Timestamp) {
	target := epoch + int64(t>>FractionBits)*1000 + 1000
	for {
		old := c.course.Load()
		mono := int64(c.time.Monotonic())
		behind := target - old.wall(mono)
		if behind <= 0 || c.course.CompareAndSwap(old, &course{base: old.base, at: mono, by: old.left(mono) + behind}) {
			return
		}
	}
}

// follow compares with the wall clock and goes after it when it was stepped.
func (c *Local) follow(mono int64) {
	if look := c.look.Load(); mono < look || !c.look.CompareAndSwap(look, mono+lookEvery) {
		return
	}
	old := c.course.Load()
	wall, mono := c.time.Now().UnixNano(), int64(c.time.Monotonic())
	step := wall - (old.base + mono)
	if step > -stepMin && step < stepMin {
		return
	}
	// Whoever loses against an Advance looks again later.
	c.course.CompareAndSwap(old, &course{base: old.base + step, at: mono, by: max(0, old.left(mono)-step)})
}

// Now implements Clock.
func (c *Local) Now() (Interval, bool) {
	mono := int64(c.time.Monotonic())
	if mono >= c.look.Load() {
		c.follow(mono)
	}
	ns := c.course.Load().wall(mono)
	if c.bound == 0 {
		t := FromUnixNano(ns)
		return Interval{Earliest: t, Latest: t}, true
	}
	return Interval{Earliest: FromUnixNano(ns - c.bound), Latest: FromUnixNano(ns + c.bound)}, true
}

// WaitPast implements Clock.
func (c *Local) WaitPast(t Timestamp, done <-chan struct{}) bool {
	for {
		now, _ := c.Now()
		if now.Earliest >= t {
			return true
		}
		select {
		case <-done:
			return false
		default:
		}
		pause(c.time, t.Sub(now.Earliest)+time.Microsecond, done)
	}
}

// pause sleeps, and ends early when done closes.
func pause(t host.Time, d time.Duration, done <-chan struct{}) {
	if d <= 2*time.Millisecond {
		// Short enough not to look at done; the host sleeps precisely at this scale.
		_ = t.Sleep(context.Background(), d)
		return
	}
	wake := make(chan struct{})
	stop := t.AfterFunc(d, func() { close(wake) })
	select {
	case <-wake:
	case <-done:
		stop()
	}
}
