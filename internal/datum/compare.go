package datum

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/apd/v3"
)

// Compare orders two values of one kind as PostgreSQL's btree operators do: -1, 0 or 1. Texts compare as bytes (a
// bpchar's trailing blanks count here: see CompareBpchar); NaN is the greatest number; NULL, at any depth, is greater
// than every value. Values of different kinds have an arbitrary but fixed order.
func Compare(a, b Datum) int {
	if a.k != b.k {
		return compareKinds(a.k, b.k)
	}
	switch a.k {
	case KindInt, KindDate, KindTime, KindTimestamp, KindTimestampTZ:
		return cmp.Compare(int64(a.n), int64(b.n))
	case KindText, KindUUID, KindBytes:
		return strings.Compare(a.Text(), b.Text())
	case KindBool:
		return cmp.Compare(a.n, b.n)
	case KindFloat:
		return CompareFloat(a.Float(), b.Float())
	case KindNumeric:
		return CompareNumeric(a.Numeric(), b.Numeric())
	case KindInterval:
		return CompareInterval(a.Interval(), b.Interval())
	case KindTimeTZ:
		return CompareTimeTZ(a.TimeTZ(), b.TimeTZ())
	case KindJSONB:
		return CompareJSONB(a.JSONB(), b.JSONB())
	case KindArray:
		return compareArrays(a.Array(), b.Array())
	case KindRecord:
		return compareRecords(a.Record(), b.Record())
	case KindBits:
		return CompareBits(a.Bits(), b.Bits())
	case KindNet:
		return CompareNet(a.Net(), b.Net())
	case KindRange:
		return CompareRange(a.Range(), b.Range())
	}
	return 0
}

func compareKinds(a, b Kind) int {
	if a == KindNull {
		return 1
	}
	if b == KindNull {
		return -1
	}
	return cmp.Compare(a, b)
}

// Equal says whether Compare would return 0; two NULLs are equal here, as in GROUP BY and DISTINCT.
func Equal(a, b Datum) bool {
	if a.k != b.k {
		return false
	}
	switch a.k {
	case KindNull:
		return true
	case KindBool, KindInt, KindDate, KindTime, KindTimestamp, KindTimestampTZ:
		return a.n == b.n
	case KindText, KindUUID, KindBytes:
		return a.n == b.n && a.Text() == b.Text()
	}
	return Compare(a, b) == 0
}

// CompareBpchar compares two character(n) values, to which trailing blanks do not count.
func CompareBpchar(a, b string) int {
	return strings.Compare(strings.TrimRight(a, " "), strings.TrimRight(b, " "))
}

// CompareFloat orders floats with NaN equal to itself and above everything else.
func CompareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case a == a: // b is NaN
		return -1
	case b == b:
		return 1
	}
	return 0
}

// CompareNumeric orders numerics by value, whatever their display scales; NaN is above Infinity.
func CompareNumeric(a, b *apd.Decimal) int {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return cmp.Compare(formRank(a), formRank(b))
	}
	return a.Cmp(b)
}

func formRank(d *apd.Decimal) int {
	switch {
	case d.Form == apd.Finite:
		return 0
	case d.Form != apd.Infinite:
		return 2
	case d.Negative:
		return -1
	}
	return 1
}

const (
	microsPerSecond = 1_000_000
	microsPerMinute = 60 * microsPerSecond
	microsPerHour   = 60 * microsPerMinute
	microsPerDay    = 24 * microsPerHour
	daysPerMonth    = 30
	monthsPerYear   = 12
)

// IntervalSpan returns the length of an interval in microseconds as a 128-bit integer, counting a month as 30 days and
// a day as 24 hours. Intervals are compared by it.
func IntervalSpan(v Interval) (hi int64, lo uint64) {
	days := int64(v.Months)*daysPerMonth + int64(v.Days)
	neg := days < 0
	abs := uint64(days)
	if neg {
		abs = -abs
	}
	h, l := bits.Mul64(abs, microsPerDay)
	if neg {
		var carry uint64
		l, carry = bits.Add64(^l, 1, 0)
		h = ^h + carry
	}
	l, carry := bits.Add64(l, uint64(v.Micros), 0)
	h, _ = bits.Add64(h, uint64(v.Micros>>63), carry)
	return int64(h), l
}

// CompareInterval orders intervals by IntervalSpan.
func CompareInterval(a, b Interval) int {
	ah, al := IntervalSpan(a)
	bh, bl := IntervalSpan(b)
	if ah != bh {
		return cmp.Compare(ah, bh)
	}
	return cmp.Compare(al, bl)
}

// CompareTimeTZ orders by the moment in UTC, then by zone.
func CompareTimeTZ(a, b TimeTZ) int {
	au := a.Micros + int64(a.ZoneOffset)*microsPerSecond
	bu := b.Micros + int64(b.ZoneOffset)*microsPerSecond
	if au != bu {
		return cmp.Compare(au, bu)
	}
	return cmp.Compare(a.ZoneOffset, b.ZoneOffset)
}

