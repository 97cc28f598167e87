package session

import (
	"context"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/bind"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// copyWhere makes a test of rows of the WHERE of COPY FROM; nil when there is none. The rows have the columns cols.
func (s *Session) copyWhere(ctx context.Context, stmt *parser.CopyStmt, t *catalog.Table, cols []int) (func([]datum.Datum) (bool, error), error) {
	if stmt.Where == nil {
		return nil, nil
	}
	env := s.bindEnv()
	cond, err := bind.TableExpr(env, t, stmt.Where, s.sql, datum.T(datum.OIDBool), bind.PlaceCopyWhere)
	if err != nil {
		return nil, err
	}
	params := make([]datum.Type, len(cols))
	for i, c := range cols {
		params[i] = t.Columns[c].Type
	}
	var wrong error
	cond = plan.RewriteAll(cond, func(e plan.Expr) plan.Expr {
		c, ok := e.(*plan.Column)
		if !ok {
			return e
		}
		col := t.Columns[c.Index]
		if i := slices.Index(cols, c.Index); i >= 0 {
			return &plan.Param{Index: i, Typ: c.Typ}
		}
		if col.Generated {
			wrong = failure.New(failure.InvalidColumnReference, "generated columns are not supported in COPY FROM WHERE conditions").
				WithDetail("Column \"%s\" is a generated column.", col.Name)
			return e
		}
		def, err := bind.Default(env, col)
		switch {
		case err != nil:
			wrong = err
		case bind.Volatile(def):
			wrong = failure.NotSupported("COPY FROM ... WHERE on column \"%s\", whose default is computed anew for each row,", col.Name)
		}
		return def
	})
	if wrong != nil {
		return nil, wrong
	}
	yes := &plan.Const{Val: datum.NewBool(true), Typ: datum.T(datum.OIDBool)}
	root := &plan.Result{Exprs: []plan.Expr{yes}, Filter: cond}
	root.Cols = []plan.ColumnInfo{{Type: yes.Typ}}
	compiled, err := exec.Compile(&plan.Statement{Root: root, Params: params, ReadOnly: true}, exec.Options{Facts: s.facts()})
	if err != nil {
		return nil, err
	}
	run, err := s.execEnv(ctx, nil)
	if err != nil {
		return nil, err
	}
	return func(row []datum.Datum) (bool, error) {
		run.Params = row
		cur, err := compiled.Open(ctx, run)
		if err != nil {
			return false, err
		}
		defer cur.Close()
		b, err := cur.Next(ctx)
		return len(b) > 0, err
	}, nil
}
