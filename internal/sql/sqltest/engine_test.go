package sqltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/bind"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/ddl"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/opt"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/internal/txn/txntest"
)

// engine is the least that runs SQL: one connection, no settings.
type engine struct {
	db      *txntest.DB
	cache   *catalog.Cache
	facts   *builtin.Facts
	oids    *catalog.OIDs
	seqs    *ddl.Sequences
	ctx     *builtin.Context
	snap    *catalog.Snapshot // of the running statement
	rowID   int64
	inTxn   bool
	failed  bool
	tx      txn.Txn
	cat     *catalog.Txn
	state   exec.TxnState
	marks   []savepoint
	jobs    *ddl.Runner
	lastval int64
	random  uint64
	memory  *spill.Config
}

type savepoint struct {
	name string
	mark txn.Mark
	cat  catalog.Mark
}

func newEngine(t testing.TB) *engine {
	e := &engine{db: txntest.New(), cache: catalog.NewCache(nil), facts: builtin.Load()}
	if err := catalog.Bootstrap(context.Background(), e.db); err != nil {
		t.Fatal(err)
	}
	e.oids, e.seqs = catalog.NewOIDs(e.db), ddl.NewSequences(e.db)
	e.ctx = &builtin.Context{Facts: e.facts, User: "postgres", SessionUser: "postgres", Database: "postgres", Session: session{e: e},
		Env: &datum.Env{}}
	e.jobs = ddl.NewRunner(ddl.Config{DB: e.db, Cache: e.cache, Engine: e, OIDs: e.oids, Facts: e.facts, NowMicros: func() int64 { return 0 }})
	return e
}

// session answers what stories need of a session; the rest is nil and would panic.
type session struct {
	builtin.Session
	e *engine
}

func (s session) NextVal(seq datum.OID) (int64, error) {
	v, err := s.e.seqs.Next(context.Background(), s.e.snap.TableByOID(seq))
	s.e.lastval = v
	return v, err
}
func (s session) RandomBytes(b []byte) {
	for i := range b {
		s.e.random = s.e.random*6364136223846793005 + 1442695040888963407
		b[i] = byte(s.e.random >> 56)
	}
}
func (s session) Now() int64                       { return 0 }
func (s session) Setting(string) (string, bool)    { return "", false }
func (s session) LastVal() (int64, error)          { return s.e.lastval, nil }
func (s session) CurrVal(datum.OID) (int64, error) { return s.e.lastval, nil }
func (s session) RegInput(_ datum.OID, text string) (datum.OID, error) {
	r, err := s.e.snap.Resolve(s.e.path(s.e.snap), "", "", text)
	return r.OID(), err
}
func (s session) RegOutput(_ datum.OID, oid datum.OID) (string, error) {
	return s.e.snap.RelationByOID(oid).Name(), nil
}

func (e *engine) path(s *catalog.Snapshot) catalog.Path {
	return s.Path([]string{"public"}, "postgres")
}

func (e *engine) bindEnv(s *catalog.Snapshot, p catalog.Path) *bind.Env {
	return &bind.Env{Snapshot: s, Path: p, Facts: e.facts,
		Input: func(t datum.Type, text string) (datum.Datum, error) { return datum.ParseText(t, text, e.ctx.Env) }}
}

func (e *engine) settings(b *bind.Env) *opt.Settings {
	return &opt.Settings{Facts: e.facts, Snapshot: b.Snapshot, Context: e.ctx,
		IndexExprs: func(t *catalog.Table, x *catalog.Index, base plan.ColID) ([]plan.Expr, plan.Expr, error) {
			return bind.IndexExprs(b, t, x, base)
		},
		Rules:   func(t *catalog.Table, base plan.ColID) (plan.BoundRules, error) { return bind.Rules(b, t, base) },
		Default: func(c *catalog.Column) (plan.Expr, error) { return bind.Default(b, c) },
	}
}

