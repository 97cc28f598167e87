package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// subLink binds a subquery in an expression.
func (b *binder) subLink(s *scope, e *parser.SubLink) plan.Expr {
	b.checkSubquery(s, e.Pos)
	if e.Kind == parser.SubLinkAny || e.Kind == parser.SubLinkAll {
		return b.anyAllLink(s, e)
	}
	q := b.subQuery(s, e.Query)
	switch e.Kind {
	case parser.SubLinkExists:
		return &plan.Subquery{Kind: plan.SubExists, Query: q, Typ: datum.T(datum.OIDBool)}
	case parser.SubLinkArray:
		b.oneColumn(q, e.Pos)
		t := q.Cols[0].Type
		arr := b.facts.ArrayType(t.OID)
		if b.facts.BaseElementType(t.OID) != 0 {
			arr = t.OID
		}
		if arr == 0 {
			b.fail(e.Pos, failure.UndefinedObject, "could not find array type for data type %s", b.facts.TypeName(t.OID))
		}
		return &plan.Subquery{Kind: plan.SubArray, Query: q, Typ: datum.T(arr)}
	}
	b.oneColumn(q, e.Pos)
	return &plan.Subquery{Kind: plan.SubScalar, Query: q, Typ: q.Cols[0].Type}
}

// subQuery binds a query nested in an expression: it sees every column that is in scope.
func (b *binder) subQuery(s *scope, stmt *parser.SelectStmt) *plan.Query {
	old := s.lateralActive
	q := b.query(s, stmt, true)
	s.lateralActive = old
	return q
}

func (b *binder) oneColumn(q *plan.Query, pos int) {
	if len(q.Cols) != 1 {
		b.fail(pos, failure.SyntaxError, "subquery must return only one column")
	}
}

// anyAllLink binds x op ANY (query), x op ALL (query) and x IN (query).
func (b *binder) anyAllLink(s *scope, e *parser.SubLink) plan.Expr {
	op := e.Op
	if op == "" {
		op = "="
	}
	var left []plan.Expr
	if row, ok := e.Test.(*parser.RowExpr); ok {
		left, _ = b.rowArgs(s, row.Args)
	} else {
		left = []plan.Expr{b.expr(s, e.Test)}
		if row, ok := left[0].(*plan.Row); ok {
			left = row.Args
		}
	}
	q := b.subQuery(s, e.Query)
	if len(left) < len(q.Cols) {
		b.fail(e.Pos, failure.SyntaxError, "subquery has too many columns")
	}
	if len(left) > len(q.Cols) {
		b.fail(e.Pos, failure.SyntaxError, "subquery has too few columns")
	}
	q = b.ownColumns(q)
	right := make([]plan.Expr, len(q.Cols))
	for i, c := range q.Cols {
		right[i] = &plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name, Pos: int32(e.Pos)}
	}
	x := &plan.Subquery{Kind: plan.SubAny, Query: q, Typ: datum.T(datum.OIDBool), Test: b.rowCompare(op, left, right, e.Pos)}
	if e.Kind == parser.SubLinkAll {
		x.Kind = plan.SubAll
	}
	if op == "=" && x.Kind == plan.SubAny {
		x.TestLeft = testLeft(x.Test, q)
	}
	return x
}

// testLeft takes a conjunction of "expression = column" apart, or returns nil when it has another form (a column that
// had to be converted).
func testLeft(test plan.Expr, q *plan.Query) []plan.Expr {
	conds := appendConjuncts(nil, test)
	out := make([]plan.Expr, len(q.Cols))
	for i, c := range conds {
		f, ok := c.(*plan.FuncCall)
		if !ok || len(f.Args) != 2 || i >= len(out) {
			return nil
		}
		v, ok := f.Args[1].(*plan.Var)
		if !ok || v.ID != q.Cols[i].ID {
			return nil
		}
		out[i] = f.Args[0]
	}
	return out
}

// rowSubLink binds (a, b) op (SELECT …): comparison with the one row.
func (b *binder) rowSubLink(s *scope, row *parser.RowExpr, op string, link *parser.SubLink, pos int) plan.Expr {
	left, _ := b.rowArgs(s, row.Args)
	q := b.ownColumns(b.subQuery(s, link.Query))
	if len(left) != len(q.Cols) {
		if len(left) < len(q.Cols) {
			b.fail(pos, failure.SyntaxError, "subquery has too many columns")
		}
		b.fail(pos, failure.SyntaxError, "subquery has too few columns")
	}
	sub := &plan.Subquery{Kind: plan.SubRow, Query: q, Typ: datum.T(datum.OIDRecord)}
	right := make([]plan.Expr, len(q.Cols))
	for i, c := range q.Cols {
		right[i] = &plan.FieldSelect{Arg: sub, Index: i, Name: c.Name, Typ: c.Type}
	}
	return b.rowCompare(op, left, right, pos)
}
