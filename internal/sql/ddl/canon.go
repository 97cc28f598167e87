package ddl

import (
	"reflect"
	"slices"

	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// Canonical rewrites an expression or query, in place, into one that means the same under an empty search path:
// relations, types and functions of users are qualified, regclass constants become numbers and stars are written out.
// node is a *parser.Expr or a pointer to a node. It returns the objects that are mentioned by name. Names that are not found are left alone: binding has complained.
func Canonical(s *catalog.Snapshot, p catalog.Path, facts *builtin.Facts, node any) []catalog.OID {
	c := &canon{s: s, p: p, facts: facts}
	c.walk(reflect.ValueOf(node))
	slices.Sort(c.uses)
	return slices.Compact(c.uses)
}

type canon struct {
	s     *catalog.Snapshot
	p     catalog.Path
	facts *builtin.Facts
	uses  []catalog.OID
	// ctes are the names of WITH queries in scope, innermost last.
	ctes []string
}

func (c *canon) use(oid catalog.OID) {
	if oid >= catalog.FirstUserOID {
		c.uses = append(c.uses, oid)
	}
}

// walk visits every node below v.
func (c *canon) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			c.walk(v.Elem())
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		n := len(c.ctes)
		c.enter(v.Interface())
		c.walk(v.Elem())
		c.ctes = c.ctes[:n]
	case reflect.Struct:
		for i := range v.NumField() {
			c.walk(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.walk(v.Index(i))
		}
	}
}

// enter rewrites one node before its children are visited.
func (c *canon) enter(n any) {
	switch n := n.(type) {
	case *parser.SelectStmt:
		if n.With != nil {
			for _, q := range n.With.CTEs {
				c.ctes = append(c.ctes, q.Name)
			}
		}
		c.expandStars(n)
	case *parser.RangeVar:
		c.relation(&n.Relation)
	case *parser.TypeName:
		c.typeName(n)
	case *parser.FuncCall:
		c.function(n)
	case *parser.TypeCast:
		if isRegclass(n.Type) {
			c.regclass(n.Arg)
		}
	}
}

func (c *canon) relation(r *parser.RelationName) {
	if r.Schema == "" && slices.Contains(c.ctes, r.Name) {
		return
	}
	rel := c.s.Find(c.p, r.Schema, r.Name)
	if rel.Found() {
		r.Catalog, r.Schema = "", c.s.SchemaName(rel.Table.Schema)
		c.use(rel.Table.OID)
	}
}

func (c *canon) typeName(t *parser.TypeName) {
	if t.PctType || len(t.Names) == 0 {
		return
	}
	schema, name := splitName(t.Names)
	if schema == "" && c.facts.TypeByName(name) != nil && c.facts.TypeByName(name).OID < catalog.FirstUserOID {
		return
	}
	ty, row := c.s.FindType(c.p, schema, name)
	switch {
	case ty != nil:
		t.Names = []string{c.s.SchemaName(ty.Schema), ty.Name}
		c.use(ty.OID)
	case row != nil:
		t.Names = []string{c.s.SchemaName(row.Schema), row.Name}
		c.use(row.OID)
	}
}

// sequenceFunctions take a regclass as their first argument; a bare string there is one.
var sequenceFunctions = [...]string{"nextval", "currval", "setval"}

func (c *canon) function(f *parser.FuncCall) {
	schema, name := splitName(f.Name)
	if slices.Contains(sequenceFunctions[:], name) && len(f.Args) > 0 {
		if k, ok := f.Args[0].(*parser.Const); ok && k.Kind == parser.ConstString {
			f.Args[0] = &parser.TypeCast{Pos: parser.NoPos, Arg: k, Type: &parser.TypeName{Pos: parser.NoPos, Names: []string{"regclass"}}}
		}
	}
	if schema == "" && len(c.facts.FuncsByName("pg_catalog", name)) > 0 {
		return
	}
	for _, fn := range c.s.FindFunctions(c.p, schema, name) {
		f.Name = []string{c.s.SchemaName(fn.Schema), fn.Name}
		c.use(fn.OID)
		return
	}
}

func isRegclass(t *parser.TypeName) bool {
	return t != nil && len(t.Names) > 0 && t.Names[len(t.Names)-1] == "regclass" && len(t.ArrayBounds) == 0
}

// regclass turns the text of a relation's name into its number.
func (c *canon) regclass(arg parser.Expr) {
	k, ok := arg.(*parser.Const)
	if !ok || k.Kind != parser.ConstString {
		return
	}
	parts, ok := SplitIdentifiers(k.Str)
	if !ok || len(parts) > 2 {
		return
	}
	schema, name := splitName(parts)
	if rel := c.s.Find(c.p, schema, name); rel.Found() && rel.OID() >= catalog.FirstUserOID {
		k.Str = oidText(rel.OID())
		c.use(rel.OID())
		return
	}
	if oid, ok := parseOID(k.Str); ok && c.s.RelationByOID(oid).Found() {
		c.use(oid)
	}
}

