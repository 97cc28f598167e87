package clock

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// Reading bounds the error of the machine's wall clock at the moment it was taken.
type Reading struct {
	// Bound is how far the wall clock is from true time at most.
	Bound time.Duration
	// Drift is by how much the bound grows while nobody looks, in parts per billion.
	Drift int64
	// Source says who bounds it, for people.
	Source string
}

// Source knows the error of the machine's wall clock.
type Source interface {
	// Read takes a reading, or says why the error cannot be bounded. It may take some milliseconds.
	Read() (Reading, error)
}

// DefaultDrift is taken for a clock between readings when its source does not say better: 50 ppm, which even cheap crystals keep.
const DefaultDrift = 50_000

// grow is what a drift adds to a bound in a time.
func grow(drift int64, d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(float64(d) * float64(drift) / 1e9)
}

// Stated is the source for clocks whose bound the operator vouches for.
type Stated time.Duration

// Read implements Source.
func (s Stated) Read() (Reading, error) {
	return Reading{Bound: time.Duration(s), Source: "the operator"}, nil
}

// Chain asks sources in turn and takes the first that has an answer.
type Chain []Source

// Read implements Source. The error names every source's reason.
func (c Chain) Read() (Reading, error) {
	var why []string
	for _, s := range c {
		r, err := s.Read()
		if err == nil {
			return r, nil
		}
		why = append(why, err.Error())
	}
	return Reading{}, errors.New(strings.Join(why, "; "))
}

// Kernel is the source that asks the kernel, which knows what the program that disciplines the clock has told it.
type Kernel struct{ Host host.Host }

// timesyncd is there while systemd-timesyncd runs, which tells the kernel that the error is zero whenever it sets the clock.
const timesyncd = "/run/systemd/timesync"

// Read implements Source.
func (k Kernel) Read() (Reading, error) {
	kernel, ok := k.Host.(host.KernelClock)
	if !ok {
		return Reading{}, errors.New("kernel: it cannot be asked here")
	}
	if there, err := k.Host.FS().Exists(timesyncd); err == nil && there {
		return Reading{}, errors.New("kernel: systemd-timesyncd sets this clock and does not bound its error; use chrony")
	}
	bound, synchronized, err := kernel.MaxError()
	switch {
	case err != nil:
		return Reading{}, fmt.Errorf("kernel: %w", err)
	case !synchronized:
		return Reading{}, errors.New("kernel: nobody disciplines the clock")
	case bound <= 0:
		return Reading{}, errors.New("kernel: the clock's error is said to be zero, which cannot be")
	}
	// The kernel lets its bound grow by 500 ppm; in between its own word is as good as ours.
	return Reading{Bound: bound, Drift: 500_000, Source: "the kernel"}, nil
}
