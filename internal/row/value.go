package row

import (
	"encoding/binary"
	"math"
	"sort"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
)

// Version1 is the first byte of every value.
const Version1 = 1

// Column is a column as rows know it: its id, which is never used again in the same table, and its type.
type Column struct {
	ID   uint32
	Type datum.Type
}

var errCorrupt = failure.New(failure.DataCorrupted, "corrupted row encoding")

// The wire types: how long a payload is.
const (
	wireNull   = 0
	wireFalse  = 1
	wireTrue   = 2
	wireVarint = 3 // zigzag varint
	wireFixed8 = 4 // 8 bytes, little endian
	wireBytes  = 5 // varint length, bytes
	wireFixed6 = 6 // 16 bytes
	wireBits   = 3
)

// AppendValue appends a row: all columns of cols with their values, NULLs included. It works for any order of the
// columns; ids in increasing order decode fastest.
func AppendValue(b []byte, cols []Column, vals []datum.Datum) []byte {
	b = append(b, Version1)
	for i := range cols {
		b = appendField(b, uint64(cols[i].ID), vals[i])
	}
	return b
}

// appendField appends header and payload of one value under a tag (a column's id, or 0 inside arrays).
func appendField(b []byte, tag uint64, d datum.Datum) []byte {
	tag <<= wireBits
	switch d.Kind() {
	case datum.KindNull:
		return binary.AppendUvarint(b, tag|wireNull)
	case datum.KindBool:
		if d.Bool() {
			return binary.AppendUvarint(b, tag|wireTrue)
		}
		return binary.AppendUvarint(b, tag|wireFalse)
	case datum.KindInt, datum.KindDate, datum.KindTime:
		b = binary.AppendUvarint(b, tag|wireVarint)
		return binary.AppendVarint(b, d.Int())
	case datum.KindTimestamp, datum.KindTimestampTZ:
		b = binary.AppendUvarint(b, tag|wireFixed8)
		return binary.LittleEndian.AppendUint64(b, uint64(d.Int()))
	case datum.KindFloat:
		b = binary.AppendUvarint(b, tag|wireFixed8)
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(d.Float()))
	case datum.KindText, datum.KindBytes:
		b = binary.AppendUvarint(b, tag|wireBytes)
		s := d.Text()
		b = binary.AppendUvarint(b, uint64(len(s)))
		return append(b, s...)
	case datum.KindUUID:
		b = binary.AppendUvarint(b, tag|wireFixed6)
		return append(b, d.Bytes()...)
	}
	b = binary.AppendUvarint(b, tag|wireBytes)
	return appendSized(b, func(b []byte) []byte { return appendBoxed(b, d) })
}

