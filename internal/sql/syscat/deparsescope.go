package syscat

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// field is a column that a query can name. A type of 0 is not known.
type field struct {
	name string
	typ  datum.Type
}

// scopeItem is an item of FROM: the name it is printed under and its columns, under the names that the query knows them by.
type scopeItem struct {
	// written is the name in the stored text, shown the one printed: they differ where an enclosing query has the name.
	written, shown string
	fields         []field
	row            datum.OID
	// fieldOf finds a column of a join with an alias in the item it comes from.
	renamed bool
}

func (it *scopeItem) find(name string) *field {
	for i := range it.fields {
		if it.fields[i].name == name {
			return &it.fields[i]
		}
	}
	return nil
}

// scope is what names in one query stand for.
type scope struct {
	up    *scope
	items []*scopeItem
	of    map[parser.TableExpr]*scopeItem
	// merged are the columns of USING.
	merged map[string]mergedColumn
	ctes   map[string][]field
}

// mergedColumn is a column of USING: the item that it comes from. Where both sides count it is printed bare.
type mergedColumn struct {
	*scopeItem
	bare bool
}

// lookup finds what a column's name, with or without a relation's, stands for.
func (s *scope) lookup(qualifier, name string) (*scopeItem, *field) {
	for ; s != nil; s = s.up {
		if qualifier == "" {
			if it, ok := s.merged[name]; ok {
				if it.bare {
					return nil, it.find(name)
				}
				return it.scopeItem, it.find(name)
			}
		}
		for _, it := range s.items {
			if qualifier != "" && it.written != qualifier {
				continue
			}
			if f := it.find(name); f != nil {
				return it, f
			}
		}
	}
	return nil, nil
}

// item finds a relation of the query or of those around it by name.
func (s *scope) item(name string) *scopeItem {
	for ; s != nil; s = s.up {
		for _, it := range s.items {
			if it.written == name {
				return it
			}
		}
	}
	return nil
}

func (s *scope) cte(name string) ([]field, bool) {
	for ; s != nil; s = s.up {
		if f, ok := s.ctes[name]; ok {
			return f, true
		}
	}
	return nil, false
}

// unique is a name that no relation here or around has yet.
func (s *scope) unique(name string) string {
	taken := func(n string) bool {
		for t := s; t != nil; t = t.up {
			if slices.ContainsFunc(t.items, func(it *scopeItem) bool { return it.shown == n }) {
				return true
			}
		}
		return false
	}
	out := name
	for i := 1; taken(out); i++ {
		out = name + "_" + itoa(i)
	}
	return out
}

// scopeOf makes the scope of a query inside another one.
func (d *deparser) scopeOf(q *parser.SelectStmt, up *scope) *scope {
	s := &scope{up: up, of: map[parser.TableExpr]*scopeItem{}, merged: map[string]mergedColumn{}, ctes: map[string][]field{}}
	if q.With != nil {
		for _, c := range q.With.CTEs {
			sub, ok := c.Query.(*parser.SelectStmt)
			if !ok {
				continue
			}
			if q.With.Recursive && sub.Op != parser.SetOpNone {
				s.ctes[c.Name] = renameFields(d.fieldsOf(sub.Left, s), c.Columns)
			}
			s.ctes[c.Name] = renameFields(d.fieldsOf(sub, s), c.Columns)
		}
	}
	for _, f := range q.From {
		d.addFrom(s, f)
	}
	return s
}

func renameFields(fields []field, names []string) []field {
	out := slices.Clone(fields)
	for i := range out {
		if i < len(names) {
			out[i].name = names[i]
		}
	}
	return out
}

// addFrom adds an item of FROM and returns the items it brought.
func (d *deparser) addFrom(s *scope, x parser.TableExpr) []*scopeItem {
	add := func(name string, alias *parser.Alias, fields []field) []*scopeItem {
		if alias != nil {
			name = alias.Name
			fields = renameFields(fields, alias.Columns)
		}
		it := &scopeItem{written: name, shown: s.unique(name), fields: fields}
		s.items = append(s.items, it)
		s.of[x] = it
		return []*scopeItem{it}
	}
	switch x := x.(type) {
	case *parser.RangeVar:
		if fields, ok := s.cte(x.Relation.Name); ok && x.Relation.Schema == "" {
			return add(x.Relation.Name, x.Alias, fields)
		}
		var fields []field
		var row datum.OID
		if t := d.e.Snapshot.Find(d.e.Path, x.Relation.Schema, x.Relation.Name).Table; t != nil {
			for _, c := range t.VisibleColumns() {
				fields = append(fields, field{c.Name, c.Type})
			}
			row = t.RowType
		}
		its := add(x.Relation.Name, x.Alias, fields)
		its[0].row = row
		its[0].renamed = x.Alias != nil && len(x.Alias.Columns) > 0
		return its
	case *parser.RangeSubselect:
		return add("", x.Alias, d.fieldsOf(x.Query, s))
	case *parser.RangeFunction:
		name, fields := d.functionFields(s, x)
		return add(name, x.Alias, fields)
	case *parser.JoinExpr:
		return d.addJoin(s, x)
	}
	return nil
}

