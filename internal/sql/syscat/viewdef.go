package syscat

import (
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// viewText prints a view's query in PostgreSQL's layout: a clause a line, a target a line, columns with their relations,
// relations by names as short as the search path allows.
func (e *Env) viewText(t *catalog.Table, pretty bool) string {
	raw, err := parser.ParseOne(t.View.Query)
	if err != nil {
		return " " + t.View.Query + ";"
	}
	q, ok := raw.Stmt.(*parser.SelectStmt)
	if !ok {
		return " " + t.View.Query + ";"
	}
	d := &deparser{e: e, pretty: pretty}
	var names []string
	for _, c := range t.VisibleColumns() {
		names = append(names, c.Name)
	}
	d.query(q, &resultNames{names: names, visible: true})
	return d.String() + ";"
}

// The widths that PostgreSQL indents by.
const (
	indentStd   = 8
	indentJoin  = 4
	indentVar   = 4
	indentLimit = 40
)

// keyword starts a line: the indentation changes by before, the line begins plus further in, and then it changes by after.
func (d *deparser) keyword(text string, before, after, plus int) {
	d.indent += before
	d.b = trimSpaces(d.b)
	n := max(d.indent, 0)
	if d.indent >= indentLimit {
		n = (indentLimit + (d.indent-indentLimit)/(indentStd/indentVar)) % indentLimit
	}
	d.s("\n", strings.Repeat(" ", n+plus), text)
	d.indent = max(d.indent+after, 0)
}

func trimSpaces(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// clause starts the line of a clause of SELECT.
func (d *deparser) clause(text string, plus int) { d.keyword(text, -indentStd, indentStd, plus) }

// resultNames are the names that a query's columns are to have. visible says that the names a query gives by itself
// cannot be relied upon.
type resultNames struct {
	names   []string
	types   []catalog.OID // of literals, in branches of set operations
	visible bool
}

// query prints a query inside the present scope.
func (d *deparser) query(q *parser.SelectStmt, names *resultNames) {
	indent, up := d.indent, d.scope
	defer func() { d.indent, d.scope = indent, up }()
	d.scope = d.scopeOf(q, up)
	if q.With != nil {
		d.with(q.With)
	}
	if q.Op != parser.SetOpNone {
		if names.types == nil {
			names = &resultNames{names: names.names, visible: names.visible}
			for _, f := range d.fieldsOf(q, up) {
				names.types = append(names.types, f.typ.OID)
				if len(names.names) < len(names.types) {
					names.names = append(names.names, f.name)
				}
			}
		}
		d.setOp(q, names)
	} else {
		d.selectClauses(q, names)
	}
	d.tail(q)
}

// tail prints what follows a whole query.
func (d *deparser) tail(q *parser.SelectStmt) {
	if len(q.OrderBy) > 0 {
		d.clause(" ORDER BY ", 1)
		d.orderBy(q, q.OrderBy)
	}
	if q.Offset != nil {
		d.clause(" OFFSET ", 0)
		d.expr(q.Offset)
	}
	switch {
	case q.Limit != nil && q.WithTies:
		d.clause(" FETCH FIRST ", 0)
		d.expr(q.Limit)
		d.s(" ROWS WITH TIES")
	case q.Limit != nil:
		d.clause(" LIMIT ", 0)
		d.expr(q.Limit)
	}
	for _, l := range q.Locking {
		d.clause([...]string{" FOR KEY SHARE", " FOR SHARE", " FOR NO KEY UPDATE", " FOR UPDATE"}[l.Strength], 0)
		for i, of := range l.Of {
			d.s([...]string{" OF ", ", "}[min(i, 1)], catalog.QuoteIdent(of.Name))
		}
		d.s([...]string{"", " SKIP LOCKED", " NOWAIT"}[l.Wait])
	}
}

func (d *deparser) with(w *parser.WithClause) {
	d.indent += indentStd
	d.s(" ")
	sep := "WITH "
	if w.Recursive {
		sep = "WITH RECURSIVE "
	}
	for _, c := range w.CTEs {
		d.s(sep, catalog.QuoteIdent(c.Name))
		sep = ", "
		d.columnNames(c.Columns)
		d.s(" AS ", [...]string{"", "MATERIALIZED ", "NOT MATERIALIZED "}[c.Materialized], "(")
		q, ok := c.Query.(*parser.SelectStmt)
		if !ok || c.Search != nil || c.Cycle != nil {
			text := parser.Format(c)
			d.b = d.b[:len(d.b)-1]
			_, body, _ := strings.Cut(text, " AS ")
			d.s(strings.TrimPrefix(body, "("))
			continue
		}
		d.keyword("", 0, 0, 0)
		d.query(q, &resultNames{visible: true})
		d.keyword("", 0, 0, 0)
		d.s(")")
	}
	d.indent -= indentStd
	d.keyword("", 0, 0, 0)
}

// columnNames prints (a, b), nothing for none.
func (d *deparser) columnNames(names []string) {
	for i, n := range names {
		d.s([...]string{"(", ", "}[min(i, 1)], catalog.QuoteIdent(n))
	}
	if len(names) > 0 {
		d.s(")")
	}
}

func (d *deparser) setOp(q *parser.SelectStmt, names *resultNames) {
	l := q.Left
	paren := isSetOp(l) && (l.Op != q.Op || l.All != q.All)
	sub := 0
	if paren {
		sub = indentStd
		d.s("(")
		d.keyword("", sub, 0, 0)
	}
	d.branch(l, names)
	if paren {
		d.keyword(") ", -sub, 0, 0)
	} else {
		d.keyword("", 0, 0, 0)
	}
	d.s([...]string{"", "UNION ", "INTERSECT ", "EXCEPT "}[q.Op], suffix(q.All, "ALL "))
	paren, sub = isSetOp(q.Right), 0
	if paren {
		sub = indentStd
		d.s("(")
	}
	d.keyword("", sub, 0, 0)
	right := *names
	right.visible = false
	d.branch(q.Right, &right)
	d.indent -= sub
	if paren {
		d.keyword(")", 0, 0, 0)
	}
}

// isSetOp says whether a branch is a set operation with nothing of its own around it.
func isSetOp(q *parser.SelectStmt) bool { return q.Op != parser.SetOpNone && !hasTail(q) }

func hasTail(q *parser.SelectStmt) bool {
	return q.With != nil || len(q.OrderBy) > 0 || q.Limit != nil || q.Offset != nil || len(q.Locking) > 0
}

func (d *deparser) branch(q *parser.SelectStmt, names *resultNames) {
	switch {
	case isSetOp(q):
		d.setOp(q, names)
	case hasTail(q):
		d.s("(")
		d.query(q, names)
		d.s(")")
	default:
		d.query(q, names)
	}
}

func (d *deparser) selectClauses(q *parser.SelectStmt, names *resultNames) {
	d.indent += indentStd
	d.s(" ")
	if q.Values != nil {
		d.values(q, names)
		return
	}
	d.s("SELECT")
	if q.Distinct {
		d.s(" DISTINCT")
		for i, x := range q.DistinctOn {
			d.s([...]string{" ON (", ", "}[min(i, 1)])
			d.sortExpr(ordinal(q, x))
		}
		d.s(suffix(len(q.DistinctOn) > 0, ")"))
	}
	d.targets(q, names)
	for i, f := range q.From {
		if i == 0 {
			d.clause(" FROM ", 2)
			d.from(f)
			continue
		}
		d.s(", ")
		item := d.aside(func() { d.from(f) })
		d.b = trimSpaces(d.b)
		if item[0] != '\n' {
			d.clause("", indentVar)
		}
		d.s(item)
	}
	if q.Where != nil {
		d.clause(" WHERE ", 1)
		d.expr(q.Where)
	}
	if len(q.GroupBy) > 0 {
		d.clause(" GROUP BY ", 1)
		d.s(suffix(q.GroupDistinct, "DISTINCT "))
		for i, x := range q.GroupBy {
			d.s(suffix(i > 0, ", "))
			d.groupExpr(q, x)
		}
	}
	if q.Having != nil {
		d.clause(" HAVING ", 0)
		d.expr(q.Having)
	}
	for i, w := range q.Windows {
		if i == 0 {
			d.clause(" WINDOW ", 1)
		} else {
			d.s(", ")
		}
		d.s(catalog.QuoteIdent(w.Name), " AS ")
		d.windowSpec(w)
	}
}

// aside prints into a text of its own.
func (d *deparser) aside(print func()) string {
	b := d.b
	d.b = nil
	print()
	out := d.String()
	d.b = b
	return out
}

func (d *deparser) values(q *parser.SelectStmt, names *resultNames) {
	d.s("VALUES ")
	var types []catalog.OID
	for i := range q.Values[0] {
		var col []catalog.OID
		for _, row := range q.Values {
			col = append(col, d.typeOf(row[i]))
		}
		types = append(types, d.commonType(col))
	}
	if names.types != nil {
		types = names.types
	}
	for i, row := range q.Values {
		d.s(suffix(i > 0, ", "), "(")
		for j, x := range row {
			d.s(suffix(j > 0, ","))
			d.operand(x, types[j], false)
		}
		d.s(")")
	}
}

func (d *deparser) targets(q *parser.SelectStmt, names *resultNames) {
	for i, t := range d.expandStars(q.Targets) {
		d.s([...]string{" ", ", "}[min(i, 1)])
		text := d.aside(func() { d.target(t, i, names) })
		if strings.HasPrefix(text, "\n") {
			d.b = trimSpaces(d.b)
		} else if i > 0 {
			d.clause("", indentVar)
		}
		d.s(text)
	}
}

// expandStars puts columns for * and relation.*.
func (d *deparser) expandStars(list []*parser.ResTarget) []*parser.ResTarget {
	var out []*parser.ResTarget
	for _, t := range list {
		ref, ok := t.Value.(*parser.ColumnRef)
		if !ok || !ref.Star {
			out = append(out, t)
			continue
		}
		for _, f := range d.scope.star(ref) {
			parts := append(ref.Parts[max(0, len(ref.Parts)-1):len(ref.Parts):len(ref.Parts)], f.name)
			if len(ref.Parts) == 0 {
				for _, it := range d.scope.items {
					if _, merged := d.scope.merged[f.name]; !merged && it.find(f.name) != nil {
						parts = []string{it.written, f.name}
					}
				}
			}
			out = append(out, &parser.ResTarget{Value: &parser.ColumnRef{Parts: parts}})
		}
	}
	return out
}

func (d *deparser) target(t *parser.ResTarget, i int, names *resultNames) {
	name := t.Name
	if name == "" {
		name = parser.ColumnName(t.Value)
	}
	if i < len(names.names) {
		name = names.names[i]
	}
	shown := ""
	if !names.visible {
		shown = "?column?"
	}
	switch x := t.Value.(type) {
	case *parser.ColumnRef:
		last := x.Parts[len(x.Parts)-1]
		if !d.column(x) {
			shown = last
		} else if it := d.scope.item(last); it != nil {
			d.s("::", d.typeName(it.row))
		}
	case *parser.Const:
		want := catalog.OID(0)
		if i < len(names.types) && (x.Kind == parser.ConstNull || x.Kind == parser.ConstString) {
			want = names.types[i]
		}
		if x.Kind == parser.ConstNull && want == 0 {
			want = datum.OIDText
		}
		d.constant(x, want, false)
	default:
		d.expr(x)
	}
	if name != shown {
		d.s(" AS ", catalog.QuoteIdent(name))
	}
}

// ordinal is the target that a number in ORDER BY or GROUP BY stands for.
func ordinal(q *parser.SelectStmt, x parser.Expr) parser.Expr {
	if c, ok := x.(*parser.Const); ok && c.Kind == parser.ConstInteger && c.Int > 0 && int(c.Int) <= len(q.Targets) {
		return q.Targets[c.Int-1].Value
	}
	return x
}

// output is the target that a bare name stands for, nil for none.
func output(q *parser.SelectStmt, x parser.Expr) parser.Expr {
	ref, ok := x.(*parser.ColumnRef)
	if !ok || len(ref.Parts) != 1 || ref.Star {
		return nil
	}
	for _, t := range q.Targets {
		if t.Name == ref.Parts[0] {
			return t.Value
		}
	}
	return nil
}

func (d *deparser) groupExpr(q *parser.SelectStmt, x parser.Expr) {
	switch x := x.(type) {
	case *parser.GroupingSet:
		d.s([...]string{"()", "ROLLUP(", "CUBE(", "GROUPING SETS ("}[x.Kind])
		for i, it := range x.Items {
			d.s(suffix(i > 0, ", "))
			d.groupSetItem(q, it, x.Kind == parser.GroupingSets)
		}
		d.s(suffix(x.Kind != parser.GroupingEmpty, ")"))
	case *parser.ColumnRef:
		if it, _ := d.resolve(x); it == nil {
			if out := output(q, x); out != nil {
				d.sortExpr(out)
				return
			}
		}
		d.sortExpr(x)
	default:
		d.sortExpr(ordinal(q, x))
	}
}

func (d *deparser) groupSetItem(q *parser.SelectStmt, x parser.Expr, parens bool) {
	if r, ok := x.(*parser.RowExpr); ok && !r.Explicit {
		d.s("(")
		for i, a := range r.Args {
			d.s(suffix(i > 0, ", "))
			d.groupExpr(q, a)
		}
		d.s(")")
		return
	}
	_, nested := x.(*parser.GroupingSet)
	parens = parens && !nested
	d.s(suffix(parens, "("))
	d.groupExpr(q, x)
	d.s(suffix(parens, ")"))
}

// sortExpr prints an expression where a name or a number could be taken for something else.
func (d *deparser) sortExpr(x parser.Expr) {
	parens := d.pretty
	switch x := x.(type) {
	case *parser.ColumnRef:
		parens = false
	case *parser.Const:
		d.constant(x, d.typeOf(x), false)
		if x.Kind == parser.ConstInteger {
			d.s("::integer")
		}
		return
	case *parser.FuncCall:
		parens = true
	case *parser.TypeCast:
		parens = parens || d.castByFunction(x)
	}
	d.s(suffix(parens, "("))
	d.expr(x)
	d.s(suffix(parens, ")"))
}

// castByFunction says whether a cast calls a function, rather than to reread the value or its text.
func (d *deparser) castByFunction(x *parser.TypeCast) bool {
	from, to := d.typeOf(x.Arg), d.castType(x.Type)
	if from == 0 || from == datum.OIDUnknown || to == 0 {
		return false
	}
	c, ok := d.e.Facts.FindCast(from, to, builtin.CastExplicit)
	return ok && c.Method == builtin.CastFunc
}

func (d *deparser) orderBy(q *parser.SelectStmt, list []*parser.SortBy) {
	for i, o := range list {
		d.s(suffix(i > 0, ", "))
		if out, ok := o.Expr.(*parser.ColumnRef); ok && q != nil && q.Op != parser.SetOpNone {
			d.s(setOpColumn(q, out))
		} else if q != nil && q.Op != parser.SetOpNone {
			d.expr(o.Expr)
		} else if q != nil && output(q, o.Expr) != nil {
			d.sortExpr(output(q, o.Expr))
		} else if q != nil {
			d.sortExpr(ordinal(q, o.Expr))
		} else {
			d.sortExpr(o.Expr)
		}
		switch {
		case o.Dir == parser.SortDesc:
			d.s(" DESC", suffix(o.Nulls == parser.NullsLast, " NULLS LAST"))
		case o.Dir == parser.SortUsing:
			d.s(" USING ", o.UsingOp, [...]string{"", " NULLS FIRST", " NULLS LAST"}[o.Nulls])
		case o.Nulls == parser.NullsFirst:
			d.s(" NULLS FIRST")
		}
	}
}

// setOpColumn is the number of a set operation's column.
func setOpColumn(q *parser.SelectStmt, ref *parser.ColumnRef) string {
	first := q
	for first.Op != parser.SetOpNone {
		first = first.Left
	}
	for i, t := range first.Targets {
		name := t.Name
		if name == "" {
			name = parser.ColumnName(t.Value)
		}
		if name == ref.Parts[len(ref.Parts)-1] {
			return itoa(i + 1)
		}
	}
	return parser.Format(ref)
}
