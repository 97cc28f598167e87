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

// inlineRows is the size up to which a plain CREATE INDEX is built inside its own transaction. Bigger tables are left
// to a job, for which the statement waits.
const inlineRows = 2000

func (e *Env) createIndex(ctx context.Context, s *parser.CreateIndexStmt) (Result, error) {
	res := Result{Tag: "CREATE INDEX"}
	if err := e.indexMethod(s); err != nil {
		return res, err
	}
	r, err := e.relation(&s.Table.Relation, false)
	if err != nil {
		return res, err
	}
	if r.Index != nil || r.Table.Kind != catalog.RelTable {
		return res, failure.New(failure.WrongObjectType, "cannot create index on relation \"%s\"", r.Name()).
			WithDetail("This operation is not supported for %s.", pluralWord(r.Kind()))
	}
	if err := e.own(r); err != nil {
		return res, err
	}
	t := r.Table.Clone()
	b := &tableBuilder{Env: e, t: t}
	x := &catalog.Index{Unique: s.Unique, NullsNotDistinct: s.NullsNotDist}
	names, err := b.indexKeys(ctx, x, s)
	if err != nil {
		return res, err
	}
	if s.Name != "" && e.snap().Relation(t.Schema, s.Name).Found() {
		if s.IfNotExists {
			e.notice(failure.DuplicateTable, "relation \"%s\" already exists, skipping", s.Name)
			if s.Async {
				res.Columns = jobColumns()
			}
			return res, nil
		}
		return res, failure.New(failure.DuplicateTable, "relation \"%s\" already exists", s.Name)
	}
	x.Name = s.Name
	if x.Name == "" {
		label := "idx"
		x.Name = e.relationName(t.Schema, nil, t.Name, joinNames(names), label)
	}
	if err := b.placeIndex(ctx, x, false); err != nil {
		return res, err
	}
	return e.buildIndex(ctx, res, t, x, s.Async)
}

// indexMethod refuses access methods that are not there. btree is what there is.
func (e *Env) indexMethod(s *parser.CreateIndexStmt) error {
	switch s.AccessMethod {
	case "", "btree", "btree_index":
	case "hash", "gin", "gist", "spgist", "brin":
		return failure.NotSupported("access method \"%s\" is", s.AccessMethod)
	default:
		return failure.New(failure.UndefinedObject, "access method \"%s\" does not exist", s.AccessMethod)
	}
	if s.Concurrently && e.InBlock {
		return failure.New(failure.ActiveSQLTransaction, "CREATE INDEX CONCURRENTLY cannot run inside a transaction block")
	}
	if s.Tablespace != "" && s.Tablespace != "pg_default" {
		return failure.New(failure.UndefinedObject, "tablespace \"%s\" does not exist", s.Tablespace)
	}
	return nil
}

func pluralWord(k catalog.RelKind) string {
	switch k {
	case catalog.RelIndex:
		return "indexes"
	case catalog.RelComposite:
		return "composite types"
	default:
		return k.Word() + "s"
	}
}

// indexKeys fills in key, INCLUDE columns and predicate, and returns the names that the index's own name is made of.
func (b *tableBuilder) indexKeys(ctx context.Context, x *catalog.Index, s *parser.CreateIndexStmt) ([]string, error) {
	var names []string
	for _, k := range s.Keys {
		col, name, err := b.indexKey(ctx, k)
		if err != nil {
			return nil, err
		}
		names = append(names, uniqueName(names, name))
		x.Key = append(x.Key, col)
	}
	for _, k := range s.Include {
		if k.Expr != nil {
			return nil, failure.New(failure.FeatureNotSupported, "expressions are not supported in included columns")
		}
		c, _ := b.t.ColumnByName(k.Name)
		if c == nil {
			return nil, failure.New(failure.UndefinedColumn, "column \"%s\" does not exist", k.Name)
		}
		x.Include = append(x.Include, c.ID)
		names = append(names, uniqueName(names, c.Name))
	}
	if s.Where != nil {
		info, err := b.bindIndexExpr(ctx, ExprPredicate, s.Where, datum.T(datum.OIDBool))
		if err != nil {
			return nil, err
		}
		if info.Volatility != 'i' {
			return nil, failure.New(failure.InvalidObjectDefinition, "functions in index predicate must be marked IMMUTABLE")
		}
		x.Predicate, x.PredicateRefs = info.Text, info.Columns
	}
	return names, nil
}

// uniqueName numbers a column's name when an index has two of it.
func uniqueName(have []string, name string) string {
	if !slices.Contains(have, name) {
		return name
	}
	for i := 1; ; i++ {
		if n := clip(name, maxName-2) + itoa(i); !slices.Contains(have, n) {
			return n
		}
	}
}

