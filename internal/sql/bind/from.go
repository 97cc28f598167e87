package bind

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// from binds a FROM list into the scope and returns the cross product.
func (b *binder) from(s *scope, list []parser.TableExpr) plan.Rel {
	var rel plan.Rel
	for _, t := range list {
		r, ns, lateral := b.fromItem(s, t)
		b.checkNames(s.ns, ns, t.Position())
		for _, it := range ns {
			it.lateralOnly, it.lateralOK = true, true
		}
		s.ns = append(s.ns, ns...)
		if rel == nil {
			rel = r
		} else {
			rel = &plan.RelJoin{Kind: plan.JoinInner, Left: rel, Right: r, Lateral: lateral}
		}
	}
	for _, it := range s.ns {
		it.lateralOnly, it.lateralOK = false, true
	}
	if rel == nil {
		return &plan.RelOne{}
	}
	return rel
}

// checkNames refuses the same table name twice.
func (b *binder) checkNames(old, add []*nsItem, pos int) {
	for _, x := range add {
		if !x.relVisible {
			continue
		}
		for _, y := range old {
			if !y.relVisible || x.rte.alias != y.rte.alias {
				continue
			}
			if x.rte.relOID != 0 && y.rte.relOID != 0 && x.rte.schema != y.rte.schema && x.rte.schema != "" && y.rte.schema != "" {
				continue
			}
			b.fail(pos, failure.DuplicateAlias, "table name \"%s\" specified more than once", x.rte.alias)
		}
	}
}

// fromItem binds one item: its relation, what it adds to the namespace, and whether it refers to items on its left.
func (b *binder) fromItem(s *scope, t parser.TableExpr) (plan.Rel, []*nsItem, bool) {
	switch t := t.(type) {
	case *parser.RangeVar:
		rel, r := b.relation(s, t)
		s.all = append(s.all, r)
		return rel, []*nsItem{{rte: r, relVisible: true, colsVisible: true}}, false
	case *parser.RangeSubselect:
		return b.subselect(s, t)
	case *parser.RangeFunction:
		return b.rangeFunction(s, t)
	case *parser.JoinExpr:
		rel, ns := b.join(s, t)
		return rel, ns, false
	}
	b.notSupported(t.Position(), "this kind of FROM item (%T)", t)
	return nil, nil, false
}

// relation binds a table, view or CTE.
func (b *binder) relation(s *scope, t *parser.RangeVar) (plan.Rel, *rte) {
	n := &t.Relation
	if n.Schema == "" && n.Catalog == "" {
		if c := s.findCTE(n.Name); c != nil {
			if t.Sample != nil {
				b.fail(t.Pos, failure.FeatureNotSupported, "TABLESAMPLE clause can only be applied to tables and materialized views")
			}
			return b.cteRef(s, c, t)
		}
	}
	tab := b.resolveFrom(s, n)
	alias := n.Name
	if t.Alias != nil {
		alias = t.Alias.Name
	}
	b.useObject(tab.OID)
	if tab.View != nil && tab.Kind == catalog.RelView {
		if t.Sample != nil {
			b.fail(t.Pos, failure.FeatureNotSupported, "TABLESAMPLE clause can only be applied to tables and materialized views")
		}
		return b.view(t, tab, alias)
	}
	switch {
	case tab.Virtual, tab.Kind == catalog.RelTable, tab.Kind == catalog.RelMatView, tab.Kind == catalog.RelSequence:
	default:
		b.throw(n.Pos, failure.New(failure.WrongObjectType, "cannot open relation \"%s\"", tab.Name).
			WithDetail("This operation is not supported for %s.", relKindPlural(tab.Kind)))
	}
	r := b.tableRTE(tab, alias, t.Alias)
	if t.Alias == nil {
		r.schema = b.env.Snapshot.SchemaName(tab.Schema)
	}
	r.pos = t.Pos
	scan := &plan.RelScan{Table: tab, Alias: alias, Base: r.base}
	if tab.Virtual || tab.Kind == catalog.RelSequence {
		if b.env.System != nil {
			scan.System = b.env.System(tab)
		}
		if scan.System == nil {
			b.notSupported(n.Pos, "reading \"%s\"", tab.Name)
		}
	}
	r.scan = scan
	r.need = 0
	r.read = true
	b.uses = append(b.uses, r)
	if t.Sample != nil {
		return b.sample(s, t, tab, r, scan), r
	}
	return scan, r
}

