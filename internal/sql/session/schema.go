package session

import (
	"context"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/ddl"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/sql/strict"
)

// schemaChange runs a statement of package ddl. One that fails leaves no trace of its own in the transaction.
func (s *Session) schemaChange(ctx context.Context, st *statement) (*execution, error) {
	if err := s.begun(ctx); err != nil {
		return nil, err
	}
	if s.t.modes.readOnly {
		return nil, readOnlyError(statementName(st.raw.Stmt))
	}
	storeMark, catMark := s.t.tx.Mark(), s.t.cat.Mark()
	env := s.ddlEnv(ctx)
	stmt := st.raw.Stmt
	if s.strict() {
		stmt = strict.Adapt(stmt)
	}
	res, err := env.Run(ctx, stmt)
	s.temporary = s.temporary || env.MadeTemporary()
	if err != nil {
		s.t.state.RollbackTo(s.t.tx, storeMark)
		s.t.cat.RollbackTo(catMark)
		return nil, err
	}
	if res.Pending && s.engine.cfg.Jobs != nil {
		s.t.atCommit = append(s.t.atCommit, s.engine.cfg.Jobs.Wake)
	}
	if len(res.Wait) > 0 {
		if err := s.waitForJobs(ctx, res.Wait); err != nil {
			return nil, err
		}
	}
	if len(res.Columns) == 0 {
		return done(res.Tag, nil)
	}
	cols := make([]Column, len(res.Columns))
	for i, c := range res.Columns {
		cols[i] = Column{Name: c.Name, Type: c.Type}
	}
	return table(res.Tag, cols, res.Rows), nil
}

// call is CALL: of sys.wait_for_job, the one procedure there is.
func (s *Session) call(ctx context.Context, c *parser.FuncCall) (*execution, error) {
	if e, err := s.callProcedure(ctx, c); e != nil || err != nil {
		return e, err
	}
	if n := len(c.Name); n != 2 || c.Name[0] != "sys" || c.Name[1] != "wait_for_job" || len(c.Args) != 1 {
		return nil, failure.New(failure.UndefinedFunction, "procedure %s does not exist", parser.Format(c)).
			WithHint("No procedure matches the given name and argument types. You might need to add explicit type casts.")
	}
	if err := s.begun(ctx); err != nil {
		return nil, err
	}
	id, err := s.evalExpr(ctx, c.Args[0], datum.T(datum.OIDText))
	if err != nil || id.IsNull() {
		return nil, err
	}
	if err := ddl.ParseJobID(id.Text()); err != nil {
		return nil, err
	}
	err = s.engine.cfg.Jobs.Wait(ctx, id.Text())
	if failure.CodeOf(err) == failure.UndefinedObject || ctx.Err() != nil {
		return nil, guard(ctx, err)
	}
	return table("CALL", []Column{{Name: "succeeded", Type: datum.T(datum.OIDBool)}}, [][]datum.Datum{{datum.NewBool(err == nil)}}), nil
}

// waitForJobs commits what created the jobs and waits for their end.
func (s *Session) waitForJobs(ctx context.Context, jobs []string) error {
	if err := s.commit(ctx); err != nil {
		return err
	}
	for _, id := range jobs {
		if err := s.engine.cfg.Jobs.Wait(ctx, id); err != nil {
			return guard(ctx, err)
		}
	}
	return nil
}

// ddlEnv is what a schema change works with.
func (s *Session) ddlEnv(ctx context.Context) *ddl.Env {
	snap := s.t.cat.Snapshot()
	env := &ddl.Env{
		Cat: s.t.cat, Path: s.path(), User: s.userOID(), Text: s.sql, Engine: (*schemaEngine)(s),
		OIDs: s.engine.cfg.OIDs, Facts: s.facts(), Notice: s.notice,
		NowMicros: s.engine.cfg.Host.Now().UnixMicro(), RandomBytes: s.engine.randomBytes,
		InBlock: s.t.block == inBlock || s.t.block == implicit, SpanBytes: s.engine.cfg.SpanBytes, Analyzed: s.engine.changed.forget,
	}
	if r := snap.Role(s.sessionUser); r != nil {
		env.SessionUser = r.OID
	}
	return env
}

// statementName is how a statement is called in "cannot execute … in a read-only transaction": its command tag.
func statementName(stmt parser.Statement) string {
	words := strings.Fields(strings.ToUpper(parser.Format(stmt)))
	if len(words) < 2 {
		return strings.Join(words, " ")
	}
	switch words[0] {
	case "GRANT", "REVOKE":
		if stmt, ok := stmt.(*parser.GrantRoleStmt); ok && stmt != nil {
			return words[0] + " ROLE"
		}
		return words[0]
	case "COMMENT", "ANALYZE", "VACUUM", "REINDEX", "CLUSTER":
		return words[0]
	case "TRUNCATE":
		return "TRUNCATE TABLE"
	}
	n := 1
	for n < len(words)-1 && (words[n] == "OR" || words[n] == "REPLACE" || words[n] == "UNIQUE" || words[n] == "TEMPORARY" || words[n] == "UNLOGGED") {
		n++
	}
	name := words[0] + " " + words[n]
	if n+1 < len(words) && (words[n] == "MATERIALIZED" || words[n] == "DEFAULT" || words[n] == "OWNED" || words[n] == "FOREIGN" || words[n] == "EVENT") {
		name += " " + words[n+1]
	}
	return name
}

// selectInto turns SELECT … INTO t into CREATE TABLE t AS; nil for other statements.
func selectInto(stmt parser.Statement) *parser.CreateTableAsStmt {
	q, ok := stmt.(*parser.SelectStmt)
	if !ok || q.Into == nil {
		return nil
	}
	plain := *q
	plain.Into = nil
	return &parser.CreateTableAsStmt{Pos: q.Pos, Relation: q.Into.Relation, Persistence: q.Into.Persistence, Query: &plain}
}

