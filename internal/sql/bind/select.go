package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// target is an item of a select list. Junk items exist only to be sorted or grouped by.
type target struct {
	expr  plan.Expr
	id    plan.ColID // 0 until it is known where the value comes from
	name  string
	junk  bool
	table datum.OID
	attr  int16
	pos   int
}

// sortItem orders by a target.
type sortItem struct {
	target     int
	desc       bool
	nullsFirst bool
}

// groupingCall is a GROUPING whose arguments are not matched yet.
type groupingCall struct {
	id   plan.ColID
	args []plan.Expr
	pos  []int
}

// selectState is a SELECT being bound.
type selectState struct {
	stmt    *parser.SelectStmt
	scope   *scope
	rel     plan.Rel
	targets []target
	having  plan.Expr
	sort    []sortItem

	aggs      []plan.RelAggregate
	groupings []groupingCall
	windows   []*window
	hasSet    bool
	setPos    int                 // of a set-returning call
	made      map[plan.ColID]bool // columns made at this level
}

func (q *selectState) make(id plan.ColID) {
	if q.made == nil {
		q.made = make(map[plan.ColID]bool)
	}
	q.made[id] = true
}

func (q *selectState) isAgg(id plan.ColID) bool {
	for i := range q.aggs {
		if q.aggs[i].ID == id {
			return true
		}
	}
	return false
}

func (q *selectState) isWindow(id plan.ColID) bool {
	for _, w := range q.windows {
		for i := range w.calls {
			if w.calls[i].ID == id {
				return true
			}
		}
	}
	return false
}

// query binds a SELECT, VALUES or set operation inside parent (nil at the top). resolve turns what is still of unknown
// type into text.
func (b *binder) query(parent *scope, stmt *parser.SelectStmt, resolve bool) *plan.Query {
	s := &scope{parent: parent, kind: PlaceSelectTarget}
	var defs []*plan.RelCTEDef
	if stmt.With != nil {
		defs = b.with(s, stmt.With)
	}
	var q *plan.Query
	switch {
	case stmt.Op != parser.SetOpNone:
		q = b.setOperation(s, stmt)
	case stmt.Values != nil:
		q = b.values(s, stmt, resolve)
	default:
		q = b.simpleSelect(s, stmt, resolve)
	}
	if len(defs) > 0 {
		q = &plan.Query{Rel: &plan.RelWith{CTEs: defs, Input: q.Rel}, Cols: q.Cols}
	}
	return q
}

// simpleSelect binds SELECT … FROM ….
func (b *binder) simpleSelect(s *scope, stmt *parser.SelectStmt, resolve bool) *plan.Query {
	q := &selectState{stmt: stmt, scope: s}
	s.q = q
	b.selectBody(q)
	if resolve {
		b.resolveTargets(q)
	}
	return b.finishSelect(q)
}

// selectBody binds FROM, the select list, WHERE and HAVING.
func (b *binder) selectBody(q *selectState) {
	s, stmt := q.scope, q.stmt
	q.rel = b.from(s, stmt.From)
	for _, w := range stmt.Windows {
		for _, old := range q.windows {
			if old.name == w.Name {
				b.fail(w.Pos, failure.WindowingError, "window \"%s\" is already defined", w.Name)
			}
		}
		q.windows = append(q.windows, &window{name: w.Name, def: w})
	}
	s.kind = PlaceSelectTarget
	q.targets = b.targetList(s, stmt.Targets)
	if stmt.Where != nil {
		s.in(PlaceWhere, func() {
			q.rel = filter(q.rel, b.coerceBool(b.expr(s, stmt.Where), "WHERE", start(stmt.Where)))
		})
	}
	if stmt.Having != nil {
		s.in(PlaceHaving, func() {
			q.having = b.coerceBool(b.expr(s, stmt.Having), "HAVING", start(stmt.Having))
		})
	}
}

