package builtin

import (
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
)

// TestNoAllocations guards the functions of inner loops.
func TestNoAllocations(t *testing.T) {
	f := Load()
	c := &Context{Facts: f}
	ints := []datum.Datum{datum.NewInt(41), datum.NewInt(1)}
	texts := []datum.Datum{datum.NewText("alpha"), datum.NewText("beta")}
	floats := []datum.Datum{datum.NewFloat(1.5), datum.NewFloat(2)}
	for _, k := range []struct {
		op   string
		typ  OID
		args []datum.Datum
	}{
		{"+", datum.OIDInt4, ints}, {"-", datum.OIDInt8, ints}, {"*", datum.OIDInt4, ints}, {"/", datum.OIDInt4, ints},
		{"%", datum.OIDInt8, ints}, {"=", datum.OIDInt4, ints}, {"<", datum.OIDInt8, ints},
		{"<=", datum.OIDTimestamp, ints}, {"=", datum.OIDText, texts}, {"<", datum.OIDText, texts},
		{"~~", datum.OIDText, texts}, {"+", datum.OIDFloat8, floats}, {">", datum.OIDFloat8, floats},
	} {
		op, err := f.ResolveOperator("", k.op, k.typ, k.typ)
		if err != nil {
			t.Fatal(err)
		}
		impl, err := op.Op.Func.Prepare(&Call{Facts: f, Func: op.Op.Func, Args: []datum.Type{datum.T(k.typ), datum.T(k.typ)}})
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := impl(c, k.args); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s allocates %v times", op.Op.Func.Prosrc, n)
		}
	}
}

func BenchmarkInt4Plus(b *testing.B) {
	fn := Load().FuncByOID(177)
	args := []datum.Datum{datum.NewInt(41), datum.NewInt(1)}
	c := &Context{Facts: Load()}
	for b.Loop() {
		if _, err := fn.Impl(c, args); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSumNumeric(b *testing.B) {
	d, err := datum.ParseNumeric("12345.67")
	if err != nil {
		b.Fatal(err)
	}
	args := []datum.Datum{datum.NewNumeric(d)}
	s := &numericStats{final: numericSum}
	for b.Loop() {
		if err := s.Add(nil, args); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolveOperator(b *testing.B) {
	f := Load()
	for b.Loop() {
		if _, err := f.ResolveOperator("", "=", datum.OIDInt8, datum.OIDUnknown); err != nil {
			b.Fatal(err)
		}
	}
}