func parseOID(s string) (catalog.OID, bool) {
	n := uint64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || i > 9 {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return catalog.OID(n), s != "" && n <= 1<<32-1
}

// SplitIdentifiers reads a possibly qualified and quoted name, as in 'a."B"'::regclass.
func SplitIdentifiers(s string) ([]string, bool) {
	var out []string
	for {
		id, rest, ok := identifier(trimSpace(s))
		if !ok {
			return nil, false
		}
		out = append(out, id)
		rest = trimSpace(rest)
		if rest == "" {
			return out, true
		}
		if rest[0] != '.' {
			return nil, false
		}
		s = rest[1:]
	}
}

// identifier takes one identifier off s.
func identifier(s string) (id, rest string, ok bool) {
	if s == "" {
		return "", "", false
	}
	if s[0] == '"' {
		var b []byte
		for i := 1; i < len(s); i++ {
			if s[i] != '"' {
				b = append(b, s[i])
				continue
			}
			if i+1 < len(s) && s[i+1] == '"' {
				b = append(b, '"')
				i++
				continue
			}
			return string(b), s[i+1:], len(b) > 0
		}
		return "", "", false
	}
	i := 0
	b := []byte(s)
	for i < len(s) && (s[i] == '_' || s[i] == '$' && i > 0 || s[i] >= 0x80 || isLetter(s[i]) || i > 0 && s[i] >= '0' && s[i] <= '9') {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b[i] += 'a' - 'A'
		}
		i++
	}
	return string(b[:i]), s[i:], i > 0
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t' || s[0] == '\n') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t' || s[len(s)-1] == '\n') {
		s = s[:len(s)-1]
	}
	return s
}

// expandStars writes out the stars of one SELECT as far as the columns of its FROM items are known.
func (c *canon) expandStars(q *parser.SelectStmt) {
	var out []*parser.ResTarget
	changed := false
	for _, t := range q.Targets {
		ref, ok := t.Value.(*parser.ColumnRef)
		if !ok || !ref.Star {
			out = append(out, t)
			continue
		}
		cols, known := c.starColumns(q.From, ref)
		if !known {
			return
		}
		changed = true
		for _, col := range cols {
			out = append(out, &parser.ResTarget{Pos: parser.NoPos, Value: &parser.ColumnRef{Pos: parser.NoPos, Parts: col}})
		}
	}
	if changed {
		q.Targets = out
	}
}

// fromColumns are the columns of a FROM item: the qualifier under which each is reached, and its name.
type fromColumn struct {
	qualifier string
	name      string
	merged    bool // of USING: reached without a qualifier
}

func (c *canon) starColumns(from []parser.TableExpr, ref *parser.ColumnRef) ([][]string, bool) {
	var out [][]string
	for _, f := range from {
		cols, ok := c.columnsOf(f)
		if !ok {
			return nil, false
		}
		for _, col := range cols {
			if len(ref.Parts) > 0 {
				if col.qualifier == ref.Parts[len(ref.Parts)-1] {
					out = append(out, []string{col.qualifier, col.name})
				}
				continue
			}
			if col.merged || col.qualifier == "" {
				out = append(out, []string{col.name})
			} else {
				out = append(out, []string{col.qualifier, col.name})
			}
		}
	}
	return out, len(out) > 0
}

func (c *canon) columnsOf(x parser.TableExpr) ([]fromColumn, bool) {
	switch x := x.(type) {
	case *parser.RangeVar:
		if x.Relation.Schema == "" && slices.Contains(c.ctes, x.Relation.Name) {
			return nil, false
		}
		rel := c.s.Find(c.p, x.Relation.Schema, x.Relation.Name)
		if !rel.Found() || rel.Index != nil {
			return nil, false
		}
		var names []string
		for _, col := range rel.Table.VisibleColumns() {
			names = append(names, col.Name)
		}
		return aliased(names, x.Relation.Name, x.Alias), true
	case *parser.RangeSubselect:
		names, ok := c.outputNames(x.Query)
		return aliased(names, "", x.Alias), ok
	case *parser.JoinExpr:
		if x.Alias != nil || x.Natural || len(x.Using) > 0 && x.UsingAlias != nil {
			return nil, false
		}
		left, ok1 := c.columnsOf(x.Left)
		right, ok2 := c.columnsOf(x.Right)
		if len(x.Using) == 0 {
			return append(left, right...), ok1 && ok2
		}
		var out []fromColumn
		for _, u := range x.Using {
			out = append(out, fromColumn{name: u, merged: true})
		}
		for _, col := range append(left, right...) {
			if !slices.Contains(x.Using, col.name) {
				out = append(out, col)
			}
		}
		return out, ok1 && ok2
	}
	return nil, false
}

func aliased(names []string, qualifier string, a *parser.Alias) []fromColumn {
	out := make([]fromColumn, len(names))
	for i, n := range names {
		if a != nil {
			qualifier = a.Name
			if i < len(a.Columns) {
				n = a.Columns[i]
			}
		}
		out[i] = fromColumn{qualifier: qualifier, name: n}
	}
	return out
}

// outputNames are the column names of a subquery when they are plain to see.
func (c *canon) outputNames(q *parser.SelectStmt) ([]string, bool) {
	for q.Op != parser.SetOpNone {
		q = q.Left
	}
	if q.Values != nil {
		names := make([]string, len(q.Values[0]))
		for i := range names {
			names[i] = "column" + itoa(i+1)
		}
		return names, true
	}
	c.expandStars(q)
	var names []string
	for _, t := range q.Targets {
		n := t.Name
		if n == "" {
			switch v := t.Value.(type) {
			case *parser.ColumnRef:
				if v.Star {
					return nil, false
				}
				n = v.Parts[len(v.Parts)-1]
			case *parser.FuncCall:
				n = v.Name[len(v.Name)-1]
			default:
				return nil, false
			}
		}
		names = append(names, n)
	}
	return names, true
}
