package sqltest

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
)

var (
	randomSeed  = flag.Int64("random-seed", 1, "first seed of TestRandom")
	randomCount = flag.Int("random-count", 200, "number of statements of TestRandom")
)

// TestRandom compares the answers to random statements with PostgreSQL's. It needs -oracle.
func TestRandom(t *testing.T) {
	if *oracle == "" {
		t.Skip("needs -oracle")
	}
	pg := freshOracle(t)
	defer pg.Close(context.Background())
	e := newEngine(t)
	setup := randomSetup()
	for _, sql := range setup {
		if got, want := e.run(sql), oracleRun(pg, sql); got != want {
			t.Fatalf("%s\ngot %s\nwant %s", sql, got, want)
		}
	}
	bad := 0
	for i := range *randomCount {
		g := &generator{rng: rand.New(rand.NewSource(*randomSeed*100003 + int64(i)))}
		sql := g.statement()
		got, want := sortLines(e.run(sql)), sortLines(oracleRun(pg, sql))
		if got == want || strings.Contains(got, "0A000") && !strings.Contains(got, "FILTER") {
			continue
		}
		// Which of several errors is found, and whether an error is found before an empty input, is open.
		if strings.HasPrefix(got, "ERROR: 22012") || strings.HasPrefix(want, "ERROR: 22012") {
			continue
		}
		t.Errorf("%s\ngot\n%swant\n%s", sql, clipText(got), clipText(want))
		if bad++; bad > 10 {
			break
		}
	}
}

// randomSetup makes the tables of the random tests.
func randomSetup() []string {
	setup := []string{
		"create table a (id int primary key, x int, y int, s text)",
		"create table b (id int primary key, x int, y int, s text)",
		"create table c (p int, q int, s text, primary key (p, q))",
		"create index a_x on a (x)", "create index b_xy on b (x, y desc)", "create unique index c_q on c (q, p)",
	}
	rng := rand.New(rand.NewSource(*randomSeed))
	for i := range 40 {
		for _, tab := range []string{"a", "b"} {
			setup = append(setup, fmt.Sprintf("insert into %s values (%d, %s, %s, %s)", tab, i, small(rng), small(rng), smallText(rng)))
		}
		setup = append(setup, fmt.Sprintf("insert into c values (%d, %d, %s)", i%6, i, smallText(rng)))
	}
	return setup
}

// TestRandomSpilling runs random queries with hardly any memory: every operator that can must put rows into files, and
// the answers stay the same.
func TestRandomSpilling(t *testing.T) {
	e := newEngine(t)
	for _, sql := range append(randomSetup(),
		"insert into a select g, g % 50, g % 13, 't' || g % 40 from generate_series(100, 180) g",
		"insert into b select g, g % 40, g % 17, 't' || g % 30 from generate_series(100, 160) g") {
		if out := e.run(sql); strings.HasPrefix(out, "ERROR") {
			t.Fatal(out)
		}
	}
	fs := memhost.New()
	for i := range 80 {
		g := &generator{rng: rand.New(rand.NewSource(int64(i)))}
		sql := g.query(0)
		if strings.Contains(sql, "cross join") || strings.Contains(sql, "over (") {
			continue // long, or not able to spill
		}
		e.memory = nil
		want := sortLines(e.run(sql))
		e.memory = &spill.Config{OperatorLimit: 1 << 10, FS: fs, Dir: "tmp", Name: "q"}
		got := sortLines(e.run(sql))
		if got != want {
			t.Errorf("%s\ngot\n%swant\n%s", sql, clipText(got), clipText(want))
		}
		if left, err := fs.List("tmp"); err == nil && len(left) > 0 {
			t.Fatalf("%s\nleft %d temporary files", sql, len(left))
		}
	}
}

func clipText(s string) string {
	if len(s) > 1500 {
		return s[:1500] + "…\n"
	}
	return s
}

