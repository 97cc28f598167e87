// Command oracle compares Meridian's parser with PostgreSQL's own, which pg_query_go carries, over files of
// statements: one statement a line, lines that start with -- are comments. It checks that both take or both refuse a
// statement, with the same message and position, and that the text our printer makes has the fingerprint of the
// original. It is a module of its own because it needs cgo.
//
//	oracle [-v] [-mutate n] ../../internal/sql/parser/testdata/corpus/*.sql
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	pgquery "github.com/pganalyze/pg_query_go/v6"
	pgparser "github.com/pganalyze/pg_query_go/v6/parser"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

func main() {
	verbose := flag.Bool("v", false, "print every statement's text after printing")
	mutants := flag.Int("mutate", 0, "also try this many broken variants of every statement")
	seed := flag.Uint64("seed", 1, "seed of the variants")
	dsn := flag.String("server", "", "compare with this running PostgreSQL 15 instead, which knows codes and hints")
	flag.Parse()
	ctx := context.Background()
	check := compare
	if *dsn != "" {
		conn, err := pgconn.Connect(ctx, *dsn)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		defer conn.Close(ctx)
		check = func(sql string) (string, string) { return "", server{conn}.compare(ctx, sql) }
	}
	total, bad := 0, 0
	for _, name := range flag.Args() {
		if strings.HasSuffix(name, "dsql.sql") {
			continue
		}
		stmts, err := load(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if *mutants > 0 {
			stmts = mutate(stmts, *mutants, *seed)
		}
		for _, sql := range stmts {
			total++
			text, diff := check(sql)
			if diff == fingerprints && strings.HasSuffix(name, "equivalent.sql") {
				diff = ""
			}
			if diff != "" {
				bad++
				fmt.Printf("%s: %s\n  printed: %s\n  %s\n", name, sql, text, diff)
			} else if *verbose {
				fmt.Println(text)
			}
		}
	}
	fmt.Printf("%d passed, %d failed\n", total-bad, bad)
	if bad > 0 {
		os.Exit(1)
	}
}

// load reads the statements of a file.
func load(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var stmts []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if s := lines.Text(); s != "" && !strings.HasPrefix(s, "--") {
			stmts = append(stmts, s)
		}
	}
	return stmts, lines.Err()
}

// fingerprints is the difference between statements that both parsers take but understand differently.
const fingerprints = "the fingerprints differ"

// compare returns our text of a statement, and what is different from PostgreSQL; "" when nothing is.
func compare(sql string) (text, diff string) {
	stmts, ours := parser.Parse(sql)
	want, theirs := pgquery.Fingerprint(sql)
	if (ours == nil) != (theirs == nil) {
		return "", fmt.Sprintf("ours: %v; PostgreSQL's: %v", ours, theirs)
	}
	if ours != nil {
		return "", compareErrors(ours, theirs)
	}
	var texts []string
	for _, s := range stmts {
		texts = append(texts, parser.Format(s.Stmt))
	}
	text = strings.Join(texts, "; ")
	got, err := pgquery.Fingerprint(text)
	switch {
	case err != nil:
		return text, "PostgreSQL refuses our text: " + err.Error()
	case got != want:
		return text, fingerprints
	}
	return text, ""
}

func compareErrors(ours, theirs error) string {
	e := failure.As(ours)
	var pg *pgparser.Error
	if e == nil || !errors.As(theirs, &pg) {
		return fmt.Sprintf("errors of other types: %v; %v", ours, theirs)
	}
	if e.Message != pg.Message || e.Position != pg.Cursorpos {
		return fmt.Sprintf("ours: %q at %d; PostgreSQL's: %q at %d", e.Message, e.Position, pg.Message, pg.Cursorpos)
	}
	return ""
}
