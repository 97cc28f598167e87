package keys

import (
	"encoding/binary"
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// The first byte of an encoded value tells what follows, so that a value can be skipped without knowing its type. All
// tags lie strictly between the two NULL markers, and so do their complements: a descending value is the ascending one
// with every byte inverted.
const (
	markNullFirst = 0x00
	tagFalse      = 0x01
	tagTrue       = 0x02
	tagNegInf     = 0x08 // decimals: six classes in order
	tagNegative   = 0x09
	tagZero       = 0x0a
	tagPositive   = 0x0b
	tagPosInf     = 0x0c
	tagNaN        = 0x0d
	tagFloat      = 0x10
	tagUUID       = 0x11
	tagBytes      = 0x12
	tagFixed16    = 0x13
	tagList       = 0x14
	tagIntNeg     = 0x18 // 0x18..0x1f: negative in 8..1 bytes
	tagInt        = 0x20 // 0x20..0xf0: 0..208 in the tag itself
	tagIntPos     = 0xf0 // 0xf1..0xf8: positive in 1..8 bytes
	markNullLast  = 0xff
)

const intInline = tagIntPos - tagInt

// The two bytes after a zero byte inside text: an escaped zero, or the end.
const (
	escapedZero = 0xff
	textEnd     = 0x01
)

// listEnd ends a list; it is below every element, so that a list sorts before its extensions.
const listEnd = 0x00

// errCorrupt is what the decoders of this package answer to bytes that no encoder wrote.
var errCorrupt = failure.New(failure.DataCorrupted, "corrupted key encoding")

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

func maskOf(desc bool) byte {
	if desc {
		return 0xff
	}
	return 0
}

// AppendNull appends the marker of NULL, which sorts before or after every value, ascending or descending.
func AppendNull(b []byte, first bool) []byte {
	if first {
		return append(b, markNullFirst)
	}
	return append(b, markNullLast)
}

// IsNull says whether an encoded value starts with a NULL marker, of either side.
func IsNull(b []byte) bool { return len(b) > 0 && (b[0] == markNullFirst || b[0] == markNullLast) }

// AppendBool appends a boolean, false before true.
func AppendBool(b []byte, v, desc bool) []byte {
	tag := byte(tagFalse)
	if v {
		tag = tagTrue
	}
	return append(b, tag^maskOf(desc))
}

// DecodeBool reads what AppendBool wrote.
func DecodeBool(b []byte, desc bool) (v bool, rest []byte, err error) {
	if len(b) == 0 {
		return false, nil, errCorrupt
	}
	switch b[0] ^ maskOf(desc) {
	case tagFalse:
		return false, b[1:], nil
	case tagTrue:
		return true, b[1:], nil
	}
	return false, nil, errCorrupt
}

// AppendInt appends an integer in 1 to 9 bytes; small ones are short.
func AppendInt(b []byte, v int64, desc bool) []byte {
	start := len(b)
	switch {
	case v < 0:
		n := 1
		for n < 8 && v < -(1<<(8*n)) {
			n++
		}
		b = append(b, byte(tagInt-n))
		b = appendLow(b, uint64(v), n)
	case v <= intInline:
		b = append(b, byte(tagInt+v))
	default:
		n := 1
		for n < 8 && uint64(v)>>(8*n) != 0 {
			n++
		}
		b = append(b, byte(tagIntPos+n))
		b = appendLow(b, uint64(v), n)
	}
	if desc {
		invert(b[start:])
	}
	return b
}

func appendLow(b []byte, v uint64, n int) []byte {
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// DecodeInt reads what AppendInt wrote.
func DecodeInt(b []byte, desc bool) (v int64, rest []byte, err error) {
	if len(b) == 0 {
		return 0, nil, errCorrupt
	}
	m := maskOf(desc)
	tag := int(b[0] ^ m)
	switch {
	case tag >= tagInt && tag <= tagIntPos:
		return int64(tag - tagInt), b[1:], nil
	case tag >= tagIntNeg && tag < tagInt:
		n := tagInt - tag
		if len(b) <= n {
			return 0, nil, errCorrupt
		}
		u := ^uint64(0)
		for _, c := range b[1 : 1+n] {
			u = u<<8 | uint64(c^m)
		}
		if int64(u) >= 0 {
			return 0, nil, errCorrupt
		}
		return int64(u), b[1+n:], nil
	case tag > tagIntPos && tag <= tagIntPos+8:
		n := tag - tagIntPos
		if len(b) <= n {
			return 0, nil, errCorrupt
		}
		u := uint64(0)
		for _, c := range b[1 : 1+n] {
			u = u<<8 | uint64(c^m)
		}
		if int64(u) < 0 {
			return 0, nil, errCorrupt
		}
		return int64(u), b[1+n:], nil
	}
	return 0, nil, errCorrupt
}

// AppendFloat appends a float in PostgreSQL's order: NaN is the greatest, and both zeros are one value.
func AppendFloat(b []byte, f float64, desc bool) []byte {
	start := len(b)
	var u uint64
	switch {
	case f != f:
		u = math.MaxUint64
	case f == 0:
		u = 1 << 63
	default:
		if u = math.Float64bits(f); u>>63 != 0 {
			u = ^u
		} else {
			u |= 1 << 63
		}
	}
	b = append(b, tagFloat)
	b = binary.BigEndian.AppendUint64(b, u)
	if desc {
		invert(b[start:])
	}
	return b
}

// DecodeFloat reads what AppendFloat wrote; a negative zero comes back positive.
func DecodeFloat(b []byte, desc bool) (f float64, rest []byte, err error) {
	if len(b) < 9 || b[0]^maskOf(desc) != tagFloat {
		return 0, nil, errCorrupt
	}
	u := binary.BigEndian.Uint64(b[1:])
	if desc {
		u = ^u
	}
	switch {
	case u == math.MaxUint64:
		return math.NaN(), b[9:], nil
	case u>>63 != 0:
		u &^= 1 << 63
	default:
		u = ^u
	}
	return math.Float64frombits(u), b[9:], nil
}

// AppendText appends characters in byte order. Inner zero bytes are escaped and the end is marked, so that a text sorts
// before its extensions whatever follows it in the key.
func AppendText[S string | []byte](b []byte, s S, desc bool) []byte {
	start := len(b)
	b = append(b, tagBytes)
	for from := 0; ; {
		i := from
		for i < len(s) && s[i] != 0 {
			i++
		}
		b = append(b, s[from:i]...)
		if i == len(s) {
			break
		}
		b = append(b, 0, escapedZero)
		from = i + 1
	}
	b = append(b, 0, textEnd)
	if desc {
		invert(b[start:])
	}
	return b
}

// DecodeText reads what AppendText wrote. The result aliases the key when it can: ascending and without zero bytes.
func DecodeText(b []byte, desc bool) (s, rest []byte, err error) {
	m := maskOf(desc)
	n, zeros, err := textLen(b, m)
	if err != nil {
		return nil, nil, err
	}
	body, rest := b[1:n-2], b[n:]
	if m == 0 && zeros == 0 {
		return body[:len(body):len(body)], rest, nil
	}
	s = make([]byte, 0, len(body)-zeros)
	for i := 0; i < len(body); i++ {
		c := body[i] ^ m
		s = append(s, c)
		if c == 0 {
			i++
		}
	}
	return s, rest, nil
}

// textLen returns the length of an encoded text with tag and terminator, and the number of zero bytes in it.
func textLen(b []byte, m byte) (n, zeros int, err error) {
	if len(b) == 0 || b[0]^m != tagBytes {
		return 0, 0, errCorrupt
	}
	for i := 1; i+1 < len(b); i++ {
		if b[i] != m { // not an encoded zero byte
			continue
		}
		switch b[i+1] ^ m {
		case textEnd:
			return i + 2, zeros, nil
		case escapedZero:
			zeros++
			i++
		default:
			return 0, 0, errCorrupt
		}
	}
	return 0, 0, errCorrupt
}

// AppendUUID appends 16 bytes.
func AppendUUID(b []byte, u []byte, desc bool) []byte { return appendFixed16(b, tagUUID, u, desc) }

// DecodeUUID reads what AppendUUID wrote.
func DecodeUUID(b []byte, desc bool) (u [16]byte, rest []byte, err error) {
	return decodeFixed16(b, tagUUID, desc)
}

// AppendInt128 appends a 128-bit signed integer given as its high and low half.
func AppendInt128(b []byte, hi int64, lo uint64, desc bool) []byte {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:], uint64(hi)^1<<63)
	binary.BigEndian.PutUint64(u[8:], lo)
	return appendFixed16(b, tagFixed16, u[:], desc)
}

