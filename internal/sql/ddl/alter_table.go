package ddl

import (
	"context"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// alterer carries out the commands of one ALTER TABLE, each on a fresh copy of the table that it stores.
type alterer struct {
	*Env
	stmt *parser.AlterTableStmt
	oid  catalog.OID
	res  *Result
}

func (e *Env) alterTable(ctx context.Context, s *parser.AlterTableStmt) (Result, error) {
	res := Result{Tag: "ALTER " + s.Object.String()}
	r, err := e.relation(&s.Table.Relation, s.IfExists)
	if err != nil || !r.Found() {
		return res, err
	}
	if err := alterKind(s, r); err != nil {
		return res, err
	}
	if err := e.own(r); err != nil {
		return res, err
	}
	if r.Index != nil {
		return res, e.alterIndex(ctx, r, s)
	}
	a := &alterer{Env: e, stmt: s, oid: r.Table.OID, res: &res}
	cmds := slices.Clone(s.Cmds)
	slices.SortStableFunc(cmds, func(x, y *parser.AlterTableCmd) int { return alterPass(x.Kind) - alterPass(y.Kind) })
	for _, c := range cmds {
		if err := a.command(ctx, c); err != nil {
			return res, err
		}
	}
	return res, nil
}

// alterKind checks the word after ALTER against what the relation is.
func alterKind(s *parser.AlterTableStmt, r catalog.Relation) error {
	want := map[parser.ObjectType]catalog.RelKind{parser.ObjectView: catalog.RelView, parser.ObjectSequence: catalog.RelSequence,
		parser.ObjectIndex: catalog.RelIndex, parser.ObjectMatView: catalog.RelMatView, parser.ObjectTypeName: catalog.RelComposite}
	k, ok := want[s.Object]
	if ok && k != r.Kind() {
		article := "a"
		if k == catalog.RelIndex {
			article = "an"
		}
		return failure.New(failure.WrongObjectType, "\"%s\" is not %s %s", r.Name(), article, k.Word())
	}
	if ok || r.Kind() == catalog.RelTable {
		return nil
	}
	for _, c := range s.Cmds {
		switch c.Kind {
		case parser.ATOwner, parser.ATSetOptions, parser.ATResetOptions, parser.ATSetTablespace:
		case parser.ATSetDefault, parser.ATDropDefault:
			if r.Kind() == catalog.RelView {
				continue
			}
			fallthrough
		default:
			return failure.New(failure.WrongObjectType, "ALTER action %s cannot be performed on relation \"%s\"", alterAction(c), r.Name()).
				WithDetail("This operation is not supported for %s.", pluralWord(r.Kind()))
		}
	}
	return nil
}

// alterAction names a command in errors.
func alterAction(c *parser.AlterTableCmd) string {
	switch c.Kind {
	case parser.ATAddColumn:
		return "ADD COLUMN"
	case parser.ATDropColumn:
		return "DROP COLUMN"
	case parser.ATAlterColumnType:
		return "ALTER COLUMN ... SET DATA TYPE"
	case parser.ATSetDefault, parser.ATDropDefault:
		return "ALTER COLUMN ... SET DEFAULT"
	case parser.ATSetNotNull:
		return "ALTER COLUMN ... SET NOT NULL"
	case parser.ATDropNotNull:
		return "ALTER COLUMN ... DROP NOT NULL"
	case parser.ATAddConstraint:
		return "ADD CONSTRAINT"
	case parser.ATDropConstraint:
		return "DROP CONSTRAINT"
	default:
		return "ALTER"
	}
}

// alterPass orders commands as PostgreSQL's passes do: what is dropped goes first, constraints come after columns.
func alterPass(k parser.AlterTableKind) int {
	switch k {
	case parser.ATDropColumn, parser.ATDropConstraint, parser.ATDropNotNull, parser.ATDropDefault, parser.ATDropExpression, parser.ATDropIdentity:
		return 0
	case parser.ATAlterColumnType:
		return 1
	case parser.ATAddColumn:
		return 2
	case parser.ATSetDefault, parser.ATSetNotNull, parser.ATAddIdentity, parser.ATSetIdentity:
		return 3
	case parser.ATAddConstraint:
		return 4
	default:
		return 5
	}
}

// builder starts a change of the table.
func (a *alterer) builder() *tableBuilder {
	return &tableBuilder{Env: a.Env, t: a.snap().TableByOID(a.oid).Clone()}
}

func (a *alterer) command(ctx context.Context, c *parser.AlterTableCmd) error {
	switch c.Kind {
	case parser.ATAddColumn:
		return a.addColumn(ctx, c)
	case parser.ATDropColumn:
		return a.dropColumn(ctx, c)
	case parser.ATAlterColumnType:
		return a.alterType(ctx, c)
	case parser.ATSetDefault, parser.ATDropDefault:
		return a.setDefault(ctx, c)
	case parser.ATSetNotNull, parser.ATDropNotNull:
		return a.setNotNull(ctx, c)
	case parser.ATDropExpression:
		return a.dropExpression(ctx, c)
	case parser.ATAddIdentity, parser.ATSetIdentity, parser.ATDropIdentity:
		return a.identityCommand(ctx, c)
	case parser.ATAddConstraint:
		return a.addConstraint(ctx, c.Constraint)
	case parser.ATAlterConstraint:
		return a.alterConstraint(ctx, c.Constraint)
	case parser.ATValidateConstraint:
		return a.validateCommand(ctx, c)
	case parser.ATDropConstraint:
		return a.dropConstraint(ctx, c)
	case parser.ATOwner:
		return a.changeOwner(ctx, a.oid, c.Owner)
	default:
		return a.smallCommand(ctx, c)
	}
}

// smallCommand handles commands that only note something in the descriptor.
func (a *alterer) smallCommand(ctx context.Context, c *parser.AlterTableCmd) error {
	b := a.builder()
	switch c.Kind {
	case parser.ATSetStatistics:
		col, err := b.needColumn(c.Name)
		if err != nil {
			return err
		}
		col.StatTarget = c.Value + 1
	case parser.ATSetStorage, parser.ATSetCompression, parser.ATSetColumnOptions, parser.ATResetColumnOptions:
		if _, err := b.needColumn(c.Name); err != nil {
			return err
		}
	case parser.ATSetOptions:
		b.t.Options = setOptions(b.t.Options, c.Options)
	case parser.ATResetOptions:
		for _, o := range c.Options {
			delete(b.t.Options, o.Name)
		}
	case parser.ATSetLogged, parser.ATSetUnlogged:
		if b.t.Persistence == 't' {
			return failure.New(failure.InvalidTableDefinition, "cannot change logged status of table \"%s\" because it is temporary", b.t.Name)
		}
		b.t.Persistence = 0
		if c.Kind == parser.ATSetUnlogged {
			b.t.Persistence = 'u'
		}
	case parser.ATSetWithoutOIDs, parser.ATSetWithoutCluster:
		return nil
	case parser.ATDisableRowSecurity, parser.ATNoForceRowSecurity:
		return nil // it never is in force
	case parser.ATReplicaIdentity:
		if c.Word != "DEFAULT" {
			return failure.NotSupported("REPLICA IDENTITY %s is", c.Word)
		}
		return nil
	case parser.ATEnableTrigger, parser.ATEnableAlwaysTrigger, parser.ATEnableReplicaTrigger, parser.ATDisableTrigger:
		switch {
		case c.Name != "":
			return failure.New(failure.UndefinedObject, "trigger \"%s\" for table \"%s\" does not exist", c.Name, b.t.Name)
		case c.Kind == parser.ATDisableTrigger && c.Word == "ALL":
			return failure.NotSupported("disabling the checks of foreign keys is")
		}
		return nil // there are no triggers but those of foreign keys, which are on
	case parser.ATEnableRule, parser.ATEnableAlwaysRule, parser.ATEnableReplicaRule, parser.ATDisableRule:
		return failure.New(failure.UndefinedObject, "rule \"%s\" for relation \"%s\" does not exist", c.Name, b.t.Name)
	case parser.ATNotOf:
		return failure.New(failure.WrongObjectType, "\"%s\" is not a typed table", b.t.Name)
	case parser.ATAttachPartition, parser.ATDetachPartition:
		return failure.New(failure.InvalidObjectDefinition, "table \"%s\" is not partitioned", b.t.Name)
	default:
		return failure.NotSupported("this form of ALTER TABLE is")
	}
	return b.put(ctx, b.t)
}

func setOptions(old catalog.Setting, options []*parser.DefElem) catalog.Setting {
	if old == nil {
		old = catalog.Setting{}
	}
	for _, o := range options {
		old[o.Name] = optionText(o)
	}
	return old
}

// optionText prints an option's value.
func optionText(o *parser.DefElem) string {
	switch v := o.Arg.(type) {
	case nil:
		return "true"
	case *parser.Const:
		switch v.Kind {
		case parser.ConstInteger:
			return itoa(int(v.Int))
		case parser.ConstBoolean:
			if v.Bool {
				return "true"
			}
			return "false"
		default:
			return v.Str
		}
	case *parser.TypeName:
		return v.Names[len(v.Names)-1]
	case *parser.QualifiedName:
		return strings.Join(v.Parts, ".")
	default:
		return ""
	}
}

// needColumn returns the column of that name of the table being changed, or 42703.
func (b *tableBuilder) needColumn(name string) (*catalog.Column, error) {
	if c, _ := b.t.ColumnByName(name); c != nil {
		return c, nil
	}
	if slices.Contains(systemColumns[:], name) {
		return nil, failure.New(failure.FeatureNotSupported, "cannot alter system column \"%s\"", name)
	}
	return nil, failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, b.t.Name)
}

