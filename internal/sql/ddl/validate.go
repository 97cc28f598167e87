package ddl

import (
	"context"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// validateConstraint checks all rows against a constraint (by OID), marks it valid and stores t, which is the caller's
// own copy.
func (e *Env) validateConstraint(ctx context.Context, t *catalog.Table, constraint catalog.OID) error {
	for _, c := range t.Checks {
		if c.OID == constraint && !c.Validated {
			if err := e.validateCheck(ctx, t, c); err != nil {
				return err
			}
			c.Validated = true
			return e.put(ctx, t)
		}
	}
	for _, f := range t.ForeignKeys {
		if f.OID == constraint && !f.Validated {
			if err := e.validateForeignKey(ctx, t, f); err != nil {
				return err
			}
			f.Validated = true
			return e.put(ctx, t)
		}
	}
	return nil
}

func (e *Env) validateCheck(ctx context.Context, t *catalog.Table, c *catalog.Check) error {
	n, err := e.Engine.Query(ctx, e.Cat, "SELECT 1 FROM "+e.qualified(t)+" WHERE NOT ("+c.Expr+") LIMIT 1", ignoreRow)
	if err != nil || n == 0 {
		return err
	}
	return failure.New(failure.CheckViolation, "check constraint \"%s\" of relation \"%s\" is violated by some row", c.Name, t.Name).
		WithTable(e.snap().SchemaName(t.Schema), t.Name).WithConstraint(c.Name)
}

func (e *Env) validateNotNull(ctx context.Context, t *catalog.Table, c *catalog.Column) error {
	n, err := e.Engine.Query(ctx, e.Cat, "SELECT 1 FROM "+e.qualified(t)+" WHERE "+catalog.QuoteIdent(c.Name)+
		" IS NULL LIMIT 1", ignoreRow)
	if err != nil || n == 0 {
		return err
	}
	return failure.New(failure.NotNullViolation, "column \"%s\" of relation \"%s\" contains null values", c.Name, t.Name).
		WithTable(e.snap().SchemaName(t.Schema), t.Name).WithColumn(c.Name)
}

// validateForeignKey looks for rows without a parent. The statement is an anti join, so it costs one pass.
func (e *Env) validateForeignKey(ctx context.Context, t *catalog.Table, f *catalog.ForeignKey) error {
	parent := e.snap().TableByOID(f.RefTable)
	var cols, shown, match, present, absent []string
	for i, id := range f.Columns {
		c, _ := t.ColumnByID(id)
		r, _ := parent.ColumnByID(f.RefColumns[i])
		cols = append(cols, c.Name)
		shown = append(shown, "fk."+catalog.QuoteIdent(c.Name)+"::pg_catalog.text")
		match = append(match, "pk."+catalog.QuoteIdent(r.Name)+" = fk."+catalog.QuoteIdent(c.Name))
		present = append(present, "fk."+catalog.QuoteIdent(c.Name)+" IS NOT NULL")
		absent = append(absent, "fk."+catalog.QuoteIdent(c.Name)+" IS NULL")
	}
	from := " FROM " + e.qualified(t) + " fk WHERE "
	missing := "NOT EXISTS (SELECT 1 FROM " + e.qualified(parent) + " pk WHERE " + strings.Join(match, " AND ") + ")"
	sql := "SELECT " + strings.Join(shown, ", ") + from + strings.Join(present, " AND ") + " AND " + missing + " LIMIT 1"
	var bad []datum.Datum
	if _, err := e.Engine.Query(ctx, e.Cat, sql, keepRow(&bad)); err != nil {
		return err
	}
	violated := failure.New(failure.ForeignKeyViolation, "insert or update on table \"%s\" violates foreign key constraint \"%s\"",
		t.Name, f.Name).WithTable(e.snap().SchemaName(t.Schema), t.Name).WithConstraint(f.Name)
	if bad != nil {
		return violated.WithDetail("Key (%s)=(%s) is not present in table \"%s\".", strings.Join(cols, ", "), joinTexts(bad), parent.Name)
	}
	if !f.MatchFull || len(cols) == 1 {
		return nil
	}
	mixed := "SELECT 1" + from + "(" + strings.Join(present, " OR ") + ") AND (" + strings.Join(absent, " OR ") + ") LIMIT 1"
	n, err := e.Engine.Query(ctx, e.Cat, mixed, ignoreRow)
	if err != nil || n == 0 {
		return err
	}
	return violated.WithDetail("MATCH FULL does not allow mixing of null and nonnull key values.")
}

func ignoreRow([]datum.Datum) error { return nil }

func keepRow(at *[]datum.Datum) func([]datum.Datum) error {
	return func(row []datum.Datum) error {
		*at = append([]datum.Datum{}, row...)
		return nil
	}
}

func joinTexts(row []datum.Datum) string {
	out := make([]string, len(row))
	for i, d := range row {
		out[i] = "null"
		if !d.IsNull() {
			out[i] = d.Text()
		}
	}
	return strings.Join(out, ", ")
}
