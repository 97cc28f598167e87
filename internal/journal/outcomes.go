package journal

import (
	"encoding/binary"
	"math"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/txn"
)

// The index of settled transactions covers at least an hour, unless more than outcomesMax would have to be held. These
// are constants, not configuration: every replica must forget the same ids at the same place in the log.
const (
	// eraBits is the width of an era of start times: 2^29 µs, about nine minutes.
	eraBits = clock.FractionBits + 29
	// erasKept of eras behind the newest commit are kept: at least 71 minutes.
	erasKept = 8
	// outcomesMax bounds the entries, about 24 bytes each at 50 to 75 per cent fill.
	outcomesMax = 6 << 20
	// shards cut an era's table so that growing one piece is short.
	shards = 16
)

// outcomes maps transaction ids to their commit times. Ids are grouped by the start time in them, so that whole eras are
// forgotten at once and an id is looked for in one table only. No pointers inside: the garbage collector never looks.
type outcomes struct {
	eras    map[uint64]*era
	horizon uint64 // eras below it are forgotten; never decreases
	count   int
}

type era struct {
	shards [shards]table
	newest uint64 // the highest time of its ids
}

// table is an open-addressing hash table with linear probing; nothing is ever removed from it.
type table struct {
	slots []slot
	used  int
}

// slot holds an id and when it was settled; the top bit of the time marks a tombstone. A time of zero is an empty slot,
// hence tombstones written before any commit carry only the mark.
type slot struct{ a, b, time uint64 }

const tombstoneBit = 1 << 63

func eraOf(id txn.ID) uint64 { return uint64(id.Start()) >> eraBits }

func split(id txn.ID) (a, b uint64) {
	return binary.LittleEndian.Uint64(id[:]), binary.LittleEndian.Uint64(id[8:])
}

func mix(a, b uint64) uint64 {
	h := a ^ b*0x9e3779b97f4a7c15
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>29
}

// add settles an id and says whether that was news. Last is the journal's newest commit time before this record: it
// moves the horizon. An id behind the horizon cannot be settled any more, as nobody remembers whether it was.
func (o *outcomes) add(id txn.ID, t clock.Timestamp, tombstone bool, last clock.Timestamp) bool {
	o.advance(uint64(last) >> eraBits)
	n := eraOf(id)
	if n < o.horizon {
		return false
	}
	if o.eras == nil {
		o.eras = map[uint64]*era{}
	}
	e := o.eras[n]
	if e == nil {
		e = &era{}
		o.eras[n] = e
	}
	s := slot{time: uint64(t)}
	s.a, s.b = split(id)
	if tombstone {
		s.time |= tombstoneBit
	}
	h := mix(s.a, s.b)
	if !e.shards[h%shards].put(s, h/shards) {
		return false
	}
	o.count++
	e.newest = max(e.newest, uint64(t))
	return true
}

// advance forgets eras that are too old, and the oldest when there are too many ids.
func (o *outcomes) advance(newest uint64) {
	if newest > erasKept && newest-erasKept > o.horizon {
		o.raise(newest - erasKept)
	}
	for o.count > outcomesMax && len(o.eras) > 1 {
		oldest := uint64(math.MaxUint64)
		for n := range o.eras {
			oldest = min(oldest, n)
		}
		o.raise(oldest + 1)
	}
}

func (o *outcomes) raise(horizon uint64) {
	o.horizon = horizon
	for n, e := range o.eras {
		if n < horizon {
			for i := range e.shards {
				o.count -= e.shards[i].used
			}
			delete(o.eras, n)
		}
	}
}

func (o *outcomes) get(id txn.ID) (t clock.Timestamp, tombstone, found bool) {
	e := o.eras[eraOf(id)]
	if e == nil {
		return 0, false, false
	}
	a, b := split(id)
	h := mix(a, b)
	s := e.shards[h%shards].get(a, b, h/shards)
	return clock.Timestamp(s.time &^ tombstoneBit), s.time&tombstoneBit != 0, s.time != 0
}

func (o *outcomes) forgotten(id txn.ID) bool { return eraOf(id) < o.horizon }

func (t *table) get(a, b, h uint64) slot {
	if len(t.slots) == 0 {
		return slot{}
	}
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		if s := t.slots[i]; s.time == 0 || s.a == a && s.b == b {
			return s
		}
	}
}

// put stores a slot unless its id is there already.
func (t *table) put(s slot, h uint64) bool {
	if t.used*4 >= len(t.slots)*3 {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch at := &t.slots[i]; {
		case at.time == 0:
			*at = s
			t.used++
			return true
		case at.a == s.a && at.b == s.b:
			return false
		}
	}
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, max(16, 2*len(old)))
	mask := uint64(len(t.slots) - 1)
	for _, s := range old {
		if s.time == 0 {
			continue
		}
		i := mix(s.a, s.b) / shards & mask
		for t.slots[i].time != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}
