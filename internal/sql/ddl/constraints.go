package ddl

import (
	"context"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// addCheck adds a CHECK constraint to the descriptor; the caller validates it.
func (b *tableBuilder) addCheck(ctx context.Context, c *parser.Constraint) (*catalog.Check, error) {
	info, err := b.bindExpr(ctx, ExprRequest{Kind: ExprCheck, Snapshot: b.snap(), Path: b.Path, Expr: c.Expr,
		Table: b.t, Want: datum.T(datum.OIDBool), Text: b.Text})
	if err != nil {
		return nil, err
	}
	name := c.Name
	if name == "" {
		column := b.columnOf[c]
		if column == "" && len(info.Columns) == 1 {
			col, _ := b.t.ColumnByID(info.Columns[0])
			column = col.Name
		}
		name = chooseName(b.t.Name, column, "check", b.takenConstraint)
	} else if b.t.HasConstraint(name) {
		if b.fresh && b.hasCheck(name) {
			return nil, failure.New(failure.DuplicateObject, "check constraint \"%s\" already exists", name)
		}
		return nil, failure.New(failure.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", name, b.t.Name)
	}
	oid, err := b.newOID(ctx)
	if err != nil {
		return nil, err
	}
	check := &catalog.Check{OID: oid, Name: name, Expr: info.Text, Columns: info.Columns, DependsOn: info.DependsOn,
		Validated: !c.NotValid || b.fresh, NoInherit: c.NoInherit}
	b.t.Checks = append(b.t.Checks, check)
	return check, b.Cat.Use(ctx, info.DependsOn...)
}

func (b *tableBuilder) hasCheck(name string) bool {
	return slices.ContainsFunc(b.t.Checks, func(c *catalog.Check) bool { return c.Name == name })
}

// takenConstraint says whether a constraint of this table has or will have the name.
func (b *tableBuilder) takenConstraint(name string) bool {
	if b.t.HasConstraint(name) {
		return true
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

// addForeignKey adds a FOREIGN KEY constraint to the descriptor and to its parent's; the caller validates it.
func (b *tableBuilder) addForeignKey(ctx context.Context, p pendingForeign) (*catalog.ForeignKey, error) {
	parent, err := b.parent(p.c)
	if err != nil {
		return nil, err
	}
	if err := mixedReference(b.t, parent); err != nil {
		return nil, err
	}
	f := &catalog.ForeignKey{RefTable: parent.OID, OnUpdate: fkAction(p.c.OnUpdate), OnDelete: fkAction(p.c.OnDelete),
		MatchFull: p.c.Match == parser.FKMatchFull, Deferrable: p.c.Deferrable, InitDeferred: p.c.InitDeferred,
		Validated: !p.c.NotValid || b.fresh}
	if p.c.Match == parser.FKMatchPartial {
		return nil, b.at(failure.New(failure.FeatureNotSupported, "MATCH PARTIAL not yet implemented"), p.c.Pos)
	}
	if f.Columns, err = b.fkColumns(b.t, p.columns); err != nil {
		return nil, err
	}
	if err := b.refColumns(p, parent, f); err != nil {
		return nil, err
	}
	if err := b.fkTypes(p, parent, f); err != nil {
		return nil, err
	}
	if err := b.fkActions(p, f); err != nil {
		return nil, err
	}
	if err := b.checkReferences(parent, f); err != nil {
		return nil, err
	}
	f.Name = p.c.Name
	if f.Name == "" {
		names := p.columns
		f.Name = chooseName(b.t.Name, joinNames(names), "fkey", b.takenConstraint)
	} else if b.t.HasConstraint(f.Name) {
		return nil, failure.New(failure.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", f.Name, b.t.Name)
	}
	if f.OID, err = b.newOID(ctx); err != nil {
		return nil, err
	}
	b.t.ForeignKeys = append(b.t.ForeignKeys, f)
	parent.Inbound = append(parent.Inbound, catalog.InboundKey{Table: b.t.OID, Key: f.OID})
	return f, nil
}

// parent returns a descriptor of the referenced table that may be changed.
func (b *tableBuilder) parent(c *parser.Constraint) (*catalog.Table, error) {
	// The table that is being made is found under its own name.
	if c.Ref.Name == b.t.Name && (c.Ref.Schema == "" && b.Path.Create == b.t.Schema || c.Ref.Schema != "" && c.Ref.Schema == b.snap().SchemaName(b.t.Schema)) {
		return b.t, nil
	}
	r, err := b.relation(c.Ref, false)
	if err != nil {
		return nil, err
	}
	if r.Table.OID == b.t.OID && r.Index == nil {
		return b.t, nil
	}
	if r.Index != nil || r.Table.Kind != catalog.RelTable || r.Table.Virtual {
		return nil, failure.New(failure.WrongObjectType, "referenced relation \"%s\" is not a table", c.Ref.Name)
	}
	if p := b.parents[r.Table.OID]; p != nil {
		return p, nil
	}
	if b.parents == nil {
		b.parents = map[catalog.OID]*catalog.Table{}
	}
	p := r.Table.Clone()
	b.parents[p.OID] = p
	return p, nil
}

func (b *tableBuilder) fkColumns(t *catalog.Table, names []string) ([]uint32, error) {
	ids := make([]uint32, 0, len(names))
	for _, n := range names {
		c, _ := t.ColumnByName(n)
		if c == nil {
			return nil, failure.New(failure.UndefinedColumn, "column \"%s\" referenced in foreign key constraint does not exist", n)
		}
		ids = append(ids, c.ID)
	}
	return ids, nil
}

// refColumns finds the referenced columns and the unique index they rest on.
func (b *tableBuilder) refColumns(p pendingForeign, parent *catalog.Table, f *catalog.ForeignKey) error {
	if len(p.c.RefColumns) == 0 {
		pk := parent.PrimaryKey()
		if pk == nil {
			return failure.New(failure.UndefinedObject, "there is no primary key for referenced table \"%s\"", parent.Name)
		}
		for _, k := range pk.Key {
			f.RefColumns = append(f.RefColumns, k.Column)
		}
		f.RefIndex = pk.OID
		if len(f.RefColumns) != len(f.Columns) {
			return failure.New(failure.InvalidForeignKey, "number of referencing and referenced columns for foreign key disagree")
		}
		return nil
	}
	var err error
	if f.RefColumns, err = b.fkColumns(parent, p.c.RefColumns); err != nil {
		return err
	}
	if len(f.RefColumns) != len(f.Columns) {
		return failure.New(failure.InvalidForeignKey, "number of referencing and referenced columns for foreign key disagree")
	}
	for i, id := range f.RefColumns {
		if slices.Contains(f.RefColumns[:i], id) {
			return failure.New(failure.InvalidForeignKey, "foreign key referenced-columns list must not contain duplicates")
		}
	}
	deferrable := false
	for _, x := range parent.Indexes {
		if x.Hidden || !x.Unique || x.Predicate != "" || x.State != catalog.IndexPublic || !sameColumns(x.Key, f.RefColumns) {
			continue
		}
		if x.Deferrable {
			deferrable = true
			continue
		}
		f.RefIndex = x.OID
		return nil
	}
	if deferrable {
		return failure.New(failure.ObjectNotInPrerequisiteState, "cannot use a deferrable unique constraint for referenced table \"%s\"", parent.Name)
	}
	return failure.New(failure.InvalidForeignKey, "there is no unique constraint matching given keys for referenced table \"%s\"", parent.Name)
}

// sameColumns says whether an index's key is the set of columns.
func sameColumns(key []catalog.IndexColumn, ids []uint32) bool {
	if len(key) != len(ids) {
		return false
	}
	for _, k := range key {
		if k.Column == 0 || !slices.Contains(ids, k.Column) {
			return false
		}
	}
	return true
}

// fkTypes checks that each pair of columns can be compared.
func (b *tableBuilder) fkTypes(p pendingForeign, parent *catalog.Table, f *catalog.ForeignKey) error {
	for i := range f.Columns {
		c, _ := b.t.ColumnByID(f.Columns[i])
		r, _ := parent.ColumnByID(f.RefColumns[i])
		if b.comparable(r.Type.OID, c.Type.OID) {
			continue
		}
		name := p.c.Name
		if name == "" {
			name = chooseName(b.t.Name, joinNames(p.columns), "fkey", b.takenConstraint)
		}
		return failure.New(failure.DatatypeMismatch, "foreign key constraint \"%s\" cannot be implemented", name).
			WithDetail("Key columns \"%s\" and \"%s\" are of incompatible types: %s and %s.", c.Name, r.Name,
				b.typeName(c.Type), b.typeName(r.Type))
	}
	return nil
}

func (b *tableBuilder) comparable(pk, fk datum.OID) bool {
	if pk == fk {
		return true
	}
	_, err := b.Facts.ResolveOperator("", "=", pk, fk)
	if err != nil {
		return false
	}
	return b.Facts.CanCoerce(fk, pk, 0) || b.Facts.CanCoerce(pk, fk, 0)
}

func fkAction(a parser.FKAction) catalog.FKAction {
	switch a {
	case parser.FKRestrict:
		return catalog.FKRestrict
	case parser.FKCascade:
		return catalog.FKCascade
	case parser.FKSetNull:
		return catalog.FKSetNull
	case parser.FKSetDefault:
		return catalog.FKSetDefault
	default:
		return catalog.FKNoAction
	}
}

// fkActions checks the actions against generated columns and reads the column list of SET NULL and SET DEFAULT.
func (b *tableBuilder) fkActions(p pendingForeign, f *catalog.ForeignKey) error {
	for _, id := range f.Columns {
		c, _ := b.t.ColumnByID(id)
		if !c.Generated {
			continue
		}
		switch f.OnUpdate {
		case catalog.FKSetNull, catalog.FKSetDefault, catalog.FKCascade:
			return failure.New(failure.SyntaxError, "invalid ON UPDATE action for foreign key constraint containing generated column")
		}
		switch f.OnDelete {
		case catalog.FKSetNull, catalog.FKSetDefault:
			return failure.New(failure.SyntaxError, "invalid ON DELETE action for foreign key constraint containing generated column")
		}
	}
	for _, n := range p.c.OnDeleteColumn {
		c, _ := b.t.ColumnByName(n)
		if c == nil {
			return failure.New(failure.UndefinedColumn, "column \"%s\" referenced in foreign key constraint does not exist", n)
		}
		if !slices.Contains(f.Columns, c.ID) {
			return failure.New(failure.InvalidColumnReference, "column \"%s\" referenced in ON DELETE SET action must be part of foreign key", n)
		}
		f.OnDeleteColumns = append(f.OnDeleteColumns, c.ID)
	}
	return nil
}

// checkReferences returns 42501 unless the user may refer to the columns.
func (b *tableBuilder) checkReferences(parent *catalog.Table, f *catalog.ForeignKey) error {
	if parent == b.t {
		return nil
	}
	return b.snap().CheckColumns(b.User, parent, f.RefColumns, catalog.PrivReferences)
}