// createTableAs makes a table of a query's columns and fills it.
func (s *Session) createTableAs(ctx context.Context, stmt *parser.CreateTableAsStmt, params []datum.Datum) (*execution, error) {
	if stmt.Materialized {
		return nil, failure.NotSupported("CREATE MATERIALIZED VIEW")
	}
	if err := s.begun(ctx); err != nil {
		return nil, err
	}
	if s.t.modes.readOnly {
		return nil, readOnlyError("CREATE TABLE AS")
	}
	query, err := s.createAsQuery(stmt.Query)
	if err != nil {
		return nil, err
	}
	in := stmt.Relation.Schema
	if stmt.Persistence == parser.PersistTemp {
		in = "pg_temp"
	}
	if stmt.IfNotExists && s.t.cat.Snapshot().Find(s.path(), in, stmt.Relation.Name).Found() {
		s.notice(failure.New(failure.DuplicateTable, "relation \"%s\" already exists, skipping", stmt.Relation.Name).
			WithSeverity(failure.SeverityNotice))
		return done("CREATE TABLE AS", nil)
	}
	p, err := s.planStatement(ctx, query, s.sql, nil)
	if err != nil {
		return nil, err
	}
	cols := p.Root.Columns()
	if len(stmt.Columns) > len(cols) {
		return nil, failure.New(failure.SyntaxError, "too many column names were specified")
	}
	storeMark, catMark := s.t.tx.Mark(), s.t.cat.Mark()
	n, err := s.createAndFill(ctx, stmt, query, cols)
	if err != nil {
		s.t.state.RollbackTo(s.t.tx, storeMark)
		s.t.cat.RollbackTo(catMark)
		return nil, err
	}
	if stmt.WithNoData {
		return done("CREATE TABLE AS", nil)
	}
	return done("SELECT "+strconv.FormatInt(n, 10), nil)
}

// createAsQuery finds the query of CREATE TABLE AS, which may be EXECUTE of a prepared one.
func (s *Session) createAsQuery(q parser.Statement) (parser.Statement, error) {
	if ex, ok := q.(*parser.ExecuteStmt); ok {
		p, err := s.findPrepared(ex.Name)
		if err != nil {
			return nil, err
		}
		if len(ex.Args) > 0 {
			return nil, failure.NotSupported("CREATE TABLE AS EXECUTE with parameters")
		}
		return p.raw.Stmt, nil
	}
	return q, nil
}

// createAndFill makes the table and, unless WITH NO DATA, inserts the query's rows.
func (s *Session) createAndFill(ctx context.Context, stmt *parser.CreateTableAsStmt, query parser.Statement, cols []plan.ColumnInfo) (int64, error) {
	create := &parser.CreateTableStmt{Pos: parser.NoPos, Relation: stmt.Relation, Persistence: stmt.Persistence, OnCommit: stmt.OnCommit, Options: stmt.Options}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
		if i < len(stmt.Columns) {
			names[i] = stmt.Columns[i]
		}
		typ := c.Type
		if typ.OID == datum.OIDUnknown {
			typ = datum.T(datum.OIDText)
		}
		tn, err := parser.ParseTypeName(s.facts().FormatType(typ))
		if err != nil {
			return 0, err
		}
		create.Elements = append(create.Elements, &parser.ColumnDef{Pos: parser.NoPos, Name: names[i], Type: tn})
	}
	env := s.ddlEnv(ctx)
	_, err := env.Run(ctx, create)
	s.temporary = s.temporary || env.MadeTemporary()
	if err != nil {
		return 0, err
	}
	if stmt.WithNoData {
		return 0, nil
	}
	sel, ok := query.(*parser.SelectStmt)
	if !ok {
		return 0, failure.NotSupported("CREATE TABLE AS of this kind of query")
	}
	into := stmt.Relation
	if stmt.Persistence == parser.PersistTemp {
		into.Schema = "pg_temp"
	}
	ins := &parser.InsertStmt{Pos: parser.NoPos, Relation: into, Source: sel}
	return s.runInternal(ctx, ins, s.sql, nil)
}

// runInternal runs a data change inside the open transaction and returns the number of rows.
func (s *Session) runInternal(ctx context.Context, stmt parser.Statement, sql string, each func([]datum.Datum) error) (int64, error) {
	p, err := s.planStatement(ctx, stmt, sql, nil)
	if err != nil {
		return 0, err
	}
	return s.runPlan(ctx, p, each)
}

func (s *Session) runPlan(ctx context.Context, p *plan.Statement, each func([]datum.Datum) error) (int64, error) {
	compiled, err := exec.Compile(p, exec.Options{Facts: s.facts()})
	if err != nil {
		return 0, err
	}
	env, err := s.execEnv(ctx, nil)
	if err != nil {
		return 0, err
	}
	cursor, err := compiled.Open(ctx, env)
	if err != nil {
		return 0, err
	}
	defer cursor.Close()
	for {
		batch, err := cursor.Next(ctx)
		if err != nil {
			return 0, err
		}
		if len(batch) == 0 {
			return cursor.RowsAffected(), nil
		}
		if each == nil {
			continue
		}
		for _, row := range batch {
			if err := each(append([]datum.Datum(nil), row...)); err != nil {
				return 0, err
			}
		}
	}
}

// emptyPath is the search path of internal statements: pg_catalog alone.
func emptyPath(snap *catalog.Snapshot) catalog.Path { return snap.Path(nil, "") }
