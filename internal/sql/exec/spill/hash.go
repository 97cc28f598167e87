package spill

import "github.com/meridiandb/meridian/internal/datum"

// Table is a hash table of rows under 64-bit hashes that the caller computes; rows of equal hash are chained in the order of
// adding. Rows are numbered from 0.
type Table struct {
	acct   *Account
	arena  Arena
	slots  []uint32 // first entry+1 of the chain
	tails  []uint32
	next   []uint32
	hashes []uint64
	rows   [][]datum.Datum
}

// entryCost is the memory of an entry besides its row: slots and tails at half load, next, hash, row header.
const entryCost = 2*2*4 + 4 + 8 + 24

// NewTable makes an empty table on an account.
func NewTable(acct *Account) *Table { return &Table{acct: acct} }

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Row returns row i, which the caller may change as long as its hash stays the same.
func (t *Table) Row(i int) []datum.Datum { return t.rows[i] }

// Hash returns the hash of row i.
func (t *Table) Hash(i int) uint64 { return t.hashes[i] }

// Fits reserves the memory for row, or returns false when rows should go to a file.
func (t *Table) Fits(row []datum.Datum) bool { return t.acct.TryGrow(RowSize(row) + entryCost) }

// Add keeps a copy of row, whose memory has been reserved, and returns its number.
func (t *Table) Add(hash uint64, row []datum.Datum) int {
	return t.AddOwned(hash, t.arena.Copy(row))
}

// AddOwned keeps row itself.
func (t *Table) AddOwned(hash uint64, row []datum.Datum) int {
	if len(t.rows)*2 >= len(t.slots) {
		t.grow()
	}
	i := len(t.rows)
	t.rows = append(t.rows, row)
	t.hashes = append(t.hashes, hash)
	t.next = append(t.next, 0)
	t.link(i)
	return i
}

// NewRow returns an empty row of n datums in the table's memory.
func (t *Table) NewRow(n int) []datum.Datum { return t.arena.Row(n) }

func (t *Table) link(i int) {
	s := t.hashes[i] & uint64(len(t.slots)-1)
	if t.slots[s] == 0 {
		t.slots[s] = uint32(i + 1)
	} else {
		t.next[t.tails[s]] = uint32(i + 1)
	}
	t.tails[s] = uint32(i)
}

func (t *Table) grow() {
	n := max(16, len(t.slots)*2)
	t.slots, t.tails = make([]uint32, n), make([]uint32, n)
	clear(t.next)
	for i := range t.rows {
		t.link(i)
	}
}

// First returns the first row with this hash, -1 when there is none.
func (t *Table) First(hash uint64) int {
	if len(t.slots) == 0 {
		return -1
	}
	return t.skip(t.slots[hash&uint64(len(t.slots)-1)], hash)
}

// Next returns the next row with the same hash as row i, -1 when there is none.
func (t *Table) Next(i int) int { return t.skip(t.next[i], t.hashes[i]) }

func (t *Table) skip(e uint32, hash uint64) int {
	for e != 0 {
		if t.hashes[e-1] == hash {
			return int(e - 1)
		}
		e = t.next[e-1]
	}
	return -1
}

// Reset empties the table and gives its memory back.
func (t *Table) Reset() {
	acct := t.acct
	*t = Table{acct: acct}
	acct.Clear()
}

// PartitionBits is the number of hash bits that one level of partitioning uses.
const PartitionBits = 4

// MaxLevel is the deepest level of partitioning; below it rows that do not fit share one hash and cannot be divided.
const MaxLevel = 7

// Partitions divides rows over files by their hashes, each level by other bits.
type Partitions struct {
	level int
	runs  [1 << PartitionBits]*Run
}

// NewPartitions makes the partitions of one level, 0 being the first.
func (m *Memory) NewPartitions(level int) *Partitions {
	p := &Partitions{level: level}
	for i := range p.runs {
		p.runs[i] = m.NewRun()
	}
	return p
}

// Index returns the partition of a hash. The upper bits are used: tables use the lower ones.
func (p *Partitions) Index(hash uint64) int {
	return int(hash >> (64 - PartitionBits*(p.level+1)) & (1<<PartitionBits - 1))
}

// Add appends a row to the partition of its hash.
func (p *Partitions) Add(hash uint64, row []datum.Datum) error { return p.runs[p.Index(hash)].Add(row) }

// Finish ends writing.
func (p *Partitions) Finish() error {
	for _, r := range p.runs {
		if err := r.Finish(); err != nil {
			return err
		}
	}
	return nil
}

// Runs returns the partitions.
func (p *Partitions) Runs() []*Run { return p.runs[:] }

// Close removes the files.
func (p *Partitions) Close() {
	for _, r := range p.runs {
		r.Close()
	}
}
