package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// coerce converts e to a type and its modifier, or returns nil when there is no way in that context.
func (b *binder) coerce(e plan.Expr, to datum.Type, ctx builtin.CastContext, pos int) plan.Expr {
	from := e.Type()
	if from == to {
		return b.settleRow(e)
	}
	if !b.canCoerce(e, to.OID, ctx) {
		return nil
	}
	x := b.coerceType(e, to, ctx, pos)
	return b.applyTypmod(x, to, ctx == builtin.CastExplicit)
}

func (b *binder) canCoerce(e plan.Expr, to datum.OID, ctx builtin.CastContext) bool {
	if b.facts.CanCoerce(e.Type().OID, to, ctx) {
		return true
	}
	_, isRow := e.(*plan.Row)
	return isRow && b.isComposite(to)
}

func (b *binder) isComposite(oid datum.OID) bool {
	t := b.facts.TypeByOID(b.facts.BaseType(oid))
	return t != nil && t.Type == 'c'
}

// coerceType converts to a type without regard to its modifier (but for interval literals). The way must exist.
func (b *binder) coerceType(e plan.Expr, to datum.Type, ctx builtin.CastContext, pos int) plan.Expr {
	from := e.Type().OID
	if from == to.OID || to.OID == datum.OIDAny || builtin.IsPolymorphic(to.OID) {
		return b.settleRow(e)
	}
	base := b.facts.BaseType(to.OID)
	explicit := ctx == builtin.CastExplicit
	if from == datum.OIDUnknown {
		switch u := e.(type) {
		case *plan.Const:
			return b.toDomain(b.literal(u, datum.Type{OID: base, Mod: to.Mod}, pos), to.OID)
		case *plan.Param:
			return b.decide(u, to.OID, pos)
		}
		if base == datum.OIDUnknown {
			return e
		}
		return b.toDomain(&plan.Cast{Kind: plan.CastIO, Arg: e, Typ: datum.T(base), Explicit: explicit}, to.OID)
	}
	if base == datum.OIDRecord && b.isComposite(from) || from == datum.OIDRecord && b.isComposite(base) {
		return b.toDomain(b.coerceRow(e, base, ctx, pos), to.OID)
	}
	info, ok := b.facts.FindCast(from, base, ctx)
	if !ok {
		return &plan.Cast{Kind: plan.CastRelabel, Arg: e, Typ: datum.T(to.OID), Explicit: explicit}
	}
	return b.toDomain(b.castBy(e, info, base, to.Mod, ctx, pos), to.OID)
}

func (b *binder) castBy(e plan.Expr, info builtin.CastInfo, base datum.OID, mod int32, ctx builtin.CastContext, pos int) plan.Expr {
	implicit, explicit := ctx == builtin.CastImplicit, ctx == builtin.CastExplicit
	typ := datum.T(base)
	switch info.Method {
	case builtin.CastFunc:
		if len(info.Func.Args) > 1 {
			typ.Mod = mod // the function sees to the modifier
		}
		return &plan.Cast{Kind: plan.CastFunc, Arg: e, Typ: typ, Fn: info.Func, Explicit: explicit, Implicit: implicit}
	case builtin.CastInOut:
		return &plan.Cast{Kind: plan.CastIO, Arg: e, Typ: typ, Explicit: explicit, Implicit: implicit}
	case builtin.CastArray:
		el := &plan.Column{Index: 0, Typ: datum.T(b.facts.BaseElementType(e.Type().OID))}
		to := datum.Type{OID: b.facts.ElementType(base), Mod: mod}
		x := b.coerceType(el, to, ctx, pos)
		return &plan.Cast{Kind: plan.CastArray, Arg: e, Typ: typ, Elem: x, Explicit: explicit, Implicit: implicit}
	}
	if e.Type().OID == base {
		return e
	}
	if c, ok := e.(*plan.Const); ok {
		return &plan.Const{Val: c.Val, Typ: typ}
	}
	return &plan.Cast{Kind: plan.CastRelabel, Arg: e, Typ: typ, Explicit: explicit, Implicit: implicit}
}