// DecodeInt128 reads what AppendInt128 wrote.
func DecodeInt128(b []byte, desc bool) (hi int64, lo uint64, rest []byte, err error) {
	u, rest, err := decodeFixed16(b, tagFixed16, desc)
	if err != nil {
		return 0, 0, nil, err
	}
	return int64(binary.BigEndian.Uint64(u[:]) ^ 1<<63), binary.BigEndian.Uint64(u[8:]), rest, nil
}

func appendFixed16(b []byte, tag byte, u []byte, desc bool) []byte {
	start := len(b)
	b = append(b, tag)
	b = append(b, u[:16]...)
	if desc {
		invert(b[start:])
	}
	return b
}

func decodeFixed16(b []byte, tag byte, desc bool) (u [16]byte, rest []byte, err error) {
	if len(b) < 17 || b[0]^maskOf(desc) != tag {
		return u, nil, errCorrupt
	}
	copy(u[:], b[1:17])
	if desc {
		invert(u[:])
	}
	return u, b[17:], nil
}

// AppendListStart opens a list of encoded values (an array's elements). Elements are appended ascending, NULLs last;
// AppendListEnd closes the list.
func AppendListStart(b []byte) []byte { return append(b, tagList) }

// AppendListEnd closes what AppendListStart opened at index start of b, and turns the whole list round when desc.
func AppendListEnd(b []byte, start int, desc bool) []byte {
	b = append(b, listEnd)
	if desc {
		invert(b[start:])
	}
	return b
}

