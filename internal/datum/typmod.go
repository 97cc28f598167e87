package datum

import (
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// ApplyTypmod fits a value to the modifier of its type: lengths of character and bit strings, precision and scale of
// numerics, digits of seconds. explicit is a cast, which cuts what is too long; an assignment answers 22001 instead.
func ApplyTypmod(t Type, d Datum, explicit bool) (Datum, error) {
	if t.Mod < 0 || d.k == KindNull {
		return d, nil
	}
	switch t.OID {
	case OIDVarchar:
		return fitVarchar(d, int(t.Mod)-4, explicit)
	case OIDBpchar:
		return fitBpchar(d, int(t.Mod)-4, explicit)
	case OIDNumeric:
		if t.Mod < 4 || d.k != KindNumeric {
			return d, nil
		}
		v, err := FitNumeric(d.Numeric(), t.Mod)
		if err != nil {
			return Null, err
		}
		if v == d.Numeric() {
			return d, nil
		}
		return NewNumeric(v), nil
	case OIDTime:
		return NewTime(roundMicros(d.Int(), int(t.Mod))), nil
	case OIDTimeTZ:
		v := d.TimeTZ()
		v.Micros = roundMicros(v.Micros, int(t.Mod))
		return NewTimeTZ(v), nil
	case OIDTimestamp, OIDTimestampTZ:
		us := d.Int()
		if us == TimestampInfinity || us == TimestampNegInfinity || t.Mod >= 6 {
			return d, nil
		}
		us = roundMicros(us, int(t.Mod))
		if !ValidTimestamp(us) {
			return Null, failure.New(failure.DatetimeValueOutOfRange, "timestamp out of range")
		}
		d.n = uint64(us)
		return d, nil
	case OIDInterval:
		v := d.Interval()
		fit := fitInterval(v, t.Mod)
		if fit == v {
			return d, nil
		}
		return NewInterval(fit), nil
	case OIDBit, OIDVarbit:
		return fitBits(d, t, explicit)
	}
	if d.k == KindArray {
		return fitArray(t, d, explicit)
	}
	return d, nil
}

func fitArray(t Type, d Datum, explicit bool) (Datum, error) {
	a := d.Array()
	elem := Type{OID: ElemOf(t.OID), Mod: t.Mod}
	out := &Array{ElemType: a.ElemType, Dims: a.Dims, Elems: make([]Datum, len(a.Elems))}
	for i, e := range a.Elems {
		v, err := ApplyTypmod(elem, e, explicit)
		if err != nil {
			return Null, err
		}
		out.Elems[i] = v
	}
	return NewArray(out), nil
}

// runePrefix returns the length in bytes of the first n characters, and how many characters s has up to n.
func runePrefix(s string, n int) (bytes, runes int) {
	if len(s) <= n {
		return len(s), utf8.RuneCountInString(s)
	}
	for bytes < len(s) && runes < n {
		_, size := utf8.DecodeRuneInString(s[bytes:])
		bytes += size
		runes++
	}
	return bytes, runes
}

func errTooLong(typ string, n int) error {
	return failure.New(failure.StringDataRightTruncation, "value too long for type %s(%d)", typ, n)
}

func onlySpaces(s string) bool { return strings.TrimLeft(s, " ") == "" }

func fitVarchar(d Datum, n int, explicit bool) (Datum, error) {
	s := d.Text()
	if len(s) <= n {
		return d, nil
	}
	cut, _ := runePrefix(s, n)
	if cut == len(s) {
		return d, nil
	}
	if !explicit && !onlySpaces(s[cut:]) {
		return Null, errTooLong("character varying", n)
	}
	return NewText(s[:cut]), nil
}

func fitBpchar(d Datum, n int, explicit bool) (Datum, error) {
	s := d.Text()
	cut, runes := runePrefix(s, n)
	if cut < len(s) {
		if !explicit && !onlySpaces(s[cut:]) {
			return Null, errTooLong("character", n)
		}
		return NewText(s[:cut]), nil
	}
	if runes == n {
		return d, nil
	}
	b := make([]byte, len(s), len(s)+n-runes)
	copy(b, s)
	for range n - runes {
		b = append(b, ' ')
	}
	return NewTextBytes(b), nil
}

// FitNumeric rounds a numeric to the scale of the modifier and checks its precision.
func FitNumeric(d *apd.Decimal, mod int32) (*apd.Decimal, error) {
	precision, scale := NumericTypmod(mod)
	overflow := failure.New(failure.NumericValueOutOfRange, "numeric field overflow")
	if d.Form != apd.Finite {
		if d.Form == apd.Infinite {
			return nil, overflow.WithDetail("A field with precision %d, scale %d cannot hold an infinite value.", precision, scale)
		}
		return d, nil
	}
	v := RoundNumeric(d, scale)
	whole := precision - scale // digits allowed before the point
	if v.Coeff.Sign() != 0 && int(v.NumDigits())+int(v.Exponent) > whole {
		power, digits := "10^", whole
		if whole == 0 {
			power, digits = "", 1
		}
		return nil, overflow.WithDetail("A field with precision %d, scale %d must round to an absolute value less than %s%d.",
			precision, scale, power, digits)
	}
	return v, nil
}

// RoundNumeric rounds a finite numeric half away from zero to a scale, which may be negative; the result's display scale
// is max(scale, 0). It returns d itself when nothing changes.
func RoundNumeric(d *apd.Decimal, scale int) *apd.Decimal {
	if d.Form != apd.Finite || int(d.Exponent) == -scale {
		return d
	}
	v := new(apd.Decimal)
	v.Negative = d.Negative
	drop := -int(d.Exponent) - scale
	if drop < 0 { // more digits: zeros
		v.Coeff.Mul(&d.Coeff, pow10(-drop))
		v.Exponent = int32(-scale)
	} else {
		divideHalfUp(&v.Coeff, &d.Coeff, drop)
		v.Exponent = int32(-scale)
	}
	if v.Coeff.Sign() == 0 {
		v.Negative = false
	}
	if v.Exponent > 0 {
		v.Coeff.Mul(&v.Coeff, pow10(int(v.Exponent)))
		v.Exponent = 0
	}
	return v
}

// divideHalfUp sets q to c/10^n, rounded half up.
func divideHalfUp(q, c *apd.BigInt, n int) {
	if n <= 18 && c.IsUint64() {
		u, p := c.Uint64(), uint64pow10(n)
		r := u % p
		u /= p
		if r >= p-r {
			u++
		}
		q.SetUint64(u)
		return
	}
	var r apd.BigInt
	p := pow10(n)
	q.QuoRem(c, p, &r)
	r.Lsh(&r, 1)
	if r.Cmp(p) >= 0 {
		q.Add(q, apd.NewBigInt(1))
	}
}

func uint64pow10(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

// pow10 returns a new 10^n.
func pow10(n int) *apd.BigInt {
	p := new(apd.BigInt)
	if n <= 18 {
		return p.SetUint64(uint64pow10(n))
	}
	return p.Exp(apd.NewBigInt(10), apd.NewBigInt(int64(n)), nil)
}

// roundMicros rounds to so many digits of a second, half away from zero.
func roundMicros(us int64, digits int) int64 {
	if digits >= 6 || digits < 0 {
		return us
	}
	scale := int64(uint64pow10(6 - digits))
	if us >= 0 {
		return (us + scale/2) / scale * scale
	}
	return -((-us + scale/2) / scale * scale)
}

func fitInterval(v Interval, mod int32) Interval {
	fields, digits := int(mod>>16)&0x7fff, int(mod)&0xffff
	switch fields {
	case intervalMaskYear:
		v = Interval{Months: v.Months / monthsPerYear * monthsPerYear}
	case intervalMaskMonth, intervalMaskYear | intervalMaskMonth:
		v = Interval{Months: v.Months}
	case intervalMaskDay:
		v.Micros = 0
	case intervalMaskHour, intervalMaskDay | intervalMaskHour:
		v.Micros = v.Micros / microsPerHour * microsPerHour
	case intervalMaskMinute, intervalMaskHour | intervalMaskMinute, intervalMaskDay | intervalMaskHour | intervalMaskMinute:
		v.Micros = v.Micros / microsPerMinute * microsPerMinute
	}
	if digits != intervalFullPrecision {
		v.Micros = roundMicros(v.Micros, digits)
	}
	return v
}

func fitBits(d Datum, t Type, explicit bool) (Datum, error) {
	v, n := d.Bits(), int(t.Mod)
	if v.N == n || t.OID == OIDVarbit && v.N <= n {
		return d, nil
	}
	if !explicit {
		if t.OID == OIDVarbit {
			return Null, failure.New(failure.StringDataRightTruncation, "bit string too long for type bit varying(%d)", n)
		}
		return Null, failure.New(failure.StringDataLengthMismatch, "bit string length %d does not match type bit(%d)", v.N, n)
	}
	out := Bits{N: n, B: make([]byte, (n+7)/8)}
	copy(out.B, v.B)
	if n < v.N {
		out.clearTail()
	}
	return NewBits(out), nil
}

// clearTail zeroes the unused bits of the last byte.
func (v Bits) clearTail() {
	if r := v.N % 8; r != 0 {
		v.B[len(v.B)-1] &= 0xff << (8 - r)
	}
}
