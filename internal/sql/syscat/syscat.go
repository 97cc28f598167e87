package syscat

import (
	"context"
	_ "embed"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// informationSchema lists the columns of the information schema: relation, OID, relkind, column, type, modifier, not
// null. Domains are replaced by their base types.
//
//go:embed facts/information_schema.tsv
var informationSchema string

// Catalog is the set of virtual tables. It is immutable and safe for concurrent use.
type Catalog struct {
	tables []*catalog.Table
	system map[catalog.OID]*plan.SystemTable
}

// New makes the virtual tables.
func New() *Catalog {
	r := &registry{tables: map[string]*catalog.Table{}, system: map[catalog.OID]*plan.SystemTable{}}
	r.readCatalogs()
	r.readInformationSchema()
	r.addSys()
	for _, define := range []func(*registry){
		defineStatic, defineClasses, defineConstraints, defineTypes, defineRoles, defineViews, defineStats, defineServer,
		defineInformation, defineInformationConstraints, defineInformationRoutines, defineSys,
	} {
		define(r)
	}
	c := &Catalog{system: r.system}
	for _, t := range r.tables {
		c.tables = append(c.tables, t)
		if r.system[t.OID] == nil {
			produce(r, schemaNames(t.Schema)+"."+t.Name, "", noRows)
		}
	}
	return c
}

// noRows is the producer of catalogues of things that Meridian does not have.
func noRows(*query, func(*struct{}) error) error { return nil }

// Tables returns the descriptors, for catalog.NewCache.
func (c *Catalog) Tables() []*catalog.Table { return c.tables }

// System returns what produces the rows of a virtual table or of a sequence, or nil.
func (c *Catalog) System(t *catalog.Table) *plan.SystemTable {
	if t.Kind == catalog.RelSequence {
		return sequenceTable(t)
	}
	return c.system[t.OID]
}

// Table is System under the name that the session knows it by.
func (c *Catalog) Table(t *catalog.Table) *plan.SystemTable { return c.System(t) }

// Function computes a function over the catalogue; env is an *Env or a Holder. What this package does not know is
// 0A000.
func (c *Catalog) Function(ctx context.Context, env any, fn *builtin.Func, args []datum.Datum) (datum.Datum, error) {
	e, err := envOf(env)
	if err != nil {
		return datum.Null, err
	}
	d, ok, err := e.Function(ctx, fn, args)
	if !ok {
		return datum.Null, failure.NotSupported("function %s", e.Facts.Signature(fn))
	}
	return d, err
}

// FunctionRows is Function for set-returning functions.
func (c *Catalog) FunctionRows(ctx context.Context, env any, fn *builtin.Func, args []datum.Datum) ([][]datum.Datum, error) {
	e, err := envOf(env)
	if err != nil {
		return nil, err
	}
	rows, ok, err := e.Rows(ctx, fn, args)
	if !ok {
		return nil, failure.NotSupported("function %s", e.Facts.Signature(fn))
	}
	return rows, err
}

// RegInput resolves the text of a regclass, regtype, … to an OID.
func (c *Catalog) RegInput(_ context.Context, env any, reg datum.OID, text string) (datum.OID, error) {
	e, err := envOf(env)
	if err != nil {
		return 0, err
	}
	return e.RegInput(reg, text)
}

// RegOutput prints an OID as a regclass, regtype, ….
func (c *Catalog) RegOutput(_ context.Context, env any, reg, oid datum.OID) (string, error) {
	e, err := envOf(env)
	if err != nil {
		return "", err
	}
	return e.RegOutput(reg, oid)
}

func schemaNames(oid catalog.OID) string {
	switch oid {
	case catalog.OIDPgCatalog:
		return "pg_catalog"
	case catalog.OIDInformationSchema:
		return "information_schema"
	default:
		return "sys"
	}
}

func (r *registry) add(t *catalog.Table) {
	t.Owner, t.Virtual = catalog.OIDPostgres, true
	name := schemaNames(t.Schema) + "." + t.Name
	switch name {
	case "pg_catalog.pg_authid", "pg_catalog.pg_shadow", "pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data",
		"pg_catalog.pg_file_settings", "pg_catalog.pg_hba_file_rules", "pg_catalog.pg_ident_file_mappings",
		"pg_catalog.pg_config", "pg_catalog.pg_shmem_allocations", "pg_catalog.pg_backend_memory_contexts",
		"pg_catalog.pg_user_mapping", "pg_catalog.pg_replication_origin_status", "pg_catalog.pg_subscription",
		"pg_catalog.pg_largeobject":
		t.ACL = catalog.ACL{{Grantee: catalog.OIDPostgres, Grantor: catalog.OIDPostgres, Privs: catalog.PrivAllTable}}
	}
	r.tables[name] = t
}

// readCatalogs makes the descriptors of pg_catalog from the facts.
func (r *registry) readCatalogs() {
	byOID := map[string]*catalog.Table{}
	class, ok := builtin.ReadCatalog("pg_class")
	invariant.Check(ok, "no facts about pg_class")
	class.Each(func(row []string) {
		kind := row[4][0]
		if kind != 'r' && kind != 'v' {
			return
		}
		t := &catalog.Table{OID: parseOID(row[0]), Name: builtin.Field(row[1]), Schema: catalog.OIDPgCatalog,
			Kind: catalog.RelKind(kind), RowType: parseOID(row[3])}
		byOID[row[0]] = t
		r.add(t)
	})
	attrs, ok := builtin.ReadCatalog("pg_attribute")
	invariant.Check(ok, "no facts about pg_attribute")
	attrs.Each(func(row []string) {
		t := byOID[row[0]]
		n := int(parseInt(row[1]))
		if t == nil || n <= 0 {
			return
		}
		t.Columns = append(t.Columns, &catalog.Column{ID: uint32(n), Attnum: int16(n), Name: builtin.Field(row[2]),
			Type: datum.Type{OID: parseOID(row[3]), Mod: int32(parseInt(row[4]))}, NotNull: row[5] == "t"})
	})
}

func (r *registry) readInformationSchema() {
	rowTypes := map[catalog.OID]catalog.OID{}
	for _, ti := range builtin.Load().Types() {
		if ti.RelID != 0 {
			rowTypes[ti.RelID] = ti.OID
		}
	}
	var t *catalog.Table
	for line := range strings.Lines(informationSchema) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if t == nil || t.Name != f[0] {
			t = &catalog.Table{OID: parseOID(f[1]), Name: f[0], Schema: catalog.OIDInformationSchema, Kind: catalog.RelKind(f[2][0]),
				RowType: rowTypes[parseOID(f[1])]}
			r.add(t)
		}
		n := len(t.Columns) + 1
		t.Columns = append(t.Columns, &catalog.Column{ID: uint32(n), Attnum: int16(n), Name: f[3],
			Type: datum.Type{OID: parseOID(f[4]), Mod: int32(parseInt(f[5]))}, NotNull: f[6] == "t"})
	}
}

func parseOID(s string) catalog.OID { return catalog.OID(parseInt(s)) }

func parseInt(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	invariant.Check(err == nil, "not a number in embedded facts: %q", s)
	return n
}
