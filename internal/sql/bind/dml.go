package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// dmlState is a data change being bound.
type dmlState struct {
	b     *binder
	s     *scope
	table *catalog.Table
	alias string
	// old is the target as it was before (not for INSERT), row the target with the new values.
	old, row *rte
	// seen is what the statement sees of old: the same, or a view's columns.
	seen  *rte
	views []*viewLevel // the views that the statement goes through, outermost first
	out   *plan.BoundStmt
	dml   *plan.BoundDML
}

// target opens the table that a statement changes.
func (b *binder) dmlTarget(parent *scope, kind plan.StatementKind, name *parser.RelationName, alias string) *dmlState {
	t := b.resolveTable(name)
	b.useObject(t.OID)
	if alias == "" {
		alias = t.Name
	}
	var views []*viewLevel
	if t.Kind == catalog.RelView && t.View != nil {
		t, views = b.openView(t, kind)
	}
	switch {
	case t.Kind == catalog.RelSequence:
		b.fail(name.Pos, failure.WrongObjectType, "cannot change sequence \"%s\"", t.Name)
	case t.Kind == catalog.RelMatView:
		b.fail(name.Pos, failure.WrongObjectType, "cannot change materialized view \"%s\"", t.Name)
	case t.Virtual:
		b.throw(-1, failure.New(failure.InsufficientPrivilege, "permission denied for table %s", t.Name))
	case t.Kind != catalog.RelTable:
		b.fail(name.Pos, failure.WrongObjectType, "cannot open relation \"%s\"", t.Name)
	}
	d := &dmlState{b: b, s: &scope{parent: parent, kind: PlaceOther}, table: t, alias: alias, views: views}
	d.dml = &plan.BoundDML{Table: t, Alias: alias}
	d.out = &plan.BoundStmt{Kind: kind, DML: d.dml}
	d.row = b.tableRTE(t, alias, nil)
	if n := len(views); n > 0 {
		d.row.checkAs = views[n-1].inside
	}
	d.dml.NewBase = d.row.base
	d.row.insertCols, d.row.updateCols = make([]bool, len(t.Columns)), make([]bool, len(t.Columns))
	if alias == t.Name {
		d.row.schema = b.env.Snapshot.SchemaName(t.Schema)
	}
	b.uses = append(b.uses, d.row)
	b.writes = true
	return d
}

// scan makes the mention of the target whose rows are changed, and brings it into scope.
func (d *dmlState) scan() plan.Rel {
	d.old = d.b.tableRTE(d.table, d.alias, nil)
	d.old.schema, d.old.checkAs = d.row.schema, d.row.checkAs
	scan := &plan.RelScan{Table: d.table, Alias: d.alias, Base: d.old.base, Target: true}
	d.old.scan, d.dml.Scan = scan, scan
	d.b.uses = append(d.b.uses, d.old)
	d.seen = d.visible(d.old)
	d.s.all = append(d.s.all, d.seen)
	d.s.ns = append(d.s.ns, &nsItem{rte: d.seen, relVisible: true, colsVisible: true, lateralOK: true})
	return filter(scan, d.viewConds(d.old)...)
}

// query makes the statement's Query: rel with the target's columns.
func (d *dmlState) query(rel plan.Rel) {
	q := &plan.Query{Rel: rel, Cols: make([]plan.OutCol, len(d.table.Columns))}
	for i, c := range d.table.Columns {
		q.Cols[i] = plan.OutCol{ID: d.old.base + plan.ColID(i), ColumnInfo: plan.ColumnInfo{Name: c.Name, Type: c.Type}}
	}
	d.out.Query = q
}

// with binds the statement's WITH clause.
func (d *dmlState) with(w *parser.WithClause) {
	if w != nil {
		d.out.With = d.b.with(d.s, w)
	}
}