func (d *deparser) addJoin(s *scope, x *parser.JoinExpr) []*scopeItem {
	left := d.addFrom(s, x.Left)
	right := d.addFrom(s, x.Right)
	find := func(its []*scopeItem, name string) *scopeItem {
		if it, ok := s.merged[name]; ok && slices.Contains(its, it.scopeItem) {
			return it.scopeItem
		}
		for _, it := range its {
			if it.find(name) != nil {
				return it
			}
		}
		return nil
	}
	using := x.Using
	if x.Natural {
		for _, it := range left {
			for _, f := range it.fields {
				if find(right, f.name) != nil && !slices.Contains(using, f.name) {
					using = append(using, f.name)
				}
			}
		}
	}
	for _, u := range using {
		l, r := find(left, u), find(right, u)
		if l == nil || r == nil {
			continue
		}
		bare := x.Kind == parser.JoinFull || s.merged[u].bare || l.find(u).typ.OID != r.find(u).typ.OID
		if x.Kind == parser.JoinRight {
			l = r
		}
		s.merged[u] = mergedColumn{l, bare}
	}
	all := append(slices.Clone(left), right...)
	if x.Alias == nil {
		return all
	}
	it := &scopeItem{written: x.Alias.Name, shown: s.unique(x.Alias.Name)}
	for _, in := range all {
		it.fields = append(it.fields, in.fields...)
		in.written = "" // the alias hides what is joined
	}
	it.fields = renameFields(it.fields, x.Alias.Columns)
	s.items = append([]*scopeItem{it}, s.items...)
	s.of[x] = it
	return []*scopeItem{it}
}

// functionFields are the name and the columns of a function in FROM.
func (d *deparser) functionFields(s *scope, x *parser.RangeFunction) (string, []field) {
	var fields []field
	name := ""
	for _, f := range x.Funcs {
		fn := parser.ColumnName(f.Func)
		if name == "" {
			name = fn
		}
		defs := f.ColDefs
		if defs == nil {
			defs = x.ColDefs
		}
		switch {
		case defs != nil:
			for _, c := range defs {
				fields = append(fields, field{c.Name, datum.T(d.castType(c.Type))})
			}
		default:
			fields = append(fields, d.resultFields(s, f.Func, fn, x)...)
		}
	}
	if x.Ordinality {
		fields = append(fields, field{"ordinality", datum.T(datum.OIDInt8)})
	}
	return name, fields
}

func (d *deparser) resultFields(s *scope, x parser.Expr, name string, in *parser.RangeFunction) []field {
	sub := d.within(s)
	if call, ok := x.(*parser.FuncCall); ok {
		if r := sub.function(call); r != nil && r.Func != nil {
			if names, types := r.Func.OutParams(); len(names) > 1 {
				out := make([]field, len(names))
				for i, n := range names {
					out[i] = field{n, datum.T(types[i])}
				}
				return out
			} else if len(names) == 1 && names[0] != "" {
				return []field{{names[0], datum.T(sub.typeOf(x))}}
			}
		}
	}
	typ := sub.typeOf(x)
	if t := d.e.Snapshot.TableOfRowType(typ); t != nil {
		var out []field
		for _, c := range t.VisibleColumns() {
			out = append(out, field{c.Name, c.Type})
		}
		return out
	}
	if in.Alias != nil && len(in.Funcs) == 1 {
		name = in.Alias.Name
	}
	return []field{{name, datum.T(typ)}}
}

// fieldsOf are the output columns of a query.
func (d *deparser) fieldsOf(q *parser.SelectStmt, up *scope) []field {
	s := d.scopeOf(q, up)
	if q.Op != parser.SetOpNone {
		left, right := d.fieldsOf(q.Left, s), d.fieldsOf(q.Right, s)
		for i := range left {
			if i < len(right) && left[i].typ.OID != right[i].typ.OID {
				left[i].typ = datum.T(d.commonType([]catalog.OID{left[i].typ.OID, right[i].typ.OID}))
			}
		}
		return left
	}
	sub := d.within(s)
	var out []field
	if q.Values != nil {
		for i := range q.Values[0] {
			var types []catalog.OID
			for _, row := range q.Values {
				types = append(types, sub.typeOf(row[i]))
			}
			out = append(out, field{"column" + itoa(i+1), datum.T(d.commonType(types))})
		}
		return out
	}
	for _, t := range q.Targets {
		if ref, ok := t.Value.(*parser.ColumnRef); ok && ref.Star {
			out = append(out, s.star(ref)...)
			continue
		}
		name := t.Name
		if name == "" {
			name = parser.ColumnName(t.Value)
		}
		typ := sub.typeOf(t.Value)
		if typ == datum.OIDUnknown {
			typ = datum.OIDText
		}
		out = append(out, field{name, datum.T(typ)})
	}
	return out
}

// star are the columns that * or relation.* stands for.
func (s *scope) star(ref *parser.ColumnRef) []field {
	if len(ref.Parts) > 0 {
		if it := s.item(ref.Parts[len(ref.Parts)-1]); it != nil {
			return it.fields
		}
		return nil
	}
	var out []field
	for name := range s.merged {
		_, f := s.lookup("", name)
		if f != nil {
			out = append(out, *f)
		}
	}
	for _, it := range s.items {
		for _, f := range it.fields {
			if _, merged := s.merged[f.name]; !merged && it.written != "" {
				out = append(out, f)
			}
		}
	}
	return out
}

func (d *deparser) commonType(types []catalog.OID) catalog.OID {
	if slices.Contains(types, 0) {
		return 0
	}
	t, _, err := d.e.Facts.SelectCommonType("UNION", types)
	if err != nil {
		return 0
	}
	if t == datum.OIDUnknown {
		return datum.OIDText
	}
	return t
}

// within is a deparser that only knows types, for expressions of a scope.
func (d *deparser) within(s *scope) *deparser {
	return &deparser{e: d.e, scope: s, pretty: d.pretty}
}
