package sqltest

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// oracle is the connection string of a PostgreSQL whose answers -rewrite records for the command "sql".
var oracle = flag.String("oracle", "", "record from this PostgreSQL, e.g. host=127.0.0.1 port=5432 user=postgres")

// TestStories runs testdata. The commands:
//
//	sql    statements that PostgreSQL has too; the output was recorded from it with -rewrite -oracle=…
//	ours   statements that only Meridian has, or answers otherwise on purpose
//	gap    statements that PostgreSQL has and Meridian does not yet: when the output changes, make them "sql"
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		e := newEngine(t)
		var pg *pgconn.PgConn
		if *oracle != "" {
			pg = freshOracle(t)
			defer pg.Close(context.Background())
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			got := e.run(d.Input)
			if pg != nil && d.Cmd == "sql" {
				return oracleRun(pg, d.Input)
			}
			return got
		})
	})
}

// freshOracle connects to an empty database.
func freshOracle(t *testing.T) *pgconn.PgConn {
	ctx := context.Background()
	pg, err := pgconn.Connect(ctx, *oracle)
	if err != nil {
		t.Fatal(err)
	}
	const name = "meridian_stories"
	for _, sql := range []string{"drop database if exists " + name, "create database " + name + " template template0"} {
		if _, err := pg.Exec(ctx, sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	pg.Close(ctx)
	if pg, err = pgconn.Connect(ctx, *oracle+" dbname="+name); err != nil {
		t.Fatal(err)
	}
	return pg
}

// oracleRun renders PostgreSQL's answer as engine.run does.
func oracleRun(pg *pgconn.PgConn, sql string) string {
	var out strings.Builder
	rd := pg.Exec(context.Background(), sql)
	for rd.NextResult() {
		r := rd.ResultReader()
		var b strings.Builder
		for i, f := range r.FieldDescriptions() {
			if i > 0 {
				b.WriteByte('|')
			}
			b.WriteString(f.Name)
		}
		if len(r.FieldDescriptions()) > 0 {
			b.WriteByte('\n')
		}
		for r.NextRow() {
			for i, v := range r.Values() {
				if i > 0 {
					b.WriteByte('|')
				}
				b.Write(v)
			}
			b.WriteByte('\n')
		}
		tag, err := r.Close()
		if err != nil {
			break
		}
		out.WriteString(b.String())
		if !tag.Select() {
			fmt.Fprintln(&out, tag.String())
		}
	}
	if err := rd.Close(); err != nil {
		if pe, ok := err.(*pgconn.PgError); ok {
			fmt.Fprintf(&out, "ERROR: %s: %s\n", pe.Code, pe.Message)
			if pe.Detail != "" {
				fmt.Fprintf(&out, "DETAIL: %s\n", pe.Detail)
			}
			if pe.Hint != "" {
				fmt.Fprintf(&out, "HINT: %s\n", pe.Hint)
			}
		} else {
			fmt.Fprintf(&out, "ERROR: %v\n", err)
		}
	}
	return out.String()
}

// transaction runs BEGIN and its kin.
func (e *engine) transaction(ctx context.Context, out *strings.Builder, s *parser.TransactionStmt) error {
	switch s.Kind {
	case parser.TransBegin, parser.TransStart:
		if err := e.begin(ctx); err != nil {
			return err
		}
		e.inTxn = true
		fmt.Fprintln(out, "BEGIN")
		return nil
	case parser.TransCommit:
		tag := "COMMIT"
		if e.failed {
			tag = "ROLLBACK"
		}
		if err := e.commit(ctx); err != nil {
			return err
		}
		fmt.Fprintln(out, tag)
	case parser.TransRollback:
		e.failed = true
		fmt.Fprintln(out, "ROLLBACK")
		return e.commit(ctx)
	case parser.TransSavepoint:
		e.marks = append(e.marks, savepoint{s.Name, e.tx.Mark(), e.cat.Mark()})
		fmt.Fprintln(out, "SAVEPOINT")
	case parser.TransRollbackTo:
		for i := len(e.marks) - 1; i >= 0; i-- {
			if m := e.marks[i]; m.name == s.Name {
				e.marks = e.marks[:i+1]
				e.state.RollbackTo(e.tx, m.mark)
				e.cat.RollbackTo(m.cat)
				e.failed = false
				fmt.Fprintln(out, "ROLLBACK")
				return nil
			}
		}
		return failure.New(failure.SEInvalidSpecification, "savepoint \"%s\" does not exist", s.Name)
	default:
		return failure.NotSupported("this transaction statement is")
	}
	return nil
}
