package ddl

import (
	"context"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

func (e *Env) createSchema(ctx context.Context, s *parser.CreateSchemaStmt) (Result, error) {
	res := Result{Tag: "CREATE SCHEMA"}
	owner := e.snap().RoleByOID(e.User)
	if s.Owner != nil {
		var err error
		if owner, err = e.role(s.Owner); err != nil {
			return res, err
		}
		if !e.snap().MayBecome(e.User, owner.OID) {
			return res, failure.New(failure.InsufficientPrivilege, "must be member of role \"%s\"", owner.Name)
		}
	}
	name := s.Name
	if name == "" {
		name = owner.Name
	}
	if !e.snap().HasDatabase(e.User, catalog.PrivCreate) {
		return res, catalog.Denied("database", e.snap().Database().Name)
	}
	if strings.HasPrefix(name, "pg_") {
		return res, failure.New(failure.ReservedName, "unacceptable schema name \"%s\"", name).
			WithDetail("The prefix \"pg_\" is reserved for system schemas.")
	}
	if e.snap().Schema(name) != nil {
		if s.IfNotExists {
			e.notice(failure.DuplicateSchema, "schema \"%s\" already exists, skipping", name)
			return res, nil
		}
		return res, failure.New(failure.DuplicateSchema, "schema \"%s\" already exists", name)
	}
	oid, err := e.newOID(ctx)
	if err != nil {
		return res, err
	}
	d := &catalog.Schema{OID: oid, Name: name, Owner: owner.OID}
	if err := e.put(ctx, d); err != nil {
		return res, err
	}
	return res, e.schemaElements(ctx, d, s.Elements)
}

// schemaElements creates what is written inside CREATE SCHEMA, in the new schema.
func (e *Env) schemaElements(ctx context.Context, d *catalog.Schema, elems []parser.Statement) error {
	inner := *e
	inner.Path = catalog.Path{Schemas: append([]catalog.OID{d.OID}, e.Path.Schemas...), Create: d.OID}
	inner.InBlock = true
	for _, el := range elems {
		if _, err := inner.Run(ctx, el); err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) createView(ctx context.Context, s *parser.ViewStmt) (Result, error) {
	res := Result{Tag: "CREATE VIEW"}
	if s.Recursive {
		return res, failure.NotSupported("CREATE RECURSIVE VIEW is")
	}
	info, err := e.bindQuery(ctx, QueryRequest{Snapshot: e.snap(), Path: e.Path, Query: s.Query, Text: e.Text})
	if err != nil {
		return res, err
	}
	if s.Persistence != parser.PersistTemp && e.temporaryQuery(&info) {
		s.Persistence = parser.PersistTemp
		e.notice(failure.SuccessfulCompletion, "view \"%s\" will be a temporary view", s.Relation.Name)
	}
	schema, temporary, err := e.relationSchema(ctx, &s.Relation, s.Persistence)
	if err != nil {
		return res, err
	}
	r := e.snap().Relation(schema.OID, s.Relation.Name)
	if r.Found() && !s.Replace {
		return res, failure.New(failure.DuplicateTable, "relation \"%s\" already exists", s.Relation.Name)
	}
	if r.Found() && (r.Index != nil || r.Table.Kind != catalog.RelView) {
		return res, failure.New(failure.WrongObjectType, "\"%s\" is not a view", s.Relation.Name)
	}
	if len(s.Columns) > len(info.Names) {
		return res, failure.New(failure.SyntaxError, "CREATE VIEW specifies more column names than columns")
	}
	copy(info.Names, s.Columns)
	var t *catalog.Table
	if r.Found() {
		if err := e.own(r); err != nil {
			return res, err
		}
		t = r.Table.Clone()
	} else if t, err = e.newRelation(ctx, schema, s.Relation.Name, catalog.RelView); err != nil {
		return res, err
	}
	if temporary {
		t.Persistence = 't'
	}
	if err := e.viewColumns(t, &info); err != nil {
		return res, err
	}
	t.View = &catalog.View{Query: info.Text, DependsOn: info.DependsOn, DependsOnColumns: info.Uses}
	switch s.Check {
	case parser.ViewCheckLocal:
		t.View.CheckOption = "local"
	case parser.ViewCheckCascaded:
		t.View.CheckOption = "cascaded"
	}
	if err := e.viewOptions(t, s.Options); err != nil {
		return res, err
	}
	if err := e.Cat.Use(ctx, info.DependsOn...); err != nil {
		return res, err
	}
	return res, e.put(ctx, t)
}

func (e *Env) viewOptions(t *catalog.Table, options []*parser.DefElem) error {
	for _, o := range options {
		switch o.Name {
		case "check_option":
			t.View.CheckOption = optionText(o)
			if t.View.CheckOption != "local" && t.View.CheckOption != "cascaded" {
				return failure.New(failure.InvalidParameterValue, "invalid value for enum option \"check_option\": %s", t.View.CheckOption).
					WithDetail("Valid values are \"local\" and \"cascaded\".")
			}
		case "security_barrier", "security_invoker":
			t.Options = setOptions(t.Options, []*parser.DefElem{o})
		default:
			return failure.New(failure.InvalidParameterValue, "unrecognized parameter \"%s\"", o.Name)
		}
	}
	return nil
}

// viewColumns gives a view its columns. OR REPLACE may only add some at the end.
func (e *Env) viewColumns(t *catalog.Table, info *QueryInfo) error {
	if len(t.Columns) > len(info.Names) {
		return failure.New(failure.InvalidTableDefinition, "cannot drop columns from view")
	}
	seen := map[string]bool{}
	for i, name := range info.Names {
		if seen[name] {
			return failure.New(failure.DuplicateColumn, "column \"%s\" specified more than once", name)
		}
		seen[name] = true
		if ti := e.Facts.TypeByOID(info.Types[i].OID); ti != nil && ti.Type == 'p' && ti.Name != "unknown" {
			return failure.New(failure.InvalidTableDefinition, "column \"%s\" has pseudo-type %s", name, e.Facts.TypeName(info.Types[i].OID))
		}
		if i >= len(t.Columns) {
			t.Columns = append(t.Columns, &catalog.Column{ID: t.NextColumnID, Attnum: int16(i + 1), Name: name, Type: info.Types[i]})
			t.NextColumnID++
			continue
		}
		old := t.Columns[i]
		if old.Name != name {
			return failure.New(failure.InvalidTableDefinition, "cannot change name of view column \"%s\" to \"%s\"", old.Name, name).
				WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
		}
		if old.Type != info.Types[i] {
			return failure.New(failure.InvalidTableDefinition, "cannot change data type of view column \"%s\" from %s to %s", name,
				e.typeName(old.Type), e.typeName(info.Types[i]))
		}
	}
	return nil
}
