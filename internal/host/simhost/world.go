package simhost

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/host/memhost"
)

// Link is the weather between two machines, in one direction.
type Link struct {
	// Latency is the least time a delivery takes; Jitter is added, evenly distributed.
	Latency, Jitter time.Duration
	// Tail is the share of deliveries, in a thousand, that take up to ten times as long.
	Tail int
}

// Config of a world.
type Config struct {
	Seed uint64
	// Link gives the weather from one machine to another. Nil is 100 µs with as much jitter.
	Link func(from, to int) Link
	// SyncTime is how long a disk's sync takes, with as much jitter. 0 is 100 µs.
	SyncTime time.Duration
}

// World is the machines and what connects them.
type World struct {
	cfg      Config
	began    time.Time
	mu       sync.Mutex
	rng      *rand.Rand
	machines []*Machine
	cut      map[[2]int]bool
	last     time.Duration // the latest instant handed out
	trace    hash.Hash64
	events   uint64
	conns    map[*conn]bool
}

// New makes a world of n machines, numbered from 0.
func New(n int, cfg Config) *World {
	if cfg.Link == nil {
		cfg.Link = func(int, int) Link { return Link{Latency: 100 * time.Microsecond, Jitter: 100 * time.Microsecond} }
	}
	if cfg.SyncTime == 0 {
		cfg.SyncTime = 100 * time.Microsecond
	}
	w := &World{cfg: cfg, began: time.Now(), rng: rand.New(rand.NewPCG(cfg.Seed, 0x5eed)), cut: map[[2]int]bool{}, trace: fnv.New64a(),
		conns: map[*conn]bool{}}
	for i := range n {
		m := &Machine{w: w, id: i, disk: memhost.New(), listeners: map[string]*listener{}, drift: 1}
		m.rng = rand.New(rand.NewPCG(cfg.Seed, uint64(i)+1))
		w.machines = append(w.machines, m)
	}
	return w
}

// Machine returns a machine.
func (w *World) Machine(i int) *Machine { return w.machines[i] }

// Elapsed is the world's true time since it began.
func (w *World) Elapsed() time.Duration { return time.Since(w.began) }

// Sleep lets the world go on for a while.
func (w *World) Sleep(d time.Duration) { time.Sleep(d) }

// Rand returns a number below n, from the world's seed.
func (w *World) Rand(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

// Trace returns the hash of everything delivered so far, and how many deliveries that were.
func (w *World) Trace() (sum, events uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trace.Sum64(), w.events
}

// Note adds an event of the test's own to the trace.
func (w *World) Note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noteLocked([]byte(fmt.Sprintf(format, args...)))
}

func (w *World) noteLocked(what []byte) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(w.Elapsed()))
	_, _ = w.trace.Write(b[:])
	_, _ = w.trace.Write(what)
	w.events++
}

// instant returns how long from now an event is to happen that takes at least d: no two events share an instant.
func (w *World) instantLocked(d time.Duration) time.Duration {
	now := w.Elapsed()
	at := now + d
	// Spread by a random number of nanoseconds: two events asked for at one time differ in all likelihood, and the trace
	// shows when they do not.
	at += time.Duration(w.rng.IntN(1000))
	w.last = max(w.last, at)
	return at - now
}

// Cut stops deliveries from one machine to another until Heal. Streams stall, as TCP's do; they do not break.
func (w *World) Cut(from, to int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[[2]int{from, to}] = true
}

// Heal lets deliveries through again, in one direction.
func (w *World) Heal(from, to int) {
	w.mu.Lock()
	delete(w.cut, [2]int{from, to})
	conns := w.connsLocked(func(c *conn) bool { return c.out.from == from && c.out.to == to })
	w.mu.Unlock()
	for _, c := range conns {
		c.out.resume()
	}
}

// HealAll ends every cut.
func (w *World) HealAll() {
	w.mu.Lock()
	pairs := make([][2]int, 0, len(w.cut))
	for i := range w.machines {
		for k := range w.machines {
			if w.cut[[2]int{i, k}] {
				pairs = append(pairs, [2]int{i, k})
			}
		}
	}
	w.mu.Unlock()
	for _, p := range pairs {
		w.Heal(p[0], p[1])
	}
}

// Isolate cuts a machine off from all others, both ways.
func (w *World) Isolate(m int) {
	for i := range w.machines {
		if i != m {
			w.Cut(i, m)
			w.Cut(m, i)
		}
	}
}

// Reset breaks the connections between two machines, as a middlebox may.
func (w *World) Reset(a, b int) {
	w.mu.Lock()
	conns := w.connsLocked(func(c *conn) bool {
		return c.out.from == a && c.out.to == b || c.out.from == b && c.out.to == a
	})
	w.mu.Unlock()
	for _, c := range conns {
		c.fail(errReset)
	}
}

// connsLocked lists open connections in the order of their numbers, so that a seed replays.
func (w *World) connsLocked(which func(*conn) bool) []*conn {
	var out []*conn
	for c := range w.conns {
		if which(c) {
			out = append(out, c)
		}
	}
	sortConns(out)
	return out
}
