package adjudicator

import (
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/txn"
)

// flying is a record on its way to the log.
type flying struct {
	time  clock.Timestamp
	index uint64
	id    txn.ID
}

// ring is a queue of flying records; times and indexes increase.
type ring struct {
	items []flying // a power of two of them
	head  int
	count int
	gone  uint64 // index of the last one that was popped
}

func (r *ring) at(i int) *flying { return &r.items[(r.head+i)&(len(r.items)-1)] }

func (r *ring) push(f flying) {
	if r.count == len(r.items) {
		items := make([]flying, max(64, 2*len(r.items)))
		for i := range r.count {
			items[i] = *r.at(i)
		}
		r.items, r.head = items, 0
	}
	r.count++
	*r.at(r.count - 1) = f
}

// pop removes everything up to an index.
func (r *ring) pop(index uint64, each func(clock.Timestamp)) {
	for r.count > 0 && r.at(0).index <= index {
		f := r.at(0)
		r.gone = f.index
		if each != nil {
			each(f.time)
		}
		r.head = (r.head + 1) & (len(r.items) - 1)
		r.count--
	}
}

// upTo returns the index of the last record with a time of at most t.
func (r *ring) upTo(t clock.Timestamp) uint64 {
	lo, hi := 0, r.count
	for lo < hi {
		if mid := (lo + hi) / 2; r.at(mid).time <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return r.gone
	}
	return r.at(lo - 1).index
}

// find returns the index of a transaction's record, 0 when it is not on its way.
func (r *ring) find(id txn.ID) uint64 {
	for i := r.count - 1; i >= 0; i-- {
		if f := r.at(i); f.id == id {
			return f.index
		}
	}
	return 0
}

// writersMax bounds how many folded transactions are remembered by name.
const writersMax = 1 << 14

// writers numbers transactions whose promises were folded, so that the window's marks can point at them: a later attempt
// of the same transaction does not lose against its own earlier one. Old ones are forgotten, and then lose.
type writers struct {
	numbers map[txn.ID]uint32
	names   []txn.ID
	next    uint32
}

func (w *writers) add(id txn.ID) uint32 {
	if n, ok := w.numbers[id]; ok {
		return n
	}
	if w.numbers == nil {
		w.numbers = map[txn.ID]uint32{}
		w.names = make([]txn.ID, writersMax)
	}
	w.next++
	if w.next == 0 { // after 2^32 folds marks could be mistaken for another's; start over without a past
		clear(w.numbers)
		w.next = 1
	}
	slot := &w.names[w.next%writersMax]
	delete(w.numbers, *slot)
	*slot = id
	w.numbers[id] = w.next
	return w.next
}

// number returns the number of a transaction, 0 when it has none.
func (w *writers) number(id txn.ID) uint32 {
	if len(w.numbers) == 0 {
		return 0
	}
	return w.numbers[id]
}
