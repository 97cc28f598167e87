package builtin

import (
	"os"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// TestResolve compares the types that operators and functions have for pairs of argument types with PostgreSQL's.
func TestResolve(t *testing.T) {
	b, err := os.ReadFile("testdata/resolve.txt")
	if err != nil {
		t.Fatal(err)
	}
	f := Load()
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	types := strings.Split(lines[0], "\t")
	asked, bad := 0, 0
	for _, l := range lines[1:] {
		parts := strings.Split(l, "\t")
		for i, want := range parts[3:] {
			var args []OID
			if parts[2] != "" {
				args = append(args, f.TypeByName(parts[2]).OID)
			}
			args = append(args, f.TypeByName(types[i]).OID)
			got := resolveOne(f, parts[0], parts[1], args)
			if asked++; sameResolution(got, want) {
				continue
			}
			if bad++; bad <= *verbose {
				t.Errorf("%s %s(%s, %s): got %s, want %s", parts[0], parts[1], parts[2], types[i], got, want)
			}
		}
	}
	t.Logf("%d resolutions, %d differ", asked, bad)
}

// sameResolution passes over sets without rows and over what fails after resolution (arguments checked by the function or the parser).
func sameResolution(got, want string) bool {
	return got == want || want == "" || strings.HasPrefix(want, "!") && !strings.HasPrefix(want, "!428") && !strings.HasPrefix(want, "!427")
}

func resolveOne(f *Facts, kind, name string, args []OID) string {
	var ret OID
	var err error
	if kind == "op" {
		left := OID(0)
		if len(args) == 2 {
			left = args[0]
		}
		var op ResolvedOp
		op, err = f.ResolveOperator("", name, left, args[len(args)-1])
		ret = op.Ret
	} else {
		var r *Resolved
		if r, err = f.ResolveFunc(FuncCall{Name: name, Args: args}); err == nil {
			ret = r.Ret
		}
	}
	if err == nil {
		return f.TypeName(ret)
	}
	e := failure.As(err)
	list := make([]string, len(args))
	for i, a := range args {
		list[i] = f.TypeName(a)
	}
	text := name + "(" + strings.Join(list, ", ") + ")"
	if kind == "op" {
		if text = name + " " + list[0]; len(list) == 2 {
			text = list[0] + " " + name + " " + list[1]
		}
	}
	switch {
	case e.Code == failure.UndefinedFunction && strings.Contains(e.Message, text) && strings.HasPrefix(e.Hint, "No "):
		return "-"
	case e.Code == failure.AmbiguousFunction && strings.Contains(e.Message, text) && strings.HasPrefix(e.Hint, "Could not"):
		return "?"
	}
	return "!" + string(e.Code) + " " + e.Message + " / " + e.Hint
}

func TestNamedAndDefaultArguments(t *testing.T) {
	f := Load()
	r, err := f.ResolveFunc(FuncCall{Name: "make_interval", Args: []OID{datum.OIDInt4, datum.OIDUnknown},
		Names: []string{"days", "years"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Order) != 7 || r.Order[0] != 1 || r.Order[3] != 0 || r.Order[1] != -1 || len(r.Defaults) != 5 {
		t.Fatalf("%+v", r)
	}
	r, err = f.ResolveFunc(FuncCall{Name: "jsonb_set", Args: []OID{datum.OIDJSONB, datum.OIDUnknown, datum.OIDUnknown}})
	if err != nil || len(r.Defaults) != 1 || r.Defaults[0].Text != "true" || r.Order != nil {
		t.Fatalf("%+v %v", r, err)
	}
	r, err = f.ResolveFunc(FuncCall{Name: "json_extract_path", Args: []OID{datum.OIDJSON, datum.OIDUnknown, datum.OIDText}})
	if err != nil || r.VariadicFrom != 1 || r.VariadicArray != datum.OIDTextArray {
		t.Fatalf("%+v %v", r, err)
	}
	r, err = f.ResolveFunc(FuncCall{Name: "format", Args: []OID{datum.OIDUnknown, datum.OIDInt4, datum.OIDUnknown}})
	if err != nil || r.VariadicFrom != -1 {
		t.Fatalf("%+v %v", r, err)
	}
}