// addColumn adds a column. Rows that are there get a constant default as the column's missing value; any other default
// is computed for each of them.
func (a *alterer) addColumn(ctx context.Context, cmd *parser.AlterTableCmd) error {
	b := a.builder()
	if c, _ := b.t.ColumnByName(cmd.Column.Name); c != nil && cmd.IfNotExists {
		a.notice(failure.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists, skipping", c.Name, b.t.Name)
		return nil
	}
	c, err := b.column(ctx, cmd.Column)
	if err != nil {
		return err
	}
	keys, checks, foreign, defaults := b.keys, b.checks, b.foreign, b.defaults
	b.keys, b.checks, b.foreign, b.defaults = nil, nil, nil, nil
	has, err := a.hasRows(ctx, a.snap().TableByOID(a.oid))
	if err != nil {
		return err
	}
	compute := has && c.Default != "" || has && c.Identity != catalog.IdentityNone
	for _, d := range defaults {
		computed, err := b.newDefault(ctx, d, has)
		if err != nil {
			return err
		}
		compute = compute || computed
	}
	if err := b.storeSequences(ctx); err != nil {
		return err
	}
	if has && c.NotNull && !compute && !c.HasMissing {
		return failure.New(failure.NotNullViolation, "column \"%s\" of relation \"%s\" contains null values", c.Name, b.t.Name).
			WithTable(a.snap().SchemaName(b.t.Schema), b.t.Name).WithColumn(c.Name)
	}
	if err := a.put(ctx, b.t); err != nil {
		return err
	}
	if compute {
		sql := "UPDATE " + a.qualified(b.t) + " SET " + catalog.QuoteIdent(c.Name) + " = DEFAULT"
		if _, err := a.Engine.Query(ctx, a.Cat, sql, ignoreRow); err != nil {
			return err
		}
	}
	return a.laterConstraints(ctx, b.columnOf, keys, checks, foreign)
}

// laterConstraints adds what was written at a new column.
func (a *alterer) laterConstraints(ctx context.Context, columnOf map[*parser.Constraint]string, keys []*pendingKey,
	checks []*parser.Constraint, foreign []pendingForeign) error {
	for _, k := range keys {
		if err := a.addKeyConstraint(ctx, k); err != nil {
			return err
		}
	}
	for _, c := range checks {
		if err := a.addCheckConstraint(ctx, c, columnOf); err != nil {
			return err
		}
	}
	for _, f := range foreign {
		if err := a.addForeignConstraint(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// newDefault binds the default of a column being added. computed says that it must be computed for each row.
func (b *tableBuilder) newDefault(ctx context.Context, d pendingDefault, has bool) (computed bool, err error) {
	if isNullConst(d.c.Expr) && d.c.Kind == parser.ConstrDefault {
		return false, nil
	}
	generated := d.c.Kind == parser.ConstrGenerated
	info, err := b.bindDefault(ctx, d.column, d.c.Expr, generated)
	if err != nil {
		return false, err
	}
	if generated {
		d.column.Refs = info.Columns
	}
	if err := b.defaultText(ctx, d.column, info.Text, info.DependsOn); err != nil || !has {
		return false, err
	}
	if generated || info.Volatility == 'v' {
		return true, nil
	}
	v, err := b.bindExpr(ctx, ExprRequest{Kind: ExprDefault, Snapshot: b.snap(), Path: b.Path, Expr: d.c.Expr,
		Want: d.column.Type, Column: d.column.Name, Eval: true, Text: b.Text})
	if err != nil {
		return false, err
	}
	if !catalog.CanEncode(v.Value) {
		return true, nil
	}
	d.column.Missing, d.column.HasMissing = v.Value, !v.Value.IsNull()
	return false, nil
}

func (a *alterer) dropColumn(ctx context.Context, cmd *parser.AlterTableCmd) error {
	t := a.snap().TableByOID(a.oid)
	c, _ := t.ColumnByName(cmd.Name)
	if c == nil {
		if slices.Contains(systemColumns[:], cmd.Name) {
			return failure.New(failure.FeatureNotSupported, "cannot drop system column \"%s\"", cmd.Name)
		}
		if cmd.IfExists {
			a.notice(failure.SuccessfulCompletion, "column \"%s\" of relation \"%s\" does not exist, skipping", cmd.Name, t.Name)
			return nil
		}
		return failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", cmd.Name, t.Name)
	}
	return a.dropObjects(ctx, []object{{classColumn, t.OID, c.ID}}, cmd.Behavior)
}

func (a *alterer) setDefault(ctx context.Context, cmd *parser.AlterTableCmd) error {
	b := a.builder()
	c, err := b.needColumn(cmd.Name)
	if err != nil {
		return err
	}
	if c.Identity != catalog.IdentityNone {
		err := failure.New(failure.SyntaxError, "column \"%s\" of relation \"%s\" is an identity column", c.Name, b.t.Name)
		if cmd.Kind == parser.ATDropDefault {
			err = err.WithHint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.")
		}
		return err
	}
	if c.Generated {
		err := failure.New(failure.SyntaxError, "column \"%s\" of relation \"%s\" is a generated column", c.Name, b.t.Name)
		if cmd.Kind == parser.ATDropDefault {
			err = err.WithHint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.")
		}
		return err
	}
	c.Default, c.DefaultOID, c.DependsOn = "", 0, nil
	if cmd.Kind == parser.ATSetDefault {
		con := &parser.Constraint{Pos: parser.NoPos, Kind: parser.ConstrDefault, Expr: cmd.Expr}
		if err := b.resolveDefault(ctx, pendingDefault{c, con}); err != nil {
			return err
		}
	}
	return b.put(ctx, b.t)
}

func (a *alterer) setNotNull(ctx context.Context, cmd *parser.AlterTableCmd) error {
	b := a.builder()
	c, err := b.needColumn(cmd.Name)
	if err != nil {
		return err
	}
	if cmd.Kind == parser.ATSetNotNull {
		if c.NotNull {
			return nil
		}
		if err := a.validateNotNull(ctx, b.t, c); err != nil {
			return err
		}
		c.NotNull = true
		return b.put(ctx, b.t)
	}
	if c.Identity != catalog.IdentityNone {
		return failure.New(failure.SyntaxError, "column \"%s\" of relation \"%s\" is an identity column", c.Name, b.t.Name)
	}
	if pk := b.t.PrimaryKey(); pk != nil {
		for _, k := range pk.Key {
			if k.Column == c.ID {
				return failure.New(failure.InvalidTableDefinition, "column \"%s\" is in a primary key", c.Name)
			}
		}
	}
	c.NotNull = false
	return b.put(ctx, b.t)
}

func (a *alterer) dropExpression(ctx context.Context, cmd *parser.AlterTableCmd) error {
	b := a.builder()
	c, err := b.needColumn(cmd.Name)
	if err != nil {
		return err
	}
	if !c.Generated {
		if cmd.IfExists {
			a.notice(failure.SuccessfulCompletion, "column \"%s\" of relation \"%s\" is not a stored generated column, skipping", c.Name, b.t.Name)
			return nil
		}
		return failure.New(failure.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is not a stored generated column", c.Name, b.t.Name)
	}
	c.Generated, c.Default, c.DefaultOID, c.Refs, c.DependsOn = false, "", 0, nil, nil
	return b.put(ctx, b.t)
}

func (a *alterer) identityCommand(ctx context.Context, cmd *parser.AlterTableCmd) error {
	b := a.builder()
	c, err := b.needColumn(cmd.Name)
	if err != nil {
		return err
	}
	if cmd.Kind == parser.ATAddIdentity {
		switch {
		case !identityType(c.Type):
			return notIdentityType()
		case !c.NotNull:
			return failure.New(failure.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" must be declared NOT NULL before identity can be added", c.Name, b.t.Name)
		case c.Identity != catalog.IdentityNone:
			return failure.New(failure.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is already an identity column", c.Name, b.t.Name)
		case c.Default != "":
			return failure.New(failure.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" already has a default value", c.Name, b.t.Name)
		}
		if err := b.identity(ctx, c, cmd.Constraint); err != nil {
			return err
		}
		if err := b.storeSequences(ctx); err != nil {
			return err
		}
		return b.put(ctx, b.t)
	}
	if c.Identity == catalog.IdentityNone {
		if cmd.Kind == parser.ATDropIdentity && cmd.IfExists {
			a.notice(failure.SuccessfulCompletion, "column \"%s\" of relation \"%s\" is not an identity column, skipping", c.Name, b.t.Name)
			return nil
		}
		return failure.New(failure.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is not an identity column", c.Name, b.t.Name)
	}
	seq := a.snap().TableByOID(c.IdentitySequence).Clone()
	if cmd.Kind == parser.ATDropIdentity {
		c.Identity, c.IdentitySequence = catalog.IdentityNone, 0
		if err := b.put(ctx, b.t); err != nil {
			return err
		}
		return a.Cat.Delete(ctx, seq)
	}
	var options []*parser.DefElem
	for _, o := range cmd.Options {
		if o.Name != "generated" {
			options = append(options, o)
			continue
		}
		c.Identity = catalog.IdentityByDefault
		if k, ok := o.Arg.(*parser.Const); ok && (k.Bool || strings.EqualFold(k.Str, "always") || k.Str == "a" || k.Int == 'a') {
			c.Identity = catalog.IdentityAlways
		}
	}
	if err := a.changeSequence(ctx, seq, options); err != nil {
		return err
	}
	if err := a.put(ctx, seq); err != nil {
		return err
	}
	return b.put(ctx, b.t)
}

// alterType changes a column's type: in the descriptor alone when stored values stay as they are, by a rewrite
// otherwise.
func (a *alterer) alterType(ctx context.Context, cmd *parser.AlterTableCmd) error {
	b := a.builder()
	c, err := b.needColumn(cmd.Name)
	if err != nil {
		return err
	}
	typ, err := a.Engine.ResolveType(a.snap(), a.Path, cmd.Type)
	if err != nil {
		return err
	}
	if err := b.columnType(ctx, c.Name, typ); err != nil {
		return err
	}
	if err := a.typeIsFree(b.t, c); err != nil {
		return err
	}
	source, err := a.transform(ctx, b.t, c, typ, cmd)
	if err != nil {
		return err
	}
	old := c.Type
	if c.Default != "" && !c.Generated && !a.Facts.CanCoerce(old.OID, typ.OID, 1) {
		return failure.New(failure.DatatypeMismatch, "default for column \"%s\" cannot be cast automatically to type %s", c.Name, a.typeName(typ))
	}
	c.Type, c.Storage = typ, b.storage(typ.OID)
	if err := b.collation(c, cmd.Collation); err != nil {
		return err
	}
	if err := b.retypeIndexes(c); err != nil {
		return err
	}
	if err := a.retypeIdentity(ctx, c); err != nil {
		return err
	}
	if source == "" && sameRepresentation(old, typ) && c.Storage == 0 {
		return b.put(ctx, b.t)
	}
	if source == "" {
		source = catalog.QuoteIdent(c.Name)
	}
	return a.rewrite(ctx, b.t, map[uint32]string{c.ID: source})
}

// typeIsFree refuses to change the type of a column that views, generated columns or foreign keys rest on.
func (a *alterer) typeIsFree(t *catalog.Table, c *catalog.Column) error {
	for v := range a.snap().Tables() {
		if v.View == nil {
			continue
		}
		for _, u := range v.View.DependsOnColumns {
			if u.Table == t.OID && slices.Contains(u.Columns, c.ID) {
				return failure.New(failure.FeatureNotSupported, "cannot alter type of a column used by a view or rule").
					WithDetail("rule _RETURN on view %s depends on column \"%s\"", v.Name, c.Name)
			}
		}
	}
	for _, g := range t.Columns {
		if g.Generated && slices.Contains(g.Refs, c.ID) {
			return failure.New(failure.FeatureNotSupported, "cannot alter type of a column used by a generated column").
				WithDetail("Column \"%s\" is used by generated column \"%s\".", c.Name, g.Name)
		}
	}
	return nil
}

// transform returns the text of the USING expression, "" for the assignment cast, which must then exist.
func (a *alterer) transform(ctx context.Context, t *catalog.Table, c *catalog.Column, typ datum.Type, cmd *parser.AlterTableCmd) (string, error) {
	if cmd.Expr != nil {
		info, err := a.bindExpr(ctx, ExprRequest{Kind: ExprTransform, Snapshot: a.snap(), Path: a.Path, Expr: cmd.Expr,
			Table: t, Want: typ, Column: c.Name, Text: a.Text})
		return info.Text, err
	}
	if c.Type.OID == typ.OID || a.Facts.CanCoerce(c.Type.OID, typ.OID, 1) {
		return "", nil
	}
	return "", failure.New(failure.DatatypeMismatch, "column \"%s\" cannot be cast automatically to type %s", c.Name, a.typeName(typ)).
		WithHint("You might need to specify \"USING %s::%s\".", catalog.QuoteIdent(c.Name), a.typeName(typ))
}

// sameRepresentation says whether every stored value of type from is, byte for byte, the value of type to.
func sameRepresentation(from, to datum.Type) bool {
	if from == to {
		return true
	}
	width := map[datum.OID]int{datum.OIDInt2: 2, datum.OIDInt4: 4, datum.OIDInt8: 8}
	if width[from.OID] > 0 && width[to.OID] > 0 {
		return width[from.OID] <= width[to.OID]
	}
	switch to.OID {
	case datum.OIDText:
		return from.OID == datum.OIDVarchar
	case datum.OIDVarchar:
		return (from.OID == datum.OIDText && to.Mod < 0) ||
			from.OID == datum.OIDVarchar && (to.Mod < 0 || from.Mod >= 0 && from.Mod <= to.Mod)
	case datum.OIDNumeric:
		if from.OID != datum.OIDNumeric {
			return false
		}
		if to.Mod < 0 {
			return true
		}
		fp, fs := datum.NumericTypmod(from.Mod)
		tp, ts := datum.NumericTypmod(to.Mod)
		return from.Mod >= 0 && fs == ts && fp <= tp
	case datum.OIDTimestamp, datum.OIDTimestampTZ, datum.OIDTime:
		return from.OID == to.OID && (to.Mod < 0 || from.Mod >= 0 && from.Mod <= to.Mod)
	}
	return false
}

// retypeIndexes gives index keys on the column its new type.
func (b *tableBuilder) retypeIndexes(c *catalog.Column) error {
	for _, x := range b.t.Indexes {
		for i := range x.Key {
			if x.Key[i].Column == c.ID {
				if err := b.keyable(c.Type); err != nil {
					return err
				}
				x.Key[i].Type = c.Stored()
			} else if slices.Contains(x.Key[i].Refs, c.ID) {
				return failure.NotSupported("changing the type of a column used in an index expression is")
			}
		}
	}
	return nil
}

// retypeIdentity changes the type of an identity column's sequence with the column's.
func (a *alterer) retypeIdentity(ctx context.Context, c *catalog.Column) error {
	if c.Identity == catalog.IdentityNone {
		return nil
	}
	if !identityType(c.Type) {
		return notIdentityType()
	}
	seq := a.snap().TableByOID(c.IdentitySequence).Clone()
	_, oldMax := sequenceBounds(seq.Sequence.Type.OID)
	seq.Sequence.Type = c.Type
	if _, hi := sequenceBounds(c.Type.OID); seq.Sequence.Max == oldMax || seq.Sequence.Max > hi {
		seq.Sequence.Max = hi
	}
	return a.put(ctx, seq)
}