// targetList binds a select or RETURNING list, expanding stars.
func (b *binder) targetList(s *scope, list []*parser.ResTarget) []target {
	out := make([]target, 0, len(list))
	for _, t := range list {
		switch x := t.Value.(type) {
		case *parser.ColumnRef:
			if x.Star {
				out = append(out, b.expandStar(s, x)...)
				continue
			}
		case *parser.Indirection:
			if n := len(x.Elems); n > 0 && x.Elems[n-1].Kind == parser.IndirStar {
				out = append(out, b.expandRow(b.indirectionUpTo(s, x, n-1), x.Pos)...)
				continue
			}
		}
		tg := target{expr: b.expr(s, t.Value), name: t.Name, pos: start(t.Value)}
		if tg.name == "" {
			tg.name = parser.ColumnName(t.Value)
		}
		b.origin(s, &tg)
		out = append(out, tg)
	}
	return out
}

// origin notes the table column that a plain column target comes from.
func (b *binder) origin(s *scope, t *target) {
	v, ok := t.expr.(*plan.Var)
	if !ok {
		return
	}
	for lv := s; lv != nil; lv = lv.parent {
		if r, i := lv.rteOf(v.ID); r != nil {
			t.table, t.attr = r.cols[i].table, r.cols[i].attr
			return
		}
	}
}

func (b *binder) resolveTargets(q *selectState) {
	for i := range q.targets {
		q.targets[i].expr = b.resolveUnknown(q.targets[i].expr)
	}
}

// filter adds conditions above a relation, flattening conjunctions.
func filter(r plan.Rel, conds ...plan.Expr) plan.Rel {
	var flat []plan.Expr
	for _, c := range conds {
		flat = appendConjuncts(flat, c)
	}
	if len(flat) == 0 {
		return r
	}
	return &plan.RelFilter{Input: r, Conds: flat}
}

func appendConjuncts(list []plan.Expr, e plan.Expr) []plan.Expr {
	if and, ok := e.(*plan.And); ok {
		for _, a := range and.Args {
			list = appendConjuncts(list, a)
		}
		return list
	}
	return append(list, e)
}

// finishSelect binds the rest (ORDER BY, GROUP BY, DISTINCT, LIMIT, locking) and builds the operators.
func (b *binder) finishSelect(q *selectState) *plan.Query {
	stmt, s := q.stmt, q.scope
	s.in(PlaceOrderBy, func() { b.orderBy(q, stmt.OrderBy) })
	var groups *grouped
	if len(stmt.GroupBy) > 0 {
		s.in(PlaceGroupBy, func() { groups = b.groupBy(q) })
	}
	distinctOn := b.distinctOn(q)
	b.defineWindows(q)
	visible := b.visible(q)
	if stmt.Distinct {
		b.checkDistinct(q, distinctOn)
	}
	if groups != nil || len(q.aggs) > 0 || len(q.groupings) > 0 || q.having != nil {
		b.buildGroups(q, groups)
	}
	b.buildWindows(q)
	b.project(q)
	b.buildTail(q, distinctOn)
	out := &plan.Query{Cols: make([]plan.OutCol, 0, visible)}
	for _, t := range q.targets {
		if !t.junk {
			out.Cols = append(out.Cols, outCol(t))
			b.noteRecord(t)
		}
	}
	b.limit(q)
	out.Rel = q.rel
	return out
}

// noteRecord keeps the fields of a column of type record for the queries above.
func (b *binder) noteRecord(t target) {
	if t.expr.Type().OID != datum.OIDRecord {
		return
	}
	if names, types := b.recordFields(t.expr); names != nil {
		if b.records == nil {
			b.records = map[plan.ColID]recordFields{}
		}
		b.records[t.id] = recordFields{names, types}
	}
}

func outCol(t target) plan.OutCol {
	return plan.OutCol{ID: t.id, ColumnInfo: plan.ColumnInfo{Name: t.name, Type: t.expr.Type(), Table: t.table, Attr: t.attr}}
}

func (b *binder) visible(q *selectState) int {
	n := 0
	for _, t := range q.targets {
		if !t.junk {
			n++
		}
	}
	if n > 1664 {
		b.fail(-1, failure.TooManyColumns, "target lists can have at most %d entries", 1664)
	}
	return n
}

