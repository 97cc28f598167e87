package exec

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// order makes the comparison of rows by keys.
func (c *compiler) order(ks []plan.SortKey, cols []plan.ColumnInfo) func(a, b []datum.Datum) int {
	types := make([]datum.Type, len(ks))
	for i, k := range ks {
		types[i] = cols[k.Index].Type
	}
	return c.orderTyped(ks, types)
}

// orderTyped is order for key columns of the given types.
func (c *compiler) orderTyped(ks []plan.SortKey, types []datum.Type) func(a, b []datum.Datum) int {
	cmps := make([]func(a, b datum.Datum) int, len(ks))
	for i := range ks {
		cmps[i] = c.comparer(types[i])
	}
	return func(a, b []datum.Datum) int {
		for i := range ks {
			k := &ks[i]
			x, y := a[k.Index], b[k.Index]
			if x.IsNull() || y.IsNull() {
				if x.IsNull() && y.IsNull() {
					continue
				}
				if x.IsNull() == k.NullsFirst {
					return -1
				}
				return 1
			}
			if r := cmps[i](x, y); r != 0 {
				if k.Desc {
					return -r
				}
				return r
			}
		}
		return 0
	}
}

// abbrev maps rows to numbers that follow the order of one key, or returns nil when the type has no cheap ones.
func (c *compiler) abbrev(k plan.SortKey, t datum.Type) spill.Abbrev {
	var f func(d datum.Datum) uint64
	switch datum.KindOf(c.facts.BaseType(t.OID)) {
	case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
		f = func(d datum.Datum) uint64 { return uint64(d.Int()) ^ 1<<63 }
	case datum.KindText, datum.KindUUID, datum.KindBytes:
		if c.facts.BaseType(t.OID) == datum.OIDBpchar {
			return nil
		}
		f = abbrevText
	default:
		return nil
	}
	flip, null := uint64(0), ^uint64(0)
	if k.Desc {
		flip = ^flip
	}
	if k.NullsFirst {
		null = 0
	}
	return func(row []datum.Datum) uint64 {
		d := row[k.Index]
		if d.IsNull() {
			return null
		}
		return f(d) ^ flip
	}
}

// abbrevText is the first eight bytes.
func abbrevText(d datum.Datum) uint64 {
	var b [8]byte
	copy(b[:], d.Text())
	return binary.BigEndian.Uint64(b[:])
}

// sortOp sorts; with a bound it keeps only the first rows.
type sortOp struct {
	input operator
	cmp   func(a, b []datum.Datum) int
	abbr  spill.Abbrev
	top   evalFn
	// groups compares the leading keys that the input is already ordered by.
	groups func(a, b []datum.Datum) int

	sorter  *spill.Sorter
	heap    topHeap
	heaped  bool
	pull    puller
	pending []datum.Datum // first row of the next group
	ended   bool
	left    int64
	out     [][]datum.Datum
	pos     int
}

// topMax is the largest bound for which a heap is used.
const topMax = 10000

func (c *compiler) sort(n *plan.Sort) operator {
	s := &sortOp{input: c.node(n.Input), cmp: c.order(n.Keys, n.Input.Columns()), top: c.optional(n.Top)}
	if len(n.Keys) > 0 {
		s.abbr = c.abbrev(n.Keys[0], n.Input.Columns()[n.Keys[0].Index].Type)
	}
	if n.Presorted > 0 && n.Presorted <= len(n.Keys) {
		s.groups = c.order(n.Keys[:n.Presorted], n.Input.Columns())
	}
	s.pull.op = s.input
	return s
}

func (s *sortOp) open(ctx context.Context, st *state) error {
	s.left, s.heaped, s.pending, s.ended = -1, false, nil, false
	if s.top != nil {
		d, err := s.top(ctx, st, nil)
		if err != nil {
			return err
		}
		if !d.IsNull() {
			s.left = d.Int()
		}
	}
	if err := s.pull.open(ctx, st); err != nil {
		return err
	}
	if s.groups != nil {
		return nil
	}
	if s.left >= 0 && s.left <= topMax {
		return s.sortTop(ctx, st)
	}
	s.sorter = spill.NewSorter(st.mem(), s.cmp, s.abbr)
	if err := drain(ctx, st, s.input, s.sorter.Add); err != nil {
		return err
	}
	return s.sorter.Sort()
}

