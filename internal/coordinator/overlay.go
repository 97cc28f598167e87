package coordinator

import (
	"bytes"
	"slices"

	"github.com/meridiandb/meridian/internal/keys"
)

// run is the entries [from, to) of the log in key order, equal keys oldest first. Runs are immutable: a scan keeps the
// ones it started with while others replace them in the buffer.
type run struct {
	from, to int32
	order    []int32
}

// sortRuns makes runs cover the whole log. New entries become a run of their own, and runs of like size are merged, so
// that n writes between any number of scans cost O(n log n) in all.
func (b *buffer) sortRuns() []run {
	from := int32(0)
	if len(b.runs) > 0 {
		from = b.runs[len(b.runs)-1].to
	}
	if from == b.n {
		return b.runs
	}
	r := run{from: from, to: b.n, order: make([]int32, b.n-from)}
	sorted := true
	for i := range r.order {
		r.order[i] = from + int32(i)
		if i > 0 && bytes.Compare(b.at(r.order[i-1]).key, b.at(r.order[i]).key) > 0 {
			sorted = false
		}
	}
	if !sorted {
		slices.SortStableFunc(r.order, func(x, y int32) int { return bytes.Compare(b.at(x).key, b.at(y).key) })
	}
	runs := slices.Clone(b.runs)
	for len(runs) > 0 && len(runs[len(runs)-1].order) < 2*len(r.order) {
		r = b.mergeRuns(runs[len(runs)-1], r)
		runs = runs[:len(runs)-1]
	}
	b.runs = append(runs, r)
	return b.runs
}

// mergeRuns merges two neighbours; a is the older.
func (b *buffer) mergeRuns(a, c run) run {
	m := run{from: a.from, to: c.to, order: make([]int32, 0, len(a.order)+len(c.order))}
	i, j := 0, 0
	for i < len(a.order) && j < len(c.order) {
		if bytes.Compare(b.at(a.order[i]).key, b.at(c.order[j]).key) <= 0 {
			m.order = append(m.order, a.order[i])
			i++
		} else {
			m.order = append(m.order, c.order[j])
			j++
		}
	}
	m.order = append(m.order, a.order[i:]...)
	m.order = append(m.order, c.order[j:]...)
	return m
}

// truncateRuns takes entries at or after m out of the runs.
func (b *buffer) truncateRuns(m int32) {
	for i := range b.runs {
		r := &b.runs[i]
		if r.to <= m {
			continue
		}
		runs := slices.Clone(b.runs[:i])
		if r.from < m {
			cut := run{from: r.from, to: m, order: make([]int32, 0, m-r.from)}
			for _, e := range r.order {
				if e < m {
					cut.order = append(cut.order, e)
				}
			}
			runs = append(runs, cut)
		}
		b.runs = runs
		return
	}
}

// overlayIter walks the newest entries of a span, as the buffer was when it was made, in either direction.
type overlayIter struct {
	b       *buffer
	reverse bool
	cursors []cursor
	cur     int32 // entry at the position, -1 at the end
}

// cursor is what is left of one run: order[lo:hi].
type cursor struct {
	order  []int32
	lo, hi int
}

// overlay opens an iterator over the span; nil when the buffer has nothing there.
func (b *buffer) overlay(span keys.Span, reverse bool) *overlayIter {
	if b.n == 0 {
		return nil
	}
	var it *overlayIter
	for _, r := range b.sortRuns() {
		lo := b.search(r.order, span.Start)
		hi := len(r.order)
		if len(span.End) > 0 {
			hi = lo + b.search(r.order[lo:], span.End)
		}
		if lo >= hi {
			continue
		}
		if it == nil {
			it = &overlayIter{b: b, reverse: reverse}
		}
		it.cursors = append(it.cursors, cursor{order: r.order, lo: lo, hi: hi})
	}
	if it != nil {
		it.next()
	}
	return it
}

// search returns the first position of order whose key is at or above k.
func (b *buffer) search(order []int32, k keys.Key) int {
	lo, hi := 0, len(order)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if bytes.Compare(b.at(order[mid]).key, k) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// size is an upper bound of the entries left.
func (it *overlayIter) size() int64 {
	n := int64(0)
	if it.cur >= 0 {
		n = 1
	}
	for i := range it.cursors {
		n += int64(it.cursors[i].hi - it.cursors[i].lo)
	}
	return n
}

// entry returns the entry at the position, nil at the end.
func (it *overlayIter) entry() *entry {
	if it.cur < 0 {
		return nil
	}
	return it.b.at(it.cur)
}

// next moves to the next key. Runs are ordered by age, so among equal keys the last cursor, and in it the last entry,
// is the newest.
func (it *overlayIter) next() {
	best := int32(-1)
	var bestKey keys.Key
	for i := range it.cursors {
		c := &it.cursors[i]
		if c.lo == c.hi {
			continue
		}
		e := c.order[c.lo]
		if it.reverse {
			e = c.order[c.hi-1]
		}
		k := it.b.at(e).key
		cmp := -1
		if best >= 0 {
			cmp = bytes.Compare(k, bestKey)
			if it.reverse {
				cmp = -cmp
			}
		}
		if cmp < 0 {
			best, bestKey = e, k
		}
	}
	it.cur = best
	if best < 0 {
		return
	}
	for i := range it.cursors {
		it.skip(&it.cursors[i], bestKey)
	}
}

// skip moves a cursor past a key and notes the newest entry of it.
func (it *overlayIter) skip(c *cursor, k keys.Key) {
	for c.lo < c.hi {
		e := c.order[c.lo]
		if it.reverse {
			e = c.order[c.hi-1]
		}
		if !bytes.Equal(it.b.at(e).key, k) {
			return
		}
		it.cur = max(it.cur, e)
		if it.reverse {
			c.hi--
		} else {
			c.lo++
		}
	}
}
