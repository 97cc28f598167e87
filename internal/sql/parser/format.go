package parser

import (
	"strconv"
	"strings"
)

// Format prints a node as SQL on one line. Parsing the text gives an equal tree, but for positions. Names are quoted
// as PostgreSQL's quote_identifier does.
func Format(node Node) string {
	p := printer{b: make([]byte, 0, 128)}
	p.node(node)
	return string(p.b)
}

// QuoteIdent quotes a name unless it is a plain lower-case word that is no keyword, as quote_identifier does.
func QuoteIdent(name string) string {
	if identIsSafe(name, catUnreserved) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteLiteral quotes a string as a literal: '…', or E'…' when it has backslashes.
func QuoteLiteral(s string) string {
	q := `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
	if strings.IndexByte(s, '\\') >= 0 {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

// identIsSafe says whether a name needs no quotes: a lower-case word that is no keyword, or one of a category that
// may stand there.
func identIsSafe(name string, allowed keywordCategory) bool {
	if name == "" || isDigit(name[0]) {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c == '_' || isDigit(c)) {
			return false
		}
	}
	k := lookupKeyword(name)
	return k == tokIdent || keywords[k-firstKeyword].cat == allowed
}

// printer builds the text of a tree.
type printer struct{ b []byte }

func (p *printer) s(texts ...string) {
	for _, t := range texts {
		p.b = append(p.b, t...)
	}
}

func (p *printer) int(n int) { p.b = strconv.AppendInt(p.b, int64(n), 10) }

// opt prints text when cond holds.
func (p *printer) opt(cond bool, text string) {
	if cond {
		p.s(text)
	}
}

func (p *printer) ident(name string) { p.s(QuoteIdent(name)) }

// word prints a name that must not be taken for any keyword.
func (p *printer) word(name string) {
	if identIsSafe(name, 0) {
		p.s(name)
		return
	}
	p.s(`"`, strings.ReplaceAll(name, `"`, `""`), `"`)
}

func (p *printer) str(s string) { p.s(QuoteLiteral(s)) }

// dotted prints name.name….
func (p *printer) dotted(parts []string) {
	for i, s := range parts {
		if i > 0 {
			p.s(".")
		}
		p.ident(s)
	}
}

// names prints name, name, ….
func (p *printer) names(list []string) {
	for i, s := range list {
		if i > 0 {
			p.s(", ")
		}
		p.ident(s)
	}
}

// optNames prints (name, …) after before, when there are names.
func (p *printer) optNames(before string, list []string) {
	if len(list) > 0 {
		p.s(before, "(")
		p.names(list)
		p.s(")")
	}
}

func (p *printer) rel(r *RelationName) { p.dotted(r.Parts()) }

func (p *printer) rels(list []*RelationName) {
	for i, r := range list {
		if i > 0 {
			p.s(", ")
		}
		p.rel(r)
	}
}

// list prints items with commas between.
func list[T any](p *printer, items []T, each func(T)) {
	for i, x := range items {
		if i > 0 {
			p.s(", ")
		}
		each(x)
	}
}

// node prints any node.
func (p *printer) node(n Node) {
	switch n := n.(type) {
	case nil:
	case Statement:
		p.statement(n)
	case *GroupingSet:
		p.groupItem(n)
	case Expr:
		p.expr(n, precNone)
	case TableExpr:
		p.tableExpr(n)
	case TableElement:
		p.element(n)
	case *RelationName:
		p.rel(n)
	case *QualifiedName:
		p.dotted(n.Parts)
	case *TypeName:
		p.typeName(n)
	case *RoleSpec:
		p.role(n)
	case *SortBy:
		p.sortBy(n)
	case *ResTarget:
		p.target(n)
	case *WindowDef:
		p.window(n)
	case *IndexElem:
		p.indexElem(n)
	case *FunctionParam:
		p.param(n)
	case *WithClause:
		p.with(n)
	case *NameList:
		p.names(n.Names)
	case *RoleList:
		p.roles(n.Roles)
	case *TypeList:
		list(p, n.Types, p.typeName)
	case *Star:
		p.s("*")
	case *DefElem:
		p.relOption(n)
	case *Alias:
		p.alias(n)
	}
}

// statement prints a statement.
func (p *printer) statement(n Statement) {
	switch n := n.(type) {
	case *SelectStmt:
		p.query(n)
	case *InsertStmt:
		p.insert(n)
	case *UpdateStmt:
		p.update(n)
	case *DeleteStmt:
		p.delete(n)
	case *MergeStmt:
		p.merge(n)
	default:
		if !p.session(n) && !p.ddl(n) {
			p.admin(n)
		}
	}
}

// query prints a whole query.
func (p *printer) query(n *SelectStmt) {
	p.with(n.With)
	p.selectBody(n)
	if len(n.OrderBy) > 0 {
		p.s(" ORDER BY ")
		list(p, n.OrderBy, p.sortBy)
	}
	switch {
	case n.WithTies:
		p.s(" FETCH FIRST ")
		p.fetchCount(n.Limit)
		p.s(" ROWS WITH TIES")
	case n.LimitAll:
		p.s(" LIMIT ALL")
	case n.Limit != nil:
		p.s(" LIMIT ")
		p.expr(n.Limit, precNone)
	}
	if n.Offset != nil {
		p.s(" OFFSET ")
		p.expr(n.Offset, precNone)
	}
	for _, l := range n.Locking {
		p.s(" FOR ", [...]string{"KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"}[l.Strength])
		if len(l.Of) > 0 {
			p.s(" OF ")
			p.rels(l.Of)
		}
		p.s([...]string{"", " SKIP LOCKED", " NOWAIT"}[l.Wait])
	}
}

// fetchCount prints FETCH's count, which is an operand.
func (p *printer) fetchCount(e Expr) {
	switch e.(type) {
	case *Const, *ParamRef:
		p.expr(e, precNone)
	default:
		p.s("(")
		p.expr(e, precNone)
		p.s(")")
	}
}

// selectBody prints a query without its WITH, ORDER BY, LIMIT and locking.
func (p *printer) selectBody(n *SelectStmt) {
	switch {
	case n.Op != SetOpNone:
		p.setOperand(n, n.Left, false)
		p.s(" ", [...]string{"", "UNION", "INTERSECT", "EXCEPT"}[n.Op], " ")
		p.opt(n.All, "ALL ")
		p.setOperand(n, n.Right, true)
	case n.Values != nil:
		p.s("VALUES ")
		list(p, n.Values, func(row []Expr) {
			p.s("(")
			p.exprs(row)
			p.s(")")
		})
	default:
		p.simpleSelect(n)
	}
}

// setOperand prints an operand of a set operation, in parentheses where it needs them.
func (p *printer) setOperand(parent, n *SelectStmt, right bool) {
	level := func(o SetOp) int {
		if o == SetOpIntersect {
			return 2
		}
		return 1
	}
	paren := n.With != nil || n.OrderBy != nil || n.Limit != nil || n.LimitAll || n.Offset != nil || n.Locking != nil
	if n.Op != SetOpNone {
		own, want := level(n.Op), level(parent.Op)
		paren = paren || own < want || right && own == want
	}
	if !paren {
		p.selectBody(n)
		return
	}
	p.s("(")
	p.query(n)
	p.s(")")
}

func (p *printer) simpleSelect(n *SelectStmt) {
	p.s("SELECT")
	if n.Distinct {
		p.s(" DISTINCT")
		if n.DistinctOn != nil {
			p.s(" ON (")
			p.exprs(n.DistinctOn)
			p.s(")")
		}
	}
	if len(n.Targets) > 0 {
		p.s(" ")
		list(p, n.Targets, p.target)
	}
	if n.Into != nil {
		p.s(" INTO ", [...]string{"TABLE ", "TEMP ", "UNLOGGED "}[n.Into.Persistence])
		p.rel(&n.Into.Relation)
	}
	p.from(" FROM ", n.From)
	p.where(n.Where)
	if len(n.GroupBy) > 0 {
		p.s(" GROUP BY ")
		p.opt(n.GroupDistinct, "DISTINCT ")
		list(p, n.GroupBy, p.groupItem)
	}
	if n.Having != nil {
		p.s(" HAVING ")
		p.expr(n.Having, precNone)
	}
	if len(n.Windows) > 0 {
		p.s(" WINDOW ")
		list(p, n.Windows, func(w *WindowDef) {
			p.ident(w.Name)
			p.s(" AS ")
			p.windowSpec(w)
		})
	}
}

func (p *printer) target(t *ResTarget) {
	p.expr(t.Value, precNone)
	if t.Name != "" {
		p.s(" AS ")
		p.ident(t.Name)
	}
}

func (p *printer) from(word string, items []TableExpr) {
	if len(items) > 0 {
		p.s(word)
		list(p, items, p.tableExpr)
	}
}

func (p *printer) where(e Expr) {
	if e != nil {
		p.s(" WHERE ")
		p.expr(e, precNone)
	}
}

func (p *printer) groupItem(e Expr) {
	g, ok := e.(*GroupingSet)
	if !ok {
		p.expr(e, precNone)
		return
	}
	p.s([...]string{"", "ROLLUP ", "CUBE ", "GROUPING SETS "}[g.Kind], "(")
	list(p, g.Items, p.groupItem)
	p.s(")")
}

func (p *printer) sortBy(s *SortBy) {
	p.expr(s.Expr, precNone)
	if s.Dir == SortUsing {
		p.s(" USING ")
		p.operator(s.UsingSchema, s.UsingOp)
	} else {
		p.sortDir(s.Dir)
	}
	p.sortNulls(s.Nulls)
}

func (p *printer) sortDir(d SortDir)     { p.s([...]string{"", " ASC", " DESC", ""}[d]) }
func (p *printer) sortNulls(n SortNulls) { p.s([...]string{"", " NULLS FIRST", " NULLS LAST"}[n]) }

// window prints what follows OVER.
func (p *printer) window(w *WindowDef) {
	if w.Name != "" {
		p.ident(w.Name)
		return
	}
	p.windowSpec(w)
}

func (p *printer) windowSpec(w *WindowDef) {
	p.s("(")
	start := len(p.b)
	sep := func() {
		if len(p.b) > start {
			p.s(" ")
		}
	}
	if w.RefName != "" {
		p.word(w.RefName)
	}
	if w.PartitionBy != nil {
		sep()
		p.s("PARTITION BY ")
		p.exprs(w.PartitionBy)
	}
	if w.OrderBy != nil {
		sep()
		p.s("ORDER BY ")
		list(p, w.OrderBy, p.sortBy)
	}
	if f := w.Frame; f != nil {
		sep()
		p.s([...]string{"", "RANGE ", "ROWS ", "GROUPS "}[f.Mode])
		if f.Between {
			p.s("BETWEEN ")
		}
		p.frameBound(f.Start)
		if f.Between {
			p.s(" AND ")
			p.frameBound(f.End)
		}
		p.s([...]string{"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"}[f.Exclude])
	}
	p.s(")")
}

func (p *printer) frameBound(b FrameBound) {
	if b.Offset != nil {
		// An offset may be a column whose name is UNBOUNDED or CURRENT.
		if c, ok := b.Offset.(*Const); ok {
			p.constant(c)
		} else {
			p.s("(")
			p.expr(b.Offset, precNone)
			p.s(")")
		}
	}
	p.s([...]string{"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING", "UNBOUNDED FOLLOWING"}[b.Kind])
}

func (p *printer) with(w *WithClause) {
	if w == nil {
		return
	}
	p.s("WITH ")
	p.opt(w.Recursive, "RECURSIVE ")
	list(p, w.CTEs, func(c *CommonTableExpr) {
		p.ident(c.Name)
		p.optNames("", c.Columns)
		p.s(" AS ", [...]string{"", "MATERIALIZED ", "NOT MATERIALIZED "}[c.Materialized], "(")
		p.statement(c.Query)
		p.s(")")
		if s := c.Search; s != nil {
			p.s(" SEARCH ", pick(s.BreadthFirst, "BREADTH", "DEPTH"), " FIRST BY ")
			p.names(s.Columns)
			p.s(" SET ")
			p.ident(s.SetColumn)
		}
		if y := c.Cycle; y != nil {
			p.s(" CYCLE ")
			p.names(y.Columns)
			p.s(" SET ")
			p.ident(y.MarkColumn)
			if y.MarkValue != nil {
				p.s(" TO ")
				p.typedConst(y.MarkValue)
				p.s(" DEFAULT ")
				p.typedConst(y.MarkDefault)
			}
			p.s(" USING ")
			p.ident(y.PathColumn)
		}
	})
	p.s(" ")
}

// typedConst prints a literal where no cast may stand.
func (p *printer) typedConst(e Expr) {
	if c, ok := e.(*TypeCast); ok {
		p.typedLiteral(c)
		return
	}
	p.expr(e, precNone)
}

// typedLiteral prints Type 'literal'.
func (p *printer) typedLiteral(c *TypeCast) {
	t := *c.Type
	interval := len(t.Names) == 2 && t.Names[1] == "interval" && t.Names[0] == "pg_catalog"
	if interval && len(t.Typmods) > 0 && maskOf(t.Typmods) != intervalFull {
		t.Typmods = nil
		p.s("interval ")
		p.expr(c.Arg, precNone)
		p.s(intervalFieldNames(maskOf(c.Type.Typmods)))
		p.intervalSeconds(c.Type.Typmods)
		return
	}
	p.typeName(&t)
	p.s(" ")
	p.expr(c.Arg, precNone)
}

func (p *printer) alias(a *Alias) {
	if a == nil {
		return
	}
	p.s(" AS ")
	p.ident(a.Name)
	p.optNames(" ", a.Columns)
}

// tableExpr prints an item of FROM.
func (p *printer) tableExpr(t TableExpr) {
	switch t := t.(type) {
	case *RangeVar:
		p.opt(t.Only, "ONLY ")
		p.rel(&t.Relation)
		p.alias(t.Alias)
		if s := t.Sample; s != nil {
			p.s(" TABLESAMPLE ")
			p.dotted(s.Method)
			p.s(" (")
			p.exprs(s.Args)
			p.s(")")
			if s.Repeatable != nil {
				p.s(" REPEATABLE (")
				p.expr(s.Repeatable, precNone)
				p.s(")")
			}
		}
	case *RangeSubselect:
		p.opt(t.Lateral, "LATERAL ")
		p.s("(")
		p.query(t.Query)
		p.s(")")
		p.alias(t.Alias)
	case *RangeFunction:
		p.rangeFunction(t)
	case *RangeTableFunc:
		p.xmlTable(t)
	case *JoinExpr:
		p.join(t)
	}
}

func (p *printer) join(t *JoinExpr) {
	p.opt(t.Alias != nil, "(")
	p.tableExpr(t.Left)
	p.opt(t.Natural, " NATURAL")
	p.s([...]string{" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " CROSS JOIN "}[t.Kind])
	if r, ok := t.Right.(*JoinExpr); ok && r.Alias == nil {
		p.s("(")
		p.join(r)
		p.s(")")
	} else {
		p.tableExpr(t.Right)
	}
	if t.On != nil {
		p.s(" ON ")
		p.expr(t.On, precNone)
	}
	if t.Using != nil {
		p.optNames(" USING ", t.Using)
		p.alias(t.UsingAlias)
	}
	p.opt(t.Alias != nil, ")")
	p.alias(t.Alias)
}

func (p *printer) rangeFunction(t *RangeFunction) {
	p.opt(t.Lateral, "LATERAL ")
	if t.RowsFrom {
		p.s("ROWS FROM (")
		list(p, t.Funcs, func(f *RangeFunctionItem) {
			p.funcExpr(f.Func)
			if f.ColDefs != nil {
				p.s(" AS ")
				p.columnDefs(f.ColDefs)
			}
		})
		p.s(")")
	} else {
		p.funcExpr(t.Funcs[0].Func)
	}
	p.opt(t.Ordinality, " WITH ORDINALITY")
	if t.ColDefs != nil {
		p.s(" AS ")
		if t.Alias != nil {
			p.ident(t.Alias.Name)
			p.s(" ")
		}
		p.columnDefs(t.ColDefs)
		return
	}
	p.alias(t.Alias)
}

// funcExpr prints an expression where only a function's syntax may stand.
func (p *printer) funcExpr(e Expr) {
	if c, ok := e.(*TypeCast); ok {
		p.s("CAST(")
		p.expr(c.Arg, precNone)
		p.s(" AS ")
		p.typeName(c.Type)
		p.s(")")
		return
	}
	p.expr(e, precNone)
}

func (p *printer) columnDefs(cols []*ColumnDef) {
	p.s("(")
	list(p, cols, func(c *ColumnDef) {
		p.ident(c.Name)
		p.s(" ")
		p.typeName(c.Type)
		p.collate(c.Collation)
	})
	p.s(")")
}

func (p *printer) collate(name []string) {
	if name != nil {
		p.s(" COLLATE ")
		p.dotted(name)
	}
}

func (p *printer) xmlTable(t *RangeTableFunc) {
	p.opt(t.Lateral, "LATERAL ")
	p.s("XMLTABLE(")
	if t.Namespaces != nil {
		p.s("XMLNAMESPACES(")
		list(p, t.Namespaces, func(n *ResTarget) {
			if n.Name == "" {
				p.s("DEFAULT ")
				p.bExpr(n.Value)
				return
			}
			p.bExpr(n.Value)
			p.s(" AS ")
			p.ident(n.Name)
		})
		p.s("), ")
	}
	p.operand(t.RowExpr)
	p.s(" PASSING ")
	p.operand(t.DocExpr)
	p.s(" COLUMNS ")
	list(p, t.Columns, func(c *RangeTableFuncCol) {
		p.ident(c.Name)
		if c.ForOrdinality {
			p.s(" FOR ORDINALITY")
			return
		}
		p.s(" ")
		p.typeName(c.Type)
		if c.Path != nil {
			p.s(" PATH ")
			p.bExpr(c.Path)
		}
		if c.Default != nil {
			p.s(" DEFAULT ")
			p.bExpr(c.Default)
		}
		p.opt(c.NotNull, " NOT NULL")
	})
	p.s(")")
	p.alias(t.Alias)
}

func (p *printer) insert(n *InsertStmt) {
	p.with(n.With)
	p.s("INSERT INTO ")
	p.rel(&n.Relation)
	if n.Alias != "" {
		p.s(" AS ")
		p.ident(n.Alias)
	}
	p.assignTargets(" ", n.Columns)
	p.overriding(n.Overriding)
	if n.Source == nil {
		p.s(" DEFAULT VALUES")
	} else {
		p.s(" ")
		p.query(n.Source)
	}
	if c := n.OnConflict; c != nil {
		p.s(" ON CONFLICT")
		if c.Elems != nil {
			p.s(" (")
			list(p, c.Elems, p.indexElem)
			p.s(")")
			p.where(c.ElemsWhere)
		} else if c.Constraint != "" {
			p.s(" ON CONSTRAINT ")
			p.ident(c.Constraint)
		}
		if c.DoUpdate {
			p.s(" DO UPDATE SET ")
			list(p, c.Set, p.assignment)
			p.where(c.Where)
		} else {
			p.s(" DO NOTHING")
		}
	}
	p.returning(n.Returning)
}

func (p *printer) overriding(k OverridingKind) {
	p.s([...]string{"", " OVERRIDING USER VALUE", " OVERRIDING SYSTEM VALUE"}[k])
}

func (p *printer) returning(targets []*ResTarget) {
	if len(targets) > 0 {
		p.s(" RETURNING ")
		list(p, targets, p.target)
	}
}

func (p *printer) assignTargets(before string, cols []*AssignTarget) {
	if cols != nil {
		p.s(before, "(")
		list(p, cols, p.assignTarget)
		p.s(")")
	}
}

func (p *printer) assignTarget(t *AssignTarget) {
	p.ident(t.Name)
	p.indirection(t.Indirection)
}

func (p *printer) assignment(a *Assignment) {
	if a.Multi {
		p.assignTargets("", a.Targets)
	} else {
		p.assignTarget(a.Targets[0])
	}
	p.s(" = ")
	p.expr(a.Value, precNone)
}

// dmlTable prints the table of UPDATE, DELETE or MERGE.
func (p *printer) dmlTable(t *RangeVar) { p.tableExpr(t) }

func (p *printer) update(n *UpdateStmt) {
	p.with(n.With)
	p.s("UPDATE ")
	p.dmlTable(n.Table)
	p.s(" SET ")
	list(p, n.Set, p.assignment)
	p.from(" FROM ", n.From)
	p.where(n.Where)
	p.returning(n.Returning)
}

func (p *printer) delete(n *DeleteStmt) {
	p.with(n.With)
	p.s("DELETE FROM ")
	p.dmlTable(n.Table)
	p.from(" USING ", n.Using)
	p.where(n.Where)
	p.returning(n.Returning)
}

func (p *printer) merge(n *MergeStmt) {
	p.with(n.With)
	p.s("MERGE INTO ")
	p.dmlTable(n.Table)
	p.s(" USING ")
	p.tableExpr(n.Source)
	p.s(" ON ")
	p.expr(n.On, precNone)
	for _, w := range n.Whens {
		p.s(pick(w.Matched, " WHEN MATCHED", " WHEN NOT MATCHED"))
		if w.Cond != nil {
			p.s(" AND ")
			p.expr(w.Cond, precNone)
		}
		p.s(" THEN ")
		switch w.Action {
		case MergeDoNothing:
			p.s("DO NOTHING")
		case MergeDelete:
			p.s("DELETE")
		case MergeUpdate:
			p.s("UPDATE SET ")
			list(p, w.Set, p.assignment)
		case MergeInsert:
			p.s("INSERT")
			p.assignTargets(" ", w.Columns)
			p.overriding(w.Overriding)
			if w.Values == nil {
				p.s(" DEFAULT VALUES")
				break
			}
			p.s(" VALUES (")
			p.exprs(w.Values)
			p.s(")")
		}
	}
}
