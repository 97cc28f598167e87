package bind

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// insert binds INSERT.
func (b *binder) insert(parent *scope, stmt *parser.InsertStmt) *plan.BoundStmt {
	d := b.dmlTarget(parent, plan.KindInsert, &stmt.Relation, stmt.Alias)
	d.with(stmt.With)
	d.want(catalog.PrivInsert)
	ins := &inserter{dmlState: d, stmt: stmt}
	ins.targets()
	for _, i := range ins.cols {
		d.row.insertCols[i] = true
	}
	switch src := stmt.Source; {
	case src == nil:
		ins.values(nil)
	case src.Values != nil && src.With == nil && len(src.OrderBy) == 0 && src.Limit == nil && src.Offset == nil:
		ins.values(src.Values)
	default:
		ins.query(src)
	}
	if stmt.OnConflict != nil {
		ins.conflict(stmt.OnConflict)
	}
	d.s.ns, d.s.all = nil, nil
	d.returning(stmt.Returning, d.row)
	d.rules()
	return d.out
}

// inserter is an INSERT being bound.
type inserter struct {
	*dmlState
	stmt *parser.InsertStmt
	cols []int // ordinals that are given values, in the order of the values
	refs []*parser.AssignTarget
}

// targets works out the columns that are given values.
func (n *inserter) targets() {
	b := n.b
	if n.stmt.Columns == nil {
		if n.views != nil {
			for _, c := range n.views[0].view.Columns {
				_, i := n.viewColumn(&parser.AssignTarget{Pos: parser.NoPos, Name: c.Name})
				n.cols = append(n.cols, i)
			}
			return
		}
		for i, c := range n.table.Columns {
			if c.Visible() {
				n.cols = append(n.cols, i)
			}
		}
		return
	}
	for _, t := range n.stmt.Columns {
		_, i := n.column(t)
		if slices.Contains(n.cols, i) && len(t.Indirection) == 0 {
			b.fail(t.Pos, failure.DuplicateColumn, "column \"%s\" specified more than once", t.Name)
		}
		n.cols, n.refs = append(n.cols, i), append(n.refs, t)
	}
}

// checkCount compares the number of values with that of columns.
func (n *inserter) checkCount(values int, pos int) {
	if values > len(n.cols) {
		n.b.fail(pos, failure.SyntaxError, "INSERT has more expressions than target columns")
	}
	if n.stmt.Columns != nil && values < len(n.cols) {
		n.b.fail(n.refs[values].Pos, failure.SyntaxError, "INSERT has more target columns than expressions")
	}
}

// values makes table rows of a VALUES list (nil: DEFAULT VALUES).
func (n *inserter) values(lists [][]parser.Expr) {
	b := n.b
	if lists == nil {
		n.cols, n.refs = nil, nil
		lists = [][]parser.Expr{{}}
	}
	width := len(n.table.Columns)
	v := &plan.RelValues{Rows: make([][]plan.Expr, len(lists))}
	cells := make([]plan.Expr, len(lists)*width)
	n.s.kind = PlaceValues
	used := 0
	for r, list := range lists {
		if r > 0 && len(list) != len(lists[0]) {
			b.fail(start(list[0]), failure.SyntaxError, "VALUES lists must all be the same length")
		}
		row := cells[r*width : (r+1)*width : (r+1)*width]
		used = n.valuesRow(row, list)
		v.Rows[r] = row
	}
	n.cols = n.cols[:min(used, len(n.cols))]
	for r := range v.Rows {
		for i := range v.Rows[r] {
			if v.Rows[r][i] == nil {
				v.Rows[r][i] = b.defaultOf(n.table.Columns[i])
			}
		}
	}
	n.finishValues(v)
}

func (n *inserter) finishValues(v *plan.RelValues) {
	base := n.b.newIDs(len(n.table.Columns))
	q := &plan.Query{Rel: v, Cols: make([]plan.OutCol, len(n.table.Columns))}
	for i, c := range n.table.Columns {
		id := base + plan.ColID(i)
		v.Cols, v.Types, v.Names = append(v.Cols, id), append(v.Types, c.Type), append(v.Names, c.Name)
		q.Cols[i] = plan.OutCol{ID: id, ColumnInfo: plan.ColumnInfo{Name: c.Name, Type: c.Type}}
	}
	n.out.Query = q
}

// valuesRow fills the cells of one row that the list gives values for.
func (n *inserter) valuesRow(row []plan.Expr, list []parser.Expr) int {
	b := n.b
	at := 0
	set := func(x plan.Expr, isDefault bool, pos int) {
		if at >= len(n.cols) {
			b.fail(pos, failure.SyntaxError, "INSERT has more expressions than target columns")
		}
		n.cell(row, at, x, isDefault, pos)
		at++
	}
	for _, e := range list {
		switch x := e.(type) {
		case *parser.SetToDefault:
			set(nil, true, x.Pos)
			continue
		case *parser.ColumnRef:
			if x.Star {
				for _, t := range b.expandStar(n.s, x) {
					set(t.expr, false, t.pos)
				}
				continue
			}
		}
		set(b.expr(n.s, e), false, start(e))
	}
	n.checkCount(at, -1)
	return at
}