// project makes sure that every target is a column of q.rel and knows its id.
func (b *binder) project(q *selectState) {
	var items, sets []plan.RelColumn
	for i := range q.targets {
		t := &q.targets[i]
		if v, ok := t.expr.(*plan.Var); ok && (q.scope.localVar(v.ID)) {
			t.id = v.ID
			continue
		}
		t.id = b.newIDs(1)
		q.make(t.id)
		it := plan.RelColumn{ID: t.id, Expr: t.expr, Name: t.name}
		if q.hasSet && returnsSet(t.expr) {
			sets = append(sets, it)
		} else {
			items = append(items, it)
		}
	}
	if len(items) > 0 && len(sets) == 0 {
		q.rel = &plan.RelProject{Input: q.rel, Items: items}
	}
	if len(sets) > 0 {
		if len(items) > 0 {
			q.rel = &plan.RelProject{Input: q.rel, Items: items}
		}
		q.rel = b.projectSets(q, sets)
	}
}

// projectSets peels set-returning calls out of expressions, innermost first, one level of nesting after the other.
func (b *binder) projectSets(q *selectState, items []plan.RelColumn) plan.Rel {
	rel := q.rel
	for {
		var sets []plan.RelColumn
		for i := range items {
			items[i].Expr = b.peelSets(items[i].Expr, &sets)
		}
		if len(sets) == 0 {
			break
		}
		rel = &plan.RelProjectSet{Input: rel, Items: sets}
	}
	return &plan.RelProject{Input: rel, Items: items}
}

// peelSets replaces the innermost set-returning calls by columns.
func (b *binder) peelSets(e plan.Expr, sets *[]plan.RelColumn) plan.Expr {
	f, ok := e.(*plan.FuncCall)
	if ok && f.Fn.RetSet {
		inner := false
		for _, a := range f.Args {
			inner = inner || returnsSet(a)
		}
		if !inner {
			for _, it := range *sets {
				if it.Expr == e {
					return &plan.Var{ID: it.ID, Typ: f.Typ, Name: f.Fn.Name}
				}
			}
			id := b.newIDs(1)
			*sets = append(*sets, plan.RelColumn{ID: id, Expr: f, Name: f.Fn.Name})
			return &plan.Var{ID: id, Typ: f.Typ, Name: f.Fn.Name}
		}
	}
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr { return b.peelSets(x, sets) })
}

// buildTail adds DISTINCT and the sort.
func (b *binder) buildTail(q *selectState, on []int) {
	keys := make([]plan.RelOrder, len(q.sort))
	for i, o := range q.sort {
		keys[i] = plan.RelOrder{ID: q.targets[o.target].id, Desc: o.desc, NullsFirst: o.nullsFirst}
	}
	switch {
	case q.stmt.DistinctOn != nil:
		if len(keys) > 0 {
			q.rel = &plan.RelSort{Input: q.rel, Keys: keys}
		}
		d := &plan.RelDistinct{Input: q.rel, On: true}
		for _, i := range on {
			d.Cols = append(d.Cols, q.targets[i].id)
		}
		q.rel = d
		return
	case q.stmt.Distinct:
		d := &plan.RelDistinct{Input: q.rel}
		for _, t := range q.targets {
			if !t.junk {
				d.Cols = append(d.Cols, t.id)
			}
		}
		q.rel = d
	}
	if len(keys) > 0 {
		q.rel = &plan.RelSort{Input: q.rel, Keys: keys}
	}
}

// limit adds locking, LIMIT and OFFSET.
func (b *binder) limit(q *selectState) {
	stmt, s := q.stmt, q.scope
	if len(stmt.Locking) > 0 {
		b.locking(q)
	}
	q.rel = b.limitOf(s, stmt, q.rel, func() []plan.RelOrder {
		out := make([]plan.RelOrder, len(q.sort))
		for i, o := range q.sort {
			out[i] = plan.RelOrder{ID: q.targets[o.target].id, Desc: o.desc, NullsFirst: o.nullsFirst}
		}
		return out
	})
}

