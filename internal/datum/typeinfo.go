package datum

import "strconv"

// More OIDs of built-in types, as in pg_type.
const (
	OIDMacaddr8      OID = 774
	OIDMoney         OID = 790
	OIDRefcursor     OID = 1790
	OIDRegprocedure  OID = 2202
	OIDRegoper       OID = 2203
	OIDRegoperator   OID = 2204
	OIDRegconfig     OID = 3734
	OIDRegdictionary OID = 3769
	OIDRegcollation  OID = 4191
	OIDXid8          OID = 5069
	OIDPgLSN         OID = 3220
	OIDInt4Range     OID = 3904
	OIDNumRange      OID = 3906
	OIDTsRange       OID = 3908
	OIDTstzRange     OID = 3910
	OIDDateRange     OID = 3912
	OIDInt8Range     OID = 3926

	OIDTimeTZArray  OID = 1270
	OIDXidArray     OID = 1011
	OIDBitArray     OID = 1561
	OIDVarbitArray  OID = 1563
	OIDInetArray    OID = 1041
	OIDCidrArray    OID = 651
	OIDMacaddrArray OID = 1040
	OIDRegclassArr  OID = 2210
	OIDRegtypeArr   OID = 2211
	OIDCstringArray OID = 1263
)

// ArrayOf returns the OID of the array type whose elements are of type elem, 0 when there is none.
func ArrayOf(elem OID) OID {
	for i := range arrayTypes {
		if arrayTypes[i].elem == elem {
			return arrayTypes[i].array
		}
	}
	return 0
}

// ElemOf returns the type of the elements of an array type (also of int2vector and oidvector), 0 when t is no array.
func ElemOf(array OID) OID {
	switch array { // the usual ones
	case OIDTextArray:
		return OIDText
	case OIDInt4Array:
		return OIDInt4
	case OIDInt8Array:
		return OIDInt8
	case OIDInt2Vector:
		return OIDInt2
	case OIDOidVector:
		return OIDOid
	}
	for i := range arrayTypes {
		if arrayTypes[i].array == array {
			return arrayTypes[i].elem
		}
	}
	return 0
}

var arrayTypes = [...]struct{ elem, array OID }{
	{OIDBool, 1000}, {OIDBytea, 1001}, {OIDQChar, 1002}, {OIDName, 1003}, {OIDInt8, 1016}, {OIDInt2, 1005},
	{OIDInt2Vector, 1006}, {OIDInt4, 1007}, {OIDRegproc, 1008}, {OIDText, 1009}, {OIDOid, 1028}, {OIDTid, 1010},
	{OIDXid, 1011}, {OIDCid, 1012}, {OIDOidVector, 1013}, {OIDJSON, 199}, {OIDXML, 143}, {OIDCidr, 651},
	{OIDFloat4, 1021}, {OIDFloat8, 1022}, {OIDMacaddr8, 775}, {OIDMoney, 791}, {OIDMacaddr, 1040}, {OIDInet, 1041},
	{1033, 1034}, {OIDBpchar, 1014}, {OIDVarchar, 1015}, {OIDDate, 1182}, {OIDTime, 1183}, {OIDTimestamp, 1115},
	{OIDTimestampTZ, 1185}, {OIDInterval, 1187}, {OIDTimeTZ, 1270}, {OIDBit, 1561}, {OIDVarbit, 1563},
	{OIDNumeric, 1231}, {OIDRefcursor, 2201}, {OIDRegprocedure, 2207}, {OIDRegoper, 2208}, {OIDRegoperator, 2209},
	{OIDRegclass, 2210}, {OIDRegtype, 2211}, {OIDRecord, 2287}, {OIDCstring, 1263}, {OIDUUID, 2951},
	{OIDPgLSN, 3221}, {OIDRegconfig, 3735}, {OIDRegdictionary, 3770}, {OIDJSONB, 3807}, {OIDInt4Range, 3905},
	{OIDNumRange, 3907}, {OIDTsRange, 3909}, {OIDTstzRange, 3911}, {OIDDateRange, 3913}, {OIDInt8Range, 3927},
	{OIDRegnamespace, 4090}, {OIDRegrole, 4097}, {OIDRegcollation, 4192}, {OIDXid8, 271},
	{600, 1017}, {601, 1018}, {602, 1019}, {603, 1020}, {604, 1027}, {628, 629}, {718, 719}, {2970, 2949},
	{3614, 3643}, {3615, 3645}, {3642, 3644}, {4072, 4073}, {5038, 5039}, {4451, 6150}, {4532, 6151}, {4533, 6152},
	{4534, 6153}, {4535, 6155}, {4536, 6157},
}

// SubtypeOf returns the type of the bounds of a range type, 0 when t is no range.
func SubtypeOf(t OID) OID {
	switch t {
	case OIDInt4Range:
		return OIDInt4
	case OIDNumRange:
		return OIDNumeric
	case OIDTsRange:
		return OIDTimestamp
	case OIDTstzRange:
		return OIDTimestampTZ
	case OIDDateRange:
		return OIDDate
	case OIDInt8Range:
		return OIDInt8
	}
	return 0
}

