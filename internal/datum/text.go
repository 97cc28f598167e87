package datum

import (
	"strconv"

	"github.com/meridiandb/meridian/internal/failure"
)

// ParseText converts the external text form of type t, as the type's input function does, and applies t's modifier as
// in an assignment (too long a text is an error, not cut). The result may alias s. Errors are PostgreSQL's.
func ParseText(t Type, s string, env *Env) (Datum, error) {
	env = env.orDefault()
	d, err := parseText(t, s, env)
	if err != nil || t.Mod < 0 {
		return d, err
	}
	return ApplyTypmod(t, d, false)
}

func parseText(t Type, s string, env *Env) (Datum, error) {
	switch t.OID {
	case OIDBool:
		return parseBool(s)
	case OIDInt2:
		return parseInt(s, 16, "smallint")
	case OIDInt4:
		return parseInt(s, 32, "integer")
	case OIDInt8:
		return parseInt(s, 64, "bigint")
	case OIDOid:
		return parseOid(s, "oid")
	case OIDXid, OIDCid:
		return parseXid(s), nil
	case OIDXid8:
		return parseXid8(s)
	case OIDPgLSN:
		return parseLSN(s)
	case OIDFloat4:
		return parseFloat(s, 32)
	case OIDFloat8:
		return parseFloat(s, 64)
	case OIDNumeric:
		d, err := ParseNumeric(s)
		if err != nil {
			return Null, err
		}
		return NewNumeric(d), nil
	case OIDText, OIDVarchar, OIDBpchar, OIDUnknown, OIDCstring, OIDRefcursor, OIDPgNodeTree:
		return NewText(s), nil
	case OIDName:
		return NewText(TruncateName(s)), nil
	case OIDQChar:
		return NewText(truncateChar(s)), nil
	case OIDBytea:
		return parseBytea(s)
	case OIDJSONPath:
		path, err := ParseJSONPath(s)
		if err != nil {
			return Null, err
		}
		return NewTextBytes(path.Append(nil)), nil
	case OIDUUID:
		return parseUUID(s)
	case OIDDate:
		return parseDate(s, env)
	case OIDTime:
		return parseTime(s, env)
	case OIDTimeTZ:
		return parseTimeTZ(s, env)
	case OIDTimestamp:
		return parseTimestamp(s, env)
	case OIDTimestampTZ:
		return parseTimestampTZ(s, env)
	case OIDInterval:
		return parseIntervalDatum(s, t.Mod, env)
	case OIDJSON:
		if err := ValidateJSON(s); err != nil {
			return Null, err
		}
		return NewText(s), nil
	case OIDJSONB:
		j, err := ParseJSONB(s)
		if err != nil {
			return Null, err
		}
		return NewJSONB(j), nil
	case OIDTid:
		return parseTid(s)
	case OIDInt2Vector, OIDOidVector:
		return parseVector(t.OID, s)
	case OIDBit, OIDVarbit:
		return parseBits(s)
	case OIDInet, OIDCidr:
		return parseInet(s, t.OID == OIDCidr)
	case OIDMacaddr, OIDMacaddr8:
		return parseMac(s, t.OID)
	case OIDVoid:
		return NewText(""), nil
	case OIDRecord:
		return Null, failure.New(failure.FeatureNotSupported, "input of anonymous composite types is not implemented")
	case OIDAny, OIDAnyArray, OIDAnyElement, OIDAnyNonArray, OIDAnyEnum, OIDAnyRange, OIDTrigger, OIDInternal:
		return Null, failure.New(failure.FeatureNotSupported, "cannot accept a value of type %s", plainTypeName(t.OID))
	}
	switch {
	case IsReg(t.OID):
		return parseReg(t.OID, s, env)
	case SubtypeOf(t.OID) != 0:
		return parseRange(t.OID, s, env)
	case ElemOf(t.OID) != 0:
		return parseArray(t, s, env)
	case isUser(t.OID) && env.UserIn != nil:
		return env.UserIn(t, s)
	}
	return Null, failure.NotSupported("input of type %s is", TypeName(t.OID))
}

