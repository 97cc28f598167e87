// Package spill holds rows that may not fit in memory: the memory budget of a query, sorted runs, hash tables and
// partitions of rows in temporary files.
//
// A query has one Memory; each operator that keeps rows has an Account on it. An operator asks with TryGrow before it
// keeps a row and moves rows to files when the answer is no; what cannot be moved is asked for with Grow, which fails
// with 53200. Temporary files are removed when their Memory is closed at the latest.
//
// Rows are slices of datums. A datum is immutable and kept alive by the garbage collector, so keeping a row means
// copying the slice, not the values.
package spill

import (
	"fmt"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// Config bounds a query's memory. Zero fields take the defaults.
type Config struct {
	// OperatorLimit is the number of bytes one operator may hold before it spills; default 64 MiB.
	OperatorLimit int64
	// QueryLimit is the number of bytes all operators of a query may hold; default 512 MiB.
	QueryLimit int64
	// DiskLimit is the number of bytes of temporary files of a query; default 16 GiB.
	DiskLimit int64
	// FS and Dir say where temporary files go. Without FS nothing spills: OperatorLimit is then not a limit and a query
	// over QueryLimit fails.
	FS  host.FS
	Dir string
	// Name, Session and Query make the file names of this query unique in Dir.
	Name    string
	Session int32
	Query   int64
}

// Defaults of Config.
const (
	DefaultOperatorLimit = 64 << 20
	DefaultQueryLimit    = 512 << 20
	DefaultDiskLimit     = 16 << 30
)

// Memory is the budget of one query. It is used by one goroutine at a time.
type Memory struct {
	cfg        Config
	used, peak int64
	disk       int64
	spilled    int64
	files      map[*file]struct{}
	seq        int
}

// NewMemory makes a budget.
func NewMemory(c Config) *Memory {
	if c.OperatorLimit <= 0 {
		c.OperatorLimit = DefaultOperatorLimit
	}
	if c.QueryLimit <= 0 {
		c.QueryLimit = DefaultQueryLimit
	}
	if c.DiskLimit <= 0 {
		c.DiskLimit = DefaultDiskLimit
	}
	return &Memory{cfg: c}
}

// Used returns the bytes that operators hold now.
func (m *Memory) Used() int64 { return m.used }

// Peak returns the most bytes that operators held at once.
func (m *Memory) Peak() int64 { return m.peak }

// Spilled returns the bytes ever written to temporary files.
func (m *Memory) Spilled() int64 { return m.spilled }

// CanSpill says whether there is a place for temporary files.
func (m *Memory) CanSpill() bool { return m.cfg.FS != nil }

// Close removes the temporary files that are left.
func (m *Memory) Close() {
	for f := range m.files {
		f.remove()
	}
}

// Account is one operator's share of a Memory.
type Account struct {
	mem  *Memory
	used int64
}

// Account opens an account with nothing on it.
func (m *Memory) Account() Account { return Account{mem: m} }

// Memory returns the budget the account is on.
func (a *Account) Memory() *Memory { return a.mem }

// Used returns the bytes on the account.
func (a *Account) Used() int64 { return a.used }

// TryGrow adds n bytes, or returns false when the operator should spill first.
func (a *Account) TryGrow(n int64) bool {
	m := a.mem
	if m.used+n > m.cfg.QueryLimit || (a.used+n > m.cfg.OperatorLimit && m.cfg.FS != nil) {
		return false
	}
	a.add(n)
	return true
}

// Grow adds n bytes that cannot be avoided, over the operator's limit if need be; 53200 over the query's.
func (a *Account) Grow(n int64) error {
	m := a.mem
	if m.used+n > m.cfg.QueryLimit {
		return failure.New(failure.OutOfMemory, "out of memory").
			WithDetail("The query needs more than its limit of %d MiB.", m.cfg.QueryLimit>>20)
	}
	a.add(n)
	return nil
}

func (a *Account) add(n int64) {
	a.used += n
	a.mem.used += n
	if a.mem.used > a.mem.peak {
		a.mem.peak = a.mem.used
	}
}

// Shrink gives n bytes back.
func (a *Account) Shrink(n int64) {
	a.used -= n
	a.mem.used -= n
}

// Clear gives everything back.
func (a *Account) Clear() {
	if a.mem != nil {
		a.mem.used -= a.used
	}
	a.used = 0
}

func (m *Memory) nextPath() string {
	m.seq++
	return fmt.Sprintf("%s/%s%d-%d.%d.tmp", m.cfg.Dir, m.cfg.Name, m.cfg.Session, m.cfg.Query, m.seq)
}

// RowSize estimates the bytes that keeping a copy of row takes.
func RowSize(row []datum.Datum) int64 {
	n := int64(24 + 24*len(row))
	for i := range row {
		n += extraSize(row[i])
	}
	return n
}

// extraSize is what a value takes besides its 24 bytes.
func extraSize(d datum.Datum) int64 {
	switch d.Kind() {
	case datum.KindText, datum.KindBytes, datum.KindUUID:
		return int64(len(d.Text()))
	case datum.KindNull, datum.KindBool, datum.KindInt, datum.KindFloat, datum.KindDate, datum.KindTime,
		datum.KindTimestamp, datum.KindTimestampTZ:
		return 0
	case datum.KindArray:
		n := int64(64)
		for _, e := range d.Array().Elems {
			n += 24 + extraSize(e)
		}
		return n
	case datum.KindRecord:
		n := int64(96)
		for _, e := range d.Record().Values {
			n += 24 + extraSize(e)
		}
		return n
	default:
		return 64
	}
}