func small(r *rand.Rand) string {
	if r.Intn(6) == 0 {
		return "null"
	}
	return fmt.Sprint(r.Intn(10))
}

func smallText(r *rand.Rand) string {
	if r.Intn(6) == 0 {
		return "null"
	}
	return "'" + string(rune('a'+r.Intn(4))) + strings.Repeat("x", r.Intn(2)) + "'"
}

func sortLines(s string) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	if len(lines) > 1 {
		slices.Sort(lines[1:])
	}
	return strings.Join(lines, "\n") + "\n"
}

// generator makes statements over the tables of TestRandom.
type generator struct {
	rng  *rand.Rand
	next int
}

// rel is a relation in scope: its alias and columns.
type rel struct {
	alias string
	ints  []string
	texts []string
}

func (g *generator) pick(ss ...string) string { return ss[g.rng.Intn(len(ss))] }

func (g *generator) alias() string {
	g.next++
	return fmt.Sprintf("r%d", g.next)
}

func (g *generator) statement() string {
	switch g.rng.Intn(12) {
	case 0:
		return g.update()
	case 1:
		r := rel{"a", []string{"a.id", "a.x", "a.y"}, []string{"a.s"}}
		return fmt.Sprintf("begin; delete from a where %s returning *; rollback", g.cond([]rel{r}, 2))
	case 2:
		return g.query(3) + " " + g.pick("union", "union all", "intersect", "except", "except all", "intersect all") + " " + g.query(3)
	}
	return g.query(0)
}

func (g *generator) update() string {
	r := rel{"a", []string{"a.id", "a.x", "a.y"}, []string{"a.s"}}
	s := rel{"b", []string{"b.id", "b.x", "b.y"}, []string{"b.s"}}
	switch g.rng.Intn(3) {
	case 0:
		return fmt.Sprintf("begin; update a set x = %s, s = %s where %s returning *; rollback", g.num([]rel{r}, 2), g.text([]rel{r}), g.cond([]rel{r}, 2))
	case 1:
		return fmt.Sprintf("begin; update a set x = coalesce(a.x, 0) + 1 from b where a.id = b.id and %s returning a.*; rollback", g.cond([]rel{r, s}, 2))
	}
	return fmt.Sprintf("begin; insert into a select id + 25, x, y, s from b where %s on conflict (id) do update set x = excluded.id, y = a.y returning *; rollback",
		g.cond([]rel{s}, 2))
}

// from makes a FROM clause and the relations in it.
func (g *generator) from(depth int) (string, []rel) {
	sql, r := g.table(depth)
	rels := []rel{r}
	for g.rng.Intn(3) == 0 && len(rels) < 3 {
		t, r2 := g.table(depth)
		kind := g.pick("join", "left join", "right join", "full join", "join", "left join", "cross join")
		both := append(slices.Clone(rels), r2)
		switch {
		case kind == "cross join":
			sql += " cross join " + t
		case kind == "full join" || g.rng.Intn(3) > 0:
			on := fmt.Sprintf("%s = %s", g.pick(rels[g.rng.Intn(len(rels))].ints...), g.pick(r2.ints...))
			if kind != "full join" && g.rng.Intn(2) == 0 {
				on += " and " + g.cond(both, 1)
			}
			sql += fmt.Sprintf(" %s %s on %s", kind, t, on)
		default:
			sql += fmt.Sprintf(" %s %s on %s", kind, t, g.cond(both, 1))
		}
		rels = both
	}
	return sql, rels
}

