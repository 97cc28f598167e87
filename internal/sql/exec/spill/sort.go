package spill

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
)

// Compare orders rows.
type Compare func(a, b []datum.Datum) int

// mergeFanIn bounds the runs that are merged at once, so that their buffers stay small.
const mergeFanIn = 64

// Abbrev maps a row to a number that orders rows no finer than Compare does: when it is less for one of two rows, so is
// that row. Most comparisons then need no more than the numbers.
type Abbrev func(row []datum.Datum) uint64

// sortEntry is a row in memory; seq is its place in the order of adding, which decides between equal rows.
type sortEntry struct {
	abbrev uint64
	seq    int
	row    []datum.Datum
}

// entryOverhead is the memory of a sortEntry besides the slice header, which RowSize counts.
const entryOverhead = 16

// Sorter sorts rows, in memory as long as they fit and by merging runs otherwise. Equal rows keep the order in which
// they were added.
type Sorter struct {
	cmp   Compare
	abbr  Abbrev
	acct  Account
	arena Arena
	rows  []sortEntry
	runs  []*Run
	pos   int
	merge *merger
}

// NewSorter makes an empty sorter; abbr may be nil.
func NewSorter(m *Memory, cmp Compare, abbr Abbrev) *Sorter {
	return &Sorter{cmp: cmp, abbr: abbr, acct: m.Account()}
}

// Add keeps a copy of row.
func (s *Sorter) Add(row []datum.Datum) error {
	n := RowSize(row) + entryOverhead
	if !s.acct.TryGrow(n) {
		if err := s.spill(); err != nil {
			return err
		}
		if err := s.acct.Grow(n); err != nil {
			return err
		}
	}
	e := sortEntry{seq: len(s.rows), row: s.arena.Copy(row)}
	if s.abbr != nil {
		e.abbrev = s.abbr(row)
	}
	if len(s.rows) == cap(s.rows) {
		s.rows = slices.Grow(s.rows, max(64, len(s.rows)))
	}
	s.rows = append(s.rows, e)
	return nil
}

// order sorts the rows in memory.
func (s *Sorter) order() {
	slices.SortFunc(s.rows, func(a, b sortEntry) int {
		if a.abbrev != b.abbrev {
			if a.abbrev < b.abbrev {
				return -1
			}
			return 1
		}
		if c := s.cmp(a.row, b.row); c != 0 {
			return c
		}
		return a.seq - b.seq
	})
}

func (s *Sorter) spill() error {
	if len(s.rows) == 0 || !s.acct.mem.CanSpill() {
		return nil
	}
	s.order()
	run := s.acct.mem.NewRun()
	s.runs = append(s.runs, run)
	for i := range s.rows {
		if err := run.Add(s.rows[i].row); err != nil {
			return err
		}
	}
	if err := run.Finish(); err != nil {
		return err
	}
	clear(s.rows)
	s.rows, s.arena = s.rows[:0], Arena{}
	s.acct.Clear()
	return nil
}

// Spilled says whether rows went to temporary files.
func (s *Sorter) Spilled() bool { return len(s.runs) > 0 }

// Used returns the bytes held in memory.
func (s *Sorter) Used() int64 { return s.acct.used }

// Sort ends adding and starts reading.
func (s *Sorter) Sort() error {
	s.pos = 0
	if len(s.runs) == 0 {
		s.order()
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	for len(s.runs) > mergeFanIn {
		if err := s.reduce(); err != nil {
			return err
		}
	}
	var err error
	s.merge, err = newMerger(s.runs, s.cmp)
	return err
}

// reduce merges the oldest runs into one, which takes their place in the order of adding.
func (s *Sorter) reduce() error {
	m, err := newMerger(s.runs[:mergeFanIn], s.cmp)
	if err != nil {
		return err
	}
	out := s.acct.mem.NewRun()
	for {
		row, err := m.next()
		if err != nil {
			out.Close()
			return err
		}
		if row == nil {
			break
		}
		if err := out.Add(row); err != nil {
			out.Close()
			return err
		}
	}
	for _, r := range s.runs[:mergeFanIn] {
		r.Close()
	}
	s.runs = append([]*Run{out}, s.runs[mergeFanIn:]...)
	return out.Finish()
}

// Next returns the next row in order, nil at the end. The row is valid until Close.
func (s *Sorter) Next() ([]datum.Datum, error) {
	if s.merge != nil {
		return s.merge.next()
	}
	if s.pos >= len(s.rows) {
		return nil, nil
	}
	s.pos++
	return s.rows[s.pos-1].row, nil
}

// Rewind starts reading from the first row again.
func (s *Sorter) Rewind() error {
	s.pos = 0
	if s.merge == nil {
		return nil
	}
	var err error
	s.merge, err = newMerger(s.runs, s.cmp)
	return err
}

// Close releases memory and files.
func (s *Sorter) Close() {
	for _, r := range s.runs {
		r.Close()
	}
	s.runs, s.rows, s.merge, s.arena = nil, nil, nil, Arena{}
	s.acct.Clear()
}

// merger merges sorted runs; of equal rows the one of the earlier run comes first.
type merger struct {
	cmp  Compare
	heap []mergeHead
}

type mergeHead struct {
	row []datum.Datum
	r   *RunReader
	seq int
}

func newMerger(runs []*Run, cmp Compare) (*merger, error) {
	m := &merger{cmp: cmp}
	for i, run := range runs {
		r := run.Reader()
		row, err := r.Next()
		if err != nil {
			return nil, err
		}
		if row != nil {
			m.heap = append(m.heap, mergeHead{row, r, i})
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

func (m *merger) less(a, b *mergeHead) bool {
	if c := m.cmp(a.row, b.row); c != 0 {
		return c < 0
	}
	return a.seq < b.seq
}

func (m *merger) down(i int) {
	h := m.heap
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && m.less(&h[c+1], &h[c]) {
			c++
		}
		if !m.less(&h[c], &h[i]) {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}

func (m *merger) next() ([]datum.Datum, error) {
	if len(m.heap) == 0 {
		return nil, nil
	}
	top := &m.heap[0]
	row := top.row
	next, err := top.r.Next()
	if err != nil {
		return nil, err
	}
	if next != nil {
		top.row = next
	} else {
		last := len(m.heap) - 1
		m.heap[0] = m.heap[last]
		m.heap = m.heap[:last]
	}
	m.down(0)
	return row, nil
}