// CompareJSONB orders jsonb values as PostgreSQL's btree: object > array > boolean > number > string > null, longer
// containers above shorter ones, and (an old quirk) the empty array at the top level below every scalar.
func CompareJSONB(a, b *JSONB) int {
	as, bs := a.Kind < JSONArray, b.Kind < JSONArray
	if a.Kind == JSONArray && bs {
		if len(a.Elems) == 0 {
			return -1
		}
		return 1
	}
	if b.Kind == JSONArray && as {
		if len(b.Elems) == 0 {
			return 1
		}
		return -1
	}
	return compareJSON(a, b)
}

func compareJSON(a, b *JSONB) int {
	if a.Kind != b.Kind {
		return cmp.Compare(a.Kind, b.Kind)
	}
	switch a.Kind {
	case JSONString:
		return strings.Compare(a.Text, b.Text)
	case JSONNumber:
		return CompareNumeric(a.Num, b.Num)
	case JSONBool:
		if a.Bool == b.Bool {
			return 0
		}
		if b.Bool {
			return -1
		}
		return 1
	case JSONArray:
		if len(a.Elems) != len(b.Elems) {
			return cmp.Compare(len(a.Elems), len(b.Elems))
		}
		for i := range a.Elems {
			if c := compareJSON(&a.Elems[i], &b.Elems[i]); c != 0 {
				return c
			}
		}
	case JSONObject:
		if len(a.Pairs) != len(b.Pairs) {
			return cmp.Compare(len(a.Pairs), len(b.Pairs))
		}
		for i := range a.Pairs {
			if c := strings.Compare(a.Pairs[i].Key, b.Pairs[i].Key); c != 0 {
				return c
			}
			if c := compareJSON(&a.Pairs[i].Value, &b.Pairs[i].Value); c != 0 {
				return c
			}
		}
	}
	return 0
}

// compareArrays compares element by element, then lengths, then shapes.
func compareArrays(a, b *Array) int {
	for i := 0; i < len(a.Elems) && i < len(b.Elems); i++ {
		c := 0
		if a.ElemType == OIDBpchar && a.Elems[i].k == KindText && b.Elems[i].k == KindText {
			c = CompareBpchar(a.Elems[i].Text(), b.Elems[i].Text())
		} else {
			c = Compare(a.Elems[i], b.Elems[i])
		}
		if c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(a.Elems), len(b.Elems)); c != 0 {
		return c
	}
	if c := cmp.Compare(len(a.Dims), len(b.Dims)); c != 0 {
		return c
	}
	for i := range a.Dims {
		if c := cmp.Compare(a.Dims[i].Len, b.Dims[i].Len); c != 0 {
			return c
		}
	}
	for i := range a.Dims {
		if c := cmp.Compare(a.Dims[i].Lower, b.Dims[i].Lower); c != 0 {
			return c
		}
	}
	return 0
}

func compareRecords(a, b *Record) int {
	for i := 0; i < len(a.Values) && i < len(b.Values); i++ {
		c := 0
		if i < len(a.Types) && a.Types[i].OID == OIDBpchar && a.Values[i].k == KindText && b.Values[i].k == KindText {
			c = CompareBpchar(a.Values[i].Text(), b.Values[i].Text())
		} else {
			c = Compare(a.Values[i], b.Values[i])
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.Values), len(b.Values))
}

// CompareBits compares bit strings bit by bit, then by length.
func CompareBits(a, b Bits) int {
	n := min(len(a.B), len(b.B))
	if c := bytes.Compare(a.B[:n], b.B[:n]); c != 0 {
		return c
	}
	return cmp.Compare(a.N, b.N)
}

// CompareNet compares addresses as network_cmp and macaddr_cmp do: family, common bits of the network, length of the
// mask, then the address.
func CompareNet(a, b Net) int {
	if a.Family != b.Family {
		return cmp.Compare(a.Family, b.Family)
	}
	n := a.Len()
	if a.Family == NetMAC || a.Family == NetMAC8 {
		return bytes.Compare(a.Addr[:n], b.Addr[:n])
	}
	if c := comparePrefix(&a.Addr, &b.Addr, int(min(a.Prefix, b.Prefix))); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Prefix, b.Prefix); c != 0 {
		return c
	}
	return bytes.Compare(a.Addr[:n], b.Addr[:n])
}

func comparePrefix(a, b *[16]byte, bits int) int {
	n := bits / 8
	if c := bytes.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	if r := bits % 8; r != 0 {
		return cmp.Compare(a[n]>>(8-r), b[n]>>(8-r))
	}
	return 0
}

// CompareRange orders ranges: empty first, then by lower bound, then by upper bound.
func CompareRange(a, b Range) int {
	switch {
	case a.Empty && b.Empty:
		return 0
	case a.Empty:
		return -1
	case b.Empty:
		return 1
	}
	if c := compareBounds(a.Low, a.LowInc, true, b.Low, b.LowInc, true); c != 0 {
		return c
	}
	return compareBounds(a.High, a.HighInc, false, b.High, b.HighInc, false)
}

