package ddl

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// tableBuilder makes or extends the descriptor of one table. Constraints are collected while columns are read and
// added in PostgreSQL's order: keys, checks, foreign keys.
type tableBuilder struct {
	*Env
	t *catalog.Table
	// fresh tables have no rows: nothing needs to be validated.
	fresh bool
	// sequences belong to serial and identity columns and are stored with the table.
	sequences []*catalog.Table
	// defaults wait until all columns are known.
	defaults []pendingDefault
	keys     []*pendingKey
	checks   []*parser.Constraint
	// columnOf names the column of a check written at a column, for its name.
	columnOf map[*parser.Constraint]string
	foreign  []pendingForeign
	// parents are other tables whose Inbound list changes.
	parents map[catalog.OID]*catalog.Table
	// comments wanted by LIKE INCLUDING COMMENTS are set on columns directly.
	likeIndexes []likeIndex
}

type pendingDefault struct {
	column *catalog.Column
	c      *parser.Constraint
}

type pendingKey struct {
	c       *parser.Constraint
	columns []string
}

type pendingForeign struct {
	c       *parser.Constraint
	columns []string
}

type likeIndex struct {
	from *catalog.Table
	x    *catalog.Index
}

func (e *Env) createTable(ctx context.Context, s *parser.CreateTableStmt) (Result, error) {
	res := Result{Tag: "CREATE TABLE"}
	if err := refuseTableOptions(s); err != nil {
		return res, err
	}
	schema, temporary, err := e.relationSchema(ctx, &s.Relation, s.Persistence)
	if err != nil {
		return res, err
	}
	if s.OnCommit != parser.OnCommitNone && !temporary {
		return res, failure.New(failure.InvalidTableDefinition, "ON COMMIT can only be used on temporary tables")
	}
	if e.snap().Relation(schema.OID, s.Relation.Name).Found() {
		if s.IfNotExists {
			e.notice(failure.DuplicateTable, "relation \"%s\" already exists, skipping", s.Relation.Name)
			return res, nil
		}
		return res, failure.New(failure.DuplicateTable, "relation \"%s\" already exists", s.Relation.Name)
	}
	t, err := e.newRelation(ctx, schema, s.Relation.Name, catalog.RelTable)
	if err != nil {
		return res, err
	}
	switch {
	case temporary:
		t.Persistence = 't'
		t.OnCommit = map[parser.OnCommitAction]byte{parser.OnCommitDelete: OnCommitDelete, parser.OnCommitDrop: OnCommitDrop}[s.OnCommit]
	case s.Persistence == parser.PersistUnlogged:
		t.Persistence = 'u'
	}
	b := &tableBuilder{Env: e, t: t, fresh: true}
	if err := b.elements(ctx, s.Elements); err != nil {
		return res, err
	}
	return res, b.finish(ctx)
}

// refuseTableOptions answers 0A000 for what Meridian does not have.
func refuseTableOptions(s *parser.CreateTableStmt) error {
	switch {
	case len(s.Inherits) > 0:
		return failure.NotSupported("INHERITS is")
	case s.PartitionOf != nil || s.PartitionBy != nil:
		return failure.NotSupported("partitioning is")
	case s.OfType != nil:
		return failure.NotSupported("CREATE TABLE OF is")
	case s.Server != "":
		return failure.NotSupported("CREATE FOREIGN TABLE is")
	case s.AccessMethod != "" && s.AccessMethod != "heap":
		return failure.New(failure.UndefinedObject, "access method \"%s\" does not exist", s.AccessMethod)
	case s.Tablespace != "" && s.Tablespace != "pg_default":
		return failure.New(failure.UndefinedObject, "tablespace \"%s\" does not exist", s.Tablespace)
	}
	return nil
}

