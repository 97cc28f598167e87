package ddl

import (
	"context"
	"reflect"
	"slices"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

func (e *Env) rename(ctx context.Context, s *parser.RenameStmt) (Result, error) {
	res := Result{Tag: "ALTER " + s.Object.String()}
	switch s.Object {
	case parser.ObjectColumn, parser.ObjectCompositeAttribute:
		res.Tag = "ALTER " + s.OfObject.String()
		return res, e.renameColumn(ctx, s)
	case parser.ObjectTableConstraint:
		res.Tag = "ALTER TABLE"
		return res, e.renameConstraint(ctx, s)
	case parser.ObjectTable, parser.ObjectView, parser.ObjectSequence, parser.ObjectIndex, parser.ObjectMatView:
		return res, e.renameRelation(ctx, s)
	case parser.ObjectSchema, parser.ObjectRole, parser.ObjectDatabase:
		return res, e.renameGlobal(ctx, s)
	case parser.ObjectTypeName, parser.ObjectDomain:
		if row, err := e.rowType(s.Object, s.Target); err != nil {
			return res, err
		} else if row != nil {
			n := parser.RelationName{Schema: e.snap().SchemaName(row.Schema), Name: row.Name}
			return res, e.renameRelation(ctx, &parser.RenameStmt{Object: s.Object, Relation: &parser.RangeVar{Relation: n}, NewName: s.NewName})
		}
		return res, e.renameType(ctx, s)
	case parser.ObjectFunction, parser.ObjectProcedure, parser.ObjectRoutine:
		return res, e.renameFunction(ctx, s)
	default:
		return res, failure.NotSupported("ALTER %s RENAME is", s.Object)
	}
}

func (e *Env) renameRelation(ctx context.Context, s *parser.RenameStmt) error {
	r, err := e.relation(&s.Relation.Relation, s.IfExists)
	if err != nil || !r.Found() {
		return err
	}
	want := map[parser.ObjectType]catalog.RelKind{parser.ObjectView: catalog.RelView, parser.ObjectSequence: catalog.RelSequence,
		parser.ObjectMatView: catalog.RelMatView}
	if k, ok := want[s.Object]; ok && k != r.Kind() {
		return failure.New(failure.WrongObjectType, "\"%s\" is not a %s", r.Name(), lower(s.Object))
	}
	if err := e.own(r); err != nil {
		return err
	}
	d := e.snap().SchemaByOID(r.Table.Schema)
	if err := e.snap().CheckSchema(e.User, d, catalog.PrivCreate); err != nil {
		return err
	}
	if e.snap().Relation(d.OID, s.NewName).Found() {
		return failure.New(failure.DuplicateTable, "relation \"%s\" already exists", s.NewName)
	}
	t := r.Table.Clone()
	if r.Index != nil {
		t.IndexByOID(r.Index.OID).Name = s.NewName
		return e.put(ctx, t)
	}
	t.Name = s.NewName
	if err := e.put(ctx, t); err != nil {
		return err
	}
	return e.renameInViews(ctx, r.Table, d.Name, s.NewName)
}

// renameInViews rewrites the queries of views that name a relation which has a new name or schema.
func (e *Env) renameInViews(ctx context.Context, old *catalog.Table, schema, name string) error {
	oldSchema := e.snap().SchemaName(old.Schema)
	for v := range e.snap().Tables() {
		if v.View == nil || !slices.Contains(v.View.DependsOn, old.OID) {
			continue
		}
		q, err := parseQuery(v.View.Query)
		if err != nil {
			return err
		}
		renameInQuery(q, oldSchema, old.Name, schema, name)
		c := v.Clone()
		c.View.Query = parser.Format(q)
		if err := e.put(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// renameInQuery gives a relation another name in a canonical query. Columns that are qualified by its old name follow,
// unless something else goes by that name too: then the relation gets the old name as its alias.
func renameInQuery(q *parser.SelectStmt, oldSchema, oldName, schema, name string) {
	clash := false
	eachNode(reflect.ValueOf(q), func(n any) {
		switch n := n.(type) {
		case *parser.Alias:
			clash = clash || n.Name == oldName || n.Name == name
		case *parser.RangeVar:
			clash = clash || n.Alias == nil && (n.Relation.Name == name || n.Relation.Name == oldName && n.Relation.Schema != oldSchema)
		}
	})
	bare := false
	eachNode(reflect.ValueOf(q), func(n any) {
		rv, ok := n.(*parser.RangeVar)
		if !ok || rv.Relation.Schema != oldSchema || rv.Relation.Name != oldName {
			return
		}
		rv.Relation.Schema, rv.Relation.Name = schema, name
		if rv.Alias == nil && name != oldName {
			if clash {
				rv.Alias = &parser.Alias{Pos: parser.NoPos, Name: oldName}
			} else {
				bare = true
			}
		}
	})
	if !bare {
		return
	}
	eachNode(reflect.ValueOf(q), func(n any) {
		if ref, ok := n.(*parser.ColumnRef); ok {
			if i := len(ref.Parts) - 2; ref.Star {
				if i+1 >= 0 && ref.Parts[i+1] == oldName {
					ref.Parts[i+1] = name
				}
			} else if i >= 0 && ref.Parts[i] == oldName {
				ref.Parts[i] = name
			}
		}
	})
}

func parseQuery(sql string) (*parser.SelectStmt, error) {
	raw, err := parser.ParseOne(sql)
	if err != nil {
		return nil, err
	}
	q, ok := raw.Stmt.(*parser.SelectStmt)
	if !ok {
		return nil, failure.New(failure.InternalError, "the query of a view is not a SELECT")
	}
	return q, nil
}

// eachNode calls f for every pointer to a node below v, parents first.
func eachNode(v reflect.Value, f func(any)) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			eachNode(v.Elem(), f)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			f(v.Interface())
			eachNode(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachNode(v.Field(i), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachNode(v.Index(i), f)
		}
	}
}

func (e *Env) renameColumn(ctx context.Context, s *parser.RenameStmt) error {
	r, err := e.relation(&s.Relation.Relation, s.IfExists)
	if err != nil || !r.Found() {
		return err
	}
	if err := e.own(r); err != nil {
		return err
	}
	if r.Index != nil || r.Table.Kind == catalog.RelSequence {
		return failure.New(failure.WrongObjectType, "cannot rename columns of relation \"%s\"", r.Name()).
			WithDetail("This operation is not supported for %s.", pluralWord(r.Kind()))
	}
	t := r.Table.Clone()
	c, _ := t.ColumnByName(s.SubName)
	if c == nil {
		if slices.Contains(systemColumns[:], s.SubName) {
			return failure.New(failure.FeatureNotSupported, "cannot rename system column \"%s\"", s.SubName)
		}
		return failure.New(failure.UndefinedColumn, "column \"%s\" does not exist", s.SubName)
	}
	if slices.Contains(systemColumns[:], s.NewName) {
		return failure.New(failure.DuplicateColumn, "column name \"%s\" conflicts with a system column name", s.NewName)
	}
	if o, _ := t.ColumnByName(s.NewName); o != nil {
		return failure.New(failure.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists", s.NewName, t.Name)
	}
	c.Name = s.NewName
	if err := renameInTable(t, c.ID, s.SubName, s.NewName); err != nil {
		return err
	}
	if err := e.put(ctx, t); err != nil {
		return err
	}
	return e.renameColumnInViews(ctx, r.Table, c.ID, s.SubName, s.NewName)
}

// renameInTable rewrites the expressions of a table that mention a column.
func renameInTable(t *catalog.Table, id uint32, from, to string) error {
	var failed error
	fix := func(text *string, refs []uint32) {
		if failed != nil || !slices.Contains(refs, id) {
			return
		}
		x, err := parser.ParseExpr(*text)
		if err != nil {
			failed = err
			return
		}
		eachNode(reflect.ValueOf(&x), func(n any) {
			if ref, ok := n.(*parser.ColumnRef); ok && len(ref.Parts) > 0 && ref.Parts[len(ref.Parts)-1] == from {
				ref.Parts[len(ref.Parts)-1] = to
			}
		})
		*text = parser.Format(x)
	}
	for _, c := range t.Columns {
		fix(&c.Default, c.Refs)
	}
	for _, c := range t.Checks {
		fix(&c.Expr, c.Columns)
	}
	for _, x := range t.Indexes {
		fix(&x.Predicate, x.PredicateRefs)
		for i := range x.Key {
			fix(&x.Key[i].Expr, x.Key[i].Refs)
		}
	}
	return failed
}

// renameColumnInViews rewrites the queries of views that use a column.
func (e *Env) renameColumnInViews(ctx context.Context, t *catalog.Table, id uint32, from, to string) error {
	for v := range e.snap().Tables() {
		if v.View == nil || !slices.ContainsFunc(v.View.DependsOnColumns, func(u catalog.ColumnUse) bool {
			return u.Table == t.OID && slices.Contains(u.Columns, id)
		}) {
			continue
		}
		q, err := parseQuery(v.View.Query)
		if err != nil {
			return err
		}
		rn := &columnRenamer{schema: e.snap().SchemaName(t.Schema), table: t.Name, from: from, to: to, snap: e.snap()}
		rn.query(q)
		c := v.Clone()
		c.View.Query = parser.Format(q)
		if err := e.put(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// columnRenamer renames a table's column in a canonical query. scopes are the qualifiers under which the table is
// reachable, innermost query last.
type columnRenamer struct {
	schema, table, from, to string
	snap                    *catalog.Snapshot
	scopes                  []scope
}

type scope struct {
	aliases []string
	// other says that another item of FROM has a column named from.
	other bool
}

func (r *columnRenamer) query(q *parser.SelectStmt) {
	if q == nil {
		return
	}
	sc := scope{}
	for _, f := range q.From {
		r.from1(f, &sc)
	}
	r.scopes = append(r.scopes, sc)
	for _, t := range q.Targets {
		if ref, ok := t.Value.(*parser.ColumnRef); ok && t.Name == "" && r.means(ref) {
			t.Name = r.from
		}
	}
	v := reflect.ValueOf(q).Elem()
	for i := range v.NumField() {
		r.walk(v.Field(i))
	}
	r.scopes = r.scopes[:len(r.scopes)-1]
}

func (r *columnRenamer) from1(x parser.TableExpr, sc *scope) {
	switch x := x.(type) {
	case *parser.RangeVar:
		if x.Relation.Schema == r.schema && x.Relation.Name == r.table {
			name := x.Relation.Name
			if x.Alias != nil {
				name = x.Alias.Name
			}
			sc.aliases = append(sc.aliases, name)
			return
		}
		if d := r.snap.Schema(x.Relation.Schema); d != nil {
			if rel := r.snap.Relation(d.OID, x.Relation.Name); rel.Found() {
				c, _ := rel.Table.ColumnByName(r.from)
				sc.other = sc.other || c != nil
			}
		}
	case *parser.JoinExpr:
		r.from1(x.Left, sc)
		r.from1(x.Right, sc)
	}
}

// means says whether a reference is to the column.
func (r *columnRenamer) means(ref *parser.ColumnRef) bool {
	if len(ref.Parts) == 0 || ref.Star || ref.Parts[len(ref.Parts)-1] != r.from {
		return false
	}
	for i := len(r.scopes) - 1; i >= 0; i-- {
		sc := r.scopes[i]
		if len(ref.Parts) > 1 {
			if slices.Contains(sc.aliases, ref.Parts[len(ref.Parts)-2]) {
				return true
			}
			continue
		}
		if sc.other {
			return false
		}
		if len(sc.aliases) > 0 {
			return true
		}
	}
	return false
}

func (r *columnRenamer) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			r.walk(v.Elem())
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		switch n := v.Interface().(type) {
		case *parser.SelectStmt:
			r.query(n)
			return
		case *parser.ColumnRef:
			if r.means(n) {
				n.Parts[len(n.Parts)-1] = r.to
			}
			return
		}
		r.walk(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			r.walk(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.walk(v.Index(i))
		}
	}
}

func (e *Env) renameConstraint(ctx context.Context, s *parser.RenameStmt) error {
	r, err := e.relation(&s.Relation.Relation, s.IfExists)
	if err != nil || !r.Found() {
		return err
	}
	if err := e.own(r); err != nil {
		return err
	}
	t := r.Table.Clone()
	oid := constraintOID(t, s.SubName)
	if oid == 0 {
		return failure.New(failure.UndefinedObject, "constraint \"%s\" for table \"%s\" does not exist", s.SubName, t.Name)
	}
	if t.HasConstraint(s.NewName) {
		return failure.New(failure.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", s.NewName, t.Name)
	}
	for _, c := range t.Checks {
		if c.OID == oid {
			c.Name = s.NewName
		}
	}
	for _, f := range t.ForeignKeys {
		if f.OID == oid {
			f.Name = s.NewName
		}
	}
	for _, x := range t.Indexes {
		if x.Constraint == oid {
			x.Name = s.NewName
		}
	}
	return e.put(ctx, t)
}

func (e *Env) renameGlobal(ctx context.Context, s *parser.RenameStmt) error {
	snap := e.snap()
	name := s.SubName
	if s.Target != nil && len(s.Target.Names) > 0 {
		name = s.Target.Names[0]
	}
	switch s.Object {
	case parser.ObjectSchema:
		d, err := snap.NeedSchema(name)
		if err != nil {
			return err
		}
		if !snap.Member(e.User, d.Owner) || isSystemSchema(d.OID) {
			return catalog.NotOwner("schema", name)
		}
		if snap.Schema(s.NewName) != nil {
			return failure.New(failure.DuplicateSchema, "schema \"%s\" already exists", s.NewName)
		}
		return e.renameSchema(ctx, d, s.NewName)
	case parser.ObjectRole:
		r, err := snap.NeedRole(name)
		if err != nil {
			return err
		}
		if r.OID == e.SessionUser {
			return failure.New(failure.FeatureNotSupported, "session user cannot be renamed")
		}
		if me := snap.RoleByOID(e.User); !me.Superuser && (!me.CreateRole || r.Superuser) {
			return failure.New(failure.InsufficientPrivilege, "permission denied to rename role")
		}
		if err := roleName(s.NewName); err != nil {
			return err
		}
		if snap.Role(s.NewName) != nil {
			return failure.New(failure.DuplicateObject, "role \"%s\" already exists", s.NewName)
		}
		c := r.Clone()
		c.Name = s.NewName
		return e.put(ctx, c)
	default:
		return failure.NotSupported("renaming the database is")
	}
}

// renameSchema renames a schema and mends the queries that name it.
func (e *Env) renameSchema(ctx context.Context, d *catalog.Schema, name string) error {
	c := d.Clone()
	c.Name = name
	if err := e.put(ctx, c); err != nil {
		return err
	}
	for v := range e.snap().Tables() {
		if v.View == nil || v.View.System {
			continue
		}
		q, err := parseQuery(v.View.Query)
		if err != nil {
			return err
		}
		changed := false
		fix := func(s *string) {
			if *s == d.Name {
				*s, changed = name, true
			}
		}
		eachNode(reflect.ValueOf(q), func(n any) {
			switch n := n.(type) {
			case *parser.RangeVar:
				fix(&n.Relation.Schema)
			case *parser.TypeName:
				if len(n.Names) > 1 {
					fix(&n.Names[0])
				}
			case *parser.FuncCall:
				if len(n.Name) > 1 {
					fix(&n.Name[0])
				}
			}
		})
		if !changed {
			continue
		}
		v = v.Clone()
		v.View.Query = parser.Format(q)
		if err := e.put(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) renameType(ctx context.Context, s *parser.RenameStmt) error {
	t, err := e.ownType(objectNames(s.Target))
	if err != nil {
		return err
	}
	if ty, row := e.snap().TypeHolder(t.Schema, s.NewName); ty != nil || row != nil {
		return failure.New(failure.DuplicateObject, "type \"%s\" already exists", s.NewName)
	}
	for tab := range e.snap().Tables() {
		if tab.View != nil && slices.Contains(tab.View.DependsOn, t.OID) {
			return failure.NotSupported("renaming a type that a view uses is")
		}
		for _, c := range tab.Columns {
			if slices.Contains(c.DependsOn, t.OID) {
				return failure.NotSupported("renaming a type that a default uses is")
			}
		}
	}
	t.Name = s.NewName
	return e.put(ctx, t)
}