func (e *engine) env(tx txn.Txn, s *catalog.Snapshot) *exec.Env {
	return &exec.Env{Txn: tx, State: &e.state, Ctx: e.ctx, SchemaName: s.SchemaName, Memory: e.memory,
		RowID: func() [16]byte { e.rowID++; return [16]byte{15: byte(e.rowID), 14: byte(e.rowID >> 8)} }}
}

// prepare makes a plan and compiles it.
func (e *engine) prepare(b *bind.Env, stmt parser.Statement, sql string) (*exec.Prepared, error) {
	bound, err := bind.Statement(b, stmt, sql, nil)
	if err != nil {
		return nil, err
	}
	st, err := opt.Plan(bound, e.settings(b))
	if err != nil {
		return nil, err
	}
	return exec.Compile(st, exec.Options{Facts: e.facts})
}

// ResolveType implements ddl.Engine.
func (e *engine) ResolveType(s *catalog.Snapshot, p catalog.Path, n *parser.TypeName) (datum.Type, error) {
	return bind.Type(e.bindEnv(s, p), n, "")
}

// BindExpr implements ddl.Engine.
func (e *engine) BindExpr(ctx context.Context, r ddl.ExprRequest) (ddl.ExprInfo, error) {
	b := e.bindEnv(r.Snapshot, r.Path)
	place := map[ddl.ExprKind]bind.Place{ddl.ExprDefault: bind.PlaceDefault, ddl.ExprGenerated: bind.PlaceGenerated,
		ddl.ExprCheck: bind.PlaceCheck, ddl.ExprDomainCheck: bind.PlaceDomainCheck, ddl.ExprIndex: bind.PlaceIndexExpr,
		ddl.ExprPredicate: bind.PlaceIndexPredicate, ddl.ExprTransform: bind.PlaceAlterUsing}[r.Kind]
	var x plan.Expr
	var err error
	if r.Table != nil {
		x, err = bind.TableExpr(b, r.Table, r.Expr, r.Text, r.Want, place)
	} else {
		x, err = bind.Expr(b, r.Expr, r.Text, r.Want, place)
	}
	if err != nil {
		return ddl.ExprInfo{}, err
	}
	info := ddl.ExprInfo{Type: x.Type(), Volatility: 'i'}
	if bind.Volatile(x) {
		info.Volatility = 'v'
	}
	plan.Walk(x, func(x plan.Expr) bool {
		if c, ok := x.(*plan.Column); ok && r.Table != nil {
			if id := r.Table.Columns[c.Index].ID; !slices.Contains(info.Columns, id) {
				info.Columns = append(info.Columns, id)
			}
		}
		return true
	})
	if r.Eval {
		p, err := exec.Compile(&plan.Statement{Root: &plan.Result{Exprs: []plan.Expr{x}}}, exec.Options{Facts: e.facts})
		if err != nil {
			return info, err
		}
		old := e.snap
		e.snap = r.Snapshot
		defer func() { e.snap = old }()
		cur, err := p.Open(ctx, e.env(nil, r.Snapshot))
		if err != nil {
			return info, err
		}
		defer cur.Close()
		rows, err := cur.Next(ctx)
		if err != nil {
			return info, err
		}
		info.Value = rows[0][0]
	}
	return info, nil
}

// CheckFunction implements ddl.Engine.
func (e *engine) CheckFunction(context.Context, *catalog.Snapshot, catalog.Path, *catalog.Function) error {
	return nil
}

// BindQuery implements ddl.Engine.
func (e *engine) BindQuery(_ context.Context, r ddl.QueryRequest) (ddl.QueryInfo, error) {
	bound, err := bind.Statement(e.bindEnv(r.Snapshot, r.Path), r.Query, r.Text, nil)
	if err != nil {
		return ddl.QueryInfo{}, err
	}
	info := ddl.QueryInfo{DependsOn: bound.Objects}
	for _, c := range bound.Query.Cols {
		info.Names, info.Types = append(info.Names, c.Name), append(info.Types, c.Type)
	}
	return info, nil
}

