package strict

import (
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// baseName is the name of a built-in type as PostgreSQL prints it, or "" for types of the user.
func baseName(t *parser.TypeName) string {
	if t == nil || len(t.Names) == 0 || len(t.Names) > 1 && t.Names[0] != "pg_catalog" {
		return ""
	}
	name := t.Names[len(t.Names)-1]
	switch name {
	case "int2":
		return "smallint"
	case "int4":
		return "integer"
	case "int8":
		return "bigint"
	case "float4":
		return "real"
	case "float8":
		return "double precision"
	case "bool":
		return "boolean"
	case "bpchar":
		return "character"
	case "varchar":
		return "character varying"
	case "timestamp":
		return "timestamp without time zone"
	case "timestamptz":
		return "timestamp with time zone"
	case "time":
		return "time without time zone"
	case "timetz":
		return "time with time zone"
	case "varbit":
		return "bit varying"
	}
	return name
}

// nowhere says whether a type is refused even in queries.
func nowhere(name string) bool {
	switch name {
	case "money", "xml", "cidr", "macaddr", "macaddr8", "point", "line", "lseg", "box", "path", "polygon", "circle",
		"tsvector", "tsquery", "bit", "bit varying", "pg_lsn",
		"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
		"int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange":
		return true
	}
	return false
}

func castType(t *parser.TypeName) error {
	if name := baseName(t); nowhere(name) {
		return refuse("datatype %s not supported", name)
	}
	return nil
}

// columnType checks the type of a column or domain.
func columnType(t *parser.TypeName) error {
	name := baseName(t)
	switch name {
	case "":
		return nil
	case "serial", "bigserial", "smallserial", "serial2", "serial4", "serial8":
		return failure.New(failure.UndefinedObject, "type \"%s\" does not exist", name)
	}
	if len(t.ArrayBounds) > 0 || t.SetOf {
		return refuse("datatype %s[] not supported", name)
	}
	if nowhere(name) || name == "inet" {
		return refuse("datatype %s not supported", name)
	}
	n := width(t)
	switch {
	case name == "character" && n > 4096:
		return refuse("Datatype limit greater than 4096 bytes not supported for char")
	case name == "character varying" && n > 65535:
		return refuse("datatype limit greater than 65535 bytes not supported for varchar")
	}
	return nil
}

// width is the first modifier of a type, or 0.
func width(t *parser.TypeName) int {
	if t == nil || len(t.Typmods) == 0 {
		return 0
	}
	if c, ok := t.Typmods[0].(*parser.Const); ok && c.Kind == parser.ConstInteger {
		return int(c.Int)
	}
	return 0
}

// notInKey says whether a type may not be in a key.
func notInKey(name string) bool {
	switch name {
	case "time with time zone", "interval", "bytea", "json", "jsonb":
		return true
	}
	return false
}

// Adapt returns the statement with DSQL's meaning of what was written: numeric without a precision is numeric(18,6) in
// columns and domains. The statement itself is left as it is.
func Adapt(s parser.Statement) parser.Statement {
	switch s := s.(type) {
	case *parser.CreateTableStmt:
		c := *s
		c.Elements = append([]parser.TableElement(nil), s.Elements...)
		for i, e := range c.Elements {
			if d, ok := e.(*parser.ColumnDef); ok {
				c.Elements[i] = adaptColumn(d)
			}
		}
		return &c
	case *parser.AlterTableStmt:
		c := *s
		c.Cmds = append([]*parser.AlterTableCmd(nil), s.Cmds...)
		for i, cmd := range c.Cmds {
			if cmd.Column != nil {
				d := *cmd
				d.Column = adaptColumn(cmd.Column)
				c.Cmds[i] = &d
			}
		}
		return &c
	case *parser.CreateDomainStmt:
		c := *s
		c.Type = adaptType(s.Type)
		return &c
	case *parser.CreateSchemaStmt:
		c := *s
		c.Elements = append([]parser.Statement(nil), s.Elements...)
		for i, e := range c.Elements {
			c.Elements[i] = Adapt(e)
		}
		return &c
	}
	return s
}

func adaptColumn(d *parser.ColumnDef) *parser.ColumnDef {
	c := *d
	c.Type = adaptType(d.Type)
	return &c
}

func adaptType(t *parser.TypeName) *parser.TypeName {
	if baseName(t) != "numeric" || len(t.Typmods) > 0 || len(t.ArrayBounds) > 0 {
		return t
	}
	c := *t
	for _, n := range []int32{18, 6} {
		c.Typmods = append(c.Typmods, &parser.Const{Pos: parser.NoPos, Kind: parser.ConstInteger, Int: n})
	}
	return &c
}
