package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Ceilings. A waiver names the file or function, a date and a reason.
const (
	maxFileLines     = 1000
	maxFunctionLines = 120
)

type source struct {
	path string // from the root
	file *ast.File
	fset *token.FileSet
	test bool
	gen  bool
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	top := root(t)
	err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != top || d.Name() == "testdata" || d.Name() == "tools" || d.Name() == "meridian-data") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(top, path)
		out = append(out, source{rel, f, fset, strings.HasSuffix(path, "_test.go"), ast.IsGenerated(f)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPackageComments(t *testing.T) {
	comments := map[string]int{}
	for _, s := range sources(t) {
		dir := filepath.Dir(s.path)
		if s.test {
			continue
		}
		if _, ok := comments[dir]; !ok {
			comments[dir] = 0
		}
		if s.file.Doc != nil {
			comments[dir]++
		}
	}
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments, want exactly one", dir, n)
		}
	}
}

func TestFileCeiling(t *testing.T) {
	for _, s := range sources(t) {
		if n := s.fset.Position(s.file.FileEnd).Line; n > maxFileLines && !s.gen && !waived(s.path) {
			t.Errorf("%s has %d lines, ceiling %d: split it by meaning", s.path, n, maxFileLines)
		}
	}
}

func TestFunctionCeiling(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.gen {
			continue
		}
		for _, d := range s.file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || isTable(fn) {
				continue
			}
			n := s.fset.Position(fn.End()).Line - s.fset.Position(fn.Pos()).Line + 1
			if n > maxFunctionLines && !waived(s.path+":"+fn.Name.Name) {
				t.Errorf("%s: %s has %d lines, ceiling %d", s.path, fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

// isTable says whether a function is one big switch or one literal: a table in the form of code.
func isTable(fn *ast.FuncDecl) bool {
	for _, st := range fn.Body.List {
		var node ast.Node = st
		if r, ok := st.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
			node = r.Results[0]
		}
		share := float64(node.End()-node.Pos()) / float64(fn.Body.End()-fn.Body.Pos())
		switch node.(type) {
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.CompositeLit, *ast.AssignStmt, *ast.CallExpr:
			if share > 0.7 {
				return true
			}
		}
	}
	return false
}

func TestNoInitNoMutableGlobals(t *testing.T) {
	globals := map[string]map[string]bool{}
	files := sources(t)
	for _, s := range files {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "init" && fn.Recv == nil {
				t.Errorf("%s: init functions are not used here", s.path)
			}
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					dir := filepath.Dir(s.path)
					if globals[dir] == nil {
						globals[dir] = map[string]bool{}
					}
					globals[dir][name.Name] = true
				}
			}
		}
	}
	for _, s := range files {
		if s.test {
			continue
		}
		vars := globals[filepath.Dir(s.path)]
		for _, d := range s.file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			local := localNames(fn)
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				a, ok := n.(*ast.AssignStmt)
				if !ok || a.Tok == token.DEFINE {
					return true
				}
				for _, lhs := range a.Lhs {
					if id, ok := lhs.(*ast.Ident); ok && id.Name != "_" && vars[id.Name] && !local[id.Name] {
						t.Errorf("%s: package variable %s is assigned in %s", s.path, id.Name, fn.Name.Name)
					}
				}
				return true
			})
		}
	}
}

// localNames collects every name declared inside a function.
func localNames(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok {
					names[id.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

// banned lists calls that only the shells may make: everything not deterministic comes through host.
var banned = regexp.MustCompile(`^(time\.(Now|Sleep|After|NewTimer|NewTicker|Since|Tick|AfterFunc)|os\.(Open|Create|ReadFile|WriteFile|Getenv|Remove|Exit)|net\.(Dial|Listen)|rand\.(Int|IntN|Float64|Shuffle|Perm|Uint64))$`)

func TestDeterminismSeam(t *testing.T) {
	exempt := regexp.MustCompile(`^(internal/host/oshost|internal/host/simhost|internal/cli|internal/node|cmd|test|internal/lint|internal/auth|tools)(/|$)`)
	for _, s := range sources(t) {
		if s.test || exempt.MatchString(filepath.Dir(s.path)) {
			continue
		}
		for _, call := range bannedCalls(s) {
			if !waived(s.path + ":" + call) {
				t.Errorf("%s calls %s: take it from host", s.path, call)
			}
		}
	}
}

func bannedCalls(s source) []string {
	var out []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if pkg, ok := sel.X.(*ast.Ident); ok && banned.MatchString(pkg.Name+"."+sel.Sel.Name) {
				out = append(out, pkg.Name+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return out
}

func TestNoSleepInTests(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		for _, call := range bannedCalls(s) {
			if call == "time.Sleep" {
				t.Errorf("%s sleeps: wait for a condition instead", s.path)
			}
		}
	}
}

// TestWaiverDates keeps the waiver list honest: every line has a date and a reason.
func TestWaiverDates(t *testing.T) {
	line := regexp.MustCompile(`^\S+ \d{4}-\d{2}-\d{2} \S.+$`)
	for _, l := range waivers(t) {
		if !line.MatchString(l) {
			t.Errorf("waivers.txt: %q is not `what YYYY-MM-DD reason`", l)
		}
	}
}

func waivers(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("waivers.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for l := range strings.SplitSeq(string(b), "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out
}

func waived(what string) bool {
	b, err := os.ReadFile("waivers.txt")
	if err != nil {
		return false
	}
	for l := range strings.SplitSeq(string(b), "\n") {
		if strings.HasPrefix(l, what+" ") {
			return true
		}
	}
	return false
}
