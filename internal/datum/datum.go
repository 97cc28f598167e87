// Package datum holds SQL values and types: their representation, order, text and binary forms.
//
// A Datum does not know its SQL type, only its physical Kind: the type is static and lives in the plan. int2, int4,
// int8 and oid share KindInt; text, varchar, bpchar, name, "char", json and unknown share KindText.
package datum

import (
	"math"
	"unsafe"

	"github.com/cockroachdb/apd/v3"
)

// Kind is the physical representation of a Datum.
type Kind uint8

// The kinds. The zero Datum is NULL.
const (
	KindNull        Kind = iota
	KindBool             // 0 or 1
	KindInt              // int64: int2, int4, int8, oid, reg*
	KindFloat            // float64 bits: float4 (rounded to float32), float8
	KindText             // bytes of valid UTF-8: text, varchar, bpchar, name, "char", json, xid and friends' names, unknown
	KindBytes            // bytea
	KindUUID             // 16 bytes
	KindNumeric          // *apd.Decimal, immutable once in a Datum
	KindDate             // int64 days since 2000-01-01; math.MinInt32/MaxInt32 are -infinity/infinity
	KindTime             // int64 microseconds since midnight
	KindTimeTZ           // *TimeTZ
	KindTimestamp        // int64 microseconds since 2000-01-01; MinInt64/MaxInt64 are -infinity/infinity
	KindTimestampTZ      // the same, UTC
	KindInterval         // *Interval
	KindJSONB            // *JSONB
	KindArray            // *Array
	KindRecord           // *Record
	KindBits             // *Bits: bit, varbit
	KindNet              // *Net: inet, cidr, macaddr
	KindRange            // *Range
)

// Datum is one SQL value: 24 bytes, copied freely, immutable. Texts and bytes alias the memory they were made from,
// which must not change while the Datum lives.
type Datum struct {
	p unsafe.Pointer // text and bytes: first byte; boxed kinds: the pointer
	n uint64         // scalar value; text and bytes: length
	k Kind
}

// Null is SQL's NULL, the zero Datum.
var Null = Datum{} //nolint: a constant in spirit; Datum has no mutable state

// NewBool makes a boolean.
func NewBool(b bool) Datum {
	if b {
		return Datum{k: KindBool, n: 1}
	}
	return Datum{k: KindBool}
}

// NewInt makes an integer of any width; the caller has checked the range of the SQL type.
func NewInt(i int64) Datum { return Datum{k: KindInt, n: uint64(i)} }

// NewFloat makes a float4 or float8.
func NewFloat(f float64) Datum { return Datum{k: KindFloat, n: math.Float64bits(f)} }

// NewText makes a character value that aliases s.
func NewText(s string) Datum {
	return Datum{k: KindText, p: unsafe.Pointer(unsafe.StringData(s)), n: uint64(len(s))}
}

// NewTextBytes makes a character value that aliases b, which must not be changed afterwards.
func NewTextBytes(b []byte) Datum {
	return Datum{k: KindText, p: unsafe.Pointer(unsafe.SliceData(b)), n: uint64(len(b))}
}

// NewBytes makes a bytea that aliases b, which must not be changed afterwards.
func NewBytes(b []byte) Datum {
	return Datum{k: KindBytes, p: unsafe.Pointer(unsafe.SliceData(b)), n: uint64(len(b))}
}

// NewUUID makes a uuid from its 16 bytes, copied.
func NewUUID(u [16]byte) Datum {
	b := make([]byte, 16)
	copy(b, u[:])
	return Datum{k: KindUUID, p: unsafe.Pointer(unsafe.SliceData(b)), n: 16}
}

// NewUUIDBytes makes a uuid that aliases the 16 bytes of b, which must not be changed afterwards.
func NewUUIDBytes(b []byte) Datum {
	return Datum{k: KindUUID, p: unsafe.Pointer(unsafe.SliceData(b)), n: 16}
}

// NewNumeric makes a numeric that aliases d, which must not be changed afterwards. The display scale is -d.Exponent.
func NewNumeric(d *apd.Decimal) Datum { return Datum{k: KindNumeric, p: unsafe.Pointer(d)} }

