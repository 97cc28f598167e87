package session

import (
	"context"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/bind"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/opt"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// maxCalls bounds how deep SQL functions may call each other.
const maxCalls = 100

// callFunction runs the body of a SQL function inside the running statement's transaction and gives the rows of its last
// statement to each, which returns false to stop.
func (s *Session) callFunction(ctx context.Context, oid catalog.OID, args []datum.Datum, each func(f *catalog.Function, row []datum.Datum) bool) error {
	f := s.t.cat.Snapshot().FunctionByOID(oid)
	if f == nil {
		return failure.New(failure.UndefinedFunction, "function with OID %d does not exist", oid)
	}
	if s.calls++; s.calls > maxCalls {
		s.calls--
		return failure.New(failure.StatementTooComplex, "stack depth limit exceeded").
			WithHint("SQL functions may call each other up to %d deep.", maxCalls)
	}
	memory, at, text := s.memory, s.bctx.StatementTime, s.sql
	defer func() {
		s.calls--
		s.memory, s.bctx.StatementTime, s.sql = memory, at, text
	}()
	stmts, err := bind.FunctionBody(s.bindEnv(), f)
	if err != nil {
		return inFunction(err, f)
	}
	args = slices.Clone(args)
	for i, b := range stmts {
		if s.t.modes.readOnly && b.Kind != plan.KindSelect {
			return readOnlyError(kindName(b.Kind))
		}
		last := i == len(stmts)-1
		if err := s.callStatement(ctx, b, args, func(row []datum.Datum) bool { return !last || each(f, row) }); err != nil {
			return inFunction(err, f)
		}
	}
	return nil
}

// inFunction says in an error's context which function it happened in.
func inFunction(err error, f *catalog.Function) error {
	e := failure.As(err)
	if e == nil {
		return err
	}
	where := e.Where
	if where != "" {
		where += "\n"
	}
	return e.Edit().WithWhere("%sSQL function \"%s\" statement 1", where, f.Name)
}

func (s *Session) callStatement(ctx context.Context, b *plan.BoundStmt, args []datum.Datum, each func([]datum.Datum) bool) error {
	if err := s.checkPrivileges(b.Privileges); err != nil {
		return err
	}
	p, err := opt.Plan(b, s.planSettings())
	if err != nil {
		return err
	}
	if err := s.useObjects(ctx, p); err != nil {
		return err
	}
	compiled, err := exec.Compile(p, exec.Options{Facts: s.facts()})
	if err != nil {
		return err
	}
	env, err := s.execEnv(ctx, args)
	if err != nil {
		return err
	}
	memory := s.memory
	env.Memory = &memory
	cursor, err := compiled.Open(ctx, env)
	if err != nil {
		return err
	}
	defer cursor.Close()
	for {
		batch, err := cursor.Next(ctx)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, row := range batch {
			if !each(row) && b.Kind == plan.KindSelect {
				return nil
			}
		}
	}
}

// callScalar is the value of a function that returns no set: of the first row.
func (s *Session) callScalar(ctx context.Context, oid catalog.OID, args []datum.Datum) (datum.Datum, error) {
	out, found := datum.Null, false
	err := s.callFunction(ctx, oid, args, func(f *catalog.Function, row []datum.Datum) bool {
		if !found && f.ReturnType.OID != datum.OIDVoid {
			out = s.functionValue(f, row)
		}
		found = true
		return false
	})
	return out, err
}

// functionValue makes the function's value of a row of its last statement.
func (s *Session) functionValue(f *catalog.Function, row []datum.Datum) datum.Datum {
	names, types := f.OutNames, f.OutTypes
	if len(f.OutTypes) == 0 {
		t := s.t.cat.Snapshot().TableOfRowType(f.ReturnType.OID)
		if t == nil || len(row) == 1 && f.ReturnType.OID == datum.OIDRecord {
			return row[0]
		}
		n := 0
		for _, c := range t.Columns {
			if c.Visible() {
				names, types = append(names, c.Name), append(types, c.Type)
				n++
			}
		}
		if n != len(row) {
			return row[0] // the composite value itself
		}
	} else if len(f.OutTypes) == 1 {
		return row[0]
	}
	return datum.NewRecord(&datum.Record{Types: types, Names: names, Values: slices.Clone(row)})
}

// callSet are the rows of a set-returning function.
func (s *Session) callSet(ctx context.Context, oid catalog.OID, args []datum.Datum) ([][]datum.Datum, error) {
	var rows [][]datum.Datum
	err := s.callFunction(ctx, oid, args, func(f *catalog.Function, row []datum.Datum) bool {
		switch {
		case len(f.OutTypes) > 0:
			rows = append(rows, slices.Clone(row))
		default:
			v := s.functionValue(f, row)
			if rec := record(v); rec != nil && len(rec.Values) == len(row) && len(row) > 1 {
				rows = append(rows, slices.Clone(row))
			} else {
				rows = append(rows, []datum.Datum{v})
			}
		}
		return true
	})
	return rows, err
}

// record is the record of a composite value; nil for other values.
func record(d datum.Datum) *datum.Record {
	if d.IsNull() || d.Kind() != datum.KindRecord {
		return nil
	}
	return d.Record()
}

// callProcedure is CALL of a procedure that a user wrote; nil when there is none of the name.
func (s *Session) callProcedure(ctx context.Context, c *parser.FuncCall) (*execution, error) {
	if err := s.begun(ctx); err != nil {
		return nil, err
	}
	schema, name := "", c.Name[len(c.Name)-1]
	if len(c.Name) > 1 {
		schema = c.Name[len(c.Name)-2]
	}
	snap := s.t.cat.Snapshot()
	var found *catalog.Function
	for _, f := range snap.FindFunctions(s.path(), schema, name) {
		if !f.Procedure {
			args := make([]string, len(f.ArgTypes))
			for i, t := range f.ArgTypes {
				args[i] = s.facts().TypeName(t.OID)
			}
			return nil, s.located(failure.New(failure.WrongObjectType, "%s(%s) is not a procedure", name, strings.Join(args, ", ")).
				WithHint("To call a function, use SELECT."), c.Pos)
		}
		if n := len(c.Args); found == nil && n <= len(f.ArgTypes) && n >= len(f.ArgTypes)-len(f.Defaults) {
			found = f
		}
	}
	if found == nil {
		return nil, nil
	}
	if !snap.HasFunction(s.userOID(), found) {
		return nil, catalog.Denied("procedure", name)
	}
	exprs := slices.Clone(c.Args)
	for _, text := range found.Defaults[len(exprs)-(len(found.ArgTypes)-len(found.Defaults)):] {
		e, err := parser.ParseExpr(text)
		if err != nil {
			return nil, err
		}
		exprs = append(exprs, e)
	}
	args := make([]datum.Datum, len(exprs))
	for i, e := range exprs {
		var err error
		if args[i], err = s.evalExpr(ctx, e, found.ArgTypes[i]); err != nil {
			return nil, err
		}
	}
	var rows [][]datum.Datum
	err := s.callFunction(ctx, found.OID, args, func(f *catalog.Function, row []datum.Datum) bool {
		if len(f.OutTypes) > 0 {
			rows = append(rows, slices.Clone(row))
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	if len(found.OutTypes) == 0 {
		return done("CALL", nil)
	}
	cols := make([]Column, len(found.OutTypes))
	for i, t := range found.OutTypes {
		cols[i] = s.column(found.OutNames[i], t)
	}
	return table("CALL", cols, rows), nil
}