func relKindPlural(k catalog.RelKind) string {
	switch k {
	case catalog.RelIndex:
		return "indexes"
	case catalog.RelComposite:
		return "composite types"
	case catalog.RelSequence:
		return "sequences"
	}
	return "relations"
}

// resolveTable finds a relation that is not an index.
func (b *binder) resolveTable(n *parser.RelationName) *catalog.Table { return b.resolveFrom(nil, n) }

// resolveFrom is resolveTable for a mention in a scope.
func (b *binder) resolveFrom(s *scope, n *parser.RelationName) *catalog.Table {
	rel, err := b.env.Snapshot.Resolve(b.env.Path, n.Catalog, n.Schema, n.Name)
	if e := failure.As(err); e != nil && e.Code == failure.UndefinedTable && n.Schema == "" {
		err = s.forwardReference(e, n.Name)
	}
	b.must(n.Pos, err)
	if rel.Index != nil {
		b.throw(n.Pos, failure.New(failure.WrongObjectType, "cannot open relation \"%s\"", n.Name).
			WithDetail("This operation is not supported for indexes."))
	}
	if p := &b.env.Path; rel.Table.Persistence == 't' && p.TempName != "" && rel.Table.Schema != p.Temp {
		b.throw(-1, failure.New(failure.FeatureNotSupported, "cannot access temporary tables of other sessions"))
	}
	return rel.Table
}

// tableRTE makes an entry for a table, with ids for all its columns.
func (b *binder) tableRTE(t *catalog.Table, alias string, a *parser.Alias) *rte {
	n := len(t.Columns)
	r := &rte{alias: alias, table: t, relOID: t.OID, rowType: t.RowType, checkAs: b.checkAs, base: b.newIDs(n)}
	if r.rowType == 0 {
		r.rowType = datum.OIDRecord
	}
	r.cols = make([]rcol, n)
	vars := make([]plan.Var, n)
	for i, c := range t.Columns {
		vars[i] = plan.Var{ID: r.base + plan.ColID(i), Typ: c.Type, Name: c.Name}
		r.cols[i] = rcol{name: c.Name, expr: &vars[i], table: t.OID, attr: c.Attnum, hidden: !c.Visible()}
	}
	b.aliasColumns(r, a)
	return r
}

// aliasColumns renames columns by an alias list.
func (b *binder) aliasColumns(r *rte, a *parser.Alias) {
	if a == nil || len(a.Columns) == 0 {
		return
	}
	i := 0
	for c := range r.cols {
		if r.cols[c].hidden {
			continue
		}
		if i < len(a.Columns) {
			r.cols[c].name = a.Columns[i]
		}
		i++
	}
	if len(a.Columns) > i {
		b.fail(a.Pos, failure.InvalidColumnReference, "table \"%s\" has %d columns available but %d columns specified",
			r.alias, i, len(a.Columns))
	}
}

// queryRTE makes an entry for a subquery's columns.
func (b *binder) queryRTE(q *plan.Query, alias *parser.Alias, name string) *rte {
	r := &rte{alias: name, rowType: datum.OIDRecord}
	if alias != nil {
		r.alias = alias.Name
	}
	for _, c := range q.Cols {
		r.cols = append(r.cols, rcol{name: c.Name, expr: &plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name},
			table: c.Table, attr: c.Attr})
	}
	b.aliasColumns(r, alias)
	return r
}

func (b *binder) subselect(s *scope, t *parser.RangeSubselect) (plan.Rel, []*nsItem, bool) {
	old, oldKind := s.lateralActive, s.kind
	s.lateralActive, s.kind = t.Lateral, PlaceFromSubselect
	if t.Alias == nil {
		what, hint := "subquery in FROM must have an alias", "For example, FROM (SELECT ...) [AS] foo."
		if t.Query.Values != nil {
			what, hint = "VALUES in FROM must have an alias", "For example, FROM (VALUES ...) [AS] foo."
		}
		b.throw(t.Pos, failure.New(failure.SyntaxError, "%s", what).WithHint("%s", hint))
	}
	q := b.query(s, t.Query, true)
	s.lateralActive, s.kind = old, oldKind
	q = b.ownColumns(q)
	r := b.queryRTE(q, t.Alias, "")
	s.all = append(s.all, r)
	return q.Rel, []*nsItem{{rte: r, relVisible: true, colsVisible: true}}, t.Lateral
}

