//go:build e2e

package postgres

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridiandb/meridian/test/workload"
)

var (
	rewrite = flag.Bool("rewrite", false, "record the answers of the server that -oracle names")
	oracle  = flag.String("oracle", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable", "a PostgreSQL 15 whose superuser this is")
	accept  = flag.Bool("accept", false, "write differences.txt anew: without what does not differ, with what does under a reason to be replaced")
	only    = flag.String("only", "", "run the scripts whose name contains this")
)

// counts of one run.
type counts struct {
	statements, equal, reasoned, wrong int
	unlisted                           []*difference
}

// TestConformance runs every script and compares with what PostgreSQL said.
func TestConformance(t *testing.T) {
	files, err := filepath.Glob("scripts/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	listed, err := os.ReadFile("differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	differences, err := readDifferences(string(listed))
	if err != nil {
		t.Fatal(err)
	}
	var sum counts
	for _, f := range files {
		if !strings.Contains(f, *only) {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(f), ".sql")
		t.Run(name, func(t *testing.T) {
			script, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			messages, err := parse(string(script))
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			out := strings.TrimSuffix(f, ".sql") + ".out"
			if *rewrite {
				if err := os.WriteFile(out, []byte(format(record(t, messages))), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			recorded, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, name, messages, read(string(recorded)), differences, &sum)
		})
	}
	if *rewrite || t.Failed() && sum.statements == 0 {
		return
	}
	if *accept {
		if err := os.WriteFile("differences.txt", []byte(formatDifferences(append(differences, sum.unlisted...))), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, d := range differences {
		if !d.used && *only == "" {
			t.Errorf("differences.txt:%d: does not differ, or is not there any more: %s: %s", d.line, d.script, d.key)
		}
	}
	fmt.Printf("conformance: %d statements: %d equal, %d differing with a reason, %d differing\n", sum.statements, sum.equal, sum.reasoned, sum.wrong)
}

// compare runs messages on a fresh Meridian.
func compare(t *testing.T, name string, messages []message, want []answer, differences []*difference, sum *counts) {
	ctx := t.Context()
	if len(want) != len(messages) {
		t.Fatalf("%d messages, but PostgreSQL's answers to %d: record them with -rewrite", len(messages), len(want))
	}
	binary := os.Getenv("MERIDIAN_BINARY")
	if binary == "" {
		t.Fatal("MERIDIAN_BINARY names no binary")
	}
	s, err := workload.NewServer(binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer s.Kill()
	r := newRunner(s.URL)
	defer r.close(ctx)
	for i, m := range messages {
		if want[i].text != m.text {
			t.Fatalf("line %d is not what PostgreSQL was asked: record it with -rewrite", m.line)
		}
		sum.statements++
		begun := time.Now()
		got := strings.TrimSuffix(r.send(ctx, m), "\n")
		if took := time.Since(begun); took > 3*time.Second {
			t.Logf("%s.sql:%d took %v", name, m.line, took)
		}
		d := find(differences, name, m.key())
		switch {
		case got == want[i].output:
			sum.equal++
		case d != nil:
			d.used = true
			sum.reasoned++
		default:
			sum.wrong++
			if *accept {
				sum.unlisted = append(sum.unlisted, &difference{script: name, key: m.key(), reason: "Not looked at yet.", used: true})
				continue
			}
			t.Errorf("%s.sql:%d:\n%s\n  PostgreSQL:\n%s\n  Meridian:\n%s", name, m.line, m.text, indent(want[i].output), indent(got))
		}
	}
	if at := strings.Index(s.Log(), "panic"); at >= 0 {
		t.Errorf("the server panicked:\n%.3000s", s.Log()[at:])
	}
}

func find(all []*difference, script, key string) *difference {
	for _, d := range all {
		if d.script == script && d.key == key {
			return d
		}
	}
	return nil
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

const freshDatabase = "meridian_conformance"

// record runs messages on PostgreSQL, in a fresh database, and drops the roles that they leave.
func record(t *testing.T, messages []message) []answer {
	ctx := t.Context()
	admin, err := pgconn.Connect(ctx, *oracle)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.Background()) }()
	must := func(sql string) [][][]byte {
		res, err := admin.Exec(ctx, sql).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return res[0].Rows
	}
	before := map[string]bool{}
	for _, r := range must("SELECT rolname FROM pg_roles") {
		before[string(r[0])] = true
	}
	must("DROP DATABASE IF EXISTS " + freshDatabase)
	must("CREATE DATABASE " + freshDatabase + " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
	r := newRunner(func(role string) string {
		u, err := url.Parse(*oracle)
		if err != nil {
			t.Fatal(err)
		}
		u.User, u.Path = url.User(role), "/"+freshDatabase
		return u.String()
	})
	all := make([]answer, 0, len(messages))
	for _, m := range messages {
		all = append(all, answer{m.text, r.send(ctx, m)})
	}
	r.close(ctx)
	must("DROP DATABASE " + freshDatabase + " WITH (FORCE)")
	for _, role := range must("SELECT quote_ident(rolname) FROM pg_roles") {
		if name := strings.Trim(string(role[0]), `"`); !before[name] {
			must("DROP ROLE " + string(role[0]))
		}
	}
	return all
}
