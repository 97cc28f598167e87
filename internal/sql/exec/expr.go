package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// evalFn computes an expression on a row. It may use buffers of its own, so an expression is not evaluated inside its
// own evaluation.
type evalFn func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error)

// predFn says whether a condition is true (not NULL, not false) for a row.
type predFn func(ctx context.Context, st *state, row []datum.Datum) (bool, error)

// compiler makes operators and closures; it keeps the first error.
type compiler struct {
	facts   *builtin.Facts
	analyze bool
	stats   map[plan.Node]*NodeStats
	ctes    map[int]*cteStore
	works   map[int]*workTable
	layouts map[*catalog.Table]*layout.Table
	// caseArg is the cell of the innermost simple CASE.
	caseArg     *datum.Datum
	deferWrites bool
	lazy        bool // CTEs make their rows as these are read
	// onlyIndex, when not 0, is the one secondary index that rules make entries of.
	onlyIndex keys.IndexID
	// root is the statement's outermost node.
	root plan.Node
	err  error
}

func (c *compiler) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// exprs compiles a list.
func (c *compiler) exprs(es []plan.Expr) []evalFn {
	out := make([]evalFn, len(es))
	for i, e := range es {
		out[i] = c.expr(e)
	}
	return out
}

// optional compiles an expression that may be missing.
func (c *compiler) optional(e plan.Expr) evalFn {
	if e == nil {
		return nil
	}
	return c.expr(e)
}

func constant(v datum.Datum) evalFn {
	return func(context.Context, *state, []datum.Datum) (datum.Datum, error) { return v, nil }
}

// failing is an expression that cannot be evaluated.
func failing(err error) evalFn {
	return func(context.Context, *state, []datum.Datum) (datum.Datum, error) { return datum.Null, err }
}

func column(i int) evalFn {
	return func(_ context.Context, _ *state, row []datum.Datum) (datum.Datum, error) { return row[i], nil }
}

// expr compiles an expression.
func (c *compiler) expr(e plan.Expr) evalFn {
	switch e := e.(type) {
	case *plan.Const:
		return constant(e.Val)
	case *plan.Column:
		return column(e.Index)
	case *plan.Param:
		i := e.Index
		return func(_ context.Context, st *state, _ []datum.Datum) (datum.Datum, error) { return st.params[i], nil }
	case *plan.OuterParam:
		i := e.Slot
		return func(_ context.Context, st *state, _ []datum.Datum) (datum.Datum, error) { return st.slots[i], nil }
	case *plan.FuncCall:
		return c.call(e)
	case *plan.Cast:
		return c.cast(e)
	case *plan.Typmod:
		return c.typmod(e)
	case *plan.And:
		return c.and(e)
	case *plan.Or:
		return c.or(e)
	case *plan.Not:
		return c.not(e)
	case *plan.IsNull:
		return c.isNull(e)
	case *plan.BoolTest:
		return c.boolTest(e)
	case *plan.IsDistinct:
		return c.isDistinct(e)
	case *plan.Case:
		return c.caseExpr(e)
	case *plan.CaseArg:
		cell := c.caseArg
		return func(context.Context, *state, []datum.Datum) (datum.Datum, error) { return *cell, nil }
	case *plan.Coalesce:
		return c.coalesce(e)
	case *plan.NullIf:
		return c.nullIf(e)
	case *plan.MinMax:
		return c.minMax(e)
	case *plan.InList:
		return c.inList(e)
	case *plan.ScalarArrayOp:
		return c.scalarArray(e)
	case *plan.SubPlan:
		return c.subPlan(e)
	case *plan.SQLValue:
		return c.sqlValue(e)
	default:
		return c.compositeExpr(e)
	}
}