// Query implements ddl.Engine.
func (e *engine) Query(ctx context.Context, c *catalog.Txn, sql string, each func(row []datum.Datum) error) (int64, error) {
	raw, err := parser.ParseOne(sql)
	if err != nil {
		return 0, err
	}
	s := c.Snapshot()
	p, err := e.prepare(e.bindEnv(s, s.Path(nil, "postgres")), raw.Stmt, sql)
	if err != nil {
		return 0, err
	}
	old := e.snap
	e.snap = s
	defer func() { e.snap = old }()
	cur, err := p.Open(ctx, e.env(c.Store(), s))
	if err != nil {
		return 0, err
	}
	defer cur.Close()
	for {
		rows, err := cur.Next(ctx)
		if err != nil {
			return 0, err
		}
		if len(rows) == 0 {
			return cur.RowsAffected(), nil
		}
		for _, r := range rows {
			if err := each(slices.Clone(r)); err != nil {
				return 0, err
			}
		}
	}
}

// Backfill implements ddl.Engine.
func (e *engine) Backfill(ctx context.Context, c *catalog.Txn, t *catalog.Table, x *catalog.Index, from keys.Key, limit int) (keys.Key, int64, error) {
	b := e.bindEnv(c.Snapshot(), c.Snapshot().Path(nil, "postgres"))
	ks, pred, err := bind.IndexExprs(b, t, x, 1)
	if err != nil {
		return nil, 0, err
	}
	toColumn := func(v *plan.Var) plan.Expr { return &plan.Column{Index: int(v.ID - 1), Typ: v.Typ, Name: v.Name} }
	ie := &plan.IndexExpr{Index: x, Keys: make([]plan.Expr, len(ks))}
	for i, k := range ks {
		if k != nil {
			ie.Keys[i] = plan.MapVars(k, toColumn)
		}
	}
	if pred != nil {
		ie.Pred = plan.MapVars(pred, toColumn)
	}
	return exec.Backfill(ctx, e.env(c.Store(), c.Snapshot()), e.facts, t, ie, from, limit)
}

// begin starts a transaction.
func (e *engine) begin(ctx context.Context) error {
	e.tx = e.db.Begin(txn.Options{})
	e.state.Reset()
	e.marks = nil
	e.failed = false
	var err error
	e.cat, err = e.cache.Begin(ctx, e.tx)
	return err
}

func (e *engine) commit(ctx context.Context) error {
	defer e.tx.Rollback()
	e.inTxn = false
	if e.failed {
		return nil
	}
	if err := e.state.RunDeferred(ctx, e.env(e.tx, e.cat.Snapshot())); err != nil {
		return err
	}
	_, err := e.tx.Commit(ctx)
	return err
}

// run runs a string of statements and renders what comes out, as psql -A -t does with a header of column names.
func (e *engine) run(sql string) string {
	var out strings.Builder
	stmts, err := parser.Parse(sql)
	if err != nil {
		return renderError(err)
	}
	// A string of several statements is one transaction, unless it says otherwise.
	implicit := !e.inTxn && len(stmts) > 1 && !slices.ContainsFunc(stmts, func(r parser.RawStmt) bool {
		_, ok := r.Stmt.(*parser.TransactionStmt)
		return ok
	})
	ctx := context.Background()
	if implicit {
		if err := e.begin(ctx); err != nil {
			return renderError(err)
		}
		e.inTxn = true
	}
	for _, raw := range stmts {
		if err := e.statement(&out, raw, sql); err != nil {
			out.WriteString(renderError(err))
			break
		}
	}
	if implicit {
		if err := e.commit(ctx); err != nil {
			out.WriteString(renderError(err))
		}
	}
	return out.String()
}

func renderError(err error) string {
	f := failure.As(err)
	if f == nil {
		return "ERROR: " + err.Error() + "\n"
	}
	s := fmt.Sprintf("ERROR: %s: %s\n", f.Code, f.Message)
	if f.Detail != "" {
		s += "DETAIL: " + f.Detail + "\n"
	}
	if f.Hint != "" {
		s += "HINT: " + f.Hint + "\n"
	}
	return s
}

