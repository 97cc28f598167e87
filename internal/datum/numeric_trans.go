package datum

import (
	"math"
	"math/big"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// guardDigits are computed beyond the digits that are shown.
const guardDigits = 12

func transContext(digits int) *apd.Context {
	return &apd.Context{
		Precision: uint32(max(digits, 10) + guardDigits), MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent,
		Rounding: apd.RoundHalfUp,
	}
}

// toScale rounds a result of any exponent to a scale.
func toScale(d *apd.Decimal, scale int) *apd.Decimal {
	z := new(apd.Decimal)
	z.Negative = d.Negative
	z.Exponent = int32(-scale)
	if drop := -int(d.Exponent) - scale; drop > 0 {
		if drop > int(d.NumDigits())+1 {
			z.Negative = false
			return z
		}
		divideHalfUp(&z.Coeff, &d.Coeff, drop)
	} else {
		z.Coeff.Mul(&d.Coeff, pow10(-drop))
	}
	if z.Coeff.Sign() == 0 {
		z.Negative = false
	}
	return z
}

func clampScale(scale int, args ...*apd.Decimal) int {
	for _, a := range args {
		scale = max(scale, int(-a.Exponent))
	}
	return min(max(scale, 0), maxDisplayScale)
}

// NumericSqrt returns the square root.
func NumericSqrt(d *apd.Decimal) (*apd.Decimal, error) {
	switch {
	case isNaN(d):
		return d, nil
	case d.Negative:
		return nil, failure.New(failure.InvalidArgumentForPowerFunction, "cannot take square root of a negative number")
	case isInf(d):
		return d, nil
	}
	weight, _ := weightAndFirst(d)
	scale := clampScale(minSigDigits-((weight+1)*4/2-1), d)
	// floor(sqrt(c × 10^2k)) with one digit more than is shown, and whether anything was left over.
	k := scale + 1
	var c, root, square apd.BigInt
	c.Mul(&d.Coeff, pow10(2*k+int(d.Exponent)))
	root.Sqrt(&c)
	square.Mul(&root, &root)
	z := &apd.Decimal{Exponent: int32(-scale)}
	divideHalfUp(&z.Coeff, &root, 1)
	return z, nil
}

// leadingDigits returns the first one or two digits of a positive number in base 10000, with the decimal weight of the last.
func leadingDigits(d *apd.Decimal, groups int) (digits float64, weight int) {
	w, _ := weightAndFirst(d)
	n := int(d.NumDigits())
	weight = (w - groups + 1) * 4
	drop := weight - int(d.Exponent)
	var q apd.BigInt
	if drop > 0 {
		q.Quo(&d.Coeff, pow10(drop))
	} else {
		q.Mul(&d.Coeff, pow10(-drop))
	}
	_ = n
	f, _ := strconv.ParseFloat(q.String(), 64)
	return f, weight
}

// groupCount returns how many digits in base 10000 a number has, without trailing zeros.
func groupCount(d *apd.Decimal) int {
	if d.Coeff.Sign() == 0 {
		return 0
	}
	w, _ := weightAndFirst(d)
	scale, _ := NumericMinScale(d)
	frac := (scale + 3) / 4
	if frac > 0 {
		return w + 1 + frac
	}
	digits := appendCoeff(nil, NumericTrunc(d, 0))
	zeros := 0
	for i := len(digits) - 1; i >= 0 && digits[i] == '0'; i-- {
		zeros++
	}
	return w + 1 - zeros/4
}

// lnWeight estimates the decimal weight of ln(d).
func lnWeight(d *apd.Decimal) int {
	if d.Negative || isZero(d) {
		return 0
	}
	if CompareNumeric(d, numericScaled(9, false, 1)) >= 0 && CompareNumeric(d, numericScaled(11, false, 1)) <= 0 {
		x, _ := NumericSub(d, NumericFromInt(1))
		if isZero(x) {
			return 0
		}
		w, first := weightAndFirst(x)
		return w*4 + int(math.Log10(float64(first)))
	}
	digits, weight := leadingDigits(d, min(groupCount(d), 2))
	ln := math.Log(digits) + float64(weight)*2.302585092994046
	return int(math.Log10(math.Abs(ln)))
}

func checkLog(d *apd.Decimal) error {
	switch {
	case isZero(d):
		return failure.New(failure.InvalidArgumentForLog, "cannot take logarithm of zero")
	case d.Negative && !isNaN(d):
		return failure.New(failure.InvalidArgumentForLog, "cannot take logarithm of a negative number")
	}
	return nil
}

// lnDigits computes ln(d) to so many digits after the point.
func lnDigits(d *apd.Decimal, scale int) (*apd.Decimal, error) {
	z := new(apd.Decimal)
	if _, err := transContext(scale+max(lnWeight(d), 0)+2).Ln(z, d); err != nil {
		return nil, errNumericFormat()
	}
	return z, nil
}

// NumericLn returns the natural logarithm.
func NumericLn(d *apd.Decimal) (*apd.Decimal, error) {
	if err := checkLog(d); err != nil || d.Form != apd.Finite {
		return d, err
	}
	scale := clampScale(minSigDigits-lnWeight(d), d)
	z, err := lnDigits(d, scale)
	if err != nil {
		return nil, err
	}
	return toScale(z, scale), nil
}

// NumericLog returns the logarithm of d to a base.
func NumericLog(base, d *apd.Decimal) (*apd.Decimal, error) {
	if isNaN(base) || isNaN(d) {
		return numericNaN(), nil
	}
	for _, v := range []*apd.Decimal{base, d} {
		if err := checkLog(v); err != nil {
			return nil, err
		}
	}
	if isInf(base) || isInf(d) {
		switch {
		case isInf(base) && isInf(d):
			return numericNaN(), nil
		case isInf(base):
			return new(apd.Decimal), nil
		}
		return d, nil
	}
	bw, nw := lnWeight(base), lnWeight(d)
	scale := clampScale(minSigDigits-(nw-bw), base, d)
	lb, err := lnDigits(base, scale+(nw-bw)-bw+8)
	if err != nil {
		return nil, err
	}
	if lb.Sign() == 0 {
		return nil, errDivisionByZero()
	}
	ln, err := lnDigits(d, scale+max(nw-bw, 0)+8)
	if err != nil {
		return nil, err
	}
	z := new(apd.Decimal)
	if _, err := transContext(scale+max(nw-bw, 0)+2).Quo(z, ln, lb); err != nil {
		return nil, errNumericFormat()
	}
	return toScale(z, scale), nil
}

// NumericExp returns e raised to d.
func NumericExp(d *apd.Decimal) (*apd.Decimal, error) {
	if d.Form != apd.Finite {
		if isInf(d) && d.Negative {
			return new(apd.Decimal), nil
		}
		return d, nil
	}
	val, _ := d.Float64()
	val *= 0.434294481903252
	val = min(max(val, -maxResultScale), maxResultScale)
	return expScaled(d, clampScale(minSigDigits-int(val), d))
}

func expScaled(d *apd.Decimal, scale int) (*apd.Decimal, error) {
	val, _ := d.Float64()
	if math.Abs(val) >= maxResultScale*3 {
		if val > 0 {
			return nil, errNumericFormat()
		}
		return &apd.Decimal{Exponent: int32(-scale)}, nil
	}
	return expFixed(d, val, scale), nil
}

// expFixed computes e^d in binary fixed point: the argument is halved until the series is short, and the result squared
// as often.
func expFixed(d *apd.Decimal, val float64, scale int) *apd.Decimal {
	const bitsPerDigit, guard, smallest = 3.3219280948873626, 64, 12
	halvings := smallest + max(0, int(math.Ceil(math.Log2(math.Abs(val)+1))))
	wide := uint(float64(scale)*bitsPerDigit + 2*max(val, 0)*1.4426950408889634 + guard + 2*float64(halvings))
	x := new(big.Int).Lsh(d.Coeff.MathBigInt(), wide)
	x.Quo(x, pow10(int(-d.Exponent)).MathBigInt())
	x.Rsh(x, uint(halvings))
	if d.Negative {
		x.Neg(x)
	}
	one := new(big.Int).Lsh(big.NewInt(1), wide)
	sum, term := new(big.Int).Set(one), new(big.Int).Set(one)
	var n big.Int
	for i := int64(1); ; i++ {
		term.Mul(term, x)
		term.Rsh(term, wide)
		term.Quo(term, n.SetInt64(i))
		if term.Sign() == 0 || i > 100_000 {
			break
		}
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
		sum.Rsh(sum, wide)
	}
	sum.Mul(sum, pow10(scale).MathBigInt())
	sum.Add(sum, new(big.Int).Lsh(big.NewInt(1), wide-1))
	sum.Rsh(sum, wide)
	z := &apd.Decimal{Exponent: int32(-scale)}
	z.Coeff.SetMathBigInt(sum)
	return z
}

// isWhole says whether a finite number has no fraction.
func isWhole(d *apd.Decimal) bool {
	s, ok := NumericMinScale(d)
	return ok && s == 0
}

func isOdd(d *apd.Decimal) bool { return NumericTrunc(d, 0).Coeff.Bit(0) == 1 }

// NumericPower returns base raised to exp.
func NumericPower(base, exp *apd.Decimal) (*apd.Decimal, error) {
	if base.Form != apd.Finite || exp.Form != apd.Finite {
		return powerSpecial(base, exp)
	}
	if isZero(base) && exp.Negative {
		return nil, failure.New(failure.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	}
	whole := isWhole(exp)
	if base.Negative && !whole {
		return nil, failure.New(failure.InvalidArgumentForPowerFunction, "a negative number raised to a non-integer power yields a complex result")
	}
	if whole {
		if n, err := NumericToInt(exp, 32); err == nil {
			return powerInt(base, int(n))
		}
	}
	if isZero(base) {
		return &apd.Decimal{Exponent: -minSigDigits}, nil
	}
	negative := base.Negative && isOdd(exp)
	z, err := powerReal(NumericAbs(base), exp)
	if err != nil {
		return nil, err
	}
	z.Negative = negative && z.Coeff.Sign() != 0
	return z, checkNumeric(z)
}

func powerSpecial(base, exp *apd.Decimal) (*apd.Decimal, error) {
	one := NumericFromInt(1)
	switch {
	case isNaN(base):
		if isZero(exp) {
			return one, nil
		}
		return base, nil
	case isNaN(exp):
		if CompareNumeric(base, one) == 0 {
			return one, nil
		}
		return exp, nil
	case isInf(exp):
		size := CompareNumeric(NumericAbs(base), one)
		switch {
		case isZero(base) && exp.Negative:
			return nil, failure.New(failure.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
		case size == 0:
			return one, nil
		case (size > 0) == exp.Negative:
			return new(apd.Decimal), nil
		}
		return numericInf(false), nil
	case isZero(exp):
		return one, nil
	case !base.Negative:
		if exp.Negative {
			return new(apd.Decimal), nil
		}
		return numericInf(false), nil
	case !isWhole(exp):
		return nil, failure.New(failure.InvalidArgumentForPowerFunction, "a negative number raised to a non-integer power yields a complex result")
	case exp.Negative:
		return new(apd.Decimal), nil
	}
	return numericInf(isOdd(exp)), nil
}

// powerInt raises to an integer power.
func powerInt(base *apd.Decimal, exp int) (*apd.Decimal, error) {
	weight := 0.0 // of the result, about
	if !isZero(base) {
		digits, w := leadingDigits(NumericAbs(base), min(groupCount(base), 4))
		weight = float64(exp) * (math.Log10(digits) + float64(w))
	}
	scale := clampScale(minSigDigits, base)
	if weight > 3*32767*4 {
		return nil, errNumericFormat()
	}
	if !isZero(base) && exp != 0 && (weight+1 < float64(-scale) || weight+1 < -maxDisplayScale) {
		return &apd.Decimal{Exponent: int32(-scale)}, nil
	}
	switch {
	case exp == 0:
		return toScale(NumericFromInt(1), scale), nil
	case isZero(base):
		return &apd.Decimal{Exponent: int32(-scale)}, nil
	case exp == -1:
		return divRound(NumericFromInt(1), base, scale), nil
	}
	sig := max(scale+int(weight), 0)
	ctx := transContext(sig + int(math.Log(math.Abs(float64(exp)))) + 10)
	z, sq := apd.New(1, 0), new(apd.Decimal).Set(base)
	for n := abs64(int64(exp)); n > 0; n >>= 1 {
		if n&1 == 1 {
			if _, err := ctx.Mul(z, z, sq); err != nil {
				return nil, errNumericFormat()
			}
		}
		if n > 1 {
			if _, err := ctx.Mul(sq, sq, sq); err != nil {
				return nil, errNumericFormat()
			}
		}
	}
	if exp < 0 {
		if _, err := ctx.Quo(z, apd.New(1, 0), z); err != nil {
			return nil, errNumericFormat()
		}
	}
	r := toScale(z, scale)
	return r, checkNumeric(r)
}

// powerReal computes e^(exp × ln(base)).
func powerReal(base, exp *apd.Decimal) (*apd.Decimal, error) {
	lw := lnWeight(base)
	roughScale := max(8-lw, 0)
	rough, err := lnDigits(base, roughScale)
	if err != nil {
		return nil, err
	}
	var product apd.Decimal
	rough = toScale(rough, roughScale)
	product.Coeff.Mul(&rough.Coeff, &exp.Coeff)
	product.Exponent, product.Negative = rough.Exponent+exp.Exponent, rough.Negative != exp.Negative
	val, _ := toScale(&product, roughScale).Float64()
	if math.Abs(val) > maxResultScale*3.01 {
		if val > 0 {
			return nil, errNumericFormat()
		}
		return &apd.Decimal{Exponent: -maxDisplayScale}, nil
	}
	val *= 0.434294481903252
	scale := clampScale(minSigDigits-int(val), base, exp)
	sig := max(scale+int(val), 0)
	ln, err := lnDigits(base, sig-lw+8)
	if err != nil {
		return nil, err
	}
	p := new(apd.Decimal)
	if _, err := transContext(sig+20).Mul(p, ln, exp); err != nil {
		return nil, errNumericFormat()
	}
	return expScaled(p, scale)
}
