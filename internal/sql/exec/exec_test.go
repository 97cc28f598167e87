package exec

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/internal/txn/txntest"
)

var (
	int4 = datum.T(datum.OIDInt4)
	text = datum.T(datum.OIDText)
)

// kvTable is t(id int4 primary key, v text, n int4), with a unique index on v and an index on n.
func kvTable(indexes bool) *catalog.Table {
	t := &catalog.Table{OID: 20000, Name: "t", Kind: catalog.RelTable, Data: 20000,
		Columns: []*catalog.Column{{ID: 1, Attnum: 1, Name: "id", Type: int4, NotNull: true},
			{ID: 2, Attnum: 2, Name: "v", Type: text}, {ID: 3, Attnum: 3, Name: "n", Type: int4}},
		Indexes: []*catalog.Index{{ID: 1, OID: 20001, Name: "t_pkey", Unique: true, Primary: true,
			Key: []catalog.IndexColumn{{Column: 1, Type: int4}}}}}
	if indexes {
		t.Indexes = append(t.Indexes,
			&catalog.Index{ID: 2, OID: 20002, Name: "t_v_key", Unique: true, Key: []catalog.IndexColumn{{Column: 2, Type: text}}},
			&catalog.Index{ID: 3, OID: 20003, Name: "t_n", Key: []catalog.IndexColumn{{Column: 3, Type: int4}}})
	}
	return t
}

// fixture runs hand-made plans in one transaction after the other.
type fixture struct {
	t     testing.TB
	db    *txntest.DB
	facts *builtin.Facts
	id    int64
}

func newFixture(t testing.TB) *fixture {
	return &fixture{t: t, db: txntest.New(), facts: builtin.Load()}
}

func (f *fixture) env(tx txn.Txn, params ...datum.Datum) *Env {
	return &Env{Txn: tx, State: &TxnState{}, Ctx: &builtin.Context{Facts: f.facts}, Params: params,
		RowID: func() [16]byte { f.id++; return [16]byte{15: byte(f.id), 14: byte(f.id >> 8)} }}
}

// run executes a plan in a transaction of its own and renders the rows.
func (f *fixture) run(kind plan.StatementKind, n plan.Node, params ...datum.Datum) (string, error) {
	f.t.Helper()
	types := make([]datum.Type, len(params))
	p, err := Compile(&plan.Statement{Kind: kind, Root: n, NumSlots: 16, Params: types}, Options{Facts: f.facts})
	if err != nil {
		return "", err
	}
	tx := f.db.Begin(txn.Options{})
	defer tx.Rollback()
	out, err := drainText(p, f.env(tx, params...))
	if err != nil {
		return out, err
	}
	_, err = tx.Commit(context.Background())
	return out, err
}

func drainText(p *Prepared, env *Env) (string, error) {
	ctx := context.Background()
	cur, err := p.Open(ctx, env)
	if err != nil {
		return "", err
	}
	defer cur.Close()
	var b strings.Builder
	for {
		rows, err := cur.Next(ctx)
		if err != nil {
			return b.String(), err
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			for i, d := range r {
				if i > 0 {
					b.WriteByte('|')
				}
				b.WriteString(p.st.valueText(datum.Type{}, d))
			}
			b.WriteByte('\n')
		}
	}
	if p.stmt.Kind != plan.KindSelect {
		fmt.Fprintf(&b, "%d rows\n", cur.RowsAffected())
	}
	return b.String(), nil
}

