package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// funcCall binds a call of a function, aggregate or window function.
func (b *binder) funcCall(s *scope, e *parser.FuncCall) plan.Expr {
	schema, name := "", e.Name[len(e.Name)-1]
	if len(e.Name) > 1 {
		schema = e.Name[len(e.Name)-2]
	}
	call := builtin.FuncCall{Schema: schema, Name: name, Variadic: e.Variadic, WithinGroup: e.WithinGroup}
	args, pos := b.callArgs(s, e, &call)
	var order []plan.AggOrder
	if len(e.OrderBy) > 0 {
		order = b.callOrder(s, e.OrderBy)
	}
	if e.WithinGroup {
		call.Direct = len(args)
		for i, o := range order {
			args, pos = append(args, o.Expr), append(pos, e.OrderBy[i].Pos)
		}
	}
	call.Args = make([]datum.OID, len(args))
	for i, a := range args {
		call.Args[i] = a.Type().OID
	}
	if len(args) == 1 && schema == "" && e.Over == nil && !e.Distinct && len(order) == 0 && e.Filter == nil {
		if x := b.fieldNotation(args[0], name); x != nil {
			return x
		}
	}
	r, err := b.facts.ResolveFunc(call)
	b.must(e.Pos, err)
	if r.Func == nil {
		b.checkPlain(e, name)
		return b.cast(args[0], datum.T(r.Coercion), e.Pos)
	}
	if e.Star && len(r.Func.Args) > 0 {
		b.fail(e.Pos, failure.UndefinedFunction, "function %s() does not exist", joinDots(e.Name))
	}
	switch r.Func.Kind {
	case 'a':
		if ordered := r.Func.Agg != nil && r.Func.Agg.Kind != 'n'; ordered && !e.WithinGroup {
			b.fail(e.Pos, failure.WrongObjectType, "WITHIN GROUP is required for ordered-set aggregate %s", name)
		}
		if e.Over != nil {
			return b.windowCall(s, e, r, b.arrange(s, r, args, pos), true)
		}
		return b.aggregate(s, e, r, args, pos, order, call.Direct)
	case 'w':
		if e.Over == nil {
			b.fail(e.Pos, failure.WrongObjectType, "window function %s requires an OVER clause", name)
		}
		return b.windowCall(s, e, r, b.arrange(s, r, args, pos), false)
	case 'p':
		b.throw(e.Pos, failure.New(failure.WrongObjectType, "%s(%s) is a procedure", name, b.typeList(call.Args)).
			WithHint("To call a procedure, use CALL."))
	}
	b.checkPlain(e, name)
	return b.finishCall(s, r, b.arrange(s, r, args, pos), e.Variadic, e.Pos)
}

func (b *binder) typeList(oids []datum.OID) string {
	s := ""
	for i, o := range oids {
		if i > 0 {
			s += ", "
		}
		s += b.facts.TypeName(o)
	}
	return s
}

// callArgs binds the arguments as written.
func (b *binder) callArgs(s *scope, e *parser.FuncCall, call *builtin.FuncCall) ([]plan.Expr, []int) {
	args, pos := make([]plan.Expr, 0, len(e.Args)), make([]int, 0, len(e.Args))
	for i, a := range e.Args {
		n, named := a.(*parser.NamedArgExpr)
		if named {
			if call.Names == nil {
				call.Names = make([]string, len(e.Args))
			}
			for _, old := range call.Names {
				if old == n.Name {
					b.fail(n.Pos, failure.SyntaxError, "argument name \"%s\" used more than once", n.Name)
				}
			}
			call.Names[i] = n.Name
			a = n.Arg
		} else if call.Names != nil {
			b.fail(start(a), failure.SyntaxError, "positional argument cannot follow named argument")
		}
		if c, ok := a.(*parser.ColumnRef); ok && c.Star && len(c.Parts) == 0 {
			b.fail(c.Pos, failure.SyntaxError, "row expansion via \"*\" is not supported here")
		}
		args, pos = append(args, b.expr(s, a)), append(pos, start(a))
	}
	return args, pos
}

// checkPlain refuses the syntax of aggregates and windows on a plain function.
func (b *binder) checkPlain(e *parser.FuncCall, name string) {
	bad := func(what string) {
		b.fail(e.Pos, failure.WrongObjectType, "%s specified, but %s is not an aggregate function", what, name)
	}
	switch {
	case e.Star:
		b.fail(e.Pos, failure.WrongObjectType, "%s(*) specified, but %s is not an aggregate function", name, name)
	case e.Distinct:
		bad("DISTINCT")
	case e.WithinGroup:
		bad("WITHIN GROUP")
	case len(e.OrderBy) > 0:
		bad("ORDER BY")
	case e.Filter != nil:
		bad("FILTER")
	case e.Over != nil:
		b.fail(e.Pos, failure.WrongObjectType, "OVER specified, but %s is not a window function nor an aggregate function", name)
	}
}

