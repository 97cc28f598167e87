package oshost

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/meridiandb/meridian/internal/host"
)

var _ host.KernelClock = (*Host)(nil)

// SinceBoot implements host.KernelClock.
func (h *Host) SinceBoot() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

const (
	timeError = 5      // the state of a clock that nobody disciplines (TIME_ERROR)
	unsynced  = 0x0040 // STA_UNSYNC
)

// MaxError implements host.KernelClock.
func (h *Host) MaxError() (time.Duration, bool, error) {
	var t unix.Timex // no modes: only reads
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return 0, false, err
	}
	return time.Duration(t.Maxerror) * time.Microsecond, state != timeError && t.Status&unsynced == 0, nil
}
