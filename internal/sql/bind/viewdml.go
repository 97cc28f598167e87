package bind

import (
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// viewLevel is a view between the name that a data change mentions and the table that it changes.
type viewLevel struct {
	view  *catalog.Table
	query *parser.SelectStmt
	from  *parser.RangeVar
	use   *rte // for privileges on the view
	// inside is the role whose rights count below the view.
	inside catalog.OID
}

// openView follows a simple view down to its table, outermost level first, or says why it cannot be changed.
func (b *binder) openView(t *catalog.Table, kind plan.StatementKind) (*catalog.Table, []*viewLevel) {
	var levels []*viewLevel
	for t.Kind == catalog.RelView {
		raw, err := parser.ParseOne(t.View.Query)
		b.must(-1, err)
		sel, _ := raw.Stmt.(*parser.SelectStmt)
		from, why := simpleView(sel)
		if why != "" {
			b.viewRefused(t, kind, why)
		}
		l := &viewLevel{view: t, query: sel, from: from, inside: t.Owner}
		l.use = &rte{alias: t.Name, table: t, relOID: t.OID, checkAs: b.checkAs, cols: make([]rcol, len(t.Columns))}
		l.use.insertCols, l.use.updateCols = make([]bool, len(t.Columns)), make([]bool, len(t.Columns))
		if n := len(levels); n > 0 {
			l.use.checkAs = levels[n-1].inside
		}
		b.uses = append(b.uses, l.use)
		levels = append(levels, l)
		b.noPos++
		next := b.resolveTable(&from.Relation)
		b.noPos--
		b.useObject(next.OID)
		if next.Kind == catalog.RelTable && next.Virtual || next.Kind != catalog.RelTable && next.Kind != catalog.RelView {
			b.viewRefused(t, kind, "Views that do not select from a single table or view are not automatically updatable.")
		}
		t = next
	}
	return t, levels
}

// simpleView finds the one relation that a view selects from.
func simpleView(sel *parser.SelectStmt) (*parser.RangeVar, string) {
	switch {
	case sel == nil:
		return nil, "Views that do not select from a single table or view are not automatically updatable."
	case sel.Distinct:
		return nil, "Views containing DISTINCT are not automatically updatable."
	case len(sel.GroupBy) > 0:
		return nil, "Views containing GROUP BY are not automatically updatable."
	case sel.Having != nil:
		return nil, "Views containing HAVING are not automatically updatable."
	case sel.Op != parser.SetOpNone:
		return nil, "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."
	case sel.With != nil:
		return nil, "Views containing WITH are not automatically updatable."
	case sel.Limit != nil || sel.Offset != nil:
		return nil, "Views containing LIMIT or OFFSET are not automatically updatable."
	case len(sel.From) == 1:
		if r, ok := sel.From[0].(*parser.RangeVar); ok && r.Sample == nil {
			return r, ""
		}
	}
	return nil, "Views that do not select from a single table or view are not automatically updatable."
}

func (b *binder) viewRefused(t *catalog.Table, kind plan.StatementKind, why string) {
	what := map[plan.StatementKind][3]string{
		plan.KindInsert: {"insert into", "inserting into", "INSERT"}, plan.KindUpdate: {"update", "updating", "UPDATE"},
		plan.KindDelete: {"delete from", "deleting from", "DELETE"}, plan.KindMerge: {"merge into", "merging into", "MERGE"},
	}[kind]
	b.throw(-1, failure.New(failure.ObjectNotInPrerequisiteState, "cannot %s view \"%s\"", what[0], t.Name).
		WithDetail("%s", why).
		WithHint("To enable %s the view, provide an INSTEAD OF %s trigger or an unconditional ON %s DO INSTEAD rule.",
			what[1], what[2], what[2]))
}

// visible is the target as the statement sees it: the table itself, or the view's columns made of the table's.
func (d *dmlState) visible(r *rte) *rte {
	b := d.b
	out := r
	for i := len(d.views) - 1; i >= 0; i-- {
		l := d.views[i]
		s := d.viewScope(l, out)
		b.noPos++
		s.kind = PlaceSelectTarget
		s.q = &selectState{stmt: l.query, scope: s}
		targets := b.targetList(s, l.query.Targets)
		b.noPos--
		if len(s.q.aggs) > 0 || len(s.q.windows) > 0 || s.q.hasSet {
			b.viewRefused(l.view, d.out.Kind, "Views that return aggregate functions are not automatically updatable.")
		}
		v := &rte{alias: d.alias, rowType: l.view.RowType, relOID: l.view.OID, base: 0}
		if i > 0 {
			v.alias = d.views[i].view.Name
		}
		for j, t := range targets {
			if j < len(l.view.Columns) {
				c := l.view.Columns[j]
				v.cols = append(v.cols, rcol{name: c.Name, expr: t.expr, table: l.view.OID, attr: c.Attnum})
			}
		}
		out = v
	}
	return out
}

// viewScope is the scope of a view's query, in which inner is the relation that it selects from.
func (d *dmlState) viewScope(l *viewLevel, inner *rte) *scope {
	c := *inner
	c.alias = l.from.Relation.Name
	if l.from.Alias != nil {
		c.alias = l.from.Alias.Name
		c.cols = append([]rcol(nil), inner.cols...)
		d.b.aliasColumns(&c, l.from.Alias)
	} else {
		c.schema = l.from.Relation.Schema
	}
	return &scope{ns: []*nsItem{{rte: &c, relVisible: true, colsVisible: true}}, all: []*rte{&c}}
}

// viewConds are the conditions of the views, on the rows of r.
func (d *dmlState) viewConds(r *rte) []plan.Expr {
	var conds []plan.Expr
	inner := r
	all := d.views
	for i := len(all) - 1; i >= 0; i-- {
		l := all[i]
		if l.query.Where != nil {
			s := d.viewScope(l, inner)
			s.kind = PlaceWhere
			d.b.noPos++
			conds = append(conds, d.b.coerceBool(d.b.expr(s, l.query.Where), "WHERE", -1))
			d.b.noPos--
		}
		d.views = all[i:]
		inner = d.visible(r)
		d.views = all
	}
	return conds
}

// viewChecks are the WITH CHECK OPTIONs that a new row must obey.
func (d *dmlState) viewChecks() {
	need := false
	all := d.views
	for i, l := range all {
		opt := l.view.View.CheckOption
		here := opt != "" || need
		need = need || opt == "cascaded"
		if !here || l.query.Where == nil {
			continue
		}
		d.views = all[i+1:]
		inner := d.visible(d.plainRow())
		d.views = all
		s := d.viewScope(l, inner)
		s.kind = PlaceWhere
		d.b.noPos++
		x := d.b.coerceBool(d.b.expr(s, l.query.Where), "WHERE", -1)
		d.b.noPos--
		d.dml.Rules.ViewChecks = append(d.dml.Rules.ViewChecks, plan.BoundCheck{Name: l.view.Name, Expr: x})
	}
}

// viewColumn finds the table's column behind a view's column.
func (d *dmlState) viewColumn(t *parser.AssignTarget) (*catalog.Column, int) {
	v := d.visible(d.row)
	outer := d.views[0]
	for i, c := range v.cols {
		if c.name != t.Name {
			continue
		}
		x, ok := c.expr.(*plan.Var)
		if !ok {
			verb := map[plan.StatementKind]string{plan.KindInsert: "insert into", plan.KindUpdate: "update",
				plan.KindMerge: "merge into"}[d.out.Kind]
			d.b.throw(-1, failure.New(failure.FeatureNotSupported, "cannot %s column \"%s\" of view \"%s\"", verb, t.Name,
				outer.view.Name).
				WithDetail("View columns that are not columns of their base relation are not updatable."))
		}
		for _, l := range d.views {
			if i < len(l.use.updateCols) && l == outer {
				if d.out.Kind == plan.KindInsert {
					l.use.insertCols[i] = true
				} else {
					l.use.updateCols[i] = true
				}
			}
		}
		o := int(x.ID - d.row.base)
		return d.table.Columns[o], o
	}
	d.b.fail(t.Pos, failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", t.Name, outer.view.Name)
	return nil, -1
}

// want notes a privilege that the statement needs on its target and on the views above it.
func (d *dmlState) want(p catalog.Privilege) {
	d.row.need |= p
	for _, l := range d.views {
		l.use.need |= p
	}
}
