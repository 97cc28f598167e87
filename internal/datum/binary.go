package datum

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// AppendBinary appends the binary wire form of d, a value of type t that is not NULL, without the length that the
// protocol puts before it.
func AppendBinary(b []byte, t Type, d Datum) ([]byte, error) {
	return AppendBinaryIn(b, t, d, nil)
}

// AppendBinaryIn is AppendBinary with an Env, which knows users' types; nil is the default one.
func AppendBinaryIn(b []byte, t Type, d Datum, env *Env) ([]byte, error) {
	switch d.k {
	case KindBool:
		return append(b, byte(d.n)), nil
	case KindInt:
		switch t.OID {
		case OIDInt2:
			return binary.BigEndian.AppendUint16(b, uint16(d.n)), nil
		case OIDInt8, OIDXid8, OIDPgLSN, OIDMoney:
			return binary.BigEndian.AppendUint64(b, d.n), nil
		}
		return binary.BigEndian.AppendUint32(b, uint32(d.n)), nil
	case KindFloat:
		if t.OID == OIDFloat4 {
			return binary.BigEndian.AppendUint32(b, math.Float32bits(float32(d.Float()))), nil
		}
		return binary.BigEndian.AppendUint64(b, d.n), nil
	case KindText:
		if t.OID == OIDTid {
			return nil, failure.NotSupported("the binary format of type tid is")
		}
		if isUser(t.OID) {
			return appendUserText(b, t.OID, d, env.orDefault()), nil
		}
		return append(b, d.Text()...), nil
	case KindBytes, KindUUID:
		return append(b, d.Bytes()...), nil
	case KindNumeric:
		return appendNumericBinary(b, d.Numeric()), nil
	case KindDate:
		return binary.BigEndian.AppendUint32(b, uint32(d.n)), nil
	case KindTime, KindTimestamp, KindTimestampTZ:
		return binary.BigEndian.AppendUint64(b, d.n), nil
	case KindTimeTZ:
		v := d.TimeTZ()
		b = binary.BigEndian.AppendUint64(b, uint64(v.Micros))
		return binary.BigEndian.AppendUint32(b, uint32(v.ZoneOffset)), nil
	case KindInterval:
		v := d.Interval()
		b = binary.BigEndian.AppendUint64(b, uint64(v.Micros))
		b = binary.BigEndian.AppendUint32(b, uint32(v.Days))
		return binary.BigEndian.AppendUint32(b, uint32(v.Months)), nil
	case KindJSONB:
		return AppendJSONB(append(b, 1), d.JSONB()), nil
	case KindArray:
		return appendArrayBinary(b, d.Array(), env)
	case KindRecord:
		return appendRecordBinary(b, d.Record(), env)
	case KindBits:
		v := d.Bits()
		b = binary.BigEndian.AppendUint32(b, uint32(v.N))
		return append(b, v.B...), nil
	case KindNet:
		return appendNetBinary(b, d.Net(), t.OID == OIDCidr), nil
	case KindRange:
		return appendRangeBinary(b, T(SubtypeOf(t.OID)), d.Range(), env)
	}
	return nil, failure.NotSupported("the binary format of type %s is", TypeName(t.OID))
}

// appendField appends a value with its length before it, -1 for NULL.
func appendField(b []byte, t Type, d Datum, env *Env) ([]byte, error) {
	if d.IsNull() {
		return binary.BigEndian.AppendUint32(b, math.MaxUint32), nil
	}
	start := len(b)
	b, err := AppendBinaryIn(append(b, 0, 0, 0, 0), t, d, env)
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b, nil
}

