package datum

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// Numeric arithmetic by PostgreSQL's rules: every function chooses the display scale of its result as PostgreSQL does,
// never changes its arguments, and may return one of them. Numerics have exponents of zero and below.

// The scales that PostgreSQL chooses between when a result is not exact.
const (
	minSigDigits    = 16
	maxDisplayScale = 1000
	maxResultScale  = 2000
)

func isNaN(d *apd.Decimal) bool { return d.Form != apd.Finite && d.Form != apd.Infinite }
func isInf(d *apd.Decimal) bool { return d.Form == apd.Infinite }
func isZero(d *apd.Decimal) bool {
	return d.Form == apd.Finite && d.Coeff.Sign() == 0
}

func numericNaN() *apd.Decimal { return &apd.Decimal{Form: apd.NaN} }
func numericInf(neg bool) *apd.Decimal {
	return &apd.Decimal{Form: apd.Infinite, Negative: neg}
}

// NumericFromInt makes a numeric of scale 0.
func NumericFromInt(i int64) *apd.Decimal {
	d := new(apd.Decimal)
	if i < 0 {
		d.Negative = true
		d.Coeff.SetUint64(-uint64(i))
	} else {
		d.Coeff.SetUint64(uint64(i))
	}
	return d
}

func numericScaled(coeff uint64, neg bool, scale int) *apd.Decimal {
	d := &apd.Decimal{Negative: neg && coeff != 0, Exponent: int32(-scale)}
	d.Coeff.SetUint64(coeff)
	return d
}

// NumericScale returns the display scale.
func NumericScale(d *apd.Decimal) int { return int(-d.Exponent) }

// NumericAdd returns a + b.
func NumericAdd(a, b *apd.Decimal) (*apd.Decimal, error) { return addNumeric(a, b, false) }

// NumericSub returns a - b.
func NumericSub(a, b *apd.Decimal) (*apd.Decimal, error) { return addNumeric(a, b, true) }

func addNumeric(a, b *apd.Decimal, sub bool) (*apd.Decimal, error) {
	bneg := b.Negative != sub
	if a.Form != apd.Finite || b.Form != apd.Finite {
		switch {
		case isNaN(a) || isNaN(b) || isInf(a) && isInf(b) && a.Negative != bneg:
			return numericNaN(), nil
		case isInf(a):
			return a, nil
		}
		return numericInf(bneg), nil
	}
	if a.Exponent == b.Exponent && a.Coeff.IsUint64() && b.Coeff.IsUint64() {
		if d := addSmall(a, b, bneg); d != nil {
			return d, nil
		}
	}
	z := &apd.Decimal{Exponent: min(a.Exponent, b.Exponent)}
	var ac, bc apd.BigInt
	x, y := &a.Coeff, &b.Coeff
	if a.Exponent != z.Exponent {
		x = ac.Mul(x, pow10(int(a.Exponent-z.Exponent)))
	}
	if b.Exponent != z.Exponent {
		y = bc.Mul(y, pow10(int(b.Exponent-z.Exponent)))
	}
	if a.Negative == bneg {
		z.Coeff.Add(x, y)
		z.Negative = bneg
	} else {
		z.Coeff.Sub(x, y)
		z.Negative = a.Negative
		if z.Coeff.Sign() < 0 {
			z.Coeff.Neg(&z.Coeff)
			z.Negative = bneg
		}
	}
	if z.Coeff.Sign() == 0 {
		z.Negative = false
	}
	return z, checkNumeric(z)
}

// addSmall adds numbers of one scale with coefficients of 64 bits; nil on overflow.
func addSmall(a, b *apd.Decimal, bneg bool) *apd.Decimal {
	x, y := a.Coeff.Uint64(), b.Coeff.Uint64()
	scale := int(-a.Exponent)
	if a.Negative == bneg {
		sum, carry := bits.Add64(x, y, 0)
		if carry != 0 {
			return nil
		}
		return numericScaled(sum, bneg, scale)
	}
	if x >= y {
		return numericScaled(x-y, a.Negative, scale)
	}
	return numericScaled(y-x, bneg, scale)
}

// NumericMul returns a * b with the sum of the scales, rounded when that is above the greatest scale.
func NumericMul(a, b *apd.Decimal) (*apd.Decimal, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		if isNaN(a) || isNaN(b) || isZero(a) || isZero(b) {
			return numericNaN(), nil
		}
		return numericInf(a.Negative != b.Negative), nil
	}
	scale := int(-a.Exponent) + int(-b.Exponent)
	if a.Coeff.IsUint64() && b.Coeff.IsUint64() && scale <= NumericMaxScale {
		if hi, lo := bits.Mul64(a.Coeff.Uint64(), b.Coeff.Uint64()); hi == 0 {
			return numericScaled(lo, a.Negative != b.Negative, scale), nil
		}
	}
	z := &apd.Decimal{Exponent: int32(-scale), Negative: a.Negative != b.Negative}
	z.Coeff.Mul(&a.Coeff, &b.Coeff)
	if z.Coeff.Sign() == 0 {
		z.Negative = false
	}
	if scale > NumericMaxScale {
		z = RoundNumeric(z, NumericMaxScale)
	}
	return z, checkNumeric(z)
}

