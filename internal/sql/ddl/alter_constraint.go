package ddl

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// rekeyRows is the size up to which ADD PRIMARY KEY rewrites a table so that its rows are stored under the key. In a
// bigger table the primary key is an index beside the rows.
const rekeyRows = 4_000_000

func (a *alterer) addConstraint(ctx context.Context, c *parser.Constraint) error {
	switch c.Kind {
	case parser.ConstrPrimary, parser.ConstrUnique:
		return a.addKeyConstraint(ctx, &pendingKey{c, c.Keys})
	case parser.ConstrCheck:
		return a.addCheckConstraint(ctx, c, nil)
	case parser.ConstrForeign:
		return a.addForeignConstraint(ctx, pendingForeign{c, c.FKColumns})
	default:
		return failure.NotSupported("EXCLUDE constraints are")
	}
}

func (a *alterer) addCheckConstraint(ctx context.Context, c *parser.Constraint, columnOf map[*parser.Constraint]string) error {
	b := a.builder()
	b.columnOf = columnOf
	check, err := b.addCheck(ctx, c)
	if err != nil {
		return err
	}
	if check.Validated {
		if err := a.validateCheck(ctx, b.t, check); err != nil {
			return err
		}
	}
	return b.put(ctx, b.t)
}

func (a *alterer) addForeignConstraint(ctx context.Context, p pendingForeign) error {
	b := a.builder()
	f, err := b.addForeignKey(ctx, p)
	if err != nil {
		return err
	}
	if f.Validated {
		if err := a.validateForeignKey(ctx, b.t, f); err != nil {
			return err
		}
	}
	if err := b.put(ctx, b.t); err != nil {
		return err
	}
	return b.storeParents(ctx)
}

// addKeyConstraint adds a PRIMARY KEY or UNIQUE constraint to a table that may have rows.
func (a *alterer) addKeyConstraint(ctx context.Context, k *pendingKey) error {
	b := a.builder()
	primary := k.c.Kind == parser.ConstrPrimary
	if primary && b.t.PrimaryKey() != nil {
		return failure.New(failure.InvalidTableDefinition, "multiple primary keys for table \"%s\" are not allowed", b.t.Name)
	}
	if k.c.IndexName != "" {
		return a.constraintUsingIndex(ctx, b, k.c)
	}
	var nullable []*catalog.Column
	for _, n := range k.columns {
		if c, _ := b.t.ColumnByName(n); c != nil && primary && !c.NotNull {
			nullable = append(nullable, c)
		}
	}
	x, err := b.buildKey(ctx, k)
	if err != nil {
		return err
	}
	for _, c := range nullable {
		if err := a.validateNotNull(ctx, b.t, c); err != nil {
			return err
		}
	}
	if primary && !x.Deferrable && b.t.HasRowID() {
		n, err := a.Engine.Query(ctx, a.Cat, "SELECT 1 FROM "+a.qualified(b.t)+" LIMIT "+itoa(rekeyRows+1), ignoreRow)
		if err != nil {
			return err
		}
		if n <= rekeyRows {
			return a.rekey(ctx, b, x)
		}
	}
	res, err := a.buildIndex(ctx, *a.res, b.t, x, false)
	*a.res = res
	return err
}

// rekey makes the new primary key x the row store, in place of the hidden row id.
func (a *alterer) rekey(ctx context.Context, b *tableBuilder, x *catalog.Index) error {
	for i, o := range b.t.Indexes {
		if o == x {
			b.t.Indexes = append(b.t.Indexes[:i:i], b.t.Indexes[i+1:]...)
			break
		}
	}
	b.dropRowID()
	x.ID = 1
	b.t.Indexes = append([]*catalog.Index{x}, b.t.Indexes...)
	return a.rewrite(ctx, b.t, nil)
}

