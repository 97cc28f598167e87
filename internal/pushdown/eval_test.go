package pushdown

import (
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/row"
)

// The table of the tests: key (id int8, name text desc), value (5 age int4, 6 city char(8), 7 added later, default 42).
func testColumns() ([]Column, []KeyColumn) {
	return []Column{
		{Type: datum.T(datum.OIDInt8), KeyPos: 0},
		{Type: datum.T(datum.OIDText), KeyPos: 1},
		{Type: datum.T(datum.OIDInt4), KeyPos: -1, ID: 5},
		{Type: datum.T(datum.OIDBpchar), KeyPos: -1, ID: 6},
		{Type: datum.T(datum.OIDInt4), KeyPos: -1, ID: 7, Missing: datum.NewInt(42)},
	}, []KeyColumn{{Type: datum.T(datum.OIDInt8)}, {Type: datum.T(datum.OIDText), Desc: true}}
}

func testRow(id int64, name string, age datum.Datum, city string) (key, value []byte) {
	k := []byte(keys.AppendPrefix(nil, 9, keys.PrimaryIndex))
	k = row.AppendKeyDatum(k, datum.NewInt(id), false, false)
	k = row.AppendKeyDatum(k, datum.NewText(name), true, true)
	cols := []row.Column{{ID: 5, Type: datum.T(datum.OIDInt4)}, {ID: 6, Type: datum.T(datum.OIDBpchar)}}
	return k, row.AppendValue(nil, cols, []datum.Datum{age, datum.NewText(city)})
}

func col(i int) *Expr              { return &Expr{Op: OpColumn, Arg: i} }
func con(d datum.Datum) *Expr      { return &Expr{Op: OpConst, Const: d} }
func num(i int64) *Expr            { return con(datum.NewInt(i)) }
func text(s string) *Expr          { return con(datum.NewText(s)) }
func op(o Op, args ...*Expr) *Expr { return &Expr{Op: o, Args: args} }

func TestMatch(t *testing.T) {
	key, value := testRow(7, "ann", datum.NewInt(30), "rome    ")
	_, nullValue := testRow(7, "ann", datum.Null, "rome    ")
	null := con(datum.Null)
	id, name, age, city, added := col(0), col(1), col(2), col(3), col(4)
	for i, c := range []struct {
		filter         *Expr
		want, wantNull bool // with age 30, with age NULL
	}{
		{nil, true, true},
		{op(OpEq, id, num(7)), true, true},
		{op(OpEq, num(7), id), true, true},
		{op(OpLt, num(6), id), true, true},
		{op(OpGt, num(6), id), false, false},
		{op(OpLe, num(7), id), true, true},
		{op(OpGe, num(8), id), true, true},
		{op(OpNe, id, num(7)), false, false},
		{op(OpEq, name, text("ann")), true, true},
		{op(OpGt, name, text("amy")), true, true},
		{op(OpLikePrefix, name, text("an")), true, true},
		{op(OpLikePrefix, name, text("b")), false, false},
		{op(OpLikePrefix, id, text("b")), false, false},
		{op(OpLikePrefix, name, null), false, false},
		{op(OpGe, age, num(30)), true, false},
		{op(OpNot, op(OpGe, age, num(31))), true, false},
		{op(OpIsNull, age), false, true},
		{op(OpIsNotNull, age), true, false},
		{op(OpIsNull, op(OpEq, age, num(1))), false, true},
		{op(OpEq, op(OpEq, age, num(30)), con(datum.NewBool(true))), true, false},
		{op(OpEq, city, text("rome")), true, true},
		{op(OpIn, city, text("paris"), text("rome")), true, true},
		{op(OpEq, added, num(42)), true, true},
		{op(OpIn, age, num(40), num(30), num(20)), true, false},
		{op(OpIn, age, num(40), num(20), null), false, false},
		{op(OpNot, op(OpIn, age, num(40), null)), false, false},
		{op(OpNot, op(OpIn, age, num(40), num(20))), true, false},
		{op(OpIn, id, age, num(7)), true, true},
		{op(OpNot, op(OpIn, id, age, num(8))), true, false},
		{op(OpIn, age), false, false},
		{op(OpAnd, op(OpEq, id, num(7)), op(OpEq, age, num(30))), true, false},
		{op(OpOr, op(OpEq, id, num(8)), op(OpEq, age, num(30))), true, false},
		{op(OpOr, op(OpEq, id, num(7)), op(OpEq, age, num(30))), true, true},
		{op(OpNot, op(OpAnd, op(OpEq, id, num(8)), op(OpEq, age, num(30)))), true, true},
		{op(OpAnd), true, true},
		{op(OpOr), false, false},
		{null, false, false},
		{con(datum.NewBool(true)), true, true},
	} {
		p := &Program{Filter: c.filter}
		p.Columns, p.KeyColumns = testColumns()
		e, err := NewEvaluator(p)
		if err != nil {
			t.Fatalf("filter %d: %v", i, err)
		}
		for _, v := range []struct {
			value []byte
			want  bool
		}{{value, c.want}, {nullValue, c.wantNull}} {
			if got, err := e.Match(key, v.value); got != v.want || err != nil {
				t.Errorf("filter %d: %v, want %v, error %v", i, got, v.want, err)
			}
		}
	}
}

func TestMalformedProgramsAreRefused(t *testing.T) {
	deep := num(1)
	for range 2000 {
		deep = op(OpNot, deep)
	}
	for i, f := range []*Expr{
		col(5), col(-1), op(OpEq, num(1)), op(OpNot), op(OpIn), op(99), op(OpAnd, nil), deep, op(OpLikePrefix, num(1)),
	} {
		p := &Program{Filter: f}
		p.Columns, p.KeyColumns = testColumns()
		if _, err := NewEvaluator(p); err == nil {
			t.Errorf("filter %d was accepted", i)
		}
	}
	p := &Program{Filter: num(1), Columns: []Column{{KeyPos: 3}}}
	if _, err := NewEvaluator(p); err == nil {
		t.Error("a column of a key that is too short was accepted")
	}
}

// FuzzMatch: no bytes of a row may do worse than an error.
func FuzzMatch(f *testing.F) {
	key, value := testRow(7, "ann", datum.NewInt(30), "rome")
	f.Add(key, value)
	p := &Program{Filter: op(OpAnd, op(OpNe, col(0), num(1)), op(OpNe, col(1), text("x")), op(OpNe, col(2), num(1)), op(OpNe, col(3), text("x")))}
	p.Columns, p.KeyColumns = testColumns()
	e, err := NewEvaluator(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) { _, _ = e.Match(key, value) })
}

func BenchmarkMatch(b *testing.B) {
	key, value := testRow(7, "ann", datum.NewInt(30), "rome")
	p := &Program{Filter: op(OpEq, col(0), num(1))}
	p.Columns, p.KeyColumns = testColumns()
	p.Columns, p.Filter.Args[0] = p.Columns[2:3], col(0)
	e, err := NewEvaluator(p)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = e.Match(key, value)
	}
}