// cell puts a value for target column at into a row.
func (n *inserter) cell(row []plan.Expr, at int, x plan.Expr, isDefault bool, pos int) {
	b, i := n.b, n.cols[at]
	c := n.table.Columns[i]
	if !isDefault && c.Identity == catalog.IdentityAlways && n.stmt.Overriding == parser.OverridingUser {
		isDefault = true
	}
	if !isDefault && c.Identity == catalog.IdentityByDefault && n.stmt.Overriding == parser.OverridingUser {
		isDefault = true
	}
	if isDefault {
		row[i] = b.defaultOf(c)
		return
	}
	n.checkInsertable(c)
	if n.refs != nil && len(n.refs[at].Indirection) > 0 {
		cur := row[i]
		if cur == nil {
			cur = &plan.Const{Typ: c.Type}
		}
		row[i] = n.assignInto(cur, c.Type, n.refs[at], n.refs[at].Indirection, x, pos)
		return
	}
	row[i] = b.coerceAssign(x, c.Type, c.Name, pos)
}

// checkInsertable refuses values for generated and GENERATED ALWAYS columns.
func (n *inserter) checkInsertable(c *catalog.Column) {
	err := failure.New(failure.GeneratedAlways, "cannot insert a non-DEFAULT value into column \"%s\"", c.Name)
	switch {
	case c.Generated:
		n.b.throw(-1, err.WithDetail("Column \"%s\" is a generated column.", c.Name))
	case c.Identity == catalog.IdentityAlways && n.stmt.Overriding != parser.OverridingSystem:
		n.b.throw(-1, err.WithDetail("Column \"%s\" is an identity column defined as GENERATED ALWAYS.", c.Name).
			WithHint("Use OVERRIDING SYSTEM VALUE to override."))
	}
}

// query makes table rows of a query's rows.
func (n *inserter) query(src *parser.SelectStmt) {
	b := n.b
	n.s.kind = PlaceInsertTarget
	a := b.setArm(n.s, src)
	n.checkCount(a.width(), b.countPos(a, len(n.cols)))
	n.cols = n.cols[:a.width()]
	if a.sel != nil {
		// Literals take the type of their column.
		for i := range a.sel.targets {
			t := &a.sel.targets[i]
			if t.expr.Type().OID == datum.OIDUnknown {
				t.expr = b.coerceType(t.expr, datum.T(n.table.Columns[n.cols[i]].Type.OID), 1, t.pos)
			}
		}
		a.query = b.finishSelect(a.sel)
	}
	row := make([]plan.Expr, len(n.table.Columns))
	for at, c := range a.query.Cols {
		_, _, pos := a.column(at)
		n.cell(row, at, &plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name}, false, pos)
	}
	var items []plan.RelColumn
	q := &plan.Query{Cols: make([]plan.OutCol, len(row))}
	seen := make(map[plan.ColID]bool)
	for i, c := range n.table.Columns {
		if row[i] == nil {
			row[i] = b.defaultOf(c)
		}
		info := plan.ColumnInfo{Name: c.Name, Type: c.Type}
		if v, ok := row[i].(*plan.Var); ok && !seen[v.ID] {
			seen[v.ID] = true
			q.Cols[i] = plan.OutCol{ID: v.ID, ColumnInfo: info}
			continue
		}
		id := b.newIDs(1)
		items = append(items, plan.RelColumn{ID: id, Expr: row[i], Name: c.Name})
		q.Cols[i] = plan.OutCol{ID: id, ColumnInfo: info}
	}
	q.Rel = a.query.Rel
	if len(items) > 0 {
		q.Rel = &plan.RelProject{Input: q.Rel, Items: items}
	}
	n.out.Query = q
}

func (b *binder) countPos(a *arm, n int) int {
	if a.width() > n {
		_, _, pos := a.column(n)
		return pos
	}
	return -1
}

