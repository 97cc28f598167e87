package ddl

import (
	"context"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// Handles says whether Run knows the kind of statement.
func Handles(s parser.Statement) bool {
	switch s.(type) {
	case *parser.CreateTableStmt, *parser.CreateIndexStmt, *parser.CreateSeqStmt, *parser.CreateSchemaStmt,
		*parser.ViewStmt, *parser.CreateEnumStmt, *parser.CreateDomainStmt, *parser.CompositeTypeStmt, *parser.CreateRoleStmt,
		*parser.AlterTableStmt, *parser.AlterSeqStmt, *parser.AlterEnumStmt, *parser.AlterDomainStmt, *parser.AlterRoleStmt,
		*parser.AlterRoleSetStmt, *parser.AlterOwnerStmt, *parser.AlterObjectSchemaStmt, *parser.AlterDefaultPrivilegesStmt,
		*parser.RenameStmt, *parser.DropStmt, *parser.DropRoleStmt, *parser.TruncateStmt, *parser.CommentStmt,
		*parser.GrantStmt, *parser.GrantRoleStmt, *parser.AWSIAMStmt, *parser.AlterDatabaseSetStmt, *parser.OwnedStmt,
		*parser.CreateFunctionStmt:
		return true
	case *parser.VacuumStmt:
		return true
	case *parser.CreateTriggerStmt, *parser.RuleStmt, *parser.PolicyStmt, *parser.CreateCastStmt, *parser.CreateExtensionStmt,
		*parser.CreateRangeStmt, *parser.DefineStmt, *parser.AlterTypeStmt, *parser.AlterFunctionStmt, *parser.CreateStatsStmt,
		*parser.AlterStatsStmt, *parser.SecLabelStmt, *parser.DatabaseStmt, *parser.AlterSystemStmt, *parser.OtherStmt,
		*parser.RefreshMatViewStmt, *parser.AlterObjectDependsStmt, *parser.AlterTableMoveAllStmt, *parser.ReindexStmt,
		*parser.ClusterStmt:
		return true
	}
	return false
}

// Run carries a statement out. Statements that Meridian does not have answer 0A000.
func (e *Env) Run(ctx context.Context, s parser.Statement) (Result, error) {
	res, err := e.run(ctx, s)
	res.Pending = e.pending
	return res, err
}

func (e *Env) run(ctx context.Context, s parser.Statement) (Result, error) {
	switch s := s.(type) {
	case *parser.CreateTableStmt:
		return e.createTable(ctx, s)
	case *parser.CreateIndexStmt:
		return e.createIndex(ctx, s)
	case *parser.CreateSeqStmt:
		return e.createSequence(ctx, s)
	case *parser.CreateSchemaStmt:
		return e.createSchema(ctx, s)
	case *parser.ViewStmt:
		return e.createView(ctx, s)
	case *parser.CreateEnumStmt:
		return e.createEnum(ctx, s)
	case *parser.CreateDomainStmt:
		return e.createDomain(ctx, s)
	case *parser.CompositeTypeStmt:
		return e.createComposite(ctx, s)
	case *parser.CreateRoleStmt:
		return e.createRole(ctx, s)
	case *parser.AlterTableStmt:
		return e.alterTable(ctx, s)
	case *parser.AlterSeqStmt:
		return e.alterSequence(ctx, s)
	case *parser.AlterEnumStmt:
		return e.alterEnum(ctx, s)
	case *parser.AlterDomainStmt:
		return e.alterDomain(ctx, s)
	case *parser.AlterRoleStmt:
		return e.alterRole(ctx, s)
	case *parser.AlterRoleSetStmt:
		return e.alterRoleSet(ctx, s)
	case *parser.DropStmt:
		return e.drop(ctx, s)
	case *parser.DropRoleStmt:
		return e.dropRole(ctx, s)
	default:
		return e.runMore(ctx, s)
	}
}

func (e *Env) runMore(ctx context.Context, s parser.Statement) (Result, error) {
	switch s := s.(type) {
	case *parser.CreateFunctionStmt:
		return e.createFunction(ctx, s)
	case *parser.AlterFunctionStmt:
		return e.alterFunction(ctx, s)
	case *parser.AlterOwnerStmt:
		return e.alterOwner(ctx, s)
	case *parser.AlterObjectSchemaStmt:
		return e.alterSchema(ctx, s)
	case *parser.AlterDefaultPrivilegesStmt:
		return e.alterDefaultPrivileges(ctx, s)
	case *parser.AlterDatabaseSetStmt:
		return e.alterDatabaseSet(ctx, s)
	case *parser.RenameStmt:
		return e.rename(ctx, s)
	case *parser.TruncateStmt:
		return e.truncate(ctx, s)
	case *parser.CommentStmt:
		return e.comment(ctx, s)
	case *parser.GrantStmt:
		return e.grant(ctx, s)
	case *parser.GrantRoleStmt:
		return e.grantRole(ctx, s)
	case *parser.AWSIAMStmt:
		return e.awsIAM(ctx, s)
	case *parser.VacuumStmt:
		return e.vacuum(ctx, s)
	case *parser.ReindexStmt:
		return e.reindex(s)
	case *parser.OtherStmt:
		return Result{}, failure.NotSupported("%s is", s.Tag)
	case *parser.DatabaseStmt:
		return Result{}, failure.NotSupported("changing databases is")
	case *parser.CreateExtensionStmt:
		return e.extension(s)
	default:
		return Result{}, failure.NotSupported("%s is", statementWords(s))
	}
}

// statementWords names statements that are not there.
func statementWords(s parser.Statement) string {
	switch s := s.(type) {
	case *parser.CreateFunctionStmt:
		if s.Procedure {
			return "CREATE PROCEDURE"
		}
		return "CREATE FUNCTION"
	case *parser.AlterFunctionStmt:
		return "ALTER FUNCTION"
	case *parser.CreateTriggerStmt:
		return "CREATE TRIGGER"
	case *parser.RuleStmt:
		return "CREATE RULE"
	case *parser.PolicyStmt:
		return "CREATE POLICY"
	case *parser.CreateCastStmt:
		return "CREATE CAST"
	case *parser.CreateRangeStmt:
		return "CREATE TYPE AS RANGE"
	case *parser.DefineStmt:
		return "CREATE " + s.Object.String()
	case *parser.AlterTypeStmt:
		return "ALTER " + s.Object.String()
	case *parser.CreateStatsStmt, *parser.AlterStatsStmt:
		return "extended statistics"
	case *parser.SecLabelStmt:
		return "SECURITY LABEL"
	case *parser.AlterSystemStmt:
		return "ALTER SYSTEM"
	case *parser.RefreshMatViewStmt:
		return "REFRESH MATERIALIZED VIEW"
	case *parser.ClusterStmt:
		return "CLUSTER"
	case *parser.OwnedStmt:
		return "DROP OWNED and REASSIGN OWNED"
	default:
		return "this statement"
	}
}

// reindex finds nothing to do: indexes are kept whole by every commit. A failed build must be dropped and made again.
func (e *Env) reindex(s *parser.ReindexStmt) (Result, error) {
	res := Result{Tag: "REINDEX"}
	if s.Relation == nil {
		return res, nil
	}
	r, err := e.relation(s.Relation, false)
	if err != nil {
		return res, err
	}
	if err := e.own(r); err != nil {
		return res, err
	}
	if s.Target == "INDEX" && r.Index == nil {
		return res, failure.New(failure.WrongObjectType, "\"%s\" is not an index", r.Name())
	}
	for _, x := range r.Table.Indexes {
		if x.Failed && (r.Index == nil || r.Index == x) {
			return res, failure.NotSupported("building the failed index \"%s\" again is", x.Name)
		}
	}
	return res, nil
}

// extension knows plpgsql, which PostgreSQL has from the start, and nothing else.
func (e *Env) extension(s *parser.CreateExtensionStmt) (Result, error) {
	if s.Name == "plpgsql" && s.IfNotExists {
		e.notice(failure.DuplicateObject, "extension \"%s\" already exists, skipping", s.Name)
		return Result{Tag: "CREATE EXTENSION"}, nil
	}
	return Result{}, failure.New(failure.FeatureNotSupported, "extension \"%s\" is not available", s.Name).
		WithHint("The extension must first be installed on the system where PostgreSQL is running.")
}

func (e *Env) alterDatabaseSet(ctx context.Context, s *parser.AlterDatabaseSetStmt) (Result, error) {
	res := Result{Tag: "ALTER DATABASE"}
	d := e.snap().Database()
	if s.Name != d.Name {
		return res, failure.New(failure.UndefinedDatabase, "database \"%s\" does not exist", s.Name)
	}
	if !e.snap().Member(e.User, d.Owner) {
		return res, catalog.NotOwner("database", d.Name)
	}
	d = d.Clone()
	d.Config = changeConfig(d.Config, s.Set)
	return res, e.put(ctx, d)
}

// alterIndex carries out the few commands of ALTER INDEX.
func (e *Env) alterIndex(ctx context.Context, r catalog.Relation, s *parser.AlterTableStmt) error {
	for _, c := range s.Cmds {
		switch c.Kind {
		case parser.ATSetOptions, parser.ATResetOptions, parser.ATSetStatistics:
			// Storage parameters of indexes mean nothing here.
		case parser.ATOwner:
			e.warn(failure.WrongObjectType, "cannot change owner of index \"%s\"", r.Name())
		default:
			return failure.NotSupported("this form of ALTER INDEX is")
		}
	}
	return nil
}

// newOwner resolves the role that shall own something in a schema (0: no schema) and checks that the user may do so.
func (e *Env) newOwner(spec *parser.RoleSpec, schema catalog.OID) (*catalog.Role, error) {
	r, err := e.role(spec)
	if err != nil {
		return nil, err
	}
	s := e.snap()
	if e.superuser() {
		return r, nil
	}
	if !s.MayBecome(e.User, r.OID) {
		return nil, failure.New(failure.InsufficientPrivilege, "must be member of role \"%s\"", r.Name)
	}
	if d := s.SchemaByOID(schema); d != nil {
		return r, s.CheckSchema(r.OID, d, catalog.PrivCreate)
	}
	return r, nil
}

// aclForOwner rewrites an access list after a change of owner.
func aclForOwner(acl catalog.ACL, from, to catalog.OID) catalog.ACL {
	if acl == nil {
		return nil
	}
	out := catalog.ACL{}
	for _, it := range acl {
		if it.Grantee == from {
			it.Grantee = to
		}
		if it.Grantor == from {
			it.Grantor = to
		}
		out = out.Grant(it.Grantee, it.Grantor, it.Privs&^it.Options, false)
		if it.Options != 0 {
			out = out.Grant(it.Grantee, it.Grantor, it.Options, true)
		}
	}
	return out
}

// changeOwner gives a relation, and the sequences it owns, to another role.
func (e *Env) changeOwner(ctx context.Context, oid catalog.OID, spec *parser.RoleSpec) error {
	t := e.snap().TableByOID(oid)
	if t.Sequence != nil && t.Sequence.OwnedByTable != 0 {
		return failure.New(failure.FeatureNotSupported, "cannot change owner of sequence \"%s\"", t.Name).
			WithDetail("Sequence \"%s\" is linked to table \"%s\".", t.Name, e.snap().TableByOID(t.Sequence.OwnedByTable).Name)
	}
	r, err := e.newOwner(spec, t.Schema)
	if err != nil {
		return err
	}
	for o := range e.snap().Tables() {
		if o.OID != oid && (o.Sequence == nil || o.Sequence.OwnedByTable != oid) || o.Owner == r.OID {
			continue
		}
		c := o.Clone()
		c.ACL = aclForOwner(c.ACL, c.Owner, r.OID)
		for _, k := range c.Columns {
			k.ACL = aclForOwner(k.ACL, c.Owner, r.OID)
		}
		c.Owner = r.OID
		if err := e.put(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) alterOwner(ctx context.Context, s *parser.AlterOwnerStmt) (Result, error) {
	res := Result{Tag: "ALTER " + s.Object.String()}
	snap := e.snap()
	switch s.Object {
	case parser.ObjectSchema:
		d, err := snap.NeedSchema(s.Target.Names[0])
		if err != nil {
			return res, err
		}
		if !snap.Member(e.User, d.Owner) || isSystemSchema(d.OID) {
			return res, catalog.NotOwner("schema", d.Name)
		}
		r, err := e.newOwner(s.Owner, 0)
		if err != nil {
			return res, err
		}
		c := d.Clone()
		c.ACL, c.Owner = aclForOwner(d.ACL, d.Owner, r.OID), r.OID
		return res, e.put(ctx, c)
	case parser.ObjectDatabase:
		d := snap.Database()
		if s.Target.Names[0] != d.Name {
			return res, failure.New(failure.UndefinedDatabase, "database \"%s\" does not exist", s.Target.Names[0])
		}
		if !snap.Member(e.User, d.Owner) {
			return res, catalog.NotOwner("database", d.Name)
		}
		r, err := e.newOwner(s.Owner, 0)
		if err != nil {
			return res, err
		}
		c := d.Clone()
		c.ACL, c.Owner = aclForOwner(d.ACL, d.Owner, r.OID), r.OID
		return res, e.put(ctx, c)
	case parser.ObjectTypeName, parser.ObjectDomain:
		if row, err := e.rowType(s.Object, s.Target); err != nil {
			return res, err
		} else if row != nil {
			return res, e.changeOwner(ctx, row.OID, s.Owner)
		}
		t, err := e.ownType(objectNames(s.Target))
		if err != nil {
			return res, err
		}
		r, err := e.newOwner(s.Owner, t.Schema)
		if err != nil {
			return res, err
		}
		t.ACL, t.Owner = aclForOwner(t.ACL, t.Owner, r.OID), r.OID
		return res, e.put(ctx, t)
	case parser.ObjectFunction, parser.ObjectProcedure, parser.ObjectRoutine:
		return res, e.functionOwner(ctx, s)
	default:
		return res, failure.NotSupported("ALTER %s OWNER is", s.Object)
	}
}

// objectNames returns the names of an object that may have been written as a type.
func objectNames(o *parser.Object) []string {
	if o.Type != nil {
		return o.Type.Names
	}
	return o.Names
}

func (e *Env) alterSchema(ctx context.Context, s *parser.AlterObjectSchemaStmt) (Result, error) {
	res := Result{Tag: "ALTER " + s.Object.String()}
	d, err := e.snap().NeedSchema(s.NewSchema)
	if err != nil {
		return res, err
	}
	if isSystemSchema(d.OID) {
		return res, failure.New(failure.InsufficientPrivilege, "permission denied for schema %s", d.Name)
	}
	if err := e.snap().CheckSchema(e.User, d, catalog.PrivCreate); err != nil {
		return res, err
	}
	if err := e.Cat.Use(ctx, d.OID); err != nil {
		return res, err
	}
	if s.Relation == nil {
		if s.Object == parser.ObjectFunction || s.Object == parser.ObjectProcedure || s.Object == parser.ObjectRoutine {
			return res, e.functionSchema(ctx, s, d.OID)
		}
		if s.Object != parser.ObjectTypeName && s.Object != parser.ObjectDomain {
			return res, failure.NotSupported("ALTER %s SET SCHEMA is", s.Object)
		}
		if row, err := e.rowType(s.Object, s.Target); err != nil {
			return res, err
		} else if row != nil {
			return res, e.moveRelation(ctx, row, d)
		}
		t, err := e.ownType(objectNames(s.Target))
		if err != nil {
			return res, err
		}
		t.Schema = d.OID
		return res, e.put(ctx, t)
	}
	r, err := e.relation(&s.Relation.Relation, s.IfExists)
	if err != nil || !r.Found() {
		return res, err
	}
	if err := e.own(r); err != nil {
		return res, err
	}
	if r.Table.Persistence == 't' || strings.HasPrefix(d.Name, "pg_temp_") {
		return res, failure.New(failure.FeatureNotSupported, "cannot move objects into or out of temporary schemas")
	}
	if r.Index != nil {
		return res, failure.New(failure.WrongObjectType, "cannot change schema of index \"%s\"", r.Name()).
			WithHint("Change the schema of the table instead.")
	}
	if r.Table.Sequence != nil && r.Table.Sequence.OwnedByTable != 0 {
		return res, failure.New(failure.FeatureNotSupported, "cannot move an owned sequence into another schema").
			WithDetail("Sequence \"%s\" is linked to table \"%s\".", r.Name(), e.snap().TableByOID(r.Table.Sequence.OwnedByTable).Name)
	}
	if r.Table.Schema == d.OID {
		return res, nil
	}
	return res, e.moveRelation(ctx, r.Table, d)
}

// moveRelation puts a relation and its sequences into another schema, and mends what names it.
func (e *Env) moveRelation(ctx context.Context, t *catalog.Table, d *catalog.Schema) error {
	if e.snap().Relation(d.OID, t.Name).Found() {
		return failure.New(failure.DuplicateTable, "relation \"%s\" already exists in schema \"%s\"", t.Name, d.Name)
	}
	for o := range e.snap().Tables() {
		if o.OID != t.OID && (o.Sequence == nil || o.Sequence.OwnedByTable != t.OID) {
			continue
		}
		c := o.Clone()
		c.Schema = d.OID
		if err := e.put(ctx, c); err != nil {
			return err
		}
	}
	return e.renameInViews(ctx, t, d.Name, t.Name)
}

// lower is the lower-case word for a kind of object.
func lower(o parser.ObjectType) string { return strings.ToLower(o.String()) }
