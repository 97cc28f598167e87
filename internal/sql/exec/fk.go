package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// fkCheck makes sure that the parents of new child rows exist, at the end of the statement, and adds the parents' keys
// to the transaction's checks.
type fkCheck struct {
	plan  *plan.ForeignKeyCheck
	child *catalog.Table
	index *layout.Index
	// from[i] is the child's ordinal for column i of the index, convert its conversion when the types differ in kind.
	from    []int
	convert []evalFn
	vals    []datum.Datum

	noted keySet
	rows  [][]datum.Datum // the first child row of each noted key, for the error
	arena spill.Arena
}

func (c *compiler) fkCheck(child *catalog.Table, p *plan.ForeignKeyCheck) *fkCheck {
	f := &fkCheck{plan: p, child: child}
	lay := c.layout(p.Parent)
	if lay == nil {
		return f
	}
	if f.index = lay.Index(p.Index); f.index == nil {
		c.fail(failure.New(failure.InternalError, "foreign key \"%s\" rests on an index that is not there", p.Name))
		return f
	}
	n := len(f.index.Cols)
	f.from, f.convert, f.vals = make([]int, n), make([]evalFn, n), make([]datum.Datum, n)
	for i, k := range f.index.Cols {
		for j, o := range p.ParentCols {
			if o != k.Ordinal {
				continue
			}
			f.from[i] = p.Cols[j]
			from := child.Columns[p.Cols[j]].Type
			if datum.KindOf(c.facts.BaseType(from.OID)) != datum.KindOf(c.facts.BaseType(k.Type.OID)) {
				f.convert[i] = c.convert(column(f.from[i]), from, datum.T(k.Type.OID))
			}
		}
	}
	return f
}

// uses says whether one of these ordinals is a column of the key.
func (f *fkCheck) uses(changed map[int]bool) bool {
	for _, o := range f.plan.Cols {
		if changed[o] {
			return true
		}
	}
	return false
}

func (f *fkCheck) changed(old, row []datum.Datum) bool {
	for _, o := range f.plan.Cols {
		if !identical(old[o], row[o]) {
			return true
		}
	}
	return false
}

// note asks for a check of the row's parent at the end of the statement, or of the transaction.
func (f *fkCheck) note(ctx context.Context, st *state, row []datum.Datum) error {
	key, ok, err := f.key(ctx, st, row)
	if err != nil || !ok {
		return err
	}
	if f.plan.Deferrable && st.env.State.defers(f.plan.Name, f.plan.InitiallyDeferred) {
		f.deferCheck(st, key, row)
		return nil
	}
	if _, added := f.noted.add(key); added {
		if len(f.rows) == 0 {
			st.onEnd(f)
		}
		f.rows = append(f.rows, f.arena.Copy(row))
	}
	return nil
}

// key makes the parent's key; ok is false when nothing has to be checked.
func (f *fkCheck) key(ctx context.Context, st *state, row []datum.Datum) (_ keys.Key, ok bool, err error) {
	nulls := 0
	for _, o := range f.plan.Cols {
		if row[o].IsNull() {
			nulls++
		}
	}
	if nulls > 0 {
		if f.plan.MatchFull && nulls < len(f.plan.Cols) {
			return nil, false, st.naming(failure.New(failure.ForeignKeyViolation,
				"insert or update on table \"%s\" violates foreign key constraint \"%s\"", f.child.Name, f.plan.Name), f.child).
				WithConstraint(f.plan.Name).WithDetail("MATCH FULL does not allow mixing of null and nonnull key values.")
		}
		return nil, false, nil
	}
	for i, o := range f.from {
		f.vals[i] = row[o]
		if f.convert[i] != nil {
			if f.vals[i], err = f.convert[i](ctx, st, row); err != nil {
				return nil, false, err
			}
		}
	}
	b := append(make(keys.Key, 0, len(f.index.Prefix)+10*len(f.vals)), f.index.Prefix...)
	return f.index.AppendColumns(b, f.vals), true, nil
}

// runAfter implements afterCheck.
func (f *fkCheck) runAfter(ctx context.Context, st *state) error {
	defer f.forget()
	vals := make([][]byte, len(f.noted.ks))
	if err := st.txn.Get(ctx, f.noted.ks, vals); err != nil {
		return err
	}
	for i, v := range vals {
		if v == nil {
			return f.missing(st, f.rows[i])
		}
	}
	for _, k := range f.noted.ks {
		if err := st.txn.Check(ctx, txn.Check{Key: k, Mode: txn.CheckKeyShare}); err != nil {
			return err
		}
	}
	return nil
}

