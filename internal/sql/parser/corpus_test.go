package parser

import (
	"bufio"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

// corpus returns the statements of testdata/corpus, one a line.
func corpus(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	var stmts []string
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if s := lines.Text(); s != "" && !strings.HasPrefix(s, "--") {
				stmts = append(stmts, s)
			}
		}
		f.Close()
	}
	return stmts
}

// equalTrees compares two trees but for positions and the text of unread statements.
func equalTrees(a, b reflect.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return equalTrees(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equalTrees(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if a.Type() != b.Type() {
			return false
		}
		for i := range a.NumField() {
			switch a.Type().Field(i).Name {
			case "Pos", "ARNPos", "Text", "TableWord":
				continue
			}
			if !equalTrees(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

// checkPrinted prints every statement of sql and verifies that its text gives the same tree again.
func checkPrinted(t *testing.T, sql string, stmts []RawStmt) {
	t.Helper()
	for _, s := range stmts {
		text := Format(s.Stmt)
		again, err := ParseOne(text)
		if err != nil {
			if failure.CodeOf(err) == failure.StatementTooComplex {
				continue // parentheses that the printer adds may be what is too much
			}
			t.Fatalf("%q prints as %q: %v", sql, text, err)
		}
		if again.Stmt == nil || !equalTrees(reflect.ValueOf(s.Stmt), reflect.ValueOf(again.Stmt)) {
			t.Fatalf("%q prints as %q, which is another tree and prints as %q", sql, text, Format(again.Stmt))
		}
	}
}

// checkPositions verifies that every position of a tree lies inside the statement and at the start of a character.
func checkPositions(t *testing.T, sql string, s RawStmt, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			checkPositions(t, sql, s, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkPositions(t, sql, s, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "Pos" {
				checkPositions(t, sql, s, v.Field(i))
				continue
			}
			pos := int(v.Field(i).Int())
			if pos == NoPos || pos == 0 && v.Type().Name() == "TypeName" {
				continue
			}
			if pos < s.Start || pos >= s.Start+s.Len || !utf8.RuneStart(sql[pos]) {
				t.Fatalf("%q: %s has position %d", sql, v.Type(), pos)
			}
		}
	}
}

func TestCorpus(t *testing.T) {
	for _, sql := range corpus(t) {
		stmts, err := Parse(sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		checkPrinted(t, sql, stmts)
		moved, err := Parse("/* äöü */ ; \n " + sql + " ; select 1")
		if err != nil || len(moved) != 2 {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		checkPositions(t, "/* äöü */ ; \n "+sql+" ; select 1", moved[0], reflect.ValueOf(moved[0].Stmt))
	}
}

func FuzzParse(f *testing.F) {
	for _, sql := range corpus(f) {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		stmts, err := Parse(sql)
		if err != nil {
			e := failure.As(err)
			if e == nil || e.Code == "" || e.Message == "" {
				t.Fatalf("%q: error %v", sql, err)
			}
			if e.Position < 0 || e.Position > utf8.RuneCountInString(sql)+1 {
				t.Fatalf("%q: position %d", sql, e.Position)
			}
			return
		}
		if !utf8.ValidString(sql) {
			return // bytes that are no text never get here from a client, and truncated names may end inside them
		}
		checkPrinted(t, sql, stmts)
		for _, s := range stmts {
			checkPositions(t, sql, s, reflect.ValueOf(s.Stmt))
		}
	})
}
