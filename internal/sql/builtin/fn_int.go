package builtin

import (
	"math"
	"math/bits"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// intWidth is one of the integer types: its bounds and its name in errors.
type intWidth struct {
	min, max int64
	name     string
}

func widthOf(bytes int) intWidth {
	switch bytes {
	case 2:
		return intWidth{math.MinInt16, math.MaxInt16, "smallint"}
	case 4:
		return intWidth{math.MinInt32, math.MaxInt32, "integer"}
	}
	return intWidth{math.MinInt64, math.MaxInt64, "bigint"}
}

// bits is the width.
func (w intWidth) bits() int {
	switch w.max {
	case math.MaxInt16:
		return 16
	case math.MaxInt32:
		return 32
	}
	return 64
}

func (w intWidth) outOfRange() error {
	return failure.New(failure.NumericValueOutOfRange, "%s out of range", w.name)
}

// check returns n as a datum when it fits the type.
func (w intWidth) check(n int64) (datum.Datum, error) {
	if n < w.min || n > w.max {
		return datum.Null, w.outOfRange()
	}
	return datum.NewInt(n), nil
}

func divisionByZero() error { return failure.New(failure.DivisionByZero, "division by zero") }

// registerInt registers integer arithmetic, bit operations and the casts between integers.
func registerInt(r *registry) {
	widths := map[string]int{
		"int2": 2, "int4": 4, "int8": 8, "int24": 4, "int42": 4, "int28": 8, "int82": 8, "int48": 8, "int84": 8,
	}
	for p, bytes := range widths {
		r.intArithmetic(p, widthOf(bytes))
	}
	for p, bytes := range map[string]int{"int2": 2, "int4": 4, "int8": 8} {
		r.intUnary(p, widthOf(bytes))
		r.intBits(p, uint(bytes*8))
	}
	r.impl["int4inc"], r.impl["int8inc"] = addTo(widthOf(4), 1), addTo(widthOf(8), 1)
	r.impl["int8dec"] = addTo(widthOf(8), -1)
	for p, bytes := range map[string]int{"int4": 4, "int8": 8} {
		w := widthOf(bytes)
		r.impl[p+"gcd"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return gcdInt(w, a[0].Int(), a[1].Int())
		}
		r.impl[p+"lcm"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return lcmInt(w, a[0].Int(), a[1].Int())
		}
	}
	for _, name := range []string{"int28", "int48", "i2toi4", "oidtoi8"} {
		r.impl[name] = identity
	}
	r.impl["int82"], r.impl["i4toi2"] = narrow(widthOf(2)), narrow(widthOf(2))
	r.impl["int84"] = narrow(widthOf(4))
	oid := intWidth{0, math.MaxUint32, "OID"}
	r.impl["i8tooid"] = narrow(oid)
	r.impl["int4_bool"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(a[0].Int() != 0), nil
	}
	r.impl["bool_int4"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].Bool() {
			return datum.NewInt(1), nil
		}
		return datum.NewInt(0), nil
	}
	r.impl["booland_statefunc"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(a[0].Bool() && a[1].Bool()), nil
	}
	r.impl["boolor_statefunc"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(a[0].Bool() || a[1].Bool()), nil
	}
}

func identity(_ *Context, a []datum.Datum) (datum.Datum, error) { return a[0], nil }

func narrow(w intWidth) Impl {
	return func(_ *Context, a []datum.Datum) (datum.Datum, error) { return w.check(a[0].Int()) }
}

func addTo(w intWidth, n int64) Impl {
	return func(_ *Context, a []datum.Datum) (datum.Datum, error) { return addInt(w, a[0].Int(), n) }
}

func addInt(w intWidth, a, b int64) (datum.Datum, error) {
	s := a + b
	if (s > a) != (b > 0) && b != 0 {
		return datum.Null, w.outOfRange()
	}
	return w.check(s)
}

func subInt(w intWidth, a, b int64) (datum.Datum, error) {
	d := a - b
	if (d < a) != (b > 0) && b != 0 {
		return datum.Null, w.outOfRange()
	}
	return w.check(d)
}

func mulInt(w intWidth, a, b int64) (datum.Datum, error) {
	p, ok := mul64(a, b)
	if !ok {
		return datum.Null, w.outOfRange()
	}
	return w.check(p)
}

// mul64 multiplies, or says that the product does not fit.
func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	neg := (a < 0) != (b < 0)
	switch {
	case hi != 0, !neg && lo > math.MaxInt64, neg && lo > 1<<63:
		return 0, false
	case neg:
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func divInt(w intWidth, a, b int64) (datum.Datum, error) {
	switch b {
	case 0:
		return datum.Null, divisionByZero()
	case -1:
		if a == w.min {
			return datum.Null, w.outOfRange()
		}
		return datum.NewInt(-a), nil
	}
	return w.check(a / b)
}

func (r *registry) intArithmetic(p string, w intWidth) {
	r.impl[p+"pl"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return addInt(w, a[0].Int(), a[1].Int()) }
	r.impl[p+"mi"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return subInt(w, a[0].Int(), a[1].Int()) }
	r.impl[p+"mul"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return mulInt(w, a[0].Int(), a[1].Int()) }
	r.impl[p+"div"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return divInt(w, a[0].Int(), a[1].Int()) }
	r.impl[p+"mod"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		switch a[1].Int() {
		case 0:
			return datum.Null, divisionByZero()
		case -1:
			return datum.NewInt(0), nil
		}
		return datum.NewInt(a[0].Int() % a[1].Int()), nil
	}
}

func (r *registry) intUnary(p string, w intWidth) {
	neg := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].Int() == w.min {
			return datum.Null, w.outOfRange()
		}
		return datum.NewInt(-a[0].Int()), nil
	}
	r.impl[p+"um"], r.impl[p+"up"] = neg, identity
	r.impl[p+"abs"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].Int() < 0 {
			return neg(c, a)
		}
		return a[0], nil
	}
}

// intBits registers the bit operations; shifts take the distance modulo the width, as the machine does.
func (r *registry) intBits(p string, width uint) {
	sign := func(n int64) datum.Datum { return datum.NewInt(n << (64 - width) >> (64 - width)) }
	shift := func(n int64) uint { return uint(n) & 31 }
	if width == 64 {
		shift = func(n int64) uint { return uint(n) & 63 }
	}
	r.impl[p+"and"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(a[0].Int() & a[1].Int()), nil
	}
	r.impl[p+"or"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(a[0].Int() | a[1].Int()), nil
	}
	r.impl[p+"xor"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(a[0].Int() ^ a[1].Int()), nil
	}
	r.impl[p+"not"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(^a[0].Int()), nil
	}
	r.impl[p+"shl"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return sign(a[0].Int() << shift(a[1].Int())), nil
	}
	r.impl[p+"shr"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(a[0].Int() >> shift(a[1].Int())), nil
	}
}

func gcdUint(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func gcdInt(w intWidth, a, b int64) (datum.Datum, error) {
	g := gcdUint(magnitude(a), magnitude(b))
	if g > uint64(w.max) {
		return datum.Null, w.outOfRange()
	}
	return datum.NewInt(int64(g)), nil
}

func lcmInt(w intWidth, a, b int64) (datum.Datum, error) {
	if a == 0 || b == 0 {
		return datum.NewInt(0), nil
	}
	ma, mb := magnitude(a), magnitude(b)
	hi, lo := bits.Mul64(ma/gcdUint(ma, mb), mb)
	if hi != 0 || lo > uint64(w.max) {
		return datum.Null, w.outOfRange()
	}
	return datum.NewInt(int64(lo)), nil
}