func (b *binder) limitOf(s *scope, stmt *parser.SelectStmt, rel plan.Rel, order func() []plan.RelOrder) plan.Rel {
	if stmt.Limit == nil && stmt.Offset == nil {
		return rel
	}
	l := &plan.RelLimit{Input: rel}
	bindOne := func(e parser.Expr, name string, p Place) plan.Expr {
		var x plan.Expr
		s.in(p, func() { x = b.coerceTo(b.expr(s, e), datum.OIDInt8, name, start(e)) })
		b.noLocalVars(s, x, name)
		return x
	}
	if stmt.Offset != nil {
		l.Offset = bindOne(stmt.Offset, "OFFSET", PlaceOffset)
	}
	if stmt.Limit != nil && !stmt.LimitAll {
		l.Count = bindOne(stmt.Limit, "LIMIT", PlaceLimit)
		if stmt.WithTies && isNullConst(l.Count) {
			b.fail(start(stmt.Limit), failure.Code("2201W"), "row count cannot be null in FETCH FIRST ... WITH TIES clause")
		}
	}
	if stmt.WithTies {
		l.Ties = order()
		if len(l.Ties) == 0 {
			b.fail(-1, failure.SyntaxError, "WITH TIES cannot be specified without ORDER BY clause")
		}
	}
	if l.Count == nil && l.Offset == nil {
		return rel
	}
	return l
}

func (b *binder) noLocalVars(s *scope, e plan.Expr, construct string) {
	plan.WalkDeep(e, func(x plan.Expr) {
		if v, ok := x.(*plan.Var); ok && s.localVar(v.ID) {
			b.fail(int(v.Pos), failure.InvalidColumnReference, "argument of %s must not contain variables", construct)
		}
	})
}

// values binds a VALUES list as a query.
func (b *binder) values(s *scope, stmt *parser.SelectStmt, resolve bool) *plan.Query {
	rows, pos := b.valuesRows(s, stmt.Values)
	n := len(rows[0])
	v := &plan.RelValues{Rows: rows}
	out := &plan.Query{Rel: v}
	base := b.newIDs(n)
	for c := range n {
		column, cpos := make([]plan.Expr, len(rows)), make([]int, len(rows))
		for r := range rows {
			column[r], cpos[r] = rows[r][c], pos[r][c]
		}
		t := column[0].Type()
		if resolve || len(rows) > 1 {
			oid := b.commonType("VALUES", column, cpos)
			t = datum.Type{OID: oid, Mod: commonMod(column, oid)}
		}
		for r := range rows {
			rows[r][c] = column[r]
		}
		name := "column" + itoa(c+1)
		v.Cols, v.Types, v.Names = append(v.Cols, base+plan.ColID(c)), append(v.Types, t), append(v.Names, name)
		out.Cols = append(out.Cols, plan.OutCol{ID: base + plan.ColID(c), ColumnInfo: plan.ColumnInfo{Name: name, Type: t}})
	}
	// ORDER BY and LIMIT of a VALUES list work on its columns.
	if len(stmt.OrderBy) > 0 || stmt.Limit != nil || stmt.Offset != nil {
		out.Rel = b.orderColumns(s, stmt, out)
	}
	if len(stmt.Locking) > 0 {
		b.fail(stmt.Locking[0].Pos, failure.FeatureNotSupported, "%s cannot be applied to VALUES", lockName(stmt.Locking[0].Strength))
	}
	return out
}

func (b *binder) valuesRows(s *scope, lists [][]parser.Expr) ([][]plan.Expr, [][]int) {
	rows, pos := make([][]plan.Expr, len(lists)), make([][]int, len(lists))
	old := s.kind
	s.kind = PlaceValues
	for i, list := range lists {
		rows[i], pos[i] = b.rowArgs(s, list)
		if len(rows[i]) != len(rows[0]) {
			b.fail(start(list[0]), failure.SyntaxError, "VALUES lists must all be the same length")
		}
	}
	s.kind = old
	return rows, pos
}