// NewDate makes a date from days since 2000-01-01.
func NewDate(days int64) Datum { return Datum{k: KindDate, n: uint64(days)} }

// NewTime makes a time from microseconds since midnight.
func NewTime(us int64) Datum { return Datum{k: KindTime, n: uint64(us)} }

// NewTimestamp makes a timestamp without time zone from microseconds since 2000-01-01.
func NewTimestamp(us int64) Datum { return Datum{k: KindTimestamp, n: uint64(us)} }

// NewTimestampTZ makes a timestamptz from microseconds since 2000-01-01 UTC.
func NewTimestampTZ(us int64) Datum { return Datum{k: KindTimestampTZ, n: uint64(us)} }

// Interval is PostgreSQL's three-field interval.
type Interval struct {
	Months int32
	Days   int32
	Micros int64
}

// NewInterval makes an interval.
func NewInterval(iv Interval) Datum {
	return Datum{k: KindInterval, p: unsafe.Pointer(&iv)}
}

// TimeTZ is a time of day with its zone.
type TimeTZ struct {
	Micros     int64 // local, since midnight
	ZoneOffset int32 // seconds WEST of Greenwich, as PostgreSQL stores it
}

// NewTimeTZ makes a timetz.
func NewTimeTZ(t TimeTZ) Datum { return Datum{k: KindTimeTZ, p: unsafe.Pointer(&t)} }

// Array is a PostgreSQL array: elements in row-major order.
type Array struct {
	ElemType OID
	Dims     []ArrayDim // empty for the empty array
	Elems    []Datum
}

// ArrayDim is the length and lower bound of one dimension.
type ArrayDim struct{ Len, Lower int32 }

// NewArray makes an array that aliases a, which must not be changed afterwards.
func NewArray(a *Array) Datum { return Datum{k: KindArray, p: unsafe.Pointer(a)} }

// Record is a row value. Names may be nil for anonymous records.
type Record struct {
	Types  []Type
	Names  []string
	Values []Datum
}

// NewRecord makes a row value that aliases r, which must not be changed afterwards.
func NewRecord(r *Record) Datum { return Datum{k: KindRecord, p: unsafe.Pointer(r)} }

// Kind returns the physical kind; KindNull for NULL.
func (d Datum) Kind() Kind { return d.k }

// IsNull says whether the value is NULL.
func (d Datum) IsNull() bool { return d.k == KindNull }

// Bool returns the boolean; the kind must be KindBool.
func (d Datum) Bool() bool { return d.n != 0 }

// IsTrue says whether the value is the boolean true (not NULL, not false).
func (d Datum) IsTrue() bool { return d.k == KindBool && d.n != 0 }

// Int returns the integer of KindInt, and the raw number of KindDate, KindTime, KindTimestamp and KindTimestampTZ.
func (d Datum) Int() int64 { return int64(d.n) }

// Float returns the number of a KindFloat.
func (d Datum) Float() float64 { return math.Float64frombits(d.n) }

// Text returns the characters of a KindText (also the raw bytes of KindBytes and KindUUID), aliasing the Datum's memory.
func (d Datum) Text() string { return unsafe.String((*byte)(d.p), int(d.n)) }

// Bytes returns the bytes of a KindBytes, KindUUID or KindText, aliasing the Datum's memory: do not write to them.
func (d Datum) Bytes() []byte { return unsafe.Slice((*byte)(d.p), int(d.n)) }

// Numeric returns the decimal of a KindNumeric: do not write to it.
func (d Datum) Numeric() *apd.Decimal { return (*apd.Decimal)(d.p) }

// Interval returns the interval of a KindInterval.
func (d Datum) Interval() Interval { return *(*Interval)(d.p) }

// TimeTZ returns the value of a KindTimeTZ.
func (d Datum) TimeTZ() TimeTZ { return *(*TimeTZ)(d.p) }

// Array returns the array of a KindArray: do not write to it.
func (d Datum) Array() *Array { return (*Array)(d.p) }

// Record returns the row value of a KindRecord: do not write to it.
func (d Datum) Record() *Record { return (*Record)(d.p) }
