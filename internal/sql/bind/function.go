package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// inlinedSet is the query of a set-returning SQL function, while it is on its way to FROM.
type inlinedSet struct {
	query *plan.Query
	typ   datum.Type
}

// Type implements plan.Expr.
func (e *inlinedSet) Type() datum.Type { return e.typ }

// functionArg is argument $n of the SQL function whose body is being bound, or nil outside one.
func (b *binder) functionArg(s *scope, n int) plan.Expr {
	for lv := s; lv != nil; lv = lv.parent {
		if lv.named != nil {
			if n > len(lv.named) {
				return nil
			}
			return lv.named[n-1].expr
		}
	}
	return nil
}

// inlineFunction binds the body of a SQL function in the place of a call: the arguments are columns of a one-row
// relation that the body refers to.
func (b *binder) inlineFunction(s *scope, fn *catalog.Function, r *builtin.Resolved, args []plan.Expr, pos int) plan.Expr {
	if fn.Language != "sql" {
		b.notSupported(pos, "language %s", fn.Language)
	}
	for _, v := range b.views {
		if v == fn.OID {
			b.fail(pos, failure.StatementTooComplex, "recursive SQL functions are not supported")
		}
	}
	raws, err := parser.Parse(fn.Body)
	b.must(-1, err)
	if len(raws) != 1 {
		b.notSupported(pos, "SQL functions of several statements")
	}
	sel, ok := raws[0].Stmt.(*parser.SelectStmt)
	if !ok {
		if ret, isReturn := raws[0].Stmt.(*parser.ReturnStmt); isReturn {
			sel = &parser.SelectStmt{Pos: ret.Pos, Targets: []*parser.ResTarget{{Pos: ret.Pos, Value: ret.Value}}}
		} else {
			b.notSupported(pos, "data changes in SQL functions")
		}
	}
	items := make([]plan.RelColumn, len(args))
	inner := &scope{kind: PlaceSelectTarget, named: make([]namedArg, len(args))}
	for i, a := range args {
		id := b.newIDs(1)
		name := ""
		if i < len(fn.ArgNames) {
			name = fn.ArgNames[i]
		}
		items[i] = plan.RelColumn{ID: id, Expr: a, Name: name}
		inner.named[i] = namedArg{name: name, expr: &plan.Var{ID: id, Typ: a.Type(), Name: name}}
	}
	b.noPos++
	b.views = append(b.views, fn.OID)
	q := b.ownColumns(b.query(inner, sel, true))
	b.views = b.views[:len(b.views)-1]
	b.noPos--
	q = b.functionResult(fn, r, q, pos)
	rel := q.Rel
	if len(args) > 0 {
		rel = &plan.RelJoin{Kind: plan.JoinInner, Left: &plan.RelProject{Input: &plan.RelOne{}, Items: items}, Right: rel, Lateral: true}
	}
	if fn.Strict && len(args) > 0 {
		conds := make([]plan.Expr, len(args))
		for i := range args {
			conds[i] = &plan.IsNull{Arg: inner.named[i].expr, Not: true}
		}
		rel.(*plan.RelJoin).Left = filter(rel.(*plan.RelJoin).Left, conds...)
	}
	q = &plan.Query{Rel: rel, Cols: q.Cols}
	if fn.ReturnSet {
		if s.kind != PlaceFromFunction {
			b.notSupported(pos, "set-returning SQL functions outside FROM")
		}
		return &inlinedSet{query: q, typ: fn.ReturnType}
	}
	one := &plan.Const{Val: datum.NewInt(1), Typ: datum.T(datum.OIDInt8)}
	q = &plan.Query{Rel: &plan.RelLimit{Input: q.Rel, Count: one}, Cols: q.Cols}
	return &plan.Subquery{Kind: plan.SubScalar, Query: q, Typ: fn.ReturnType}
}

// functionResult converts the body's columns to what the function declares.
func (b *binder) functionResult(fn *catalog.Function, _ *builtin.Resolved, q *plan.Query, pos int) *plan.Query {
	types := fn.OutTypes
	if len(types) == 0 {
		types = []datum.Type{fn.ReturnType}
		if names, ts := b.fieldsOf(fn.ReturnType.OID); names != nil && len(q.Cols) == len(names) {
			types = ts
		}
	}
	if len(q.Cols) != len(types) {
		b.fail(pos, failure.InvalidFunctionDefinition, "return type mismatch in function declared to return %s",
			b.facts.TypeName(fn.ReturnType.OID))
	}
	out := &plan.Query{Rel: q.Rel, Cols: append([]plan.OutCol(nil), q.Cols...)}
	var items []plan.RelColumn
	for i, t := range types {
		c := &out.Cols[i]
		if i < len(fn.OutNames) && fn.OutNames[i] != "" {
			c.Name = fn.OutNames[i]
		}
		if c.Type.OID == t.OID {
			continue
		}
		x := b.coerceAssign(&plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name}, t, c.Name, -1)
		c.ID, c.Type = b.newIDs(1), t
		items = append(items, plan.RelColumn{ID: c.ID, Expr: x, Name: c.Name})
	}
	if items != nil {
		out.Rel = &plan.RelProject{Input: out.Rel, Items: items}
	}
	return out
}
