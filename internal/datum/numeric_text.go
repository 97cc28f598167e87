package datum

import (
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// PostgreSQL's limits on numeric: digits before the decimal point, and after it.
const (
	NumericMaxDigits = 131072
	NumericMaxScale  = 16383
)

func errNumericFormat() *failure.Error {
	return failure.New(failure.NumericValueOutOfRange, "value overflows numeric format")
}

// ParseNumeric converts the text form of a numeric. The result's exponent is never positive: it is the display scale,
// negated.
func ParseNumeric(s string) (*apd.Decimal, error) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	v := s[i:]
	d, exp, n := scanNumeric(v)
	for ; n > 0 && n < len(v); n++ {
		if !isSpace(v[n]) {
			n = 0
			break
		}
	}
	if n == 0 {
		return nil, errSyntax("numeric", s)
	}
	if d.Form != apd.Finite {
		return d, nil
	}
	return d, scaleNumeric(d, exp)
}

// scanNumeric reads a number from the start of v and returns its length, 0 when there is none. The exponent is still to
// be applied; a huge one stands for overflow.
func scanNumeric(v string) (d *apd.Decimal, exp, n int) {
	d = new(apd.Decimal)
	if f, n := specialFloat(v); n > 0 {
		switch {
		case f != f:
			if !isAlpha(v[0]) { // a sign before NaN
				return nil, 0, 0
			}
			d.Form = apd.NaN
		default:
			d.Form, d.Negative = apd.Infinite, f < 0
		}
		return d, 0, n
	}
	i := 0
	if i < len(v) && (v[i] == '+' || v[i] == '-') {
		d.Negative = v[i] == '-'
		i++
	}
	start, point := i, -1
	var small uint64
	digits := 0
	for ; i < len(v); i++ {
		c := v[i]
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if !isDigit(c) {
			break
		}
		if digits++; digits <= 19 {
			small = small*10 + uint64(c-'0')
		}
	}
	if digits == 0 {
		return nil, 0, 0
	}
	end, scale := i, 0
	if point >= 0 {
		scale = end - point - 1
	}
	if n := exponentLen(v[i:], 'e'); n > 0 {
		e, err := strconv.Atoi(v[i+1 : i+n])
		if err != nil || e > 1<<30 || e < -(1<<30) {
			e, d.Coeff = 1<<30, *apd.NewBigInt(1)
			return d, e, i + n
		}
		exp = e
		i += n
	}
	if digits <= 19 {
		d.Coeff.SetUint64(small)
	} else {
		setDigits(d, v[start:end])
	}
	return d, exp - scale, i
}

// setDigits sets the coefficient from a string of digits with at most one point in it.
func setDigits(d *apd.Decimal, s string) {
	buf := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '.' {
			buf = append(buf, s[i])
		}
	}
	d.Coeff.SetString(string(buf), 10)
}

// scaleNumeric gives d, whose coefficient is set, the exponent exp, within PostgreSQL's limits.
func scaleNumeric(d *apd.Decimal, exp int) error {
	if d.Coeff.Sign() == 0 {
		d.Negative = false
		if exp > 0 {
			exp = 0
		}
	} else if exp > NumericMaxDigits {
		return errNumericFormat()
	}
	if exp < -NumericMaxScale {
		return errNumericFormat()
	}
	if exp > 0 {
		var p apd.BigInt
		p.Exp(apd.NewBigInt(10), apd.NewBigInt(int64(exp)), nil)
		d.Coeff.Mul(&d.Coeff, &p)
		exp = 0
	}
	d.Exponent = int32(exp)
	return checkNumeric(d)
}

// checkNumeric refuses numbers with too many digits before the point.
func checkNumeric(d *apd.Decimal) error {
	if d.Coeff.IsUint64() {
		return nil
	}
	if d.Coeff.BitLen() < 3*NumericMaxDigits && d.Exponent > -NumericMaxScale-1 {
		return nil
	}
	if d.NumDigits()+int64(d.Exponent) > NumericMaxDigits || d.Exponent < -NumericMaxScale {
		return errNumericFormat()
	}
	return nil
}

// AppendNumeric appends the text form of a numeric with all digits of its display scale.
func AppendNumeric(b []byte, d *apd.Decimal) []byte {
	switch {
	case d.Form == apd.Infinite && d.Negative:
		return append(b, "-Infinity"...)
	case d.Form == apd.Infinite:
		return append(b, "Infinity"...)
	case d.Form != apd.Finite:
		return append(b, "NaN"...)
	}
	if d.Negative && d.Coeff.Sign() != 0 {
		b = append(b, '-')
	}
	if d.Exponent >= 0 {
		b = appendCoeff(b, d)
		if d.Coeff.Sign() != 0 {
			for range d.Exponent {
				b = append(b, '0')
			}
		}
		return b
	}
	scale := int(-d.Exponent)
	start := len(b)
	b = appendCoeff(b, d)
	n := len(b) - start
	if n <= scale { // 0.00…digits
		pad := scale - n + 1
		for range pad {
			b = append(b, '0')
		}
		copy(b[start+pad:], b[start:start+n])
		for i := range pad {
			b[start+i] = '0'
		}
	}
	b = append(b, 0)
	point := len(b) - 1 - scale
	copy(b[point+1:], b[point:])
	b[point] = '.'
	return b
}

func appendCoeff(b []byte, d *apd.Decimal) []byte {
	if d.Coeff.IsUint64() {
		return strconv.AppendUint(b, d.Coeff.Uint64(), 10)
	}
	return d.Coeff.Append(b, 10)
}
