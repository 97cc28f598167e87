package host

import "time"

// KernelClock is what the operating system says about its own clock. Only hosts that are real machines have it.
type KernelClock interface {
	// SinceBoot reads the kernel's monotonic clock (CLOCK_MONOTONIC), whose zero other processes on the machine share.
	SinceBoot() (time.Duration, error)
	// MaxError is how far the wall clock may be off according to whoever disciplines it (adjtimex), grown by the kernel since; synchronized
	// is false when nobody does.
	MaxError() (bound time.Duration, synchronized bool, err error)
}
