package strict

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// CheckCatalog checks what depends on the objects that a schema change is about. What is not there is left to the
// statement itself to miss.
func CheckCatalog(s parser.Statement, snap *catalog.Snapshot, path catalog.Path) error {
	switch s := s.(type) {
	case *parser.CreateSchemaStmt:
		return schemas(snap)
	case *parser.CreateIndexStmt:
		t := find(snap, path, s.Table)
		if t == nil {
			return nil
		}
		return newIndex(s, t)
	case *parser.AlterTableStmt:
		t := find(snap, path, s.Table)
		if t == nil {
			return nil
		}
		for _, c := range s.Cmds {
			if err := alterKey(c, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func find(snap *catalog.Snapshot, path catalog.Path, v *parser.RangeVar) *catalog.Table {
	if v == nil {
		return nil
	}
	return snap.Find(path, v.Relation.Schema, v.Relation.Name).Table
}

func schemas(snap *catalog.Snapshot) error {
	n := 0
	for s := range snap.Schemas() {
		if s.OID >= catalog.FirstUserOID && s.Name != "public" && s.Name != "sys" {
			n++
		}
	}
	if n >= maxSchemas {
		return failure.New(failure.ProgramLimitExceeded, "more than %d schemas not allowed", maxSchemas)
	}
	return nil
}

// newIndex checks the key columns' types and the number of indexes.
func newIndex(s *parser.CreateIndexStmt, t *catalog.Table) error {
	for _, k := range s.Keys {
		c, _ := t.ColumnByName(k.Name)
		if k.Name == "" || c == nil {
			continue
		}
		name := ""
		switch c.Type.OID {
		case datum.OIDTimeTZ:
			name = "time with time zone"
		case datum.OIDInterval:
			name = "interval"
		case datum.OIDBytea:
			name = "bytea"
		case datum.OIDJSON:
			name = "json"
		case datum.OIDJSONB:
			name = "jsonb"
		}
		if name != "" {
			return refuse("datatype %s is not supported in a key", name)
		}
	}
	n := 0
	for _, x := range t.Indexes {
		if !x.Hidden {
			n++
		}
	}
	if n >= maxIndexes {
		return tooManyIndexes()
	}
	return nil
}

// alterKey keeps the primary key as it was made.
func alterKey(c *parser.AlterTableCmd, t *catalog.Table) error {
	pk := t.PrimaryKey()
	switch {
	case c.Kind == parser.ATAddIdentity:
		if col, _ := t.ColumnByName(c.Name); col != nil && col.Type.OID != datum.OIDInt8 {
			return refuse("datatype %s not supported, identity column type must be bigint", shortName(col.Type.OID))
		}
	case pk == nil:
	case c.Kind == parser.ATDropConstraint && c.Name == pk.Name:
		return refuse("unsupported ALTER TABLE DROP CONSTRAINT statement")
	case c.Kind == parser.ATDropColumn:
		col, _ := t.ColumnByName(c.Name)
		for _, k := range pk.Key {
			if col != nil && k.Column == col.ID {
				return refuse("cannot drop primary key column %s", c.Name)
			}
		}
	}
	return nil
}

func shortName(t datum.OID) string {
	switch t {
	case datum.OIDInt2:
		return "smallint"
	case datum.OIDInt4:
		return "integer"
	}
	return "of this column"
}