func (b *tableBuilder) indexKey(ctx context.Context, k *parser.IndexElem) (catalog.IndexColumn, string, error) {
	out := catalog.IndexColumn{Desc: k.Dir == parser.SortDesc}
	out.NullsFirst = k.Nulls == parser.NullsFirst || k.Nulls == parser.NullsDefault && out.Desc
	name := k.Name
	if k.Expr == nil {
		c, _ := b.t.ColumnByName(k.Name)
		if c == nil {
			return out, "", failure.New(failure.UndefinedColumn, "column \"%s\" does not exist", k.Name)
		}
		out.Column, out.Type, out.Collation = c.ID, c.Stored(), c.Collation
	} else {
		info, err := b.bindIndexExpr(ctx, ExprIndex, k.Expr, datum.Type{})
		if err != nil {
			return out, "", err
		}
		if info.Volatility != 'i' {
			return out, "", failure.New(failure.InvalidObjectDefinition, "functions in index expression must be marked IMMUTABLE")
		}
		out.Expr, out.Type, out.Refs = info.Text, info.Type, info.Columns
		name = exprName(k.Expr)
	}
	if err := b.indexKeyOptions(&out, k); err != nil {
		return out, "", err
	}
	return out, name, b.keyable(out.Type)
}

func (b *tableBuilder) indexKeyOptions(out *catalog.IndexColumn, k *parser.IndexElem) error {
	if n := len(k.Collation); n > 0 {
		switch c := k.Collation[n-1]; c {
		case "default":
			out.Collation = ""
		case "C", "POSIX", "ucs_basic":
			out.Collation = c
		default:
			return failure.New(failure.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", c)
		}
	}
	if n := len(k.OpClass); n > 0 {
		oc := k.OpClass[n-1]
		// In the C collation the pattern classes order like the default ones.
		if !strings.HasSuffix(oc, "_ops") {
			return failure.New(failure.UndefinedObject, "operator class \"%s\" does not exist for access method \"btree\"", oc)
		}
		out.OpClass = oc
	}
	return nil
}

func (b *tableBuilder) bindIndexExpr(ctx context.Context, kind ExprKind, x parser.Expr, want datum.Type) (ExprInfo, error) {
	info, err := b.bindExpr(ctx, ExprRequest{Kind: kind, Snapshot: b.snap(), Path: b.Path, Expr: x, Table: b.t,
		Want: want, Text: b.Text})
	if err != nil {
		return info, err
	}
	return info, b.Cat.Use(ctx, info.DependsOn...)
}

// exprName is what an expression contributes to an index's name: the function's name, or "expr".
func exprName(x parser.Expr) string {
	switch x := x.(type) {
	case *parser.FuncCall:
		return x.Name[len(x.Name)-1]
	case *parser.ColumnRef:
		return x.Parts[len(x.Parts)-1]
	case *parser.CollateExpr:
		return exprName(x.Arg)
	case *parser.CoalesceExpr:
		return "coalesce"
	case *parser.MinMaxExpr:
		if x.Least {
			return "least"
		}
		return "greatest"
	case *parser.CaseExpr:
		return "case"
	default:
		return "expr"
	}
}

// buildIndex stores the table with its new index and sees to the entries of the rows that are there: none, here, or in
// a job.
func (e *Env) buildIndex(ctx context.Context, res Result, t *catalog.Table, x *catalog.Index, async bool) (Result, error) {
	inline, err := e.buildsInline(ctx, t)
	if err != nil {
		return res, err
	}
	if inline {
		// Asked before the index is there to be read.
		has, err := e.hasRows(ctx, e.snapTable(t))
		if err != nil {
			return res, err
		}
		if err := e.put(ctx, t); err != nil {
			return res, err
		}
		if has {
			if _, _, err := e.Engine.Backfill(ctx, e.Cat, t, x, nil, 0); err != nil {
				return res, e.aboutIndex(err, t, x)
			}
		}
	} else {
		x.State = catalog.IndexWriteOnly
	}
	if inline && !async {
		return res, nil
	}
	job, err := e.addJob(ctx, &Job{Type: JobIndexBuild, Table: t.OID, Object: x.OID, DropOnFailure: !async,
		Name: e.snap().SchemaName(t.Schema) + "." + x.Name}, inline)
	if err != nil {
		return res, err
	}
	if !inline {
		x.Job = job.ID
		if err := e.put(ctx, t); err != nil {
			return res, err
		}
	}
	if async {
		res.Columns = jobColumns()
		res.Rows = [][]datum.Datum{{datum.NewText(job.ID)}}
		return res, nil
	}
	res.Wait = append(res.Wait, job.ID)
	return res, nil
}

// buildsInline says whether an index is built inside this transaction: inside BEGIN there is no other way to hand it
// over finished, and small tables are quicker so.
func (e *Env) buildsInline(ctx context.Context, t *catalog.Table) (bool, error) {
	if e.InBlock || e.Cat.Start().TableByOID(t.OID) == nil {
		return true, nil
	}
	n, err := e.Engine.Query(ctx, e.Cat, "SELECT 1 FROM "+e.qualified(t)+" LIMIT "+itoa(inlineRows+1),
		func([]datum.Datum) error { return nil })
	return n <= inlineRows, err
}

// aboutIndex names the index in the fields of a duplicate's error.
func (e *Env) aboutIndex(err error, t *catalog.Table, x *catalog.Index) error {
	f := failure.As(err)
	if f == nil || f.Code != failure.UniqueViolation {
		return err
	}
	return f.Edit().WithTable(e.snap().SchemaName(t.Schema), t.Name).WithConstraint(x.Name)
}

// snapTable is the present version of a table of which t is a changed copy.
func (e *Env) snapTable(t *catalog.Table) *catalog.Table {
	if cur := e.snap().TableByOID(t.OID); cur != nil {
		return cur
	}
	return t
}

func jobColumns() []Column { return []Column{{Name: "job_id", Type: datum.T(datum.OIDText)}} }
