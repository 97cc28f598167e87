package builtin

import (
	"math"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

func floatOverflow() error {
	return failure.New(failure.NumericValueOutOfRange, "value out of range: overflow")
}

func floatUnderflow() error {
	return failure.New(failure.NumericValueOutOfRange, "value out of range: underflow")
}

// registerFloat registers floating-point arithmetic, mathematics and conversions.
func registerFloat(r *registry) {
	for _, p := range []string{"float8", "float48", "float84"} {
		r.floatArithmetic(p, 64)
	}
	r.floatArithmetic("float4", 32)
	for _, p := range []string{"float4", "float8"} {
		r.impl[p+"um"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewFloat(-a[0].Float()), nil
		}
		r.impl[p+"abs"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewFloat(math.Abs(a[0].Float())), nil
		}
		r.impl[p+"up"] = identity
	}
	r.floatCasts()
	r.floatMath()
	r.floatTrig()
	r.floatTrigDegrees()
}

// floatArithmetic registers + - * /, which report overflow and underflow as PostgreSQL does: a result may be infinite
// or zero only when an operand explains it.
func (r *registry) floatArithmetic(p string, size int) {
	round := func(x float64) float64 { return x }
	if size == 32 {
		round = func(x float64) float64 { return float64(float32(x)) }
	}
	r.impl[p+"pl"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x, y := a[0].Float(), a[1].Float()
		return floatResult(round(x+y), math.IsInf(x, 0) || math.IsInf(y, 0), true)
	}
	r.impl[p+"mi"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x, y := a[0].Float(), a[1].Float()
		return floatResult(round(x-y), math.IsInf(x, 0) || math.IsInf(y, 0), true)
	}
	r.impl[p+"mul"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x, y := a[0].Float(), a[1].Float()
		return floatResult(round(x*y), math.IsInf(x, 0) || math.IsInf(y, 0), x == 0 || y == 0)
	}
	r.impl[p+"div"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x, y := a[0].Float(), a[1].Float()
		if y == 0 && x == x {
			return datum.Null, divisionByZero()
		}
		return floatResult(round(x/y), math.IsInf(x, 0), x == 0 || math.IsInf(y, 0))
	}
}

func floatResult(x float64, infOK, zeroOK bool) (datum.Datum, error) {
	if math.IsInf(x, 0) && !infOK {
		return datum.Null, floatOverflow()
	}
	if x == 0 && !zeroOK {
		return datum.Null, floatUnderflow()
	}
	return datum.NewFloat(x), nil
}

func (r *registry) floatCasts() {
	for _, name := range []string{"i2tod", "i4tod", "i8tod", "i2tof"} {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewFloat(float64(a[0].Int())), nil
		}
	}
	for _, name := range []string{"i4tof", "i8tof"} {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewFloat(float64(float32(a[0].Int()))), nil
		}
	}
	r.impl["ftod"] = identity
	r.impl["dtof"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x := a[0].Float()
		f := float64(float32(x))
		return floatResult(f, math.IsInf(x, 0), x == 0)
	}
	for name, bytes := range map[string]int{"ftoi2": 2, "dtoi2": 2, "ftoi4": 4, "dtoi4": 4, "ftoi8": 8, "dtoi8": 8} {
		w := widthOf(bytes)
		// 2^63 itself is not representable in the target: the bounds are exclusive above.
		low, high := float64(w.min), -float64(w.min)
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			x := math.RoundToEven(a[0].Float())
			if x != x || x < low || x >= high {
				return datum.Null, w.outOfRange()
			}
			return datum.NewInt(int64(x)), nil
		}
	}
}

// float1 registers a function of one float that yields NaN for NaN.
func (r *registry) float1(name string, f func(x float64) (float64, error)) {
	r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x := a[0].Float()
		if x != x {
			return a[0], nil
		}
		y, err := f(x)
		if err != nil {
			return datum.Null, err
		}
		return datum.NewFloat(y), nil
	}
}

func inputOutOfRange() error {
	return failure.New(failure.NumericValueOutOfRange, "input is out of range")
}

