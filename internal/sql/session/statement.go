package session

import (
	"context"
	"strconv"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/bind"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/opt"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// statement is one parsed statement with the plan made for it, if it is of the kind that is planned.
type statement struct {
	sql  string
	raw  parser.RawStmt
	oids []datum.OID // parameter types given by the client, 0 where it left them open

	// The plan and what it was made for. It is used again while all of that is unchanged.
	plan     *plan.Statement
	compiled *exec.Prepared
	cols     []Column
	snap     *catalog.Snapshot
	settings uint64
	user     string
}

// plannable says whether a statement is run by the planner and executor.
func plannable(stmt parser.Statement) bool {
	switch stmt.(type) {
	case *parser.SelectStmt, *parser.InsertStmt, *parser.UpdateStmt, *parser.DeleteStmt, *parser.MergeStmt:
		return true
	}
	return false
}

// prepare makes sure that the statement has a plan for the catalogue as the transaction sees it now.
func (s *Session) prepare(ctx context.Context, st *statement) error {
	if err := s.begun(ctx); err != nil {
		return err
	}
	snap := s.t.cat.Snapshot()
	if st.plan != nil && st.snap == snap && st.settings == s.settings.Version() && st.user == s.user {
		return nil
	}
	stmt, err := s.planStatement(ctx, st.raw.Stmt, st.sql, st.oids)
	if err != nil {
		return err
	}
	compiled, err := exec.Compile(stmt, exec.Options{Facts: s.facts()})
	if err != nil {
		return err
	}
	st.plan, st.compiled, st.snap, st.settings, st.user = stmt, compiled, snap, s.settings.Version(), s.user
	st.cols = s.columnsOf(stmt.Root)
	return nil
}

// planStatement binds, checks privileges and plans.
func (s *Session) planStatement(ctx context.Context, stmt parser.Statement, sql string, oids []datum.OID) (*plan.Statement, error) {
	bound, err := bind.Statement(s.bindEnv(), stmt, sql, oids)
	if err != nil {
		return nil, err
	}
	if err := s.checkPrivileges(bound.Privileges); err != nil {
		return nil, err
	}
	return opt.Plan(bound, s.planSettings())
}

func (s *Session) columnsOf(n plan.Node) []Column {
	infos := n.Columns()
	cols := make([]Column, len(infos))
	for i, c := range infos {
		cols[i] = s.column(c.Name, c.Type)
		cols[i].Table, cols[i].Attnum = c.Table, c.Attr
	}
	return cols
}

// column describes a result column of a type.
func (s *Session) column(name string, t datum.Type) Column {
	for { // a domain is described by the type it is over
		info := s.facts().TypeByOID(t.OID)
		if info == nil || info.Type != 'd' {
			break
		}
		t = datum.Type{OID: info.BaseType, Mod: info.TypMod}
	}
	c := Column{Name: name, Type: t, Len: -1}
	if info := s.facts().TypeByOID(t.OID); info != nil {
		c.Len = info.Len
	}
	return c
}

// execution is a running statement: rows, then a tag. Statements that the executor does not run have rows already.
type execution struct {
	kind   plan.StatementKind
	cursor *exec.Cursor
	// batch[next:] has not been given out yet.
	batch exec.Batch
	next  int
	eof   bool
	cols  []Column
	tag   string // of a utility statement
	sent  int64  // rows given out so far
}

func (e *execution) close() {
	if e.cursor != nil {
		e.cursor.Close()
		e.cursor = nil
	}
	e.batch, e.next, e.eof = nil, 0, true
}

// rowsLeft fetches the next batch when the last one is used up, and says whether there is a row.
func (e *execution) rowsLeft(ctx context.Context) (bool, error) {
	for e.next >= len(e.batch) {
		if e.eof || e.cursor == nil {
			e.eof = true
			return false, nil
		}
		b, err := e.cursor.Next(ctx)
		if err != nil {
			return false, err
		}
		if len(b) == 0 {
			e.eof = true
			return false, nil
		}
		e.batch, e.next = b, 0
	}
	return true, nil
}

// commandTag is the tag of a finished execution.
func (e *execution) commandTag() string {
	if e.tag != "" {
		return e.tag
	}
	n := e.sent
	if e.kind != plan.KindSelect && e.cursor != nil {
		n = e.cursor.RowsAffected()
	}
	word := "SELECT "
	switch e.kind {
	case plan.KindInsert:
		word = "INSERT 0 "
	case plan.KindUpdate:
		word = "UPDATE "
	case plan.KindDelete:
		word = "DELETE "
	case plan.KindMerge:
		word = "MERGE "
	}
	return word + strconv.FormatInt(n, 10)
}

// open starts a statement with its parameters. The statement is planned anew when the catalogue has changed.
func (s *Session) open(ctx context.Context, st *statement, params []datum.Datum) (*execution, error) {
	s.sql = st.sql
	s.ctx = ctx
	s.renew()
	if s.t.block == failed && !allowedInFailed(st.raw.Stmt) {
		return nil, refusedInFailed()
	}
	if s.strict() {
		if err := s.admit(ctx, st); err != nil {
			return nil, err
		}
	}
	if !plannable(st.raw.Stmt) {
		return s.utility(ctx, st, params)
	}
	if into := selectInto(st.raw.Stmt); into != nil {
		return s.createTableAs(ctx, into, params)
	}
	if err := s.prepare(ctx, st); err != nil {
		return nil, err
	}
	return s.openPlan(ctx, st, params)
}

func (s *Session) openPlan(ctx context.Context, st *statement, params []datum.Datum) (*execution, error) {
	if err := s.useObjects(ctx, st.plan); err != nil {
		return nil, err
	}
	s.t.statements++
	env, err := s.execEnv(ctx, params)
	if err != nil {
		return nil, err
	}
	if s.t.modes.readOnly && !st.plan.ReadOnly && st.plan.Kind != plan.KindSelect {
		return nil, readOnlyError(kindName(st.plan.Kind))
	}
	cursor, err := st.compiled.Open(ctx, env)
	if err != nil {
		return nil, err
	}
	return &execution{kind: st.plan.Kind, cursor: cursor, cols: st.cols}, nil
}

func kindName(k plan.StatementKind) string {
	return [...]string{"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"}[k]
}

func readOnlyError(what string) error {
	return failure.New(failure.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", what)
}

// useObjects has the commit validate the schema keys of what is not a table: views, types, functions.
func (s *Session) useObjects(ctx context.Context, p *plan.Statement) error {
	if p.ReadOnly {
		return nil
	}
	for _, oid := range p.Objects {
		if s.t.cat.Snapshot().TableByOID(oid) == nil {
			return s.t.cat.Use(ctx, p.Objects...)
		}
	}
	return nil
}

// send gives rows to the client: up to most of them (0 is all). It reports whether the execution has ended.
func (s *Session) send(ctx context.Context, e *execution, formats []int16, most int) (bool, error) {
	if len(e.cols) == 0 && e.kind != plan.KindSelect {
		for { // a data change without RETURNING: run it to its end
			more, err := e.rowsLeft(ctx)
			if err != nil || !more {
				return true, err
			}
			e.next = len(e.batch)
		}
	}
	s.sink.BeginRows(e.cols, formats, s.datumEnv())
	for n := 0; most == 0 || n < most; n++ {
		more, err := e.rowsLeft(ctx)
		if err != nil || !more {
			return true, err
		}
		if err := s.sink.Row(e.batch[e.next]); err != nil {
			return true, err
		}
		e.next++
		e.sent++
	}
	return false, nil
}