// returning binds RETURNING, in which the target means its new rows (base tells which).
func (d *dmlState) returning(list []*parser.ResTarget, target *rte) {
	if list == nil {
		return
	}
	s := d.s
	target = d.visible(target)
	old := s.ns
	s.ns, s.all = nil, append([]*rte{target}, s.all...)
	s.ns = append(s.ns, &nsItem{rte: target, relVisible: true, colsVisible: true})
	for _, it := range old {
		if it.rte != d.seen {
			s.ns = append(s.ns, it)
		}
	}
	s.kind = PlaceReturning
	targets := d.b.targetList(s, list)
	d.dml.Returning = make([]plan.OutCol, len(targets))
	d.dml.Exprs = make([]plan.Expr, len(targets))
	for i, t := range targets {
		x := d.b.resolveUnknown(t.expr)
		t.expr = x
		id := d.b.newIDs(1)
		t.id = id
		d.dml.Exprs[i], d.dml.Returning[i] = x, outCol(t)
	}
}

// rules binds what every new row must obey.
func (d *dmlState) rules() {
	b, r := d.b, &d.dml.Rules
	t := d.table
	b.noPos++
	s := &scope{kind: PlaceGenerated, ns: []*nsItem{{rte: d.plainRow(), relVisible: true, colsVisible: true}}}
	for i, c := range t.Columns {
		if c.Generated && !c.Dropped {
			e := b.parseStored(c.Default)
			x := b.coerceAssign(b.expr(s, e), c.Type, c.Name, -1)
			r.Generated = append(r.Generated, plan.BoundColumn{Ordinal: i, Expr: x})
		}
	}
	s.kind = PlaceCheck
	for _, c := range t.Checks {
		x := b.coerceBool(b.expr(s, b.parseStored(c.Expr)), "CHECK", -1)
		r.Checks = append(r.Checks, plan.BoundCheck{Name: c.Name, Expr: x})
	}
	d.indexRules(s)
	b.noPos--
	d.viewChecks()
}

// plainRow is the new row without marks for privileges.
func (d *dmlState) plainRow() *rte {
	c := *d.row
	c.table = nil
	c.alias = d.table.Name
	return &c
}

// indexRules binds the expressions and predicates of the table's indexes.
func (d *dmlState) indexRules(s *scope) {
	for _, x := range d.table.Indexes {
		keys, pred := d.b.indexExprs(s, x)
		if keys != nil || pred != nil {
			d.dml.Rules.Indexes = append(d.dml.Rules.Indexes, plan.BoundIndex{Index: x, Keys: keys, Pred: pred})
		}
	}
}

// indexExprs binds an index's expressions (nil for plain columns; nil when all are plain) and its predicate.
func (b *binder) indexExprs(s *scope, x *catalog.Index) (keys []plan.Expr, pred plan.Expr) {
	for i, k := range x.Key {
		if k.Column != 0 {
			continue
		}
		if keys == nil {
			keys = make([]plan.Expr, len(x.Key))
		}
		s.in(PlaceIndexExpr, func() { keys[i] = b.resolveUnknown(b.expr(s, b.parseStored(k.Expr))) })
	}
	if x.Predicate != "" {
		s.in(PlaceIndexPredicate, func() { pred = b.coerceBool(b.expr(s, b.parseStored(x.Predicate)), "WHERE", -1) })
	}
	return keys, pred
}

// IndexExprs binds the expressions and the predicate of an index for the mention of its table that has ids from base.
func IndexExprs(env *Env, t *catalog.Table, x *catalog.Index, base plan.ColID) (keys []plan.Expr, pred plan.Expr, err error) {
	b := newBinder(env, "")
	defer b.recover(&err)
	b.noPos++
	b.nextCol = base
	s := &scope{ns: []*nsItem{{rte: b.tableRTE(t, t.Name, nil), relVisible: true, colsVisible: true}}}
	keys, pred = b.indexExprs(s, x)
	return keys, pred, nil
}

// Rules binds the rules for new rows of a table whose columns have ids from base on.
func Rules(env *Env, t *catalog.Table, base plan.ColID) (r plan.BoundRules, err error) {
	b := newBinder(env, "")
	defer b.recover(&err)
	b.nextCol = base
	d := &dmlState{b: b, s: &scope{}, table: t, alias: t.Name, dml: &plan.BoundDML{Table: t}}
	d.row = b.tableRTE(t, t.Name, nil)
	d.rules()
	return d.dml.Rules, nil
}