// DecodeList returns the encoded elements of a list, ascending and one after another, and the rest of the key. The
// elements alias b when it was ascending.
func DecodeList(b []byte, desc bool) (elems, rest []byte, err error) {
	rest, err = Skip(b, desc)
	if err != nil {
		return nil, nil, err
	}
	n := len(b) - len(rest)
	if b[0]^maskOf(desc) != tagList {
		return nil, nil, errCorrupt
	}
	elems = b[1 : n-1 : n-1]
	if desc {
		elems = append([]byte(nil), elems...)
		invert(elems)
	}
	return elems, rest, nil
}

// Skip returns what follows the first encoded value (or NULL marker) of b, whatever its type.
func Skip(b []byte, desc bool) (rest []byte, err error) {
	n, err := skipLen(b, maskOf(desc), 0)
	if err != nil {
		return nil, err
	}
	return b[n:], nil
}

const maxListDepth = 16

func skipLen(b []byte, m byte, depth int) (int, error) {
	if len(b) == 0 || depth > maxListDepth {
		return 0, errCorrupt
	}
	if depth == 0 && IsNull(b) {
		return 1, nil
	}
	n := 0
	switch tag := int(b[0] ^ m); {
	case tag == tagFalse, tag == tagTrue, tag == markNullLast,
		tag == tagNegInf, tag == tagZero, tag == tagPosInf, tag == tagNaN:
		n = 1
	case tag == tagNegative || tag == tagPositive:
		return decimalLen(b, m)
	case tag == tagFloat:
		n = 9
	case tag == tagUUID || tag == tagFixed16:
		n = 17
	case tag == tagBytes:
		n, _, err := textLen(b, m)
		return n, err
	case tag == tagList:
		return skipListLen(b, m, depth)
	case tag >= tagIntNeg && tag < tagInt:
		n = 1 + tagInt - tag
	case tag >= tagInt && tag <= tagIntPos:
		n = 1
	case tag > tagIntPos && tag <= tagIntPos+8:
		n = 1 + tag - tagIntPos
	default:
		return 0, errCorrupt
	}
	if n > len(b) {
		return 0, errCorrupt
	}
	return n, nil
}

