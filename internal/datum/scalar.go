package datum

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// trimSpace removes C's white space from both ends.
func trimSpace(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// errSyntax is the error of every input function that does not understand its input.
func errSyntax(typ, s string) *failure.Error {
	return failure.New(failure.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", typ, s)
}

func errRange(typ, s string) *failure.Error {
	return failure.New(failure.NumericValueOutOfRange, "value \"%s\" is out of range for type %s", s, typ)
}

func parseBool(s string) (Datum, error) {
	v := trimSpace(s)
	prefix := func(word string, least int) bool {
		return len(v) >= least && len(v) <= len(word) && hasPrefixFold(word, v)
	}
	switch {
	case prefix("true", 1), prefix("yes", 1), prefix("on", 2), v == "1":
		return NewBool(true), nil
	case prefix("false", 1), prefix("no", 1), prefix("off", 2), v == "0":
		return NewBool(false), nil
	}
	return Null, errSyntax("boolean", s)
}

func parseInt(s string, bits int, name string) (Datum, error) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	neg := false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	if i == len(s) || !isDigit(s[i]) {
		return Null, errSyntax(name, s)
	}
	limit := uint64(1)<<(bits-1) - 1 // of the magnitude
	if neg {
		limit++
	}
	var u uint64
	for ; i < len(s) && isDigit(s[i]); i++ {
		if u > (math.MaxUint64-9)/10 {
			return Null, errRange(name, s)
		}
		if u = u*10 + uint64(s[i]-'0'); u > limit {
			return Null, errRange(name, s)
		}
	}
	for ; i < len(s); i++ {
		if !isSpace(s[i]) {
			return Null, errSyntax(name, s)
		}
	}
	if neg {
		return NewInt(-int64(u)), nil
	}
	return NewInt(int64(u)), nil
}

// parseOid accepts the unsigned numbers of 32 bits, and negative ones as their complements.
func parseOid(s, name string) (Datum, error) {
	v := trimSpace(s)
	neg := strings.HasPrefix(v, "-")
	digits := strings.TrimPrefix(v, "-")
	if !neg {
		digits = strings.TrimPrefix(v, "+")
	}
	if digits == "" || !isDigit(digits[0]) {
		return Null, errSyntax(name, s)
	}
	u, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		for i := 0; i < len(digits); i++ {
			if !isDigit(digits[i]) {
				return Null, errSyntax(name, s)
			}
		}
		return Null, errRange(name, s)
	}
	if neg && u <= 1<<31 {
		return NewInt(int64(uint32(-u))), nil
	}
	if neg || u > math.MaxUint32 {
		return Null, errRange(name, s)
	}
	return NewInt(int64(u)), nil
}

// parseXid reads what C's strtoul makes of the text: anything at all.
func parseXid(s string) Datum {
	v := strings.TrimLeft(s, " \t\n\v\f\r")
	n := 0
	for n < len(v) && isDigit(v[n]) {
		n++
	}
	u, _ := strconv.ParseUint(v[:n], 0, 64)
	return NewInt(int64(uint32(u)))
}

func parseXid8(s string) (Datum, error) {
	v := strings.TrimLeft(s, " \t\n\v\f\r")
	n := 0
	for n < len(v) && isDigit(v[n]) {
		n++
	}
	u, _ := strconv.ParseUint(v[:n], 0, 64)
	return NewInt(int64(u)), nil
}

func parseLSN(s string) (Datum, error) {
	hi, lo, ok := strings.Cut(s, "/")
	h, err1 := strconv.ParseUint(hi, 16, 32)
	l, err2 := strconv.ParseUint(lo, 16, 32)
	if !ok || err1 != nil || err2 != nil || len(hi) > 8 || len(lo) > 8 {
		return Null, errSyntax("pg_lsn", s)
	}
	return NewInt(int64(h<<32 | l)), nil
}

func parseTid(s string) (Datum, error) {
	var ok bool
	block, offset := "", ""
	if len(s) > 2 && s[0] == '(' && s[len(s)-1] == ')' {
		block, offset, ok = strings.Cut(s[1:len(s)-1], ",")
	}
	_, err1 := strconv.ParseUint(block, 10, 32)
	_, err2 := strconv.ParseUint(offset, 10, 16)
	if !ok || err1 != nil || err2 != nil {
		return Null, errSyntax("tid", s)
	}
	return NewText(s), nil
}

// TruncateName cuts an identifier to 63 bytes at a character's edge.
func TruncateName(s string) string {
	if len(s) < 64 {
		return s
	}
	n := 63
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// truncateChar is the value of a "char": one byte, in the form \ooo when it is not ASCII.
func truncateChar(s string) string {
	switch {
	case len(s) == 4 && s[0] == '\\' && isOctal(s[1]) && isOctal(s[2]) && isOctal(s[3]):
		return s
	case s != "" && s[0] >= 0x80:
		return string([]byte{'\\', '0' + s[0]>>6, '0' + s[0]>>3&7, '0' + s[0]&7})
	case len(s) > 1:
		return s[:1]
	}
	return s
}

// floatLen returns the length of the longest prefix of s that C's strtod reads, and whether it is hexadecimal.
func floatLen(s string) (n int, hex bool) {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if len(s) > i+2 && s[i] == '0' && lower(s[i+1]) == 'x' {
		if n := hexFloatLen(s, i+2); n > 0 {
			return n, true
		}
	}
	digits := 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		i++
		for ; i < len(s) && isDigit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return 0, false
	}
	return i + exponentLen(s[i:], 'e'), false
}