// orderColumns sorts and cuts a query whose output columns have names: VALUES and set operations. In a set operation
// only names and numbers may be sorted by.
func (b *binder) orderColumns(s *scope, stmt *parser.SelectStmt, q *plan.Query) plan.Rel {
	r := &rte{alias: "*VALUES*", rowType: datum.OIDRecord, join: true}
	sq := &selectState{stmt: stmt, scope: s, rel: q.Rel}
	for _, c := range q.Cols {
		v := &plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name}
		r.cols = append(r.cols, rcol{name: c.Name, expr: v})
		sq.targets = append(sq.targets, target{expr: v, id: c.ID, name: c.Name})
	}
	s.ns, s.all, s.q = []*nsItem{{rte: r, colsVisible: true}}, append(s.all, r), sq
	n := len(sq.targets)
	s.in(PlaceOrderBy, func() { b.orderBy(sq, stmt.OrderBy) })
	if len(sq.targets) > n {
		if stmt.Op != parser.SetOpNone {
			b.throw(sq.targets[n].pos, failure.New(failure.FeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause").
				WithDetail("Only result column names can be used, not expressions or functions.").
				WithHint("Add the expression/function to every SELECT, or move the UNION into a FROM clause."))
		}
		b.project(sq)
	}
	keys := make([]plan.RelOrder, len(sq.sort))
	for i, o := range sq.sort {
		keys[i] = plan.RelOrder{ID: sq.targets[o.target].id, Desc: o.desc, NullsFirst: o.nullsFirst}
	}
	rel := sq.rel
	if len(keys) > 0 {
		rel = &plan.RelSort{Input: rel, Keys: keys}
	}
	return b.limitOf(s, stmt, rel, func() []plan.RelOrder { return keys })
}

func itoa(n int) string {
	if n >= 10 {
		return itoa(n/10) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

// lockName is the clause as it was written.
func lockName(s parser.LockStrength) string {
	return [...]string{parser.LockForKeyShare: "FOR KEY SHARE", parser.LockForShare: "FOR SHARE",
		parser.LockForNoKeyUpdate: "FOR NO KEY UPDATE", parser.LockForUpdate: "FOR UPDATE"}[s]
}

// locking adds row locks of FOR UPDATE and its kin.
func (b *binder) locking(q *selectState) {
	stmt := q.stmt
	first := stmt.Locking[0]
	refuse := func(what string) {
		b.fail(-1, failure.FeatureNotSupported, "%s is not allowed with %s", lockName(first.Strength), what)
	}
	switch {
	case stmt.Distinct:
		refuse("DISTINCT clause")
	case len(stmt.GroupBy) > 0:
		refuse("GROUP BY clause")
	case stmt.Having != nil:
		refuse("HAVING clause")
	case len(q.aggs) > 0:
		refuse("aggregate functions")
	case len(q.windows) > 0:
		refuse("window functions")
	case q.hasSet:
		refuse("set-returning functions in the target list")
	}
	lock := &plan.RelLock{Input: q.rel}
	add := func(r *rte, c *parser.LockingClause) {
		if r.scan == nil || r.scan.System != nil {
			return
		}
		r.need |= lockPrivilege
		for i := range lock.Targets {
			if lock.Targets[i].Scan == r.scan {
				lock.Targets[i].Strength = max(lock.Targets[i].Strength, plan.LockStrength(c.Strength))
				return
			}
		}
		lock.Targets = append(lock.Targets, plan.RelLockTarget{Scan: r.scan, Strength: plan.LockStrength(c.Strength)})
	}
	for _, c := range stmt.Locking {
		if len(c.Of) == 0 {
			for _, r := range q.scope.all {
				add(r, c)
			}
			continue
		}
		for _, of := range c.Of {
			b.lockOf(q, c, of, add)
		}
	}
	if len(lock.Targets) > 0 {
		b.writes = true
		q.rel = lock
	}
}

func (b *binder) lockOf(q *selectState, c *parser.LockingClause, of *parser.RelationName, add func(*rte, *parser.LockingClause)) {
	if of.Schema != "" {
		b.fail(of.Pos, failure.SyntaxError, "%s must specify unqualified relation names", lockName(c.Strength))
	}
	for _, r := range q.scope.all {
		if r.alias != of.Name {
			continue
		}
		if r.join {
			b.fail(of.Pos, failure.FeatureNotSupported, "%s cannot be applied to a join", lockName(c.Strength))
		}
		if r.fn {
			b.fail(of.Pos, failure.FeatureNotSupported, "%s cannot be applied to a function", lockName(c.Strength))
		}
		add(r, c)
		return
	}
	b.fail(of.Pos, failure.UndefinedTable, "relation \"%s\" in %s clause not found in FROM clause", of.Name,
		lockName(c.Strength))
}
