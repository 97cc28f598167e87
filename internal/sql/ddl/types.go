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

// newType makes an empty descriptor of an enum or domain.
func (e *Env) newType(ctx context.Context, name *parser.QualifiedName, kind catalog.TypeKind) (*catalog.Type, error) {
	schemaName, n := splitName(name.Parts)
	schema, err := e.creationSchema(ctx, "", schemaName)
	if err != nil {
		return nil, err
	}
	if ty, row := e.snap().TypeHolder(schema.OID, n); ty != nil || row != nil {
		return nil, failure.New(failure.DuplicateObject, "type \"%s\" already exists", n)
	}
	t := &catalog.Type{Schema: schema.OID, Name: n, Owner: e.User, Kind: kind}
	if t.OID, err = e.newOID(ctx); err != nil {
		return nil, err
	}
	if t.ArrayType, err = e.newOID(ctx); err != nil {
		return nil, err
	}
	t.ACL = e.defaultACL(schema.OID, 'T', catalog.PrivAllType, catalog.PrivUsage)
	return t, nil
}

func (e *Env) createEnum(ctx context.Context, s *parser.CreateEnumStmt) (Result, error) {
	res := Result{Tag: "CREATE TYPE"}
	t, err := e.newType(ctx, s.Name, catalog.TypeEnum)
	if err != nil {
		return res, err
	}
	for i, v := range s.Values {
		if err := checkLabel(v); err != nil {
			return res, err
		}
		if slices.Contains(s.Values[:i], v) {
			return res, failure.New(failure.UniqueViolation, "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"").
				WithDetail("Key (enumtypid, enumlabel)=(%d, %s) already exists.", t.OID, v)
		}
		oid, err := e.newOID(ctx)
		if err != nil {
			return res, err
		}
		t.Labels = append(t.Labels, catalog.EnumLabel{OID: oid, Label: v, Sort: float32(i + 1)})
	}
	return res, e.put(ctx, t)
}

func checkLabel(v string) error {
	if len(v) > maxName {
		return failure.New(failure.InvalidName, "invalid enum label \"%s\"", v).
			WithDetail("Labels must be %d bytes or less.", maxName)
	}
	return nil
}

// ownType finds a user-defined type for a change by its owner.
func (e *Env) ownType(parts []string) (*catalog.Type, error) {
	schema, name := splitName(parts)
	t, _ := e.snap().FindType(e.Path, schema, name)
	if t == nil {
		return nil, failure.New(failure.UndefinedObject, "type \"%s\" does not exist", strings.Join(parts, "."))
	}
	if !e.snap().Member(e.User, t.Owner) {
		return nil, catalog.NotOwner("type", name)
	}
	return t.Clone(), nil
}

// rowType finds a type that CREATE TYPE name AS (…) made, nil when the name is none. The user must own it.
func (e *Env) rowType(object parser.ObjectType, o *parser.Object) (*catalog.Table, error) {
	schema, name := splitName(objectNames(o))
	_, row := e.snap().FindType(e.Path, schema, name)
	if row == nil || row.Kind != catalog.RelComposite || object != parser.ObjectTypeName {
		return nil, nil
	}
	if !e.snap().Member(e.User, row.Owner) {
		return nil, catalog.NotOwner("type", name)
	}
	return row, nil
}

func (e *Env) alterEnum(ctx context.Context, s *parser.AlterEnumStmt) (Result, error) {
	res := Result{Tag: "ALTER TYPE"}
	t, err := e.ownType(s.Name.Parts)
	if err != nil {
		return res, err
	}
	if t.Kind != catalog.TypeEnum {
		return res, failure.New(failure.WrongObjectType, "%s is not an enum", t.Name)
	}
	if err := checkLabel(s.NewValue); err != nil {
		return res, err
	}
	at := func(label string) int {
		return slices.IndexFunc(t.Labels, func(l catalog.EnumLabel) bool { return l.Label == label })
	}
	missing := func(label string) error {
		return failure.New(failure.InvalidParameterValue, "\"%s\" is not an existing enum label", label)
	}
	exists := at(s.NewValue) >= 0
	if s.HasOld {
		i := at(s.OldValue)
		if i < 0 {
			return res, missing(s.OldValue)
		}
		if exists {
			return res, failure.New(failure.DuplicateObject, "enum label \"%s\" already exists", s.NewValue)
		}
		t.Labels[i].Label = s.NewValue
		return res, e.put(ctx, t)
	}
	if exists {
		if s.IfNotExists {
			e.notice(failure.DuplicateObject, "enum label \"%s\" already exists, skipping", s.NewValue)
			return res, nil
		}
		return res, failure.New(failure.DuplicateObject, "enum label \"%s\" already exists", s.NewValue)
	}
	i := len(t.Labels)
	if s.HasNeighbor {
		if i = at(s.Neighbor); i < 0 {
			return res, missing(s.Neighbor)
		}
		if s.After {
			i++
		}
	}
	oid, err := e.newOID(ctx)
	if err != nil {
		return res, err
	}
	t.Labels = slices.Insert(t.Labels, i, catalog.EnumLabel{OID: oid, Label: s.NewValue, Sort: sortBetween(t.Labels, i)})
	return res, e.put(ctx, t)
}

// sortBetween returns the sort position of a label inserted at i.
func sortBetween(ls []catalog.EnumLabel, i int) float32 {
	switch {
	case len(ls) == 0:
		return 1
	case i == len(ls):
		return ls[i-1].Sort + 1
	case i == 0:
		return ls[0].Sort - 1
	default:
		return (ls[i-1].Sort + ls[i].Sort) / 2
	}
}

func (e *Env) createDomain(ctx context.Context, s *parser.CreateDomainStmt) (Result, error) {
	res := Result{Tag: "CREATE DOMAIN"}
	t, err := e.newType(ctx, s.Name, catalog.TypeDomain)
	if err != nil {
		return res, err
	}
	if t.Base, err = e.Engine.ResolveType(e.snap(), e.Path, s.Type); err != nil {
		return res, err
	}
	if ti := e.Facts.TypeByOID(t.Base.OID); ti != nil && ti.Type == 'p' {
		return res, failure.New(failure.DatatypeMismatch, "\"%s\" is not a valid base type for a domain", ti.Name)
	}
	if err := e.Cat.Use(ctx, t.Base.OID); err != nil {
		return res, err
	}
	if n := len(s.Collation); n > 0 && s.Collation[n-1] != "default" {
		t.Collation = s.Collation[n-1]
	}
	for _, c := range s.Constraints {
		if err := e.domainConstraint(ctx, t, c); err != nil {
			return res, err
		}
	}
	return res, e.put(ctx, t)
}

func (e *Env) domainConstraint(ctx context.Context, t *catalog.Type, c *parser.Constraint) error {
	switch c.Kind {
	case parser.ConstrNull:
		return nil
	case parser.ConstrNotNull:
		t.NotNull = true
		return nil
	case parser.ConstrDefault:
		info, err := e.bindExpr(ctx, ExprRequest{Kind: ExprDefault, Snapshot: e.snap(), Path: e.Path, Expr: c.Expr,
			Want: t.Base, Column: t.Name, Text: e.Text})
		t.Default = info.Text
		return err
	case parser.ConstrCheck:
		return e.domainCheck(ctx, t, c)
	default:
		return failure.New(failure.SyntaxError, "this kind of constraint is not possible for domains")
	}
}

func (e *Env) domainCheck(ctx context.Context, t *catalog.Type, c *parser.Constraint) error {
	has := func(n string) bool {
		return slices.ContainsFunc(t.Checks, func(k *catalog.DomainCheck) bool { return k.Name == n })
	}
	name := c.Name
	if name == "" {
		name = chooseName(t.Name, "", "check", has)
	} else if has(name) {
		return failure.New(failure.DuplicateObject, "constraint \"%s\" for domain \"%s\" already exists", name, t.Name)
	}
	info, err := e.bindExpr(ctx, ExprRequest{Kind: ExprDomainCheck, Snapshot: e.snap(), Path: e.Path, Expr: c.Expr,
		Want: datum.T(datum.OIDBool), Value: t.Base, Text: e.Text})
	if err != nil {
		return err
	}
	oid, err := e.newOID(ctx)
	t.Checks = append(t.Checks, &catalog.DomainCheck{OID: oid, Name: name, Expr: info.Text, Validated: !c.NotValid})
	return err
}

func (e *Env) alterDomain(ctx context.Context, s *parser.AlterDomainStmt) (Result, error) {
	res := Result{Tag: "ALTER DOMAIN"}
	t, err := e.ownType(s.Domain.Parts)
	if err != nil {
		return res, err
	}
	if t.Kind != catalog.TypeDomain {
		return res, failure.New(failure.WrongObjectType, "%s is not a domain", t.Name)
	}
	switch s.Kind {
	case parser.ADSetDefault:
		err = e.domainConstraint(ctx, t, &parser.Constraint{Kind: parser.ConstrDefault, Expr: s.Expr})
	case parser.ADDropDefault:
		t.Default = ""
	case parser.ADDropNotNull:
		t.NotNull = false
	case parser.ADSetNotNull, parser.ADAddConstraint, parser.ADValidateConstraint:
		if err := e.domainUnused(t); err != nil {
			return res, err
		}
		switch s.Kind {
		case parser.ADSetNotNull:
			t.NotNull = true
		case parser.ADAddConstraint:
			err = e.domainConstraint(ctx, t, s.Constraint)
		}
	case parser.ADDropConstraint:
		n := len(t.Checks)
		t.Checks = slices.DeleteFunc(t.Checks, func(k *catalog.DomainCheck) bool { return k.Name == s.Name })
		if n == len(t.Checks) {
			if !s.IfExists {
				return res, failure.New(failure.UndefinedObject, "constraint \"%s\" of domain \"%s\" does not exist", s.Name, t.Name)
			}
			e.notice(failure.SuccessfulCompletion, "constraint \"%s\" of domain \"%s\" does not exist, skipping", s.Name, t.Name)
		}
	}
	if err != nil {
		return res, err
	}
	return res, e.put(ctx, t)
}

// domainUnused refuses to tighten a domain that columns use: their rows would have to be checked.
func (e *Env) domainUnused(t *catalog.Type) error {
	for tab := range e.snap().Tables() {
		for _, c := range tab.Columns {
			if tab.View == nil && !c.Dropped && c.Type.OID == t.OID {
				return failure.NotSupported("adding a constraint to a domain that a table uses is")
			}
		}
	}
	return nil
}

func (e *Env) createComposite(ctx context.Context, s *parser.CompositeTypeStmt) (Result, error) {
	res := Result{Tag: "CREATE TYPE"}
	schemaName, name := splitName(s.Name.Parts)
	schema, err := e.creationSchema(ctx, "", schemaName)
	if err != nil {
		return res, err
	}
	t, err := e.newRelation(ctx, schema, name, catalog.RelComposite)
	if err != nil {
		return res, err
	}
	b := &tableBuilder{Env: e, t: t, fresh: true}
	for _, c := range s.Columns {
		if _, err := b.column(ctx, c); err != nil {
			return res, err
		}
	}
	return res, e.put(ctx, t)
}
