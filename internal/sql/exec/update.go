package exec

import (
	"bytes"
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// updater turns old rows into new ones.
type updater struct {
	change
	set []columnEval
	// keyed says that columns of the row key or of a unique index may change: such changes wait for the end of the
	// statement, where deletions go before insertions.
	keyed, rowKeyed bool
	touched         []*entryRules
	row             []datum.Datum // the new row
	fksTouched      []*fkCheck
	refsTouched     []*reference
}

// updater compiles a SET list; its change has no source.
func (c *compiler) updater(r *rules, set []plan.ColumnExpr) *updater {
	u := &updater{change: change{rules: r, hint: 64}, set: c.columnEvals(set)}
	for _, s := range set {
		c.noteSubPlans(s.Expr)
	}
	if r.lay == nil {
		return u
	}
	u.row = make([]datum.Datum, len(r.table.Columns))
	changed := map[int]bool{}
	for _, s := range u.set {
		changed[s.ordinal] = true
	}
	for _, g := range r.generated {
		changed[g.ordinal] = true
	}
	for _, k := range r.lay.Rows.Cols {
		u.rowKeyed = u.rowKeyed || changed[k.Ordinal]
	}
	u.keyed = u.rowKeyed
	for _, e := range r.indexes {
		for o := range e.depends {
			if changed[o] {
				u.touched = append(u.touched, e)
				u.keyed = u.keyed || e.x.Unique
				break
			}
		}
	}
	for _, fk := range r.fks {
		if fk.uses(changed) {
			u.fksTouched = append(u.fksTouched, fk)
		}
	}
	for _, ref := range r.refs {
		if ref.uses(changed) {
			u.refsTouched = append(u.refsTouched, ref)
		}
	}
	return u
}

// apply computes the new row from the source row.
func (u *updater) apply(ctx context.Context, st *state, source, old []datum.Datum) error {
	copy(u.row, old)
	for i := range u.set {
		s := &u.set[i]
		d, err := s.eval(ctx, st, source)
		if err != nil {
			return err
		}
		u.row[s.ordinal] = d
	}
	return u.prepare(ctx, st, u.row)
}

// sameRowKey says whether the new row has the old row's key.
func (u *updater) sameRowKey(old []datum.Datum) bool {
	if !u.rowKeyed {
		return true
	}
	for _, k := range u.lay.Rows.Cols {
		if !identical(old[k.Ordinal], u.row[k.Ordinal]) {
			a := u.lay.AppendRowKey(nil, old)
			return bytes.Equal(a, u.lay.AppendRowKey(nil, u.row))
		}
	}
	return true
}

// emit appends the writes of the current row and notes what foreign keys must be checked.
func (u *updater) emit(ctx context.Context, st *state, old []datum.Datum, index int) error {
	if err := u.replace(ctx, st, old, u.row, u.sameRowKey(old), u.touched, index); err != nil {
		return err
	}
	for _, fk := range u.fksTouched {
		if fk.changed(old, u.row) {
			if err := fk.note(ctx, st, u.row); err != nil {
				return err
			}
		}
	}
	for _, ref := range u.refsTouched {
		if err := ref.noteUpdate(st, old, u.row); err != nil {
			return err
		}
	}
	return nil
}

// now writes the current row at once: ON CONFLICT DO UPDATE works row by row.
func (u *updater) now(ctx context.Context, st *state, old []datum.Datum) error {
	u.begin(1)
	if err := u.emit(ctx, st, old, 0); err != nil {
		return err
	}
	if err := u.unique(ctx, st, Batch{u.row}); err != nil {
		return err
	}
	return st.write(ctx, u.writes)
}

// updateOp changes rows.
type updateOp struct {
	updater
	joined bool // a row may come twice
	seen   keySet
	n      int64
	width  int
	// later are the writes of keyed updates, with the rows they belong to for error messages.
	later     []txn.Write
	laterRows spill.Arena
	laterCand []laterCandidate
}

// laterCandidate is a key that must be free at the end of the statement.
type laterCandidate struct {
	key keys.Key
	x   *layout.Index
	row []datum.Datum
}

func (c *compiler) update(n *plan.Update) operator {
	r := c.rules(n.Table, &n.Rules)
	op := &updateOp{updater: *c.updater(r, n.Set), joined: !distinctRows(n.Source), width: len(n.Table.Columns)}
	op.change = c.change(n, r, n.Source, n.Returning, len(n.Source.Columns()), "UPDATE")
	return op
}

// distinctRows says whether a source certainly gives no row of its table twice.
func distinctRows(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.PointGet, *plan.BatchGet, *plan.Scan, *plan.Result, *plan.Empty:
		return true
	case *plan.Project:
		return distinctRows(n.Input)
	case *plan.Filter:
		return distinctRows(n.Input)
	case *plan.LockRows:
		return distinctRows(n.Input)
	case *plan.Limit:
		return distinctRows(n.Input)
	case *plan.Sort:
		return distinctRows(n.Input)
	}
	return false
}

