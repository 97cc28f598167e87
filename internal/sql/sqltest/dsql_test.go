package sqltest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/ddl"
	wire "github.com/meridiandb/meridian/internal/sql/session"
	"github.com/meridiandb/meridian/internal/sql/setting"
	"github.com/meridiandb/meridian/internal/sql/syscat"
	"github.com/meridiandb/meridian/internal/txn/txntest"
)

// still is a host on which no time passes.
type still struct{ host.Host }

func (still) Now() time.Time                             { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
func (still) Monotonic() time.Duration                   { return 0 }
func (still) Sleep(context.Context, time.Duration) error { return nil }
func (still) AfterFunc(time.Duration, func()) func() bool {
	return func() bool { return true }
}
func (still) Uint64() uint64 { return 7 }

// printer is a client that prints what it is told.
type printer struct {
	wire.Sink // what strict mode's stories do not use is nil and would panic
	out       strings.Builder
	cols      []wire.Column
	env       *datum.Env
}

func (p *printer) RowDescription(cols []wire.Column, _ []int16) {
	for i, c := range cols {
		if i > 0 {
			p.out.WriteByte('|')
		}
		p.out.WriteString(c.Name)
	}
	p.out.WriteByte('\n')
}
func (p *printer) BeginRows(cols []wire.Column, _ []int16, env *datum.Env) { p.cols, p.env = cols, env }
func (p *printer) Row(values []datum.Datum) error {
	for i, v := range values {
		if i > 0 {
			p.out.WriteByte('|')
		}
		text := datum.Text(p.cols[i].Type, v, p.env)
		if p.cols[i].Name == "job_id" {
			text = fmt.Sprintf("(%d characters)", len(text))
		}
		p.out.WriteString(text)
	}
	p.out.WriteByte('\n')
	return nil
}
func (p *printer) CommandComplete(tag string)     { p.out.WriteString(tag + "\n") }
func (p *printer) EmptyQuery()                    {}
func (p *printer) Notice(*failure.Error)          {}
func (p *printer) ParameterStatus(string, string) {}
func (p *printer) Position() int64                { return 0 }
func (p *printer) Rewind(int64) bool              { return false }

// noJobs leaves jobs undone.
type noJobs struct{}

func (noJobs) Wait(context.Context, string) error { return nil }
func (noJobs) Wake()                              {}

// strictEngine is a server started with --compat.
func strictEngine(t *testing.T, compat string) *wire.Engine {
	db := txntest.New()
	if err := catalog.Bootstrap(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	system := syscat.New()
	return wire.NewEngine(wire.Config{
		Host: still{}, DB: db, Catalog: catalog.NewCache(system.Tables()), System: system, OIDs: catalog.NewOIDs(db),
		Facts: builtin.Load(), Settings: setting.NewRegistry(setting.Server{Compat: compat}),
		Sequences: ddl.NewSequences(db), Jobs: noJobs{},
	})
}

// TestDSQL runs dsql/*.txt: what clients are answered in strict mode. The expected answers of "recorded" come from real
// clusters and are not to be rewritten; those of "ours" are Meridian's own choice.
func TestDSQL(t *testing.T) {
	datadriven.Walk(t, "dsql", func(t *testing.T, path string) {
		e := strictEngine(t, setting.CompatDSQL)
		p := &printer{}
		s, err := e.Open(context.Background(), wire.Startup{User: "admin", Database: "postgres", PID: 1}, p)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p.out.Reset()
			if d.Cmd == "each" {
				return eachLine(s, p, d.Input)
			}
			run(s, p, d.Input)
			return p.out.String()
		})
	})
}

func run(s *wire.Session, p *printer, sql string) {
	if err := s.Query(context.Background(), sql); err != nil {
		s.Failed(err)
		if e := failure.As(err); e != nil {
			fmt.Fprintf(&p.out, "%s %s\n", e.Code, e.Message)
			return
		}
		fmt.Fprintln(&p.out, err)
	}
}

// eachLine runs every line by itself.
func eachLine(s *wire.Session, p *printer, input string) string {
	for _, line := range strings.Split(input, "\n") {
		run(s, p, line)
	}
	return p.out.String()
}

func TestDSQLStartup(t *testing.T) {
	open := func(compat, name, value string) (*wire.Session, error) {
		return strictEngine(t, compat).Open(context.Background(), wire.Startup{User: "admin", Database: "postgres",
			Parameters: []wire.Parameter{{Name: name, Value: value}}}, &printer{})
	}
	if _, err := open("dsql", "client_min_messages", "warning"); failure.CodeOf(err) != failure.FeatureNotSupported ||
		failure.As(err).Message != `setting configuration parameter "client_min_messages" not supported` || failure.As(err).Severity != failure.SeverityFatal {
		t.Fatalf("a startup parameter that DSQL refuses: %v", err)
	}
	for _, k := range [][3]string{{"dsql", "application_name", "x"}, {"", "client_min_messages", "warning"}, {"dsql", "meridian.compat", "postgres"}} {
		s, err := open(k[0], k[1], k[2])
		if err != nil {
			t.Fatalf("%v: %v", k, err)
		}
		s.Close()
	}
}

// TestDSQLLimits checks the limits of a transaction at their edges.
func TestDSQLLimits(t *testing.T) {
	p := &printer{}
	s, err := strictEngine(t, "").Open(context.Background(), wire.Startup{User: "admin", Database: "postgres"}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	expect := func(sql, want string) {
		t.Helper()
		p.out.Reset()
		run(s, p, sql)
		if got := strings.TrimSpace(p.out.String()); got != want {
			t.Fatalf("%s:\n%s\nwant\n%s", sql, got, want)
		}
	}
	expect("create table t (id bigint primary key, v text)", "CREATE TABLE")
	expect("insert into t select g from generate_series(1, 3001) g", "INSERT 0 3001")
	expect("delete from t", "DELETE 3001")
	expect("set meridian.compat = 'dsql'", "SET")
	expect("insert into t select g from generate_series(1, 3001) g", "54000 transaction row limit exceeded")
	expect("insert into t select g from generate_series(1, 3000) g", "INSERT 0 3000")
	expect("begin", "BEGIN")
	expect("update t set v = 'x'", "UPDATE 3000")
	expect("insert into t values (-1)", "54000 transaction row limit exceeded")
	expect("commit", "ROLLBACK")
	expect("begin", "BEGIN")
	expect("update t set v = repeat('x', 800000) where id <= 14", "UPDATE 14")
	expect("commit", "54000 transaction size limit 10mb exceeded")
	expect("set meridian.compat = 'postgres'", "SET")
	expect("update t set v = repeat('x', 800000) where id <= 14", "UPDATE 14")
}