// ownColumns makes sure that the ids of a subquery's columns name one output each, so that entries can be told apart.
func (b *binder) ownColumns(q *plan.Query) *plan.Query {
	seen := make(map[plan.ColID]bool, len(q.Cols))
	var items []plan.RelColumn
	cols := q.Cols
	for i, c := range q.Cols {
		if !seen[c.ID] {
			seen[c.ID] = true
			continue
		}
		if items == nil {
			cols = slices.Clone(cols)
		}
		id := b.newIDs(1)
		items = append(items, plan.RelColumn{ID: id, Expr: &plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name}, Name: c.Name})
		cols[i].ID = id
	}
	if items == nil {
		return q
	}
	return &plan.Query{Rel: &plan.RelProject{Input: q.Rel, Items: items}, Cols: cols}
}

// view binds a mention of a view: its query, bound with the rights of its owner.
func (b *binder) view(t *parser.RangeVar, tab *catalog.Table, alias string) (plan.Rel, *rte) {
	use := &rte{alias: alias, table: tab, relOID: tab.OID, checkAs: b.checkAs, cols: make([]rcol, len(tab.Columns)), read: true}
	b.uses = append(b.uses, use)
	if slices.Contains(b.views, tab.OID) {
		b.fail(t.Pos, failure.InvalidObjectDefinition, "infinite recursion detected in rules for relation \"%s\"", tab.Name)
	}
	q := b.viewQuery(tab)
	r := b.queryRTE(q, nil, alias)
	r.rowType = tab.RowType
	r.relOID = tab.OID
	if t.Alias == nil {
		r.schema = b.env.Snapshot.SchemaName(tab.Schema)
	}
	for i := range r.cols {
		if i < len(tab.Columns) {
			r.cols[i].name, r.cols[i].table, r.cols[i].attr = tab.Columns[i].Name, tab.OID, tab.Columns[i].Attnum
		}
	}
	b.aliasColumns(r, t.Alias)
	return q.Rel, r
}

// viewQuery binds the stored query of a view.
func (b *binder) viewQuery(tab *catalog.Table) *plan.Query {
	raw, err := parser.ParseOne(tab.View.Query)
	b.must(-1, err)
	sel, ok := raw.Stmt.(*parser.SelectStmt)
	if !ok {
		b.fail(-1, failure.InternalError, "view \"%s\" is not a query", tab.Name)
	}
	oldAs := b.checkAs
	b.checkAs = tab.Owner
	b.noPos++
	b.views = append(b.views, tab.OID)
	q := b.ownColumns(b.query(nil, sel, true))
	b.views = b.views[:len(b.views)-1]
	b.checkAs = oldAs
	b.noPos--
	return q
}

// rangeFunction binds a function, or ROWS FROM several, in FROM.
func (b *binder) rangeFunction(s *scope, t *parser.RangeFunction) (plan.Rel, []*nsItem, bool) {
	old, oldKind := s.lateralActive, s.kind
	s.lateralActive, s.kind = true, PlaceFromFunction
	had := s.q != nil && s.q.hasSet
	rel := &plan.RelFunction{Ordinality: t.Ordinality}
	r := &rte{fn: true, rowType: datum.OIDRecord, pos: t.Pos}
	var inlined plan.Rel
	for i, f := range splitUnnest(t) {
		defs := f.ColDefs
		if len(t.ColDefs) > 0 {
			if len(t.Funcs) > 1 {
				b.fail(t.Pos, failure.SyntaxError, "ROWS FROM() with multiple functions cannot have a column definition list")
			}
			defs = t.ColDefs
		}
		name := parser.ColumnName(f.Func)
		if i == 0 {
			r.alias = name
		}
		x := b.expr(s, f.Func)
		if sub, ok := x.(*inlinedSet); ok && len(t.Funcs) == 1 && !t.Ordinality {
			inlined = sub.query.Rel
			for _, c := range sub.query.Cols {
				r.cols = append(r.cols, rcol{name: c.Name, expr: &plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name}})
			}
			r.fn = len(r.cols) == 1
			if r.fn && t.Alias != nil {
				r.cols[0].name = t.Alias.Name
			}
			continue
		}
		rel.Funcs = append(rel.Funcs, b.scanFunc(x, f, defs, name, t.Alias))
	}
	s.lateralActive, s.kind = old, oldKind
	if s.q != nil {
		s.q.hasSet = had
	}
	if t.Alias != nil {
		r.alias = t.Alias.Name
	}
	lateral := true
	if inlined == nil {
		b.functionColumns(rel, r)
		lateral = slices.ContainsFunc(rel.Funcs, func(f plan.ScanFunc) bool { return hasVars(f.Call) })
		inlined = rel
	}
	rel.Alias = r.alias
	b.aliasColumns(r, t.Alias)
	s.all = append(s.all, r)
	return inlined, []*nsItem{{rte: r, relVisible: true, colsVisible: true}}, lateral
}

