package layout

import (
	"bytes"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

func testTable() *catalog.Table {
	col := func(id uint32, name string, t datum.OID) *catalog.Column {
		return &catalog.Column{ID: id, Attnum: int16(id), Name: name, Type: datum.T(t)}
	}
	key := func(id uint32, t datum.OID) catalog.IndexColumn {
		return catalog.IndexColumn{Column: id, Type: datum.T(t)}
	}
	return &catalog.Table{OID: 20000, Name: "t", Kind: catalog.RelTable, Data: 20000,
		Columns: []*catalog.Column{col(1, "id", datum.OIDInt4), col(2, "name", datum.OIDText), col(3, "n", datum.OIDNumeric),
			col(4, "u", datum.OIDInt8), {ID: 5, Name: "gone", Dropped: true}, col(6, "late", datum.OIDInt4)},
		Indexes: []*catalog.Index{
			{ID: 1, Name: "t_pkey", Unique: true, Primary: true, Key: []catalog.IndexColumn{key(1, datum.OIDInt4)}},
			{ID: 2, Name: "t_name", Key: []catalog.IndexColumn{key(2, datum.OIDText)}, Include: []uint32{4}},
			{ID: 3, Name: "t_u", Unique: true, Key: []catalog.IndexColumn{key(4, datum.OIDInt8), key(3, datum.OIDNumeric)}},
			{ID: 4, Name: "gone", State: catalog.IndexDropping},
		}}
}

func TestRoundTrip(t *testing.T) {
	l, err := New(testTable())
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Secondary) != 2 {
		t.Fatal(len(l.Secondary))
	}
	dec, _, _ := apd.NewFromString("1.50")
	full := []datum.Datum{datum.NewInt(7), datum.NewText("bob"), datum.NewNumeric(dec), datum.NewInt(99), datum.Null, datum.NewInt(5)}
	withNull := append([]datum.Datum(nil), full...)
	withNull[3] = datum.Null
	for _, r := range [][]datum.Datum{full, withNull} {
		key := l.AppendRowKey(nil, r)
		val := l.AppendRowValue(nil, r, nil)
		check(t, l.Rows, key, val, r, []int{1, 0, 2, 5, 3, 4})
		rowKey := key[keys.PrefixLen:]
		for _, x := range l.Secondary {
			ek, unique := x.AppendEntryKey(nil, r, nil, rowKey)
			ev := x.AppendEntryValue(nil, r, rowKey, unique, nil)
			if unique != (x.Desc.ID == 3 && !r[3].IsNull()) {
				t.Fatalf("%s unique %v", x.Desc.Name, unique)
			}
			got, err := x.RowKey(nil, ek, ev)
			if err != nil || !bytes.Equal(got, key) {
				t.Fatalf("%s: %x, not %x, %v", x.Desc.Name, got, key, err)
			}
			if x.Desc.ID == 2 {
				check(t, x, ek, ev, r, []int{3, 0, 1})
			} else {
				check(t, x, ek, ev, r, []int{0, 2, 3})
				check(t, x, ek, ev, r, []int{0})
			}
		}
	}
	if l.Secondary[0].Covers([]int{2}) || !l.Secondary[1].Covers([]int{0, 2, 3}) {
		t.Fatal("covers")
	}
}

func check(t *testing.T, x *Index, key keys.Key, val []byte, r []datum.Datum, ords []int) {
	t.Helper()
	d, err := NewDecoder(x, ords)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]datum.Datum, len(ords))
	if !d.NeedsValue() {
		val = nil
	}
	if err := d.Decode(key, val, out); err != nil {
		t.Fatal(err)
	}
	for i, o := range ords {
		if !datum.Equal(out[i], r[o]) {
			t.Fatalf("%s column %d: kind %d", x.Desc.Name, o, out[i].Kind())
		}
	}
}

func FuzzDecode(f *testing.F) {
	l, _ := New(testTable())
	d, _ := NewDecoder(l.Secondary[1], []int{0, 2, 3})
	f.Add([]byte{1, 2}, []byte{1})
	f.Fuzz(func(_ *testing.T, k, v []byte) {
		out := make([]datum.Datum, 3)
		key := append(append(keys.Key(nil), d.index.Prefix...), k...)
		_ = d.Decode(key, v, out)
		_, _ = d.index.RowKey(nil, key, v)
	})
}