// fieldNotation reads f(row) as row.f when the row has such a field and there is no function of the name.
func (b *binder) fieldNotation(arg plan.Expr, name string) plan.Expr {
	if !b.isRowType(arg.Type().OID) || len(b.facts.FuncsByName("", name)) > 0 {
		return nil
	}
	if row, ok := arg.(*plan.Row); ok {
		for i, n := range row.Names {
			if n == name {
				return row.Args[i]
			}
		}
	}
	return nil
}

// arrange coerces arguments to the parameters' types, in the parameters' order, with defaults, and gathers variadic
// ones.
func (b *binder) arrange(_ *scope, r *builtin.Resolved, args []plan.Expr, pos []int) []plan.Expr {
	out := make([]plan.Expr, 0, len(r.Params)+len(r.Defaults))
	defaults := r.Defaults
	for i, t := range r.Params {
		at := i
		if r.Order != nil {
			if at = r.Order[i]; at < 0 {
				out = append(out, b.defaultArg(r, r.Defaults[-1-at]))
				defaults = nil
				continue
			}
		}
		out = append(out, b.coerceArg(b.anyArg(args[at], t), t, pos[at]))
	}
	for _, d := range defaults {
		out = append(out, b.defaultArg(r, d))
	}
	if r.VariadicFrom >= 0 {
		elems := out[r.VariadicFrom:]
		el := b.facts.ElementType(r.VariadicArray)
		arr := &plan.ArrayCtor{Elems: append([]plan.Expr(nil), elems...), Typ: datum.T(r.VariadicArray), Elem: datum.T(el)}
		out = append(out[:r.VariadicFrom:r.VariadicFrom], arr)
	}
	return out
}

// anyArg settles literals and parameters passed as "any".
func (b *binder) anyArg(e plan.Expr, t datum.OID) plan.Expr {
	if t == datum.OIDAny || t == datum.OIDUnknown && e.Type().OID == datum.OIDUnknown {
		if p, ok := e.(*plan.Param); ok && p.Typ.OID == datum.OIDUnknown {
			b.fail(-1, failure.IndeterminateDatatype, "could not determine data type of parameter $%d", p.Index+1)
		}
	}
	return e
}

func (b *binder) defaultArg(r *builtin.Resolved, d builtin.DefaultArg) plan.Expr {
	if r.Func.OID >= catalog.FirstUserOID {
		e := b.parseStored(d.Text)
		b.noPos++
		defer func() { b.noPos-- }()
		return b.coerceAssign(b.expr(&scope{kind: PlaceDefault}, e), datum.T(d.Type), "", -1)
	}
	c := &plan.Const{Val: datum.NewText(d.Text), Typ: datum.T(datum.OIDUnknown)}
	if d.Text == "NULL" {
		c = &plan.Const{Typ: datum.T(d.Type)}
		return c
	}
	return b.coerceArg(c, d.Type, -1)
}

// finishCall makes the call of a plain function.
func (b *binder) finishCall(s *scope, r *builtin.Resolved, args []plan.Expr, variadic bool, pos int) plan.Expr {
	fn := r.Func
	if fn.RetSet {
		b.checkSet(s, pos)
	}
	if fn.OID >= catalog.FirstUserOID {
		b.useObject(fn.OID)
		if user := b.env.Snapshot.FunctionByOID(fn.OID); user != nil {
			if user.Procedure {
				b.throw(pos, failure.New(failure.WrongObjectType, "%s is a procedure", b.signature(user)).
					WithHint("To call a procedure, use CALL."))
			}
			if x := b.inlineFunction(s, user, r, args, pos); x != nil {
				return x
			}
		}
	}
	typ := datum.T(r.Ret)
	return &plan.FuncCall{Fn: fn, Args: args, Typ: typ, Variadic: variadic}
}

// resolveFuncTypes resolves a call by the types of its arguments.
func (b *binder) resolveFuncTypes(schema, name string, args []datum.OID) (*builtin.Resolved, error) {
	return b.facts.ResolveFunc(builtin.FuncCall{Schema: schema, Name: name, Args: args})
}

