// Package conflict is the bounded window of recent writes and shared reads by conflict hash: the memory of an
// adjudicator.
//
// Entries lie in a ring in the order in which they were last touched, roughly; an index of open-addressing tables finds
// them by hash. When the ring is full the oldest entry goes, and the floor rises to its times: whoever asks about a
// snapshot at or above the floor gets the whole truth, everybody else must be refused. The floor never rises for any
// other reason and never falls. Nothing here holds a pointer, so the garbage collector does not look inside.
package conflict

import (
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
)

// Config of a window. Zero values mean defaults.
type Config struct {
	// EntriesMax bounds the number of hashes remembered, at about 56 bytes each. 0 means 2^22, some 230 MiB when full;
	// memory is taken as it is needed.
	EntriesMax int
	// EntriesMin is the size to start with. 0 means 2^12.
	EntriesMin int
}

// Mark is what is known of a hash. Zero times mean: not above the floor.
type Mark struct {
	Write, Shared clock.Timestamp
	// Writer is the number given with the last Write; 0 is nobody's.
	Writer uint32
}

// Window remembers marks. It is not safe for concurrent use.
type Window struct {
	cfg   Config
	ring  []entry
	head  uint32 // position of the oldest entry
	count uint32 // entries in the ring, dead ones included
	live  int
	floor clock.Timestamp
	parts [parts]part
}

// entry is one place of the ring. A dead entry's hash has been touched again since and lies further on.
type entry struct {
	hash          keys.Hash
	write, shared clock.Timestamp
	writer        uint32
	dead          bool
}

// parts cut the index so that growing one piece of it takes little time.
const parts = 64

// part is an open-addressing table with linear probing. A cell is the upper half of the hash, from which its home is
// derived, and a ring position plus one; zero is empty.
type part struct {
	cells []cell
	used  int
}

type cell struct{ tag, pos uint32 }

// New makes an empty window with a floor: nothing at or below it is known.
func New(cfg Config, floor clock.Timestamp) *Window {
	if cfg.EntriesMax == 0 {
		cfg.EntriesMax = 1 << 22
	}
	if cfg.EntriesMin == 0 {
		cfg.EntriesMin = 1 << 12
	}
	cfg.EntriesMin = min(cfg.EntriesMin, cfg.EntriesMax)
	return &Window{cfg: cfg, floor: floor, ring: make([]entry, cfg.EntriesMin)}
}

// Floor returns the time at or below which marks may have been forgotten.
func (w *Window) Floor() clock.Timestamp { return w.floor }

// Raise lifts the floor for a reason from outside; marks stay.
func (w *Window) Raise(t clock.Timestamp) { w.floor = max(w.floor, t) }

// Len returns the number of hashes remembered.
func (w *Window) Len() int { return w.live }

// Get returns the mark of a hash.
func (w *Window) Get(h keys.Hash) Mark {
	if pos, ok := w.find(h); ok {
		e := &w.ring[pos]
		return Mark{e.write, e.shared, e.writer}
	}
	return Mark{}
}

// Write marks a hash as written at t by a writer; an older time than the known one changes nothing.
func (w *Window) Write(h keys.Hash, t clock.Timestamp, writer uint32) {
	if e := w.touch(h); t > e.write {
		e.write, e.writer = t, writer
	}
}

// Reserve makes room for n more hashes at once, as far as the bound allows.
func (w *Window) Reserve(n int) {
	size := len(w.ring)
	for size < w.cfg.EntriesMax && size < int(w.count)+n {
		size *= 2
	}
	if size > len(w.ring) {
		w.resize(min(size, w.cfg.EntriesMax))
	}
}

// Share marks a hash as read in common at t.
func (w *Window) Share(h keys.Hash, t clock.Timestamp) {
	if e := w.touch(h); t > e.shared {
		e.shared = t
	}
}

// Forget drops up to n of the oldest entries as long as they are not above t, and raises the floor to what it dropped.
func (w *Window) Forget(t clock.Timestamp, n int) {
	for ; n > 0 && w.count > 0; n-- {
		if e := &w.ring[w.head]; !e.dead && max(e.write, e.shared) > t {
			return
		}
		w.dropOldest()
	}
}

// touch returns the entry of a hash, making it when there is none. An entry in the older part of the ring is moved to
// its end, so that it is not dropped, and the floor not raised by it, while it is in use.
func (w *Window) touch(h keys.Hash) *entry {
	pos, ok := w.find(h)
	if ok {
		age := w.distance(pos)
		if age >= w.count/8 || w.count < 64 {
			return &w.ring[pos]
		}
	}
	moved := entry{hash: h}
	if ok {
		moved = w.ring[pos]
		w.ring[pos].dead = true
		w.unlink(h)
		w.live--
	}
	for w.count == uint32(len(w.ring)) {
		if !w.grow() {
			w.dropOldest()
		}
	}
	at := w.wrap(w.head + w.count)
	w.count++
	w.ring[at] = moved
	w.link(h, at)
	w.live++
	return &w.ring[at]
}

