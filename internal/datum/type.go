package datum

// OID is a PostgreSQL object identifier.
type OID uint32

// Type is a SQL type with its modifier, comparable with ==. Mod is PostgreSQL's typmod, -1 when there is none:
// length+4 for varchar and bpchar, ((precision<<16)|scale)+4 for numeric, digits for times and intervals.
type Type struct {
	OID OID
	Mod int32
}

// T makes a Type without modifier.
func T(oid OID) Type { return Type{OID: oid, Mod: -1} }

// OIDs of PostgreSQL's built-in types, as in pg_type.
const (
	OIDBool         OID = 16
	OIDBytea        OID = 17
	OIDQChar        OID = 18 // "char"
	OIDName         OID = 19
	OIDInt8         OID = 20
	OIDInt2         OID = 21
	OIDInt2Vector   OID = 22
	OIDInt4         OID = 23
	OIDRegproc      OID = 24
	OIDText         OID = 25
	OIDOid          OID = 26
	OIDTid          OID = 27
	OIDXid          OID = 28
	OIDCid          OID = 29
	OIDOidVector    OID = 30
	OIDJSON         OID = 114
	OIDXML          OID = 142
	OIDPgNodeTree   OID = 194
	OIDFloat4       OID = 700
	OIDFloat8       OID = 701
	OIDUnknown      OID = 705
	OIDMacaddr      OID = 829
	OIDInet         OID = 869
	OIDCidr         OID = 650
	OIDBpchar       OID = 1042
	OIDVarchar      OID = 1043
	OIDDate         OID = 1082
	OIDTime         OID = 1083
	OIDTimestamp    OID = 1114
	OIDTimestampTZ  OID = 1184
	OIDInterval     OID = 1186
	OIDTimeTZ       OID = 1266
	OIDBit          OID = 1560
	OIDVarbit       OID = 1562
	OIDNumeric      OID = 1700
	OIDRegclass     OID = 2205
	OIDRegtype      OID = 2206
	OIDRecord       OID = 2249
	OIDCstring      OID = 2275
	OIDAny          OID = 2276
	OIDAnyArray     OID = 2277
	OIDVoid         OID = 2278
	OIDTrigger      OID = 2279
	OIDInternal     OID = 2281
	OIDAnyElement   OID = 2283
	OIDAnyNonArray  OID = 2776
	OIDUUID         OID = 2950
	OIDAnyEnum      OID = 3500
	OIDJSONB        OID = 3802
	OIDAnyRange     OID = 3831
	OIDRegnamespace OID = 4089
	OIDRegrole      OID = 4096

	OIDBoolArray        OID = 1000
	OIDByteaArray       OID = 1001
	OIDQCharArray       OID = 1002
	OIDNameArray        OID = 1003
	OIDInt2Array        OID = 1005
	OIDInt4Array        OID = 1007
	OIDTextArray        OID = 1009
	OIDBpcharArray      OID = 1014
	OIDVarcharArray     OID = 1015
	OIDInt8Array        OID = 1016
	OIDFloat4Array      OID = 1021
	OIDFloat8Array      OID = 1022
	OIDOidArray         OID = 1028
	OIDTimestampArray   OID = 1115
	OIDDateArray        OID = 1182
	OIDTimeArray        OID = 1183
	OIDTimestampTZArray OID = 1185
	OIDIntervalArray    OID = 1187
	OIDNumericArray     OID = 1231
	OIDUUIDArray        OID = 2951
	OIDJSONArray        OID = 199
	OIDJSONBArray       OID = 3807
	OIDRecordArray      OID = 2287
)
