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
	// SyncTime is how long a sync takes of those files that SlowSync names, with as much jitter. 0 is 100 µs.
	SyncTime time.Duration
	SlowSync func(path string) bool
	// Record, when not nil, is given every event of the trace.
	Record func(at time.Duration, what string)
}

// World is the machines and what connects them.
type World struct {
	cfg      Config
	began    time.Time
	mu       sync.Mutex
	rng      *rand.Rand
	machines []*Machine
	cut      map[[2]int]bool
	taken    map[time.Duration]bool // instants at which something will happen
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
	w := &World{cfg: cfg, began: time.Now(), rng: rand.New(rand.NewPCG(cfg.Seed, 0x5eed)), cut: map[[2]int]bool{}, taken: map[time.Duration]bool{}, trace: fnv.New64a(),
		conns: map[*conn]bool{}}
	for i := range n {
		m := &Machine{w: w, id: i, disk: memhost.New(), listeners: map[string]*listener{}, drift: 1, dead: make(chan struct{})}
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
func (w *World) Sleep(d time.Duration) { time.Sleep(w.instant(d)) }

// After returns a channel that is closed after a while.
func (w *World) After(d time.Duration) <-chan struct{} {
	ch := make(chan struct{})
	time.AfterFunc(w.instant(d), func() { close(ch) })
	return ch
}

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
	if w.cfg.Record != nil {
		w.cfg.Record(w.Elapsed(), string(what))
	}
}

// instantLocked returns how long from now something is to happen that takes at least d: no two events share an instant, since
// nobody could say which comes first.
func (w *World) instantLocked(d time.Duration) time.Duration {
	now := w.Elapsed()
	at := now + d + time.Duration(1+w.rng.IntN(1000))
	for w.taken[at] {
		at++
	}
	w.taken[at] = true
	if len(w.taken) > 1<<14 {
		for t := range w.taken {
			if t <= now {
				delete(w.taken, t)
			}
		}
	}
	return at - now
}

func (w *World) instant(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.instantLocked(d)
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