func (r *registry) floatMath() {
	plain := func(f func(float64) float64) func(float64) (float64, error) {
		return func(x float64) (float64, error) { return f(x), nil }
	}
	r.float1("dceil", plain(math.Ceil))
	r.float1("dfloor", plain(math.Floor))
	r.float1("dround", plain(math.RoundToEven))
	r.float1("dtrunc", plain(math.Trunc))
	r.float1("dcbrt", plain(math.Cbrt))
	r.impl["dsign"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		switch x := a[0].Float(); {
		case x > 0:
			return datum.NewFloat(1), nil
		case x < 0:
			return datum.NewFloat(-1), nil
		}
		return datum.NewFloat(0), nil
	}
	r.float1("dsqrt", func(x float64) (float64, error) {
		if x < 0 {
			return 0, failure.New(failure.InvalidArgumentForPowerFunction,
				"cannot take square root of a negative number")
		}
		return math.Sqrt(x), nil
	})
	r.float1("dexp", func(x float64) (float64, error) {
		y := math.Exp(x)
		if math.IsInf(y, 0) && !math.IsInf(x, 0) {
			return 0, floatOverflow()
		}
		if y == 0 && !math.IsInf(x, 0) {
			return 0, floatUnderflow()
		}
		return y, nil
	})
	r.float1("dlog1", logarithm(math.Log))
	r.float1("dlog10", logarithm(math.Log10))
	r.float1("degrees", func(x float64) (float64, error) { return checkInf(x/radiansPerDegree, x) })
	r.float1("radians", func(x float64) (float64, error) { return checkInf(x*radiansPerDegree, x) })
	r.impl["dpi"] = func(*Context, []datum.Datum) (datum.Datum, error) { return datum.NewFloat(math.Pi), nil }
	r.impl["dpow"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return power(a[0].Float(), a[1].Float()) }
	r.impl["width_bucket_float8"] = widthBucketFloat
}

const radiansPerDegree = 0.0174532925199432957692

func checkInf(y, x float64) (float64, error) {
	if math.IsInf(y, 0) && !math.IsInf(x, 0) {
		return 0, floatOverflow()
	}
	if y == 0 && x != 0 {
		return 0, floatUnderflow()
	}
	return y, nil
}

func logarithm(f func(float64) float64) func(float64) (float64, error) {
	return func(x float64) (float64, error) {
		switch {
		case x == 0:
			return 0, failure.New(failure.InvalidArgumentForLog, "cannot take logarithm of zero")
		case x < 0:
			return 0, failure.New(failure.InvalidArgumentForLog, "cannot take logarithm of a negative number")
		}
		if x < 0x1p-1022 { // Go's logarithms lose the bits of subnormal numbers
			return f(x*0x1p54) - f(0x1p54), nil
		}
		return f(x), nil
	}
}

// power follows dpow: POSIX's special cases, but the invalid ones are errors.
func power(x, y float64) (datum.Datum, error) {
	switch {
	case x != x:
		if y == 0 {
			return datum.NewFloat(1), nil
		}
		return datum.NewFloat(x), nil
	case y != y:
		if x == 1 {
			return datum.NewFloat(1), nil
		}
		return datum.NewFloat(y), nil
	case x == 0 && y < 0:
		return datum.Null, failure.New(failure.InvalidArgumentForPowerFunction,
			"zero raised to a negative power is undefined")
	case x < 0 && !math.IsInf(x, 0) && !math.IsInf(y, 0) && math.Floor(y) != y:
		return datum.Null, failure.New(failure.InvalidArgumentForPowerFunction,
			"a negative number raised to a non-integer power yields a complex result")
	}
	z := math.Pow(x, y)
	if math.IsInf(x, 0) || math.IsInf(y, 0) {
		return datum.NewFloat(z), nil
	}
	return floatResult(z, false, x == 0)
}

func widthBucketFloat(_ *Context, a []datum.Datum) (datum.Datum, error) {
	x, low, high, n := a[0].Float(), a[1].Float(), a[2].Float(), a[3].Int()
	bad := func(text string) (datum.Datum, error) {
		return datum.Null, failure.New(failure.InvalidArgumentForWidthBucketFunction, "%s", text)
	}
	switch {
	case n <= 0:
		return bad("count must be greater than zero")
	case x != x || low != low || high != high:
		return bad("operand, lower bound, and upper bound cannot be NaN")
	case math.IsInf(low, 0) || math.IsInf(high, 0):
		return bad("lower and upper bounds must be finite")
	case low == high:
		return bad("lower bound cannot equal upper bound")
	}
	var result int64
	if low < high {
		switch {
		case x < low:
			result = 0
		case x >= high:
			result = n + 1
		default:
			result = min(int64(float64(n)*(x/2-low/2)/(high/2-low/2)), n-1) + 1
		}
	} else {
		switch {
		case x > low:
			result = 0
		case x <= high:
			result = n + 1
		default:
			result = min(int64(float64(n)*(low/2-x/2)/(low/2-high/2)), n-1) + 1
		}
	}
	return widthOf(4).check(result)
}