// compositeExpr compiles the expressions over arrays and records.
func (c *compiler) compositeExpr(e plan.Expr) evalFn {
	switch e := e.(type) {
	case *plan.Row:
		return c.rowExpr(e)
	case *plan.RowCompare:
		return c.rowCompare(e)
	case *plan.ArrayCtor:
		return c.arrayCtor(e)
	case *plan.Subscript:
		return c.subscript(e)
	case *plan.ArrayAssign:
		return c.arrayAssign(e)
	case *plan.FieldSelect:
		return c.fieldSelect(e)
	case *plan.FieldAssign:
		return c.fieldAssign(e)
	default:
		return failing(failure.New(failure.InternalError, "expression %T has no evaluation", e))
	}
}

// pred compiles a condition. Nil is always true.
func (c *compiler) pred(e plan.Expr) predFn {
	switch e := e.(type) {
	case nil:
		return nil
	case *plan.And:
		ps := make([]predFn, len(e.Args))
		for i, a := range e.Args {
			ps[i] = c.pred(a)
		}
		return allOf(ps)
	case *plan.FuncCall:
		if p := c.comparePred(e); p != nil {
			return p
		}
	}
	f := c.expr(e)
	return func(ctx context.Context, st *state, row []datum.Datum) (bool, error) {
		d, err := f(ctx, st, row)
		return d.IsTrue(), err
	}
}

func allOf(ps []predFn) predFn {
	if len(ps) == 2 {
		a, b := ps[0], ps[1]
		return func(ctx context.Context, st *state, row []datum.Datum) (bool, error) {
			if ok, err := a(ctx, st, row); err != nil || !ok {
				return false, err
			}
			return b(ctx, st, row)
		}
	}
	return func(ctx context.Context, st *state, row []datum.Datum) (bool, error) {
		for _, p := range ps {
			if ok, err := p(ctx, st, row); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	}
}

func typesOf(es []plan.Expr) []datum.Type {
	ts := make([]datum.Type, len(es))
	for i, e := range es {
		ts[i] = e.Type()
	}
	return ts
}

func constsOf(es []plan.Expr) []*datum.Datum {
	cs := make([]*datum.Datum, len(es))
	for i, e := range es {
		if k, ok := e.(*plan.Const); ok {
			v := k.Val
			cs[i] = &v
		}
	}
	return cs
}

// call compiles a function call.
func (c *compiler) call(e *plan.FuncCall) evalFn {
	if f := c.fastCall(e); f != nil {
		return f
	}
	impl, err := e.Fn.Prepare(&builtin.Call{Facts: c.facts, Func: e.Fn, Args: typesOf(e.Args), Ret: e.Typ,
		Variadic: e.Variadic, Consts: constsOf(e.Args)})
	if err != nil {
		impl = func(*builtin.Context, []datum.Datum) (datum.Datum, error) { return datum.Null, err }
	}
	return apply(impl, c.exprs(e.Args), e.Fn.Strict)
}

// callFn prepares a function with operands that are not in the plan as one call.
func (c *compiler) callFn(fn *builtin.Func, ret datum.Type, args ...datum.Type) builtin.Impl {
	if fn == nil {
		err := failure.New(failure.InternalError, "plan names no function")
		return func(*builtin.Context, []datum.Datum) (datum.Datum, error) { return datum.Null, err }
	}
	impl, err := fn.Prepare(&builtin.Call{Facts: c.facts, Func: fn, Args: args, Ret: ret})
	if err != nil {
		return func(*builtin.Context, []datum.Datum) (datum.Datum, error) { return datum.Null, err }
	}
	return impl
}

// apply calls impl with the values of args.
func apply(impl builtin.Impl, args []evalFn, strict bool) evalFn {
	vals := make([]datum.Datum, len(args))
	switch {
	case strict && len(args) == 1:
		a := args[0]
		return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
			d, err := a(ctx, st, row)
			if err != nil || d.IsNull() {
				return datum.Null, err
			}
			vals[0] = d
			return impl(st.bctx, vals)
		}
	case strict && len(args) == 2:
		a, b := args[0], args[1]
		return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
			x, err := a(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			y, err := b(ctx, st, row)
			if err != nil || x.IsNull() || y.IsNull() {
				return datum.Null, err
			}
			vals[0], vals[1] = x, y
			return impl(st.bctx, vals)
		}
	}
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		null := false
		for i, a := range args {
			d, err := a(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			vals[i] = d
			null = null || d.IsNull()
		}
		if null && strict {
			return datum.Null, nil
		}
		return impl(st.bctx, vals)
	}
}