// Default binds the default of a column.
func Default(env *Env, c *catalog.Column) (e plan.Expr, err error) {
	b := newBinder(env, "")
	defer b.recover(&err)
	return b.defaultOf(c), nil
}

// parseStored parses an expression of the catalogue.
func (b *binder) parseStored(text string) parser.Expr {
	if e := b.defaults[text]; e != nil {
		return e
	}
	e, err := parser.ParseExpr(text)
	b.must(-1, err)
	if b.defaults == nil {
		b.defaults = make(map[string]parser.Expr)
	}
	b.defaults[text] = e
	return e
}

// defaultOf is the value that a column takes when none is given: its default, its identity sequence, the default of its
// domain, or NULL.
func (b *binder) defaultOf(c *catalog.Column) plan.Expr {
	null := &plan.Const{Typ: c.Type}
	switch {
	case c.Dropped || c.Hidden || c.Generated:
		return null
	case c.Identity != catalog.IdentityNone:
		b.useObject(c.IdentitySequence)
		seq := &plan.Const{Val: datum.NewInt(int64(c.IdentitySequence)), Typ: datum.T(datum.OIDRegclass)}
		x := b.callByName(&scope{}, []string{"pg_catalog", "nextval"}, []plan.Expr{seq}, -1)
		return b.coerceAssign(x, c.Type, c.Name, -1)
	}
	text := c.Default
	if text == "" {
		if t := b.env.Snapshot.TypeByOID(c.Type.OID); t != nil {
			text = t.Default
		}
	}
	if text == "" {
		if ti := b.facts.TypeByOID(c.Type.OID); ti != nil && ti.Type == 'd' {
			return b.coerceType(&plan.Const{Typ: datum.T(datum.OIDUnknown)}, c.Type, 0, -1)
		}
		return null
	}
	b.noPos++
	s := &scope{kind: PlaceDefault}
	x := b.coerceAssign(b.expr(s, b.parseStored(text)), c.Type, c.Name, -1)
	b.noPos--
	return x
}

