// Package oshost is the real machine: the only place besides the commands where the operating system is called.
package oshost

import (
	"context"
	"math/rand/v2"
	"net"
	"runtime"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// Host is the machine this process runs on.
type Host struct {
	start time.Time
	fs    FS
}

// New returns the machine.
func New() *Host { return &Host{start: time.Now()} }

var _ host.Host = (*Host)(nil)

// Now implements host.Time.
func (h *Host) Now() time.Time { return time.Now() }

// Monotonic implements host.Time.
func (h *Host) Monotonic() time.Duration { return time.Since(h.start) }

// preciseMax is the sleep up to which the kernel is asked directly: the run-time's timers are rounded up to whole
// milliseconds when all goroutines sleep, which is several times a durable append.
//
// Below yieldMax even the kernel's timers are too coarse, and the sleep only lets other goroutines run.
const (
	yieldMax   = 20 * time.Microsecond
	preciseMax = 2 * time.Millisecond
)

// Sleep implements host.Time.
func (h *Host) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	if d <= yieldMax {
		runtime.Gosched()
		return nil
	}
	if d < preciseMax {
		preciseSleep(d)
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AfterFunc implements host.Time.
func (h *Host) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// Uint64 implements host.Random.
func (h *Host) Uint64() uint64 { return rand.Uint64() }

// FS implements host.Host.
func (h *Host) FS() host.FS { return h.fs }

// Listen implements host.Network.
func (h *Host) Listen(network, address string) (net.Listener, error) {
	l := net.ListenConfig{Control: tune} // connections inherit it
	return l.Listen(context.Background(), network, address)
}

// Dial implements host.Network.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Control: tune}
	return d.DialContext(ctx, network, address)
}
