// Package row maps SQL values onto bytes: index key columns onto the order-preserving encodings of package keys, and
// whole rows onto a compact value that survives ADD and DROP COLUMN.
//
// A value is a version byte and then, for each column that is present, a header (column id and wire type in one varint)
// and a payload whose length the wire type tells. A reader takes the columns it wants and skips the rest without
// knowing their types; a wanted column that is absent was added after the row was written and has its missing value.
package row

import (
	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
)

// Keyable says whether values of t can be part of a key: the type has an order that keys can keep.
func Keyable(t datum.Type) bool {
	switch datum.KindOf(t.OID) {
	case datum.KindBool, datum.KindInt, datum.KindFloat, datum.KindBytes, datum.KindUUID, datum.KindNumeric,
		datum.KindDate, datum.KindTime, datum.KindTimeTZ, datum.KindTimestamp, datum.KindTimestampTZ,
		datum.KindInterval, datum.KindBits, datum.KindNet:
		return true
	case datum.KindText:
		switch t.OID {
		case datum.OIDText, datum.OIDVarchar, datum.OIDBpchar, datum.OIDName, datum.OIDQChar:
			return true
		}
	case datum.KindArray:
		return Keyable(datum.T(datum.ElemOf(t.OID)))
	}
	return false
}

// KeyLossless says whether DecodeKeyDatum gives back exactly what AppendKeyDatum was given. A column of another type
// must be stored in the value as well: numeric loses its display scale, floats the sign of zero, character(n) its
// blanks, an interval its fields.
func KeyLossless(t datum.Type) bool {
	switch datum.KindOf(t.OID) {
	case datum.KindFloat, datum.KindNumeric, datum.KindInterval:
		return false
	case datum.KindText:
		return t.OID != datum.OIDBpchar
	case datum.KindArray:
		return KeyLossless(datum.T(datum.ElemOf(t.OID)))
	}
	return true
}

// AppendKeyDatum appends one key column. bytes.Compare of two encodings with the same options orders them as
// datum.Compare does (character(n) by datum.CompareBpchar: see AppendKeyTyped), turned round when desc; NULLs come first
// or last as nullsFirst says, whatever desc is (PostgreSQL's default is nullsFirst == desc). The kind must be Keyable.
//
// Trailing blanks of a KindText count here. For a column of type character(n) use AppendKeyTyped.
func AppendKeyDatum(b []byte, d datum.Datum, desc, nullsFirst bool) []byte {
	switch d.Kind() {
	case datum.KindNull:
		return keys.AppendNull(b, nullsFirst)
	case datum.KindBool:
		return keys.AppendBool(b, d.Bool(), desc)
	case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
		return keys.AppendInt(b, d.Int(), desc)
	case datum.KindFloat:
		return keys.AppendFloat(b, d.Float(), desc)
	case datum.KindText, datum.KindBytes:
		return keys.AppendText(b, d.Text(), desc)
	case datum.KindUUID:
		return keys.AppendUUID(b, d.Bytes(), desc)
	case datum.KindNumeric:
		return keys.AppendDecimal(b, d.Numeric(), desc)
	case datum.KindTimeTZ:
		t := d.TimeTZ()
		b = keys.AppendInt(b, t.Micros+int64(t.ZoneOffset)*1_000_000, desc)
		return keys.AppendInt(b, int64(t.ZoneOffset), desc)
	case datum.KindInterval:
		hi, lo := datum.IntervalSpan(d.Interval())
		return keys.AppendInt128(b, hi, lo, desc)
	case datum.KindArray:
		return appendArrayKey(b, d.Array(), desc)
	case datum.KindBits:
		v := d.Bits()
		b = keys.AppendText(b, v.B, desc)
		return keys.AppendInt(b, int64(v.N), desc)
	case datum.KindNet:
		return keys.AppendText(b, netKey(d.Net()), desc)
	}
	invariant.Unreachable("a value of kind %d in a key", d.Kind())
	return b
}

