package bind

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// oidRecordArray is the type of a path of rows.
const oidRecordArray = 2287

// searchCycle adds the columns of SEARCH and CYCLE to a recursive query: the terms compute them beside their own.
type searchCycle struct {
	b            *binder
	c            *parser.CommonTableExpr
	width        int // of the query without the added columns
	search       []int
	cycle        []int
	mark, def    plan.Expr
	markType     datum.Type
	searchAt     int // positions of the added columns; -1 when they are not there
	markAt, path int
}

// searchCycle checks the clauses against the columns of the non-recursive term; nil when there are none.
func (b *binder) searchCycle(s *scope, c *parser.CommonTableExpr, sel *parser.SelectStmt, cols []plan.ColumnInfo) *searchCycle {
	if c.Search == nil && c.Cycle == nil {
		return nil
	}
	x := &searchCycle{b: b, c: c, width: len(cols), searchAt: -1, markAt: -1, path: -1}
	simple := func(q *parser.SelectStmt, side string) {
		if q.Op != parser.SetOpNone || q.Values != nil && side == "right" {
			code := failure.FeatureNotSupported
			if side == "right" {
				code = failure.SyntaxError
			}
			b.fail(-1, code, "with a SEARCH or CYCLE clause, the %s side of the UNION must be a SELECT", side)
		}
	}
	simple(sel.Left, "left")
	simple(sel.Right, "right")
	names := make([]string, len(cols))
	for i, col := range cols {
		names[i] = col.Name
	}
	find := func(list []string, what string, pos int) (out []int) {
		for i, n := range list {
			at := slices.Index(names, n)
			if at < 0 {
				b.fail(pos, failure.SyntaxError, "%s column \"%s\" not in WITH query column list", what, n)
			}
			if slices.Contains(list[:i], n) {
				b.fail(pos, failure.DuplicateColumn, "%s column \"%s\" specified more than once", what, n)
			}
			out = append(out, at)
		}
		return out
	}
	next := x.width
	if q := c.Search; q != nil {
		x.search = find(q.Columns, "search", q.Pos)
		if slices.Contains(names, q.SetColumn) {
			b.fail(q.Pos, failure.SyntaxError, "search sequence column name \"%s\" already used in WITH query column list", q.SetColumn)
		}
		x.searchAt = next
		next++
	}
	if q := c.Cycle; q != nil {
		x.cycle = find(q.Columns, "cycle", q.Pos)
		for _, bad := range []struct{ name, what string }{{q.MarkColumn, "cycle mark"}, {q.PathColumn, "cycle path"}} {
			if slices.Contains(names, bad.name) {
				b.fail(q.Pos, failure.SyntaxError, "%s column name \"%s\" already used in WITH query column list", bad.what, bad.name)
			}
		}
		if q.MarkColumn == q.PathColumn {
			b.fail(q.Pos, failure.SyntaxError, "cycle mark column name and cycle path column name are the same")
		}
		x.markAt, x.path = next, next+1
		x.marks(s, q)
	}
	if c.Search != nil && c.Cycle != nil {
		switch c.Search.SetColumn {
		case c.Cycle.MarkColumn:
			b.fail(c.Search.Pos, failure.SyntaxError, "search sequence column name and cycle mark column name are the same")
		case c.Cycle.PathColumn:
			b.fail(c.Search.Pos, failure.SyntaxError, "search sequence column name and cycle path column name are the same")
		}
	}
	return x
}

// marks binds the values that tell rows of a cycle from others.
func (x *searchCycle) marks(s *scope, q *parser.CTECycle) {
	b := x.b
	value := func(e parser.Expr, otherwise bool) (plan.Expr, int) {
		if e == nil {
			return &plan.Const{Val: datum.NewBool(otherwise), Typ: datum.T(datum.OIDBool)}, -1
		}
		return b.expr(s, e), start(e)
	}
	mark, at := value(q.MarkValue, true)
	def, dat := value(q.MarkDefault, false)
	list := []plan.Expr{mark, def}
	oid := b.commonType("CYCLE", list, []int{at, dat})
	x.mark, x.def, x.markType = list[0], list[1], datum.Type{OID: oid, Mod: commonMod(list, oid)}
	if _, err := b.facts.ResolveOperator("", "<>", oid, oid); err != nil {
		b.fail(q.Pos, failure.UndefinedFunction, "could not identify an equality operator for type %s", b.facts.TypeName(oid))
	}
}