// sortTop keeps the first rows in a heap.
func (s *sortOp) sortTop(ctx context.Context, st *state) error {
	s.heaped, s.pos = true, 0
	s.heap = topHeap{cmp: s.cmp, limit: int(s.left), acct: st.mem().Account()}
	if s.left == 0 {
		return nil
	}
	if err := drain(ctx, st, s.input, s.heap.add); err != nil {
		return err
	}
	slices.SortStableFunc(s.heap.rows, s.cmp)
	return nil
}

func (s *sortOp) close(st *state) {
	s.pull.close(st)
	if s.sorter != nil {
		s.sorter.Close()
		s.sorter = nil
	}
	s.heap.acct.Clear()
	s.heap = topHeap{}
	s.out, s.pending = nil, nil
}

func (s *sortOp) next(ctx context.Context, st *state) (Batch, error) {
	if s.heaped {
		n := min(len(s.heap.rows)-s.pos, maxBatch)
		s.pos += n
		return s.heap.rows[s.pos-n : s.pos], nil
	}
	s.out = s.out[:0]
	for len(s.out) < maxBatch {
		if s.sorter == nil {
			if s.ended || len(s.out) > 0 {
				break
			}
			if err := s.nextGroup(ctx, st); err != nil {
				return nil, err
			}
			continue
		}
		row, err := s.sorter.Next()
		if err != nil {
			return nil, err
		}
		if row == nil {
			if s.groups == nil {
				break
			}
			if len(s.out) > 0 {
				break // the rows given out belong to the sorter
			}
			s.sorter.Close()
			s.sorter = nil
			continue
		}
		s.out = append(s.out, row)
	}
	return s.out, nil
}

// nextGroup sorts the next rows that are equal in the leading keys.
func (s *sortOp) nextGroup(ctx context.Context, st *state) error {
	first := s.pending
	if first == nil {
		row, err := s.pull.next(ctx, st)
		if err != nil {
			return err
		}
		if row == nil {
			s.ended = true
			return nil
		}
		first = append([]datum.Datum(nil), row...)
	}
	s.pending = nil
	s.sorter = spill.NewSorter(st.mem(), s.cmp, s.abbr)
	if err := s.sorter.Add(first); err != nil {
		return err
	}
	for {
		row, err := s.pull.next(ctx, st)
		if err != nil {
			return err
		}
		if row == nil {
			s.ended = true
			break
		}
		if s.groups(first, row) != 0 {
			s.pending = append([]datum.Datum(nil), row...)
			break
		}
		if err := s.sorter.Add(row); err != nil {
			return err
		}
	}
	if s.pending != nil {
		s.ended = false
	}
	return s.sorter.Sort()
}

// topHeap keeps the first rows of an order: the last of them is at its root.
type topHeap struct {
	cmp   func(a, b []datum.Datum) int
	limit int
	rows  [][]datum.Datum
	arena spill.Arena
	acct  spill.Account
}

func (h *topHeap) add(row []datum.Datum) error {
	if len(h.rows) < h.limit {
		if err := h.acct.Grow(spill.RowSize(row)); err != nil {
			return err
		}
		h.rows = append(h.rows, h.arena.Copy(row))
		for i := len(h.rows) - 1; i > 0; {
			p := (i - 1) / 2
			if h.cmp(h.rows[i], h.rows[p]) <= 0 {
				break
			}
			h.rows[i], h.rows[p] = h.rows[p], h.rows[i]
			i = p
		}
		return nil
	}
	if h.cmp(row, h.rows[0]) >= 0 {
		return nil
	}
	copy(h.rows[0], row)
	for i := 0; ; {
		c := 2*i + 1
		if c >= len(h.rows) {
			return nil
		}
		if c+1 < len(h.rows) && h.cmp(h.rows[c+1], h.rows[c]) > 0 {
			c++
		}
		if h.cmp(h.rows[c], h.rows[i]) <= 0 {
			return nil
		}
		h.rows[i], h.rows[c] = h.rows[c], h.rows[i]
		i = c
	}
}

// distinctOp passes the first row of each combination of keys. What does not fit in memory is divided by hash into
// files and taken up again at the end.
type distinctOp struct {
	input  operator
	keys   []int
	sorted bool
	hasher *hasher

	key   []datum.Datum
	last  []datum.Datum
	have  bool
	seen  dedup
	out   [][]datum.Datum
	again []*spill.Run
	level []int
}

func (c *compiler) distinct(n *plan.Distinct) operator {
	types := make([]datum.Type, len(n.Keys))
	for i, k := range n.Keys {
		types[i] = n.Input.Columns()[k].Type
	}
	return &distinctOp{input: c.node(n.Input), keys: n.Keys, sorted: n.Sorted, hasher: c.hasher(types),
		key: make([]datum.Datum, len(n.Keys)), last: make([]datum.Datum, len(n.Keys))}
}

