package exec

import (
	"context"
	"math"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// cast compiles a conversion.
func (c *compiler) cast(e *plan.Cast) evalFn {
	a := c.expr(e.Arg)
	switch e.Kind {
	case plan.CastRelabel:
		return a
	case plan.CastIO:
		return c.castIO(e, a)
	case plan.CastFunc:
		return c.lengthCall(e.Fn, a, e.Arg.Type(), e.Typ, e.Explicit)
	case plan.CastArray:
		return c.castArray(e, a)
	case plan.CastRow:
		return c.castRow(e, a)
	case plan.CastDomain:
		return c.castDomain(e, a)
	default:
		return failing(failure.New(failure.InternalError, "unknown cast kind %d", e.Kind))
	}
}

// lengthCall calls a cast or length coercion function with the value, and the modifier and explicitness if it wants
// them.
func (c *compiler) lengthCall(fn *builtin.Func, a evalFn, from, to datum.Type, explicit bool) evalFn {
	if fn == nil {
		return a
	}
	int4, boolean := datum.T(datum.OIDInt4), datum.T(datum.OIDBool)
	args, types := []evalFn{a}, []datum.Type{from}
	if len(fn.Args) > 1 {
		args, types = append(args, constant(datum.NewInt(int64(to.Mod)))), append(types, int4)
	}
	if len(fn.Args) > 2 {
		args, types = append(args, constant(datum.NewBool(explicit))), append(types, boolean)
	}
	return apply(c.callFn(fn, to, types...), args, true)
}

// typmod compiles the enforcement of a modifier.
func (c *compiler) typmod(e *plan.Typmod) evalFn {
	a := c.expr(e.Arg)
	slow := c.lengthCall(e.Fn, column(0), e.Arg.Type(), e.Typ, e.Explicit)
	cell := make([]datum.Datum, 1)
	limit := -1
	if e.Fn != nil && e.Fn.Prosrc == "varchar" && e.Typ.Mod >= 4 {
		limit = int(e.Typ.Mod) - 4
	}
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		// A text of no more bytes than characters are allowed is short enough.
		if err != nil || d.IsNull() || d.Kind() == datum.KindText && len(d.Text()) <= limit {
			return d, err
		}
		cell[0] = d
		return slow(ctx, st, cell)
	}
}

func (c *compiler) castArray(e *plan.Cast, a evalFn) evalFn {
	elem := c.expr(e.Elem)
	oid := c.facts.BaseElementType(e.Typ.OID)
	cell := make([]datum.Datum, 1)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil || d.IsNull() {
			return datum.Null, err
		}
		in := d.Array()
		out := &datum.Array{ElemType: oid, Dims: in.Dims, Elems: make([]datum.Datum, len(in.Elems))}
		for i, v := range in.Elems {
			cell[0] = v
			if out.Elems[i], err = elem(ctx, st, cell); err != nil {
				return datum.Null, err
			}
		}
		return datum.NewArray(out), nil
	}
}

// castRow coerces a record to a composite type. The fields were coerced by the plan when they were known; a record
// whose fields are known only now must have the right number of them.
func (c *compiler) castRow(e *plan.Cast, a evalFn) evalFn {
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		return a(ctx, st, row)
	}
}

// ofDomain puts the domain's name on an error.
func (st *state) ofDomain(e *failure.Error, d *plan.Domain) *failure.Error {
	e.DataType = d.Name
	if st.env != nil && st.env.SchemaName != nil && d.Schema != 0 {
		e.Schema = st.env.SchemaName(d.Schema)
	}
	return e
}

func (c *compiler) castDomain(e *plan.Cast, a evalFn) evalFn {
	dom := e.Domain
	if dom == nil {
		return a
	}
	checks := make([]evalFn, len(dom.Checks))
	for i, k := range dom.Checks {
		checks[i] = c.expr(k.Expr)
	}
	cell := make([]datum.Datum, 1)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		if d.IsNull() && dom.NotNull {
			return datum.Null, st.ofDomain(failure.New(failure.NotNullViolation, "domain %s does not allow null values", dom.Shown), dom)
		}
		for i, k := range checks {
			cell[0] = d
			ok, err := k(ctx, st, cell)
			if err != nil {
				return datum.Null, err
			}
			if !ok.IsNull() && !ok.Bool() {
				return datum.Null, st.ofDomain(failure.New(failure.CheckViolation,
					"value for domain %s violates check constraint \"%s\"", dom.Shown, dom.Checks[i].Name), dom).
					WithConstraint(dom.Checks[i].Name)
			}
		}
		return d, nil
	}
}

// sqlValue compiles CURRENT_TIMESTAMP and its kin.
func (c *compiler) sqlValue(e *plan.SQLValue) evalFn {
	switch e.Kind {
	case plan.CurrentRole, plan.CurrentUser, plan.User:
		return func(_ context.Context, st *state, _ []datum.Datum) (datum.Datum, error) {
			return datum.NewText(st.bctx.User), nil
		}
	case plan.SessionUser:
		return func(_ context.Context, st *state, _ []datum.Datum) (datum.Datum, error) {
			return datum.NewText(st.bctx.SessionUser), nil
		}
	case plan.CurrentCatalog:
		return func(_ context.Context, st *state, _ []datum.Datum) (datum.Datum, error) {
			return datum.NewText(st.bctx.Database), nil
		}
	case plan.CurrentSchema:
		return c.namedCall("current_schema", e.Typ)
	}
	now := evalFn(func(_ context.Context, st *state, _ []datum.Datum) (datum.Datum, error) {
		return datum.NewTimestampTZ(roundMicros(st.bctx.TransactionTime, e.Typ.Mod)), nil
	})
	tz := datum.T(datum.OIDTimestampTZ)
	switch e.Kind {
	case plan.CurrentTimestamp:
		return now
	case plan.CurrentDate:
		return c.convert(now, tz, datum.T(datum.OIDDate))
	case plan.CurrentTime:
		return c.convert(now, tz, datum.T(datum.OIDTimeTZ))
	case plan.LocalTime:
		return c.convert(now, tz, datum.T(datum.OIDTime))
	default:
		return c.convert(now, tz, datum.T(datum.OIDTimestamp))
	}
}

// roundMicros rounds a time to a number of decimal digits of the second; -1 keeps it.
func roundMicros(us int64, digits int32) int64 {
	if digits < 0 || digits >= 6 {
		return us
	}
	unit := int64(math.Pow10(6 - int(digits)))
	half := unit / 2
	if us < 0 {
		return -((-us + half) / unit * unit)
	}
	return (us + half) / unit * unit
}

// convert casts between two types by the catalogue's cast.
func (c *compiler) convert(a evalFn, from, to datum.Type) evalFn {
	info, ok := c.facts.FindCast(from.OID, to.OID, builtin.CastExplicit)
	if !ok || info.Method == builtin.CastFunc && info.Func == nil {
		return failing(failure.NotSupported("the conversion from %s to %s is", datum.FormatType(from), datum.FormatType(to)))
	}
	if info.Method == builtin.CastFunc {
		return c.lengthCall(info.Func, a, from, to, true)
	}
	return a
}

// namedCall calls a function without arguments by its name.
func (c *compiler) namedCall(name string, ret datum.Type) evalFn {
	for _, fn := range c.facts.FuncsByName("pg_catalog", name) {
		if len(fn.Args) == 0 {
			return apply(c.callFn(fn, ret), nil, false)
		}
	}
	return failing(failure.NotSupported("function %s is", name))
}
