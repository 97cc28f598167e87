package ddl

import (
	"context"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// ExprKind says what an expression is for: it decides what may appear in it and how errors name it.
type ExprKind uint8

// The kinds of expressions in schemas.
const (
	ExprDefault ExprKind = iota
	ExprGenerated
	ExprCheck
	ExprDomainCheck
	ExprIndex
	ExprPredicate
	ExprTransform // USING of ALTER COLUMN TYPE
)

// ExprRequest asks for an expression to be checked and understood.
type ExprRequest struct {
	Kind     ExprKind
	Snapshot *catalog.Snapshot
	Path     catalog.Path
	Expr     parser.Expr
	// Table gives the columns in scope; nil for none.
	Table *catalog.Table
	// Want is the type to coerce to by assignment; OID 0 leaves the expression's own. Column names the target in errors.
	Want   datum.Type
	Column string
	// Value is the type of VALUE in a domain's CHECK.
	Value datum.Type
	// Eval asks for the value of an expression without columns, computed in the present transaction.
	Eval bool
	// Text is the statement's text, for positions.
	Text string
}

// ExprInfo is what was found out about an expression.
type ExprInfo struct {
	// Text is SQL that means the same under an empty search path (pg_catalog alone); regclass constants are numbers.
	// Env computes it, and adds what is mentioned by name to DependsOn.
	Text       string
	Type       datum.Type
	Volatility byte     // 'i', 's', 'v'
	Columns    []uint32 // ids of the columns mentioned
	DependsOn  []catalog.OID
	// Value is the result when Eval was set.
	Value datum.Datum
}

// QueryRequest asks for a view's query to be checked and understood.
type QueryRequest struct {
	Snapshot *catalog.Snapshot
	Path     catalog.Path
	Query    *parser.SelectStmt
	Text     string
}

// QueryInfo is what was found out about a query.
type QueryInfo struct {
	// Text is SQL that means the same under an empty search path. Env computes it.
	Text      string
	Names     []string
	Types     []datum.Type
	DependsOn []catalog.OID
	Uses      []catalog.ColumnUse
}

// Engine is what schema changes need of the rest of the query processor.
type Engine interface {
	// ResolveType looks a type up, with its modifier.
	ResolveType(s *catalog.Snapshot, p catalog.Path, n *parser.TypeName) (datum.Type, error)
	// BindExpr checks an expression.
	BindExpr(ctx context.Context, r ExprRequest) (ExprInfo, error)
	// BindQuery checks a view's query.
	BindQuery(ctx context.Context, r QueryRequest) (QueryInfo, error)
	// CheckFunction makes sure that the body of a function fits what it declares.
	CheckFunction(ctx context.Context, s *catalog.Snapshot, p catalog.Path, f *catalog.Function) error
	// Query runs a statement as a superuser inside the transaction of c, with c's view of the schema and an empty
	// search path, and returns the number of rows it returned or changed. Rows passed to each may be kept.
	Query(ctx context.Context, c *catalog.Txn, sql string, each func(row []datum.Datum) error) (int64, error)
	// Backfill writes the entries of index x for at most limit rows (0: all) of t's row store from key from on (nil:
	// the start) into the transaction of c. next is where to go on, nil at the end. A duplicate in a unique index is
	// 23505 "could not create unique index".
	Backfill(ctx context.Context, c *catalog.Txn, t *catalog.Table, x *catalog.Index, from keys.Key, limit int) (
		next keys.Key, rows int64, err error)
}

// Env is what one statement has to work with. It belongs to one statement.
type Env struct {
	Cat  *catalog.Txn
	Path catalog.Path
	// User is the current user, SessionUser the one who logged in.
	User        catalog.OID
	SessionUser catalog.OID
	// Text is the text of the whole query string, for positions.
	Text   string
	Engine Engine
	OIDs   *catalog.OIDs
	Facts  *builtin.Facts
	// Notice passes a notice or warning to the client.
	Notice func(*failure.Error)
	// NowMicros is the wall clock as Unix microseconds.
	NowMicros int64
	// RandomBytes fills its argument (salts, job ids).
	RandomBytes func([]byte)
	// SpanBytes says about how many bytes on disk a span takes; nil knows nothing, and ANALYZE then reads whole tables.
	SpanBytes func(span keys.Span) (int64, error)
	// Analyzed, when not nil, hears of a table that ANALYZE has looked at.
	Analyzed func(t catalog.OID)
	// InBlock says that the statement is inside BEGIN … COMMIT: it cannot wait for jobs.
	InBlock bool

	// pending says that the statement made a job.
	pending bool
	// temporary says that it made the session's schema for temporary objects.
	temporary bool
}

// Result is what a statement answers.
type Result struct {
	Tag string
	// Columns and Rows are set by statements that return rows (CREATE INDEX ASYNC).
	Columns []Column
	Rows    [][]datum.Datum
	// Wait lists jobs whose end the session must wait for after it has committed; when one fails its error is the
	// statement's.
	Wait []string
	// Pending says that the statement left a job behind: the job runner is to be woken after the commit.
	Pending bool
}

// Column is a result column.
type Column struct {
	Name string
	Type datum.Type
}

// snap is the present view of the schema.
func (e *Env) snap() *catalog.Snapshot { return e.Cat.Snapshot() }

// at gives an error the position of a node.
func (e *Env) at(err *failure.Error, pos int) *failure.Error {
	return err.At(parser.CharPosition(e.Text, pos))
}

func (e *Env) notice(code failure.Code, format string, args ...any) {
	if e.Notice != nil {
		e.Notice(failure.New(code, format, args...).WithSeverity(failure.SeverityNotice))
	}
}

func (e *Env) warn(code failure.Code, format string, args ...any) {
	if e.Notice != nil {
		e.Notice(failure.New(code, format, args...).WithSeverity(failure.SeverityWarning))
	}
}

// put writes a descriptor.
func (e *Env) put(ctx context.Context, d catalog.Descriptor) error { return e.Cat.Put(ctx, d) }

// newOIDs takes n fresh OIDs.
func (e *Env) newOID(ctx context.Context) (catalog.OID, error) { return e.OIDs.Next(ctx) }

// creationSchema returns the schema that a new object goes to, after the privilege check.
func (e *Env) creationSchema(ctx context.Context, database, schema string) (*catalog.Schema, error) {
	if schema == "pg_temp" {
		return e.temporarySchema(ctx)
	}
	s := e.snap()
	if database != "" && database != s.Database().Name {
		return nil, failure.New(failure.FeatureNotSupported, "cross-database references are not implemented: \"%s\"",
			strings.Join([]string{database, schema}, "."))
	}
	var d *catalog.Schema
	if schema == "" {
		if d = s.SchemaByOID(e.Path.Create); d == nil {
			return nil, failure.New(failure.InvalidSchemaName, "no schema has been selected to create in")
		}
	} else {
		var err error
		if d, err = s.NeedSchema(schema); err != nil {
			return nil, err
		}
	}
	if isSystemSchema(d.OID) {
		return nil, failure.New(failure.InsufficientPrivilege, "permission denied to create objects in schema \"%s\"", d.Name).
			WithDetail("System catalog modifications are currently disallowed.")
	}
	if err := s.CheckSchema(e.User, d, catalog.PrivCreate); err != nil {
		return nil, err
	}
	return d, e.Cat.Use(ctx, d.OID)
}

// creationSchemaOf is creationSchema for a relation, whose name gives errors their position.
func (e *Env) creationSchemaOf(ctx context.Context, n *parser.RelationName) (*catalog.Schema, error) {
	d, err := e.creationSchema(ctx, n.Catalog, n.Schema)
	f := failure.As(err)
	switch {
	case f == nil:
		return d, err
	case f.Code == failure.InvalidSchemaName && n.Schema != "", f.Code == failure.InsufficientPrivilege && f.Detail == "":
		return nil, e.at(f.Edit(), n.Pos)
	case f.Detail != "" && f.Code == failure.InsufficientPrivilege:
		return nil, failure.New(f.Code, "permission denied to create \"%s.%s\"", n.Schema, n.Name).WithDetail("%s", f.Detail)
	}
	return nil, err
}

func isSystemSchema(oid catalog.OID) bool {
	return oid < catalog.FirstUserOID && oid != catalog.OIDPublic
}

// relation finds a relation by name. Missing is nil without an error when ifExists is set, after a notice.
func (e *Env) relation(n *parser.RelationName, ifExists bool) (catalog.Relation, error) {
	s := e.snap()
	r, err := s.Resolve(e.Path, n.Catalog, n.Schema, n.Name)
	if err == nil {
		return r, nil
	}
	if !ifExists || failure.CodeOf(err) != failure.UndefinedTable {
		return r, failure.As(err)
	}
	if n.Schema != "" && s.Schema(n.Schema) == nil {
		e.notice(failure.SuccessfulCompletion, "schema \"%s\" does not exist, skipping", n.Schema)
	} else {
		e.notice(failure.SuccessfulCompletion, "relation \"%s\" does not exist, skipping", n.Name)
	}
	return r, nil
}

// own returns 42501 unless the user owns the relation; nobody owns system tables.
func (e *Env) own(r catalog.Relation) error {
	if r.Table.OID < catalog.FirstUserOID {
		return failure.New(failure.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", r.Name())
	}
	if e.snap().Member(e.User, r.Table.Owner) {
		return nil
	}
	return catalog.NotOwner(ownWord(r.Kind()), r.Name())
}

// ownWord is how a kind of relation is called in "must be owner of".
func ownWord(k catalog.RelKind) string {
	if k == catalog.RelComposite {
		return "type"
	}
	return k.Word()
}

// superuser says whether the current user is one.
func (e *Env) superuser() bool { return e.snap().Superuser(e.User) }

// role resolves a role specification.
func (e *Env) role(r *parser.RoleSpec) (*catalog.Role, error) {
	s := e.snap()
	switch r.Kind {
	case parser.RoleCurrentRole, parser.RoleCurrentUser:
		return s.RoleByOID(e.User), nil
	case parser.RoleSessionUser:
		return s.RoleByOID(e.SessionUser), nil
	case parser.RolePublic:
		return nil, failure.New(failure.UndefinedObject, "role \"public\" does not exist")
	default:
		return s.NeedRole(r.Name)
	}
}

// qualified is the name of a relation with its schema, quoted: for SQL that Query runs.
func (e *Env) qualified(t *catalog.Table) string {
	return catalog.QuoteIdent(e.snap().SchemaName(t.Schema)) + "." + catalog.QuoteIdent(t.Name)
}

// hasRows says whether the table has a row that the transaction sees.
func (e *Env) hasRows(ctx context.Context, t *catalog.Table) (bool, error) {
	n, err := e.Engine.Query(ctx, e.Cat, "SELECT 1 FROM "+e.qualified(t)+" LIMIT 1", func([]datum.Datum) error { return nil })
	return n > 0, err
}

// typeName prints a type as SQL does.
func (e *Env) typeName(t datum.Type) string { return e.Facts.FormatType(t) }

// bindExpr has an expression checked and gives it its canonical text.
func (e *Env) bindExpr(ctx context.Context, r ExprRequest) (ExprInfo, error) {
	info, err := e.Engine.BindExpr(ctx, r)
	if err != nil {
		return info, err
	}
	x, err := parser.ParseExpr(parser.Format(r.Expr))
	if err != nil {
		return info, err
	}
	named := Canonical(r.Snapshot, r.Path, e.Facts, &x)
	info.DependsOn = mergeOIDs(info.DependsOn, named)
	info.Text = parser.Format(x)
	return info, nil
}

// bindQuery has a view's query checked and gives it its canonical text.
func (e *Env) bindQuery(ctx context.Context, r QueryRequest) (QueryInfo, error) {
	info, err := e.Engine.BindQuery(ctx, r)
	if err != nil {
		return info, err
	}
	q, err := parseQuery(parser.Format(r.Query))
	if err != nil {
		return info, err
	}
	named := Canonical(r.Snapshot, r.Path, e.Facts, q)
	info.DependsOn = mergeOIDs(info.DependsOn, named)
	info.Text = parser.Format(q)
	return info, nil
}

// mergeOIDs returns the user objects of both lists, each once.
func mergeOIDs(a, b []catalog.OID) []catalog.OID {
	out := slices.Concat(a, b)
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(o catalog.OID) bool { return o < catalog.FirstUserOID })
}