// compareBounds compares two bounds of ranges, each a lower or an upper one; a NULL bound is infinite.
func compareBounds(a Datum, aInc, aLow bool, b Datum, bInc, bLow bool) int {
	side := func(low bool) int {
		if low {
			return -1
		}
		return 1
	}
	switch {
	case a.IsNull() && b.IsNull():
		return cmp.Compare(side(aLow), side(bLow))
	case a.IsNull():
		return side(aLow)
	case b.IsNull():
		return -side(bLow)
	}
	if c := Compare(a, b); c != 0 {
		return c
	}
	edge := func(inc, low bool) int { // where the bound lies, beside the value
		if inc {
			return 0
		}
		return -side(low)
	}
	return cmp.Compare(edge(aInc, aLow), edge(bInc, bLow))
}

// Hash returns a hash that is equal for values that are Equal. Different seeds give independent hashes.
func Hash(seed uint64, d Datum) uint64 {
	switch d.k {
	case KindNull:
		return mix(seed ^ 0x6e756c6c)
	case KindBool, KindInt, KindDate, KindTime, KindTimestamp, KindTimestampTZ:
		return mix(seed ^ d.n)
	case KindText, KindUUID, KindBytes:
		return mix(seed ^ xxhash.Sum64String(d.Text()))
	case KindFloat:
		return mix(seed ^ floatBits(d.Float()))
	case KindNumeric:
		return hashNumeric(seed, d.Numeric())
	case KindInterval:
		hi, lo := IntervalSpan(d.Interval())
		return mix(mix(seed^uint64(hi)) ^ lo)
	case KindTimeTZ:
		t := d.TimeTZ()
		return mix(mix(seed^uint64(t.Micros)) ^ uint64(t.ZoneOffset))
	case KindJSONB:
		return hashJSON(seed, d.JSONB())
	case KindArray:
		a := d.Array()
		return hashList(mix(seed^uint64(len(a.Dims))), a.Elems, func(int) bool { return a.ElemType == OIDBpchar })
	case KindRecord:
		r := d.Record()
		return hashList(seed, r.Values, func(i int) bool { return i < len(r.Types) && r.Types[i].OID == OIDBpchar })
	case KindBits:
		v := d.Bits()
		return mix(seed ^ xxhash.Sum64(v.B) ^ uint64(v.N))
	case KindNet:
		v := d.Net()
		return mix(seed ^ xxhash.Sum64(v.Addr[:]) ^ uint64(v.Prefix)<<8 ^ uint64(v.Family))
	case KindRange:
		r := d.Range()
		if r.Empty {
			return mix(seed ^ 1)
		}
		return Hash(Hash(seed, r.Low), r.High)
	}
	return seed
}

// HashBpchar hashes a character(n) without its trailing blanks.
func HashBpchar(seed uint64, s string) uint64 {
	return mix(seed ^ xxhash.Sum64String(strings.TrimRight(s, " ")))
}

func hashList(h uint64, vs []Datum, bpchar func(int) bool) uint64 {
	for i, v := range vs {
		if v.k == KindText && bpchar(i) {
			h = HashBpchar(h, v.Text())
		} else {
			h = Hash(h, v)
		}
	}
	return h
}

func floatBits(f float64) uint64 {
	if f == 0 {
		return 0
	}
	if f != f {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func hashNumeric(seed uint64, d *apd.Decimal) uint64 {
	if d.Form != apd.Finite {
		return mix(seed ^ uint64(formRank(d)+3)<<60)
	}
	exp := int64(d.Exponent)
	if d.Coeff.IsUint64() {
		u := d.Coeff.Uint64()
		if u == 0 {
			return mix(seed)
		}
		for u%10 == 0 {
			u /= 10
			exp++
		}
		return hashDigits(seed, u, exp, d.Negative)
	}
	var buf [64]byte
	digits := d.Coeff.Append(buf[:0], 10)
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exp++
	}
	if u, err := strconv.ParseUint(string(digits), 10, 64); err == nil {
		return hashDigits(seed, u, exp, d.Negative)
	}
	return hashDigits(seed, xxhash.Sum64(digits), exp, d.Negative)
}

func hashDigits(seed, u uint64, exp int64, neg bool) uint64 {
	if neg {
		exp = ^exp
	}
	return mix(mix(seed^u) ^ uint64(exp))
}

func hashJSON(seed uint64, j *JSONB) uint64 {
	h := mix(seed ^ uint64(j.Kind))
	switch j.Kind {
	case JSONString:
		h = mix(h ^ xxhash.Sum64String(j.Text))
	case JSONNumber:
		h = hashNumeric(h, j.Num)
	case JSONBool:
		if j.Bool {
			h = mix(h ^ 1)
		}
	case JSONArray:
		for i := range j.Elems {
			h = hashJSON(h, &j.Elems[i])
		}
	case JSONObject:
		for i := range j.Pairs {
			h = mix(h ^ xxhash.Sum64String(j.Pairs[i].Key))
			h = hashJSON(h, &j.Pairs[i].Value)
		}
	}
	return h
}