func (f *fkCheck) forget() {
	f.noted.release()
	f.rows, f.arena = nil, spill.Arena{}
}

func (f *fkCheck) missing(st *state, row []datum.Datum) error {
	return st.naming(failure.New(failure.ForeignKeyViolation,
		"insert or update on table \"%s\" violates foreign key constraint \"%s\"", f.child.Name, f.plan.Name), f.child).
		WithConstraint(f.plan.Name).WithDetail("Key %s is not present in table \"%s\".",
		st.columnsText(f.child, f.plan.Cols, row), f.plan.Parent.Name)
}

// deferCheck queues the check for the commit. By then the child row may be gone or refer elsewhere, which is looked up
// again.
func (f *fkCheck) deferCheck(st *state, key keys.Key, row []datum.Datum) {
	child, err := layout.New(f.child)
	if err != nil {
		return
	}
	dec, err := layout.NewDecoder(child.Rows, f.plan.Cols)
	if err != nil {
		return
	}
	rowKey := keys.Key(child.AppendRowKey(nil, row))
	kept := append([]datum.Datum(nil), row...)
	st.env.State.later(f.plan.Name, st.txn.Mark(), func(ctx context.Context, env *Env) error {
		vals := make([][]byte, 2)
		if err := env.Txn.Get(ctx, []keys.Key{rowKey, key}, vals); err != nil {
			return err
		}
		if vals[0] == nil {
			return nil
		}
		now := make([]datum.Datum, len(f.plan.Cols))
		if err := dec.Decode(rowKey, vals[0], now); err != nil {
			return err
		}
		for i, o := range f.plan.Cols {
			if !identical(now[i], kept[o]) {
				return nil
			}
		}
		if vals[1] == nil {
			var later state
			later.env, later.bctx, later.txn = env, env.Ctx, env.Txn
			return f.missing(&later, kept)
		}
		return env.Txn.Check(ctx, txn.Check{Key: key, Mode: txn.CheckKeyShare})
	})
}

// reference does what a foreign key of another table asks for when a row of this one goes away or changes.
type reference struct {
	plan  *plan.Reference
	table *catalog.Table
	// index is the unique index over the columns, to see whether a key has come back.
	index *layout.Index
	opts  Options
	// run is the compiled plan, again the compiled Recheck.
	run, again *Prepared
	rows       [][]datum.Datum // old values of the columns, then new ones for updates
	arena      spill.Arena
}

func (c *compiler) reference(r *rules, p *plan.Reference) *reference {
	ref := &reference{plan: p, table: r.table, opts: Options{Facts: c.facts}}
	for _, x := range append([]*layout.Index{r.lay.Rows}, r.lay.Secondary...) {
		if x.Unique && sameOrdinals(x.Cols, p.Cols) {
			ref.index = x
			break
		}
	}
	return ref
}

func sameOrdinals(cols []layout.KeyColumn, ords []int) bool {
	if len(cols) != len(ords) {
		return false
	}
	for _, o := range ords {
		found := false
		for _, c := range cols {
			found = found || c.Ordinal == o
		}
		if !found {
			return false
		}
	}
	return true
}

func (r *reference) uses(changed map[int]bool) bool {
	for _, o := range r.plan.Cols {
		if changed[o] {
			return true
		}
	}
	return false
}

func (r *reference) noteDelete(st *state, old []datum.Datum) { r.note(st, old, nil) }

func (r *reference) noteUpdate(st *state, old, row []datum.Datum) error {
	for _, o := range r.plan.Cols {
		if !identical(old[o], row[o]) && !datum.Equal(old[o], row[o]) {
			r.note(st, old, row)
			break
		}
	}
	return nil
}

func (r *reference) note(st *state, old, row []datum.Datum) {
	n := len(r.plan.Cols)
	kept := r.arena.Row(2 * n)
	for i, o := range r.plan.Cols {
		if old[o].IsNull() {
			return
		}
		kept[i] = old[o]
		if row != nil {
			kept[n+i] = row[o]
		}
	}
	if len(r.rows) == 0 {
		st.onEnd(r)
	}
	r.rows = append(r.rows, kept)
}

