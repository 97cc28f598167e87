package datum

import (
	"math/bits"
	"unsafe"

	"github.com/cockroachdb/apd/v3"
)

// JSONKind is the sort of a JSON value, in the order that jsonb compares them.
type JSONKind uint8

// The sorts of JSON values.
const (
	JSONNull JSONKind = iota
	JSONString
	JSONNumber
	JSONBool
	JSONArray
	JSONObject
)

// JSONB is a jsonb value as a tree. It is not changed once it is in a Datum, and parts of one tree may be shared by others.
type JSONB struct {
	Kind  JSONKind
	Bool  bool
	Text  string       // of JSONString
	Num   *apd.Decimal // of JSONNumber; finite
	Elems []JSONB      // of JSONArray
	Pairs []JSONPair   // of JSONObject: sorted by length of key, then bytes, without duplicates
}

// JSONPair is one member of an object.
type JSONPair struct {
	Key   string
	Value JSONB
}

// NewJSONB makes a jsonb that aliases j, which must not be changed afterwards.
func NewJSONB(j *JSONB) Datum { return Datum{k: KindJSONB, p: unsafe.Pointer(j)} }

// JSONB returns the tree of a KindJSONB: do not write to it.
func (d Datum) JSONB() *JSONB { return (*JSONB)(d.p) }

// Bits is a bit string: N bits, the first in the highest bit of B[0]; unused low bits of the last byte are zero.
type Bits struct {
	N int
	B []byte
}

// NewBits makes a bit string that aliases v.
func NewBits(v Bits) Datum { return Datum{k: KindBits, p: unsafe.Pointer(&v)} }

// Bits returns the bit string of a KindBits: do not write to its bytes.
func (d Datum) Bits() Bits { return *(*Bits)(d.p) }

// The families of a Net.
const (
	NetIPv4 uint8 = 4
	NetIPv6 uint8 = 6
	NetMAC  uint8 = 48 // macaddr: 6 bytes of Addr
	NetMAC8 uint8 = 64 // macaddr8: 8 bytes of Addr
)

// Net is a network address: inet, cidr or macaddr.
type Net struct {
	Family uint8
	Prefix uint8 // bits of the netmask; IP families only
	Addr   [16]byte
}

// Len is the number of bytes of the address.
func (n Net) Len() int {
	switch n.Family {
	case NetIPv4:
		return 4
	case NetMAC:
		return 6
	case NetMAC8:
		return 8
	}
	return 16
}

// NewNet makes a network address.
func NewNet(n Net) Datum { return Datum{k: KindNet, p: unsafe.Pointer(&n)} }

// Net returns the address of a KindNet.
func (d Datum) Net() Net { return *(*Net)(d.p) }

// Range is a range of any subtype. An infinite bound is NULL.
type Range struct {
	Empty           bool
	LowInc, HighInc bool
	Low, High       Datum
}

// NewRange makes a range.
func NewRange(r Range) Datum { return Datum{k: KindRange, p: unsafe.Pointer(&r)} }

// Range returns the range of a KindRange.
func (d Datum) Range() Range { return *(*Range)(d.p) }

// MaxDims is the greatest number of dimensions of an array.
const MaxDims = 6

// ShapeFits says whether the dimensions are valid and describe exactly the elements.
func (a *Array) ShapeFits() bool {
	if len(a.Dims) == 0 {
		return len(a.Elems) == 0
	}
	if len(a.Dims) > MaxDims {
		return false
	}
	n := int64(1)
	for _, d := range a.Dims {
		if d.Len <= 0 || int64(d.Lower)+int64(d.Len)-1 > 1<<31-1 {
			return false
		}
		if n *= int64(d.Len); n > int64(len(a.Elems)) {
			return false
		}
	}
	return n == int64(len(a.Elems))
}

// NewArray1 makes a one-dimensional array with lower bound 1, or the empty array.
func NewArray1(elem OID, elems []Datum) Datum {
	a := &Array{ElemType: elem, Elems: elems}
	if len(elems) > 0 {
		a.Dims = []ArrayDim{{Len: int32(len(elems)), Lower: 1}}
	}
	return NewArray(a)
}

// IntervalFromSpan returns an interval of that IntervalSpan; ok is false when there is none.
func IntervalFromSpan(hi int64, lo uint64) (v Interval, ok bool) {
	neg := hi < 0
	h, l := uint64(hi), lo
	if neg {
		var carry uint64
		l, carry = bits.Add64(^l, 1, 0)
		h = ^h + carry
	}
	if h >= microsPerDay {
		return v, false
	}
	days, micros := bits.Div64(h, l, microsPerDay)
	months := days / daysPerMonth
	if months > 1<<31-1 {
		months = 1<<31 - 1
	}
	days -= months * daysPerMonth
	if days > 1<<31-1 {
		extra := days - (1<<31 - 1)
		days -= extra
		eh, el := bits.Mul64(extra, microsPerDay)
		if eh != 0 || el > 1<<63-1-micros {
			return v, false
		}
		micros += el
	}
	v = Interval{Months: int32(months), Days: int32(days), Micros: int64(micros)}
	if neg {
		v = Interval{Months: -v.Months, Days: -v.Days, Micros: -v.Micros}
	}
	return v, true
}
