package spill

import "github.com/meridiandb/meridian/internal/datum"

// arenaChunk is the number of datums in a full chunk; the first chunks are smaller.
const arenaChunk = 8192

// Arena cuts rows from large slices, so that keeping many rows makes few allocations.
type Arena struct {
	chunk []datum.Datum
	next  int
}

// Row returns a zeroed row of n datums.
func (a *Arena) Row(n int) []datum.Datum {
	if n == 0 {
		return []datum.Datum{} // not nil, which would say that there is no row
	}
	if len(a.chunk) < n {
		switch {
		case a.next == 0:
			a.next = 64
		case a.next < arenaChunk:
			a.next *= 2
		}
		a.chunk = make([]datum.Datum, max(a.next, n))
	}
	r := a.chunk[:n:n]
	a.chunk = a.chunk[n:]
	return r
}

// Copy keeps a copy of row.
func (a *Arena) Copy(row []datum.Datum) []datum.Datum {
	r := a.Row(len(row))
	copy(r, row)
	return r
}
