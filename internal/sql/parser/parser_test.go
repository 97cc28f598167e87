package parser

import (
	"strings"
	"testing"
)

func TestDeepInputs(t *testing.T) {
	for _, c := range []struct {
		name, sql string
		ok        bool
	}{
		{"plus", "select 1" + strings.Repeat("+1", 10000), true},
		{"plus too long", "select 1" + strings.Repeat("+1", 24000), false},
		{"or", "select 1" + strings.Repeat(" or true", 50000), true},
		{"union", "select 1" + strings.Repeat(" union all select 1", 9000), true},
		{"joins", "select 1 from t" + strings.Repeat(" cross join t", 9000), true},
		{"parens", "select " + strings.Repeat("(", 200000), false},
		{"closed parens", "select " + strings.Repeat("(", 200000) + "1" + strings.Repeat(")", 200000), false},
		{"some parens", "select " + strings.Repeat("(", 3000) + "1" + strings.Repeat(")", 3000), true},
		{"from parens", "select * from " + strings.Repeat("(", 200000), false},
		{"select parens", strings.Repeat("(", 200000) + "select 1", false},
		{"nots", "select " + strings.Repeat("not ", 200000) + "true", false},
		{"minus", "select " + strings.Repeat("- ", 200000) + "a", false},
		{"cases", "select " + strings.Repeat("case when ", 200000), false},
		{"arrays", "select array" + strings.Repeat("[", 200000), false},
		{"subqueries", "select " + strings.Repeat("(select ", 200000), false},
		{"casts", "select a" + strings.Repeat("::int", 200000), false},
		{"ctes", strings.Repeat("with a as (", 200000), false},
		{"nested queries", "select " + strings.Repeat("(select ", 1200) + "1" + strings.Repeat(")", 1200), true},
		{"nested from", "select * from " + strings.Repeat("(select * from ", 900) + "t" + strings.Repeat(") s", 900), true},
		{"operators", "select 1" + strings.Repeat("+", 1<<20) + "1", false},
		{"long settings", "set a" + strings.Repeat(".a", 1<<18) + " = 1", true},
		{"long name", "select a" + strings.Repeat(".a", 1<<18), true},
		{"long list", "select 1 in (1" + strings.Repeat(", 1", 1<<17) + ")", true},
		{"explain", strings.Repeat("explain ", 200000), false},
	} {
		stmts, err := Parse(c.sql)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, s := range stmts {
			nodes := 0
			Walk(s.Stmt, func(Node) bool { nodes++; return true })
			if _, err := Parse(Format(s.Stmt)); err != nil || nodes < 2 {
				t.Errorf("%s: printed: %v, %d nodes", c.name, err, nodes)
			}
		}
	}
}

func BenchmarkPointSelect(b *testing.B) {
	const sql = "SELECT id, name, balance FROM accounts WHERE tenant = $1 AND id = $2 AND kind = $3"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(sql); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInsertRows(b *testing.B) {
	sql := "INSERT INTO t (a, b, c) VALUES (1, 'x', 2.5)" + strings.Repeat(", (1, 'x', 2.5)", 99)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(sql); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFormat(b *testing.B) {
	s, err := ParseOne("SELECT id, name, balance FROM accounts WHERE tenant = $1 AND id = $2 AND kind = $3")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Format(s.Stmt)
	}
}
