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

// benchOp runs an operator over b.N rows.
func benchOp(b *testing.B, make func(c *compiler, in operator) operator) {
	f := newFixture(b)
	c := &compiler{facts: f.facts}
	op := make(c, &seriesOp{n: int64(b.N), step: 7919, m: 1000003})
	var st state
	st.start(&Env{})
	ctx := context.Background()
	b.ReportAllocs()
	b.ResetTimer()
	if err := op.open(ctx, &st); err != nil {
		b.Fatal(err)
	}
	if err := drain(ctx, &st, op, func([]datum.Datum) error { return nil }); err != nil {
		b.Fatal(err)
	}
	op.close(&st)
}

func BenchmarkOperators(b *testing.B) {
	f := newFixture(b)
	b.Run("filter", func(b *testing.B) {
		benchOp(b, func(c *compiler, in operator) operator {
			return &filterOp{input: in, cond: c.pred(&plan.And{Args: []plan.Expr{f.call("int4gt", col(1, int4), num(100)),
				f.call("int4lt", col(0, int4), num(1<<30))}})}
		})
	})
	b.Run("project", func(b *testing.B) {
		benchOp(b, func(c *compiler, in operator) operator {
			return &projectOp{input: in, exprs: c.exprs([]plan.Expr{f.call("int4pl", col(1, int4), num(1)), col(0, int4)}), out: rowBuf{width: 2}}
		})
	})
	b.Run("sort", func(b *testing.B) {
		benchOp(b, func(c *compiler, in operator) operator {
			op := c.sort(&plan.Sort{Input: ints(2), Keys: []plan.SortKey{{Index: 1}}}).(*sortOp)
			op.input, op.pull.op = in, in
			return op
		})
	})
	b.Run("top", func(b *testing.B) {
		benchOp(b, func(c *compiler, in operator) operator {
			op := c.sort(&plan.Sort{Input: ints(2), Keys: []plan.SortKey{{Index: 1}}, Top: num(10)}).(*sortOp)
			op.input, op.pull.op = in, in
			return op
		})
	})
	b.Run("plain agg", func(b *testing.B) {
		benchOp(b, func(c *compiler, in operator) operator {
			op := c.agg(&plan.Agg{Input: ints(2), Aggs: []*plan.AggCall{{Fn: f.fn("count"), Star: true},
				{Fn: f.fn("sum", datum.OIDInt4), Args: []plan.Expr{col(0, int4)}}}}).(*aggOp)
			op.input, op.pull.op = in, in
			return op
		})
	})
	b.Run("hash agg", func(b *testing.B) {
		benchOp(b, func(c *compiler, in operator) operator {
			op := c.agg(&plan.Agg{Input: ints(2), Strategy: plan.AggHashed, Groups: []int{1}, Aggs: []*plan.AggCall{
				{Fn: f.fn("count"), Star: true}, {Fn: f.fn("sum", datum.OIDInt4), Args: []plan.Expr{col(0, int4)}}}}).(*aggOp)
			op.input, op.pull.op = &seriesMod{in, 1000}, &seriesMod{in, 1000}
			return op
		})
	})
	b.Run("hash join", func(b *testing.B) {
		benchOp(b, func(c *compiler, in operator) operator {
			op := c.hashJoin(&plan.HashJoin{Left: ints(2), Right: ints(2), LeftKeys: []plan.Expr{col(1, int4)},
				RightKeys: []plan.Expr{col(0, int4)}}).(*hashJoin)
			op.leftOp, op.rightOp = in, &seriesOp{n: 10000, step: 1, m: 10000}
			op.pull.op = in
			return op
		})
	})
}

// seriesMod makes few groups of the second column.
type seriesMod struct {
	operator
	m int64
}

func (s *seriesMod) next(ctx context.Context, st *state) (Batch, error) {
	b, err := s.operator.next(ctx, st)
	for _, r := range b {
		r[1] = datum.NewInt(r[1].Int() % s.m)
	}
	return b, err
}
