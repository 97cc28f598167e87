package exec

import (
	"context"
	"math"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// The commonest operators are compiled without a call of their function: comparisons of scalars and texts, and
// arithmetic on integers and floats. They are recognised by the prosrc of the function behind the operator.

// cmpOp is a comparison as the set of results of a three-way comparison that satisfy it: bit 0 less, bit 1 equal, bit 2
// greater.
type cmpOp uint8

const (
	cmpEq cmpOp = 0b010
	cmpNe cmpOp = 0b101
	cmpLt cmpOp = 0b001
	cmpLe cmpOp = 0b011
	cmpGt cmpOp = 0b100
	cmpGe cmpOp = 0b110
)

func (o cmpOp) holds(c int) bool { return o>>(c+1)&1 != 0 }

// cmpClass is how the operands of a comparison are compared.
type cmpClass uint8

const (
	classNone cmpClass = iota
	classInt           // Datum.Int of both
	classText          // bytes
	classFloat
)

// comparison recognises the prosrc of a comparison.
func comparison(prosrc string) (cmpClass, cmpOp) {
	class, suffix := classOf(prosrc)
	switch strings.TrimPrefix(suffix, "_") {
	case "eq":
		return class, cmpEq
	case "ne":
		return class, cmpNe
	case "lt":
		return class, cmpLt
	case "le":
		return class, cmpLe
	case "gt":
		return class, cmpGt
	case "ge":
		return class, cmpGe
	}
	return classNone, 0
}

func classOf(prosrc string) (cmpClass, string) {
	for _, p := range [...]string{"int24", "int28", "int42", "int48", "int82", "int84", "int2", "int4", "int8", "oid",
		"date_", "timestamp_", "time_"} {
		if s, ok := strings.CutPrefix(prosrc, p); ok {
			return classInt, s
		}
	}
	for _, p := range [...]string{"text", "bytea", "uuid_", "name"} {
		if s, ok := strings.CutPrefix(prosrc, p); ok {
			return classText, s
		}
	}
	for _, p := range [...]string{"float48", "float84", "float4", "float8"} {
		if s, ok := strings.CutPrefix(prosrc, p); ok {
			return classFloat, s
		}
	}
	return classNone, ""
}

func compareInt(a, b int64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// comparePred compiles a comparison as a condition, or returns nil.
func (c *compiler) comparePred(e *plan.FuncCall) predFn {
	if len(e.Args) != 2 {
		return nil
	}
	class, op := comparison(e.Fn.Prosrc)
	if class == classNone {
		return nil
	}
	if col, ok := e.Args[0].(*plan.Column); ok {
		i := col.Index
		if r := sideValue(e.Args[1]); r != nil {
			switch class {
			case classInt:
				return func(_ context.Context, st *state, row []datum.Datum) (bool, error) {
					x, y := row[i], r(st)
					return !x.IsNull() && !y.IsNull() && op.holds(compareInt(x.Int(), y.Int())), nil
				}
			case classText:
				if op == cmpEq {
					return func(_ context.Context, st *state, row []datum.Datum) (bool, error) {
						x, y := row[i], r(st)
						return !x.IsNull() && !y.IsNull() && x.Text() == y.Text(), nil
					}
				}
			}
		}
	}
	l, r := c.expr(e.Args[0]), c.expr(e.Args[1])
	cmp := class.compare()
	return func(ctx context.Context, st *state, row []datum.Datum) (bool, error) {
		x, err := l(ctx, st, row)
		if err != nil {
			return false, err
		}
		y, err := r(ctx, st, row)
		if err != nil || x.IsNull() || y.IsNull() {
			return false, err
		}
		return op.holds(cmp(x, y)), nil
	}
}

// sideValue returns a reader of an operand that does not depend on the row, or nil.
func sideValue(e plan.Expr) func(*state) datum.Datum {
	switch e := e.(type) {
	case *plan.Const:
		v := e.Val
		return func(*state) datum.Datum { return v }
	case *plan.Param:
		i := e.Index
		return func(st *state) datum.Datum { return st.params[i] }
	case *plan.OuterParam:
		i := e.Slot
		return func(st *state) datum.Datum { return st.slots[i] }
	}
	return nil
}

func (c cmpClass) compare() func(a, b datum.Datum) int {
	switch c {
	case classInt:
		return func(a, b datum.Datum) int { return compareInt(a.Int(), b.Int()) }
	case classText:
		return func(a, b datum.Datum) int { return strings.Compare(a.Text(), b.Text()) }
	default:
		return func(a, b datum.Datum) int { return datum.CompareFloat(a.Float(), b.Float()) }
	}
}

// fastCall compiles a call of a common operator, or returns nil.
func (c *compiler) fastCall(e *plan.FuncCall) evalFn {
	if len(e.Args) != 2 {
		return nil
	}
	if class, op := comparison(e.Fn.Prosrc); class != classNone {
		cmp := class.compare()
		return c.binary(e, func(x, y datum.Datum) (datum.Datum, error) { return datum.NewBool(op.holds(cmp(x, y))), nil })
	}
	if f := arithmetic(e.Fn.Prosrc); f != nil {
		return c.binary(e, f)
	}
	return nil
}

// binary applies f to two operands that are not NULL.
func (c *compiler) binary(e *plan.FuncCall, f func(x, y datum.Datum) (datum.Datum, error)) evalFn {
	if col, ok := e.Args[0].(*plan.Column); ok {
		i := col.Index
		if r := sideValue(e.Args[1]); r != nil {
			return func(_ context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
				x, y := row[i], r(st)
				if x.IsNull() || y.IsNull() {
					return datum.Null, nil
				}
				return f(x, y)
			}
		}
	}
	l, r := c.expr(e.Args[0]), c.expr(e.Args[1])
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		x, err := l(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		y, err := r(ctx, st, row)
		if err != nil || x.IsNull() || y.IsNull() {
			return datum.Null, err
		}
		return f(x, y)
	}
}

func int4Result(v int64) (datum.Datum, error) {
	if v != int64(int32(v)) {
		return datum.Null, failure.New(failure.NumericValueOutOfRange, "integer out of range")
	}
	return datum.NewInt(v), nil
}

func bigintRange() error { return failure.New(failure.NumericValueOutOfRange, "bigint out of range") }

// arithmetic recognises integer arithmetic. Division and floats, whose errors are many, stay with package builtin.
func arithmetic(prosrc string) func(x, y datum.Datum) (datum.Datum, error) {
	switch prosrc {
	case "int4pl", "int24pl", "int42pl":
		return func(x, y datum.Datum) (datum.Datum, error) { return int4Result(x.Int() + y.Int()) }
	case "int4mi", "int24mi", "int42mi":
		return func(x, y datum.Datum) (datum.Datum, error) { return int4Result(x.Int() - y.Int()) }
	case "int4mul", "int24mul", "int42mul":
		return func(x, y datum.Datum) (datum.Datum, error) { return int4Result(x.Int() * y.Int()) }
	case "int8pl", "int48pl", "int84pl", "int28pl", "int82pl":
		return func(x, y datum.Datum) (datum.Datum, error) {
			a, b := x.Int(), y.Int()
			s := a + b
			if (s > a) != (b > 0) && b != 0 {
				return datum.Null, bigintRange()
			}
			return datum.NewInt(s), nil
		}
	case "int8mi", "int48mi", "int84mi", "int28mi", "int82mi":
		return func(x, y datum.Datum) (datum.Datum, error) {
			a, b := x.Int(), y.Int()
			s := a - b
			if (s < a) != (b > 0) && b != 0 {
				return datum.Null, bigintRange()
			}
			return datum.NewInt(s), nil
		}
	case "int8mul", "int48mul", "int84mul", "int28mul", "int82mul":
		return func(x, y datum.Datum) (datum.Datum, error) {
			a, b := x.Int(), y.Int()
			if a == 0 || b == 0 {
				return datum.NewInt(0), nil
			}
			p := a * b
			if p/b != a || a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64 {
				return datum.Null, bigintRange()
			}
			return datum.NewInt(p), nil
		}
	}
	return nil
}

// comparer returns the order of a type's values that are not NULL.
func (c *compiler) comparer(t datum.Type) func(a, b datum.Datum) int {
	if c.facts.BaseType(t.OID) == datum.OIDBpchar {
		return func(a, b datum.Datum) int { return datum.CompareBpchar(a.Text(), b.Text()) }
	}
	switch datum.KindOf(t.OID) {
	case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
		return classInt.compare()
	}
	return datum.Compare
}