func errDivisionByZero() error { return failure.New(failure.DivisionByZero, "division by zero") }

// weightAndFirst returns the position of the first digit of a number in base 10000, and that digit.
func weightAndFirst(d *apd.Decimal) (weight, first int) {
	if d.Coeff.Sign() == 0 {
		return 0, 0
	}
	n := int(d.NumDigits())
	top := n - 1 + int(d.Exponent)
	weight = int(floorDiv(int64(top), 4))
	k := top - 4*weight + 1 // decimal digits in the first group
	if d.Coeff.IsUint64() {
		u := d.Coeff.Uint64()
		for ; n > k; n-- {
			u /= 10
		}
		for ; n < k; n++ {
			u *= 10
		}
		return weight, int(u)
	}
	var q apd.BigInt
	q.Quo(&d.Coeff, pow10(n-k))
	return weight, int(q.Int64())
}

// divScale is the scale of a quotient: at least 16 significant digits, and no less than either argument's scale.
func divScale(a, b *apd.Decimal) int {
	w1, f1 := weightAndFirst(a)
	w2, f2 := weightAndFirst(b)
	qweight := w1 - w2
	if f1 <= f2 {
		qweight--
	}
	scale := max(minSigDigits-qweight*4, int(-a.Exponent), int(-b.Exponent), 0)
	return min(scale, maxDisplayScale)
}

// NumericDiv returns a / b.
func NumericDiv(a, b *apd.Decimal) (*apd.Decimal, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return divSpecial(a, b)
	}
	if isZero(b) {
		return nil, errDivisionByZero()
	}
	z := divRound(a, b, divScale(a, b))
	return z, checkNumeric(z)
}

func divSpecial(a, b *apd.Decimal) (*apd.Decimal, error) {
	switch {
	case isNaN(a) || isNaN(b) || isInf(a) && isInf(b):
		return numericNaN(), nil
	case isInf(a):
		if isZero(b) {
			return nil, errDivisionByZero()
		}
		return numericInf(a.Negative != b.Negative), nil
	}
	return new(apd.Decimal), nil // finite / infinite
}

// divRound divides finite numbers and rounds half away from zero to a scale.
func divRound(a, b *apd.Decimal, scale int) *apd.Decimal {
	z := &apd.Decimal{Exponent: int32(-scale), Negative: a.Negative != b.Negative}
	var n, m apd.BigInt
	num, den := &a.Coeff, &b.Coeff
	shift := scale + int(a.Exponent) - int(b.Exponent)
	if shift >= 0 {
		num = n.Mul(num, pow10(shift))
	} else {
		den = m.Mul(den, pow10(-shift))
	}
	var r apd.BigInt
	z.Coeff.QuoRem(num, den, &r)
	r.Lsh(&r, 1)
	if r.Cmp(den) >= 0 {
		z.Coeff.Add(&z.Coeff, apd.NewBigInt(1))
	}
	if z.Coeff.Sign() == 0 {
		z.Negative = false
	}
	return z
}

// NumericDivTrunc returns the whole quotient a / b, cut towards zero: div(a, b).
func NumericDivTrunc(a, b *apd.Decimal) (*apd.Decimal, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return divSpecial(a, b)
	}
	if isZero(b) {
		return nil, errDivisionByZero()
	}
	q, _ := quoRem(a, b)
	z := &apd.Decimal{Negative: a.Negative != b.Negative}
	z.Coeff.Set(q)
	if z.Coeff.Sign() == 0 {
		z.Negative = false
	}
	return z, checkNumeric(z)
}

// quoRem divides the magnitudes brought to one scale.
func quoRem(a, b *apd.Decimal) (q, r *apd.BigInt) {
	exp := min(a.Exponent, b.Exponent)
	var x, y apd.BigInt
	x.Mul(&a.Coeff, pow10(int(a.Exponent-exp)))
	y.Mul(&b.Coeff, pow10(int(b.Exponent-exp)))
	q, r = new(apd.BigInt), new(apd.BigInt)
	q.QuoRem(&x, &y, r)
	return q, r
}

// NumericMod returns the remainder of a / b, with the sign of a.
func NumericMod(a, b *apd.Decimal) (*apd.Decimal, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		switch {
		case isNaN(a) || isNaN(b):
			return numericNaN(), nil
		case isInf(a):
			if isZero(b) {
				return nil, errDivisionByZero()
			}
			return numericNaN(), nil
		}
		return a, nil
	}
	if isZero(b) {
		return nil, errDivisionByZero()
	}
	_, r := quoRem(a, b)
	z := &apd.Decimal{Exponent: min(a.Exponent, b.Exponent), Negative: a.Negative}
	z.Coeff.Set(r)
	if z.Coeff.Sign() == 0 {
		z.Negative = false
	}
	return z, nil
}

