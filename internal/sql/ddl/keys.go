package ddl

import (
	"context"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/row"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// resolveKeys makes the indexes of PRIMARY KEY and UNIQUE constraints, the primary key first, then those of LIKE.
func (b *tableBuilder) resolveKeys(ctx context.Context) error {
	var primary *pendingKey
	for _, k := range b.keys {
		if k.c.Kind == parser.ConstrPrimary {
			if primary != nil || b.t.PrimaryKey() != nil {
				return b.at(failure.New(failure.InvalidTableDefinition, "multiple primary keys for table \"%s\" are not allowed", b.t.Name), k.c.Pos)
			}
			primary = k
		}
	}
	if primary != nil {
		if err := b.addKey(ctx, primary); err != nil {
			return err
		}
	}
	if len(b.t.Indexes) == 0 && (primary == nil || primary.c.Deferrable) {
		b.addRowID(ctx)
	}
	for _, k := range b.keys {
		if k == primary || b.redundantKey(k) {
			continue
		}
		if err := b.addKey(ctx, k); err != nil {
			return err
		}
	}
	b.keys = nil
	for _, l := range b.likeIndexes {
		if err := b.addLikeIndex(ctx, l); err != nil {
			return err
		}
	}
	b.likeIndexes = nil
	return nil
}

// redundantKey says whether an unnamed UNIQUE repeats a key that is there: PostgreSQL makes one index of the two.
func (b *tableBuilder) redundantKey(k *pendingKey) bool {
	if !b.fresh || k.c.Name != "" && k.c.Kind == parser.ConstrPrimary {
		return false
	}
	for _, x := range b.t.Indexes {
		if x.Constraint == 0 || x.Deferrable != k.c.Deferrable || x.NullsNotDistinct != k.c.NullsNotDist && !x.Primary {
			continue
		}
		if len(x.Key) != len(k.columns) || len(x.Include) != len(k.c.Including) || k.c.Name != "" {
			continue
		}
		same := true
		for i, kc := range x.Key {
			c, _ := b.t.ColumnByID(kc.Column)
			same = same && c.Name == k.columns[i]
		}
		if same {
			return true
		}
	}
	return false
}

// addKey makes the index of one PRIMARY KEY or UNIQUE constraint.
func (b *tableBuilder) addKey(ctx context.Context, k *pendingKey) error {
	_, err := b.buildKey(ctx, k)
	return err
}

// deferredKey refuses to put the check of a key off to the commit. DEFERRABLE alone is there: all keys are checked at the
// end of the statement.
func deferredKey(kind string) error {
	return failure.NotSupported("INITIALLY DEFERRED on a %s constraint", kind).
		WithHint("A DEFERRABLE INITIALLY IMMEDIATE constraint is checked at the end of each statement.")
}

func (b *tableBuilder) buildKey(ctx context.Context, k *pendingKey) (*catalog.Index, error) {
	primary := k.c.Kind == parser.ConstrPrimary
	kind := "unique"
	if primary {
		kind = "primary key"
	}
	if k.c.InitDeferred {
		return nil, deferredKey(kind)
	}
	x := &catalog.Index{Unique: true, Primary: primary, NullsNotDistinct: k.c.NullsNotDist, Deferrable: k.c.Deferrable,
		InitDeferred: k.c.InitDeferred}
	for i, name := range k.columns {
		c, _ := b.t.ColumnByName(name)
		if c == nil {
			return nil, b.at(failure.New(failure.UndefinedColumn, "column \"%s\" named in key does not exist", name), k.c.Pos)
		}
		if slices.Contains(k.columns[:i], name) {
			return nil, b.at(failure.New(failure.DuplicateColumn, "column \"%s\" appears twice in %s constraint", name, kind), k.c.Pos)
		}
		if err := b.keyable(c.Type); err != nil {
			return nil, err
		}
		if primary {
			c.NotNull = true
		}
		x.Key = append(x.Key, catalog.IndexColumn{Column: c.ID, Type: c.Stored()})
	}
	for _, name := range k.c.Including {
		c, _ := b.t.ColumnByName(name)
		if c == nil {
			return nil, b.at(failure.New(failure.UndefinedColumn, "column \"%s\" named in key does not exist", name), k.c.Pos)
		}
		x.Include = append(x.Include, c.ID)
	}
	if err := b.keyName(k, x); err != nil {
		return nil, err
	}
	return x, b.placeIndex(ctx, x, true)
}

// keyName gives the constraint and its index the name that was written or the one PostgreSQL would choose.
func (b *tableBuilder) keyName(k *pendingKey, x *catalog.Index) error {
	x.Name = k.c.Name
	if x.Name == "" {
		label, cols := "key", joinNames(slices.Concat(k.columns, k.c.Including))
		if x.Primary {
			label, cols = "pkey", ""
		}
		x.Name = b.relationName(b.t.Schema, b.takenHere, b.t.Name, cols, label)
		return nil
	}
	if b.t.HasConstraint(x.Name) {
		return failure.New(failure.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", x.Name, b.t.Name)
	}
	if b.snap().Relation(b.t.Schema, x.Name).Found() || b.t.IndexByName(x.Name) != nil || x.Name == b.t.Name {
		return failure.New(failure.DuplicateTable, "relation \"%s\" already exists", x.Name)
	}
	return nil
}

// keyable refuses types that no index can order.
func (b *tableBuilder) keyable(t datum.Type) error {
	base := datum.Type{OID: b.Facts.BaseType(t.OID), Mod: t.Mod}
	if row.Keyable(base) || b.isEnum(base.OID) {
		return nil
	}
	if _, ok := b.Facts.Sort(base.OID); ok {
		return failure.NotSupported("an index on type %s is", b.Facts.TypeName(t.OID))
	}
	return failure.New(failure.UndefinedObject, "data type %s has no default operator class for access method \"btree\"",
		b.Facts.TypeName(t.OID)).
		WithHint("You must specify an operator class for the index or define a default operator class for the data type.")
}

// placeIndex gives an index its ids and puts it into the descriptor: a primary key that is checked at once, of a
// table that has no row store yet, becomes the row store.
func (b *tableBuilder) placeIndex(ctx context.Context, x *catalog.Index, constraint bool) error {
	var err error
	if x.OID, err = b.newOID(ctx); err != nil {
		return err
	}
	if constraint {
		if x.Constraint, err = b.newOID(ctx); err != nil {
			return err
		}
	}
	if len(b.t.Indexes) == 0 && x.Primary && !x.Deferrable {
		x.ID = keys.PrimaryIndex
		b.t.NextIndexID = max(b.t.NextIndexID, x.ID+1)
		b.t.Indexes = []*catalog.Index{x}
		return nil
	}
	if len(b.t.Indexes) == 0 {
		b.addRowID(ctx)
	}
	x.ID = b.t.NextIndexID
	b.t.NextIndexID++
	b.t.Indexes = append(b.t.Indexes, x)
	return nil
}

// addLikeIndex copies an index of another table.
func (b *tableBuilder) addLikeIndex(ctx context.Context, l likeIndex) error {
	x := *l.x
	x.Key = slices.Clone(l.x.Key)
	x.State, x.Failed, x.Job = catalog.IndexPublic, false, ""
	names := make([]string, 0, len(x.Key))
	for i := range x.Key {
		if x.Key[i].Column == 0 {
			x.Key[i].Refs = b.mapColumns(l.from, x.Key[i].Refs)
			name := "expr"
			if ast, err := parser.ParseExpr(x.Key[i].Expr); err == nil {
				name = exprName(ast)
			}
			names = append(names, name)
			continue
		}
		ids := b.mapColumns(l.from, []uint32{x.Key[i].Column})
		x.Key[i].Column = ids[0]
		c, _ := b.t.ColumnByID(ids[0])
		names = append(names, c.Name)
		if x.Primary {
			c.NotNull = true
		}
	}
	x.Include = b.mapColumns(l.from, x.Include)
	label := "idx"
	if x.Primary {
		label, names = "pkey", nil
	} else if x.Constraint != 0 {
		label = "key"
	}
	x.Name = b.relationName(b.t.Schema, b.takenHere, b.t.Name, joinNames(names), label)
	if x.Primary && !x.Deferrable && b.fresh && b.t.HasRowID() {
		b.dropRowID()
	}
	constraint := x.Constraint != 0
	x.Constraint = 0
	if x.Primary && len(b.t.Indexes) > 0 {
		others := b.t.Indexes
		b.t.Indexes = nil
		if err := b.placeIndex(ctx, &x, constraint); err != nil {
			return err
		}
		for _, o := range others {
			o.ID = b.t.NextIndexID
			b.t.NextIndexID++
		}
		b.t.Indexes = append(b.t.Indexes, others...)
		return nil
	}
	return b.placeIndex(ctx, &x, constraint)
}

// dropRowID takes the hidden row store away again, from a table that has no rows.
func (b *tableBuilder) dropRowID() {
	b.t.Indexes = b.t.Indexes[1:]
	b.t.Columns = slices.DeleteFunc(b.t.Columns, func(c *catalog.Column) bool { return c.Hidden })
}
