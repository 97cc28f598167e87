package txn

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/meridiandb/meridian/internal/keys"
)

func sample() Record {
	return Record{
		Kind: RecordTx, Gen: 3, Time: 77, ID: MakeID(12, 34), Start: 70, Attempt: 2, Chunks: 5,
		Participants: []JournalID{1, 9},
		Conflicts: Conflicts{Exclusive: []keys.Hash{1, 2, 3}, Shared: []keys.Hash{4}, Schema: []keys.Hash{5, 6},
			SchemaWrites: []keys.Hash{7}},
		Images: []Image{
			{Key: keys.Key("b"), Value: []byte("two")},
			{Key: keys.Key("a"), Delete: true},
			{Key: keys.Key("c"), Value: []byte{}},
			{Key: keys.Key(bytes.Repeat([]byte("k"), 300)), Value: bytes.Repeat([]byte("v"), 1000)},
		},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	r := sample()
	b := r.AppendTo([]byte("prefix"))[6:]
	if len(b) != r.Size() {
		t.Fatalf("size %d, said %d", len(b), r.Size())
	}
	v, rest, err := ParseRecord(append(b, 1, 2))
	if err != nil || len(rest) != 2 || v.Verify() != nil {
		t.Fatal(err)
	}
	if got := v.Record(); !reflect.DeepEqual(got, r) {
		t.Fatalf("%+v\n%+v", got, r)
	}
	if string(v.Key(0)) != "a" || v.Search(keys.Key("bb")) != 2 || v.Search(keys.Key("z")) != 4 {
		t.Fatal("routing index")
	}
	if m := v.Image(2); m.Delete || m.Value == nil || len(m.Value) != 0 {
		t.Fatalf("an empty value is not a deletion: %+v", m)
	}
	SealRecord(b, 8, 99)
	v, _, err = ParseRecord(b)
	if err != nil || v.Gen() != 8 || v.Time() != 99 || v.Verify() != nil {
		t.Fatal(err)
	}
}

func TestTransferRoundTrip(t *testing.T) {
	for _, kind := range []RecordKind{RecordCede, RecordAdopt} {
		r := Record{Kind: kind, Gen: 1, Time: 5, Range: HashRange{10, 20}, Peer: 7}
		b := r.AppendTo(nil)
		v, _, err := ParseRecord(b)
		if err != nil || len(b) != r.Size() {
			t.Fatal(err, len(b), r.Size())
		}
		if got := v.Record(); !reflect.DeepEqual(got, r) {
			t.Fatalf("%+v", got)
		}
	}
}

func TestRecordDamage(t *testing.T) {
	r := sample()
	b := r.AppendTo(nil)
	for i := range b {
		b[i] ^= 1
		v, _, err := ParseRecord(b)
		if err == nil {
			err = v.Verify()
		}
		if err == nil && i != offKind+1 && i != offKind+2 {
			t.Fatalf("flipped bit in byte %d went unnoticed", i)
		}
		b[i] ^= 1
	}
}

func FuzzParseRecord(f *testing.F) {
	r := sample()
	f.Add(r.AppendTo(nil), true)
	o := Record{Kind: RecordOwn, Gen: 1, Time: 5}
	f.Add(o.AppendTo(nil), false)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal && len(b) >= recordHeader {
			SealRecord(b, 1, 2) // lets mutations of the header and the sections through
		}
		v, rest, err := ParseRecord(b)
		if err != nil {
			return
		}
		if len(rest)+len(v.Bytes()) != len(b) {
			t.Fatal("lengths")
		}
		if v.Kind() == RecordCede || v.Kind() == RecordAdopt {
			v.Transfer()
			return
		}
		v.Record()
		for i := range v.Images() {
			v.Key(i)
		}
		v.Search(keys.Key("m"))
	})
}

func BenchmarkRecord(b *testing.B) {
	r := sample()
	var buf []byte
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			buf = r.AppendTo(buf[:0])
			SealRecord(buf, 1, 2)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, _, err := ParseRecord(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