// NumericNeg returns -d.
func NumericNeg(d *apd.Decimal) *apd.Decimal {
	if isZero(d) || isNaN(d) {
		return d
	}
	z := &apd.Decimal{Form: d.Form, Exponent: d.Exponent, Negative: !d.Negative}
	z.Coeff.Set(&d.Coeff)
	return z
}

// NumericAbs returns the magnitude of d.
func NumericAbs(d *apd.Decimal) *apd.Decimal {
	if d.Negative {
		return NumericNeg(d)
	}
	return d
}

// NumericSign returns -1, 0 or 1 as a numeric, NaN for NaN.
func NumericSign(d *apd.Decimal) *apd.Decimal {
	switch {
	case isNaN(d):
		return d
	case isZero(d):
		return NumericFromInt(0)
	case d.Negative:
		return NumericFromInt(-1)
	}
	return NumericFromInt(1)
}

// NumericRound rounds half away from zero to a scale, as round(numeric, integer) does.
func NumericRound(d *apd.Decimal, scale int) (*apd.Decimal, error) {
	if d.Form != apd.Finite {
		return d, nil
	}
	z := RoundNumeric(d, min(max(scale, -maxResultScale), maxResultScale))
	return z, checkNumeric(z)
}

// NumericTrunc cuts towards zero to a scale, as trunc(numeric, integer) does.
func NumericTrunc(d *apd.Decimal, scale int) *apd.Decimal {
	scale = min(max(scale, -maxResultScale), maxResultScale)
	if d.Form != apd.Finite || int(-d.Exponent) == scale {
		return d
	}
	z := &apd.Decimal{Negative: d.Negative, Exponent: int32(-scale)}
	if drop := int(-d.Exponent) - scale; drop > 0 {
		z.Coeff.Quo(&d.Coeff, pow10(drop))
	} else {
		z.Coeff.Mul(&d.Coeff, pow10(-drop))
	}
	if z.Coeff.Sign() == 0 {
		z.Negative = false
	}
	if z.Exponent > 0 {
		z.Coeff.Mul(&z.Coeff, pow10(int(z.Exponent)))
		z.Exponent = 0
	}
	return z
}

// NumericCeil returns the smallest whole number that is not below d.
func NumericCeil(d *apd.Decimal) (*apd.Decimal, error) { return towards(d, false) }

// NumericFloor returns the greatest whole number that is not above d.
func NumericFloor(d *apd.Decimal) (*apd.Decimal, error) { return towards(d, true) }

func towards(d *apd.Decimal, down bool) (*apd.Decimal, error) {
	if d.Form != apd.Finite {
		return d, nil
	}
	z := NumericTrunc(d, 0)
	if d.Negative != down || z.Cmp(d) == 0 {
		return z, nil
	}
	step := int64(1)
	if down {
		step = -1
	}
	return addNumeric(z, NumericFromInt(step), false)
}

// NumericMinScale returns the smallest scale that holds d exactly; ok is false for NaN and infinities.
func NumericMinScale(d *apd.Decimal) (scale int, ok bool) {
	if d.Form != apd.Finite {
		return 0, false
	}
	if d.Coeff.Sign() == 0 {
		return 0, true
	}
	text := appendCoeff(nil, d)
	scale = int(-d.Exponent)
	for i := len(text) - 1; i > 0 && text[i] == '0' && scale > 0; i-- {
		scale--
	}
	return scale, true
}

// NumericTrimScale drops trailing zeros of the fraction.
func NumericTrimScale(d *apd.Decimal) *apd.Decimal {
	if scale, ok := NumericMinScale(d); ok {
		return NumericTrunc(d, scale)
	}
	return d
}

// NumericGCD returns the greatest common divisor.
func NumericGCD(a, b *apd.Decimal) (*apd.Decimal, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return numericNaN(), nil
	}
	exp := min(a.Exponent, b.Exponent)
	var x, y, r apd.BigInt
	x.Mul(&a.Coeff, pow10(int(a.Exponent-exp)))
	y.Mul(&b.Coeff, pow10(int(b.Exponent-exp)))
	for y.Sign() != 0 {
		r.Rem(&x, &y)
		x.Set(&y)
		y.Set(&r)
	}
	z := &apd.Decimal{Exponent: exp}
	z.Coeff.Set(&x)
	return z, nil
}