func (op *updateOp) next(ctx context.Context, st *state) (Batch, error) {
	if !op.done {
		op.done = true
		op.n = 0
		if err := op.each(ctx, st, func(b Batch) error { return op.updateBatch(ctx, st, b) }); err != nil {
			return nil, err
		}
		if err := op.writeLater(ctx, st); err != nil {
			return nil, err
		}
		if err := op.finished(ctx, st, op.n); err != nil {
			return nil, err
		}
	}
	return op.ret.next()
}

func (op *updateOp) close(st *state) {
	op.change.close(st)
	op.seen.release()
	op.later, op.laterCand, op.laterRows = nil, nil, spill.Arena{}
	clear(op.row)
}

// again says whether a row was changed by this statement already, and notes it.
func (ch *change) again(seen *keySet, row []datum.Datum) bool {
	ch.space()
	_, added := seen.add(ch.rowKey(row))
	return !added
}

func (op *updateOp) updateBatch(ctx context.Context, st *state, b Batch) error {
	op.begin(len(b))
	for i, src := range b {
		old := src[:op.width]
		if op.joined && op.again(&op.seen, old) {
			continue
		}
		if err := op.apply(ctx, st, src, old); err != nil {
			return err
		}
		if err := op.emit(ctx, st, old, i); err != nil {
			return err
		}
		if op.keyed {
			op.keepLater()
		}
		op.n++
		if op.ret.on {
			copy(op.ret.in, src)
			copy(op.ret.in, op.row)
			if err := op.ret.add(ctx, st, op.ret.in); err != nil {
				return err
			}
		}
	}
	if op.keyed {
		return nil
	}
	return st.write(ctx, op.writes)
}

// keepLater moves the current row's writes to the end of the statement.
func (op *updateOp) keepLater() {
	var kept []datum.Datum
	for _, c := range op.cands {
		if kept == nil {
			kept = op.laterRows.Copy(op.row)
		}
		op.laterCand = append(op.laterCand, laterCandidate{op.writes[c.write].Key, c.x, kept})
	}
	op.later = append(op.later, op.writes...)
	op.writes, op.cands = op.writes[:0], op.cands[:0]
}

// writeLater writes what keyed updates kept: deletions first, so that a key that one row gives up is free for
// another. Keys that are taken must then be free.
func (op *updateOp) writeLater(ctx context.Context, st *state) error {
	if len(op.later) == 0 {
		return nil
	}
	if len(op.laterCand) > 0 {
		if err := op.checkLater(ctx, st); err != nil {
			return err
		}
	}
	ws := make([]txn.Write, 0, len(op.later))
	for _, w := range op.later {
		if w.Delete {
			ws = append(ws, w)
		}
	}
	for _, w := range op.later {
		if !w.Delete {
			ws = append(ws, w)
		}
	}
	op.later = nil
	return st.write(ctx, ws)
}

func (op *updateOp) checkLater(ctx context.Context, st *state) error {
	var gone, taken keySet
	for _, w := range op.later {
		if w.Delete {
			gone.add(w.Key)
		}
	}
	ks := make([]keys.Key, 0, len(op.laterCand))
	at := make([]int, 0, len(op.laterCand))
	for i, c := range op.laterCand {
		if _, added := taken.add(c.key); !added {
			return op.duplicate(ctx, st, c.x, c.row)
		}
		if !gone.has(c.key) {
			ks, at = append(ks, c.key), append(at, i)
		}
	}
	vals := make([][]byte, len(ks))
	if len(ks) > 0 {
		if err := st.txn.Get(ctx, ks, vals); err != nil {
			return err
		}
	}
	for i, v := range vals {
		if v != nil {
			c := op.laterCand[at[i]]
			return op.duplicate(ctx, st, c.x, c.row)
		}
	}
	return nil
}

// deleteOp removes rows.
type deleteOp struct {
	change
	joined bool
	seen   keySet
	n      int64
	width  int
}

func (c *compiler) deleteOp(n *plan.Delete) operator {
	r := c.rules(n.Table, &n.Rules)
	return &deleteOp{change: c.change(n, r, n.Source, n.Returning, 0, "DELETE"), joined: !distinctRows(n.Source),
		width: len(n.Table.Columns)}
}

func (op *deleteOp) next(ctx context.Context, st *state) (Batch, error) {
	if !op.done {
		op.done = true
		op.n = 0
		if err := op.each(ctx, st, func(b Batch) error { return op.deleteBatch(ctx, st, b) }); err != nil {
			return nil, err
		}
		if err := op.finished(ctx, st, op.n); err != nil {
			return nil, err
		}
	}
	return op.ret.next()
}

func (op *deleteOp) close(st *state) {
	op.change.close(st)
	op.seen.release()
}

func (op *deleteOp) deleteBatch(ctx context.Context, st *state, b Batch) error {
	op.begin(len(b))
	for _, src := range b {
		old := src[:op.width]
		if op.joined && op.again(&op.seen, old) {
			continue
		}
		if err := op.dropRow(ctx, st, old); err != nil {
			return err
		}
		for _, ref := range op.refs {
			ref.noteDelete(st, old)
		}
		op.n++
		if err := op.ret.add(ctx, st, src); err != nil {
			return err
		}
	}
	return st.write(ctx, op.writes)
}
