package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// mergeOp is MERGE. Rows are taken one by one, so that each action sees the rows before it.
type mergeOp struct {
	change
	whens []mergeWhen
	seen  keySet
	width int
	row   []datum.Datum
	n     int64
}

type mergeWhen struct {
	node   *plan.MergeWhen
	cond   predFn
	update *updater
	values []evalFn
}

func (c *compiler) merge(n *plan.Merge) operator {
	r := c.rules(n.Table, &n.Rules)
	op := &mergeOp{change: c.change(n, r, n.Source, nil, 0, "MERGE"), width: len(n.Table.Columns)}
	op.one, op.stream = false, false
	op.row = make([]datum.Datum, op.width)
	for i := range n.Whens {
		w := &n.Whens[i]
		c.noteSubPlans(append([]plan.Expr{w.Cond}, w.Values...)...)
		m := mergeWhen{node: w, cond: c.pred(w.Cond), values: c.exprs(w.Values)}
		if w.Action == plan.MergeUpdate {
			m.update = c.updater(r, w.Set)
		}
		op.whens = append(op.whens, m)
	}
	return op
}

func (op *mergeOp) next(ctx context.Context, st *state) (Batch, error) {
	if op.done {
		return nil, nil
	}
	op.done, op.n = true, 0
	op.seen.reset()
	err := op.each(ctx, st, func(b Batch) error {
		for _, src := range b {
			if err := op.take(ctx, st, src); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return nil, op.finished(ctx, st, op.n)
}

func (op *mergeOp) close(st *state) {
	op.change.close(st)
	op.seen.release()
	clear(op.row)
}

// take carries out the first branch that fits.
func (op *mergeOp) take(ctx context.Context, st *state, src []datum.Datum) error {
	matched := src[op.width].IsTrue()
	for i := range op.whens {
		w := &op.whens[i]
		if w.node.Matched != matched {
			continue
		}
		if w.cond != nil {
			ok, err := w.cond(ctx, st, src)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		if w.node.Action == plan.MergeNothing {
			return nil
		}
		op.n++
		return op.act(ctx, st, w, src)
	}
	return nil
}

func (op *mergeOp) act(ctx context.Context, st *state, w *mergeWhen, src []datum.Datum) error {
	op.begin(1)
	old := src[:op.width]
	if w.node.Action == plan.MergeInsert {
		return op.insert(ctx, st, w, src)
	}
	if op.again(&op.seen, old) {
		return failure.New(failure.CardinalityViolation, "MERGE command cannot affect row a second time").
			WithHint("Ensure that not more than one source row matches any one target row.")
	}
	if w.node.Action == plan.MergeUpdate {
		if err := w.update.apply(ctx, st, src, old); err != nil {
			return err
		}
		return w.update.now(ctx, st, old)
	}
	op.writes = op.writes[:0]
	if err := op.dropRow(ctx, st, old); err != nil {
		return err
	}
	for _, ref := range op.refs {
		ref.noteDelete(st, old)
	}
	return st.write(ctx, op.writes)
}

func (op *mergeOp) insert(ctx context.Context, st *state, w *mergeWhen, src []datum.Datum) error {
	if err := evalInto(ctx, st, w.values, src, op.row); err != nil {
		return err
	}
	if op.hidden >= 0 {
		id, err := st.rowID()
		if err != nil {
			return err
		}
		op.row[op.hidden] = id
	}
	if err := op.prepare(ctx, st, op.row); err != nil {
		return err
	}
	if err := op.put(ctx, st, op.row, 0); err != nil {
		return err
	}
	if err := op.unique(ctx, st, Batch{op.row}); err != nil {
		return err
	}
	if err := st.write(ctx, op.writes); err != nil {
		return err
	}
	for _, fk := range op.fks {
		if err := fk.note(ctx, st, op.row); err != nil {
			return err
		}
	}
	return nil
}