func (b *binder) callResolved(s *scope, r *builtin.Resolved, args []plan.Expr, pos int) plan.Expr {
	ps := make([]int, len(args))
	for i := range ps {
		ps[i] = pos
	}
	return b.finishCall(s, r, b.arrange(s, r, args, ps), false, pos)
}

// callByName calls a built-in function by name.
func (b *binder) callByName(s *scope, names []string, args []plan.Expr, pos int) plan.Expr {
	types := make([]datum.OID, len(args))
	for i, a := range args {
		types[i] = a.Type().OID
	}
	r, err := b.resolveFuncTypes(names[0], names[1], types)
	b.must(pos, err)
	return b.callResolved(s, r, args, pos)
}

// callOrder binds the ORDER BY of an aggregate.
func (b *binder) callOrder(s *scope, list []*parser.SortBy) []plan.AggOrder {
	out := make([]plan.AggOrder, len(list))
	for i, o := range list {
		x := b.resolveUnknown(b.expr(s, o.Expr))
		desc, nulls := b.direction(o, x.Type().OID)
		out[i] = plan.AggOrder{Expr: x, Desc: desc, NullsFirst: nulls}
	}
	return out
}

// direction reads ASC, DESC, USING and NULLS, and makes sure that the type has an order.
func (b *binder) direction(o *parser.SortBy, t datum.OID) (desc, nullsFirst bool) {
	desc = o.Dir == parser.SortDesc
	if o.Dir == parser.SortUsing {
		r, err := b.facts.ResolveOperator("", o.UsingOp, t, t)
		b.must(o.Pos, err)
		ok := false
		for _, role := range b.facts.BtreeRoles(r.Op.OID) {
			if role.Strategy == 1 || role.Strategy == 5 {
				desc, ok = role.Strategy == 5, true
			}
		}
		if !ok {
			b.throw(o.Pos, failure.New(failure.WrongObjectType, "operator %s is not a valid ordering operator", o.UsingOp).
				WithHint("Ordering operators must be \"<\" or \">\" members of btree operator families."))
		}
	} else {
		b.needOrder(t, start(o.Expr))
	}
	switch o.Nulls {
	case parser.NullsFirst:
		return desc, true
	case parser.NullsLast:
		return desc, false
	}
	return desc, desc
}