// coerceRow converts between record and composite types, field by field where the fields are at hand.
func (b *binder) coerceRow(e plan.Expr, to datum.OID, ctx builtin.CastContext, pos int) plan.Expr {
	if to == datum.OIDRecord {
		return &plan.Cast{Kind: plan.CastRelabel, Arg: b.settleRow(e), Typ: datum.T(to), Implicit: true}
	}
	row, ok := e.(*plan.Row)
	if !ok {
		return &plan.Cast{Kind: plan.CastRow, Arg: e, Typ: datum.T(to), Explicit: ctx == builtin.CastExplicit}
	}
	names, types := b.fieldsOf(to)
	mismatch := func(detail string) {
		b.throw(pos, failure.New(failure.CannotCoerce, "cannot cast type %s to %s", b.facts.TypeName(datum.OIDRecord),
			b.facts.TypeName(to)).WithDetail("%s", detail))
	}
	if len(row.Args) < len(types) {
		mismatch("Input has too few columns.")
	}
	if len(row.Args) > len(types) {
		mismatch("Input has too many columns.")
	}
	out := &plan.Row{Typ: datum.T(to), Names: names, Args: make([]plan.Expr, len(types))}
	for i, t := range types {
		x := b.coerce(row.Args[i], t, ctx, pos)
		if x == nil {
			b.throw(pos, failure.New(failure.CannotCoerce, "cannot cast type %s to %s",
				b.facts.TypeName(datum.OIDRecord), b.facts.TypeName(to)).
				WithDetail("Cannot cast type %s to %s in column %d.", b.facts.TypeName(row.Args[i].Type().OID),
					b.facts.TypeName(t.OID), i+1))
		}
		out.Args[i] = x
	}
	return out
}

// toDomain adds a domain's checks around a value of its base type.
func (b *binder) toDomain(e plan.Expr, to datum.OID) plan.Expr {
	t := b.facts.TypeByOID(to)
	if t == nil || t.Type != 'd' {
		return e
	}
	d := &plan.Domain{Name: t.Name, Shown: b.facts.TypeName(to)}
	base := datum.Type{OID: t.BaseType, Mod: t.TypMod}
	x := e
	if inner := b.facts.TypeByOID(t.BaseType); inner != nil && inner.Type == 'd' {
		x = b.toDomain(e, t.BaseType)
	} else {
		x = b.applyTypmod(e, base, false)
	}
	d.NotNull = t.NotNull
	if user := b.env.Snapshot.TypeByOID(to); user != nil {
		b.useObject(to)
		d.NotNull, d.Schema = user.NotNull, user.Schema
		for _, c := range user.Checks {
			d.Checks = append(d.Checks, plan.DomainCheck{Name: c.Name, Expr: b.domainCheck(c.Expr, user.Base)})
		}
	}
	return &plan.Cast{Kind: plan.CastDomain, Arg: x, Typ: datum.T(to), Domain: d, Implicit: true}
}

func (b *binder) domainCheck(text string, base datum.Type) plan.Expr {
	e := b.parseStored(text)
	s := &scope{kind: PlaceDomainCheck, value: &plan.Column{Index: 0, Typ: base, Name: "VALUE"}}
	return b.coerceBool(b.expr(s, e), "CHECK", start(e))
}

// applyTypmod enforces a modifier that the expression is not known to obey.
func (b *binder) applyTypmod(e plan.Expr, to datum.Type, explicit bool) plan.Expr {
	if to.Mod < 0 || e.Type().Mod == to.Mod && e.Type().OID == to.OID {
		return e
	}
	fn, array := b.facts.LengthCast(to.OID)
	if fn == nil {
		return e
	}
	if !array {
		return &plan.Typmod{Arg: e, Typ: to, Explicit: explicit, Fn: fn}
	}
	el := datum.Type{OID: b.facts.BaseElementType(to.OID), Mod: to.Mod}
	return &plan.Cast{Kind: plan.CastArray, Arg: e, Typ: to, Explicit: explicit, Implicit: true,
		Elem: &plan.Typmod{Arg: &plan.Column{Index: 0, Typ: datum.T(el.OID)}, Typ: el, Explicit: explicit, Fn: fn}}
}

// literal reads an unknown literal as a value of a base type.
func (b *binder) literal(c *plan.Const, t datum.Type, pos int) plan.Expr {
	if c.Val.IsNull() {
		return &plan.Const{Typ: datum.T(t.OID)}
	}
	if t.OID == datum.OIDUnknown {
		return c
	}
	if t.OID != datum.OIDInterval {
		t.Mod = -1
	}
	if datum.IsReg(t.OID) || b.env.Input == nil {
		// The names of objects are resolved when the value is needed.
		if n, ok := parseOID(c.Val.Text()); ok && datum.IsReg(t.OID) {
			return &plan.Const{Val: datum.NewInt(n), Typ: datum.T(t.OID)}
		}
		return &plan.Cast{Kind: plan.CastIO, Arg: c, Typ: datum.T(t.OID), Implicit: true}
	}
	if c.Pos > 0 {
		pos = int(c.Pos)
	}
	v, err := b.env.Input(t, c.Val.Text())
	b.must(pos, err)
	return &plan.Const{Val: v, Typ: t}
}