// plainTypeName is the catalogue's name of a pseudo-type, without quotes.
func plainTypeName(t OID) string {
	if t == OIDAny {
		return "any"
	}
	return TypeName(t)
}

// AppendText appends the external text form of d, a value of type t, as the type's output function gives it. d must not
// be NULL.
func AppendText(b []byte, t Type, d Datum, env *Env) []byte {
	env = env.orDefault()
	switch d.k {
	case KindInt:
		return appendIntText(b, t.OID, d.Int(), env)
	case KindText:
		if isUser(t.OID) {
			return appendUserText(b, t.OID, d, env)
		}
		return append(b, d.Text()...)
	case KindBool:
		if d.n != 0 {
			return append(b, 't')
		}
		return append(b, 'f')
	case KindFloat:
		if t.OID == OIDFloat4 {
			return AppendFloat4(b, d.Float(), env.FloatDigits)
		}
		return AppendFloat8(b, d.Float(), env.FloatDigits)
	case KindNumeric:
		return AppendNumeric(b, d.Numeric())
	case KindBytes:
		return appendBytea(b, d.Bytes(), env.ByteaEscape)
	case KindUUID:
		return appendUUID(b, d.Bytes())
	case KindDate:
		return AppendDate(b, d.Int(), env)
	case KindTime:
		return AppendTime(b, d.Int())
	case KindTimeTZ:
		return AppendTimeTZ(b, d.TimeTZ())
	case KindTimestamp:
		return AppendTimestamp(b, d.Int(), env)
	case KindTimestampTZ:
		return AppendTimestampTZ(b, d.Int(), env)
	case KindInterval:
		return AppendInterval(b, d.Interval(), env.IntervalStyle)
	case KindJSONB:
		return AppendJSONB(b, d.JSONB())
	case KindArray:
		return appendArray(b, t.OID, d.Array(), env)
	case KindRecord:
		return appendRecord(b, d.Record(), env)
	case KindBits:
		return AppendBits(b, d.Bits())
	case KindNet:
		return AppendNet(b, d.Net(), t.OID == OIDCidr)
	case KindRange:
		return appendRange(b, t.OID, d.Range(), env)
	}
	return b
}

// Text is AppendText into a new string: for messages and casts off the hot path.
func Text(t Type, d Datum, env *Env) string {
	if d.k == KindText && !isUser(t.OID) {
		return d.Text()
	}
	return string(AppendText(nil, t, d, env))
}

func appendIntText(b []byte, t OID, i int64, env *Env) []byte {
	switch t {
	case OIDInt4, OIDInt8, OIDInt2:
	case OIDOid, OIDXid, OIDCid:
		return strconv.AppendUint(b, uint64(uint32(i)), 10)
	case OIDXid8:
		return strconv.AppendUint(b, uint64(i), 10)
	case OIDPgLSN:
		b = appendUpperHex(b, uint64(i)>>32)
		return appendUpperHex(append(b, '/'), uint64(i)&0xffffffff)
	default:
		if IsReg(t) {
			return appendReg(b, t, OID(i), env)
		}
	}
	return strconv.AppendInt(b, i, 10)
}

func appendUpperHex(b []byte, v uint64) []byte {
	start := len(b)
	b = strconv.AppendUint(b, v, 16)
	for i := start; i < len(b); i++ {
		if b[i] >= 'a' {
			b[i] -= 'a' - 'A'
		}
	}
	return b
}

func appendReg(b []byte, t, oid OID, env *Env) []byte {
	if oid == 0 {
		return append(b, '-')
	}
	if env.RegOut != nil {
		return env.RegOut(b, t, oid)
	}
	return strconv.AppendUint(b, uint64(oid), 10)
}

func parseReg(t OID, s string, env *Env) (Datum, error) {
	if s == "-" {
		return NewInt(0), nil
	}
	digits := len(s) > 0
	for i := 0; i < len(s); i++ {
		digits = digits && isDigit(s[i])
	}
	if digits {
		return parseOid(s, "oid")
	}
	if env.RegIn == nil {
		return Null, failure.NotSupported("names of type %s are", TypeName(t))
	}
	oid, err := env.RegIn(t, s)
	if err != nil {
		return Null, err
	}
	return NewInt(int64(oid)), nil
}
