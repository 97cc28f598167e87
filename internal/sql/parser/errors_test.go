package parser

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/meridiandb/meridian/internal/failure"
)

// describe prints an error as code, position, message, detail and hint.
func describe(err error) string {
	e := failure.As(err)
	if e == nil {
		return fmt.Sprintf("%v", err)
	}
	s := fmt.Sprintf("%s at %d: %s", e.Code, e.Position, e.Message)
	if e.Detail != "" {
		s += " DETAIL: " + e.Detail
	}
	if e.Hint != "" {
		s += " HINT: " + e.Hint
	}
	return s
}

// dump prints a tree with the positions of its nodes.
func dump(b *strings.Builder, v reflect.Value, indent string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		dump(b, v.Elem(), indent)
	case reflect.Struct:
		b.WriteString(v.Type().Name())
		inner := indent + "  "
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i).Name
			switch {
			case name == "Pos":
				fmt.Fprintf(b, " @%d", f.Int())
			case f.IsZero():
			case f.Kind() == reflect.Slice && f.Type().Elem().Kind() != reflect.String:
				for j := range f.Len() {
					fmt.Fprintf(b, "\n%s%s[%d]: ", inner, name, j)
					dump(b, f.Index(j), inner)
				}
			default:
				fmt.Fprintf(b, "\n%s%s: ", inner, name)
				dump(b, f, inner)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			fmt.Fprintf(b, "\n%s  [%d]: ", indent, i)
			dump(b, v.Index(i), indent+"  ")
		}
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprintf(b, "%v", v.Interface())
	}
}

// TestStories runs testdata/*.txt. Commands: "reject file=NAME" prints the error of every line of a file; "tree"
// prints the trees of the input with positions; "format" prints its statements back; "notices" its notices.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if !strings.HasSuffix(path, ".txt") {
			return
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			switch d.Cmd {
			case "reject":
				var name string
				d.ScanArgs(t, "file", &name)
				rejectFile(t, &b, "testdata/"+name)
			case "tree", "format":
				stmts, err := Parse(d.Input)
				if err != nil {
					return describe(err)
				}
				for _, s := range stmts {
					if d.Cmd == "format" {
						fmt.Fprintf(&b, "%s\n", Format(s.Stmt))
						continue
					}
					fmt.Fprintf(&b, "%d+%d ", s.Start, s.Len)
					dump(&b, reflect.ValueOf(s.Stmt), "")
					b.WriteString("\n")
				}
			case "notices":
				if _, err := ParseNotify(d.Input, func(n *failure.Error) {
					fmt.Fprintf(&b, "%s %s\n", n.Severity, describe(n))
				}); err != nil {
					return describe(err)
				}
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return b.String()
		})
	})
}

func rejectFile(t *testing.T, b *strings.Builder, name string) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		sql := lines.Text()
		if strings.HasPrefix(sql, "--") {
			continue
		}
		_, err := ParseOne(sql)
		fmt.Fprintf(b, "%s\n    %s\n", sql, describe(err))
	}
}
