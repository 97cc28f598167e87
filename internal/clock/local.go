package clock

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// New returns the clock of one machine: the wall clock read once, carried forward by monotonic time, within an error
// bound that the operator states. One process alone has bound 0.
//
// Later steps of the wall clock are not followed: times are only compared with times of the same process then, and a
// step back would stop commits for as long as it was wide.
func New(t host.Time, bound time.Duration) *Local {
	now, mono := t.Now(), t.Monotonic()
	return &Local{time: t, base: now.UnixNano() - int64(mono), bound: int64(bound)}
}

// Local is a Clock that needs no other machine.
type Local struct {
	time  host.Time
	base  int64 // Unix nanoseconds at monotonic zero
	bound int64
	ahead atomic.Pointer[shift]
}

// shift is a jump ahead at a moment of monotonic time, wearing off from then on.
type shift struct{ at, by int64 }

// slew is how slowly a shift wears off: one part in so many of the time that passes.
const slew = 64

func (s *shift) left(mono int64) int64 {
	if s == nil {
		return 0
	}
	return max(0, s.by-(mono-s.at)/slew)
}

// Advance tells the clock that time had come as far as t before, as a durable record of an earlier run proves: a lease
// taken ahead of time before a crash, or a wall clock that was set back. The clock jumps there at once, so that nobody
// has to wait, and falls back to wall time by running slower. Only for a process alone, whose clock nobody else compares
// with.
func (c *Local) Advance(t Timestamp) {
	for {
		old := c.ahead.Load()
		mono := int64(c.time.Monotonic())
		target := epoch + int64(t>>FractionBits)*1000 + 1000
		behind := target - (c.base + mono + old.left(mono))
		if behind <= 0 {
			return
		}
		if c.ahead.CompareAndSwap(old, &shift{at: mono, by: old.left(mono) + behind}) {
			return
		}
	}
}

// Now implements Clock.
func (c *Local) Now() (Interval, bool) {
	mono := int64(c.time.Monotonic())
	ns := c.base + mono + c.ahead.Load().left(mono)
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
		c.pause(t.Sub(now.Earliest)+time.Microsecond, done)
	}
}

func (c *Local) pause(d time.Duration, done <-chan struct{}) {
	if d <= 2*time.Millisecond {
		// Short enough not to look at done; the host sleeps precisely at this scale.
		_ = c.time.Sleep(context.Background(), d)
		return
	}
	wake := make(chan struct{})
	stop := c.time.AfterFunc(d, func() { close(wake) })
	select {
	case <-wake:
	case <-done:
		stop()
	}
}