// AppendKeyTyped is AppendKeyDatum for a column of a known type: trailing blanks of character(n) do not count.
func AppendKeyTyped(b []byte, t datum.Type, d datum.Datum, desc, nullsFirst bool) []byte {
	if t.OID == datum.OIDBpchar && d.Kind() == datum.KindText {
		s := d.Text()
		for len(s) > 0 && s[len(s)-1] == ' ' {
			s = s[:len(s)-1]
		}
		return keys.AppendText(b, s, desc)
	}
	return AppendKeyDatum(b, d, desc, nullsFirst)
}

// DecodeKeyDatum reads one key column of type t. Texts may alias b. What it returns equals what was appended, and is
// identical to it when KeyLossless(t).
func DecodeKeyDatum(b []byte, t datum.Type, desc, nullsFirst bool) (d datum.Datum, rest []byte, err error) {
	if keys.IsNull(b) {
		return datum.Null, b[1:], nil
	}
	kind := datum.KindOf(t.OID)
	switch kind {
	case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
		v, rest, err := keys.DecodeInt(b, desc)
		return intDatum(kind, v), rest, err
	case datum.KindText:
		s, rest, err := keys.DecodeText(b, desc)
		return datum.NewTextBytes(s), rest, err
	case datum.KindBytes:
		s, rest, err := keys.DecodeText(b, desc)
		return datum.NewBytes(s), rest, err
	case datum.KindUUID:
		u, rest, err := keys.DecodeUUID(b, desc)
		return datum.NewUUID(u), rest, err
	case datum.KindBool:
		v, rest, err := keys.DecodeBool(b, desc)
		return datum.NewBool(v), rest, err
	case datum.KindFloat:
		f, rest, err := keys.DecodeFloat(b, desc)
		return datum.NewFloat(f), rest, err
	case datum.KindNumeric:
		v := new(apd.Decimal)
		rest, err := keys.DecodeDecimal(b, v, desc)
		return datum.NewNumeric(v), rest, err
	}
	return decodeRareKey(b, t, kind, desc)
}

func decodeRareKey(b []byte, t datum.Type, kind datum.Kind, desc bool) (d datum.Datum, rest []byte, err error) {
	switch kind {
	case datum.KindTimeTZ:
		utc, rest, err := keys.DecodeInt(b, desc)
		if err != nil {
			return datum.Null, nil, err
		}
		zone, rest, err := keys.DecodeInt(rest, desc)
		if err != nil {
			return datum.Null, nil, err
		}
		if zone < -86400 || zone > 86400 {
			return datum.Null, nil, errCorrupt
		}
		return datum.NewTimeTZ(datum.TimeTZ{Micros: utc - zone*1_000_000, ZoneOffset: int32(zone)}), rest, nil
	case datum.KindInterval:
		hi, lo, rest, err := keys.DecodeInt128(b, desc)
		if err != nil {
			return datum.Null, nil, err
		}
		v, ok := datum.IntervalFromSpan(hi, lo)
		if !ok {
			return datum.Null, nil, errCorrupt
		}
		return datum.NewInterval(v), rest, nil
	case datum.KindArray:
		return decodeArrayKey(b, datum.ElemOf(t.OID), desc)
	case datum.KindBits:
		s, rest, err := keys.DecodeText(b, desc)
		if err != nil {
			return datum.Null, nil, err
		}
		n, rest, err := keys.DecodeInt(rest, desc)
		if err != nil {
			return datum.Null, nil, err
		}
		if n < 0 || (n+7)/8 != int64(len(s)) {
			return datum.Null, nil, errCorrupt
		}
		return datum.NewBits(datum.Bits{N: int(n), B: s}), rest, nil
	case datum.KindNet:
		s, rest, err := keys.DecodeText(b, desc)
		if err != nil {
			return datum.Null, nil, err
		}
		v, ok := netFromKey(s)
		if !ok {
			return datum.Null, nil, errCorrupt
		}
		return datum.NewNet(v), rest, nil
	}
	return datum.Null, nil, failure.NotSupported("key columns of type %s are", datum.TypeName(t.OID))
}

