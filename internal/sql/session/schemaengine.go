package session

import (
	"context"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/bind"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/ddl"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/opt"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// schemaEngine is the session as package ddl sees it: binding and running SQL on behalf of schema changes.
type schemaEngine Session

func (e *schemaEngine) ses() *Session { return (*Session)(e) }

// names is what names mean for a schema change, whose view of the catalogue may differ from the statement's.
func (e *schemaEngine) names(snap *catalog.Snapshot, path catalog.Path) *bind.Env {
	env := e.ses().bindEnv()
	env.Snapshot, env.Path = snap, path
	return env
}

// ResolveType implements ddl.Engine.
func (e *schemaEngine) ResolveType(snap *catalog.Snapshot, path catalog.Path, n *parser.TypeName) (datum.Type, error) {
	return bind.Type(e.names(snap, path), n, e.sql)
}

// BindExpr implements ddl.Engine.
func (e *schemaEngine) BindExpr(ctx context.Context, r ddl.ExprRequest) (ddl.ExprInfo, error) {
	place := map[ddl.ExprKind]bind.Place{
		ddl.ExprDefault: bind.PlaceDefault, ddl.ExprGenerated: bind.PlaceGenerated, ddl.ExprCheck: bind.PlaceCheck,
		ddl.ExprDomainCheck: bind.PlaceDomainCheck, ddl.ExprIndex: bind.PlaceIndexExpr, ddl.ExprPredicate: bind.PlaceIndexPredicate,
		ddl.ExprTransform: bind.PlaceAlterUsing,
	}[r.Kind]
	env := e.names(r.Snapshot, r.Path)
	var bound plan.Expr
	var err error
	switch {
	case r.Kind == ddl.ExprDomainCheck:
		bound, err = bind.DomainExpr(env, r.Value, r.Expr, r.Text)
	case r.Table != nil:
		bound, err = bind.TableExpr(env, r.Table, r.Expr, r.Text, r.Want, place)
	default:
		bound, err = bind.Expr(env, r.Expr, r.Text, r.Want, place)
	}
	if err != nil {
		return ddl.ExprInfo{}, err
	}
	info := ddl.ExprInfo{Type: bound.Type(), Volatility: volatility(bound)}
	q := qualifier{snap: r.Snapshot, path: r.Path}
	q.rewrite(r.Expr)
	info.Text = parser.Format(r.Expr)
	info.DependsOn = q.objects
	if r.Table != nil {
		plan.Walk(bound, func(x plan.Expr) bool {
			if c, ok := x.(*plan.Column); ok {
				id := r.Table.Columns[c.Index].ID
				if !slices.Contains(info.Columns, id) {
					info.Columns = append(info.Columns, id)
				}
			}
			return true
		})
	}
	if r.Eval {
		if info.Value, err = e.ses().evalBound(ctx, bound); err != nil {
			return info, err
		}
	}
	return info, nil
}

// BindQuery implements ddl.Engine.
func (e *schemaEngine) BindQuery(ctx context.Context, r ddl.QueryRequest) (ddl.QueryInfo, error) {
	bound, err := bind.Statement(e.names(r.Snapshot, r.Path), r.Query, r.Text, nil)
	if err != nil {
		return ddl.QueryInfo{}, err
	}
	if err := e.ses().checkPrivileges(bound.Privileges); err != nil {
		return ddl.QueryInfo{}, err
	}
	var info ddl.QueryInfo
	for _, c := range bound.Query.Cols {
		t := c.Type
		if t.OID == datum.OIDUnknown {
			t = datum.T(datum.OIDText)
		}
		info.Names = append(info.Names, c.Name)
		info.Types = append(info.Types, t)
	}
	info.DependsOn = bound.Objects
	info.Uses = columnUses(r.Snapshot, bound.Privileges)
	q := qualifier{snap: r.Snapshot, path: r.Path}
	q.rewrite(r.Query)
	info.Text = parser.Format(r.Query)
	return info, nil
}

// CheckFunction implements ddl.Engine.
func (e *schemaEngine) CheckFunction(_ context.Context, snap *catalog.Snapshot, path catalog.Path, f *catalog.Function) error {
	if !e.ses().settings.Bool("check_function_bodies") {
		return nil
	}
	env := e.names(snap, path)
	env.Facts = e.ses().facts()
	_, err := bind.FunctionBody(env, f)
	if err := failure.As(err); err != nil {
		return err.Edit().WithWhere("SQL function \"%s\"", f.Name)
	}
	return err
}

// columnUses are the columns that a query reads.
func columnUses(snap *catalog.Snapshot, privs []plan.Privilege) []catalog.ColumnUse {
	var out []catalog.ColumnUse
	for _, p := range privs {
		t := snap.TableByOID(p.Relation)
		if t == nil || t.Virtual || p.CheckAs != 0 {
			continue
		}
		u := catalog.ColumnUse{Table: t.OID}
		for _, n := range p.Columns {
			if c := t.ColumnByAttnum(n); c != nil {
				u.Columns = append(u.Columns, c.ID)
			}
		}
		out = append(out, u)
	}
	return out
}

// volatility is the highest of an expression's functions, as pg_proc.provolatile names it.
func volatility(e plan.Expr) byte {
	v := byte('i')
	plan.WalkDeep(e, func(x plan.Expr) {
		switch f := x.(type) {
		case *plan.FuncCall:
			if f.Fn.Volatility == 'v' || v == 'i' {
				v = byte(f.Fn.Volatility)
			}
		case *plan.SQLValue:
			if v == 'i' {
				v = 's'
			}
		}
	})
	return v
}

// tableIndexExprs binds the expressions of an index on the table row.
func tableIndexExprs(names *bind.Env, t *catalog.Table, x *catalog.Index) ([]plan.Expr, plan.Expr, error) {
	const base = 1
	bound, pred, err := bind.IndexExprs(names, t, x, base)
	if err != nil {
		return nil, nil, err
	}
	onRow := func(e plan.Expr) plan.Expr {
		if e == nil {
			return nil
		}
		return plan.MapVars(e, func(v *plan.Var) plan.Expr {
			return &plan.Column{Index: int(v.ID - base), Typ: v.Typ, Name: v.Name}
		})
	}
	for i := range bound {
		bound[i] = onRow(bound[i])
	}
	return bound, onRow(pred), nil
}

// within lends the session the transaction of c: jobs bring their own.
func (e *schemaEngine) within(c *catalog.Txn) (restore func()) {
	s := e.ses()
	tx, cat := s.t.tx, s.t.cat
	s.t.tx, s.t.cat = c.Store(), c
	return func() { s.t.tx, s.t.cat = tx, cat }
}

// Query implements ddl.Engine.
func (e *schemaEngine) Query(ctx context.Context, c *catalog.Txn, sql string, each func([]datum.Datum) error) (int64, error) {
	defer e.within(c)()
	stmt, err := parser.ParseOne(sql)
	if err != nil {
		return 0, err
	}
	bound, err := bind.Statement(e.names(c.Snapshot(), emptyPath(c.Snapshot())), stmt.Stmt, sql, nil)
	if err != nil {
		return 0, err
	}
	p, err := opt.Plan(bound, e.ses().planSettings())
	if err != nil {
		return 0, err
	}
	return e.ses().runPlan(ctx, p, each)
}

// Backfill implements ddl.Engine.
func (e *schemaEngine) Backfill(ctx context.Context, c *catalog.Txn, t *catalog.Table, x *catalog.Index, from keys.Key, limit int) (keys.Key, int64, error) {
	defer e.within(c)()
	index := &plan.IndexExpr{Index: x}
	var err error
	index.Keys, index.Pred, err = tableIndexExprs(e.names(c.Snapshot(), emptyPath(c.Snapshot())), t, x)
	if err != nil {
		return nil, 0, err
	}
	env, err := e.ses().execEnv(ctx, nil)
	if err != nil {
		return nil, 0, err
	}
	return exec.Backfill(ctx, env, e.ses().facts(), t, index, from, limit)
}

// SchemaEngine makes what the job runner binds and runs SQL with: a session of the server's own, for one goroutine at a
// time.
func (e *Engine) SchemaEngine() ddl.Engine {
	s := e.newSession(Startup{User: "admin", Database: "postgres"}, discardSink{})
	return (*schemaEngine)(s)
}
