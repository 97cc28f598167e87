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
	floor atomic.Int64 // Unix nanoseconds; true time is known to be past it
}

// Advance tells the clock that true time is at or past t, as a durable record of an earlier run proves. Until the wall
// clock gets there, both edges stand at t. A wall clock set back between two runs thus costs a pause and nothing more.
func (c *Local) Advance(t Timestamp) {
	ns := t.Time().UnixNano() + 1000
	for {
		old := c.floor.Load()
		if ns <= old || c.floor.CompareAndSwap(old, ns) {
			return
		}
	}
}

// Now implements Clock.
func (c *Local) Now() (Interval, bool) {
	ns := c.base + int64(c.time.Monotonic())
	if f := c.floor.Load(); ns < f {
		ns = f
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