// KindOf returns the physical kind of a type's values. Types that Meridian does not know are kept as text.
func KindOf(t OID) Kind {
	switch t {
	case OIDBool:
		return KindBool
	case OIDInt2, OIDInt4, OIDInt8, OIDOid, OIDXid, OIDCid, OIDXid8, OIDPgLSN, OIDMoney:
		return KindInt
	case OIDText, OIDVarchar, OIDBpchar, OIDName, OIDQChar, OIDJSON, OIDUnknown, OIDXML, OIDCstring, OIDTid, OIDRefcursor:
		return KindText
	case OIDFloat4, OIDFloat8:
		return KindFloat
	case OIDBytea:
		return KindBytes
	case OIDUUID:
		return KindUUID
	case OIDNumeric:
		return KindNumeric
	case OIDDate:
		return KindDate
	case OIDTime:
		return KindTime
	case OIDTimeTZ:
		return KindTimeTZ
	case OIDTimestamp:
		return KindTimestamp
	case OIDTimestampTZ:
		return KindTimestampTZ
	case OIDInterval:
		return KindInterval
	case OIDJSONB:
		return KindJSONB
	case OIDRecord:
		return KindRecord
	case OIDBit, OIDVarbit:
		return KindBits
	case OIDInet, OIDCidr, OIDMacaddr, OIDMacaddr8:
		return KindNet
	}
	if IsReg(t) {
		return KindInt
	}
	if SubtypeOf(t) != 0 {
		return KindRange
	}
	if ElemOf(t) != 0 {
		return KindArray
	}
	return KindText
}

// IsReg says whether t is one of the aliases of oid that print as names (regclass, regtype …).
func IsReg(t OID) bool {
	switch t {
	case OIDRegproc, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegclass, OIDRegtype, OIDRegconfig,
		OIDRegdictionary, OIDRegnamespace, OIDRegrole, OIDRegcollation:
		return true
	}
	return false
}

// TypeName returns the name of a built-in type as PostgreSQL's messages spell it ("integer", "character varying"), or
// "" for a type it does not know.
func TypeName(t OID) string {
	if e := ElemOf(t); e != 0 && t != OIDInt2Vector && t != OIDOidVector {
		return TypeName(e) + "[]"
	}
	for i := range typeNames {
		if typeNames[i].oid == t {
			return typeNames[i].name
		}
	}
	return ""
}

var typeNames = [...]struct {
	oid  OID
	name string
}{
	{OIDBool, "boolean"}, {OIDBytea, "bytea"}, {OIDQChar, `"char"`}, {OIDName, "name"}, {OIDInt8, "bigint"},
	{OIDInt2, "smallint"}, {OIDInt4, "integer"}, {OIDText, "text"}, {OIDOid, "oid"}, {OIDTid, "tid"}, {OIDXid, "xid"},
	{OIDCid, "cid"}, {OIDInt2Vector, "int2vector"}, {OIDOidVector, "oidvector"}, {OIDJSON, "json"}, {OIDXML, "xml"},
	{OIDPgNodeTree, "pg_node_tree"}, {OIDFloat4, "real"}, {OIDFloat8, "double precision"}, {OIDUnknown, "unknown"},
	{OIDMacaddr, "macaddr"}, {OIDMacaddr8, "macaddr8"}, {OIDInet, "inet"}, {OIDCidr, "cidr"}, {OIDBpchar, "character"},
	{OIDVarchar, "character varying"}, {OIDDate, "date"}, {OIDTime, "time without time zone"},
	{OIDTimestamp, "timestamp without time zone"}, {OIDTimestampTZ, "timestamp with time zone"},
	{OIDInterval, "interval"}, {OIDTimeTZ, "time with time zone"}, {OIDBit, "bit"}, {OIDVarbit, "bit varying"},
	{OIDNumeric, "numeric"}, {OIDUUID, "uuid"}, {OIDJSONB, "jsonb"}, {OIDRecord, "record"}, {OIDCstring, "cstring"},
	{OIDAny, `"any"`}, {OIDAnyArray, "anyarray"}, {OIDVoid, "void"}, {OIDTrigger, "trigger"}, {OIDInternal, "internal"},
	{OIDAnyElement, "anyelement"}, {OIDAnyNonArray, "anynonarray"}, {OIDAnyEnum, "anyenum"}, {OIDAnyRange, "anyrange"},
	{OIDRegproc, "regproc"}, {OIDRegprocedure, "regprocedure"}, {OIDRegoper, "regoper"}, {OIDRegoperator, "regoperator"},
	{OIDRegclass, "regclass"}, {OIDRegtype, "regtype"}, {OIDRegconfig, "regconfig"}, {OIDRegdictionary, "regdictionary"},
	{OIDRegnamespace, "regnamespace"}, {OIDRegrole, "regrole"}, {OIDRegcollation, "regcollation"}, {OIDXid8, "xid8"},
	{OIDPgLSN, "pg_lsn"}, {OIDMoney, "money"}, {OIDRefcursor, "refcursor"}, {OIDInt4Range, "int4range"},
	{OIDInt8Range, "int8range"}, {OIDNumRange, "numrange"}, {OIDTsRange, "tsrange"}, {OIDTstzRange, "tstzrange"},
	{OIDDateRange, "daterange"}, {1033, "aclitem"}, {600, "point"}, {601, "lseg"}, {602, "path"}, {603, "box"},
	{604, "polygon"}, {628, "line"}, {718, "circle"}, {2970, "txid_snapshot"}, {3614, "tsvector"}, {3615, "tsquery"},
	{3642, "gtsvector"}, {4072, "jsonpath"}, {5038, "pg_snapshot"}, {4451, "int4multirange"}, {4532, "nummultirange"},
	{4533, "tsmultirange"}, {4534, "tstzmultirange"}, {4535, "datemultirange"}, {4536, "int8multirange"},
	{4537, "anymultirange"}, {4538, "anycompatiblemultirange"}, {5077, "anycompatible"}, {5078, "anycompatiblearray"},
	{5079, "anycompatiblenonarray"}, {5080, "anycompatiblerange"}, {3838, "event_trigger"}, {2280, "language_handler"},
	{32, "pg_ddl_command"}, {269, "table_am_handler"}, {325, "index_am_handler"}, {3115, "fdw_handler"},
	{3310, "tsm_handler"},
}

