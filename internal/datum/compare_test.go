package datum

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"testing"
)

// TestRecordedOrder compares the order of values with PostgreSQL's, and hashes with equality.
func TestRecordedOrder(t *testing.T) {
	f, err := os.Open("testdata/compare.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var c [4]string
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		var typ Type
		if c[0] == "bpchar" {
			typ = T(OIDBpchar)
		} else {
			typ = typeNamed(t, c[0])
		}
		a, err1 := ParseText(typ, c[1], nil)
		b, err2 := ParseText(typ, c[2], nil)
		if err1 != nil || err2 != nil {
			t.Fatal(c, err1, err2)
		}
		got := Compare(a, b)
		ha, hb := Hash(3, a), Hash(3, b)
		if typ.OID == OIDBpchar {
			got = CompareBpchar(a.Text(), b.Text())
			ha, hb = HashBpchar(3, a.Text()), HashBpchar(3, b.Text())
		} else if Equal(a, b) != (got == 0) {
			t.Errorf("%s %q %q: Equal and Compare differ", c[0], c[1], c[2])
		}
		if strconv.Itoa(got) != c[3] {
			t.Errorf("%s %q %q: %d, want %s", c[0], c[1], c[2], got, c[3])
		}
		if got == 0 && ha != hb {
			t.Errorf("%s %q %q: equal, but hashes differ", c[0], c[1], c[2])
		}
	}
}

func BenchmarkText(b *testing.B) {
	buf := make([]byte, 0, 128)
	for _, c := range []struct {
		name string
		oid  OID
		in   string
	}{
		{"int4", OIDInt4, "123456"}, {"float8", OIDFloat8, "1234.5678"}, {"numeric", OIDNumeric, "1234.56"},
		{"timestamptz", OIDTimestampTZ, "2024-02-29 13:14:15.678+00"}, {"date", OIDDate, "2024-02-29"}, {"jsonb", OIDJSONB, `{"a": 1, "b": [true, null]}`},
	} {
		d, err := ParseText(T(c.oid), c.in, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("append/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendText(buf[:0], T(c.oid), d, nil)
			}
		})
		b.Run("parse/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = ParseText(T(c.oid), c.in, nil)
			}
		})
	}
}
