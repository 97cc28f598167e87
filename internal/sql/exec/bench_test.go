package exec

import (
	"context"
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// nullTxn is a transaction that costs nothing, to measure the executor alone: every key is present with one value when
// hit is set, and absent otherwise.
type nullTxn struct {
	txn.Txn
	hit []byte
}

func (t *nullTxn) Get(_ context.Context, ks []keys.Key, values [][]byte) error {
	for i := range ks {
		values[i] = t.hit
	}
	return nil
}
func (t *nullTxn) Write(context.Context, ...txn.Write) error { return nil }
func (t *nullTxn) Check(context.Context, ...txn.Check) error { return nil }
func (t *nullTxn) Mark() txn.Mark                            { return 0 }

func benchStatement(b *testing.B, kind plan.StatementKind, root plan.Node, hit bool, params ...datum.Datum) {
	f := newFixture(b)
	tab := kvTable(false)
	c := &compiler{facts: f.facts}
	r := c.rules(tab, &plan.RowRules{})
	tx := &nullTxn{}
	if hit {
		tx.hit = r.lay.AppendRowValue(nil, []datum.Datum{datum.NewInt(1), datum.NewText("hello"), datum.NewInt(5)}, nil)
	}
	types := make([]datum.Type, len(params))
	p, err := Compile(&plan.Statement{Kind: kind, Root: root, Params: types, Objects: []datum.OID{20000}}, Options{Facts: f.facts})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	state := &TxnState{}
	env := &Env{Txn: tx, State: state, Ctx: &builtin.Context{Facts: f.facts}, Params: params}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		state.Reset()
		cur, err := p.Open(ctx, env)
		if err != nil {
			b.Fatal(err)
		}
		for {
			rows, err := cur.Next(ctx)
			if err != nil {
				b.Fatal(err)
			}
			if len(rows) == 0 {
				break
			}
		}
		cur.Close()
	}
}

func pointOf(tab *catalog.Table) *plan.PointGet {
	return &plan.PointGet{Props: plan.Props{Cols: tableCols(tab)}, Access: whole(tab, tab.Indexes[0]), Keys: []plan.Expr{par(0, int4)}}
}

func BenchmarkPointGet(b *testing.B) {
	benchStatement(b, plan.KindSelect, pointOf(kvTable(false)), true, datum.NewInt(1))
}

func BenchmarkUpdateByKey(b *testing.B) {
	f := newFixture(b)
	tab := kvTable(false)
	benchStatement(b, plan.KindUpdate, &plan.Update{Table: tab, Source: pointOf(tab),
		Set: []plan.ColumnExpr{{Ordinal: 2, Expr: f.call("int4pl", col(2, int4), par(1, int4))}}}, true, datum.NewInt(1), datum.NewInt(2))
}

func BenchmarkInsertValues(b *testing.B) {
	tab := kvTable(false)
	benchStatement(b, plan.KindInsert, insertRows(tab, []plan.Expr{par(0, int4), par(1, text), par(2, int4)}), false,
		datum.NewInt(1), datum.NewText("hello"), datum.NewInt(3))
}

func BenchmarkDeleteByKey(b *testing.B) {
	tab := kvTable(false)
	benchStatement(b, plan.KindDelete, &plan.Delete{Table: tab, Source: pointOf(tab)}, true, datum.NewInt(1))
}

// benchRows is a source for COPY.
type benchRows struct {
	n, left int
	buf     [][]datum.Datum
}

func (r *benchRows) Next(context.Context) ([][]datum.Datum, error) {
	r.buf = r.buf[:0]
	for r.left > 0 && len(r.buf) < maxBatch {
		r.n++
		r.left--
		r.buf = append(r.buf, []datum.Datum{datum.NewInt(int64(r.n)), datum.NewText("hello world"), datum.NewInt(7)})
	}
	return r.buf, nil
}

func BenchmarkBulkInsert(b *testing.B) {
	for _, indexes := range []bool{false, true} {
		b.Run(fmt.Sprintf("indexes=%v", indexes), func(b *testing.B) {
			f := newFixture(b)
			tab := kvTable(false)
			if indexes {
				tab.Indexes = append(tab.Indexes, &catalog.Index{ID: 3, Name: "t_n", Key: []catalog.IndexColumn{{Column: 3, Type: int4}}})
			}
			p, err := Compile(&plan.Statement{Kind: plan.KindInsert, Root: &plan.Insert{Table: tab, Source: &plan.Empty{}}}, Options{Facts: f.facts})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			tx := f.db.Begin(txn.Options{})
			if _, err := p.BulkInsert(context.Background(), f.env(tx), &benchRows{left: b.N}); err != nil {
				b.Fatal(err)
			}
		})
	}
}
