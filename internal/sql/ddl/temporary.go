package ddl

import (
	"context"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// What becomes of a temporary table's rows, and of the table, at the end of a transaction.
const (
	OnCommitDelete byte = 'd'
	OnCommitDrop   byte = 'x'
)

// temporarySchema returns the session's schema for temporary objects, made when it is not there.
func (e *Env) temporarySchema(ctx context.Context) (*catalog.Schema, error) {
	if e.Path.TempName == "" {
		return nil, failure.NotSupported("temporary objects outside a session are")
	}
	if d := e.snap().Schema(e.Path.TempName); d != nil {
		e.Path.Temp = d.OID
		return d, e.Cat.Use(ctx, d.OID)
	}
	if !e.snap().HasDatabase(e.User, catalog.PrivTemporary) {
		return nil, failure.New(failure.InsufficientPrivilege, "permission denied to create temporary tables in database \"%s\"", e.snap().Database().Name)
	}
	oid, err := e.newOID(ctx)
	if err != nil {
		return nil, err
	}
	all := catalog.ACLItem{Grantee: 0, Grantor: catalog.OIDPostgres, Privs: catalog.PrivAllSchema}
	d := &catalog.Schema{OID: oid, Name: e.Path.TempName, Owner: catalog.OIDPostgres, ACL: catalog.ACL{all}}
	if err := e.put(ctx, d); err != nil {
		return nil, err
	}
	e.Path.Temp = oid
	e.temporary = true
	return d, nil
}

// relationSchema returns the schema that a new relation goes to, and whether it is the one for temporary objects.
func (e *Env) relationSchema(ctx context.Context, n *parser.RelationName, p parser.Persistence) (*catalog.Schema, bool, error) {
	own := n.Schema == "pg_temp" || n.Schema != "" && n.Schema == e.Path.TempName
	if p == parser.PersistTemp && n.Schema != "" && !own {
		if _, err := e.snap().NeedSchema(n.Schema); err != nil {
			return nil, false, e.at(failure.As(err).Edit(), n.Pos)
		}
		return nil, false, e.at(failure.New(failure.InvalidTableDefinition, "cannot create temporary relation in non-temporary schema"), n.Pos)
	}
	if p == parser.PersistTemp || own {
		d, err := e.temporarySchema(ctx)
		return d, true, err
	}
	d, err := e.creationSchemaOf(ctx, n)
	if err == nil && strings.HasPrefix(d.Name, "pg_temp_") {
		if d.OID != e.Path.Temp {
			return nil, false, e.at(failure.New(failure.InvalidTableDefinition, "cannot create relations in temporary schemas of other sessions"), n.Pos)
		}
		return d, true, nil
	}
	return d, false, err
}

// MadeTemporary says that the statement made the session's schema for temporary objects.
func (e *Env) MadeTemporary() bool { return e.temporary }

// DropTemporary drops what is in schemas for temporary objects and the schemas themselves.
func (e *Env) DropTemporary(ctx context.Context, names ...string) error {
	var roots []object
	for _, n := range names {
		if d := e.snap().Schema(n); d != nil {
			roots = append(roots, object{classSchema, d.OID, 0})
		}
	}
	if len(roots) == 0 {
		return nil
	}
	return e.dropObjects(ctx, roots, parser.DropCascade)
}

// DropTables drops tables and what depends on them.
func (e *Env) DropTables(ctx context.Context, tables ...catalog.OID) error {
	roots := make([]object, len(tables))
	for i, oid := range tables {
		roots[i] = object{classRelation, oid, 0}
	}
	return e.dropObjects(ctx, roots, parser.DropCascade)
}

// mixedReference refuses foreign keys between temporary and permanent tables.
func mixedReference(t, parent *catalog.Table) error {
	switch {
	case t.Persistence == 't' && parent.Persistence != 't':
		return failure.New(failure.InvalidTableDefinition, "constraints on temporary tables may reference only temporary tables")
	case t.Persistence != 't' && parent.Persistence == 't' && t.Persistence == 'u':
		return failure.New(failure.InvalidTableDefinition, "constraints on unlogged tables may reference only permanent or unlogged tables")
	case t.Persistence != 't' && parent.Persistence == 't':
		return failure.New(failure.InvalidTableDefinition, "constraints on permanent tables may reference only permanent tables")
	}
	return nil
}

// temporaryQuery says whether a query reads something temporary.
func (e *Env) temporaryQuery(q *QueryInfo) bool {
	for _, oid := range q.DependsOn {
		if t := e.snap().TableByOID(oid); t != nil && t.Persistence == 't' {
			return true
		}
	}
	return false
}
