package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// arm is one side of a set operation: a SELECT that is not finished, so that literals can still take the type of the
// other side, or a finished query.
type arm struct {
	sel   *selectState
	query *plan.Query
}

// setOperation binds UNION, INTERSECT and EXCEPT.
func (b *binder) setOperation(s *scope, stmt *parser.SelectStmt) *plan.Query {
	if len(stmt.Locking) > 0 {
		b.fail(-1, failure.FeatureNotSupported, "%s is not allowed with UNION/INTERSECT/EXCEPT",
			lockName(stmt.Locking[0].Strength))
	}
	q := b.setTree(s, stmt)
	if len(stmt.OrderBy) > 0 || stmt.Limit != nil || stmt.Offset != nil {
		q.Rel = b.orderColumns(s, stmt, q)
	}
	return q
}

func setOpName(op parser.SetOp) string {
	return [...]string{parser.SetOpUnion: "UNION", parser.SetOpIntersect: "INTERSECT", parser.SetOpExcept: "EXCEPT"}[op]
}

func (b *binder) setTree(s *scope, stmt *parser.SelectStmt) *plan.Query {
	left, right := b.setArm(s, stmt.Left), b.setArm(s, stmt.Right)
	return b.combine(stmt.Op, stmt.All, left, right)
}

// setArm binds a side.
func (b *binder) setArm(s *scope, stmt *parser.SelectStmt) *arm {
	plain := stmt.With == nil && len(stmt.OrderBy) == 0 && stmt.Limit == nil && stmt.Offset == nil && len(stmt.Locking) == 0
	if stmt.Op != parser.SetOpNone && plain {
		return &arm{query: b.setTree(s, stmt)}
	}
	if stmt.Into != nil {
		b.fail(stmt.Into.Pos, failure.SyntaxError, "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT")
	}
	if stmt.Op == parser.SetOpNone && stmt.Values == nil && stmt.With == nil {
		sub := &scope{parent: s, kind: PlaceSelectTarget}
		q := &selectState{stmt: stmt, scope: sub}
		sub.q = q
		b.selectBody(q)
		return &arm{sel: q}
	}
	return &arm{query: b.query(s, stmt, false)}
}

func (a *arm) width() int {
	if a.sel != nil {
		return len(a.sel.targets)
	}
	return len(a.query.Cols)
}

func (a *arm) column(i int) (t datum.Type, name string, pos int) {
	if a.sel != nil {
		x := a.sel.targets[i]
		return x.expr.Type(), x.name, x.pos
	}
	c := a.query.Cols[i]
	return c.Type, c.Name, -1
}

// combine unifies the columns of two arms and makes the operation.
func (b *binder) combine(op parser.SetOp, all bool, left, right *arm) *plan.Query {
	name := setOpName(op)
	n := left.width()
	if n != right.width() {
		_, _, pos := right.column(0)
		b.fail(pos, failure.SyntaxError, "each %s query must have the same number of columns", name)
	}
	types := make([]datum.Type, n)
	names := make([]string, n)
	for i := range n {
		lt, nm, lpos := left.column(i)
		rt, _, rpos := right.column(i)
		oid, at, err := b.facts.SelectCommonType(name, []datum.OID{lt.OID, rt.OID})
		if err != nil {
			b.must([]int{lpos, rpos}[at], err)
		}
		types[i], names[i] = datum.T(oid), nm
		if lt == rt && lt.OID == oid {
			types[i] = lt
		}
		if !all || op != parser.SetOpUnion {
			b.needEqual(oid, rpos)
		}
	}
	l, r := b.armQuery(left, types, name), b.armQuery(right, types, name)
	base := b.newIDs(n)
	rel := &plan.RelSetOp{Op: plan.SetOpKind(op - parser.SetOpUnion), All: all, Left: l.Rel, Right: r.Rel, Types: types,
		Names: names}
	out := &plan.Query{Rel: rel}
	for i := range n {
		id := base + plan.ColID(i)
		rel.LeftCols, rel.RightCols = append(rel.LeftCols, l.Cols[i].ID), append(rel.RightCols, r.Cols[i].ID)
		rel.Cols = append(rel.Cols, id)
		out.Cols = append(out.Cols, plan.OutCol{ID: id, ColumnInfo: plan.ColumnInfo{Name: names[i], Type: types[i]}})
	}
	return out
}

// armQuery finishes an arm with columns of the given types.
func (b *binder) armQuery(a *arm, types []datum.Type, context string) *plan.Query {
	if a.sel != nil {
		for i := range a.sel.targets {
			t := &a.sel.targets[i]
			if t.expr.Type().OID == datum.OIDUnknown {
				t.expr = b.toCommon(context, t.expr, types[i].OID, t.pos)
			}
		}
		a.query = b.finishSelect(a.sel)
	}
	var items []plan.RelColumn
	q := &plan.Query{Rel: a.query.Rel, Cols: append([]plan.OutCol(nil), a.query.Cols...)}
	for i, c := range q.Cols {
		if c.Type.OID == types[i].OID {
			continue
		}
		x := b.toCommon(context, &plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name}, types[i].OID, -1)
		id := b.newIDs(1)
		items = append(items, plan.RelColumn{ID: id, Expr: x, Name: c.Name})
		q.Cols[i].ID = id
		q.Cols[i].Type = types[i]
	}
	if len(items) > 0 {
		q.Rel = &plan.RelProject{Input: q.Rel, Items: items}
	}
	return q
}