// constraintUsingIndex turns a unique index into a constraint.
func (a *alterer) constraintUsingIndex(ctx context.Context, b *tableBuilder, c *parser.Constraint) error {
	x := b.t.IndexByName(c.IndexName)
	if x == nil {
		return a.at(failure.New(failure.UndefinedObject, "index \"%s\" does not exist", c.IndexName), c.Pos)
	}
	switch {
	case x.Constraint != 0:
		return a.at(failure.New(failure.ObjectNotInPrerequisiteState, "index \"%s\" is already associated with a constraint", x.Name), c.Pos)
	case x.State != catalog.IndexPublic || x.Failed:
		return a.at(failure.New(failure.ObjectNotInPrerequisiteState, "index \"%s\" is not valid", x.Name), c.Pos)
	case !x.Unique:
		return a.at(failure.New(failure.WrongObjectType, "\"%s\" is not a unique index", x.Name).
			WithDetail("Cannot create a primary key or unique constraint using such an index."), c.Pos)
	case x.Predicate != "":
		return a.at(failure.New(failure.WrongObjectType, "\"%s\" is a partial index", x.Name).
			WithDetail("Cannot create a primary key or unique constraint using such an index."), c.Pos)
	}
	for _, k := range x.Key {
		if k.Column == 0 {
			return a.at(failure.New(failure.WrongObjectType, "index \"%s\" contains expressions", x.Name).
				WithDetail("Cannot create a primary key or unique constraint using such an index."), c.Pos)
		}
		col, _ := b.t.ColumnByID(k.Column)
		if c.Kind == parser.ConstrPrimary && !col.NotNull {
			if err := a.validateNotNull(ctx, b.t, col); err != nil {
				return err
			}
			col.NotNull = true
		}
	}
	if c.Name != "" && c.Name != x.Name {
		a.notice(failure.SuccessfulCompletion, "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"%s\" to \"%s\"", x.Name, c.Name)
		x.Name = c.Name
	}
	oid, err := a.newOID(ctx)
	if err != nil {
		return err
	}
	if c.InitDeferred {
		return deferredKey("unique")
	}
	x.Constraint, x.Primary = oid, c.Kind == parser.ConstrPrimary
	x.Deferrable, x.InitDeferred = c.Deferrable, c.InitDeferred
	return b.put(ctx, b.t)
}

func (a *alterer) alterConstraint(ctx context.Context, c *parser.Constraint) error {
	b := a.builder()
	for _, f := range b.t.ForeignKeys {
		if f.Name == c.Name {
			f.Deferrable, f.InitDeferred = c.Deferrable, c.InitDeferred
			return b.put(ctx, b.t)
		}
	}
	if b.t.HasConstraint(c.Name) {
		return failure.New(failure.WrongObjectType, "constraint \"%s\" of relation \"%s\" is not a foreign key constraint", c.Name, b.t.Name)
	}
	return noConstraint(c.Name, b.t)
}

func noConstraint(name string, t *catalog.Table) error {
	return failure.New(failure.UndefinedObject, "constraint \"%s\" of relation \"%s\" does not exist", name, t.Name)
}

// constraintOID finds a constraint by name, 0 when there is none.
func constraintOID(t *catalog.Table, name string) catalog.OID {
	for _, c := range t.Checks {
		if c.Name == name {
			return c.OID
		}
	}
	for _, f := range t.ForeignKeys {
		if f.Name == name {
			return f.OID
		}
	}
	for _, x := range t.Indexes {
		if x.Constraint != 0 && x.Name == name {
			return x.Constraint
		}
	}
	return 0
}

func (a *alterer) validateCommand(ctx context.Context, cmd *parser.AlterTableCmd) error {
	b := a.builder()
	oid := constraintOID(b.t, cmd.Name)
	if oid == 0 {
		return noConstraint(cmd.Name, b.t)
	}
	for _, x := range b.t.Indexes {
		if x.Constraint == oid {
			return failure.New(failure.WrongObjectType, "constraint \"%s\" of relation \"%s\" is not a foreign key or check constraint", cmd.Name, b.t.Name)
		}
	}
	if !a.stmt.Async {
		return a.validateConstraint(ctx, b.t, oid)
	}
	job, err := a.addJob(ctx, &Job{Type: JobValidate, Table: b.t.OID, Object: oid}, false)
	if err != nil {
		return err
	}
	a.res.Columns = jobColumns()
	a.res.Rows = append(a.res.Rows, []datum.Datum{datum.NewText(job.ID)})
	return nil
}

func (a *alterer) dropConstraint(ctx context.Context, cmd *parser.AlterTableCmd) error {
	t := a.snap().TableByOID(a.oid)
	oid := constraintOID(t, cmd.Name)
	if oid == 0 {
		if cmd.IfExists {
			a.notice(failure.SuccessfulCompletion, "constraint \"%s\" of relation \"%s\" does not exist, skipping", cmd.Name, t.Name)
			return nil
		}
		return noConstraint(cmd.Name, t)
	}
	return a.dropObjects(ctx, []object{{classConstraint, oid, 0}}, cmd.Behavior)
}