// aggregate registers a call of an aggregate with the query level it belongs to and returns its column.
func (b *binder) aggregate(s *scope, e *parser.FuncCall, r *builtin.Resolved, args []plan.Expr, pos []int,
	order []plan.AggOrder, direct int) plan.Expr {
	name, ordered := r.Func.Name, r.Func.Agg != nil && r.Func.Agg.Kind != 'n'
	switch {
	case !ordered && e.WithinGroup:
		b.fail(e.Pos, failure.WrongObjectType, "%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name)
	case e.Distinct && ordered:
		b.fail(e.Pos, failure.SyntaxError, "cannot use DISTINCT with WITHIN GROUP")
	case !e.Star && len(args) == 0:
		b.fail(e.Pos, failure.WrongObjectType, "%s(*) must be used to call a parameterless aggregate function", name)
	case e.Distinct && e.Star:
		b.fail(e.Pos, failure.SyntaxError, "DISTINCT specified, but %s(*) has no arguments", name)
	}
	for i, a := range args {
		args[i] = b.resolveForAny(a, r.Params, i)
	}
	call := &plan.AggCall{Fn: r.Func, Star: e.Star, Distinct: e.Distinct, Typ: datum.T(r.Ret), Variadic: e.Variadic}
	arranged := b.arrange(s, r, args, pos)
	call.Args, call.OrderBy = arranged, order
	if ordered {
		call.Direct, call.Args = arranged[:direct], arranged[direct:]
		for i := range call.Args {
			call.OrderBy[i].Expr = call.Args[i]
		}
	}
	if e.Distinct {
		b.checkDistinctAgg(call, e)
	}
	if e.Filter != nil {
		s.in(PlaceFilter, func() { call.Filter = b.coerceBool(b.expr(s, e.Filter), "FILTER", start(e.Filter)) })
	}
	return b.addAggregate(s, call, e.Pos)
}

func (b *binder) resolveForAny(e plan.Expr, params []datum.OID, i int) plan.Expr {
	if i < len(params) && params[i] == datum.OIDAny {
		return b.resolveUnknown(e)
	}
	return e
}

func (b *binder) checkDistinctAgg(call *plan.AggCall, e *parser.FuncCall) {
	for _, a := range call.Args {
		b.needOrder(a.Type().OID, e.Pos)
	}
	for i, o := range call.OrderBy {
		found := false
		for _, a := range call.Args {
			found = found || plan.Equal(stripImplicit(a), stripImplicit(o.Expr))
		}
		if !found {
			b.fail(e.OrderBy[i].Pos, failure.InvalidColumnReference,
				"in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list")
		}
	}
}

func stripImplicit(e plan.Expr) plan.Expr {
	if c, ok := e.(*plan.Cast); ok && c.Kind == plan.CastRelabel {
		return c.Arg
	}
	return e
}

// addAggregate finds the level of an aggregate (that of the innermost column in it) and registers it there.
func (b *binder) addAggregate(s *scope, call *plan.AggCall, pos int) plan.Expr {
	owner := s
	ids := aggVars(call)
	if len(ids) > 0 {
	search:
		for lv := s; lv != nil; lv = lv.parent {
			for id := range ids {
				if lv.localVar(id) {
					owner = lv
					break search
				}
			}
		}
	}
	if p := places[owner.kind]; p.noAgg || owner.q == nil {
		b.fail(pos, failure.GroupingError, "aggregate functions are not allowed in %s", p.many)
	}
	if owner.selfRef {
		b.fail(pos, failure.InvalidRecursion, "aggregate functions are not allowed in a recursive query's recursive term")
	}
	q := owner.q
	for id, at := range ids {
		if q.isAgg(id) {
			b.fail(at, failure.GroupingError, "aggregate function calls cannot be nested")
		}
		if q.isWindow(id) {
			b.fail(at, failure.GroupingError, "aggregate function calls cannot contain window function calls")
		}
	}
	for _, a := range call.Args {
		if returnsSet(a) {
			b.throw(q.setPos, failure.New(failure.FeatureNotSupported,
				"aggregate function calls cannot contain set-returning function calls").
				WithHint("You might be able to move the set-returning function into a LATERAL FROM item."))
		}
	}
	for i := range q.aggs {
		if plan.EqualAgg(q.aggs[i].Call, call) && !volatileAgg(call) {
			return &plan.Var{ID: q.aggs[i].ID, Typ: call.Typ, Name: call.Fn.Name, Pos: int32(pos)}
		}
	}
	id := b.newIDs(1)
	q.make(id)
	q.aggs = append(q.aggs, plan.RelAggregate{ID: id, Call: call})
	return &plan.Var{ID: id, Typ: call.Typ, Name: call.Fn.Name, Pos: int32(pos)}
}

// aggVars collects the columns that an aggregate's expressions mention, with positions.
func aggVars(call *plan.AggCall) map[plan.ColID]int {
	var ids map[plan.ColID]int
	add := func(e plan.Expr) {
		plan.WalkDeep(e, func(x plan.Expr) {
			if v, ok := x.(*plan.Var); ok {
				if ids == nil {
					ids = make(map[plan.ColID]int)
				}
				ids[v.ID] = int(v.Pos)
			}
		})
	}
	for _, a := range call.Args {
		add(a)
	}
	for _, a := range call.Direct {
		add(a)
	}
	for _, o := range call.OrderBy {
		add(o.Expr)
	}
	if call.Filter != nil {
		add(call.Filter)
	}
	return ids
}

func volatileAgg(call *plan.AggCall) bool {
	for _, a := range call.Args {
		if Volatile(a) {
			return true
		}
	}
	return false
}

// Volatile says whether an expression may give another value each time.
func Volatile(e plan.Expr) bool {
	found := false
	plan.WalkDeep(e, func(x plan.Expr) {
		if f, ok := x.(*plan.FuncCall); ok && f.Fn.Volatility == 'v' {
			found = true
		}
	})
	return found
}

// grouping binds GROUPING(…): its arguments are matched with the grouping expressions when those are known.
func (b *binder) grouping(s *scope, e *parser.GroupingFunc) plan.Expr {
	if len(e.Args) > 31 {
		b.fail(e.Pos, failure.TooManyArguments, "GROUPING must have fewer than 32 arguments")
	}
	args, pos := b.exprList(s, e.Args)
	owner := s
	if p := places[owner.kind]; p.noAgg || owner.q == nil {
		b.fail(e.Pos, failure.GroupingError, "grouping operations are not allowed in %s", p.many)
	}
	id := b.newIDs(1)
	owner.q.make(id)
	owner.q.groupings = append(owner.q.groupings, groupingCall{id: id, args: args, pos: pos})
	return &plan.Var{ID: id, Typ: datum.T(datum.OIDInt4), Name: "grouping", Pos: int32(e.Pos)}
}
