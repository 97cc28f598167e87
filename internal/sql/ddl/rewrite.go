package ddl

import (
	"context"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// rewrite stores t, the changed copy of a table, with all rows written anew under a fresh Data id. source gives, by id,
// the SQL expressions of columns whose values change, on the old columns; the other columns are copied and generated
// ones computed.
//
// For the length of the copy the old version is seen as a table of its own, under a name that nobody else can see.
func (e *Env) rewrite(ctx context.Context, t *catalog.Table, source map[uint32]string) error {
	old := e.snap().TableByOID(t.OID)
	has, err := e.hasRows(ctx, old)
	if err != nil {
		return err
	}
	data, err := e.newOID(ctx)
	if err != nil {
		return err
	}
	t.Data = keys.TableID(data)
	for _, c := range t.Columns {
		c.Missing, c.HasMissing = datum.Null, false
	}
	if err := e.put(ctx, t); err != nil {
		return err
	}
	if !has {
		return nil
	}
	shadow, err := e.shadow(ctx, old)
	if err != nil {
		return err
	}
	mark := e.Cat.Mark()
	// Foreign keys were valid before; those that a change of type touches are checked below.
	quiet := t.Clone()
	quiet.ForeignKeys, quiet.Inbound = nil, nil
	e.Cat.Overlay(quiet)
	e.Cat.Overlay(shadow)
	_, err = e.Engine.Query(ctx, e.Cat, e.copyStatement(t, old, shadow, source), ignoreRow)
	e.Cat.RollbackTo(mark)
	if err != nil {
		return duplicatedKey(err)
	}
	for _, f := range t.ForeignKeys {
		if f.Validated && slices.ContainsFunc(f.Columns, func(id uint32) bool { return source[id] != "" }) {
			if err := e.validateForeignKey(ctx, t, f); err != nil {
				return err
			}
		}
	}
	return e.dropData(ctx, old)
}

// shadow is the old version of a table under another identity, for reading.
func (e *Env) shadow(ctx context.Context, old *catalog.Table) (*catalog.Table, error) {
	oid, err := e.newOID(ctx)
	if err != nil {
		return nil, err
	}
	s := old.Clone()
	s.OID, s.Schema, s.Name = oid, catalog.OIDPgToast, "rewrite_"+oidText(oid)
	s.RowType, s.ArrayType, s.Checks, s.ForeignKeys, s.Inbound = 0, 0, nil, nil, nil
	s.Indexes = s.Indexes[:1]
	store := *s.Indexes[0]
	store.Name, store.OID, store.Constraint = s.Name+"_rows", 0, 0
	s.Indexes = []*catalog.Index{&store}
	return s, nil
}

func (e *Env) copyStatement(t, old, shadow *catalog.Table, source map[uint32]string) string {
	var into, from []string
	for _, c := range t.VisibleColumns() {
		if c.Generated {
			continue
		}
		x := source[c.ID]
		if x == "" {
			o, _ := old.ColumnByID(c.ID)
			if o == nil || !o.Visible() {
				continue
			}
			x = catalog.QuoteIdent(o.Name)
		}
		into = append(into, catalog.QuoteIdent(c.Name))
		from = append(from, x)
	}
	return "INSERT INTO " + e.qualified(t) + " (" + strings.Join(into, ", ") + ") OVERRIDING SYSTEM VALUE SELECT " +
		strings.Join(from, ", ") + " FROM " + e.qualified(shadow)
}

// duplicatedKey words a duplicate found by a copy as PostgreSQL words one found by building an index.
func duplicatedKey(err error) error {
	f := failure.As(err)
	if f == nil || f.Code != failure.UniqueViolation {
		return err
	}
	f = f.Edit()
	f.Message = "could not create unique index \"" + f.Constraint + "\""
	f.Detail = strings.Replace(f.Detail, " already exists.", " is duplicated.", 1)
	return f
}

// rekeyIfNeeded stores a changed table. When the row store has lost its primary key, or a column of it, the rows move
// under hidden row ids.
func (e *Env) rekeyIfNeeded(ctx context.Context, t *catalog.Table) error {
	store := t.RowStore()
	if store == nil || store.Hidden || store.Primary && !droppedKey(t, store) {
		return e.put(ctx, t)
	}
	b := &tableBuilder{Env: e, t: t}
	t.Indexes = t.Indexes[1:]
	b.addRowID(ctx)
	return e.rewrite(ctx, t, nil)
}

func droppedKey(t *catalog.Table, x *catalog.Index) bool {
	return slices.ContainsFunc(x.Key, func(k catalog.IndexColumn) bool {
		c, _ := t.ColumnByID(k.Column)
		return c == nil || c.Dropped
	})
}
