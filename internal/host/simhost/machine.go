package simhost

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
)

// Machine is a simulated machine. It implements host.Host for the processes of its current life.
type Machine struct {
	w         *World
	id        int
	mu        sync.Mutex
	rng       *rand.Rand
	disk      *memhost.FS
	offset    time.Duration // of the wall clock
	drift     float64       // rate of both clocks
	base      time.Duration // monotonic time at the last change of drift
	since     time.Duration // world time of that
	life      int
	dead      chan struct{} // closed when the life ends
	paused    bool
	held      []func() // what came due while paused
	listeners map[string]*listener
	nextPort  int
}

var _ host.Host = (*Life)(nil)

// Life is a machine between two crashes: what a process is given. After its end every timer and connection of it is
// dead, and what it writes is lost.
type Life struct {
	*Machine
	n    int
	dead chan struct{}
	disk host.FS
}

// Boot returns the machine's current life.
func (m *Machine) Boot() *Life {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Life{Machine: m, n: m.life, dead: m.dead, disk: &slowFS{FS: m.disk, m: m}}
}

// SetClock sets the error of the wall clock and the rate of both clocks (1 is true).
func (m *Machine) SetClock(offset time.Duration, drift float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.base, m.since = m.monotonicLocked(), m.w.Elapsed()
	m.offset, m.drift = offset, drift
}

func (m *Machine) monotonicLocked() time.Duration {
	return m.base + time.Duration(float64(m.w.Elapsed()-m.since)*m.drift)
}

// epoch is when a world begins, by its machines' wall clocks.
func epoch() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// Now implements host.Time.
func (m *Machine) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return epoch().Add(m.monotonicLocked() + m.offset)
}

// Monotonic implements host.Time.
func (m *Machine) Monotonic() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.monotonicLocked() + time.Second
}

// Uint64 implements host.Random.
func (m *Machine) Uint64() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rng.Uint64()
}

// FS implements host.Host.
func (l *Life) FS() host.FS { return l.disk }

// AfterFunc implements host.Time. A paused machine's timers fire when it goes on; a dead one's never.
func (l *Life) AfterFunc(d time.Duration, f func()) func() bool {
	t := time.AfterFunc(l.w.instant(l.stretch(d)), func() { l.gate(l.n, f) })
	return t.Stop
}

// stretch turns a duration of the machine's clock into one of the world's.
func (m *Machine) stretch(d time.Duration) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Duration(float64(max(d, 0)) / m.drift)
}

// Sleep implements host.Time.
func (l *Life) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	done := make(chan struct{})
	stop := l.AfterFunc(d, func() { close(done) })
	defer stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.dead:
		// For the goroutines of a dead process, which nobody could end. It takes time all the same: those that try again must not do so
		// while the world stands still.
		select {
		case <-l.w.After(min(d, 10*time.Millisecond)):
		case <-ctx.Done():
		}
		return context.Canceled
	}
}

// gate runs f now, or when a pause is over, or never when the life has ended.
func (m *Machine) gate(life int, f func()) {
	m.mu.Lock()
	switch {
	case life >= 0 && life != m.life:
		m.mu.Unlock()
	case m.paused:
		m.held = append(m.held, func() { m.gate(life, f) })
		m.mu.Unlock()
	default:
		m.mu.Unlock()
		f()
	}
}

// Pause stops the machine's timers, arrivals and departures: to others it is dead, to itself no time passes.
func (m *Machine) Pause() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paused = true
}

// Resume ends a pause.
func (m *Machine) Resume() {
	m.mu.Lock()
	held := m.held
	m.paused, m.held = false, nil
	m.mu.Unlock()
	for _, f := range held {
		f()
	}
}

// Crash ends the machine's life at once, losing what was not synced as the seed decides; the next Boot starts the next.
// Its processes' goroutines must be ended by whoever started them; nothing they do has an effect any more: their
// connections are dead, and their disk is a copy that nobody will see.
func (m *Machine) Crash(power bool) {
	m.mu.Lock()
	m.life++
	close(m.dead)
	m.dead = make(chan struct{})
	m.paused, m.held = false, nil
	old := m.disk
	m.disk = old.Part(power, m.rng)
	old.SetFaults(memhost.Faults{}) // or what is left of its processes would try again for ever
	listeners := m.listeners
	m.listeners = map[string]*listener{}
	m.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close()
	}
	m.w.mu.Lock()
	conns := m.w.connsLocked(func(c *conn) bool { return c.out.from == m.id || c.out.to == m.id })
	m.w.mu.Unlock()
	for _, c := range conns {
		switch {
		case !power:
			c.fail(errReset)
		case c.out.from == m.id:
			c.die() // nobody answers the other end, and nobody says so
		default:
			c.out.stall()
		}
	}
}

// Wipe replaces the disk of a machine that does not run by an empty one.
func (m *Machine) Wipe() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disk = memhost.New()
}

// Disk is the machine's disk, for faults.
func (m *Machine) Disk() *memhost.FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.disk
}

// Ended says that the life is over.
func (l *Life) Ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n != l.life
}