func skipListLen(b []byte, m byte, depth int) (int, error) {
	n := 1
	for n < len(b) {
		if b[n]^m == listEnd {
			return n + 1, nil
		}
		k, err := skipLen(b[n:], m, depth+1)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return 0, errCorrupt
}

// AppendDecimal appends a decimal in numeric order. The display scale is not kept: 1.0 and 1.00 have one encoding.
//
// A finite number is 0.d1d2d3… × 10^e with d1 not zero: its sign's tag, e as an integer, then the digits two to a byte
// (plus one) without trailing zeros, then a zero byte; all but the tag inverted for negative numbers.
func AppendDecimal(b []byte, d *apd.Decimal, desc bool) []byte {
	start := len(b)
	switch {
	case d.Form == apd.NaN || d.Form == apd.NaNSignaling:
		b = append(b, tagNaN)
	case d.Form == apd.Infinite && d.Negative:
		b = append(b, tagNegInf)
	case d.Form == apd.Infinite:
		b = append(b, tagPosInf)
	case d.Coeff.Sign() == 0:
		b = append(b, tagZero)
	default:
		b = appendFinite(b, d)
	}
	if desc {
		invert(b[start:])
	}
	return b
}

func appendFinite(b []byte, d *apd.Decimal) []byte {
	var buf [40]byte
	digits := d.Coeff.Append(buf[:0], 10)
	exp := int64(len(digits)) + int64(d.Exponent)
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	tag := byte(tagPositive)
	if d.Negative {
		tag = tagNegative
	}
	b = append(b, tag)
	start := len(b)
	b = AppendInt(b, exp, false)
	for i := 0; i < len(digits); i += 2 {
		pair := (digits[i] - '0') * 10
		if i+1 < len(digits) {
			pair += digits[i+1] - '0'
		}
		b = append(b, pair+1)
	}
	b = append(b, 0)
	if d.Negative {
		invert(b[start:])
	}
	return b
}

// decimalLen is the length of a finite decimal that is not zero.
func decimalLen(b []byte, m byte) (int, error) {
	if b[0]^m == tagNegative {
		m = ^m
	}
	_, rest, err := DecodeInt(b[1:], m != 0)
	if err != nil {
		return 0, err
	}
	for i, c := range rest {
		if c^m == 0 {
			return len(b) - len(rest) + i + 1, nil
		}
	}
	return 0, errCorrupt
}

// DecodeDecimal reads what AppendDecimal wrote into d: the same number, with the smallest scale that holds it.
func DecodeDecimal(b []byte, d *apd.Decimal, desc bool) (rest []byte, err error) {
	if len(b) == 0 {
		return nil, errCorrupt
	}
	*d = apd.Decimal{}
	m := maskOf(desc)
	switch b[0] ^ m {
	case tagNaN:
		d.Form = apd.NaN
	case tagNegInf:
		d.Form, d.Negative = apd.Infinite, true
	case tagPosInf:
		d.Form = apd.Infinite
	case tagZero:
	case tagNegative:
		d.Negative = true
		return decodeFinite(b, d, ^m)
	case tagPositive:
		return decodeFinite(b, d, m)
	default:
		return nil, errCorrupt
	}
	return b[1:], nil
}

func decodeFinite(b []byte, d *apd.Decimal, m byte) (rest []byte, err error) {
	exp, rest, err := DecodeInt(b[1:], m != 0)
	if err != nil {
		return nil, err
	}
	var buf [40]byte
	digits := buf[:0]
	for {
		if len(rest) == 0 {
			return nil, errCorrupt
		}
		c := rest[0] ^ m
		rest = rest[1:]
		if c == 0 {
			break
		}
		if c > 100 {
			return nil, errCorrupt
		}
		digits = append(digits, '0'+(c-1)/10, '0'+(c-1)%10)
	}
	if len(digits) == 0 || digits[0] == '0' && len(digits) == 1 || len(digits) > 300_000 {
		return nil, errCorrupt
	}
	if digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	exp -= int64(len(digits))
	if exp > 200_000 || exp < -200_000 {
		return nil, errCorrupt
	}
	if exp > 0 { // numbers have no negative scale
		for ; exp > 0; exp-- {
			digits = append(digits, '0')
		}
	}
	if _, ok := d.Coeff.SetString(string(digits), 10); !ok {
		return nil, errCorrupt
	}
	d.Exponent = int32(exp)
	return rest, nil
}