func (g *generator) table(depth int) (string, rel) {
	al := g.alias()
	col := func(names ...string) []string {
		out := make([]string, len(names))
		for i, n := range names {
			out[i] = al + "." + n
		}
		return out
	}
	if depth < 2 && g.rng.Intn(5) == 0 {
		sub, rels := g.from(depth + 1)
		q := fmt.Sprintf("select %s as i1, %s as i2, %s as t1 from %s where %s", g.num(rels, 1), g.num(rels, 1), g.text(rels), sub, g.cond(rels, 1))
		if g.rng.Intn(3) == 0 {
			q = fmt.Sprintf("select %s as i1, count(*)::int as i2, max(%s) as t1 from %s where %s group by 1", g.num(rels, 1), g.text(rels), sub, g.cond(rels, 1))
		}
		return "(" + q + ") " + al, rel{al, col("i1", "i2"), col("t1")}
	}
	switch g.rng.Intn(5) {
	case 0:
		return "c " + al, rel{al, col("p", "q"), col("s")}
	case 1:
		return fmt.Sprintf("generate_series(%d, %d) %s(n)", g.rng.Intn(4), g.rng.Intn(8), al), rel{al, col("n"), nil}
	}
	return g.pick("a ", "b ") + al, rel{al, col("id", "x", "y"), col("s")}
}

func (g *generator) query(fixed int) string {
	sql, rels := g.from(0)
	where := ""
	if g.rng.Intn(3) > 0 {
		where = " where " + g.cond(rels, 2)
	}
	if fixed == 0 && g.rng.Intn(3) == 0 {
		having := ""
		if g.rng.Intn(3) == 0 {
			having = " having count(*) > 1"
		}
		group := g.pick("1", "1, 2", "rollup (1, 2)")
		if strings.HasPrefix(group, "rollup") {
			k1, k2 := g.pick(rels[0].ints...), g.pick(rels[len(rels)-1].ints...)
			return fmt.Sprintf("select %s, %s, count(*), sum(%s) from %s%s group by %s (%s, %s)%s", k1, k2, g.num(rels, 1), sql, where,
				g.pick("rollup", "cube", "grouping sets"), k1, k2, having)
		}
		if group == "1" {
			return fmt.Sprintf("select %s, count(*), sum(%s), min(%s), count(distinct %s) from %s%s group by 1%s", g.num(rels, 1), g.num(rels, 1),
				g.text(rels), g.num(rels, 1), sql, where, having)
		}
		return fmt.Sprintf("select %s, %s, count(*), max(%s) from %s%s group by 1, 2%s", g.num(rels, 1), g.text(rels), g.num(rels, 1), sql, where, having)
	}
	list := fmt.Sprintf("%s, %s, %s", g.num(rels, 2), g.num(rels, 2), g.text(rels))
	if fixed == 0 {
		switch g.rng.Intn(6) {
		case 0:
			k := g.pick(rels[0].ints...)
			list += fmt.Sprintf(", %s over (partition by %s order by %s)", g.pick("sum(1)", "rank()", "count(*)", "dense_rank()"), g.pick(rels[len(rels)-1].ints...), k)
		case 1:
			return fmt.Sprintf("select distinct %s from %s%s", list, sql, where)
		case 2:
			var all []string
			for _, r := range rels {
				all = append(append(all, r.ints...), r.texts...)
			}
			order := strings.Join(all, ", ")
			return fmt.Sprintf("select %s from %s%s order by %s limit %d offset %d", order, sql, where, order, g.rng.Intn(12), g.rng.Intn(3))
		}
	}
	return fmt.Sprintf("select %s from %s%s", list, sql, where)
}

// num makes an integer expression.
func (g *generator) num(rels []rel, depth int) string {
	r := rels[g.rng.Intn(len(rels))]
	if depth == 0 || g.rng.Intn(2) == 0 {
		return g.pick(r.ints...)
	}
	switch g.rng.Intn(7) {
	case 0:
		return fmt.Sprint(g.rng.Intn(10))
	case 1:
		return fmt.Sprintf("(%s %s %s)", g.num(rels, depth-1), g.pick("+", "-", "*"), g.num(rels, depth-1))
	case 2:
		return fmt.Sprintf("coalesce(%s, %s)", g.num(rels, depth-1), g.num(rels, depth-1))
	case 3:
		return fmt.Sprintf("case when %s then %s else %s end", g.cond(rels, depth-1), g.num(rels, depth-1), g.num(rels, depth-1))
	case 4:
		al := g.alias()
		return fmt.Sprintf("(select %s(%s.x) from %s %s where %s.y = %s)", g.pick("max", "min", "count"), al, g.pick("a", "b"), al, al, g.num(rels, 0))
	case 5:
		return fmt.Sprintf("nullif(%s, %s)", g.num(rels, depth-1), g.num(rels, depth-1))
	}
	return fmt.Sprintf("abs(%s)", g.num(rels, depth-1))
}