// runAfter implements afterCheck.
func (r *reference) runAfter(ctx context.Context, st *state) error {
	rows := r.rows
	r.rows, r.arena = nil, spill.Arena{}
	for _, vals := range rows {
		if err := r.act(ctx, st.env, vals); err != nil {
			return err
		}
	}
	return nil
}

func (r *reference) forget() { r.rows, r.arena = nil, spill.Arena{} }

func (r *reference) act(ctx context.Context, env *Env, vals []datum.Datum) error {
	check := r.plan.Action == plan.RefNoAction || r.plan.Action == plan.RefRestrict
	if r.plan.Action == plan.RefNoAction && r.plan.Deferrable && env.State.defers(r.plan.Name, r.plan.InitiallyDeferred) {
		env.State.later(r.plan.Name, env.Txn.Mark(), func(ctx context.Context, env *Env) error {
			return r.check(ctx, env, vals)
		})
		return nil
	}
	if check {
		return r.check(ctx, env, vals)
	}
	_, err := r.execute(ctx, env, r.plan.Plan, &r.run, vals)
	if err != nil || r.plan.Recheck == nil {
		return err
	}
	n, err := r.execute(ctx, env, r.plan.Recheck, &r.again, vals)
	if err != nil || n == 0 {
		return err
	}
	return r.refuse(ctx, env, vals)
}

// check fails when a child refers to the old values and no row has them any more.
func (r *reference) check(ctx context.Context, env *Env, vals []datum.Datum) error {
	n, err := r.execute(ctx, env, r.plan.Plan, &r.run, vals)
	if err != nil || n == 0 {
		return err
	}
	return r.refuse(ctx, env, vals)
}

// refuse makes the error, unless the key is there again.
func (r *reference) refuse(ctx context.Context, env *Env, vals []datum.Datum) error {
	back, err := r.back(ctx, env, vals)
	if err != nil || back {
		return err
	}
	var st state
	st.env, st.bctx, st.txn = env, env.Ctx, env.Txn
	names, values := make([]string, len(r.plan.Cols)), make([]string, len(r.plan.Cols))
	for i, o := range r.plan.Cols {
		col := r.table.Columns[o]
		names[i], values[i] = col.Name, st.valueText(col.Type, vals[i])
	}
	return st.naming(failure.New(failure.ForeignKeyViolation,
		"update or delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
		r.table.Name, r.plan.Name, r.plan.Child.Name), r.plan.Child).WithConstraint(r.plan.Name).
		WithDetail("Key %s is still referenced from table \"%s\".", keyText(names, values), r.plan.Child.Name)
}

// back says whether a row with the old key exists again.
func (r *reference) back(ctx context.Context, env *Env, vals []datum.Datum) (bool, error) {
	if r.index == nil || r.plan.Action == plan.RefRestrict {
		return false, nil
	}
	ordered := make([]datum.Datum, len(r.index.Cols))
	for i, c := range r.index.Cols {
		for j, o := range r.plan.Cols {
			if o == c.Ordinal {
				ordered[i] = vals[j]
			}
		}
	}
	key := keys.Key(r.index.AppendColumns(append([]byte(nil), r.index.Prefix...), ordered))
	var v [1][]byte
	err := env.Txn.Get(ctx, []keys.Key{key}, v[:])
	return v[0] != nil, err
}

// execute runs a plan with the values in its first slots, and returns the number of rows that it gave or changed. The
// compiled plan is kept in run.
func (r *reference) execute(ctx context.Context, env *Env, stmt *plan.Statement, run **Prepared, vals []datum.Datum) (int64, error) {
	if stmt == nil {
		return 0, failure.NotSupported("this action of foreign key \"%s\" is", r.plan.Name)
	}
	if *run == nil || (*run).busy {
		p, err := Compile(stmt, r.opts)
		if err != nil {
			return 0, err
		}
		if *run == nil {
			*run = p
		} else {
			return runToEnd(ctx, p, env, vals)
		}
	}
	return runToEnd(ctx, *run, env, vals)
}

func runToEnd(ctx context.Context, p *Prepared, env *Env, slots []datum.Datum) (int64, error) {
	cur, err := p.openWith(ctx, env, slots)
	if err != nil {
		return 0, err
	}
	defer cur.Close()
	for {
		b, err := cur.Next(ctx)
		if err != nil || len(b) == 0 {
			return cur.RowsAffected(), err
		}
	}
}
