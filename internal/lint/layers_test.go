package lint

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

const module = "github.com/meridiandb/meridian"

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

type goPackage struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []goPackage
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

type layers struct {
	groups map[string][]string
	allow  map[string]map[string]bool
	homes  map[string]string // outside module prefix: the package that may use it
	any    map[string]bool   // packages that may import everything
}

// readLayers reads layers.txt: "name = a b c" defines a group, "pkg: a b G" what a package may import, "pkg: *" all,
// "home module: pkg pkg" where an outside library lives.
func readLayers(t *testing.T) layers {
	t.Helper()
	f, err := os.Open(filepath.Join(root(t), "layers.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := layers{groups: map[string][]string{}, allow: map[string]map[string]bool{}, homes: map[string]string{}, any: map[string]bool{}}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		line, _, _ := strings.Cut(sc.Text(), "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if name, members, ok := strings.Cut(line, "="); ok {
			l.groups[strings.TrimSpace(name)] = strings.Fields(members)
			continue
		}
		name, deps, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("layers.txt: cannot read %q", line)
		}
		if lib, isHome := strings.CutPrefix(name, "home "); isHome {
			l.homes[strings.TrimSpace(lib)] = deps
			continue
		}
		if strings.TrimSpace(deps) == "*" {
			l.any[name] = true
			continue
		}
		l.allow[name] = map[string]bool{}
		for _, d := range strings.Fields(deps) {
			if g, isGroup := l.groups[d]; isGroup {
				for _, m := range g {
					l.allow[name][m] = true
				}
				continue
			}
			l.allow[name][d] = true
		}
	}
	return l
}

func short(path string) (string, bool) {
	if s, ok := strings.CutPrefix(path, module+"/internal/"); ok {
		return s, true
	}
	if s, ok := strings.CutPrefix(path, module+"/"); ok {
		return s, true
	}
	return path, false
}

// allowed says whether the layer map lets from import to; a trailing "/..." covers a subtree.
func (l layers) allowed(from, to string) bool {
	if l.any[from] {
		return true
	}
	if l.allow[from][to] {
		return true
	}
	for p := range l.allow[from] {
		if tree, ok := strings.CutSuffix(p, "/..."); ok && (to == tree || strings.HasPrefix(to, tree+"/")) {
			return true
		}
	}
	return false
}

func TestLayers(t *testing.T) {
	l := readLayers(t)
	for _, p := range packages(t) {
		from, _ := short(p.ImportPath)
		if _, known := l.allow[from]; !known && !l.any[from] {
			t.Errorf("package %s is not in layers.txt", from)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := short(imp)
			if ours && !l.allowed(from, to) {
				t.Errorf("%s imports %s, which layers.txt does not allow", from, to)
			}
		}
	}
}

// TestHomes keeps each outside library in its one home.
func TestHomes(t *testing.T) {
	l := readLayers(t)
	for _, p := range packages(t) {
		from, _ := short(p.ImportPath)
		for _, imp := range p.Imports {
			for lib, homes := range l.homes {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !contains(strings.Fields(homes), from) {
					t.Errorf("%s imports %s, whose home is%s", from, imp, homes)
				}
			}
		}
	}
}

func contains(list []string, s string) bool {
	i := sort.SearchStrings(list, s)
	if i < len(list) && list[i] == s {
		return true
	}
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