// newRelation makes an empty descriptor with its OIDs and the privileges that ALTER DEFAULT PRIVILEGES gives.
func (e *Env) newRelation(ctx context.Context, schema *catalog.Schema, name string, kind catalog.RelKind) (*catalog.Table, error) {
	oid, err := e.newOID(ctx)
	if err != nil {
		return nil, err
	}
	t := &catalog.Table{OID: oid, Schema: schema.OID, Name: name, Kind: kind, Owner: e.User, Data: keys.TableID(oid),
		NextColumnID: 1, NextIndexID: keys.PrimaryIndex}
	if kind != catalog.RelSequence {
		if ty, row := e.snap().TypeHolder(schema.OID, name); ty != nil || row != nil {
			return nil, failure.New(failure.DuplicateObject, "type \"%s\" already exists", name).
				WithHint("A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.")
		}
		if t.ArrayType, err = e.newOID(ctx); err != nil {
			return nil, err
		}
		if t.RowType, err = e.newOID(ctx); err != nil {
			return nil, err
		}
	}
	object, all := byte('r'), catalog.PrivAllTable
	if kind == catalog.RelSequence {
		object, all = 'S', catalog.PrivAllSequence
	}
	t.ACL = e.defaultACL(schema.OID, object, all, 0)
	return t, nil
}

// defaultACL returns the access list of a new object, nil when nothing departs from the defaults.
func (e *Env) defaultACL(schema catalog.OID, object byte, all, public catalog.Privilege) catalog.ACL {
	var acl catalog.ACL
	for d := range e.snap().DefaultACLs() {
		if d.Role != e.User || d.Object != object || d.Schema != 0 && d.Schema != schema {
			continue
		}
		if acl == nil {
			acl = catalog.DefaultACLFor(e.User, all, public)
		}
		if d.Schema == 0 {
			// A global entry replaces the built-in default.
			acl = slices.Clone(d.ACL)
			continue
		}
		for _, it := range d.ACL {
			acl = acl.Grant(it.Grantee, it.Grantor, it.Privs, it.Options != 0)
		}
	}
	return acl
}