// column finds the column that an assignment names.
func (d *dmlState) column(t *parser.AssignTarget) (*catalog.Column, int) {
	if d.views != nil {
		return d.viewColumn(t)
	}
	c, i := d.table.ColumnByName(t.Name)
	if c == nil {
		if isSystemColumn(t.Name) {
			d.b.fail(t.Pos, failure.FeatureNotSupported, "cannot assign to system column \"%s\"", t.Name)
		}
		d.b.fail(t.Pos, failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", t.Name, d.table.Name)
	}
	return c, i
}

func isSystemColumn(name string) bool {
	switch name {
	case "tableoid", "ctid", "xmin", "xmax", "cmin", "cmax":
		return true
	}
	return false
}

// update binds UPDATE.
func (b *binder) update(parent *scope, stmt *parser.UpdateStmt) *plan.BoundStmt {
	alias := ""
	if stmt.Table.Alias != nil {
		alias = stmt.Table.Alias.Name
	}
	d := b.dmlTarget(parent, plan.KindUpdate, &stmt.Table.Relation, alias)
	d.with(stmt.With)
	d.out.Query = nil
	rel := b.joinTarget(d, d.scan(), stmt.From)
	d.want(catalog.PrivUpdate)
	d.s.kind = PlaceUpdateSource
	d.dml.Set = d.assignments(stmt.Set)
	if stmt.Where != nil {
		d.s.kind = PlaceWhere
		rel = filter(rel, b.coerceBool(b.expr(d.s, stmt.Where), "WHERE", start(stmt.Where)))
	}
	d.query(rel)
	d.returning(stmt.Returning, d.row)
	d.rules()
	return d.out
}

// joinTarget adds the tables of FROM or USING to the target.
func (b *binder) joinTarget(d *dmlState, target plan.Rel, from []parser.TableExpr) plan.Rel {
	if len(from) == 0 {
		return target
	}
	own := d.s.ns
	own[0].lateralOnly = false
	rel := b.from(d.s, from)
	for _, it := range d.s.ns[1:] {
		if it.relVisible && it.rte.alias == d.alias {
			b.fail(from[0].Position(), failure.DuplicateAlias, "table name \"%s\" specified more than once", d.alias)
		}
	}
	return &plan.RelJoin{Kind: plan.JoinInner, Left: target, Right: rel}
}

// delete binds DELETE.
func (b *binder) delete(parent *scope, stmt *parser.DeleteStmt) *plan.BoundStmt {
	alias := ""
	if stmt.Table.Alias != nil {
		alias = stmt.Table.Alias.Name
	}
	d := b.dmlTarget(parent, plan.KindDelete, &stmt.Table.Relation, alias)
	d.with(stmt.With)
	rel := b.joinTarget(d, d.scan(), stmt.Using)
	d.want(catalog.PrivDelete)
	if stmt.Where != nil {
		d.s.kind = PlaceWhere
		rel = filter(rel, b.coerceBool(b.expr(d.s, stmt.Where), "WHERE", start(stmt.Where)))
	}
	d.query(rel)
	old := *d.old
	d.returning(stmt.Returning, &old)
	d.old.read, d.old.readCols = d.old.read || old.read, mergeMarks(d.old.readCols, old.readCols)
	b.noPos++
	s := &scope{ns: []*nsItem{{rte: d.plainRow(), relVisible: true, colsVisible: true}}}
	d.indexRules(s)
	b.noPos--
	return d.out
}

func mergeMarks(a, b []bool) []bool {
	if a == nil {
		return b
	}
	for i := range b {
		a[i] = a[i] || b[i]
	}
	return a
}

// assignments binds SET.
func (d *dmlState) assignments(list []*parser.Assignment) []plan.BoundColumn {
	b := d.b
	var out []plan.BoundColumn
	plainSet := make(map[int]bool, len(list))
	assign := func(t *parser.AssignTarget, x plan.Expr, isDefault bool, pos int) {
		c, i := d.column(t)
		if plainSet[i] && len(t.Indirection) == 0 {
			b.fail(t.Pos, failure.SyntaxError, "multiple assignments to same column \"%s\"", c.Name)
		}
		d.checkAssignable(c, isDefault)
		d.row.updateCols[i] = true
		var cur plan.Expr = &plan.Var{ID: d.old.base + plan.ColID(i), Typ: c.Type, Name: c.Name}
		for k := range out {
			if out[k].Ordinal == i {
				if len(t.Indirection) == 0 {
					b.fail(t.Pos, failure.SyntaxError, "multiple assignments to same column \"%s\"", c.Name)
				}
				out[k].Expr = d.assignInto(out[k].Expr, c.Type, t, t.Indirection, x, pos)
				return
			}
		}
		switch {
		case isDefault:
			x = b.defaultOf(c)
		case len(t.Indirection) > 0:
			x = d.assignInto(cur, c.Type, t, t.Indirection, x, pos)
		default:
			x = b.coerceAssign(x, c.Type, c.Name, pos)
		}
		plainSet[i] = len(t.Indirection) == 0
		out = append(out, plan.BoundColumn{Ordinal: i, Expr: x})
	}
	for _, a := range list {
		if a.Multi {
			d.multiAssign(a, assign)
			continue
		}
		if _, def := a.Value.(*parser.SetToDefault); def {
			assign(a.Targets[0], nil, true, start(a.Value))
			continue
		}
		assign(a.Targets[0], b.expr(d.s, a.Value), false, start(a.Value))
	}
	return out
}

// checkAssignable refuses values for generated and GENERATED ALWAYS columns.
func (d *dmlState) checkAssignable(c *catalog.Column, isDefault bool) {
	if isDefault {
		return
	}
	err := failure.New(failure.GeneratedAlways, "column \"%s\" can only be updated to DEFAULT", c.Name)
	switch {
	case c.Generated:
		d.b.throw(-1, err.WithDetail("Column \"%s\" is a generated column.", c.Name))
	case c.Identity == catalog.IdentityAlways:
		d.b.throw(-1, err.WithDetail("Column \"%s\" is an identity column defined as GENERATED ALWAYS.", c.Name))
	}
}

// multiAssign binds (a, b) = (x, y), = ROW(x, y) or = (SELECT …).
func (d *dmlState) multiAssign(a *parser.Assignment, assign func(*parser.AssignTarget, plan.Expr, bool, int)) {
	b := d.b
	count := func(n int, pos int) {
		if n != len(a.Targets) {
			b.fail(pos, failure.SyntaxError, "number of columns does not match number of values")
		}
	}
	switch v := a.Value.(type) {
	case *parser.RowExpr:
		count(len(v.Args), v.Pos)
		for i, t := range a.Targets {
			if _, def := v.Args[i].(*parser.SetToDefault); def {
				assign(t, nil, true, start(v.Args[i]))
				continue
			}
			assign(t, b.expr(d.s, v.Args[i]), false, start(v.Args[i]))
		}
	case *parser.SubLink:
		if v.Kind != parser.SubLinkScalar {
			break
		}
		q := b.ownColumns(b.subQuery(d.s, v.Query))
		count(len(q.Cols), v.Pos)
		sub := &plan.Subquery{Kind: plan.SubRow, Query: q, Typ: datum.T(datum.OIDRecord)}
		for i, t := range a.Targets {
			c := q.Cols[i]
			assign(t, &plan.FieldSelect{Arg: sub, Index: i, Name: c.Name, Typ: c.Type}, false, v.Pos)
		}
		return
	default:
		b.fail(start(a.Value), failure.FeatureNotSupported,
			"source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression")
	}
}

// assignInto is the value cur with the element, slice or field that the indirection names replaced by x.
func (d *dmlState) assignInto(cur plan.Expr, typ datum.Type, t *parser.AssignTarget, ind []parser.IndirectionElem,
	x plan.Expr, pos int) plan.Expr {
	b := d.b
	if len(ind) == 0 {
		return b.coerceAssign(x, typ, t.Name, pos)
	}
	if ind[0].Kind == parser.IndirField {
		names, types := b.fieldsOf(typ.OID)
		for i, n := range names {
			if n != ind[0].Name {
				continue
			}
			sel := &plan.FieldSelect{Arg: cur, Index: i, Name: n, Typ: types[i]}
			return &plan.FieldAssign{Arg: cur, Index: i, Name: n, Typ: typ, Value: d.assignInto(sel, types[i], t, ind[1:], x, pos)}
		}
		if names == nil {
			b.fail(ind[0].Pos, failure.DatatypeMismatch,
				"cannot assign to field \"%s\" of column \"%s\" because its type %s is not a composite type", ind[0].Name,
				t.Name, b.facts.TypeName(typ.OID))
		}
		b.fail(ind[0].Pos, failure.UndefinedColumn,
			"cannot assign to field \"%s\" of column \"%s\" because there is no such column in data type %s", ind[0].Name,
			t.Name, b.facts.TypeName(typ.OID))
	}
	n := 0
	slice := false
	for n < len(ind) && (ind[n].Kind == parser.IndirIndex || ind[n].Kind == parser.IndirSlice) {
		slice = slice || ind[n].Kind == parser.IndirSlice
		n++
	}
	out := &plan.ArrayAssign{Arg: cur, Slice: slice, Typ: typ}
	base := b.facts.BaseType(typ.OID)
	el := datum.Type{OID: b.facts.ElementType(base), Mod: typ.Mod}
	switch {
	case base == datum.OIDJSONB:
		sub := b.subscriptJSON(d.s, cur, ind[:n]).(*plan.Subscript)
		out.Upper, el = sub.Upper, datum.T(datum.OIDJSONB)
	case el.OID == 0:
		b.fail(ind[0].Pos, failure.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting",
			b.facts.TypeName(typ.OID))
	default:
		out.Lower, out.Upper = b.subscriptBounds(d.s, ind[:n], slice)
	}
	if slice {
		el = typ
	}
	var inner plan.Expr = &plan.Subscript{Arg: cur, Slice: slice, Lower: out.Lower, Upper: out.Upper, Typ: el}
	out.Value = d.assignInto(inner, el, t, ind[n:], x, pos)
	return out
}