func (d *distinctOp) open(ctx context.Context, st *state) error {
	d.have = false
	if !d.sorted {
		d.seen.start(st.mem(), d.hasher, 0)
	}
	return d.input.open(ctx, st)
}

func (d *distinctOp) close(st *state) {
	d.input.close(st)
	d.seen.close()
	for _, r := range d.again {
		r.Close()
	}
	d.again, d.level, d.out = nil, nil, nil
	clear(d.last)
}

func (d *distinctOp) next(ctx context.Context, st *state) (Batch, error) {
	for {
		in, err := d.input.next(ctx, st)
		if err != nil {
			return nil, err
		}
		if len(in) == 0 {
			if d.sorted {
				return nil, nil
			}
			return d.fromFiles(st)
		}
		d.out = d.out[:0]
		for _, row := range in {
			ok, err := d.first(row)
			if err != nil {
				return nil, err
			}
			if ok {
				d.out = append(d.out, row)
			}
		}
		if len(d.out) > 0 {
			return d.out, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, canceled(ctx, err)
		}
	}
}

// first says whether row is the first with its keys.
func (d *distinctOp) first(row []datum.Datum) (bool, error) {
	for i, k := range d.keys {
		d.key[i] = row[k]
	}
	if d.sorted {
		if d.have && d.hasher.equal(d.key, d.last) {
			return false, nil
		}
		copy(d.last, d.key)
		d.have = true
		return true, nil
	}
	return d.seen.add(d.key, row)
}

// fromFiles goes through the rows that were put aside.
func (d *distinctOp) fromFiles(st *state) (Batch, error) {
	for {
		parts, level, err := d.seen.finish()
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			d.again, d.level = append(d.again, p), append(d.level, level)
		}
		if len(d.again) == 0 {
			return nil, nil
		}
		last := len(d.again) - 1
		run := d.again[last]
		lv := d.level[last]
		d.again, d.level = d.again[:last], d.level[:last]
		d.seen.start(st.mem(), d.hasher, lv)
		// A partition's distinct rows are given in one batch: they fit in memory, as the table does.
		d.out = d.out[:0]
		r := run.Reader()
		for {
			row, err := r.Next()
			if err != nil {
				run.Close()
				return nil, err
			}
			if row == nil {
				break
			}
			ok, err := d.first(row)
			if err != nil {
				run.Close()
				return nil, err
			}
			if ok {
				d.out = append(d.out, row)
			}
		}
		run.Close()
		if len(d.out) > 0 {
			return d.out, nil
		}
	}
}

// dedup is a set of keys that puts rows aside, by the hash of their keys, once it is full.
type dedup struct {
	hasher *hasher
	acct   spill.Account
	table  *spill.Table
	parts  *spill.Partitions
	mem    *spill.Memory
	level  int
}

func (s *dedup) start(m *spill.Memory, h *hasher, level int) {
	s.close()
	s.mem, s.hasher, s.level = m, h, level
	s.acct = m.Account()
	s.table = spill.NewTable(&s.acct)
}

// add says whether key is new. A row whose key cannot be decided now is put aside.
func (s *dedup) add(key, row []datum.Datum) (bool, error) {
	h := s.hasher.hash(key)
	for i := s.table.First(h); i >= 0; i = s.table.Next(i) {
		if s.hasher.equal(s.table.Row(i), key) {
			return false, nil
		}
	}
	if s.parts == nil {
		if s.table.Fits(key) {
			s.table.Add(h, key)
			return true, nil
		}
		if !s.mem.CanSpill() || s.level >= spill.MaxLevel {
			if err := s.acct.Grow(spill.RowSize(key)); err != nil {
				return false, err
			}
			s.table.Add(h, key)
			return true, nil
		}
		s.parts = s.mem.NewPartitions(s.level)
	}
	return false, s.parts.Add(h, row)
}

// finish returns the runs put aside and the level for taking them up.
func (s *dedup) finish() ([]*spill.Run, int, error) {
	if s.parts == nil {
		return nil, 0, nil
	}
	p := s.parts
	s.parts = nil
	if err := p.Finish(); err != nil {
		p.Close()
		return nil, 0, err
	}
	var out []*spill.Run
	for _, r := range p.Runs() {
		if r.Rows() > 0 {
			out = append(out, r)
		}
	}
	return out, s.level + 1, nil
}

func (s *dedup) close() {
	if s.parts != nil {
		s.parts.Close()
		s.parts = nil
	}
	s.acct.Clear()
	s.table = nil
}