// NumericLCM returns the least common multiple, never negative.
func NumericLCM(a, b *apd.Decimal) (*apd.Decimal, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return numericNaN(), nil
	}
	exp := min(a.Exponent, b.Exponent)
	if isZero(a) || isZero(b) {
		return &apd.Decimal{Exponent: exp}, nil
	}
	g, err := NumericGCD(a, b)
	if err != nil {
		return nil, err
	}
	q, _ := quoRem(a, g)
	z := &apd.Decimal{Exponent: exp}
	z.Coeff.Mul(&b.Coeff, pow10(int(b.Exponent-exp)))
	z.Coeff.Mul(&z.Coeff, q)
	return z, checkNumeric(z)
}

// NumericFactorial returns n!.
func NumericFactorial(n int64) (*apd.Decimal, error) {
	if n < 0 {
		return nil, failure.New(failure.NumericValueOutOfRange, "factorial of a negative number is undefined")
	}
	const most = 32177
	if n > most {
		return nil, errNumericFormat()
	}
	z := NumericFromInt(1)
	var f apd.BigInt
	for i := int64(2); i <= n; i++ {
		z.Coeff.Mul(&z.Coeff, f.SetInt64(i))
	}
	return z, checkNumeric(z)
}

// NumericToInt rounds to an integer of so many bits (16, 32 or 64).
func NumericToInt(d *apd.Decimal, bits int) (int64, error) {
	name := "bigint"
	switch bits {
	case 16:
		name = "smallint"
	case 32:
		name = "integer"
	}
	if d.Form != apd.Finite {
		what := "NaN"
		if isInf(d) {
			what = "infinity"
		}
		return 0, failure.New(failure.FeatureNotSupported, "cannot convert %s to %s", what, name)
	}
	r := RoundNumeric(d, 0)
	limit := uint64(1) << (bits - 1)
	if !r.Coeff.IsUint64() || r.Coeff.Uint64() > limit || r.Coeff.Uint64() == limit && !r.Negative {
		return 0, failure.New(failure.NumericValueOutOfRange, "%s out of range", name)
	}
	if r.Negative {
		return -int64(r.Coeff.Uint64()), nil
	}
	return int64(r.Coeff.Uint64()), nil
}

// NumericFromFloat converts a float8 (bits 64) or float4 (bits 32), keeping the 15 or 6 digits that it surely has.
func NumericFromFloat(f float64, bits int) (*apd.Decimal, error) {
	switch {
	case f != f:
		return numericNaN(), nil
	case math.IsInf(f, 0):
		return numericInf(f < 0), nil
	}
	digits := 15
	if bits == 32 {
		digits = 6
	}
	return ParseNumeric(strconv.FormatFloat(f, 'g', digits, 64))
}

// NumericToFloat converts to a float8 (bits 64) or float4 (bits 32), 22003 when it does not fit.
func NumericToFloat(d *apd.Decimal, bits int) (float64, error) {
	switch {
	case isNaN(d):
		return math.NaN(), nil
	case isInf(d) && d.Negative:
		return math.Inf(-1), nil
	case isInf(d):
		return math.Inf(1), nil
	}
	if bits == 64 && d.Exponent == 0 && d.Coeff.IsUint64() {
		f := float64(d.Coeff.Uint64())
		if d.Negative {
			f = -f
		}
		return f, nil
	}
	v, err := parseFloat(string(AppendNumeric(nil, d)), bits)
	if err != nil {
		return 0, err
	}
	return v.Float(), nil
}

// NumericWidthBucket returns the bucket of operand among count equal ones between two bounds.
func NumericWidthBucket(operand, low, high *apd.Decimal, count int64) (int64, error) {
	bad := func(msg string) error { return failure.New(failure.InvalidArgumentForWidthBucketFunction, "%s", msg) }
	switch {
	case count <= 0:
		return 0, bad("count must be greater than zero")
	case isNaN(operand) || isNaN(low) || isNaN(high):
		return 0, bad("operand, lower bound, and upper bound cannot be NaN")
	case isInf(low) || isInf(high):
		return 0, bad("lower and upper bounds must be finite")
	}
	c := CompareNumeric(low, high)
	if c == 0 {
		return 0, bad("lower bound cannot equal upper bound")
	}
	if c > 0 {
		low, high, operand = NumericNeg(low), NumericNeg(high), NumericNeg(operand)
	}
	if CompareNumeric(operand, low) < 0 {
		return 0, nil
	}
	if CompareNumeric(operand, high) >= 0 {
		if count == math.MaxInt32 {
			return 0, failure.New(failure.NumericValueOutOfRange, "integer out of range")
		}
		return count + 1, nil
	}
	part, _ := NumericSub(operand, low)
	span, _ := NumericSub(high, low)
	part, _ = NumericMul(part, NumericFromInt(count))
	q, err := NumericDiv(part, span)
	if err != nil {
		return 0, err
	}
	return NumericTrunc(q, 0).Coeff.Int64() + 1, nil
}
