package catalog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// Path is a search_path resolved against a Snapshot.
type Path struct {
	// Schemas are searched in order; pg_catalog is among them.
	Schemas []OID
	// Create is where new objects go, 0 when the path names no schema that exists.
	Create OID
	// TempName is the schema of the session's temporary objects, which pg_temp stands for; Temp is it once it is there.
	TempName string
	Temp     OID
}

// WithTemp makes the schema of a session's temporary objects part of a path that Path resolved from words in which its
// name stood for pg_temp: it is searched first unless the words place it.
func (s *Snapshot) WithTemp(p Path, name string) Path {
	p.TempName = name
	if d := s.Schema(name); d != nil {
		p.Temp = d.OID
		if !slices.Contains(p.Schemas, d.OID) {
			p.Schemas = slices.Insert(p.Schemas, 0, d.OID)
		}
	}
	return p
}

// schemaIn finds a schema by the name that a user wrote.
func (s *Snapshot) schemaIn(p Path, name string) *Schema {
	if name == "pg_temp" {
		return s.SchemaByOID(p.Temp)
	}
	return s.Schema(name)
}

// Path resolves the words of search_path: "$user" is the schema named after the user, schemas that do not exist are
// left out, and pg_catalog comes first unless it is named.
func (s *Snapshot) Path(words []string, user string) Path {
	var p Path
	named := false
	for _, w := range words {
		if w == "$user" {
			w = user
		}
		d := s.Schema(w)
		if d == nil || slices.Contains(p.Schemas, d.OID) {
			continue
		}
		if p.Create == 0 {
			p.Create = d.OID
		}
		named = named || d.OID == OIDPgCatalog
		p.Schemas = append(p.Schemas, d.OID)
	}
	if !named {
		p.Schemas = slices.Insert(p.Schemas, 0, OIDPgCatalog)
	}
	return p
}

// Find returns what a relation's name stands for; schema is "" when it was not written. Not found is an empty
// Relation.
func (s *Snapshot) Find(p Path, schema, name string) Relation {
	if schema != "" {
		if d := s.schemaIn(p, schema); d != nil {
			return s.Relation(d.OID, name)
		}
		return Relation{}
	}
	for _, oid := range p.Schemas {
		if r := s.Relation(oid, name); r.Found() {
			return r
		}
	}
	return Relation{}
}

// Resolve is Find with PostgreSQL's errors: 42P01 when there is no such relation, and 0A000 for another database's
// name.
func (s *Snapshot) Resolve(p Path, database, schema, name string) (Relation, error) {
	if database != "" && database != s.Database().Name {
		return Relation{}, failure.New(failure.FeatureNotSupported,
			"cross-database references are not implemented: \"%s.%s.%s\"", database, schema, name)
	}
	r := s.Find(p, schema, name)
	if r.Found() {
		return r, nil
	}
	if schema != "" {
		return r, failure.New(failure.UndefinedTable, "relation \"%s.%s\" does not exist", schema, name)
	}
	return r, failure.New(failure.UndefinedTable, "relation \"%s\" does not exist", name)
}

// FindType returns the user-defined type (or relation, for its row type) that a type's name stands for.
func (s *Snapshot) FindType(p Path, schema, name string) (*Type, *Table) {
	if schema != "" {
		if d := s.schemaIn(p, schema); d != nil {
			return s.TypeHolder(d.OID, name)
		}
		return nil, nil
	}
	for _, oid := range p.Schemas {
		if t, rel := s.TypeHolder(oid, name); t != nil || rel != nil {
			return t, rel
		}
	}
	return nil, nil
}

// FindFunctions returns the user-written functions of that name, those of earlier schemas first.
func (s *Snapshot) FindFunctions(p Path, schema, name string) []*Function {
	if schema != "" {
		if d := s.Schema(schema); d != nil {
			return s.FunctionsNamed(d.OID, name)
		}
		return nil
	}
	var out []*Function
	for _, oid := range p.Schemas {
		out = append(out, s.FunctionsNamed(oid, name)...)
	}
	return out
}

// NeedSchema returns the schema of that name or 3F000.
func (s *Snapshot) NeedSchema(name string) (*Schema, error) {
	if d := s.Schema(name); d != nil {
		return d, nil
	}
	return nil, failure.New(failure.InvalidSchemaName, "schema \"%s\" does not exist", name)
}

// NeedRole returns the role of that name or 42704.
func (s *Snapshot) NeedRole(name string) (*Role, error) {
	if d := s.Role(name); d != nil {
		return d, nil
	}
	return nil, failure.New(failure.UndefinedObject, "role \"%s\" does not exist", name)
}

// Visible says whether the relation is the one that its bare name finds.
func (s *Snapshot) Visible(p Path, r Relation) bool {
	if !r.Found() {
		return false
	}
	return s.Find(p, "", r.Name()).OID() == r.OID()
}

// QualifiedIfHidden returns the name that finds the relation: bare when that is enough, with its schema otherwise,
// quoted as needed.
func (s *Snapshot) QualifiedIfHidden(p Path, r Relation) string {
	name := QuoteIdent(r.Name())
	if s.Visible(p, r) {
		return name
	}
	return QuoteIdent(s.SchemaName(r.Table.Schema)) + "." + name
}

// QuoteIdent quotes an identifier when SQL needs it to.
func QuoteIdent(name string) string {
	plain := name != ""
	for i := 0; i < len(name) && plain; i++ {
		c := name[i]
		plain = c == '_' || c >= 'a' && c <= 'z' || i > 0 && c >= '0' && c <= '9'
	}
	if plain && !reserved(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteLiteral quotes a string constant.
func QuoteLiteral(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

func oidText(oid OID) string { return strconv.FormatUint(uint64(oid), 10) }