// appendSized appends what f appends, with its length before it.
func appendSized(b []byte, f func([]byte) []byte) []byte {
	start := len(b)
	b = append(b, 0) // most bodies are shorter than 128 bytes
	b = f(b)
	n := len(b) - start - 1
	if n < 0x80 {
		b[start] = byte(n)
		return b
	}
	var size [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(size[:], uint64(n))
	b = append(b, size[1:k]...)
	copy(b[start+k:], b[start+1:start+1+n])
	copy(b[start:], size[:k])
	return b
}

func appendBoxed(b []byte, d datum.Datum) []byte {
	switch d.Kind() {
	case datum.KindNumeric:
		return appendNumeric(b, d.Numeric())
	case datum.KindTimeTZ:
		t := d.TimeTZ()
		b = binary.AppendVarint(b, t.Micros)
		return binary.AppendVarint(b, int64(t.ZoneOffset))
	case datum.KindInterval:
		v := d.Interval()
		b = binary.AppendVarint(b, int64(v.Months))
		b = binary.AppendVarint(b, int64(v.Days))
		return binary.AppendVarint(b, v.Micros)
	case datum.KindJSONB:
		return appendJSON(b, d.JSONB())
	case datum.KindArray:
		a := d.Array()
		b = binary.AppendUvarint(b, uint64(a.ElemType))
		b = binary.AppendUvarint(b, uint64(len(a.Dims)))
		for _, dim := range a.Dims {
			b = binary.AppendUvarint(b, uint64(dim.Len))
			b = binary.AppendVarint(b, int64(dim.Lower))
		}
		for _, e := range a.Elems {
			b = appendField(b, 0, e)
		}
		return b
	case datum.KindRecord:
		return appendRecord(b, d.Record())
	case datum.KindBits:
		v := d.Bits()
		b = binary.AppendUvarint(b, uint64(v.N))
		return append(b, v.B...)
	case datum.KindNet:
		v := d.Net()
		b = append(b, v.Family, v.Prefix)
		return append(b, v.Addr[:v.Len()]...)
	case datum.KindRange:
		return appendRange(b, d.Range())
	}
	invariant.Unreachable("a value of kind %d in a row", d.Kind())
	return b
}

// The first byte of a stored numeric.
const (
	numericPositive = 0
	numericNegative = 1
	numericNaN      = 2
	numericPosInf   = 3
	numericNegInf   = 4
)

func appendNumeric(b []byte, d *apd.Decimal) []byte {
	switch {
	case d.Form == apd.Infinite && d.Negative:
		return append(b, numericNegInf)
	case d.Form == apd.Infinite:
		return append(b, numericPosInf)
	case d.Form != apd.Finite:
		return append(b, numericNaN)
	case d.Negative:
		b = append(b, numericNegative)
	default:
		b = append(b, numericPositive)
	}
	b = binary.AppendVarint(b, int64(d.Exponent))
	if d.Coeff.IsUint64() {
		u := d.Coeff.Uint64()
		for u > 0 { // little endian, without leading zeros
			b = append(b, byte(u))
			u >>= 8
		}
		return b
	}
	big := d.Coeff.Bytes()
	for i := len(big) - 1; i >= 0; i-- {
		b = append(b, big[i])
	}
	return b
}

func appendRecord(b []byte, r *datum.Record) []byte {
	b = binary.AppendUvarint(b, uint64(len(r.Values)))
	for i, v := range r.Values {
		t := datum.T(datum.OIDUnknown)
		if i < len(r.Types) {
			t = r.Types[i]
		}
		b = binary.AppendUvarint(b, uint64(t.OID))
		b = binary.AppendVarint(b, int64(t.Mod))
		b = appendField(b, 0, v)
	}
	return b
}

// The bits of a stored range's first byte.
const (
	rangeEmpty   = 1
	rangeLowInc  = 2
	rangeHighInc = 4
)

func appendRange(b []byte, r datum.Range) []byte {
	flags := byte(0)
	if r.Empty {
		return append(b, rangeEmpty)
	}
	if r.LowInc {
		flags |= rangeLowInc
	}
	if r.HighInc {
		flags |= rangeHighInc
	}
	kind := r.Low.Kind()
	if r.Low.IsNull() {
		kind = r.High.Kind()
	}
	b = append(b, flags, byte(kind))
	b = appendField(b, 0, r.Low)
	return appendField(b, 0, r.High)
}

// appendJSON writes a tree as its kind and its contents.
func appendJSON(b []byte, j *datum.JSONB) []byte {
	kind := byte(j.Kind)
	if j.Kind == datum.JSONBool && j.Bool {
		kind |= 0x80
	}
	b = append(b, kind)
	switch j.Kind {
	case datum.JSONString:
		b = appendString(b, j.Text)
	case datum.JSONNumber:
		b = appendSized(b, func(b []byte) []byte { return appendNumeric(b, j.Num) })
	case datum.JSONArray:
		b = binary.AppendUvarint(b, uint64(len(j.Elems)))
		for i := range j.Elems {
			b = appendJSON(b, &j.Elems[i])
		}
	case datum.JSONObject:
		b = binary.AppendUvarint(b, uint64(len(j.Pairs)))
		for i := range j.Pairs {
			b = appendString(b, j.Pairs[i].Key)
			b = appendJSON(b, &j.Pairs[i].Value)
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// Decoder reads chosen columns out of values. Build it once for a scan; it is not changed by use, so that goroutines may
// share it.
type Decoder struct {
	cols    []target
	dense   []uint16 // column id to index in cols plus one; for ids below len(dense)
	sparse  []uint16 // indexes of the other columns, by id
	version byte
}

type target struct {
	id      uint32
	typ     datum.Type
	kind    datum.Kind
	slot    int
	missing datum.Datum
}

const maxDense = 4096

// NewDecoder makes a decoder that puts column want[i] into out[i]. missing[i] is what a row has that was written before
// the column was added; a nil missing means NULLs.
func NewDecoder(want []Column, missing []datum.Datum) *Decoder {
	slots := make([]int, len(want))
	for i := range slots {
		slots[i] = i
	}
	return NewDecoderAt(want, slots, missing)
}

// NewDecoderAt makes a decoder that puts column want[i] into out[slots[i]] and leaves the other slots alone.
func NewDecoderAt(want []Column, slots []int, missing []datum.Datum) *Decoder {
	invariant.Check(len(want) < math.MaxUint16, "%d columns in a row", len(want))
	d := &Decoder{cols: make([]target, len(want)), version: Version1}
	top := 0
	for i, c := range want {
		d.cols[i] = target{id: c.ID, typ: c.Type, kind: datum.KindOf(c.Type.OID), slot: slots[i]}
		if missing != nil {
			d.cols[i].missing = missing[i]
		}
		if c.ID < maxDense {
			top = max(top, int(c.ID)+1)
		} else {
			d.sparse = append(d.sparse, uint16(i))
		}
	}
	d.dense = make([]uint16, top)
	for i, c := range want {
		if c.ID < maxDense {
			d.dense[c.ID] = uint16(i) + 1
		}
	}
	sort.Slice(d.sparse, func(i, j int) bool { return want[d.sparse[i]].ID < want[d.sparse[j]].ID })
	return d
}

// find returns the target of a column, nil when it is not wanted.
func (d *Decoder) find(id uint64) *target {
	if id < uint64(len(d.dense)) {
		if i := d.dense[id]; i != 0 {
			return &d.cols[i-1]
		}
		return nil
	}
	if len(d.sparse) == 0 {
		return nil
	}
	i := sort.Search(len(d.sparse), func(i int) bool { return uint64(d.cols[d.sparse[i]].id) >= id })
	if i < len(d.sparse) && uint64(d.cols[d.sparse[i]].id) == id {
		return &d.cols[d.sparse[i]]
	}
	return nil
}

// Decode reads the wanted columns of value into out. Texts, byteas and uuids alias value, which must not change while
// they live. Bytes that AppendValue did not write give an error of class XX001 or a wrong value, never a panic.
func (d *Decoder) Decode(value []byte, out []datum.Datum) error {
	if len(value) == 0 || value[0] != d.version {
		return errCorrupt
	}
	for i := range d.cols {
		out[d.cols[i].slot] = d.cols[i].missing
	}
	b, left := value[1:], len(d.cols)
	for len(b) > 0 && left > 0 {
		head, n := uint64(b[0]), 1
		if head >= 0x80 {
			if head, n = binary.Uvarint(b); n <= 0 {
				return errCorrupt
			}
		}
		b = b[n:]
		wire := byte(head & (1<<wireBits - 1))
		t := d.find(head >> wireBits)
		if t == nil {
			if n = payloadLen(b, wire); n < 0 {
				return errCorrupt
			}
			b = b[n:]
			continue
		}
		v, n, err := decodePayload(b, wire, t.kind)
		if err != nil {
			return err
		}
		out[t.slot] = v
		b = b[n:]
		left--
	}
	return nil
}

// payloadLen returns the length of a payload, or -1 when b is too short or the wire type unknown.
func payloadLen(b []byte, wire byte) int {
	n := 0
	switch wire {
	case wireNull, wireFalse, wireTrue:
		return 0
	case wireVarint:
		for n < len(b) && b[n] >= 0x80 {
			n++
		}
		n++
	case wireFixed8:
		n = 8
	case wireFixed6:
		n = 16
	case wireBytes:
		size, k := binary.Uvarint(b)
		if k <= 0 || size > uint64(len(b)-k) {
			return -1
		}
		return k + int(size)
	default:
		return -1
	}
	if n > len(b) {
		return -1
	}
	return n
}

func intDatum(kind datum.Kind, v int64) datum.Datum {
	switch kind {
	case datum.KindDate:
		return datum.NewDate(v)
	case datum.KindTime:
		return datum.NewTime(v)
	case datum.KindTimestamp:
		return datum.NewTimestamp(v)
	case datum.KindTimestampTZ:
		return datum.NewTimestampTZ(v)
	}
	return datum.NewInt(v)
}

// decodePayload reads a payload as a value of a kind and returns the bytes it took.
func decodePayload(b []byte, wire byte, kind datum.Kind) (datum.Datum, int, error) {
	switch wire {
	case wireNull:
		return datum.Null, 0, nil
	case wireVarint:
		v, n := binary.Varint(b)
		if n <= 0 || kind != datum.KindInt && kind != datum.KindDate && kind != datum.KindTime {
			break
		}
		return intDatum(kind, v), n, nil
	case wireBytes:
		size, k := binary.Uvarint(b)
		if k <= 0 || size > uint64(len(b)-k) {
			break
		}
		end := k + int(size)
		body := b[k:end:end]
		switch kind {
		case datum.KindText:
			return datum.NewTextBytes(body), end, nil
		case datum.KindBytes:
			return datum.NewBytes(body), end, nil
		}
		v, err := decodeBoxed(body, kind, 0)
		return v, end, err
	case wireFixed8:
		if len(b) < 8 {
			break
		}
		u := binary.LittleEndian.Uint64(b)
		switch kind {
		case datum.KindTimestamp:
			return datum.NewTimestamp(int64(u)), 8, nil
		case datum.KindTimestampTZ:
			return datum.NewTimestampTZ(int64(u)), 8, nil
		case datum.KindFloat:
			return datum.NewFloat(math.Float64frombits(u)), 8, nil
		}
	case wireFalse, wireTrue:
		if kind == datum.KindBool {
			return datum.NewBool(wire == wireTrue), 0, nil
		}
	case wireFixed6:
		if len(b) >= 16 && kind == datum.KindUUID {
			return datum.NewUUIDBytes(b[:16:16]), 16, nil
		}
	}
	return datum.Null, 0, errCorrupt
}
