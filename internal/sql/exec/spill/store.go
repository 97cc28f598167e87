package spill

import "github.com/meridiandb/meridian/internal/datum"

// Store keeps rows in the order of adding, the first ones in memory and the rest in a file. It can be read any number
// of times, also while rows are being added, by position.
type Store struct {
	acct  Account
	arena Arena
	rows  [][]datum.Datum
	run   *Run
}

// NewStore makes an empty store.
func NewStore(m *Memory) *Store { return &Store{acct: m.Account()} }

// Add keeps a copy of row.
func (s *Store) Add(row []datum.Datum) error {
	if s.run == nil {
		n := RowSize(row)
		if s.acct.TryGrow(n) {
			s.rows = append(s.rows, s.arena.Copy(row))
			return nil
		}
		if !s.acct.mem.CanSpill() {
			return s.acct.Grow(n)
		}
		s.run = s.acct.mem.NewRun()
	}
	return s.run.Add(row)
}

// Len returns the number of rows.
func (s *Store) Len() int64 {
	n := int64(len(s.rows))
	if s.run != nil {
		n += s.run.rows
	}
	return n
}

// InMemory returns all rows when they are in memory, and ok false otherwise.
func (s *Store) InMemory() (rows [][]datum.Datum, ok bool) { return s.rows, s.run == nil }

// Close releases memory and files.
func (s *Store) Close() {
	if s.run != nil {
		s.run.Close()
	}
	s.rows, s.run, s.arena = nil, nil, Arena{}
	s.acct.Clear()
}

// Reader returns a reader at the first row.
func (s *Store) Reader() *StoreReader { return &StoreReader{s: s} }

// StoreReader reads a store in order.
type StoreReader struct {
	s   *Store
	pos int
	r   *RunReader
}

// Next returns the next row, nil at the end of what has been added. Rows in a file can be read only after the last row
// was added, by Finish.
func (r *StoreReader) Next() ([]datum.Datum, error) {
	if r.pos < len(r.s.rows) {
		r.pos++
		return r.s.rows[r.pos-1], nil
	}
	if r.s.run == nil {
		return nil, nil
	}
	if r.r == nil {
		r.r = r.s.run.Reader()
	}
	return r.r.Next()
}

// Finish ends adding, which makes rows in the file readable.
func (s *Store) Finish() error {
	if s.run == nil || s.run.done {
		return nil
	}
	return s.run.Finish()
}