// conflict binds ON CONFLICT.
func (n *inserter) conflict(c *parser.OnConflict) {
	b, d := n.b, n.dml
	d.Conflict = plan.ConflictNothing
	if c.DoUpdate {
		d.Conflict = plan.ConflictUpdate
	}
	switch {
	case c.Constraint != "":
		d.Arbiters = []*catalog.Index{n.constraintIndex(c)}
	case c.Elems != nil:
		d.Arbiters = n.inferIndexes(c)
	case c.DoUpdate:
		b.throw(c.Pos, failure.New(failure.SyntaxError,
			"ON CONFLICT DO UPDATE requires inference specification or constraint name").
			WithHint("For example, ON CONFLICT (column_name)."))
	}
	if !c.DoUpdate {
		return
	}
	n.old = b.tableRTE(n.table, n.alias, nil)
	n.old.schema = n.row.schema
	excl := b.tableRTE(n.table, "excluded", nil)
	excl.table = nil
	b.uses = append(b.uses, n.old)
	d.OldBase, d.ExclBase = n.old.base, excl.base
	n.want(catalog.PrivUpdate)
	old, excluded := n.visible(n.old), n.visible(excl)
	excluded.alias = "excluded"
	n.s.all = []*rte{old, excluded}
	n.s.ns = []*nsItem{{rte: old, relVisible: true, colsVisible: true}, {rte: excluded, relVisible: true, colsVisible: true}}
	n.s.ns[1].colsVisible = false
	n.s.kind = PlaceUpdateSource
	d.ConflictSet = n.assignments(c.Set)
	if c.Where != nil {
		n.s.kind = PlaceWhere
		d.ConflictWhere = b.coerceBool(b.expr(n.s, c.Where), "WHERE", start(c.Where))
	}
}

func (n *inserter) constraintIndex(c *parser.OnConflict) *catalog.Index {
	for _, x := range n.table.Indexes {
		if x.Name == c.Constraint && x.Constraint != 0 {
			if x.Deferrable {
				n.b.fail(-1, failure.ObjectNotInPrerequisiteState,
					"ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters")
			}
			return x
		}
	}
	if n.table.HasConstraint(c.Constraint) {
		n.b.fail(c.Pos, failure.WrongObjectType, "constraint in ON CONFLICT clause has no associated index")
	}
	n.b.fail(c.Pos, failure.UndefinedObject, "constraint \"%s\" for table \"%s\" does not exist", c.Constraint, n.table.Name)
	return nil
}

// inferIndexes finds the unique indexes over exactly the named columns and expressions.
func (n *inserter) inferIndexes(c *parser.OnConflict) []*catalog.Index {
	b := n.b
	s := &scope{kind: PlaceIndexExpr, ns: []*nsItem{{rte: n.plainRow(), relVisible: true, colsVisible: true}}}
	s.all = []*rte{s.ns[0].rte}
	want := make(map[uint32]bool)
	var exprs []plan.Expr
	for _, e := range c.Elems {
		if e.Name != "" {
			col, at := n.table.ColumnByName(e.Name)
			if n.views != nil {
				col, at = n.viewColumn(&parser.AssignTarget{Pos: e.Pos, Name: e.Name})
			}
			if col == nil {
				b.fail(e.Pos, failure.UndefinedColumn, "column \"%s\" does not exist", e.Name)
			}
			want[col.ID] = true
			n.row.markRead(at)
			continue
		}
		x := b.expr(s, e.Expr)
		if v, ok := x.(*plan.Var); ok {
			want[n.table.Columns[int(v.ID-n.row.base)].ID] = true
			continue
		}
		exprs = append(exprs, x)
	}
	var where plan.Expr
	if c.ElemsWhere != nil {
		s.in(PlaceIndexPredicate, func() { where = b.coerceBool(b.expr(s, c.ElemsWhere), "WHERE", start(c.ElemsWhere)) })
	}
	var out []*catalog.Index
	for _, x := range n.table.Indexes {
		if x.Unique && !x.Hidden && !x.Deferrable && x.State == catalog.IndexPublic && n.indexFits(s, x, want, exprs, where) {
			out = append(out, x)
		}
	}
	if out == nil {
		b.fail(-1, failure.InvalidColumnReference,
			"there is no unique or exclusion constraint matching the ON CONFLICT specification")
	}
	return out
}

func (n *inserter) indexFits(s *scope, x *catalog.Index, want map[uint32]bool, exprs []plan.Expr, where plan.Expr) bool {
	keys, pred := n.b.indexExprs(s, x)
	have := make(map[uint32]bool)
	left := slices.Clone(exprs)
	for i, k := range x.Key {
		if k.Column != 0 {
			if !want[k.Column] {
				return false
			}
			have[k.Column] = true
			continue
		}
		at := slices.IndexFunc(left, func(e plan.Expr) bool { return plan.Equal(e, keys[i]) })
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	if len(have) != len(want) || len(left) > 0 {
		return false
	}
	if pred == nil {
		return true
	}
	if where == nil {
		return false
	}
	given := appendConjuncts(nil, where)
	for _, p := range appendConjuncts(nil, pred) {
		if !slices.ContainsFunc(given, func(g plan.Expr) bool { return plan.Equal(g, p) }) {
			return false
		}
	}
	return true
}
