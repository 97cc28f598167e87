package builtin

import (
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
)

func TestLoad(t *testing.T) {
	f := Load()
	if got := f.TypeName(1231); got != "numeric[]" {
		t.Fatal(got)
	}
	s, ok := f.Sort(datum.OIDVarchar)
	if !ok || s.Less.Func.Name != "text_lt" || s.Compare.Name != "bttextcmp" || !s.Hashable {
		t.Fatalf("%+v", s)
	}
	if s, ok = f.Sort(datum.OIDInt4Array); !ok || s.Less.Func.Name != "array_lt" {
		t.Fatalf("%+v", s)
	}
	if _, ok = f.Sort(datum.OIDJSON); ok {
		t.Fatal("json has no order")
	}
	r, err := f.ResolveOperator("", "+", datum.OIDInt4, datum.OIDUnknown)
	if err != nil || r.Op.Func.Name != "int4pl" {
		t.Fatal(r, err)
	}
	if _, err = f.ResolveOperator("", "+", datum.OIDInt4, datum.OIDText); err == nil {
		t.Fatal("found")
	}
	t.Log(err)
	x, err := f.ResolveFunc(FuncCall{Name: "length", Args: []OID{datum.OIDUnknown}})
	if err != nil || x.Func.Args[0] != datum.OIDText {
		t.Fatal(x, err)
	}
	x, err = f.ResolveFunc(FuncCall{Name: "array_append", Args: []OID{datum.OIDInt4Array, datum.OIDInt8}})
	if err != nil || x.Ret != datum.OIDInt8Array {
		t.Fatal(x, err)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		parseBase()
	}
}