// SkipKeyDatum returns what follows the first key column of b.
func SkipKeyDatum(b []byte, t datum.Type, desc, nullsFirst bool) (rest []byte, err error) {
	if keys.IsNull(b) {
		return b[1:], nil
	}
	rest, err = keys.Skip(b, desc)
	if err != nil {
		return nil, err
	}
	switch datum.KindOf(t.OID) {
	case datum.KindTimeTZ, datum.KindBits: // two values
		return keys.Skip(rest, desc)
	}
	return rest, nil
}

// appendArrayKey appends the elements, the end, and then the shape, which decides only between equal elements.
func appendArrayKey(b []byte, a *datum.Array, desc bool) []byte {
	start := len(b)
	b = keys.AppendListStart(b)
	b = keys.AppendListStart(b)
	elem := datum.T(a.ElemType)
	for _, e := range a.Elems {
		b = AppendKeyTyped(b, elem, e, false, false)
	}
	b = keys.AppendListEnd(b, start, false)
	b = keys.AppendInt(b, int64(len(a.Dims)), false)
	for _, d := range a.Dims {
		b = keys.AppendInt(b, int64(d.Len), false)
	}
	for _, d := range a.Dims {
		b = keys.AppendInt(b, int64(d.Lower), false)
	}
	return keys.AppendListEnd(b, start, desc)
}

func decodeArrayKey(b []byte, elem datum.OID, desc bool) (datum.Datum, []byte, error) {
	body, rest, err := keys.DecodeList(b, desc)
	if err != nil {
		return datum.Null, nil, err
	}
	elems, shape, err := keys.DecodeList(body, false)
	if err != nil {
		return datum.Null, nil, err
	}
	a := &datum.Array{ElemType: elem}
	for len(elems) > 0 {
		var d datum.Datum
		if d, elems, err = DecodeKeyDatum(elems, datum.T(elem), false, false); err != nil {
			return datum.Null, nil, err
		}
		a.Elems = append(a.Elems, d)
	}
	ndims, shape, err := keys.DecodeInt(shape, false)
	if err != nil || ndims < 0 || ndims > datum.MaxDims {
		return datum.Null, nil, errCorrupt
	}
	a.Dims = make([]datum.ArrayDim, ndims)
	for i := range 2 * ndims {
		var v int64
		if v, shape, err = keys.DecodeInt(shape, false); err != nil || v != int64(int32(v)) {
			return datum.Null, nil, errCorrupt
		}
		if i < ndims {
			a.Dims[i].Len = int32(v)
		} else {
			a.Dims[i-ndims].Lower = int32(v)
		}
	}
	if !a.ShapeFits() {
		return datum.Null, nil, errCorrupt
	}
	return datum.NewArray(a), rest, nil
}

// netKey orders as datum.CompareNet: family, the network's bits, prefix length, then the whole address.
func netKey(n datum.Net) []byte {
	k := make([]byte, 0, 40)
	k = append(k, n.Family)
	size := n.Len()
	if n.Family == datum.NetMAC || n.Family == datum.NetMAC8 {
		return append(k, n.Addr[:size]...)
	}
	masked := n.Addr
	for i := range size * 8 {
		if i >= int(n.Prefix) {
			masked[i/8] &^= 0x80 >> (i % 8)
		}
	}
	k = append(k, masked[:size]...)
	k = append(k, n.Prefix)
	return append(k, n.Addr[:size]...)
}

func netFromKey(k []byte) (n datum.Net, ok bool) {
	if len(k) == 0 {
		return n, false
	}
	n.Family = k[0]
	size := n.Len()
	switch n.Family {
	case datum.NetMAC, datum.NetMAC8:
		if len(k) != 1+size {
			return n, false
		}
		copy(n.Addr[:], k[1:])
		return n, true
	case datum.NetIPv4, datum.NetIPv6:
		if len(k) != 2+2*size || int(k[1+size]) > size*8 {
			return n, false
		}
		n.Prefix = k[1+size]
		copy(n.Addr[:], k[2+size:])
		return n, true
	}
	return n, false
}