func (g *generator) text(rels []rel) string {
	r := rels[g.rng.Intn(len(rels))]
	if len(r.texts) == 0 {
		return "'k'::text"
	}
	c := g.pick(r.texts...)
	switch g.rng.Intn(4) {
	case 0:
		return fmt.Sprintf("upper(%s)", c)
	case 1:
		return fmt.Sprintf("%s || 'z'", c)
	}
	return c
}

// cond makes a condition.
func (g *generator) cond(rels []rel, depth int) string {
	if depth > 0 {
		switch g.rng.Intn(8) {
		case 0:
			return fmt.Sprintf("(%s and %s)", g.cond(rels, depth-1), g.cond(rels, depth-1))
		case 1:
			return fmt.Sprintf("(%s or %s)", g.cond(rels, depth-1), g.cond(rels, depth-1))
		case 2:
			return fmt.Sprintf("not (%s)", g.cond(rels, depth-1))
		case 3:
			return g.subquery(rels)
		}
	}
	switch g.rng.Intn(8) {
	case 0:
		return fmt.Sprintf("%s is %snull", g.num(rels, 1), g.pick("", "not "))
	case 1:
		return fmt.Sprintf("%s %sin (%d, %d, %s)", g.num(rels, 1), g.pick("", "not "), g.rng.Intn(10), g.rng.Intn(30), g.pick("3", "null", "7"))
	case 2:
		return fmt.Sprintf("%s between %d and %d", g.num(rels, 1), g.rng.Intn(8), g.rng.Intn(30))
	case 3:
		return fmt.Sprintf("%s %s %s", g.text(rels), g.pick("=", "<", ">=", "<>"), g.pick("'a'", "'bx'", "'c'"))
	case 4:
		return fmt.Sprintf("%s like %s", g.text(rels), g.pick("'a%'", "'%x'", "'b_'"))
	case 5:
		return fmt.Sprintf("%s is %sdistinct from %s", g.num(rels, 0), g.pick("", "not "), g.num(rels, 0))
	}
	rhs := g.num(rels, 1)
	if g.rng.Intn(2) == 0 {
		rhs = fmt.Sprint(g.rng.Intn(12))
	}
	return fmt.Sprintf("%s %s %s", g.num(rels, 1), g.pick("=", "=", "<", ">", "<=", ">=", "<>"), rhs)
}

func (g *generator) subquery(rels []rel) string {
	al := g.alias()
	in := rel{al, []string{al + ".id", al + ".x", al + ".y"}, []string{al + ".s"}}
	from := g.pick("a ", "b ") + al
	where := g.cond(append(slices.Clone(rels), in), 0)
	switch g.rng.Intn(4) {
	case 0:
		return fmt.Sprintf("%sexists (select 1 from %s where %s = %s and %s)", g.pick("", "not "), from, g.pick(in.ints...), g.num(rels, 0), where)
	case 1:
		return fmt.Sprintf("%s %sin (select %s from %s where %s)", g.num(rels, 1), g.pick("", "not "), g.pick(in.ints...), from, where)
	case 2:
		return fmt.Sprintf("%s %s (select %s from %s where %s)", g.num(rels, 1), g.pick("> all", "= any", "<= any", "<> all"), g.pick(in.ints...), from, g.cond([]rel{in}, 0))
	}
	return fmt.Sprintf("%s > (select count(*) from %s where %s)", g.num(rels, 0), from, where)
}