// columns are the added columns.
func (x *searchCycle) columns() []plan.ColumnInfo {
	var out []plan.ColumnInfo
	if q := x.c.Search; q != nil {
		t := datum.T(oidRecordArray)
		if q.BreadthFirst {
			t = datum.T(datum.OIDRecord)
		}
		out = append(out, plan.ColumnInfo{Name: q.SetColumn, Type: t})
	}
	if q := x.c.Cycle; q != nil {
		out = append(out, plan.ColumnInfo{Name: q.MarkColumn, Type: x.markType},
			plan.ColumnInfo{Name: q.PathColumn, Type: datum.T(oidRecordArray)})
	}
	return out
}

func rowOf(cols []plan.OutCol, at []int) *plan.Row {
	row := &plan.Row{Typ: datum.T(datum.OIDRecord)}
	for _, i := range at {
		row.Args = append(row.Args, &plan.Var{ID: cols[i].ID, Typ: cols[i].Type, Name: cols[i].Name})
		row.Names = append(row.Names, cols[i].Name)
	}
	return row
}

func pathOf(row plan.Expr) plan.Expr {
	return &plan.ArrayCtor{Elems: []plan.Expr{row}, Typ: datum.T(oidRecordArray), Elem: datum.T(datum.OIDRecord)}
}

func depthRow(depth plan.Expr, row *plan.Row) *plan.Row {
	return &plan.Row{Typ: datum.T(datum.OIDRecord), Names: append([]string{"*DEPTH*"}, row.Names...), Args: append([]plan.Expr{depth}, row.Args...)}
}

// left adds the columns to the non-recursive term.
func (x *searchCycle) left(q *plan.Query) *plan.Query {
	var exprs []plan.Expr
	if x.c.Search != nil {
		row := rowOf(q.Cols, x.search)
		if x.c.Search.BreadthFirst {
			exprs = append(exprs, depthRow(&plan.Const{Val: datum.NewInt(0), Typ: datum.T(datum.OIDInt8)}, row))
		} else {
			exprs = append(exprs, pathOf(row))
		}
	}
	if x.c.Cycle != nil {
		exprs = append(exprs, x.def, pathOf(rowOf(q.Cols, x.cycle)))
	}
	return x.add(q, exprs)
}

// right adds the columns to the recursive term, whose rows come from those of the working table by work.
func (x *searchCycle) right(q *plan.Query, work []plan.Expr) *plan.Query {
	b := x.b
	concat := func(path plan.Expr, row plan.Expr) plan.Expr { return b.op("", "||", path, pathOf(row), -1) }
	var exprs []plan.Expr
	if x.c.Search != nil {
		row := rowOf(q.Cols, x.search)
		if x.c.Search.BreadthFirst {
			depth := &plan.FieldSelect{Arg: work[x.searchAt], Index: 0, Name: "*DEPTH*", Typ: datum.T(datum.OIDInt8)}
			one := &plan.Const{Val: datum.NewInt(1), Typ: datum.T(datum.OIDInt8)}
			exprs = append(exprs, depthRow(b.op("", "+", depth, one, -1), row))
		} else {
			exprs = append(exprs, concat(work[x.searchAt], row))
		}
	}
	if x.c.Cycle != nil {
		row := rowOf(q.Cols, x.cycle)
		again := b.anyAll(nil, "=", row, work[x.path], false, -1)
		exprs = append(exprs, &plan.Case{Whens: []plan.When{{Cond: again, Result: x.mark}}, Else: x.def, Typ: x.markType},
			concat(work[x.path], row))
	}
	return x.add(q, exprs)
}

// unmarked is the condition under which the recursive term goes on from a row.
func (x *searchCycle) unmarked(work []plan.Expr) plan.Expr {
	return x.b.op("", "<>", work[x.markAt], x.mark, -1)
}

func (x *searchCycle) add(q *plan.Query, exprs []plan.Expr) *plan.Query {
	items := make([]plan.RelColumn, len(exprs))
	cols := slices.Clone(q.Cols)
	for i, info := range x.columns() {
		id := x.b.newIDs(1)
		items[i] = plan.RelColumn{ID: id, Expr: exprs[i], Name: info.Name}
		cols = append(cols, plan.OutCol{ID: id, ColumnInfo: info})
	}
	return &plan.Query{Rel: &plan.RelProject{Input: q.Rel, Items: items}, Cols: cols}
}
