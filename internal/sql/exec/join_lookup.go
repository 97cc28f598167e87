package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// lookupJoin joins each input row with the rows of an index under a key. A batch of input rows is looked up at once.
type lookupJoin struct {
	*access
	joinOut
	input operator
	keys  []evalFn
	vals  []datum.Datum
	// full says that the keys are those of a unique index: each has one row at most, and a Get finds it.
	full bool

	in      Batch
	inDone  bool
	starts  []int // starts[i] is the first of found that belongs to input row i
	found   [][]datum.Datum
	rights  rowBuf
	owner   []int // the input row of each key
	pos     int
	at      int
	matched bool
	own     []byte
	entries []txn.KV
	ents    []int
	program *pushdown.Program
}

func (c *compiler) lookupJoin(n *plan.LookupJoin) operator {
	j := &lookupJoin{access: c.access(&n.Access), input: c.node(n.Input), keys: c.exprs(n.Keys)}
	j.joinOut = c.joinOut(n.Kind, n.On, len(n.Input.Columns()), len(n.Ordinals))
	j.vals = make([]datum.Datum, len(n.Keys))
	j.rights.width = len(n.Ordinals)
	if j.idx != nil {
		j.full = len(n.Keys) == len(j.idx.Cols) && j.idx.Unique
		if j.dec != nil && !j.lookup && !j.dec.NeedsValue() {
			j.program = &pushdown.Program{KeysOnly: true}
		}
	}
	return j
}

func (j *lookupJoin) open(ctx context.Context, st *state) error {
	j.in, j.inDone, j.pos = nil, false, 0
	j.out.reset()
	return j.input.open(ctx, st)
}

func (j *lookupJoin) close(st *state) {
	j.input.close(st)
	j.get.release()
	j.out.reset()
	j.rights.reset()
	clear(j.found)
	clear(j.entries)
	j.in, j.own = nil, nil
	if len(j.found) > keepBatch {
		j.found, j.entries = nil, nil
	}
}

func (j *lookupJoin) next(ctx context.Context, st *state) (Batch, error) {
	j.out.begin()
	for !j.out.full() {
		if j.pos >= len(j.in) {
			if j.inDone {
				break
			}
			if j.out.n > 0 {
				break // give what there is before the input's batch goes away
			}
			if err := j.fill(ctx, st); err != nil {
				return nil, err
			}
			continue
		}
		if err := j.step(ctx, st); err != nil {
			return nil, err
		}
	}
	return j.out.batch(), nil
}

// step joins the current input row with its rows.
func (j *lookupJoin) step(ctx context.Context, st *state) error {
	row := j.in[j.pos]
	for end := j.starts[j.pos+1]; j.at < end; {
		r := j.found[j.at]
		j.at++
		ok, err := j.pair(ctx, st, row, r)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		j.matched = true
		if j.leftAlone() {
			j.at = end
		} else if j.out.full() {
			return nil
		}
	}
	j.after(row, j.matched)
	j.pos++
	j.matched = false
	return nil
}

// fill takes the next input batch and finds its rows.
func (j *lookupJoin) fill(ctx context.Context, st *state) error {
	in, err := j.input.next(ctx, st)
	if err != nil {
		return err
	}
	j.in, j.pos, j.at, j.matched = in, 0, 0, false
	if len(in) == 0 {
		j.inDone = true
		return nil
	}
	j.found, j.starts, j.owner = j.found[:0], j.starts[:0], j.owner[:0]
	j.rights.n, j.rights.size = 0, maxBatch
	if j.full {
		return j.fillByGet(ctx, st)
	}
	return j.fillByScan(ctx, st)
}

// keyOf evaluates the keys of an input row; false when one is NULL.
func (j *lookupJoin) keyOf(ctx context.Context, st *state, row []datum.Datum) (bool, error) {
	for i, k := range j.keys {
		d, err := k(ctx, st, row)
		if err != nil || d.IsNull() {
			return false, err
		}
		j.vals[i] = d
	}
	return true, nil
}

