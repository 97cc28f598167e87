package row

import (
	"encoding/binary"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
)

// reader takes pieces off a body; after the first failure everything it returns is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int32() int32 {
	v := r.varint()
	if v != int64(int32(v)) {
		r.bad = true
	}
	return int32(v)
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

// count reads a number of things that take at least one byte each.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) field(kind datum.Kind, depth int) datum.Datum {
	head := r.uvarint()
	if r.bad || depth > maxDepth {
		r.bad = true
		return datum.Null
	}
	wire := byte(head & (1<<wireBits - 1))
	if n := payloadLen(r.b, wire); n >= 0 && wire == wireBytes && kind != datum.KindText && kind != datum.KindBytes {
		size := r.uvarint()
		v, err := decodeBoxed(r.bytes(size), kind, depth+1)
		r.bad = r.bad || err != nil
		return v
	}
	v, n, err := decodePayload(r.b, wire, kind)
	if err != nil {
		r.bad, r.b = true, nil
		return datum.Null
	}
	r.b = r.b[n:]
	return v
}

// maxDepth bounds the nesting of stored values; jsonb's own bound is the parser's.
const maxDepth = 10_000

func decodeBoxed(body []byte, kind datum.Kind, depth int) (datum.Datum, error) {
	if depth > maxDepth {
		return datum.Null, errCorrupt
	}
	r := reader{b: body}
	var v datum.Datum
	switch kind {
	case datum.KindNumeric:
		d, ok := decodeNumeric(body)
		if !ok {
			return datum.Null, errCorrupt
		}
		return datum.NewNumeric(d), nil
	case datum.KindTimeTZ:
		v = datum.NewTimeTZ(datum.TimeTZ{Micros: r.varint(), ZoneOffset: r.int32()})
	case datum.KindInterval:
		v = datum.NewInterval(datum.Interval{Months: r.int32(), Days: r.int32(), Micros: r.varint()})
	case datum.KindJSONB:
		j := new(datum.JSONB)
		r.json(j, 0)
		v = datum.NewJSONB(j)
	case datum.KindArray:
		v = r.array(depth)
	case datum.KindRecord:
		v = r.record(depth)
	case datum.KindBits:
		n := r.uvarint()
		if n > uint64(len(r.b))*8 || int(n+7)/8 != len(r.b) {
			return datum.Null, errCorrupt
		}
		v = datum.NewBits(datum.Bits{N: int(n), B: r.bytes(uint64(len(r.b)))})
	case datum.KindNet:
		n := datum.Net{Family: r.byte(), Prefix: r.byte()}
		if len(r.b) != n.Len() || int(n.Prefix) > n.Len()*8 {
			return datum.Null, errCorrupt
		}
		copy(n.Addr[:], r.bytes(uint64(n.Len())))
		v = datum.NewNet(n)
	case datum.KindRange:
		v = datum.NewRange(r.span(depth))
	default:
		return datum.Null, errCorrupt
	}
	if r.bad || len(r.b) != 0 {
		return datum.Null, errCorrupt
	}
	return v, nil
}

func decodeNumeric(b []byte) (*apd.Decimal, bool) {
	if len(b) == 0 {
		return nil, false
	}
	d := new(apd.Decimal)
	switch b[0] {
	case numericPositive:
	case numericNegative:
		d.Negative = true
	case numericNaN:
		d.Form = apd.NaN
		return d, len(b) == 1
	case numericPosInf:
		d.Form = apd.Infinite
		return d, len(b) == 1
	case numericNegInf:
		d.Form, d.Negative = apd.Infinite, true
		return d, len(b) == 1
	default:
		return nil, false
	}
	exp, n := binary.Varint(b[1:])
	if n <= 0 || exp > 0 || exp < -200_000 {
		return nil, false
	}
	d.Exponent = int32(exp)
	b = b[1+n:]
	if len(b) <= 8 {
		u := uint64(0)
		for i := len(b) - 1; i >= 0; i-- {
			u = u<<8 | uint64(b[i])
		}
		d.Coeff.SetUint64(u)
		return d, true
	}
	if len(b) > 100_000 {
		return nil, false
	}
	big := make([]byte, len(b))
	for i := range b {
		big[len(b)-1-i] = b[i]
	}
	d.Coeff.SetBytes(big)
	return d, true
}

func (r *reader) array(depth int) datum.Datum {
	a := &datum.Array{ElemType: datum.OID(r.uvarint())}
	ndims := r.uvarint()
	if ndims > datum.MaxDims {
		r.bad = true
		return datum.Null
	}
	if ndims > 0 {
		a.Dims = make([]datum.ArrayDim, ndims)
	}
	n := int64(1)
	for i := range a.Dims {
		size := r.uvarint()
		if size > uint64(len(r.b)) || size == 0 {
			r.bad = true
			return datum.Null
		}
		a.Dims[i] = datum.ArrayDim{Len: int32(size), Lower: r.int32()}
		if n *= int64(size); n > int64(len(r.b)) {
			r.bad = true
			return datum.Null
		}
	}
	if ndims == 0 {
		n = 0
	}
	a.Elems = make([]datum.Datum, n)
	kind := datum.KindOf(a.ElemType)
	for i := range a.Elems {
		a.Elems[i] = r.field(kind, depth+1)
	}
	if !a.ShapeFits() {
		r.bad = true
	}
	return datum.NewArray(a)
}

func (r *reader) record(depth int) datum.Datum {
	n := r.count()
	rec := &datum.Record{Types: make([]datum.Type, n), Values: make([]datum.Datum, n)}
	for i := range n {
		rec.Types[i] = datum.Type{OID: datum.OID(r.uvarint()), Mod: r.int32()}
		rec.Values[i] = r.field(datum.KindOf(rec.Types[i].OID), depth+1)
	}
	return datum.NewRecord(rec)
}

func (r *reader) span(depth int) datum.Range {
	flags := r.byte()
	if flags == rangeEmpty {
		return datum.Range{Empty: true}
	}
	kind := datum.Kind(r.byte())
	return datum.Range{
		LowInc: flags&rangeLowInc != 0, HighInc: flags&rangeHighInc != 0,
		Low: r.field(kind, depth+1), High: r.field(kind, depth+1),
	}
}

func (r *reader) json(j *datum.JSONB, depth int) {
	c := r.byte()
	if r.bad || depth > maxDepth {
		r.bad = true
		return
	}
	j.Kind = datum.JSONKind(c &^ 0x80)
	switch j.Kind {
	case datum.JSONNull:
	case datum.JSONBool:
		j.Bool = c&0x80 != 0
	case datum.JSONString:
		j.Text = datum.NewTextBytes(r.bytes(r.uvarint())).Text()
	case datum.JSONNumber:
		d, ok := decodeNumeric(r.bytes(r.uvarint()))
		if !ok || d.Form != apd.Finite {
			r.bad = true
			return
		}
		j.Num = d
	case datum.JSONArray:
		j.Elems = make([]datum.JSONB, r.count())
		for i := range j.Elems {
			if r.json(&j.Elems[i], depth+1); r.bad {
				return
			}
		}
	case datum.JSONObject:
		j.Pairs = make([]datum.JSONPair, r.count())
		for i := range j.Pairs {
			j.Pairs[i].Key = datum.NewTextBytes(r.bytes(r.uvarint())).Text()
			if r.json(&j.Pairs[i].Value, depth+1); r.bad {
				return
			}
		}
	default:
		r.bad = true
	}
}
