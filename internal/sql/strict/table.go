package strict

import (
	"strconv"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// Limits of tables and indexes.
const (
	maxColumns    = 256
	maxKeyColumns = 8
	maxKeyWidth   = 2000
	maxIndexes    = 24
	maxSchemas    = 10
	leastCache    = 65536
)

func createTable(s *parser.CreateTableStmt) error {
	word := ""
	switch {
	case s.Persistence == parser.PersistTemp:
		return refuse("TEMPORARY or TEMP table not supported for CREATE TABLE")
	case s.Persistence == parser.PersistUnlogged:
		return refuse("UNLOGGED table not supported for CREATE TABLE")
	case s.Server != "":
		return unsupported("CreateForeignTable")
	case len(s.Options) > 0:
		word = "WITH"
	case s.Tablespace != "":
		word = "TABLESPACE"
	case len(s.Inherits) > 0:
		word = "INHERITS"
	case s.PartitionBy != nil:
		word = "PARTITION BY"
	case s.PartitionOf != nil:
		word = "PARTITION OF"
	case s.OfType != nil:
		word = "OF"
	case s.OnCommit != parser.OnCommitNone:
		word = "ON COMMIT"
	case s.AccessMethod != "":
		word = "USING"
	}
	if word != "" {
		return refuse("%s not supported for CREATE TABLE", word)
	}
	return tableElements(s)
}

// tableElements checks columns and constraints.
func tableElements(s *parser.CreateTableStmt) error {
	types := map[string]*parser.TypeName{}
	columns := 0
	for _, e := range s.Elements {
		if d, ok := e.(*parser.ColumnDef); ok {
			if err := column(d); err != nil {
				return err
			}
			types[d.Name] = d.Type
			columns++
		}
	}
	if columns > maxColumns {
		return failure.New(failure.TooManyColumns, "cannot use more than %d columns in an index", maxColumns)
	}
	indexes := 0
	for _, e := range s.Elements {
		switch e := e.(type) {
		case *parser.ColumnDef:
			for _, c := range e.Constraints {
				if c.Kind == parser.ConstrPrimary || c.Kind == parser.ConstrUnique {
					indexes++
					if err := key([]string{e.Name}, types); err != nil {
						return err
					}
				}
			}
		case *parser.Constraint:
			switch e.Kind {
			case parser.ConstrPrimary, parser.ConstrUnique:
				indexes++
				if err := key(e.Keys, types); err != nil {
					return err
				}
			case parser.ConstrExclusion:
				return refuse("EXCLUDE constraint not supported")
			}
		}
	}
	if indexes > maxIndexes {
		return tooManyIndexes()
	}
	return nil
}

func tooManyIndexes() error {
	return failure.New(failure.ProgramLimitExceeded, "more than %d indexes per table are not allowed", maxIndexes)
}

// key checks the columns of a primary key or unique constraint.
func key(columns []string, types map[string]*parser.TypeName) error {
	if len(columns) > maxKeyColumns {
		return tooManyKeys()
	}
	sum := 0
	for _, c := range columns {
		t := types[c]
		if name := baseName(t); notInKey(name) {
			return refuse("datatype %s is not supported in a key", name)
		} else if name == "character" || name == "character varying" {
			sum += width(t)
		}
	}
	return keyWidth(sum)
}

func tooManyKeys() error {
	return failure.New(failure.TooManyColumns, "more than %d column keys in an index are not supported", maxKeyColumns)
}

func keyWidth(n int) error {
	if n > maxKeyWidth {
		return failure.New(failure.ProgramLimitExceeded, "key size greater than %d bytes not supported", maxKeyWidth)
	}
	return nil
}

// column checks one column of CREATE TABLE.
func column(d *parser.ColumnDef) error {
	if err := columnType(d.Type); err != nil {
		return err
	}
	if len(d.Collation) > 0 {
		return refuse("COLLATE clause not supported")
	}
	for _, c := range d.Constraints {
		if c.Kind == parser.ConstrIdentity {
			if err := identity(d.Type, c.Sequence); err != nil {
				return err
			}
		}
	}
	return nil
}

const cacheRule = "without an explicit cache size. please define CACHE greater than or equal to 65536 or equal to 1"

// identity checks the type of an identity column, nil when it is not known here, and its options.
func identity(t *parser.TypeName, options []*parser.DefElem) error {
	if name := baseName(t); t != nil && name != "bigint" {
		return refuse("datatype %s not supported, identity column type must be bigint", name)
	}
	if !cached(options) {
		return refuse("identity column is not supported %s", cacheRule)
	}
	return nil
}

func cached(options []*parser.DefElem) bool {
	for _, o := range options {
		if o.Name != "cache" {
			continue
		}
		n := int64(0)
		if c, ok := o.Arg.(*parser.Const); ok {
			if n = int64(c.Int); c.Kind != parser.ConstInteger {
				n, _ = strconv.ParseInt(c.Str, 10, 64) //nolint: what is no number is not enough either
			}
		}
		return n == 1 || n >= leastCache
	}
	return false
}

func createSequence(s *parser.CreateSeqStmt) error {
	for _, o := range s.Options {
		if t, ok := o.Arg.(*parser.TypeName); ok && o.Name == "as" && baseName(t) != "bigint" {
			return refuse("datatype %s not supported", baseName(t))
		}
	}
	if s.Persistence == parser.PersistTemp {
		return refuse("TEMPORARY or TEMP sequence not supported for CREATE SEQUENCE")
	}
	if !cached(s.Options) {
		return refuse("CREATE SEQUENCE is not supported %s", cacheRule)
	}
	return nil
}

func createIndex(s *parser.CreateIndexStmt) error {
	switch {
	case s.Concurrently:
		return refuse("CONCURRENTLY not supported for CREATE INDEX")
	case !s.Async:
		return refuse("unsupported mode. please use CREATE INDEX ASYNC.")
	case s.AccessMethod != "":
		return refuse("USING not supported for CREATE INDEX")
	case len(s.Options) > 0:
		return refuse("WITH not supported for CREATE INDEX")
	case s.Tablespace != "":
		return refuse("TABLESPACE not supported for CREATE INDEX")
	case len(s.Keys) > maxKeyColumns:
		return tooManyKeys()
	}
	for _, k := range s.Keys {
		switch {
		case k.Dir != parser.SortDefault:
			return refuse("specifying sort order not supported for index keys")
		case len(k.OpClass) > 0:
			return refuse("opclass not supported for index keys")
		case len(k.Collation) > 0:
			return refuse("COLLATE clause not supported")
		}
	}
	return nil
}

func alterTable(s *parser.AlterTableStmt) error {
	for _, c := range s.Cmds {
		form := ""
		switch c.Kind {
		case parser.ATAddColumn:
			if err := addColumn(c.Column); err != nil {
				return err
			}
		case parser.ATAddConstraint:
			if !laterConstraint(c.Constraint) {
				form = "ADD CONSTRAINT"
			}
		case parser.ATValidateConstraint:
			if !s.Async {
				form = "VALIDATE CONSTRAINT"
			}
		case parser.ATAddIdentity:
			if err := identity(nil, c.Constraint.Sequence); err != nil {
				return err
			}
		default:
			form = refusedForm(c)
		}
		if form != "" {
			return refuse("unsupported ALTER TABLE %s statement", form)
		}
	}
	return nil
}

func addColumn(d *parser.ColumnDef) error {
	if err := columnType(d.Type); err != nil {
		return err
	}
	if len(d.Collation) > 0 {
		return refuse("COLLATE clause not supported")
	}
	for _, c := range d.Constraints {
		if c.Kind != parser.ConstrNull {
			return refuse("ALTER TABLE ADD COLUMN with constraint not supported")
		}
	}
	return nil
}

// laterConstraint says whether a constraint may be added to a table that exists.
func laterConstraint(c *parser.Constraint) bool {
	switch c.Kind {
	case parser.ConstrCheck, parser.ConstrForeign:
		return c.NotValid
	case parser.ConstrUnique:
		return c.IndexName != ""
	}
	return false
}

// refusedForm names the form of ALTER TABLE when no variant of it is supported.
func refusedForm(c *parser.AlterTableCmd) string {
	switch c.Kind {
	case parser.ATAlterColumnType:
		return "ALTER COLUMN ... SET DATA TYPE"
	case parser.ATSetNotNull:
		return "ALTER COLUMN ... SET NOT NULL"
	case parser.ATSetStatistics:
		return "ALTER COLUMN ... SET STATISTICS"
	case parser.ATSetCompression:
		return "ALTER COLUMN ... SET COMPRESSION"
	case parser.ATSetColumnOptions, parser.ATResetColumnOptions:
		return "ALTER COLUMN ... SET"
	case parser.ATEnableRowSecurity:
		return "ENABLE ROW SECURITY"
	case parser.ATDisableRowSecurity:
		return "DISABLE ROW SECURITY"
	case parser.ATForceRowSecurity:
		return "FORCE ROW SECURITY"
	case parser.ATNoForceRowSecurity:
		return "NO FORCE ROW SECURITY"
	case parser.ATReplicaIdentity:
		return "REPLICA IDENTITY"
	case parser.ATEnableRule, parser.ATEnableAlwaysRule, parser.ATEnableReplicaRule:
		return "ENABLE RULE"
	case parser.ATDisableRule:
		return "DISABLE RULE"
	case parser.ATInherit:
		return "INHERIT"
	case parser.ATNoInherit:
		return "NO INHERIT"
	case parser.ATAttachPartition:
		return "ATTACH PARTITION"
	case parser.ATDetachPartition, parser.ATDetachFinalize:
		return "DETACH PARTITION"
	case parser.ATSetOptions:
		return "SET"
	case parser.ATResetOptions:
		return "RESET"
	case parser.ATSetTablespace:
		return "SET TABLESPACE"
	case parser.ATSetAccessMethod:
		return "SET ACCESS METHOD"
	case parser.ATSetLogged:
		return "SET LOGGED"
	case parser.ATSetUnlogged:
		return "SET UNLOGGED"
	case parser.ATClusterOn:
		return "CLUSTER ON"
	case parser.ATSetWithoutCluster:
		return "SET WITHOUT CLUSTER"
	case parser.ATOf, parser.ATNotOf:
		return "OF"
	}
	return ""
}