func (e *engine) statement(out *strings.Builder, raw parser.RawStmt, sql string) (err error) {
	ctx := context.Background()
	if t, ok := raw.Stmt.(*parser.TransactionStmt); ok {
		return e.transaction(ctx, out, t)
	}
	if e.failed && e.inTxn {
		return failure.New(failure.InFailedSQLTransaction,
			"current transaction is aborted, commands ignored until end of transaction block")
	}
	if !e.inTxn {
		if err := e.begin(ctx); err != nil {
			return err
		}
	}
	mark, cmark := e.tx.Mark(), e.cat.Mark()
	var wait []string
	defer func() {
		if err != nil {
			e.failed = true
			e.state.RollbackTo(e.tx, mark)
			e.cat.RollbackTo(cmark)
		}
		if !e.inTxn {
			if cerr := e.commit(ctx); err == nil {
				err = cerr
			}
			for _, id := range wait {
				if j, jerr := e.jobs.Drive(ctx, id); err == nil && jerr != nil {
					err = jerr
				} else if j != nil && err == nil {
					err = j.Err()
				}
			}
		}
	}()
	wait, err = e.execute(ctx, out, raw, sql)
	return err
}

func (e *engine) execute(ctx context.Context, out *strings.Builder, raw parser.RawStmt, sql string) ([]string, error) {
	e.snap = e.cat.Snapshot()
	if c, ok := raw.Stmt.(*parser.ConstraintsSetStmt); ok {
		var names []string
		for _, n := range c.Constraints {
			parts := n.Parts()
			names = append(names, parts[len(parts)-1])
		}
		err := e.state.SetConstraints(ctx, e.env(e.tx, e.snap), names, c.Deferred)
		if err == nil {
			fmt.Fprintln(out, "SET CONSTRAINTS")
		}
		return nil, err
	}
	if ddl.Handles(raw.Stmt) {
		env := &ddl.Env{Cat: e.cat, Path: e.path(e.snap), User: catalog.OIDPostgres, SessionUser: catalog.OIDPostgres, Text: sql,
			Engine: e, OIDs: e.oids, Facts: e.facts, Notice: func(*failure.Error) {}, RandomBytes: func([]byte) {}, InBlock: e.inTxn}
		res, err := env.Run(ctx, raw.Stmt)
		if err == nil {
			fmt.Fprintln(out, res.Tag)
		}
		return res.Wait, err
	}
	p, err := e.prepare(e.bindEnv(e.snap, e.path(e.snap)), raw.Stmt, sql)
	if err != nil {
		return nil, err
	}
	cur, err := p.Open(ctx, e.env(e.tx, e.snap))
	if err != nil {
		return nil, err
	}
	defer cur.Close()
	return nil, e.show(ctx, out, p, cur)
}

// show renders a result.
func (e *engine) show(ctx context.Context, out *strings.Builder, p *exec.Prepared, cur *exec.Cursor) error {
	var b strings.Builder
	cols := p.Statement().Root.Columns()
	for i, c := range cols {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString(c.Name)
	}
	if len(cols) > 0 {
		b.WriteByte('\n')
	}
	for {
		rows, err := cur.Next(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			for i, d := range r {
				if i > 0 {
					b.WriteByte('|')
				}
				if !d.IsNull() {
					b.WriteString(datum.Text(cols[i].Type, d, e.ctx.Env))
				}
			}
			b.WriteByte('\n')
		}
	}
	out.WriteString(b.String())
	switch p.Statement().Kind {
	case plan.KindInsert:
		fmt.Fprintf(out, "INSERT 0 %d\n", cur.RowsAffected())
	case plan.KindUpdate:
		fmt.Fprintf(out, "UPDATE %d\n", cur.RowsAffected())
	case plan.KindDelete:
		fmt.Fprintf(out, "DELETE %d\n", cur.RowsAffected())
	case plan.KindMerge:
		fmt.Fprintf(out, "MERGE %d\n", cur.RowsAffected())
	}
	return nil
}