// FormatType spells a type with its modifier as PostgreSQL's format_type does: "character varying(3)",
// "numeric(10,2)", "timestamp(3) with time zone", "integer[]".
func FormatType(t Type) string {
	if e := ElemOf(t.OID); e != 0 && t.OID != OIDInt2Vector && t.OID != OIDOidVector {
		return FormatType(Type{OID: e, Mod: t.Mod}) + "[]"
	}
	name := TypeName(t.OID)
	if name == "" {
		return "???"
	}
	if t.Mod < 0 {
		if t.OID == OIDBit {
			return name
		}
		if t.OID == OIDBpchar {
			return "bpchar"
		}
		return name
	}
	num := func(n int32) string { return strconv.Itoa(int(n)) }
	switch t.OID {
	case OIDBpchar, OIDVarchar:
		return name + "(" + num(t.Mod-4) + ")"
	case OIDNumeric:
		if t.Mod < 4 {
			return name
		}
		p, s := NumericTypmod(t.Mod)
		return name + "(" + num(int32(p)) + "," + num(int32(s)) + ")"
	case OIDTime, OIDTimestamp:
		cut := len(name) - len(" without time zone")
		return name[:cut] + "(" + num(t.Mod) + ")" + name[cut:]
	case OIDTimeTZ, OIDTimestampTZ:
		cut := len(name) - len(" with time zone")
		return name[:cut] + "(" + num(t.Mod) + ")" + name[cut:]
	case OIDInterval:
		return name + intervalModText(t.Mod)
	case OIDBit, OIDVarbit:
		return name + "(" + num(t.Mod) + ")"
	}
	return name
}

// NumericTypmod splits numeric's modifier into precision and scale; the scale may be negative.
func NumericTypmod(mod int32) (precision, scale int) {
	m := mod - 4
	s := int(m & 0x7ff)
	if s >= 1024 {
		s -= 2048
	}
	return int(m>>16) & 0xffff, s
}

// The parts of interval's modifier: a mask of fields in the high half, digits of the seconds in the low half.
const (
	intervalFullRange     = 0x7fff
	intervalFullPrecision = 0xffff
	intervalMaskYear      = 1 << 2
	intervalMaskMonth     = 1 << 1
	intervalMaskDay       = 1 << 3
	intervalMaskHour      = 1 << 10
	intervalMaskMinute    = 1 << 11
	intervalMaskSecond    = 1 << 12
)

func intervalModText(mod int32) string {
	fields, digits := int(mod>>16)&0x7fff, int(mod)&0xffff
	s := ""
	switch fields {
	case intervalMaskYear:
		s = " year"
	case intervalMaskMonth:
		s = " month"
	case intervalMaskDay:
		s = " day"
	case intervalMaskHour:
		s = " hour"
	case intervalMaskMinute:
		s = " minute"
	case intervalMaskSecond:
		s = " second"
	case intervalMaskYear | intervalMaskMonth:
		s = " year to month"
	case intervalMaskDay | intervalMaskHour:
		s = " day to hour"
	case intervalMaskDay | intervalMaskHour | intervalMaskMinute:
		s = " day to minute"
	case intervalMaskDay | intervalMaskHour | intervalMaskMinute | intervalMaskSecond:
		s = " day to second"
	case intervalMaskHour | intervalMaskMinute:
		s = " hour to minute"
	case intervalMaskHour | intervalMaskMinute | intervalMaskSecond:
		s = " hour to second"
	case intervalMaskMinute | intervalMaskSecond:
		s = " minute to second"
	}
	if digits != intervalFullPrecision {
		s += "(" + strconv.Itoa(digits) + ")"
	}
	return s
}
