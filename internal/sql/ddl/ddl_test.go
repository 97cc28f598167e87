package ddl

import (
	"slices"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/txn/txntest"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 70)
	if n := objectName(long, "b", "idx"); len(n) > maxName || !strings.HasSuffix(n, "_b_idx") {
		t.Errorf("%s is no name", n)
	}
	taken := []string{"t_a_key", "t_a_key1"}
	if n := chooseName("t", "a", "key", func(n string) bool { return slices.Contains(taken, n) }); n != "t_a_key2" {
		t.Error(n)
	}
	if n := uniqueName([]string{"b", "b1"}, "b"); n != "b2" {
		t.Error(n)
	}
}

func TestSplitIdentifiers(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "A.b": "a|b", `"A".b`: "A|b", `"a""b"`: `a"b`, "": "-", "a.": "-", "a b": "-", `"`: "-"} {
		parts, ok := SplitIdentifiers(in)
		got := strings.Join(parts, "|")
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestSameRepresentation(t *testing.T) {
	varchar := func(n int32) datum.Type { return datum.Type{OID: datum.OIDVarchar, Mod: n + 4} }
	for _, c := range []struct {
		from, to datum.Type
		want     bool
	}{
		{datum.T(datum.OIDInt4), datum.T(datum.OIDInt8), true}, {datum.T(datum.OIDInt8), datum.T(datum.OIDInt4), false},
		{varchar(5), varchar(9), true}, {varchar(9), varchar(5), false}, {varchar(5), datum.T(datum.OIDText), true},
		{datum.T(datum.OIDText), varchar(5), false}, {datum.T(datum.OIDInt4), datum.T(datum.OIDText), false},
	} {
		if got := sameRepresentation(c.from, c.to); got != c.want {
			t.Errorf("%v to %v: %v", c.from, c.to, got)
		}
	}
}

func TestSequences(t *testing.T) {
	s := NewSequences(txntest.New())
	seq := func(d catalog.Sequence) *catalog.Table {
		return &catalog.Table{OID: 1, Name: "s", Kind: catalog.RelSequence, Data: 20000, Sequence: &d}
	}
	a := seq(catalog.Sequence{Type: datum.T(datum.OIDInt8), Start: 1, Increment: 1, Min: 1, Max: 100, Cache: 1})
	for want := int64(1); want <= 100; want++ {
		v, err := s.Next(t.Context(), a)
		if err != nil || v != want {
			t.Fatalf("%d %v, want %d", v, err, want)
		}
	}
	if _, err := s.Next(t.Context(), a); failure.CodeOf(err) != failure.SequenceGeneratorLimitExceeded {
		t.Fatal(err)
	}
	if err := s.Set(t.Context(), a, 7, true); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Next(t.Context(), a); v != 8 || err != nil {
		t.Fatal(v, err)
	}
	if err := s.Set(t.Context(), a, 101, true); failure.CodeOf(err) != failure.NumericValueOutOfRange {
		t.Fatal(err)
	}
	a.Sequence.Cycle = true
	if err := s.Set(t.Context(), a, 100, true); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Next(t.Context(), a); v != 1 || err != nil {
		t.Fatal(v, err)
	}
}

// TestSequenceAfterRestart checks that a new node never hands out a value that an old one may have.
func TestSequenceAfterRestart(t *testing.T) {
	db := txntest.New()
	a := &catalog.Table{OID: 1, Name: "s", Data: 20001, Sequence: &catalog.Sequence{Type: datum.T(datum.OIDInt8), Start: 1, Increment: 1, Min: 1, Max: 1000, Cache: 1}}
	first := NewSequences(db)
	var last int64
	for range 3 {
		last, _ = first.Next(t.Context(), a)
	}
	if v, err := NewSequences(db).Next(t.Context(), a); err != nil || v <= last {
		t.Fatalf("%d after %d, %v", v, last, err)
	}
}

func TestScramVerifier(t *testing.T) {
	v, err := ScramVerifier("pencil", []byte("0123456789abcdef"), 4096)
	if err != nil || !strings.HasPrefix(v, "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$") || strings.Contains(v, "pencil") {
		t.Fatal(v, err)
	}
}
