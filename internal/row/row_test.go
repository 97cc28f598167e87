package row

import (
	"bytes"
	"math"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/internal/datum"
)

func num(s string) datum.Datum {
	d, _, err := apd.NewFromString(s)
	if err != nil {
		panic(err)
	}
	return datum.NewNumeric(d)
}

// genDatum draws a keyable value of a type.
func genDatum(t *rapid.T, typ datum.Type) datum.Datum {
	if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
		return datum.Null
	}
	smallInt := rapid.OneOf(rapid.Int64Range(-300, 300), rapid.Int64())
	switch typ.OID {
	case datum.OIDBool:
		return datum.NewBool(rapid.Bool().Draw(t, "b"))
	case datum.OIDInt8:
		return datum.NewInt(smallInt.Draw(t, "i"))
	case datum.OIDDate:
		return datum.NewDate(int64(rapid.Int32().Draw(t, "d")))
	case datum.OIDTimestampTZ:
		return datum.NewTimestampTZ(smallInt.Draw(t, "ts"))
	case datum.OIDFloat8:
		f := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1)}))
		return datum.NewFloat(f.Draw(t, "f"))
	case datum.OIDText, datum.OIDBpchar:
		return datum.NewText(rapid.StringOfN(rapid.SampledFrom([]rune("ab \x00\x01é")), 0, 6, -1).Draw(t, "s"))
	case datum.OIDBytea:
		return datum.NewBytes(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 0xfe, 0xff}), 0, 5).Draw(t, "bytes"))
	case datum.OIDUUID:
		var u [16]byte
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "u"))
		return datum.NewUUID(u)
	case datum.OIDNumeric:
		if s := rapid.SampledFrom([]string{"", "", "", "", "NaN", "Infinity", "-Infinity", "0", "0.00", "123456789012345678901234567890.5"}).Draw(t, "special"); s != "" {
			return num(s)
		}
		d := apd.New(smallInt.Draw(t, "coef"), -rapid.Int32Range(0, 8).Draw(t, "scale"))
		return datum.NewNumeric(d)
	case datum.OIDTimeTZ:
		return datum.NewTimeTZ(datum.TimeTZ{Micros: rapid.Int64Range(0, 86400_000_000).Draw(t, "us"), ZoneOffset: rapid.Int32Range(-50000, 50000).Draw(t, "z")})
	case datum.OIDInterval:
		return datum.NewInterval(datum.Interval{Months: rapid.Int32().Draw(t, "m"), Days: rapid.Int32().Draw(t, "d"), Micros: smallInt.Draw(t, "us")})
	case datum.OIDVarbit:
		n := rapid.IntRange(0, 20).Draw(t, "n")
		b := make([]byte, (n+7)/8)
		for i := range n {
			if rapid.Bool().Draw(t, "bit") {
				b[i/8] |= 0x80 >> (i % 8)
			}
		}
		return datum.NewBits(datum.Bits{N: n, B: b})
	case datum.OIDInet:
		n := datum.Net{Family: datum.NetIPv4, Prefix: rapid.Uint8Range(0, 32).Draw(t, "p")}
		copy(n.Addr[:4], rapid.SliceOfN(rapid.SampledFrom([]byte{10, 0, 255, 128}), 4, 4).Draw(t, "a"))
		return datum.NewNet(n)
	}
	elem := datum.ElemOf(typ.OID)
	n := rapid.IntRange(0, 3).Draw(t, "len")
	var es []datum.Datum
	for range n {
		es = append(es, genDatum(t, datum.T(elem)))
	}
	return datum.NewArray1(elem, es)
}

var keyTypes = []datum.OID{
	datum.OIDBool, datum.OIDInt8, datum.OIDDate, datum.OIDTimestampTZ, datum.OIDFloat8, datum.OIDText, datum.OIDBpchar,
	datum.OIDBytea, datum.OIDUUID, datum.OIDNumeric, datum.OIDTimeTZ, datum.OIDInterval, datum.OIDVarbit, datum.OIDInet,
	datum.OIDTextArray, datum.OIDInt8Array, datum.OIDNumericArray,
}

func sign(i int) int {
	switch {
	case i < 0:
		return -1
	case i > 0:
		return 1
	}
	return 0
}

// order is what a key column must reproduce.
func order(t datum.Type, a, b datum.Datum, desc, nullsFirst bool) int {
	if a.IsNull() || b.IsNull() {
		c := datum.Compare(a, b)
		if nullsFirst {
			c = -c
		}
		return c
	}
	c := 0
	if t.OID == datum.OIDBpchar {
		c = datum.CompareBpchar(a.Text(), b.Text())
	} else {
		c = datum.Compare(a, b)
	}
	if desc {
		c = -c
	}
	return c
}

func TestKeyOrderAndRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := datum.T(rapid.SampledFrom(keyTypes).Draw(t, "type"))
		if !Keyable(typ) {
			t.Fatalf("%d is not keyable", typ.OID)
		}
		desc, nullsFirst := rapid.Bool().Draw(t, "desc"), rapid.Bool().Draw(t, "nullsFirst")
		a, b := genDatum(t, typ), genDatum(t, typ)
		ka := AppendKeyTyped([]byte{7}, typ, a, desc, nullsFirst)[1:]
		kb := AppendKeyTyped(nil, typ, b, desc, nullsFirst)
		if got, want := sign(bytes.Compare(ka, kb)), sign(order(typ, a, b, desc, nullsFirst)); got != want {
			t.Fatalf("keys %x and %x compare %d, values %d", ka, kb, got, want)
		}
		if bytes.HasPrefix(ka, kb) && len(ka) != len(kb) {
			t.Fatalf("key %x is a prefix of %x", kb, ka)
		}
		tail := []byte{0x20, 0xaa}
		got, rest, err := DecodeKeyDatum(append(bytes.Clone(ka), tail...), typ, desc, nullsFirst)
		if err != nil || !bytes.Equal(rest, tail) {
			t.Fatalf("decode: %v, rest %x", err, rest)
		}
		if order(typ, got, a, false, false) != 0 {
			t.Fatalf("another value came back")
		}
		if KeyLossless(typ) && !bytes.Equal(AppendValue(nil, []Column{{ID: 1, Type: typ}}, []datum.Datum{got}), AppendValue(nil, []Column{{ID: 1, Type: typ}}, []datum.Datum{a})) {
			t.Fatalf("not lossless")
		}
		if rest, err = SkipKeyDatum(append(bytes.Clone(ka), tail...), typ, desc, nullsFirst); err != nil || !bytes.Equal(rest, tail) {
			t.Fatalf("skip: %v, rest %x", err, rest)
		}
		if datum.Equal(a, b) && datum.Hash(1, a) != datum.Hash(1, b) {
			t.Fatalf("equal values, different hashes")
		}
	})
}

func TestValueRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(t, "columns")
		var cols []Column
		var vals []datum.Datum
		id := uint32(0)
		for range n {
			id += rapid.SampledFrom([]uint32{1, 2, 20, 5000}).Draw(t, "gap")
			typ := datum.T(rapid.SampledFrom(keyTypes).Draw(t, "type"))
			cols = append(cols, Column{ID: id, Type: typ})
			vals = append(vals, genDatum(t, typ))
		}
		value := AppendValue(nil, cols, vals)
		var want []Column
		var expect, missing []datum.Datum
		for i := range cols {
			if rapid.Bool().Draw(t, "want") {
				want, expect, missing = append(want, cols[i]), append(expect, vals[i]), append(missing, datum.Null)
			}
		}
		want = append(want, Column{ID: id + 1, Type: datum.T(datum.OIDInt8)})
		expect, missing = append(expect, datum.NewInt(42)), append(missing, datum.NewInt(42))
		out := make([]datum.Datum, len(want))
		if err := NewDecoder(want, missing).Decode(value, out); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(AppendValue(nil, want, out), AppendValue(nil, want, expect)) {
			t.Fatalf("got %v", out)
		}
	})
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	value, dec, out := fourColumns()
	if n := testing.AllocsPerRun(100, func() {
		if err := dec.Decode(value, out); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func fourColumns() ([]byte, *Decoder, []datum.Datum) {
	cols := []Column{{1, datum.T(datum.OIDInt4)}, {2, datum.T(datum.OIDInt4)}, {3, datum.T(datum.OIDText)}, {4, datum.T(datum.OIDTimestampTZ)}}
	vals := []datum.Datum{datum.NewInt(12345), datum.NewInt(-7), datum.NewText("hello, world"), datum.NewTimestampTZ(812345678901234)}
	return AppendValue(nil, cols, vals), NewDecoder(cols, nil), make([]datum.Datum, 4)
}

func BenchmarkDecodeFourColumns(b *testing.B) {
	value, dec, out := fourColumns()
	b.ReportAllocs()
	for b.Loop() {
		if err := dec.Decode(value, out); err != nil {
			b.Fatal(err)
		}
	}
}

var allTypes = append([]datum.OID{datum.OIDJSONB, datum.OIDRecord, datum.OIDInt4Range, datum.OIDTime, datum.OIDTimestamp}, keyTypes...)

func FuzzDecodeValue(f *testing.F) {
	value, _, _ := fourColumns()
	f.Add(value)
	var cols []Column
	for i, t := range allTypes {
		cols = append(cols, Column{ID: uint32(i), Type: datum.T(t)})
	}
	dec := NewDecoder(cols, nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		out := make([]datum.Datum, len(cols))
		if err := dec.Decode(b, out); err != nil {
			return
		}
		again := AppendValue(nil, cols, out)
		back := make([]datum.Datum, len(cols))
		if err := dec.Decode(again, back); err != nil {
			t.Fatalf("%x: %v", again, err)
		}
		for i := range out {
			if !datum.Equal(out[i], back[i]) {
				t.Fatalf("column %d changed", i)
			}
		}
	})
}

func FuzzDecodeKey(f *testing.F) {
	f.Add([]byte{0x12, 'a', 0, 1}, true)
	f.Fuzz(func(t *testing.T, b []byte, desc bool) {
		for _, typ := range allTypes {
			d, rest, err := DecodeKeyDatum(b, datum.T(typ), desc, desc)
			if err != nil || d.IsNull() {
				continue
			}
			again := AppendKeyDatum(nil, d, desc, desc)
			if back, _, err := DecodeKeyDatum(again, datum.T(typ), desc, desc); err != nil || !datum.Equal(back, d) {
				t.Fatalf("%x as %d: %v", b[:len(b)-len(rest)], typ, err)
			}
		}
	})
}
