package exec

import (
	"context"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// rules are a plan.RowRules ready to run.
type rules struct {
	lay       *layout.Table
	table     *catalog.Table
	generated []columnEval
	notNull   []int
	checks    []checkEval
	views     []checkEval
	indexes   []*entryRules
	fks       []*fkCheck
	refs      []*reference
	// hidden is the ordinal of the generated row id, -1 when the table has a primary key as its row key.
	hidden  int
	scratch []datum.Datum
}

type columnEval struct {
	ordinal int
	eval    evalFn
}

type checkEval struct {
	name string
	eval evalFn
}

// entryRules make the entries of a secondary index.
type entryRules struct {
	x       *layout.Index
	keys    []evalFn
	pred    predFn
	vals    []datum.Datum // of the expressions, by key column
	hasExpr bool
	// depends marks the ordinals that an entry is made of.
	depends map[int]bool
}

func (c *compiler) columnEvals(cs []plan.ColumnExpr) []columnEval {
	out := make([]columnEval, len(cs))
	for i, x := range cs {
		out[i] = columnEval{x.Ordinal, c.expr(x.Expr)}
	}
	return out
}

func (c *compiler) checkEvals(cs []plan.CheckExpr) []checkEval {
	out := make([]checkEval, len(cs))
	for i, x := range cs {
		out[i] = checkEval{x.Name, c.expr(x.Expr)}
	}
	return out
}

func (c *compiler) rules(t *catalog.Table, p *plan.RowRules) *rules {
	r := &rules{lay: c.layout(t), table: t, hidden: -1}
	if r.lay == nil {
		return r
	}
	r.generated, r.checks, r.views = c.columnEvals(p.Generated), c.checkEvals(p.Checks), c.checkEvals(p.ViewChecks)
	for i, col := range t.Columns {
		if col.NotNull && !col.Dropped && !col.Hidden {
			r.notNull = append(r.notNull, i)
		}
		if col.Hidden && t.HasRowID() {
			r.hidden = i
		}
	}
	width := r.lay.Rows.ValueColumns()
	for _, x := range r.lay.Secondary {
		if c.onlyIndex != 0 && x.Desc.ID != c.onlyIndex {
			continue
		}
		r.indexes = append(r.indexes, c.entryRules(x, p))
		width = max(width, x.ValueColumns())
	}
	r.scratch = make([]datum.Datum, 0, width)
	for i := range p.ForeignKeys {
		r.fks = append(r.fks, c.fkCheck(t, &p.ForeignKeys[i]))
	}
	for i := range p.References {
		r.refs = append(r.refs, c.reference(r, &p.References[i]))
	}
	return r
}

func (c *compiler) entryRules(x *layout.Index, p *plan.RowRules) *entryRules {
	e := &entryRules{x: x, keys: make([]evalFn, len(x.Cols)), vals: make([]datum.Datum, len(x.Cols)), depends: map[int]bool{}}
	for _, k := range x.Cols {
		if k.Ordinal >= 0 {
			e.depends[k.Ordinal] = true
		}
	}
	for _, o := range x.ValueOrdinals() {
		e.depends[o] = true
	}
	note := func(ex plan.Expr) {
		plan.Walk(ex, func(s plan.Expr) bool {
			if col, ok := s.(*plan.Column); ok {
				e.depends[col.Index] = true
			}
			return true
		})
	}
	found := false
	for i := range p.Indexes {
		ie := &p.Indexes[i]
		if ie.Index.ID != x.Desc.ID {
			continue
		}
		found = true
		for j, k := range ie.Keys {
			if k != nil {
				e.keys[j], e.hasExpr = c.expr(k), true
				note(k)
			}
		}
		e.pred = c.pred(ie.Pred)
		note(ie.Pred)
	}
	needs := x.Desc.Predicate != "" || slices.ContainsFunc(x.Cols, func(k layout.KeyColumn) bool { return k.Ordinal < 0 })
	if needs && !found {
		c.fail(failure.New(failure.InternalError, "plan lacks the expressions of index \"%s\"", x.Desc.Name))
	}
	return e
}

// prepare computes generated columns and checks the row.
func (r *rules) prepare(ctx context.Context, st *state, row []datum.Datum) error {
	for i := range r.generated {
		g := &r.generated[i]
		d, err := g.eval(ctx, st, row)
		if err != nil {
			return err
		}
		row[g.ordinal] = d
	}
	for _, o := range r.notNull {
		if row[o].IsNull() {
			col := r.table.Columns[o]
			return r.naming(st, failure.New(failure.NotNullViolation,
				"null value in column \"%s\" of relation \"%s\" violates not-null constraint", col.Name, r.table.Name)).
				WithColumn(col.Name).WithDetail("%s", r.failingRow(st, row))
		}
	}
	for i := range r.checks {
		d, err := r.checks[i].eval(ctx, st, row)
		if err != nil {
			return err
		}
		if !d.IsNull() && !d.Bool() {
			return r.naming(st, failure.New(failure.CheckViolation,
				"new row for relation \"%s\" violates check constraint \"%s\"", r.table.Name, r.checks[i].name)).
				WithConstraint(r.checks[i].name).WithDetail("%s", r.failingRow(st, row))
		}
	}
	for i := range r.views {
		d, err := r.views[i].eval(ctx, st, row)
		if err != nil {
			return err
		}
		if !d.IsTrue() {
			return failure.New(failure.WithCheckOptionViolation,
				"new row violates check option for view \"%s\"", r.views[i].name).WithDetail("%s", r.failingRow(st, row))
		}
	}
	return nil
}

// entryKey appends the key of the row's entry; ok is false when a partial index does not have the row.
func (e *entryRules) entryKey(ctx context.Context, st *state, b []byte, row []datum.Datum, rowKey []byte) (_ []byte, unique, ok bool, err error) {
	if e.pred != nil {
		if ok, err := e.pred(ctx, st, row); err != nil || !ok {
			return b, false, false, err
		}
	}
	if e.hasExpr {
		for i, k := range e.keys {
			if k == nil {
				continue
			}
			if e.vals[i], err = k(ctx, st, row); err != nil {
				return b, false, false, err
			}
		}
	}
	b, unique = e.x.AppendEntryKey(b, row, e.vals, rowKey)
	return b, unique, true, nil
}

// naming puts schema and table on an error.
func (r *rules) naming(st *state, e *failure.Error) *failure.Error { return st.naming(e, r.table) }

func (st *state) naming(e *failure.Error, t *catalog.Table) *failure.Error {
	schema := ""
	if st.env != nil && st.env.SchemaName != nil {
		schema = st.env.SchemaName(t.Schema)
	}
	return e.WithTable(schema, t.Name)
}

// failingRow renders a row for the detail of an error, long values cut as PostgreSQL does.
func (r *rules) failingRow(st *state, row []datum.Datum) string {
	var b strings.Builder
	b.WriteString("Failing row contains (")
	first := true
	for i, col := range r.table.Columns {
		if col.Dropped || col.Hidden {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		if row[i].IsNull() {
			b.WriteString("null")
			continue
		}
		b.WriteString(clip(st.text(col.Type, row[i])))
	}
	b.WriteString(").")
	return b.String()
}

// clipLen is the length to which values in details are cut.
const clipLen = 64

func clip(s string) string {
	if len(s) <= clipLen {
		return s
	}
	n := clipLen
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "..."
}

// keyText renders "(a, b)=(1, 2)" for details about keys.
func keyText(names, values []string) string {
	return "(" + strings.Join(names, ", ") + ")=(" + strings.Join(values, ", ") + ")"
}

func (st *state) valueText(t datum.Type, d datum.Datum) string {
	if d.IsNull() {
		return "null"
	}
	return st.text(t, d)
}

// columnsText renders the columns with these ordinals and their values in a row.
func (st *state) columnsText(t *catalog.Table, ordinals []int, row []datum.Datum) string {
	names, values := make([]string, len(ordinals)), make([]string, len(ordinals))
	for i, o := range ordinals {
		names[i], values[i] = t.Columns[o].Name, st.valueText(t.Columns[o].Type, row[o])
	}
	return keyText(names, values)
}

// duplicate makes the 23505 of an index for a row.
func (r *rules) duplicate(ctx context.Context, st *state, x *layout.Index, row []datum.Datum) error {
	names, values := make([]string, len(x.Cols)), make([]string, len(x.Cols))
	for i, k := range x.Cols {
		if k.Ordinal >= 0 {
			col := r.table.Columns[k.Ordinal]
			names[i], values[i] = col.Name, st.valueText(col.Type, row[k.Ordinal])
			continue
		}
		names[i], values[i] = x.Desc.Key[i].Expr, "?"
		for _, e := range r.indexes {
			if e.x == x && e.keys[i] != nil {
				if d, err := e.keys[i](ctx, st, row); err == nil {
					values[i] = st.valueText(k.Type, d)
				}
			}
		}
	}
	return r.naming(st, failure.New(failure.UniqueViolation,
		"duplicate key value violates unique constraint \"%s\"", x.Desc.Name)).
		WithConstraint(x.Desc.Name).WithDetail("Key %s already exists.", keyText(names, values))
}