func (r *registry) floatTrig() {
	finite := func(f func(float64) float64) func(float64) (float64, error) {
		return func(x float64) (float64, error) {
			if math.IsInf(x, 0) {
				return 0, inputOutOfRange()
			}
			return f(x), nil
		}
	}
	unit := func(f func(float64) float64) func(float64) (float64, error) {
		return func(x float64) (float64, error) {
			if x < -1 || x > 1 {
				return 0, inputOutOfRange()
			}
			return f(x), nil
		}
	}
	any := func(f func(float64) float64) func(float64) (float64, error) {
		return func(x float64) (float64, error) { return f(x), nil }
	}
	r.float1("dsin", finite(math.Sin))
	r.float1("dcos", finite(math.Cos))
	r.float1("dtan", finite(math.Tan))
	r.float1("dcot", finite(func(x float64) float64 { return 1 / math.Tan(x) }))
	r.float1("dasin", unit(math.Asin))
	r.float1("dacos", unit(math.Acos))
	r.float1("datan", any(math.Atan))
	r.float1("dsinh", any(math.Sinh))
	r.float1("dcosh", any(math.Cosh))
	r.float1("dtanh", any(math.Tanh))
	r.float1("dasinh", any(math.Asinh))
	r.float1("dacosh", func(x float64) (float64, error) {
		if x < 1 {
			return 0, inputOutOfRange()
		}
		return math.Acosh(x), nil
	})
	r.float1("datanh", unit(math.Atanh))
	r.impl["datan2"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewFloat(math.Atan2(a[0].Float(), a[1].Float())), nil
	}
}

// floatTrigDegrees registers the functions on degrees, exact at multiples of 30 and 45.
func (r *registry) floatTrigDegrees() {
	finite := func(f func(float64) float64) func(float64) (float64, error) {
		return func(x float64) (float64, error) {
			if math.IsInf(x, 0) {
				return 0, inputOutOfRange()
			}
			return f(math.Mod(x, 360)), nil
		}
	}
	r.float1("dsind", finite(sinDegrees))
	r.float1("dcosd", finite(cosDegrees))
	r.float1("dtand", finite(func(x float64) float64 { return sinDegrees(x) / cosDegrees(x) }))
	r.float1("dcotd", finite(func(x float64) float64 { return cosDegrees(x) / sinDegrees(x) }))
	r.float1("dasind", func(x float64) (float64, error) {
		if x < -1 || x > 1 {
			return 0, inputOutOfRange()
		}
		if x < 0 {
			return -asinDegrees(-x), nil
		}
		return asinDegrees(x), nil
	})
	r.float1("dacosd", func(x float64) (float64, error) {
		if x < -1 || x > 1 {
			return 0, inputOutOfRange()
		}
		if x < 0 {
			return 90 + asinDegrees(-x), nil
		}
		return acosDegrees(x), nil
	})
	r.float1("datand", func(x float64) (float64, error) { return math.Atan(x) / math.Atan(1) * 45, nil })
	r.impl["datan2d"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewFloat(math.Atan2(a[0].Float(), a[1].Float()) / math.Atan(1) * 45), nil
	}
}

func sinFirst(x float64) float64 { // 0 … 90
	if x <= 30 {
		return math.Sin(x*radiansPerDegree) / math.Sin(30*radiansPerDegree) / 2
	}
	return cosSmall(90 - x)
}

func cosSmall(x float64) float64 { // 0 … 60
	return 1 - (1-math.Cos(x*radiansPerDegree))/(1-math.Cos(60*radiansPerDegree))/2
}

func cosFirst(x float64) float64 { // 0 … 90
	if x <= 60 {
		return cosSmall(x)
	}
	return math.Sin((90-x)*radiansPerDegree) / math.Sin(30*radiansPerDegree) / 2
}

func sinDegrees(x float64) float64 {
	sign := 1.0
	if x < 0 {
		x, sign = -x, -sign
	}
	if x > 180 {
		x, sign = 360-x, -sign
	}
	if x > 90 {
		x = 180 - x
	}
	return sign * sinFirst(x)
}

func cosDegrees(x float64) float64 {
	sign := 1.0
	if x < 0 {
		x = -x
	}
	if x > 180 {
		x = 360 - x
	}
	if x > 90 {
		x, sign = 180-x, -sign
	}
	return sign * cosFirst(x)
}

func asinDegrees(x float64) float64 { // 0 … 1
	if x <= 0.5 {
		return math.Asin(x) / math.Asin(0.5) * 30
	}
	return 90 - math.Acos(x)/math.Acos(0.5)*60
}

func acosDegrees(x float64) float64 { // 0 … 1
	if x <= 0.5 {
		return 90 - math.Asin(x)/math.Asin(0.5)*30
	}
	return math.Acos(x) / math.Acos(0.5) * 60
}