func appendArrayBinary(b []byte, a *Array, env *Env) ([]byte, error) {
	nulls := uint32(0)
	for _, e := range a.Elems {
		if e.IsNull() {
			nulls = 1
		}
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(a.Dims)))
	b = binary.BigEndian.AppendUint32(b, nulls)
	b = binary.BigEndian.AppendUint32(b, uint32(a.ElemType))
	for _, d := range a.Dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d.Len))
		b = binary.BigEndian.AppendUint32(b, uint32(d.Lower))
	}
	var err error
	for _, e := range a.Elems {
		if b, err = appendField(b, T(a.ElemType), e, env); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendRecordBinary(b []byte, r *Record, env *Env) ([]byte, error) {
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Values)))
	var err error
	for i, v := range r.Values {
		t := T(OIDText)
		if i < len(r.Types) {
			t = r.Types[i]
		}
		b = binary.BigEndian.AppendUint32(b, uint32(t.OID))
		if b, err = appendField(b, t, v, env); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendNetBinary(b []byte, n Net, cidr bool) []byte {
	size := n.Len()
	if n.Family != NetMAC && n.Family != NetMAC8 {
		family, isCidr := byte(2), byte(0)
		if n.Family == NetIPv6 {
			family = 3
		}
		if cidr {
			isCidr = 1
		}
		b = append(b, family, n.Prefix, isCidr, byte(size))
	}
	return append(b, n.Addr[:size]...)
}

// The flags of a range's binary form.
const (
	binRangeEmpty   = 0x01
	binRangeLowInc  = 0x02
	binRangeHighInc = 0x04
	binRangeLowInf  = 0x08
	binRangeHighInf = 0x10
)

func appendRangeBinary(b []byte, sub Type, r Range, env *Env) ([]byte, error) {
	if r.Empty {
		return append(b, binRangeEmpty), nil
	}
	flags := byte(0)
	set := func(on bool, flag byte) {
		if on {
			flags |= flag
		}
	}
	set(r.LowInc, binRangeLowInc)
	set(r.HighInc, binRangeHighInc)
	set(r.Low.IsNull(), binRangeLowInf)
	set(r.High.IsNull(), binRangeHighInf)
	b = append(b, flags)
	var err error
	for _, d := range []Datum{r.Low, r.High} {
		if d.IsNull() {
			continue
		}
		if b, err = appendField(b, sub, d, env); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// The sign word of a numeric's binary form.
const (
	binNumericNegative = 0x4000
	binNumericNaN      = 0xc000
	binNumericPosInf   = 0xd000
	binNumericNegInf   = 0xf000
)

func appendNumericBinary(b []byte, d *apd.Decimal) []byte {
	head := func(digits int, weight int, sign, scale int) {
		for _, v := range [4]int{digits, weight, sign, scale} {
			b = binary.BigEndian.AppendUint16(b, uint16(v))
		}
	}
	switch {
	case d.Form == apd.Infinite && d.Negative:
		head(0, 0, binNumericNegInf, 32)
		return b
	case d.Form == apd.Infinite:
		head(0, 0, binNumericPosInf, 32)
		return b
	case d.Form != apd.Finite:
		head(0, 0, binNumericNaN, 0)
		return b
	}
	var buf [48]byte
	digits := appendCoeff(buf[:0], d)
	scale := max(int(-d.Exponent), 0)
	for range max(int(d.Exponent), 0) {
		digits = append(digits, '0')
	}
	// Line the decimal point up with a group of four digits.
	if pad := (4 - scale%4) % 4; pad > 0 {
		digits = append(digits, "000"[:pad]...)
	}
	fracGroups := (scale + 3) / 4
	lead := (4 - len(digits)%4) % 4
	total := (len(digits) + lead) / 4
	group := func(i int) int {
		v := 0
		for k := 4*i - lead; k < 4*i-lead+4; k++ {
			v *= 10
			if k >= 0 {
				v += int(digits[k] - '0')
			}
		}
		return v
	}
	first, last := 0, total
	for first < last && group(first) == 0 {
		first++
	}
	for last > first && group(last-1) == 0 {
		last--
	}
	sign, weight := 0, total-fracGroups-1-first
	if first == last {
		weight = 0
	} else if d.Negative {
		sign = binNumericNegative
	}
	head(last-first, weight, sign, scale)
	for i := first; i < last; i++ {
		b = binary.BigEndian.AppendUint16(b, uint16(group(i)))
	}
	return b
}

// binReader takes fields off a binary value; after the first failure everything it returns is zero.
type binReader struct {
	env *Env
	b   []byte
	bad bool
}

func (r *binReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

func (r *binReader) uint8() byte {
	if s := r.take(1); s != nil {
		return s[0]
	}
	return 0
}

func (r *binReader) uint16() uint16 {
	if s := r.take(2); s != nil {
		return binary.BigEndian.Uint16(s)
	}
	return 0
}

func (r *binReader) uint32() uint32 {
	if s := r.take(4); s != nil {
		return binary.BigEndian.Uint32(s)
	}
	return 0
}

func (r *binReader) uint64() uint64 {
	if s := r.take(8); s != nil {
		return binary.BigEndian.Uint64(s)
	}
	return 0
}

func errShort() error {
	return failure.New(failure.ProtocolViolation, "insufficient data left in message")
}

func errBinary(format string, args ...any) error {
	return failure.New(failure.InvalidBinaryRepresentation, format, args...)
}

// ValidateText checks that s may be a text value: UTF-8 without zero bytes.
func ValidateText(s string) error {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return nil
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 || s[i] == 0 {
			return errEncoding(s[i:])
		}
		i += n
	}
	return nil
}

// errEncoding shows the bytes that the leading byte claims for a character.
func errEncoding(s string) error {
	n := 1
	switch c := s[0]; {
	case c >= 0xf0 && c < 0xf8:
		n = 4
	case c >= 0xe0 && c < 0xf0:
		n = 3
	case c >= 0xc0 && c < 0xe0:
		n = 2
	}
	var b strings.Builder
	for i := 0; i < n && i < len(s); i++ {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("0x" + hexByte(s[i]))
	}
	return failure.New(failure.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": %s", b.String())
}

// ParseBinary converts the binary wire form of type t and applies t's modifier. The result may alias b. Too few bytes
// are 08P01, bytes left over and values out of range 22P03 or what PostgreSQL's receive function says.
func ParseBinary(t Type, b []byte) (Datum, error) { return ParseBinaryIn(t, b, nil) }

// ParseBinaryIn is ParseBinary with an Env, which knows users' types; nil is the default one.
func ParseBinaryIn(t Type, b []byte, env *Env) (Datum, error) {
	r := binReader{b: b, env: env.orDefault()}
	d, err := r.value(t)
	if err := r.whole(err); err != nil {
		return Null, err
	}
	if t.Mod < 0 {
		return d, nil
	}
	return ApplyTypmod(t, d, false)
}

// whole adds to a reader's error that it had too little or too much to read.
func (r *binReader) whole(err error) error {
	switch {
	case err != nil:
		return err
	case r.bad:
		return errShort()
	case len(r.b) != 0:
		return errBinary("incorrect binary data format")
	}
	return nil
}

func (r *binReader) rest() []byte { return r.take(len(r.b)) }

func (r *binReader) value(t Type) (Datum, error) {
	switch t.OID {
	case OIDBool:
		return NewBool(r.uint8() != 0), nil
	case OIDInt2:
		return NewInt(int64(int16(r.uint16()))), nil
	case OIDInt4:
		return NewInt(int64(int32(r.uint32()))), nil
	case OIDInt8, OIDXid8, OIDPgLSN, OIDMoney:
		return NewInt(int64(r.uint64())), nil
	case OIDOid, OIDXid, OIDCid:
		return NewInt(int64(r.uint32())), nil
	case OIDFloat4:
		return NewFloat(float64(math.Float32frombits(r.uint32()))), nil
	case OIDFloat8:
		return NewFloat(math.Float64frombits(r.uint64())), nil
	case OIDText, OIDVarchar, OIDBpchar, OIDUnknown, OIDName, OIDJSON, OIDXML, OIDCstring, OIDQChar, OIDRefcursor:
		return r.text(t)
	case OIDBytea:
		return NewBytes(r.rest()), nil
	case OIDUUID:
		u := r.take(16)
		if u == nil {
			return Null, errShort()
		}
		return NewUUIDBytes(u), nil
	case OIDNumeric:
		return r.numeric()
	case OIDDate, OIDTime, OIDTimeTZ, OIDTimestamp, OIDTimestampTZ, OIDInterval:
		return r.datetime(t)
	case OIDJSONB:
		if v := r.uint8(); v != 1 {
			return Null, failure.New(failure.InternalError, "unsupported jsonb version number %d", v)
		}
		s := NewTextBytes(r.rest()).Text()
		if err := ValidateText(s); err != nil {
			return Null, err
		}
		return parseText(T(OIDJSONB), s, &defaultEnv)
	case OIDBit, OIDVarbit:
		n := int(int32(r.uint32()))
		if n < 0 {
			return Null, errBinary("invalid length in external bit string")
		}
		v := Bits{N: n, B: append([]byte(nil), r.take((n+7)/8)...)}
		if r.bad {
			return Null, errShort()
		}
		if n > 0 {
			v.clearTail()
		}
		return NewBits(v), nil
	case OIDInet, OIDCidr, OIDMacaddr, OIDMacaddr8:
		return r.net(t)
	case OIDVoid:
		return NewText(""), nil
	case OIDRecord:
		return Null, failure.New(failure.FeatureNotSupported, "input of anonymous composite types is not implemented")
	}
	switch {
	case IsReg(t.OID):
		return NewInt(int64(r.uint32())), nil
	case SubtypeOf(t.OID) != 0:
		return r.span(t.OID)
	case ElemOf(t.OID) != 0:
		return r.array(ElemOf(t.OID), t.Mod)
	case isUser(t.OID) && r.env.UserBinary != nil:
		return r.env.UserBinary(t, r.rest())
	}
	return Null, failure.NotSupported("the binary format of type %s is", TypeName(t.OID))
}

func (r *binReader) text(t Type) (Datum, error) {
	s := NewTextBytes(r.rest()).Text()
	if err := ValidateText(s); err != nil {
		return Null, err
	}
	switch t.OID {
	case OIDJSON:
		if err := ValidateJSON(s); err != nil {
			return Null, err
		}
	case OIDName:
		s = TruncateName(s)
	}
	return NewText(s), nil
}

func (r *binReader) numeric() (Datum, error) {
	n, weight, sign, scale := int(r.uint16()), int(int16(r.uint16())), r.uint16(), int(r.uint16())
	d := new(apd.Decimal)
	switch sign {
	case 0:
	case binNumericNegative:
		d.Negative = true
	case binNumericNaN:
		d.Form = apd.NaN
		return NewNumeric(d), nil
	case binNumericPosInf:
		d.Form = apd.Infinite
		return NewNumeric(d), nil
	case binNumericNegInf:
		d.Form, d.Negative = apd.Infinite, true
		return NewNumeric(d), nil
	default:
		return Null, errBinary("invalid sign in external \"numeric\" value")
	}
	if scale > NumericMaxScale {
		return Null, errBinary("invalid scale in external \"numeric\" value")
	}
	if n*2 > len(r.b) {
		return Null, errShort()
	}
	digits := make([]byte, 0, 4*n+1)
	for range n {
		g := r.uint16()
		if g > 9999 {
			return Null, errBinary("invalid digit in external \"numeric\" value")
		}
		digits = append(digits, '0'+byte(g/1000), '0'+byte(g/100%10), '0'+byte(g/10%10), '0'+byte(g%10))
	}
	if len(digits) == 0 {
		digits = append(digits, '0')
	}
	d.Coeff.SetString(string(digits), 10)
	if err := scaleDecimal(d, 4*(weight+1-n)); err != nil {
		return Null, err
	}
	if d.Coeff.Sign() == 0 {
		d.Negative = false
	}
	return NewNumeric(truncScale(d, scale)), nil
}

// scaleDecimal is scaleNumeric for an exponent that may be below the limit, as long as the digits there are zeros.
func scaleDecimal(d *apd.Decimal, exp int) error {
	if exp >= -NumericMaxScale {
		return scaleNumeric(d, exp)
	}
	d.Exponent = int32(exp)
	return nil
}

// truncScale gives a numeric exactly the scale, cutting digits.
func truncScale(d *apd.Decimal, scale int) *apd.Decimal {
	drop := -int(d.Exponent) - scale
	switch {
	case drop > 0:
		d.Coeff.Quo(&d.Coeff, pow10(drop))
	case drop < 0:
		d.Coeff.Mul(&d.Coeff, pow10(-drop))
	}
	d.Exponent = int32(-scale)
	if d.Coeff.Sign() == 0 {
		d.Negative = false
	}
	return d
}

func (r *binReader) datetime(t Type) (Datum, error) {
	switch t.OID {
	case OIDDate:
		v := int64(int32(r.uint32()))
		if v != DateInfinity && v != DateNegInfinity && !ValidDate(v) {
			return Null, failure.New(failure.DatetimeValueOutOfRange, "date out of range")
		}
		return NewDate(v), nil
	case OIDTime:
		v := int64(r.uint64())
		if v < 0 || v > microsPerDay {
			return Null, failure.New(failure.DatetimeValueOutOfRange, "time out of range")
		}
		return NewTime(v), nil
	case OIDTimeTZ:
		v := TimeTZ{Micros: int64(r.uint64()), ZoneOffset: int32(r.uint32())}
		if v.Micros < 0 || v.Micros > microsPerDay {
			return Null, failure.New(failure.DatetimeValueOutOfRange, "time out of range")
		}
		if v.ZoneOffset <= -16*3600 || v.ZoneOffset >= 16*3600 {
			return Null, failure.New(failure.InvalidTimeZoneDisplacementValue, "time zone displacement out of range")
		}
		return NewTimeTZ(v), nil
	case OIDInterval:
		v := Interval{Micros: int64(r.uint64())}
		v.Days = int32(r.uint32())
		v.Months = int32(r.uint32())
		return NewInterval(v), nil
	}
	v := int64(r.uint64())
	if v != TimestampInfinity && v != TimestampNegInfinity && !ValidTimestamp(v) {
		return Null, failure.New(failure.DatetimeValueOutOfRange, "timestamp out of range")
	}
	if t.OID == OIDTimestamp {
		return NewTimestamp(v), nil
	}
	return NewTimestampTZ(v), nil
}

func (r *binReader) net(t Type) (Datum, error) {
	var n Net
	switch t.OID {
	case OIDMacaddr:
		n.Family = NetMAC
		copy(n.Addr[:], r.take(6))
		return NewNet(n), nil
	case OIDMacaddr8:
		n.Family = NetMAC8
		copy(n.Addr[:], r.take(8))
		return NewNet(n), nil
	}
	name := TypeName(t.OID)
	switch r.uint8() {
	case 2:
		n.Family = NetIPv4
	case 3:
		n.Family = NetIPv6
	default:
		return Null, errBinary("invalid address family in external \"%s\" value", name)
	}
	n.Prefix = r.uint8()
	if int(n.Prefix) > n.Len()*8 {
		return Null, errBinary("invalid bits in external \"%s\" value", name)
	}
	r.uint8()
	if int(r.uint8()) != n.Len() {
		return Null, errBinary("invalid length in external \"%s\" value", name)
	}
	copy(n.Addr[:], r.take(n.Len()))
	if t.OID == OIDCidr && hostBits(n) {
		return Null, errBinary("invalid external \"cidr\" value").(*failure.Error).WithDetail("Value has bits set to right of mask.")
	}
	return NewNet(n), nil
}

// field reads a length and a value.
func (r *binReader) field(t Type) (Datum, error) {
	size := int32(r.uint32())
	if r.bad {
		return Null, errShort()
	}
	if size == -1 {
		return Null, nil
	}
	body := r.take(int(size))
	if r.bad {
		return Null, errShort()
	}
	return ParseBinaryIn(t, body, r.env)
}

func (r *binReader) array(want OID, mod int32) (Datum, error) {
	ndim, flags, elem := int(int32(r.uint32())), r.uint32(), OID(r.uint32())
	if r.bad {
		return Null, errShort()
	}
	if ndim < 0 {
		return Null, errBinary("invalid number of dimensions: %d", ndim)
	}
	if ndim > MaxDims {
		return Null, errTooManyDims(ndim)
	}
	if flags > 1 {
		return Null, errBinary("invalid array flags")
	}
	if elem != want {
		return Null, failure.New(failure.DatatypeMismatch, "binary data has array element type %d (%s) instead of expected %d (%s)",
			elem, typeNameOr(elem), want, typeNameOr(want))
	}
	a := &Array{ElemType: want}
	n := int64(1)
	for range ndim {
		d := ArrayDim{Len: int32(r.uint32()), Lower: int32(r.uint32())}
		if n *= int64(d.Len); d.Len < 0 || n > int64(len(r.b))/4 || int64(d.Lower)+int64(d.Len) > 1<<31 {
			return Null, errShort()
		}
		a.Dims = append(a.Dims, d)
	}
	if ndim == 0 || n == 0 {
		a.Dims = nil
		return NewArray(a), nil
	}
	a.Elems = make([]Datum, n)
	for i := range a.Elems {
		var err error
		if a.Elems[i], err = r.field(Type{OID: want, Mod: mod}); err != nil {
			return Null, err
		}
	}
	return NewArray(a), nil
}

func typeNameOr(t OID) string {
	if n := TypeName(t); n != "" {
		return n
	}
	return "???"
}

func (r *binReader) span(t OID) (Datum, error) {
	flags := r.uint8()
	if flags&binRangeEmpty != 0 {
		return NewRange(Range{Empty: true}), nil
	}
	v := Range{LowInc: flags&binRangeLowInc != 0, HighInc: flags&binRangeHighInc != 0}
	sub := T(SubtypeOf(t))
	var err error
	if flags&binRangeLowInf == 0 {
		if v.Low, err = r.field(sub); err != nil {
			return Null, err
		}
	}
	if flags&binRangeHighInf == 0 {
		if v.High, err = r.field(sub); err != nil {
			return Null, err
		}
	}
	if v, err = MakeRange(t, v); err != nil {
		return Null, err
	}
	return NewRange(v), nil
}
