// Package clock is bounded-uncertainty time: an interval that contains true time, and the timestamps made from it.
//
// protocol.md 2.3: a snapshot is the latest edge, a commit time lies at or above it, nobody is told "committed" before
// the earliest edge has passed the commit time.
package clock

import (
	"fmt"
	"time"
)

// Timestamp is a point in time: microseconds since 2020-01-01 UTC in the upper 51 bits and 13 bits of order inside a
// microsecond below. Zero means "none" and MaxTimestamp is never issued.
type Timestamp uint64

// FractionBits is the number of low bits inside one microsecond.
const FractionBits = 13

// MaxTimestamp is above every timestamp that is ever issued.
const MaxTimestamp = Timestamp(1<<63 - 1)

// epoch is 2020-01-01 UTC in Unix nanoseconds.
const epoch = 1577836800 * int64(time.Second)

// FromTime converts a wall time, rounding down to a 1/8192 of a microsecond.
func FromTime(t time.Time) Timestamp { return FromUnixNano(t.UnixNano()) }

// FromUnixNano converts Unix nanoseconds.
func FromUnixNano(ns int64) Timestamp {
	d := ns - epoch
	if d <= 0 {
		return 1
	}
	return Timestamp(uint64(d/1000)<<FractionBits | uint64(d%1000)<<FractionBits/1000)
}

// Time converts back to a wall time, to the microsecond.
func (t Timestamp) Time() time.Time {
	return time.Unix(0, epoch+int64(t>>FractionBits)*1000).UTC()
}

// Add moves a timestamp by a duration, not below 1.
func (t Timestamp) Add(d time.Duration) Timestamp {
	delta := int64(d/time.Microsecond) << FractionBits
	if r := int64(t) + delta; r > 0 {
		return Timestamp(r)
	}
	return 1
}

// Sub returns the duration from u to t, to the microsecond.
func (t Timestamp) Sub(u Timestamp) time.Duration {
	return time.Duration((int64(t)-int64(u))>>FractionBits) * time.Microsecond
}

// String prints a timestamp as microseconds and fraction, for logs and tests.
func (t Timestamp) String() string {
	return fmt.Sprintf("%d.%04d", uint64(t)>>FractionBits, uint64(t)&(1<<FractionBits-1))
}

// Interval contains true time at the moment of reading.
type Interval struct{ Earliest, Latest Timestamp }

// Clock reads bounded time. Implementations are safe for concurrent use and their edges never decrease.
type Clock interface {
	// Now returns the interval that contains true time, or ok false when the clock cannot bound its error: the caller
	// then refuses to start or decide anything (I1).
	Now() (Interval, bool)
	// WaitPast blocks until the earliest edge is at or above t, or the done channel closes (then it returns false).
	WaitPast(t Timestamp, done <-chan struct{}) bool
}