// fillByGet looks up full keys.
func (j *lookupJoin) fillByGet(ctx context.Context, st *state) error {
	j.get.reset()
	for i, row := range j.in {
		ok, err := j.keyOf(ctx, st, row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		j.get.buf = append(j.get.buf, j.idx.Prefix...)
		j.get.buf = j.idx.AppendColumns(j.get.buf, j.vals)
		j.get.add()
		j.owner = append(j.owner, i)
	}
	if j.lookup {
		if err := j.entriesToRows(ctx, st); err != nil {
			return err
		}
	}
	return j.fetchRows(ctx, st)
}

// entriesToRows turns the keys of unique entries into those of their rows.
func (j *lookupJoin) entriesToRows(ctx context.Context, st *state) error {
	if err := j.get.run(ctx, st.txn); err != nil {
		return err
	}
	var rows getter
	n := 0
	for i, v := range j.get.vals {
		if v == nil {
			continue
		}
		var err error
		if rows.buf, err = j.idx.RowKey(rows.buf, j.get.key(i), v); err != nil {
			return err
		}
		rows.add()
		j.owner[n] = j.owner[i]
		n++
	}
	j.owner = j.owner[:n]
	j.get.buf, j.get.ends = rows.buf, rows.ends
	return nil
}

// fetchRows gets the rows by the keys gathered, which are in the order of their owners.
func (j *lookupJoin) fetchRows(ctx context.Context, st *state) error {
	var row []datum.Datum
	next := 0
	err := j.fetch(ctx, st, func() []datum.Datum { row = j.rights.row(); return row }, func(i int, ok bool) error {
		for ; next <= j.owner[i]; next++ {
			j.starts = append(j.starts, len(j.found))
		}
		if ok {
			j.found = append(j.found, row)
		} else if j.lookup {
			return j.dangling()
		}
		return nil
	})
	for ; next <= len(j.in); next++ {
		j.starts = append(j.starts, len(j.found))
	}
	return err
}

// fillByScan reads the entries under each input row's key. Equal keys in a row are read once.
func (j *lookupJoin) fillByScan(ctx context.Context, st *state) error {
	j.entries, j.ents = j.entries[:0], j.ents[:0]
	var last keys.Key
	lastFrom, lastTo := 0, 0
	type part struct{ from, to int }
	parts := make([]part, len(j.in))
	for i, row := range j.in {
		ok, err := j.keyOf(ctx, st, row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		key := keys.Key(j.idx.AppendColumns(append(make([]byte, 0, 64), j.idx.Prefix...), j.vals))
		if last == nil || string(last) != string(key) {
			lastFrom = len(j.entries)
			if err := j.scanEntries(ctx, st, key); err != nil {
				return err
			}
			last, lastTo = key, len(j.entries)
		}
		parts[i] = part{lastFrom, lastTo}
	}
	rows, err := j.entryRows(ctx, st)
	if err != nil {
		return err
	}
	for _, p := range parts {
		j.starts = append(j.starts, len(j.found))
		j.found = append(j.found, rows[p.from:p.to]...)
	}
	j.starts = append(j.starts, len(j.found))
	return nil
}

// scanEntries appends copies of the entries under a prefix.
func (j *lookupJoin) scanEntries(ctx context.Context, st *state, prefix keys.Key) error {
	s, err := st.txn.Scan(ctx, txn.ScanRequest{Span: keys.Span{Start: prefix, End: keys.PrefixEnd(prefix)}, Program: j.program})
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		kvs, err := s.Next(ctx)
		if err != nil || len(kvs) == 0 {
			return err
		}
		n := 0
		for _, kv := range kvs {
			n += len(kv.Key) + len(kv.Value)
		}
		mem := make([]byte, 0, n)
		for _, kv := range kvs {
			from := len(mem)
			mem = append(mem, kv.Key...)
			mid := len(mem)
			mem = append(mem, kv.Value...)
			j.entries = append(j.entries, txn.KV{Key: keys.Key(mem[from:mid:mid]), Value: mem[mid:len(mem):len(mem)]})
		}
	}
}

// entryRows decodes the entries, or fetches their rows.
func (j *lookupJoin) entryRows(ctx context.Context, st *state) ([][]datum.Datum, error) {
	rows := make([][]datum.Datum, 0, len(j.entries))
	if !j.lookup {
		for _, kv := range j.entries {
			row := j.rights.row()
			if err := j.dec.Decode(kv.Key, kv.Value, row); err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
		return rows, nil
	}
	j.get.reset()
	for _, kv := range j.entries {
		var err error
		if j.get.buf, err = j.idx.RowKey(j.get.buf, kv.Key, kv.Value); err != nil {
			return nil, err
		}
		j.get.add()
	}
	var row []datum.Datum
	err := j.fetch(ctx, st, func() []datum.Datum { row = j.rights.row(); return row }, func(_ int, ok bool) error {
		if !ok {
			return j.dangling()
		}
		rows = append(rows, row)
		return nil
	})
	return rows, err
}
