package bind

import (
	"reflect"
	"slices"
	"strings"

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
// relation that the body refers to. It answers nil for a function that has to be called: one that is volatile, changes
// data or has several statements.
func (b *binder) inlineFunction(s *scope, fn *catalog.Function, r *builtin.Resolved, args []plan.Expr, pos int) plan.Expr {
	if len(b.views) > 20 || slices.Contains(b.views, fn.OID) || fn.ReturnType.OID == datum.OIDVoid {
		return nil
	}
	if s.kind != PlaceFromFunction {
		if x := b.inlineExpr(fn, args); x != nil {
			return x
		}
	}
	if fn.Volatility == 'v' || places[s.kind].one != "" {
		return nil
	}
	if fn.ReturnSet && s.kind != PlaceFromFunction || !fn.ReturnSet && (len(fn.OutTypes) > 1 || b.isRowType(fn.ReturnType.OID)) {
		return nil
	}
	raws, err := parser.Parse(fn.Body)
	b.must(-1, err)
	if len(raws) != 1 {
		return nil
	}
	sel, ok := raws[0].Stmt.(*parser.SelectStmt)
	if !ok {
		ret, isReturn := raws[0].Stmt.(*parser.ReturnStmt)
		if !isReturn {
			return nil
		}
		sel = &parser.SelectStmt{Pos: ret.Pos, Targets: []*parser.ResTarget{{Pos: ret.Pos, Value: ret.Value}}}
	}
	if sel.Into != nil || len(sel.Locking) > 0 {
		return nil
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
		b.badResult(fn, q, len(types))
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
		x := b.coerce(&plan.Var{ID: c.ID, Typ: c.Type, Name: c.Name}, t, builtin.CastAssignment, -1)
		if x == nil {
			b.wrongResult(fn, c.Type, i, len(types))
		}
		c.ID, c.Type = b.newIDs(1), t
		items = append(items, plan.RelColumn{ID: c.ID, Expr: x, Name: c.Name})
	}
	if items != nil {
		out.Rel = &plan.RelProject{Input: out.Rel, Items: items}
	}
	return out
}

// signature is a function's name with the types of its arguments.
func (b *binder) signature(fn *catalog.Function) string {
	args := make([]string, len(fn.ArgTypes))
	for i, t := range fn.ArgTypes {
		args[i] = b.facts.TypeName(t.OID)
	}
	return fn.Name + "(" + strings.Join(args, ", ") + ")"
}

// badResult is the error of a body whose result has another number of columns than the function declares.
func (b *binder) badResult(fn *catalog.Function, q *plan.Query, want int) {
	err := failure.New(failure.InvalidFunctionDefinition, "return type mismatch in function declared to return %s",
		b.facts.TypeName(fn.ReturnType.OID))
	switch {
	case want == 1 && len(fn.OutTypes) <= 1:
		err = err.WithDetail("Final statement must return exactly one column.")
	case len(q.Cols) > want:
		err = err.WithDetail("Final statement returns too many columns.")
	default:
		err = err.WithDetail("Final statement returns too few columns.")
	}
	b.throw(-1, err)
}

// FunctionBody binds the statements of a function's body with its arguments as parameters. The last one's columns are
// converted to those that the function returns, unless it returns nothing.
func FunctionBody(env *Env, fn *catalog.Function) (stmts []*plan.BoundStmt, err error) {
	raws, err := parser.Parse(fn.Body)
	if err != nil {
		return nil, err
	}
	inner := *env
	inner.Args = make([]Arg, len(fn.ArgTypes))
	for i, t := range fn.ArgTypes {
		inner.Args[i].Type = t
		if i < len(fn.ArgNames) {
			inner.Args[i].Name = fn.ArgNames[i]
		}
	}
	for i, raw := range raws {
		stmt := raw.Stmt
		if ret, ok := stmt.(*parser.ReturnStmt); ok {
			stmt = &parser.SelectStmt{Pos: ret.Pos, Targets: []*parser.ResTarget{{Pos: ret.Pos, Value: ret.Value}}}
		}
		s, err := bodyStatement(&inner, fn, stmt, i == len(raws)-1)
		if err != nil {
			return nil, err
		}
		stmts = append(stmts, s)
	}
	if len(raws) == 0 && fn.ReturnType.OID != datum.OIDVoid {
		return nil, failure.New(failure.InvalidFunctionDefinition, "return type mismatch in function declared to return %s",
			env.Facts.TypeName(fn.ReturnType.OID)).WithDetail("Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.")
	}
	return stmts, nil
}

func bodyStatement(env *Env, fn *catalog.Function, stmt parser.Statement, last bool) (out *plan.BoundStmt, err error) {
	b := newBinder(env, fn.Body)
	b.noPos++
	defer b.recover(&err)
	switch stmt.(type) {
	case *parser.SelectStmt, *parser.InsertStmt, *parser.UpdateStmt, *parser.DeleteStmt, *parser.MergeStmt:
	default:
		b.notSupported(-1, "%s in a SQL function", firstWord(parser.Format(stmt)))
	}
	out = b.statement(stmt)
	if last && fn.ReturnType.OID != datum.OIDVoid {
		if out.DML == nil {
			out.Query = b.functionResult(fn, nil, b.ownColumns(out.Query), -1)
		} else {
			b.returningResult(fn, out.DML)
		}
	}
	b.finish(out)
	return out, nil
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// returningResult is functionResult for RETURNING.
func (b *binder) returningResult(fn *catalog.Function, d *plan.BoundDML) {
	types := fn.OutTypes
	if len(types) == 0 {
		types = []datum.Type{fn.ReturnType}
		if names, ts := b.fieldsOf(fn.ReturnType.OID); names != nil && len(d.Exprs) == len(names) {
			types = ts
		}
	}
	if d.Returning == nil {
		b.throw(-1, failure.New(failure.InvalidFunctionDefinition, "return type mismatch in function declared to return %s",
			b.facts.TypeName(fn.ReturnType.OID)).WithDetail("Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING."))
	}
	if len(d.Exprs) != len(types) {
		b.badResult(fn, &plan.Query{Cols: d.Returning}, len(types))
	}
	for i, t := range types {
		x := b.coerce(d.Exprs[i], t, builtin.CastAssignment, -1)
		if x == nil {
			b.wrongResult(fn, d.Exprs[i].Type(), i, len(types))
		}
		d.Exprs[i] = x
		d.Returning[i].Type = t
	}
}

// wrongResult is the error of a body one of whose columns has a type that is not the declared one.
func (b *binder) wrongResult(fn *catalog.Function, is datum.Type, i, n int) {
	err := failure.New(failure.InvalidFunctionDefinition, "return type mismatch in function declared to return %s",
		b.facts.TypeName(fn.ReturnType.OID))
	if n == 1 {
		b.throw(-1, err.WithDetail("Actual return type is %s.", b.facts.TypeName(is.OID)))
	}
	b.throw(-1, err.WithDetail("Final statement returns %s instead of %s at column %d.", b.facts.TypeName(is.OID),
		b.facts.TypeName(fn.OutTypes[min(i, len(fn.OutTypes)-1)].OID), i+1))
}

// inlineExpr puts the expression of a body that is nothing but SELECT expression in the place of a call; nil when the
// body is more than that.
func (b *binder) inlineExpr(fn *catalog.Function, args []plan.Expr) plan.Expr {
	if fn.ReturnSet || len(fn.OutTypes) > 1 || b.isRowType(fn.ReturnType.OID) {
		return nil
	}
	raws, err := parser.Parse(fn.Body)
	if err != nil || len(raws) != 1 {
		return nil
	}
	q, ok := raws[0].Stmt.(*parser.SelectStmt)
	if !ok || len(q.Targets) != 1 || q.From != nil || q.Where != nil || q.GroupBy != nil || q.Having != nil || q.Values != nil ||
		q.Op != parser.SetOpNone || q.With != nil || q.OrderBy != nil || q.Limit != nil || q.Offset != nil || q.Distinct ||
		q.Into != nil || !b.plainExpr(reflect.ValueOf(q.Targets[0].Value)) {
		return nil
	}
	s := &scope{kind: PlaceOther, named: make([]namedArg, len(args))}
	for i, a := range args {
		if Volatile(a) || hasSubLink(a) {
			return nil
		}
		if i < len(fn.ArgNames) {
			s.named[i].name = fn.ArgNames[i]
		}
		s.named[i].expr = a
	}
	b.noPos++
	b.views = append(b.views, fn.OID)
	x := b.coerce(b.resolveUnknown(b.expr(s, q.Targets[0].Value)), fn.ReturnType, builtin.CastAssignment, -1)
	b.views = b.views[:len(b.views)-1]
	b.noPos--
	if x == nil || !fn.Strict || len(args) == 0 {
		return x
	}
	nulls := make([]plan.Expr, len(args))
	for i, a := range args {
		nulls[i] = &plan.IsNull{Arg: a}
	}
	var any plan.Expr = &plan.Or{Args: nulls}
	if len(nulls) == 1 {
		any = nulls[0]
	}
	return &plan.Case{Whens: []plan.When{{Cond: any, Result: &plan.Const{Typ: x.Type()}}}, Else: x, Typ: x.Type()}
}

func hasSubLink(e plan.Expr) bool {
	return plan.Any(e, func(x plan.Expr) bool { _, ok := x.(*plan.Subquery); return ok })
}

// plainExpr says whether a syntax tree is free of subqueries, aggregates, window functions and sets.
func (b *binder) plainExpr(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Interface:
		return v.IsNil() || b.plainExpr(v.Elem())
	case reflect.Pointer:
		if v.IsNil() {
			return true
		}
		switch n := v.Interface().(type) {
		case *parser.SubLink, *parser.GroupingFunc:
			return false
		case *parser.ColumnRef:
			if n.Star {
				return false
			}
		case *parser.FuncCall:
			if n.Over != nil || n.Star || n.WithinGroup || n.Filter != nil {
				return false
			}
			for _, f := range b.facts.FuncsByName("", n.Name[len(n.Name)-1]) {
				if f.Kind != 'f' || f.RetSet {
					return false
				}
			}
		}
		return b.plainExpr(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if !b.plainExpr(v.Index(i)) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !b.plainExpr(v.Field(i)) {
				return false
			}
		}
	}
	return true
}