func parseOID(s string) (int64, bool) {
	if s == "" || len(s) > 10 {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// cast is an explicit cast, or the error that there is none.
func (b *binder) cast(e plan.Expr, to datum.Type, pos int) plan.Expr {
	x := b.coerce(e, to, builtin.CastExplicit, pos)
	if x == nil {
		b.fail(pos, failure.CannotCoerce, "cannot cast type %s to %s", b.facts.TypeName(e.Type().OID),
			b.facts.TypeName(to.OID))
	}
	return x
}

// coerceArg converts an argument to a parameter's type, implicitly; resolution has made sure that it can be.
func (b *binder) coerceArg(e plan.Expr, to datum.OID, pos int) plan.Expr {
	if e.Type().OID == to {
		return b.settleRow(e)
	}
	return b.coerceType(e, datum.T(to), builtin.CastImplicit, pos)
}

// coerceAssign converts a value to the type of a column, by assignment. column is the column's name for the error, or
// "" for a default and the like.
func (b *binder) coerceAssign(e plan.Expr, to datum.Type, column string, pos int) plan.Expr {
	x := b.coerce(e, to, builtin.CastAssignment, pos)
	if x == nil {
		err := failure.New(failure.DatatypeMismatch, "column \"%s\" is of type %s but expression is of type %s", column,
			b.facts.TypeName(to.OID), b.facts.TypeName(e.Type().OID))
		if column == "" {
			err = failure.New(failure.DatatypeMismatch, "expression is of type %s but type %s is expected",
				b.facts.TypeName(e.Type().OID), b.facts.TypeName(to.OID))
		}
		b.throw(pos, err.WithHint("You will need to rewrite or cast the expression."))
	}
	return x
}

// coerceBool makes a condition of e: "argument of WHERE must be type boolean, not type integer".
func (b *binder) coerceBool(e plan.Expr, construct string, pos int) plan.Expr {
	if e.Type().OID == datum.OIDBool {
		return e
	}
	x := b.coerce(e, datum.T(datum.OIDBool), builtin.CastAssignment, pos)
	if x == nil {
		b.fail(pos, failure.DatatypeMismatch, "argument of %s must be type %s, not type %s", construct, "boolean",
			b.facts.TypeName(e.Type().OID))
	}
	if returnsSet(x) {
		b.fail(pos, failure.DatatypeMismatch, "argument of %s must not return a set", construct)
	}
	return x
}

// coerceTo is coerceBool for another type, such as the bigint of LIMIT.
func (b *binder) coerceTo(e plan.Expr, to datum.OID, construct string, pos int) plan.Expr {
	x := b.coerce(e, datum.T(to), builtin.CastAssignment, pos)
	if x == nil {
		b.fail(pos, failure.DatatypeMismatch, "argument of %s must be type %s, not type %s", construct,
			b.facts.TypeName(to), b.facts.TypeName(e.Type().OID))
	}
	return x
}

// resolveUnknown makes text of what has no other type by the end.
func (b *binder) resolveUnknown(e plan.Expr) plan.Expr {
	if e.Type().OID != datum.OIDUnknown {
		return b.settleRow(e)
	}
	return b.coerceType(e, datum.T(datum.OIDText), builtin.CastImplicit, -1)
}

// settleRow makes text of the untyped items of a row constructor that no composite type was found for.
func (b *binder) settleRow(e plan.Expr) plan.Expr {
	if row, ok := e.(*plan.Row); ok && row.Typ.OID == datum.OIDRecord {
		for i, a := range row.Args {
			row.Args[i] = b.resolveUnknown(a)
		}
	}
	return e
}

// commonType unifies the types of expressions (CASE, COALESCE, ARRAY, …) and converts them in place.
func (b *binder) commonType(context string, exprs []plan.Expr, pos []int) datum.OID {
	types := make([]datum.OID, len(exprs))
	for i, e := range exprs {
		types[i] = e.Type().OID
	}
	t, at, err := b.facts.SelectCommonType(context, types)
	if err != nil {
		b.must(pos[at], err)
	}
	for i, e := range exprs {
		exprs[i] = b.toCommon(context, e, t, pos[i])
	}
	return t
}

// toCommon converts one expression to the type that commonType chose.
func (b *binder) toCommon(context string, e plan.Expr, t datum.OID, pos int) plan.Expr {
	if e.Type().OID == t {
		return b.settleRow(e)
	}
	x := b.coerce(e, datum.T(t), builtin.CastImplicit, pos)
	if x == nil {
		b.fail(pos, failure.CannotCoerce, "%s could not convert type %s to %s", context,
			b.facts.TypeName(e.Type().OID), b.facts.TypeName(t))
	}
	return x
}

// commonMod is the modifier that all expressions share, or -1.
func commonMod(exprs []plan.Expr, oid datum.OID) int32 {
	mod := int32(-1)
	for i, e := range exprs {
		t := e.Type()
		if t.OID != oid || i > 0 && t.Mod != mod {
			return -1
		}
		mod = t.Mod
	}
	return mod
}