func (f *fixture) want(want string, kind plan.StatementKind, n plan.Node, params ...datum.Datum) {
	f.t.Helper()
	got, err := f.run(kind, n, params...)
	if err != nil {
		e := failure.As(err)
		if e == nil {
			f.t.Fatal(err)
			return
		}
		got = fmt.Sprintf("%s: %s", e.Code, e.Message)
		if e.Detail != "" {
			got += " / " + e.Detail
		}
	}
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		f.t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

func (f *fixture) fn(name string, args ...datum.OID) *builtin.Func {
	for _, fn := range f.facts.FuncsByName("pg_catalog", name) {
		if len(fn.Args) != len(args) {
			continue
		}
		same := true
		for i := range args {
			same = same && fn.Args[i] == args[i]
		}
		if same {
			return fn
		}
	}
	f.t.Fatalf("no function %s", name)
	return nil
}

func num(i int64) plan.Expr  { return &plan.Const{Val: datum.NewInt(i), Typ: int4} }
func str(s string) plan.Expr { return &plan.Const{Val: datum.NewText(s), Typ: text} }
func null(t datum.Type) plan.Expr {
	return &plan.Const{Typ: t}
}
func col(i int, t datum.Type) plan.Expr { return &plan.Column{Index: i, Typ: t} }
func par(i int, t datum.Type) plan.Expr { return &plan.Param{Index: i, Typ: t} }

func (f *fixture) call(name string, a, b plan.Expr) plan.Expr {
	fn := f.fn(name, a.Type().OID, b.Type().OID)
	return &plan.FuncCall{Fn: fn, Args: []plan.Expr{a, b}, Typ: datum.T(fn.Ret)}
}

func tableCols(t *catalog.Table) []plan.ColumnInfo {
	var cs []plan.ColumnInfo
	for _, c := range t.Columns {
		cs = append(cs, plan.ColumnInfo{Name: c.Name, Type: c.Type})
	}
	return cs
}

func whole(t *catalog.Table, x *catalog.Index) plan.Access {
	return plan.Access{Table: t, Index: x, Ordinals: []int{0, 1, 2}}
}

func scanAll(t *catalog.Table) *plan.Scan {
	return &plan.Scan{Props: plan.Props{Cols: tableCols(t)}, Access: whole(t, t.Indexes[0])}
}

func insertRows(t *catalog.Table, rows ...[]plan.Expr) *plan.Insert {
	return &plan.Insert{Table: t, Source: &plan.Values{Props: plan.Props{Cols: tableCols(t)}, Rows: rows}}
}

func allCols() []plan.Expr { return []plan.Expr{col(0, int4), col(1, text), col(2, int4)} }

func TestInsertScanGet(t *testing.T) {
	f := newFixture(t)
	tab := kvTable(true)
	f.want("3 rows", plan.KindInsert, insertRows(tab, []plan.Expr{num(1), str("a"), num(10)},
		[]plan.Expr{num(2), str("b"), num(20)}, []plan.Expr{num(3), null(text), null(int4)}))
	f.want("1|a|10\n2|b|20\n3|null|null", plan.KindSelect, scanAll(tab))
	f.want("23505: duplicate key value violates unique constraint \"t_pkey\" / Key (id)=(2) already exists.",
		plan.KindInsert, insertRows(tab, []plan.Expr{num(2), str("x"), num(0)}))
	f.want("23505: duplicate key value violates unique constraint \"t_v_key\" / Key (v)=(a) already exists.",
		plan.KindInsert, insertRows(tab, []plan.Expr{num(9), str("a"), num(0)}))
	f.want("23505: duplicate key value violates unique constraint \"t_pkey\" / Key (id)=(7) already exists.",
		plan.KindInsert, insertRows(tab, []plan.Expr{num(7), str("x"), num(0)}, []plan.Expr{num(7), str("y"), num(0)}))
	f.want("23502: null value in column \"id\" of relation \"t\" violates not-null constraint / Failing row contains (null, x, 0).",
		plan.KindInsert, insertRows(tab, []plan.Expr{null(int4), str("x"), num(0)}))
	get := &plan.PointGet{Props: plan.Props{Cols: tableCols(tab)}, Access: whole(tab, tab.Indexes[0]), Keys: []plan.Expr{par(0, int4)}}
	f.want("2|b|20", plan.KindSelect, get, datum.NewInt(2))
	f.want("", plan.KindSelect, get, datum.NewInt(5))
	f.want("", plan.KindSelect, get, datum.Null)
	byV := &plan.PointGet{Props: plan.Props{Cols: tableCols(tab)}, Access: whole(tab, tab.Indexes[1]), Keys: []plan.Expr{str("b")}}
	f.want("2|b|20", plan.KindSelect, byV)
	batch := &plan.BatchGet{Props: plan.Props{Cols: tableCols(tab)}, Access: whole(tab, tab.Indexes[0]),
		Parts: []plan.KeyPart{{Kind: plan.KeyIn, Exprs: []plan.Expr{num(3), num(1), num(8), num(1)}}}, Ordered: true}
	f.want("1|a|10\n3|null|null", plan.KindSelect, batch)
}

func TestIndexSpans(t *testing.T) {
	f := newFixture(t)
	tab := kvTable(true)
	rows := [][]plan.Expr{{num(100), str("n"), null(int4)}}
	for i := int64(1); i <= 20; i++ {
		rows = append(rows, []plan.Expr{num(i), str(fmt.Sprintf("v%02d", i)), num(i * 10)})
	}
	f.want("21 rows", plan.KindInsert, insertRows(tab, rows...))
	scan := func(x int, s plan.KeySpan) *plan.Scan {
		return &plan.Scan{Props: plan.Props{Cols: tableCols(tab)}, Access: whole(tab, tab.Indexes[x]), Spans: []plan.KeySpan{s}}
	}
	f.want("5|v05|50\n6|v06|60", plan.KindSelect, scan(2, plan.KeySpan{Lo: &plan.KeyBound{Expr: num(50), Inclusive: true},
		Hi: &plan.KeyBound{Expr: num(70)}}))
	f.want("19|v19|190\n20|v20|200", plan.KindSelect, scan(2, plan.KeySpan{Lo: &plan.KeyBound{Expr: num(180)}}))
	f.want("1|v01|10", plan.KindSelect, scan(2, plan.KeySpan{Hi: &plan.KeyBound{Expr: num(10), Inclusive: true}}))
	f.want("100|n|null", plan.KindSelect, scan(2, plan.KeySpan{Parts: []plan.KeyPart{{Kind: plan.KeyIsNull}}}))
	f.want("1|v01|10\n2|v02|20", plan.KindSelect, &plan.Limit{Props: plan.Props{Cols: tableCols(tab)}, Count: num(2),
		Input: scan(1, plan.KeySpan{Prefix: str("v0")})})
	rev := scan(0, plan.KeySpan{Lo: &plan.KeyBound{Expr: num(19), Inclusive: true}})
	rev.Reverse = true
	f.want("100|n|null\n20|v20|200\n19|v19|190", plan.KindSelect, rev)
	only := &plan.Scan{Props: plan.Props{Cols: tableCols(tab)[:1]}, Access: plan.Access{Table: tab, Index: tab.Indexes[2], Ordinals: []int{2, 0}, IndexOnly: true},
		Spans: []plan.KeySpan{{Parts: []plan.KeyPart{{Kind: plan.KeyIn, Exprs: []plan.Expr{num(30), num(10)}}}}}}
	f.want("10|1\n30|3", plan.KindSelect, only)
}