// distance is how many entries lie before a position.
func (w *Window) distance(pos uint32) uint32 {
	if pos >= w.head {
		return pos - w.head
	}
	return pos + uint32(len(w.ring)) - w.head
}

func (w *Window) wrap(pos uint32) uint32 {
	if n := uint32(len(w.ring)); pos >= n {
		return pos - n
	}
	return pos
}

// grow doubles the ring while it is allowed to.
func (w *Window) grow() bool {
	if len(w.ring) >= w.cfg.EntriesMax {
		return false
	}
	w.resize(min(2*len(w.ring), w.cfg.EntriesMax))
	return true
}

// resize moves what lives to a ring of another size.
func (w *Window) resize(size int) {
	ring := make([]entry, size)
	for i := range w.parts {
		w.parts[i].empty(size / parts)
	}
	n := uint32(0)
	for i := range w.count {
		if e := &w.ring[w.wrap(w.head+i)]; !e.dead {
			ring[n] = *e
			w.link(e.hash, n)
			n++
		}
	}
	w.ring, w.head, w.count = ring, 0, n
}

// dropOldest forgets the oldest entry, raising the floor to its times.
func (w *Window) dropOldest() {
	e := &w.ring[w.head]
	if !e.dead {
		w.floor = max(w.floor, e.write, e.shared)
		w.unlink(e.hash)
		w.live--
	}
	*e = entry{}
	w.head = w.wrap(w.head + 1)
	w.count--
}

func (w *Window) part(h keys.Hash) (p *part, tag uint32) {
	return &w.parts[h%parts], uint32(h >> 32)
}

// home spreads the tag: neighbouring hashes differ in their low bits at most.
func (p *part) home(tag uint32) uint32 {
	return tag * 0x9e3779b1 >> 7 & uint32(len(p.cells)-1)
}

func (w *Window) find(h keys.Hash) (pos uint32, ok bool) {
	p, tag := w.part(h)
	if len(p.cells) == 0 {
		return 0, false
	}
	mask := uint32(len(p.cells) - 1)
	for i := p.home(tag); p.cells[i].pos != 0; i = (i + 1) & mask {
		if c := p.cells[i]; c.tag == tag && w.ring[c.pos-1].hash == h {
			return c.pos - 1, true
		}
	}
	return 0, false
}

func (w *Window) link(h keys.Hash, pos uint32) {
	p, tag := w.part(h)
	if p.used*4 >= len(p.cells)*3 {
		p.grow()
	}
	p.put(cell{tag, pos + 1})
}

func (p *part) put(c cell) {
	mask := uint32(len(p.cells) - 1)
	i := p.home(c.tag)
	for p.cells[i].pos != 0 {
		i = (i + 1) & mask
	}
	p.cells[i] = c
	p.used++
}

// empty removes every cell; n are expected.
func (p *part) empty(n int) {
	p.used = 0
	size := max(16, len(p.cells))
	for size*3 < n*4 {
		size *= 2
	}
	if size > len(p.cells) {
		p.cells = make([]cell, size)
		return
	}
	clear(p.cells)
}

func (p *part) grow() {
	old := p.cells
	p.cells = make([]cell, max(16, 2*len(old)))
	p.used = 0
	for _, c := range old {
		if c.pos != 0 {
			p.put(c)
		}
	}
}

// unlink removes a hash from the index, moving later cells of its run back so that no probe breaks off early.
func (w *Window) unlink(h keys.Hash) {
	p, tag := w.part(h)
	mask := uint32(len(p.cells) - 1)
	i := p.home(tag)
	for {
		c := p.cells[i]
		if c.pos == 0 {
			invariant.Unreachable("conflict window: hash %x is not in the index", uint64(h))
		}
		if c.tag == tag && w.ring[c.pos-1].hash == h {
			break
		}
		i = (i + 1) & mask
	}
	for next := (i + 1) & mask; p.cells[next].pos != 0; next = (next + 1) & mask {
		// The cell at next may fill the hole unless its home lies behind the hole.
		if home := p.home(p.cells[next].tag); (next-home)&mask >= (next-i)&mask {
			p.cells[i] = p.cells[next]
			i = next
		}
	}
	p.cells[i] = cell{}
	p.used--
}