func (c *compiler) and(e *plan.And) evalFn {
	args := c.exprs(e.Args)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		null := false
		for _, a := range args {
			d, err := a(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			if d.IsNull() {
				null = true
			} else if !d.Bool() {
				return datum.NewBool(false), nil
			}
		}
		if null {
			return datum.Null, nil
		}
		return datum.NewBool(true), nil
	}
}

func (c *compiler) or(e *plan.Or) evalFn {
	args := c.exprs(e.Args)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		null := false
		for _, a := range args {
			d, err := a(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			if d.IsNull() {
				null = true
			} else if d.Bool() {
				return datum.NewBool(true), nil
			}
		}
		if null {
			return datum.Null, nil
		}
		return datum.NewBool(false), nil
	}
}

func (c *compiler) not(e *plan.Not) evalFn {
	a := c.expr(e.Arg)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil || d.IsNull() {
			return datum.Null, err
		}
		return datum.NewBool(!d.Bool()), nil
	}
}

func (c *compiler) isNull(e *plan.IsNull) evalFn {
	a, not, rowTest := c.expr(e.Arg), e.Not, e.Row
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		if !rowTest || d.Kind() != datum.KindRecord {
			return datum.NewBool(d.IsNull() != not), nil
		}
		for _, v := range d.Record().Values {
			if v.IsNull() == not {
				return datum.NewBool(false), nil
			}
		}
		return datum.NewBool(true), nil
	}
}

func (c *compiler) boolTest(e *plan.BoolTest) evalFn {
	a, kind, not := c.expr(e.Arg), e.Kind, e.Not
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		var is bool
		switch kind {
		case plan.IsTrue:
			is = d.IsTrue()
		case plan.IsFalse:
			is = !d.IsNull() && !d.Bool()
		default:
			is = d.IsNull()
		}
		return datum.NewBool(is != not), nil
	}
}

func (c *compiler) isDistinct(e *plan.IsDistinct) evalFn {
	l, r, not := c.expr(e.Left), c.expr(e.Right), e.Not
	eq := c.callFn(e.Eq, e.Type(), e.Left.Type(), e.Right.Type())
	vals := make([]datum.Datum, 2)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		x, err := l(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		y, err := r(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		if x.IsNull() || y.IsNull() {
			return datum.NewBool((x.IsNull() != y.IsNull()) != not), nil
		}
		vals[0], vals[1] = x, y
		d, err := eq(st.bctx, vals)
		return datum.NewBool(!d.IsTrue() != not), err
	}
}

func (c *compiler) caseExpr(e *plan.Case) evalFn {
	var cell datum.Datum
	arg := c.optional(e.Arg)
	if arg != nil {
		outer := c.caseArg
		c.caseArg = &cell
		defer func() { c.caseArg = outer }()
	}
	conds, results := make([]predFn, len(e.Whens)), make([]evalFn, len(e.Whens))
	for i, w := range e.Whens {
		conds[i], results[i] = c.pred(w.Cond), c.expr(w.Result)
	}
	def := c.optional(e.Else)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		if arg != nil {
			v, err := arg(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			cell = v
		}
		for i, p := range conds {
			ok, err := p(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			if ok {
				return results[i](ctx, st, row)
			}
		}
		if def == nil {
			return datum.Null, nil
		}
		return def(ctx, st, row)
	}
}

func (c *compiler) coalesce(e *plan.Coalesce) evalFn {
	args := c.exprs(e.Args)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		for _, a := range args {
			if d, err := a(ctx, st, row); err != nil || !d.IsNull() {
				return d, err
			}
		}
		return datum.Null, nil
	}
}

func (c *compiler) nullIf(e *plan.NullIf) evalFn {
	l, x, y := c.expr(e.Left), c.expr(e.EqLeft), c.expr(e.EqRight)
	eq := apply(c.callFn(e.Eq, datum.T(datum.OIDBool), e.EqLeft.Type(), e.EqRight.Type()), []evalFn{x, y}, true)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		v, err := l(ctx, st, row)
		if err != nil || v.IsNull() {
			return datum.Null, err
		}
		same, err := eq(ctx, st, row)
		if err != nil || same.IsTrue() {
			return datum.Null, err
		}
		return v, nil
	}
}

