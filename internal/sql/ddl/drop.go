package ddl

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

func (e *Env) drop(ctx context.Context, s *parser.DropStmt) (Result, error) {
	res := Result{Tag: "DROP " + s.Object.String()}
	if s.Object == parser.ObjectIndex && s.Concurrently && e.InBlock {
		return res, failure.New(failure.ActiveSQLTransaction, "DROP INDEX CONCURRENTLY cannot run inside a transaction block")
	}
	var roots []object
	for _, o := range s.Objects {
		root, err := e.dropTarget(s, o)
		if err != nil {
			return res, err
		}
		if root != (object{}) && !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	if len(roots) == 0 {
		return res, nil
	}
	return res, e.dropObjects(ctx, roots, s.Behavior)
}

// dropObjects drops objects and, with CASCADE, what depends on them.
func (e *Env) dropObjects(ctx context.Context, roots []object, behavior parser.DropBehavior) error {
	c := e.collect(roots)
	if err := c.check(behavior); err != nil {
		return err
	}
	return e.remove(ctx, c.list)
}

// dropTarget finds what a DROP names; the zero object is "skipped, with a notice".
func (e *Env) dropTarget(s *parser.DropStmt, o *parser.Object) (object, error) {
	switch s.Object {
	case parser.ObjectTable, parser.ObjectView, parser.ObjectSequence, parser.ObjectIndex, parser.ObjectMatView:
		return e.dropRelation(s, o)
	case parser.ObjectSchema:
		return e.dropSchema(s, o)
	case parser.ObjectTypeName, parser.ObjectDomain:
		return e.dropType(s, o)
	case parser.ObjectFunction, parser.ObjectProcedure, parser.ObjectRoutine:
		return e.dropFunction(s, o)
	default:
		return object{}, failure.NotSupported("DROP %s is", s.Object)
	}
}

// relationObject splits the names of an object into a relation's name.
func relationObject(names []string, pos int) *parser.RelationName {
	n := &parser.RelationName{Pos: pos, Name: names[len(names)-1]}
	if len(names) > 1 {
		n.Schema = names[len(names)-2]
	}
	if len(names) > 2 {
		n.Catalog = names[len(names)-3]
	}
	return n
}

func (e *Env) dropRelation(s *parser.DropStmt, o *parser.Object) (object, error) {
	snap := e.snap()
	n := relationObject(o.Names, o.Pos)
	want := map[parser.ObjectType]catalog.RelKind{parser.ObjectTable: catalog.RelTable, parser.ObjectView: catalog.RelView,
		parser.ObjectSequence: catalog.RelSequence, parser.ObjectIndex: catalog.RelIndex, parser.ObjectMatView: catalog.RelMatView}[s.Object]
	word := strings.ToLower(s.Object.String())
	r := snap.Find(e.Path, n.Schema, n.Name)
	if !r.Found() {
		if n.Schema != "" && n.Schema != "pg_temp" && snap.Schema(n.Schema) == nil {
			if s.IfExists {
				e.notice(failure.SuccessfulCompletion, "schema \"%s\" does not exist, skipping", n.Schema)
				return object{}, nil
			}
			return object{}, failure.New(failure.InvalidSchemaName, "schema \"%s\" does not exist", n.Schema)
		}
		if s.IfExists {
			e.notice(failure.SuccessfulCompletion, "%s \"%s\" does not exist, skipping", word, n.Name)
			return object{}, nil
		}
		code := failure.UndefinedTable
		if want == catalog.RelIndex {
			code = failure.UndefinedObject
		}
		return object{}, failure.New(code, "%s \"%s\" does not exist", word, strings.Join(o.Names, "."))
	}
	if r.Kind() != want {
		article := "a"
		if want == catalog.RelIndex {
			article = "an"
		}
		err := failure.New(failure.WrongObjectType, "\"%s\" is not %s %s", n.Name, article, word)
		have := r.Kind().Word()
		article = "a"
		if have == "index" {
			article = "an"
		}
		return object{}, err.WithHint("Use DROP %s to remove %s %s.", strings.ToUpper(have), article, have)
	}
	if err := e.own(r); err != nil {
		return object{}, err
	}
	if r.Index == nil {
		return object{classRelation, r.Table.OID, 0}, e.identityRequires(r.Table)
	}
	if r.Index.Constraint != 0 {
		c := e.describe(object{classConstraint, r.Index.Constraint, 0})
		return object{}, failure.New(failure.DependentObjectsStillExist, "cannot drop index %s because %s requires it", n.Name, c).
			WithHint("You can drop %s instead.", c)
	}
	return object{classIndex, r.Index.OID, 0}, nil
}

// identityRequires refuses to drop the sequence of an identity column by itself.
func (e *Env) identityRequires(t *catalog.Table) error {
	if t.Sequence == nil || !t.Sequence.Internal {
		return nil
	}
	c := e.describe(object{classColumn, t.Sequence.OwnedByTable, t.Sequence.OwnedByColumn})
	return failure.New(failure.DependentObjectsStillExist, "cannot drop sequence %s because %s requires it",
		e.snap().QualifiedIfHidden(e.Path, catalog.Relation{Table: t}), c).WithHint("You can drop %s instead.", c)
}

func (e *Env) dropSchema(s *parser.DropStmt, o *parser.Object) (object, error) {
	name := o.Names[len(o.Names)-1]
	d := e.snap().Schema(name)
	switch {
	case d == nil && s.IfExists:
		e.notice(failure.SuccessfulCompletion, "schema \"%s\" does not exist, skipping", name)
		return object{}, nil
	case d == nil:
		return object{}, failure.New(failure.InvalidSchemaName, "schema \"%s\" does not exist", name)
	case isSystemSchema(d.OID):
		return object{}, failure.New(failure.DependentObjectsStillExist,
			"cannot drop schema %s because it is required by the database system", name)
	case !e.snap().Member(e.User, d.Owner):
		return object{}, catalog.NotOwner("schema", name)
	}
	return object{classSchema, d.OID, 0}, nil
}

func (e *Env) dropType(s *parser.DropStmt, o *parser.Object) (object, error) {
	names := o.Names
	if o.Type != nil {
		names = o.Type.Names
	}
	schema, name := splitName(names)
	ty, row := e.snap().FindType(e.Path, schema, name)
	word := strings.ToLower(s.Object.String())
	switch {
	case ty == nil && row == nil && s.IfExists:
		e.notice(failure.SuccessfulCompletion, "%s \"%s\" does not exist, skipping", "type", name)
		return object{}, nil
	case row != nil && row.Kind == catalog.RelComposite && s.Object == parser.ObjectTypeName:
		return object{classRelation, row.OID, 0}, e.own(catalog.Relation{Table: row})
	case row != nil && s.Object == parser.ObjectTypeName:
		return object{}, failure.New(failure.DependentObjectsStillExist, "cannot drop type %s because %s %s requires it", name,
			row.Kind.Word(), name).WithHint("You can drop %s %s instead.", row.Kind.Word(), name)
	case ty == nil:
		return object{}, failure.New(failure.UndefinedObject, "type \"%s\" does not exist", strings.Join(names, "."))
	case s.Object == parser.ObjectDomain && ty.Kind != catalog.TypeDomain:
		return object{}, failure.New(failure.WrongObjectType, "\"%s\" is not a %s", name, word)
	case !e.snap().Member(e.User, ty.Owner):
		return object{}, catalog.NotOwner("type", name)
	}
	return object{classType, ty.OID, 0}, nil
}

// splitName splits a qualified name into schema ("" when not written) and name.
func splitName(parts []string) (schema, name string) {
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	return schema, parts[len(parts)-1]
}

func (e *Env) dropFunction(s *parser.DropStmt, o *parser.Object) (object, error) {
	fs, err := e.findFunctions(o)
	if err != nil {
		return object{}, err
	}
	word := strings.ToLower(s.Object.String())
	name := strings.Join(o.Names, ".")
	switch {
	case len(fs) == 0 && s.IfExists:
		e.notice(failure.SuccessfulCompletion, "%s %s() does not exist, skipping", word, name)
		return object{}, nil
	case len(fs) == 0 && !o.HasArgs:
		return object{}, failure.New(failure.UndefinedFunction, "could not find a %s named \"%s\"", word, name)
	case len(fs) == 0:
		return object{}, failure.New(failure.UndefinedFunction, "%s %s does not exist", word, e.signatureText(o))
	case len(fs) > 1:
		return object{}, failure.New(failure.AmbiguousFunction, "%s name \"%s\" is not unique", word, name).
			WithHint("Specify the argument list to select the %s unambiguously.", word)
	case !e.snap().Member(e.User, fs[0].Owner):
		return object{}, catalog.NotOwner(word, name)
	}
	return object{classFunction, fs[0].OID, 0}, nil
}

// signatureText prints a name with argument types as they were written.
func (e *Env) signatureText(o *parser.Object) string {
	var args []string
	for _, a := range o.Args {
		if t, err := e.Engine.ResolveType(e.snap(), e.Path, a.Type); err == nil {
			args = append(args, e.Facts.TypeName(t.OID))
		}
	}
	return strings.Join(o.Names, ".") + "(" + strings.Join(args, ", ") + ")"
}

// findFunctions returns the user-written functions that a name, perhaps with argument types, means.
func (e *Env) findFunctions(o *parser.Object) ([]*catalog.Function, error) {
	schema, name := splitName(o.Names)
	fs := e.snap().FindFunctions(e.Path, schema, name)
	if !o.HasArgs {
		return fs, nil
	}
	var args []catalog.OID
	for _, a := range o.Args {
		if a.Mode == parser.ParamOut || a.Mode == parser.ParamTable {
			continue
		}
		t, err := e.Engine.ResolveType(e.snap(), e.Path, a.Type)
		if err != nil {
			return nil, err
		}
		args = append(args, t.OID)
	}
	return slices.DeleteFunc(slices.Clone(fs), func(f *catalog.Function) bool {
		if len(f.ArgTypes) != len(args) {
			return true
		}
		for i, a := range f.ArgTypes {
			if a.OID != args[i] {
				return true
			}
		}
		return false
	}), nil
}

// remover applies a collected list: whole objects are deleted, tables that lose a part are changed once.
type remover struct {
	*Env
	gone    map[catalog.OID]bool
	changed map[catalog.OID]*catalog.Table
}

// remove deletes everything in the list.
func (e *Env) remove(ctx context.Context, list []collected) error {
	r := &remover{Env: e, gone: map[catalog.OID]bool{}, changed: map[catalog.OID]*catalog.Table{}}
	for _, o := range list {
		if o.class == classRelation {
			r.gone[o.oid] = true
		}
	}
	for _, o := range list {
		if err := r.detach(o.object); err != nil {
			return err
		}
	}
	// Names become free before tables that are changed are written.
	for _, o := range list {
		if err := r.delete(ctx, o.object); err != nil {
			return err
		}
	}
	for _, oid := range sortedKeys(r.changed) {
		t := r.changed[oid]
		if !r.gone[oid] {
			if err := e.rekeyIfNeeded(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// table returns the copy of a surviving table that changes go to, or nil.
func (r *remover) table(oid catalog.OID) *catalog.Table {
	if r.gone[oid] {
		return nil
	}
	if t := r.changed[oid]; t != nil {
		return t
	}
	t := r.snap().TableByOID(oid)
	if t == nil {
		return nil
	}
	t = t.Clone()
	r.changed[oid] = t
	return t
}

// detach takes parts out of the tables that stay.
func (r *remover) detach(o object) error {
	switch o.class {
	case classRelation:
		for _, f := range r.snap().TableByOID(o.oid).ForeignKeys {
			if p := r.table(f.RefTable); p != nil {
				dropInbound(p, f.OID)
			}
		}
	case classConstraint:
		if owner := r.snap().TableOfPart(o.oid); owner != nil {
			if f := owner.ForeignKeyByOID(o.oid); f != nil {
				if p := r.table(f.RefTable); p != nil {
					dropInbound(p, f.OID)
				}
			}
			if t := r.table(owner.OID); t != nil {
				removeConstraint(t, o.oid)
			}
		}
	case classIndex:
		owner, _ := r.snap().IndexByOID(o.oid)
		if t := r.table(owner.OID); t != nil {
			removeIndex(t, o.oid)
		}
	case classColumn:
		if t := r.table(o.oid); t != nil {
			c, _ := t.ColumnByID(o.sub)
			dropColumn(c)
		}
	case classDefault:
		if t := r.table(o.oid); t != nil {
			c, _ := t.ColumnByID(o.sub)
			c.Default, c.DefaultOID, c.DependsOn = "", 0, nil
		}
	case classDomainConstraint:
		return failure.NotSupported("dropping a domain constraint by cascade is")
	}
	return nil
}

// delete removes whole objects.
func (r *remover) delete(ctx context.Context, o object) error {
	s := r.snap()
	var d catalog.Descriptor
	switch o.class {
	case classRelation:
		t := s.TableByOID(o.oid)
		if t.RowStore() != nil {
			if err := r.dropData(ctx, t); err != nil {
				return err
			}
		}
		if st := s.Stats(o.oid); st != nil {
			if err := r.Cat.Delete(ctx, st); err != nil {
				return err
			}
		}
		d = t
	case classType:
		d = s.TypeByOID(o.oid)
	case classSchema:
		d = s.SchemaByOID(o.oid)
	case classFunction:
		d = s.FunctionByOID(o.oid)
	default:
		return nil
	}
	return r.Cat.Delete(ctx, d)
}

func dropInbound(t *catalog.Table, key catalog.OID) {
	t.Inbound = slices.DeleteFunc(t.Inbound, func(k catalog.InboundKey) bool { return k.Key == key })
}

// removeConstraint takes a constraint, and the index behind it, out of a descriptor. A row store that backs the
// constraint stays until rekeyIfNeeded replaces it.
func removeConstraint(t *catalog.Table, oid catalog.OID) {
	t.Checks = slices.DeleteFunc(t.Checks, func(c *catalog.Check) bool { return c.OID == oid })
	t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(f *catalog.ForeignKey) bool { return f.OID == oid })
	for _, x := range t.Indexes {
		if x.Constraint == oid && oid != 0 {
			removeIndex(t, x.OID)
			return
		}
	}
	for _, x := range t.Inbound {
		if x.Key == oid && x.Table == t.OID {
			dropInbound(t, oid)
			return
		}
	}
}

// removeIndex takes an index out of a descriptor. The row store only loses its constraint.
func removeIndex(t *catalog.Table, oid catalog.OID) {
	if len(t.Indexes) > 0 && t.Indexes[0].OID == oid && !t.Indexes[0].Hidden {
		t.Indexes[0].Constraint, t.Indexes[0].Primary = 0, false
		return
	}
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x *catalog.Index) bool { return x.OID == oid && !x.Hidden })
}

// dropColumn marks a column as dropped, as PostgreSQL does: it keeps its number and loses its name.
func dropColumn(c *catalog.Column) {
	c.Dropped, c.NotNull, c.Generated, c.Identity, c.IdentitySequence = true, false, false, catalog.IdentityNone, 0
	c.Default, c.DefaultOID, c.DependsOn, c.Comment, c.ACL = "", 0, nil, "", nil
	c.Name = "........pg.dropped." + strconv.Itoa(int(c.Attnum)) + "........"
}