func (b *tableBuilder) elements(ctx context.Context, elems []parser.TableElement) error {
	for _, el := range elems {
		var err error
		switch el := el.(type) {
		case *parser.ColumnDef:
			_, err = b.column(ctx, el)
		case *parser.Constraint:
			err = b.tableConstraint(el)
		case *parser.LikeClause:
			err = b.like(ctx, el)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish computes everything that waited, and stores the table with its sequences and parents.
func (b *tableBuilder) finish(ctx context.Context) error {
	if err := b.storeSequences(ctx); err != nil {
		return err
	}
	if err := b.resolveAll(ctx); err != nil {
		return err
	}
	if len(b.t.Indexes) == 0 {
		b.addRowID(ctx)
	}
	if err := b.put(ctx, b.t); err != nil {
		return err
	}
	return b.storeParents(ctx)
}

func (b *tableBuilder) storeSequences(ctx context.Context) error {
	for _, s := range b.sequences {
		s.Persistence = b.t.Persistence
		if err := b.put(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (b *tableBuilder) storeParents(ctx context.Context) error {
	for _, oid := range sortedKeys(b.parents) {
		if err := b.put(ctx, b.parents[oid]); err != nil {
			return err
		}
	}
	return nil
}

// resolveAll turns what was collected into parts of the descriptor, in PostgreSQL's order.
func (b *tableBuilder) resolveAll(ctx context.Context) error {
	for _, d := range b.defaults {
		if err := b.resolveDefault(ctx, d); err != nil {
			return err
		}
	}
	b.defaults = nil
	if err := b.resolveKeys(ctx); err != nil {
		return err
	}
	for _, c := range b.checks {
		if _, err := b.addCheck(ctx, c); err != nil {
			return err
		}
	}
	b.checks = nil
	for _, f := range b.foreign {
		if _, err := b.addForeignKey(ctx, f); err != nil {
			return err
		}
	}
	b.foreign = nil
	return nil
}

// systemColumns are names that a user's column cannot have.
var systemColumns = [...]string{"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}

// column adds a column with what its constraints say.
func (b *tableBuilder) column(ctx context.Context, def *parser.ColumnDef) (*catalog.Column, error) {
	if slices.Contains(systemColumns[:], def.Name) {
		return nil, failure.New(failure.DuplicateColumn, "column name \"%s\" conflicts with a system column name", def.Name)
	}
	if c, _ := b.t.ColumnByName(def.Name); c != nil {
		if !b.fresh {
			return nil, failure.New(failure.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists", def.Name, b.t.Name)
		}
		return nil, failure.New(failure.DuplicateColumn, "column \"%s\" specified more than once", def.Name)
	}
	serial, isSerial := serialType(def.Type)
	if isSerial && len(def.Type.ArrayBounds) > 0 {
		return nil, b.at(failure.New(failure.FeatureNotSupported, "array of serial is not implemented"), def.Type.Pos)
	}
	typ := serial
	if !isSerial {
		var err error
		if typ, err = b.Engine.ResolveType(b.snap(), b.Path, def.Type); err != nil {
			return nil, err
		}
		if err := b.columnType(ctx, def.Name, typ); err != nil {
			return nil, err
		}
	}
	c := &catalog.Column{ID: b.t.NextColumnID, Attnum: b.nextAttnum(), Name: def.Name, Type: typ, Storage: b.storage(typ.OID)}
	b.t.NextColumnID++
	if err := b.collation(c, def.Collation); err != nil {
		return nil, err
	}
	b.t.Columns = append(b.t.Columns, c)
	if isSerial {
		if err := b.serial(ctx, c); err != nil {
			return nil, err
		}
	}
	return c, b.columnConstraints(ctx, c, def, isSerial)
}

func (b *tableBuilder) nextAttnum() int16 {
	n := int16(0)
	for _, c := range b.t.Columns {
		n = max(n, c.Attnum)
	}
	return n + 1
}

// storage is what values of a user's type are stored as, 0 for PostgreSQL's own types.
func (e *Env) storage(oid catalog.OID) catalog.OID {
	base := e.Facts.BaseType(oid)
	switch t := e.Facts.TypeByOID(base); {
	case base >= catalog.FirstUserOID && t != nil && t.Type == 'e':
		return datum.OIDText
	case base >= catalog.FirstUserOID && t != nil && t.Type == 'c':
		return datum.OIDRecord
	case base >= catalog.FirstUserOID && t != nil && t.Elem != 0:
		return datum.OIDTextArray
	case base != oid:
		return base
	}
	return 0
}

// storable says whether rows can hold values of a type: not where a row or an array of a user's type has parts that are
// stored as something else than their type says.
func (e *Env) storable(oid catalog.OID) bool {
	if oid < catalog.FirstUserOID {
		return true
	}
	t := e.Facts.TypeByOID(oid)
	switch {
	case t == nil:
		return false
	case t.Type == 'd':
		return e.storable(t.BaseType)
	case t.Elem != 0:
		return e.isEnum(t.Elem)
	case t.Type == 'c':
		row := e.snap().TableOfRowType(oid)
		return row != nil && !slices.ContainsFunc(row.Columns, func(c *catalog.Column) bool {
			return !c.Dropped && c.Type.OID >= catalog.FirstUserOID && !e.isEnum(c.Type.OID)
		})
	}
	return t.Type == 'e'
}

func (e *Env) isEnum(oid catalog.OID) bool {
	t := e.snap().TypeByOID(oid)
	return t != nil && t.Kind == catalog.TypeEnum
}

// columnType refuses types that no column can have, and notes the use of user-defined ones.
func (b *tableBuilder) columnType(ctx context.Context, name string, typ datum.Type) error {
	if !b.storable(typ.OID) {
		return failure.NotSupported("a column of type %s is", b.Facts.TypeName(typ.OID))
	}
	if ti := b.Facts.TypeByOID(typ.OID); ti != nil && ti.Type == 'p' {
		return failure.New(failure.InvalidTableDefinition, "column \"%s\" has pseudo-type %s", name, b.Facts.TypeName(typ.OID))
	}
	return b.Cat.Use(ctx, typ.OID)
}

func (b *tableBuilder) collation(c *catalog.Column, name []string) error {
	if len(name) == 0 {
		return nil
	}
	n := name[len(name)-1]
	if b.Facts.Collation(c.Type.OID) == 0 {
		return failure.New(failure.DatatypeMismatch, "collations are not supported by type %s", b.Facts.TypeName(c.Type.OID))
	}
	switch n {
	case "default":
	case "C", "POSIX", "ucs_basic":
		c.Collation = n
	default:
		return failure.New(failure.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", n)
	}
	return nil
}

// serialType recognises serial and its kin, which are not types.
func serialType(n *parser.TypeName) (datum.Type, bool) {
	if n == nil || len(n.Names) != 1 || n.SetOf || n.PctType {
		return datum.Type{}, false
	}
	switch n.Names[0] {
	case "smallserial", "serial2":
		return datum.T(datum.OIDInt2), true
	case "serial", "serial4":
		return datum.T(datum.OIDInt4), true
	case "bigserial", "serial8":
		return datum.T(datum.OIDInt8), true
	}
	return datum.Type{}, false
}

// serial gives a column its sequence and default.
func (b *tableBuilder) serial(ctx context.Context, c *catalog.Column) error {
	seq, err := b.ownedSequence(ctx, c, nil)
	if err != nil {
		return err
	}
	c.NotNull = true
	return b.defaultText(ctx, c, nextvalText(seq.OID), []catalog.OID{seq.OID})
}

// nextvalText is the default of a serial column; the sequence is named by number, so renaming it changes nothing.
func nextvalText(oid catalog.OID) string {
	return "nextval('" + oidText(oid) + "'::regclass)"
}

func (b *tableBuilder) defaultText(ctx context.Context, c *catalog.Column, text string, uses []catalog.OID) error {
	oid, err := b.newOID(ctx)
	c.Default, c.DefaultOID, c.DependsOn = text, oid, uses
	return err
}

// ownedSequence makes the sequence of a serial or identity column.
func (b *tableBuilder) ownedSequence(ctx context.Context, c *catalog.Column, options []*parser.DefElem) (*catalog.Table, error) {
	schema := b.snap().SchemaByOID(b.t.Schema)
	name, options := sequenceNameOption(options)
	if name == "" {
		name = b.relationName(schema.OID, b.takenHere, b.t.Name, c.Name, "seq")
	}
	seq, err := b.newRelation(ctx, schema, name, catalog.RelSequence)
	if err != nil {
		return nil, err
	}
	seq.Owner = b.t.Owner
	def := newSequence(c.Type)
	if err := b.sequenceOptions(def, options, true); err != nil {
		return nil, err
	}
	def.OwnedByTable, def.OwnedByColumn = b.t.OID, c.ID
	seq.Sequence = def
	addSequenceColumns(seq)
	b.sequences = append(b.sequences, seq)
	return seq, nil
}

// takenHere says whether a part that is not stored yet has the name.
func (b *tableBuilder) takenHere(name string) bool {
	if name == b.t.Name || b.t.IndexByName(name) != nil || b.t.HasConstraint(name) {
		return true
	}
	for _, s := range b.sequences {
		if s.Name == name {
			return true
		}
	}
	for _, k := range b.keys {
		if k.c.Name == name {
			return true
		}
	}
	for _, c := range b.checks {
		if c.Name == name {
			return true
		}
	}
	for _, f := range b.foreign {
		if f.c.Name == name {
			return true
		}
	}
	return false
}

// columnConstraints reads the constraints written at a column.
func (b *tableBuilder) columnConstraints(ctx context.Context, c *catalog.Column, def *parser.ColumnDef, isSerial bool) error {
	var sawNull, sawNotNull, sawDefault, sawIdentity, sawGenerated bool
	clash := func(pos int, format string) error {
		return b.at(failure.New(failure.SyntaxError, format, c.Name, b.t.Name), pos)
	}
	for _, con := range def.Constraints {
		switch con.Kind {
		case parser.ConstrNull:
			if sawNotNull {
				return clash(con.Pos, "conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"")
			}
			sawNull = true
		case parser.ConstrNotNull:
			if sawNull {
				return clash(con.Pos, "conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"")
			}
			sawNotNull, c.NotNull = true, true
		case parser.ConstrDefault:
			if sawDefault {
				return clash(con.Pos, "multiple default values specified for column \"%s\" of table \"%s\"")
			}
			sawDefault = true
			b.defaults = append(b.defaults, pendingDefault{c, con})
		case parser.ConstrIdentity:
			if sawIdentity {
				return clash(con.Pos, "multiple identity specifications for column \"%s\" of table \"%s\"")
			}
			if sawNull {
				return clash(con.Pos, "conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"")
			}
			sawIdentity, sawNotNull = true, true
			if err := b.identity(ctx, c, con); err != nil {
				return err
			}
		case parser.ConstrGenerated:
			if sawGenerated {
				return clash(con.Pos, "multiple generation clauses specified for column \"%s\" of table \"%s\"")
			}
			sawGenerated, c.Generated = true, true
			b.defaults = append(b.defaults, pendingDefault{c, con})
		case parser.ConstrCheck:
			if b.columnOf == nil {
				b.columnOf = map[*parser.Constraint]string{}
			}
			b.columnOf[con] = c.Name
			b.checks = append(b.checks, con)
		case parser.ConstrPrimary, parser.ConstrUnique:
			b.keys = append(b.keys, &pendingKey{con, []string{c.Name}})
		case parser.ConstrForeign:
			b.foreign = append(b.foreign, pendingForeign{con, []string{c.Name}})
		case parser.ConstrExclusion:
			return failure.NotSupported("EXCLUDE constraints are")
		}
	}
	// What serial stands for comes after what was written.
	switch {
	case isSerial && sawDefault:
		return clash(parser.NoPos, "multiple default values specified for column \"%s\" of table \"%s\"")
	case isSerial && sawNull:
		return clash(parser.NoPos, "conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"")
	}
	sawDefault = sawDefault || isSerial
	switch {
	case sawDefault && sawIdentity:
		return clash(def.Pos, "both default and identity specified for column \"%s\" of table \"%s\"")
	case sawDefault && sawGenerated:
		return clash(def.Pos, "both default and generation expression specified for column \"%s\" of table \"%s\"")
	case sawIdentity && sawGenerated:
		return clash(def.Pos, "both identity and generation expression specified for column \"%s\" of table \"%s\"")
	}
	return nil
}

func identityType(t datum.Type) bool {
	return t.OID == datum.OIDInt2 || t.OID == datum.OIDInt4 || t.OID == datum.OIDInt8
}

func notIdentityType() error {
	return failure.New(failure.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
}

// identity makes c an identity column.
func (b *tableBuilder) identity(ctx context.Context, c *catalog.Column, con *parser.Constraint) error {
	if !identityType(c.Type) {
		return notIdentityType()
	}
	seq, err := b.ownedSequence(ctx, c, con.Sequence)
	if err != nil {
		return err
	}
	seq.Sequence.Internal = true
	c.NotNull, c.IdentitySequence, c.Identity = true, seq.OID, catalog.IdentityByDefault
	if con.Always {
		c.Identity = catalog.IdentityAlways
	}
	return nil
}

// resolveDefault binds a default or generation expression.
func (b *tableBuilder) resolveDefault(ctx context.Context, d pendingDefault) error {
	if isNullConst(d.c.Expr) && d.c.Kind == parser.ConstrDefault {
		return nil
	}
	info, err := b.bindDefault(ctx, d.column, d.c.Expr, d.c.Kind == parser.ConstrGenerated)
	if err != nil {
		return err
	}
	if d.column.Generated {
		d.column.Refs = info.Columns
	}
	return b.defaultText(ctx, d.column, info.Text, info.DependsOn)
}

// bindDefault checks a default or generation expression.
func (b *tableBuilder) bindDefault(ctx context.Context, c *catalog.Column, x parser.Expr, generated bool) (ExprInfo, error) {
	req := ExprRequest{Kind: ExprDefault, Snapshot: b.snap(), Path: b.Path, Expr: x, Want: c.Type, Column: c.Name, Text: b.Text}
	if generated {
		req.Kind, req.Table = ExprGenerated, b.t
	}
	info, err := b.bindExpr(ctx, req)
	if err != nil {
		return info, err
	}
	if generated {
		if info.Volatility != 'i' {
			return info, failure.New(failure.InvalidObjectDefinition, "generation expression is not immutable")
		}
		for _, id := range info.Columns {
			if o, _ := b.t.ColumnByID(id); o != nil && o.Generated {
				return info, b.at(failure.New(failure.InvalidObjectDefinition, "cannot use generated column \"%s\" in column generation expression", o.Name).
					WithDetail("A generated column cannot reference another generated column."), mentionOf(x, o.Name))
			}
		}
	}
	return info, b.Cat.Use(ctx, info.DependsOn...)
}

// mentionOf returns the position of the first mention of a column in an expression.
func mentionOf(x parser.Expr, name string) int {
	pos := parser.NoPos
	eachNode(reflect.ValueOf(&x), func(n any) {
		if ref, ok := n.(*parser.ColumnRef); ok && pos == parser.NoPos && len(ref.Parts) > 0 && ref.Parts[len(ref.Parts)-1] == name {
			pos = ref.Pos
		}
	})
	return pos
}

func isNullConst(x parser.Expr) bool {
	c, ok := x.(*parser.Const)
	return ok && c.Kind == parser.ConstNull
}

// tableConstraint collects a table constraint.
func (b *tableBuilder) tableConstraint(c *parser.Constraint) error {
	switch c.Kind {
	case parser.ConstrPrimary, parser.ConstrUnique:
		b.keys = append(b.keys, &pendingKey{c, c.Keys})
	case parser.ConstrCheck:
		b.checks = append(b.checks, c)
	case parser.ConstrForeign:
		b.foreign = append(b.foreign, pendingForeign{c, c.FKColumns})
	case parser.ConstrExclusion:
		return failure.NotSupported("EXCLUDE constraints are")
	default:
		return failure.New(failure.SyntaxError, "constraint is not allowed here")
	}
	return nil
}

// addRowID gives a table without a primary key its hidden row store.
func (b *tableBuilder) addRowID(_ context.Context) {
	c := &catalog.Column{ID: b.t.NextColumnID, Attnum: catalog.HiddenAttnum, Name: catalog.HiddenRowID,
		Type: datum.T(datum.OIDUUID), NotNull: true, Hidden: true}
	b.t.NextColumnID++
	b.t.Columns = append(b.t.Columns, c)
	store := &catalog.Index{ID: keys.PrimaryIndex, Name: catalog.HiddenRowID, Unique: true, Hidden: true,
		Key: []catalog.IndexColumn{{Column: c.ID, Type: c.Type}}}
	b.t.Indexes = append([]*catalog.Index{store}, b.t.Indexes...)
	b.t.NextIndexID = max(b.t.NextIndexID, keys.PrimaryIndex+1)
}

// like copies the columns of another table.
func (b *tableBuilder) like(ctx context.Context, l *parser.LikeClause) error {
	r, err := b.relation(&l.Relation, false)
	if err != nil {
		return err
	}
	from := r.Table
	if r.Index != nil || from.Kind == catalog.RelSequence {
		return b.at(failure.New(failure.WrongObjectType, "relation \"%s\" is invalid in LIKE clause", r.Name()), l.Relation.Pos)
	}
	if err := b.snap().CheckTable(b.User, from, catalog.PrivSelect); err != nil {
		return err
	}
	opt := likeOptions(l.Options)
	for _, old := range from.VisibleColumns() {
		if c, _ := b.t.ColumnByName(old.Name); c != nil {
			return failure.New(failure.DuplicateColumn, "column \"%s\" specified more than once", old.Name)
		}
		c := &catalog.Column{ID: b.t.NextColumnID, Attnum: b.nextAttnum(), Name: old.Name, Type: old.Type,
			Storage: old.Storage, NotNull: old.NotNull, Collation: old.Collation}
		b.t.NextColumnID++
		b.t.Columns = append(b.t.Columns, c)
		if old.Default != "" && (old.Generated && opt["GENERATED"] || !old.Generated && opt["DEFAULTS"]) {
			c.Generated = old.Generated
			if err := b.defaultText(ctx, c, old.Default, old.DependsOn); err != nil {
				return err
			}
		}
		if old.Identity != catalog.IdentityNone && opt["IDENTITY"] {
			if err := b.likeIdentity(ctx, c, old); err != nil {
				return err
			}
		}
		if opt["COMMENTS"] {
			c.Comment = old.Comment
		}
	}
	return b.likeConstraints(ctx, from, opt)
}

func likeOptions(options []parser.LikeOption) map[string]bool {
	opt := map[string]bool{}
	for _, o := range options {
		names := []string{strings.ToUpper(o.Name)}
		if names[0] == "ALL" {
			names = []string{"COMMENTS", "COMPRESSION", "CONSTRAINTS", "DEFAULTS", "GENERATED", "IDENTITY", "INDEXES", "STATISTICS", "STORAGE"}
		}
		for _, n := range names {
			opt[n] = !o.Exclude
		}
	}
	return opt
}

func (b *tableBuilder) likeIdentity(ctx context.Context, c, old *catalog.Column) error {
	seq, err := b.ownedSequence(ctx, c, nil)
	if err != nil {
		return err
	}
	if from := b.snap().TableByOID(old.IdentitySequence); from != nil {
		def := *from.Sequence
		def.OwnedByTable, def.OwnedByColumn = seq.Sequence.OwnedByTable, seq.Sequence.OwnedByColumn
		*seq.Sequence = def
	}
	seq.Sequence.Internal = true
	c.Identity, c.IdentitySequence = old.Identity, seq.OID
	return nil
}

func (b *tableBuilder) likeConstraints(ctx context.Context, from *catalog.Table, opt map[string]bool) error {
	if opt["CONSTRAINTS"] {
		for _, old := range from.Checks {
			oid, err := b.newOID(ctx)
			if err != nil {
				return err
			}
			c := *old
			c.OID, c.Validated = oid, true
			c.Columns = b.mapColumns(from, old.Columns)
			if !opt["COMMENTS"] {
				c.Comment = ""
			}
			b.t.Checks = append(b.t.Checks, &c)
		}
	}
	if opt["INDEXES"] {
		for _, x := range from.Indexes {
			if !x.Hidden {
				b.likeIndexes = append(b.likeIndexes, likeIndex{from, x})
			}
		}
	}
	return nil
}

// mapColumns translates ids of from's columns into those of the columns with the same names here.
func (b *tableBuilder) mapColumns(from *catalog.Table, ids []uint32) []uint32 {
	out := make([]uint32, 0, len(ids))
	for _, id := range ids {
		old, _ := from.ColumnByID(id)
		if c, _ := b.t.ColumnByName(old.Name); c != nil {
			out = append(out, c.ID)
		}
	}
	return out
}
