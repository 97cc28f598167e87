package exec

import (
	"bytes"
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// insertOp adds rows.
type insertOp struct {
	change
	conflict *conflictRules
	n        int64
	// fresh says that the table was empty when the statement began: keys need no look-up then, as all of the statement's
	// own are in known.
	fresh bool
	known []knownKeys
}

func (c *compiler) insert(n *plan.Insert) operator {
	r := c.rules(n.Table, &n.Rules)
	op := &insertOp{change: c.change(n, r, n.Source, n.Returning, 0, "INSERT")}
	if n.OnConflict != nil && n.OnConflict.Kind != plan.ConflictError && r.lay != nil {
		op.conflict = c.conflict(n, r)
	}
	return op
}

func (op *insertOp) next(ctx context.Context, st *state) (Batch, error) {
	if !op.done {
		op.done = true
		op.n = 0
		op.set.reset()
		if op.conflict != nil {
			op.conflict.reset()
		} else if err := op.look(ctx, st); err != nil {
			return nil, err
		}
		err := op.each(ctx, st, func(b Batch) error {
			if op.conflict != nil {
				return op.insertOrElse(ctx, st, b)
			}
			return op.insertBatch(ctx, st, b)
		})
		if err != nil {
			return nil, err
		}
		if err := op.finished(ctx, st, op.n); err != nil {
			return nil, err
		}
	}
	return op.ret.next()
}

func (op *insertOp) close(st *state) {
	op.change.close(st)
	op.fresh, op.known = false, nil
	if op.conflict != nil {
		op.conflict.release()
	}
}

// complete fills in the row id and lets the row through the rules.
func (op *insertOp) complete(ctx context.Context, st *state, row []datum.Datum) error {
	if op.hidden >= 0 {
		id, err := st.rowID()
		if err != nil {
			return err
		}
		row[op.hidden] = id
	}
	return op.prepare(ctx, st, row)
}

func (st *state) rowID() (datum.Datum, error) {
	if st.env.RowID == nil {
		return datum.Null, failure.New(failure.InternalError, "no source of row ids")
	}
	return datum.NewUUID(st.env.RowID()), nil
}

// insertBatch adds rows that must all be new. The batch's rows belong to the source, but nobody reads them again, so that
// they are completed in place.
func (op *insertOp) insertBatch(ctx context.Context, st *state, b Batch) error {
	op.begin(len(b))
	for i, row := range b {
		if err := op.complete(ctx, st, row); err != nil {
			return err
		}
		if err := op.put(ctx, st, row, i); err != nil {
			return err
		}
	}
	if op.fresh {
		if err := op.uniqueFresh(ctx, st, b); err != nil {
			return err
		}
	} else if err := op.unique(ctx, st, b); err != nil {
		return err
	}
	if err := op.flush(ctx, st, b); err != nil {
		return err
	}
	op.n += int64(len(b))
	return nil
}

// look finds out whether the table is empty, when many rows may come: uniqueness then needs comparisons inside the
// statement only.
func (op *insertOp) look(ctx context.Context, st *state) error {
	op.fresh = false
	if op.one || st.deferWrites || op.hidden >= 0 && len(op.indexes) == 0 {
		return nil
	}
	s, err := st.txn.Scan(ctx, txn.ScanRequest{Span: keys.TableSpan(op.table.Data), Limit: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	kvs, err := s.Next(ctx)
	op.fresh = err == nil && len(kvs) == 0
	return err
}

// knownKeys are the keys that a statement has put into one index. While they ascend no set is needed.
type knownKeys struct {
	x     *layout.Index
	ks    []keys.Key
	set   keySet
	mixed bool
}

// add takes a key and says whether it is new.
func (s *knownKeys) add(k keys.Key) bool {
	if !s.mixed {
		if n := len(s.ks); n == 0 || bytes.Compare(s.ks[n-1], k) < 0 {
			s.ks = append(s.ks, k)
			return true
		}
		s.mixed = true
		for _, o := range s.ks {
			s.set.add(o)
		}
		s.ks = nil
	}
	_, added := s.set.add(k)
	return added
}

// uniqueFresh is unique for a table that was empty.
func (op *insertOp) uniqueFresh(ctx context.Context, st *state, b Batch) error {
	for i := range op.cands {
		c := &op.cands[i]
		if !op.knownOf(c.x).add(op.writes[c.write].Key) {
			return op.duplicate(ctx, st, c.x, b[c.row])
		}
	}
	return nil
}

func (op *insertOp) knownOf(x *layout.Index) *knownKeys {
	for i := range op.known {
		if op.known[i].x == x {
			return &op.known[i]
		}
	}
	op.known = append(op.known, knownKeys{x: x})
	return &op.known[len(op.known)-1]
}

// flush writes the batch, gives RETURNING its rows and notes foreign keys to check.
func (op *insertOp) flush(ctx context.Context, st *state, b Batch) error {
	if err := st.write(ctx, op.writes); err != nil {
		return err
	}
	for _, row := range b {
		for _, fk := range op.fks {
			if err := fk.note(ctx, st, row); err != nil {
				return err
			}
		}
		if err := op.ret.add(ctx, st, row); err != nil {
			return err
		}
	}
	return nil
}

// unique makes sure that no candidate's key exists, in the transaction or twice in the batch.
func (ch *change) unique(ctx context.Context, st *state, rows Batch) error {
	if len(ch.cands) == 0 {
		return nil
	}
	if err := ch.lookup(ctx, st); err != nil {
		return err
	}
	for i, v := range ch.vals {
		if v != nil && !ch.deletes(ch.ks[i]) {
			return ch.duplicate(ctx, st, ch.cands[i].x, rows[ch.cands[i].row])
		}
	}
	if len(ch.cands) > 1 {
		ch.set.reset()
		for i, k := range ch.ks {
			if _, added := ch.set.add(k); !added {
				return ch.duplicate(ctx, st, ch.cands[i].x, rows[ch.cands[i].row])
			}
		}
	}
	if st.deferWrites {
		return ch.uniqueHeld(ctx, st, rows)
	}
	return nil
}

// deletes says whether the present writes give a key up before they take it again: a row that changes its row key keeps
// its unique columns.
func (ch *change) deletes(k keys.Key) bool {
	for i := range ch.writes {
		if ch.writes[i].Delete && bytes.Equal(ch.writes[i].Key, k) {
			return true
		}
	}
	return false
}

// uniqueHeld compares the candidates with writes that the statement still holds back.
func (ch *change) uniqueHeld(ctx context.Context, st *state, rows Batch) error {
	if st.heldKeys == nil {
		st.heldKeys = map[string]struct{}{}
	}
	for i, k := range ch.ks {
		if _, ok := st.heldKeys[string(k)]; ok {
			return ch.duplicate(ctx, st, ch.cands[i].x, rows[ch.cands[i].row])
		}
		st.heldKeys[string(k)] = struct{}{}
	}
	return nil
}

// conflictRules are a plan.OnConflict ready to run.
type conflictRules struct {
	kind   plan.ConflictKind
	all    bool
	set    []columnEval
	where  predFn
	update *updater
	// touched are the row keys that this statement has inserted or updated.
	touched keySet
	wide    []datum.Datum // existing row ‖ proposed row
	decode  *layout.Decoder
	want    map[*layout.Index]bool
}

func (c *compiler) conflict(n *plan.Insert, r *rules) *conflictRules {
	oc := n.OnConflict
	k := &conflictRules{kind: oc.Kind, all: len(oc.Arbiters) == 0, set: c.columnEvals(oc.Set), where: c.pred(oc.Where)}
	k.want = map[*layout.Index]bool{}
	c.noteSubPlans(oc.Where)
	for _, x := range oc.Arbiters {
		k.want[r.lay.Index(x)] = true
	}
	if oc.Kind == plan.ConflictUpdate {
		rr := oc.Update
		if rr == nil {
			rr = &n.Rules
		}
		k.update = c.updater(c.rules(n.Table, rr), oc.Set)
		k.decode = c.tableDecoder(r)
		k.wide = make([]datum.Datum, 2*len(n.Table.Columns))
	}
	return k
}

// tableDecoder decodes whole table rows.
func (c *compiler) tableDecoder(r *rules) *layout.Decoder {
	ords := make([]int, len(r.table.Columns))
	for i := range ords {
		ords[i] = i
	}
	d, err := layout.NewDecoder(r.lay.Rows, ords)
	if err != nil {
		c.fail(err)
	}
	return d
}

func (k *conflictRules) reset() { k.touched.reset() }

func (k *conflictRules) release() {
	k.touched.release()
	clear(k.wide)
}

func (k *conflictRules) arbiter(x *layout.Index) bool { return k.all || k.want[x] }

// insertOrElse adds the rows that are new and does for the others what ON CONFLICT says. One look-up serves the batch;
// rows are then taken in order.
func (op *insertOp) insertOrElse(ctx context.Context, st *state, b Batch) error {
	op.begin(len(b))
	starts := make([]int, len(b)+1)
	for i, row := range b {
		if err := op.complete(ctx, st, row); err != nil {
			return err
		}
		starts[i] = len(op.writes)
		if err := op.put(ctx, st, row, i); err != nil {
			return err
		}
	}
	starts[len(b)] = len(op.writes)
	if err := op.lookup(ctx, st); err != nil {
		return err
	}
	if !st.deferWrites {
		op.set.reset() // what this statement has written is in the transaction
	}
	cand := 0
	for i, row := range b {
		from := cand
		for cand < len(op.cands) && op.cands[cand].row == i {
			cand++
		}
		if err := op.insertOne(ctx, st, row, op.writes[starts[i]:starts[i+1]], from, cand); err != nil {
			return err
		}
	}
	return nil
}

// insertOne decides on one row, whose candidates are [from, to).
func (op *insertOp) insertOne(ctx context.Context, st *state, row []datum.Datum, ws []txn.Write, from, to int) error {
	k := op.conflict
	hit := -1
	for i := from; i < to; i++ {
		exists := op.vals[i] != nil || op.set.has(op.ks[i])
		if exists && k.arbiter(op.cands[i].x) {
			hit = i
			break
		}
	}
	if hit < 0 {
		for i := from; i < to; i++ {
			if op.vals[i] != nil || op.set.has(op.ks[i]) {
				return op.duplicate(ctx, st, op.cands[i].x, row)
			}
		}
		for i := from; i < to; i++ {
			op.set.add(op.ks[i])
		}
		if k.kind == plan.ConflictUpdate {
			k.touched.add(ws[0].Key)
		}
		if err := st.write(ctx, ws); err != nil {
			return err
		}
		op.n++
		return op.after(ctx, st, row, op.fks)
	}
	if k.kind == plan.ConflictNothing {
		return nil
	}
	return op.updateInstead(ctx, st, row, hit)
}

func (op *insertOp) after(ctx context.Context, st *state, row []datum.Datum, fks []*fkCheck) error {
	for _, fk := range fks {
		if err := fk.note(ctx, st, row); err != nil {
			return err
		}
	}
	return op.ret.add(ctx, st, row)
}

// updateInstead applies DO UPDATE to the row that candidate hit met.
func (op *insertOp) updateInstead(ctx context.Context, st *state, row []datum.Datum, hit int) error {
	k := op.conflict
	x := op.cands[hit].x
	var one [1][]byte
	key := op.ks[hit]
	if op.vals[hit] == nil {
		// The row was inserted by this batch.
		return secondTime()
	}
	value := op.vals[hit]
	if x != op.lay.Rows {
		rk, err := x.RowKey(nil, key, value)
		if err != nil {
			return err
		}
		key = rk
	}
	if k.touched.has(key) {
		return secondTime()
	}
	// The row is read again: an update earlier in this batch may have changed it, when the conflict is on another index.
	if err := st.txn.Get(ctx, []keys.Key{key}, one[:]); err != nil {
		return err
	}
	if one[0] == nil {
		return failure.New(failure.IndexCorrupted, "index \"%s\" has an entry without a row", x.Desc.Name)
	}
	n := len(op.table.Columns)
	old := k.wide[:n]
	if err := k.decode.Decode(key, one[0], old); err != nil {
		return err
	}
	copy(k.wide[n:], row)
	k.touched.add(key)
	if k.where != nil {
		if ok, err := k.where(ctx, st, k.wide); err != nil || !ok {
			return err
		}
	}
	u := k.update
	if err := u.apply(ctx, st, k.wide, old); err != nil {
		return err
	}
	if err := u.now(ctx, st, old); err != nil {
		return err
	}
	k.touched.add(keys.Key(op.lay.AppendRowKey(nil, u.row)))
	op.n++
	return op.ret.add(ctx, st, u.row)
}

func secondTime() error {
	return failure.New(failure.CardinalityViolation, "ON CONFLICT DO UPDATE command cannot affect row a second time").
		WithHint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
}