// splitUnnest reads unnest(a, b) as ROWS FROM (unnest(a), unnest(b)).
func splitUnnest(t *parser.RangeFunction) []*parser.RangeFunctionItem {
	var out []*parser.RangeFunctionItem
	for _, f := range t.Funcs {
		c, ok := f.Func.(*parser.FuncCall)
		if !ok || len(c.Args) < 2 || len(c.Name) != 1 || c.Name[0] != "unnest" || len(c.OrderBy) > 0 || c.Distinct ||
			c.Variadic || c.Filter != nil || c.Over != nil || len(f.ColDefs) > 0 {
			out = append(out, f)
			continue
		}
		for _, a := range c.Args {
			one := *c
			one.Args = []parser.Expr{a}
			out = append(out, &parser.RangeFunctionItem{Pos: f.Pos, Func: &one})
		}
	}
	return out
}

// functionColumns numbers the columns of the functions.
func (b *binder) functionColumns(rel *plan.RelFunction, r *rte) {
	for _, f := range rel.Funcs {
		rel.Names, rel.Types = append(rel.Names, f.Names...), append(rel.Types, f.Types...)
	}
	if rel.Ordinality {
		rel.Names, rel.Types = append(rel.Names, "ordinality"), append(rel.Types, datum.T(datum.OIDInt8))
		r.fn = false
	}
	rel.Base = b.newIDs(len(rel.Names))
	for i, n := range rel.Names {
		r.cols = append(r.cols, rcol{name: n, expr: &plan.Var{ID: rel.Base + plan.ColID(i), Typ: rel.Types[i], Name: n}})
	}
	if len(rel.Names) != 1 {
		r.fn = false
	}
}

// scanFunc works out the columns of one function in FROM.
func (b *binder) scanFunc(x plan.Expr, f *parser.RangeFunctionItem, defs []*parser.ColumnDef, name string, alias *parser.Alias) plan.ScanFunc {
	x = b.resolveUnknown(x)
	sf := plan.ScanFunc{Call: x, Width: 1, Names: []string{name}, Types: []datum.Type{x.Type()}}
	if alias != nil && len(alias.Columns) == 0 {
		sf.Names[0] = alias.Name
	}
	call, isCall := x.(*plan.FuncCall)
	pos := start(f.Func)
	if isCall {
		for _, a := range call.Args {
			if returnsSet(a) {
				b.fail(pos, failure.FeatureNotSupported, "set-returning functions must appear at top level of FROM")
			}
		}
		if names, types := b.outColumns(call); names != nil {
			if len(defs) > 0 {
				b.fail(pos, failure.SyntaxError, "a column definition list is redundant for a function with OUT parameters")
			}
			sf.Names, sf.Types, sf.Width, sf.Composite = names, types, len(names), true
			return sf
		}
		if names, _ := call.Fn.OutParams(); len(names) == 1 && names[0] != "" {
			sf.Names[0] = names[0]
		}
	}
	if names, types := b.fieldsOf(x.Type().OID); names != nil {
		sf.Names, sf.Types, sf.Width, sf.Composite = names, types, len(names), true
		return sf
	}
	switch {
	case x.Type().OID == datum.OIDRecord && len(defs) == 0:
		b.fail(pos, failure.SyntaxError, "a column definition list is required for functions returning \"record\"")
	case x.Type().OID == datum.OIDRecord:
		sf.Names, sf.Types, sf.Composite = nil, nil, true
		for _, d := range defs {
			sf.Names, sf.Types = append(sf.Names, d.Name), append(sf.Types, b.typeName(d.Type))
		}
		sf.Width = len(defs)
	case len(defs) > 0:
		b.fail(pos, failure.SyntaxError, "a column definition list is only allowed for functions returning \"record\"")
	}
	return sf
}