func exponentLen(s string, mark byte) int {
	if len(s) == 0 || lower(s[0]) != mark {
		return 0
	}
	i := 1
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if i == len(s) || !isDigit(s[i]) {
		return 0
	}
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

func hexFloatLen(s string, i int) int {
	digits := 0
	for ; i < len(s) && unhex(s[i]) >= 0; i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		i++
		for ; i < len(s) && unhex(s[i]) >= 0; i++ {
			digits++
		}
	}
	if digits == 0 {
		return 0
	}
	return i + exponentLen(s[i:], 'p')
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func parseFloat(s string, bits int) (Datum, error) {
	name := "double precision"
	if bits == 32 {
		name = "real"
	}
	v := s
	for len(v) > 0 && isSpace(v[0]) {
		v = v[1:]
	}
	n, hex := floatLen(v)
	var f float64
	if n == 0 {
		if f, n = specialFloat(v); n == 0 {
			return Null, errSyntax(name, s)
		}
	} else {
		num := v[:n]
		if hex && !strings.ContainsAny(num, "pP") {
			num += "p0"
		}
		var err error
		f, err = strconv.ParseFloat(num, bits)
		if err != nil || f == 0 && hasDigit(num, hex) {
			return Null, failure.New(failure.NumericValueOutOfRange, "\"%s\" is out of range for type %s", v[:n], name)
		}
	}
	for i := n; i < len(v); i++ {
		if !isSpace(v[i]) {
			return Null, errSyntax(name, s)
		}
	}
	return NewFloat(f), nil
}

// hasDigit says whether the mantissa of a number has a digit other than zero: then a result of zero is an underflow.
func hasDigit(num string, hex bool) bool {
	if hex {
		_, num, _ = strings.Cut(strings.ToLower(num), "x")
	}
	for i := 0; i < len(num); i++ {
		c := lower(num[i])
		if c == 'p' || c == 'e' && !hex {
			return false
		}
		if c != '0' && unhex(c) >= 0 {
			return true
		}
	}
	return false
}

func specialFloat(v string) (float64, int) {
	body, sign := v, 1
	if v != "" && (v[0] == '-' || v[0] == '+') {
		if v[0] == '-' {
			sign = -1
		}
		body = v[1:]
	}
	used := len(v) - len(body)
	switch {
	case hasPrefixFold(body, "infinity"):
		return math.Inf(sign), used + len("infinity")
	case hasPrefixFold(body, "inf"):
		return math.Inf(sign), used + len("inf")
	case hasPrefixFold(body, "nan"):
		return math.NaN(), used + len("nan")
	}
	return 0, 0
}

// AppendFloat8 appends a float8 as PostgreSQL prints it. Digits is Env.FloatDigits.
func AppendFloat8(b []byte, f float64, digits int) []byte { return appendFloat(b, f, 64, digits) }

// AppendFloat4 appends a float4 as PostgreSQL prints it.
func AppendFloat4(b []byte, f float64, digits int) []byte { return appendFloat(b, f, 32, digits) }

func appendFloat(b []byte, f float64, bits, digits int) []byte {
	switch {
	case f != f:
		return append(b, "NaN"...)
	case f > math.MaxFloat64:
		return append(b, "Infinity"...)
	case f < -math.MaxFloat64:
		return append(b, "-Infinity"...)
	case f == 0:
		if math.Signbit(f) {
			b = append(b, '-')
		}
		return append(b, '0')
	}
	precision, plain := -1, 15
	if bits == 32 {
		plain = 6
	}
	if digits < 0 { // as printf's %.*g
		precision = max(plain+digits+1, 1)
		plain = precision
	}
	var buf [32]byte
	var sci []byte
	if precision < 0 {
		sci = shortest(buf[:0], f, bits)
	} else {
		sci = strconv.AppendFloat(buf[:0], f, 'e', precision-1, bits)
	}
	return layoutFloat(b, sci, plain)
}

// shortest is strconv's shortest form, except that it never prints a number that lies exactly half way to the next
// float, although that would read back correctly when the last bit is even: PostgreSQL does not rely on it.
func shortest(b []byte, f float64, bits int) []byte {
	sci := strconv.AppendFloat(b, f, 'e', -1, bits)
	abs := math.Abs(f)
	if bits == 64 && abs < 1<<49 || bits == 32 && abs < 1<<20 || abs > 1e40 {
		return sci // half-way points have more digits than are ever printed
	}
	for digits := len(sci); digits < len(sci)+4 && halfWay(sci, abs, bits); digits++ {
		mantissa := 0
		for _, c := range sci {
			if c == 'e' {
				break
			}
			if isDigit(c) {
				mantissa++
			}
		}
		sci = strconv.AppendFloat(b[:0], f, 'e', mantissa, bits)
	}
	return sci
}

// halfWay says whether the printed number is exactly between abs and one of its neighbours.
func halfWay(sci []byte, abs float64, bits int) bool {
	printed, _, err := big.ParseFloat(strings.TrimPrefix(string(sci), "-"), 10, 400, big.ToNearestEven)
	if err != nil {
		return false
	}
	up, down := math.Nextafter(abs, math.Inf(1)), math.Nextafter(abs, 0)
	if bits == 32 {
		up = float64(math.Nextafter32(float32(abs), float32(math.Inf(1))))
		down = float64(math.Nextafter32(float32(abs), 0))
	}
	for _, next := range []float64{up, down} {
		mid := new(big.Float).SetPrec(400).SetFloat64(abs)
		mid.Add(mid, big.NewFloat(next))
		mid.Quo(mid, big.NewFloat(2))
		if mid.Cmp(printed) == 0 {
			return true
		}
	}
	return false
}

// layoutFloat turns d.ddde±xx into PostgreSQL's form: plain for exponents of -4 up to plain, scientific otherwise.
func layoutFloat(b, sci []byte, plain int) []byte {
	if sci[0] == '-' {
		b = append(b, '-')
		sci = sci[1:]
	}
	var buf [24]byte
	digits := append(buf[:0], sci[0])
	i := 1
	if sci[i] == '.' {
		for i++; sci[i] != 'e'; i++ {
			digits = append(digits, sci[i])
		}
	}
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	neg, exp := sci[i+1] == '-', 0
	for _, c := range sci[i+2:] {
		exp = exp*10 + int(c-'0')
	}
	if neg {
		exp = -exp
	}
	switch {
	case exp < -4 || exp >= plain:
		b = append(b, digits[0])
		if len(digits) > 1 {
			b = append(b, '.')
			b = append(b, digits[1:]...)
		}
		b = append(b, 'e')
		return append(b, sci[i+1:]...)
	case exp < 0:
		b = append(b, "0.0000"[:1-exp]...)
		return append(b, digits...)
	case exp+1 >= len(digits):
		b = append(b, digits...)
		for range exp + 1 - len(digits) {
			b = append(b, '0')
		}
		return b
	}
	b = append(b, digits[:exp+1]...)
	b = append(b, '.')
	return append(b, digits[exp+1:]...)
}

func parseBytea(s string) (Datum, error) {
	if strings.HasPrefix(s, `\x`) {
		b, err := parseHexBytes(s[2:])
		if err != nil {
			return Null, err
		}
		return NewBytes(b), nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			b = append(b, s[i])
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && isOctal(s[i+2]) && isOctal(s[i+3]):
			b = append(b, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 3
		case i+1 < len(s) && s[i+1] == '\\':
			b = append(b, '\\')
			i++
		default:
			return Null, failure.New(failure.InvalidTextRepresentation, "invalid input syntax for type bytea")
		}
	}
	return NewBytes(b), nil
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func parseHexBytes(s string) ([]byte, error) {
	b := make([]byte, 0, len(s)/2)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			continue
		}
		hi := unhex(c)
		if hi < 0 {
			return nil, errHexDigit(s[i:])
		}
		if i++; i == len(s) {
			return nil, failure.New(failure.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
		}
		lo := unhex(s[i])
		if lo < 0 {
			return nil, errHexDigit(s[i:])
		}
		b = append(b, byte(hi<<4|lo))
	}
	return b, nil
}

func errHexDigit(s string) error {
	_, n := utf8.DecodeRuneInString(s)
	return failure.New(failure.InvalidParameterValue, "invalid hexadecimal digit: \"%s\"", s[:n])
}

const hexDigits = "0123456789abcdef"

func appendBytea(b, v []byte, escape bool) []byte {
	if !escape {
		b = append(b, '\\', 'x')
		for _, c := range v {
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		}
		return b
	}
	for _, c := range v {
		switch {
		case c == '\\':
			b = append(b, '\\', '\\')
		case c < 0x20 || c > 0x7e:
			b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			b = append(b, c)
		}
	}
	return b
}

func parseUUID(s string) (Datum, error) {
	v := s
	braces := strings.HasPrefix(v, "{")
	if braces {
		v = v[1:]
	}
	u := make([]byte, 16)
	for i := range u {
		if len(v) < 2 {
			return Null, errSyntax("uuid", s)
		}
		hi, lo := unhex(v[0]), unhex(v[1])
		if hi < 0 || lo < 0 {
			return Null, errSyntax("uuid", s)
		}
		u[i] = byte(hi<<4 | lo)
		v = v[2:]
		if i%2 == 1 && i < 15 && strings.HasPrefix(v, "-") {
			v = v[1:]
		}
	}
	if braces != strings.HasPrefix(v, "}") || len(v) > 0 && v != "}" {
		return Null, errSyntax("uuid", s)
	}
	return NewUUIDBytes(u), nil
}

func appendUUID(b, u []byte) []byte {
	for i, c := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}
