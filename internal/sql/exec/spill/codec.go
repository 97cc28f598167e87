package spill

import (
	"encoding/binary"
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// Rows in temporary files are self-describing: a count of columns, then for each value its kind and content. The
// format lives as long as the query, so it carries no version.

// AppendRow appends the encoding of row.
func AppendRow(b []byte, row []datum.Datum) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(row)))
	var err error
	for i := range row {
		if b, err = appendDatum(b, row[i]); err != nil {
			return b, err
		}
	}
	return b, nil
}

func appendDatum(b []byte, d datum.Datum) ([]byte, error) {
	k := d.Kind()
	b = append(b, byte(k))
	switch k {
	case datum.KindNull:
	case datum.KindBool:
		if d.Bool() {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
		b = binary.AppendVarint(b, d.Int())
	case datum.KindFloat:
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(d.Float()))
	case datum.KindText, datum.KindBytes:
		b = binary.AppendUvarint(b, uint64(len(d.Text())))
		b = append(b, d.Text()...)
	case datum.KindUUID:
		b = append(b, d.Text()...)
	case datum.KindNumeric:
		b = appendNumeric(b, d.Numeric())
	case datum.KindInterval:
		iv := d.Interval()
		b = binary.AppendVarint(b, int64(iv.Months))
		b = binary.AppendVarint(b, int64(iv.Days))
		b = binary.AppendVarint(b, iv.Micros)
	case datum.KindTimeTZ:
		t := d.TimeTZ()
		b = binary.AppendVarint(b, t.Micros)
		b = binary.AppendVarint(b, int64(t.ZoneOffset))
	case datum.KindArray:
		return appendArray(b, d.Array())
	case datum.KindRecord:
		return appendRecord(b, d.Record())
	default:
		return appendRare(b, d)
	}
	return b, nil
}

func appendNumeric(b []byte, d *apd.Decimal) []byte {
	flags := byte(d.Form) << 1
	if d.Negative {
		flags |= 1
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, int64(d.Exponent))
	c := d.Coeff.Bytes()
	b = binary.AppendUvarint(b, uint64(len(c)))
	return append(b, c...)
}

func appendArray(b []byte, a *datum.Array) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(a.ElemType))
	b = binary.AppendUvarint(b, uint64(len(a.Dims)))
	for _, dim := range a.Dims {
		b = binary.AppendVarint(b, int64(dim.Len))
		b = binary.AppendVarint(b, int64(dim.Lower))
	}
	return AppendRow(b, a.Elems)
}

func appendRecord(b []byte, r *datum.Record) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(r.Types)))
	for _, t := range r.Types {
		b = binary.AppendUvarint(b, uint64(t.OID))
		b = binary.AppendVarint(b, int64(t.Mod))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Names)))
	for _, n := range r.Names {
		b = binary.AppendUvarint(b, uint64(len(n)))
		b = append(b, n...)
	}
	return AppendRow(b, r.Values)
}

// decoder reads what AppendRow wrote. Texts alias the buffer.
type decoder struct {
	b   []byte
	bad bool
}

func corrupt() error {
	return failure.New(failure.DataCorrupted, "temporary file is damaged")
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad = true
		d.b = nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad = true
		d.b = nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.bad = true
		d.b = nil
		return nil
	}
	r := d.b[:n:n]
	d.b = d.b[n:]
	return r
}

// count reads a number of items that take at least one byte each.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.bad = true
		d.b = nil
		return 0
	}
	return int(n)
}

// row decodes one row into memory of the arena.
func (d *decoder) row(a *Arena) ([]datum.Datum, error) {
	n := d.count()
	r := a.Row(n)
	for i := range r {
		r[i] = d.datum()
	}
	if d.bad {
		return nil, corrupt()
	}
	return r, nil
}

func (d *decoder) datum() datum.Datum {
	kb := d.bytes(1)
	if d.bad {
		return datum.Null
	}
	switch k := datum.Kind(kb[0]); k {
	case datum.KindNull:
		return datum.Null
	case datum.KindBool:
		v := d.bytes(1)
		return datum.NewBool(!d.bad && v[0] != 0)
	case datum.KindInt:
		return datum.NewInt(d.varint())
	case datum.KindDate:
		return datum.NewDate(d.varint())
	case datum.KindTime:
		return datum.NewTime(d.varint())
	case datum.KindTimestamp:
		return datum.NewTimestamp(d.varint())
	case datum.KindTimestampTZ:
		return datum.NewTimestampTZ(d.varint())
	case datum.KindFloat:
		v := d.bytes(8)
		if d.bad {
			return datum.Null
		}
		return datum.NewFloat(math.Float64frombits(binary.LittleEndian.Uint64(v)))
	case datum.KindText:
		return datum.NewTextBytes(d.bytes(d.uvarint()))
	case datum.KindBytes:
		return datum.NewBytes(d.bytes(d.uvarint()))
	case datum.KindUUID:
		v := d.bytes(16)
		if d.bad {
			return datum.Null
		}
		return datum.NewUUID([16]byte(v))
	case datum.KindNumeric:
		return d.numeric()
	case datum.KindInterval:
		return datum.NewInterval(datum.Interval{Months: int32(d.varint()), Days: int32(d.varint()), Micros: d.varint()})
	case datum.KindTimeTZ:
		return datum.NewTimeTZ(datum.TimeTZ{Micros: d.varint(), ZoneOffset: int32(d.varint())})
	case datum.KindArray:
		return d.array()
	case datum.KindRecord:
		return d.record()
	default:
		return d.rare(k)
	}
}

func (d *decoder) numeric() datum.Datum {
	f := d.bytes(1)
	exp := d.varint()
	c := d.bytes(d.uvarint())
	if d.bad {
		return datum.Null
	}
	n := &apd.Decimal{Form: apd.Form(f[0] >> 1), Negative: f[0]&1 != 0, Exponent: int32(exp)}
	n.Coeff.SetBytes(c)
	return datum.NewNumeric(n)
}

func (d *decoder) array() datum.Datum {
	a := &datum.Array{ElemType: datum.OID(d.uvarint())}
	if n := d.count(); n > 0 {
		a.Dims = make([]datum.ArrayDim, n)
		for i := range a.Dims {
			a.Dims[i] = datum.ArrayDim{Len: int32(d.varint()), Lower: int32(d.varint())}
		}
	}
	a.Elems = d.datums()
	return datum.NewArray(a)
}

func (d *decoder) record() datum.Datum {
	r := &datum.Record{}
	if n := d.count(); n > 0 {
		r.Types = make([]datum.Type, n)
		for i := range r.Types {
			r.Types[i] = datum.Type{OID: datum.OID(d.uvarint()), Mod: int32(d.varint())}
		}
	}
	if n := d.count(); n > 0 {
		r.Names = make([]string, n)
		for i := range r.Names {
			r.Names[i] = string(d.bytes(d.uvarint()))
		}
	}
	r.Values = d.datums()
	return datum.NewRecord(r)
}

func (d *decoder) datums() []datum.Datum {
	n := d.count()
	if n == 0 {
		return nil
	}
	vs := make([]datum.Datum, n)
	for i := range vs {
		vs[i] = d.datum()
	}
	return vs
}