func (c *compiler) minMax(e *plan.MinMax) evalFn {
	args, cmp, want := c.exprs(e.Args), c.comparer(e.Typ), 1
	if e.Least {
		want = -1
	}
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		best := datum.Null
		for _, a := range args {
			d, err := a(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			if !d.IsNull() && (best.IsNull() || cmp(d, best) == want) {
				best = d
			}
		}
		return best, nil
	}
}

// hashedList is the length from which IN lists are looked up in a map.
const hashedList = 9

func (c *compiler) inList(e *plan.InList) evalFn {
	a := c.expr(e.Arg)
	miss := datum.NewBool(e.Not)
	if e.HasNull {
		miss = datum.Null
	}
	hit := datum.NewBool(!e.Not)
	has := c.member(e.Arg.Type(), e.Vals)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil || d.IsNull() {
			return datum.Null, err
		}
		if has(d) {
			return hit, nil
		}
		return miss, nil
	}
}

// member returns a test for being one of vals.
func (c *compiler) member(t datum.Type, vals []datum.Datum) func(datum.Datum) bool {
	if len(vals) >= hashedList && len(vals) > 0 {
		switch k := vals[0].Kind(); {
		case k == datum.KindText && t.OID != datum.OIDBpchar || k == datum.KindUUID || k == datum.KindBytes:
			m := make(map[string]struct{}, len(vals))
			for _, v := range vals {
				m[v.Text()] = struct{}{}
			}
			return func(d datum.Datum) bool {
				_, ok := m[d.Text()]
				return ok
			}
		case isIntKind(k):
			m := make(map[int64]struct{}, len(vals))
			for _, v := range vals {
				m[v.Int()] = struct{}{}
			}
			return func(d datum.Datum) bool {
				_, ok := m[d.Int()]
				return ok
			}
		}
	}
	cmp := c.comparer(t)
	return func(d datum.Datum) bool {
		for _, v := range vals {
			if cmp(d, v) == 0 {
				return true
			}
		}
		return false
	}
}

func isIntKind(k datum.Kind) bool {
	switch k {
	case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
		return true
	}
	return false
}

func (c *compiler) scalarArray(e *plan.ScalarArrayOp) evalFn {
	l, arr, all := c.expr(e.Left), c.expr(e.Array), e.All
	elem := c.facts.BaseElementType(e.Array.Type().OID)
	fn := c.callFn(e.Fn, datum.T(datum.OIDBool), e.Left.Type(), datum.T(elem))
	strict := e.Fn != nil && e.Fn.Strict
	vals := make([]datum.Datum, 2)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		x, err := l(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		a, err := arr(ctx, st, row)
		if err != nil || a.IsNull() {
			return datum.Null, err
		}
		elems := a.Array().Elems
		if x.IsNull() && strict && len(elems) > 0 {
			return datum.Null, nil
		}
		null := false
		for _, el := range elems {
			if el.IsNull() && strict {
				null = true
				continue
			}
			vals[0], vals[1] = x, el
			d, err := fn(st.bctx, vals)
			if err != nil {
				return datum.Null, err
			}
			if d.IsNull() {
				null = true
			} else if d.Bool() != all {
				return datum.NewBool(!all), nil
			}
		}
		if null {
			return datum.Null, nil
		}
		return datum.NewBool(all), nil
	}
}
