// Package strict knows what Aurora DSQL refuses, and with which words. It judges parsed statements and looks into the
// catalogue where it must; sessions whose setting meridian.compat is "dsql" ask it before they run anything. Texts that
// nobody has recorded from a real cluster are marked in docs/dsql.md.
package strict

import (
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// Limits of a transaction, as Aurora DSQL has them.
const (
	TransactionRows    = 3000
	TransactionBytes   = 10 << 20
	TransactionSeconds = 300
)

// What server_version, server_version_num and version() answer.
const (
	ServerVersion    = "16.15"
	ServerVersionNum = "160015"
	Version          = "PostgreSQL 16"
)

// Class says which of the rules for transactions a statement falls under.
type Class uint8

// The classes.
const (
	Neither Class = iota // queries, SET, BEGIN and the like
	DML                  // changes rows
	DDL                  // changes the schema
)

// Blocks is what a transaction has done so far.
type Blocks struct{ ddl, dml bool }

// Admit checks the next statement of a transaction against what was there before, and remembers it.
func (b *Blocks) Admit(c Class) error {
	switch {
	case c == DDL && b.ddl:
		return refuse("multiple ddl statements not supported in a transaction")
	case c == DDL && b.dml, c == DML && b.ddl:
		return refuse("ddl and dml are not supported in the same transaction")
	}
	b.ddl = b.ddl || c == DDL
	b.dml = b.dml || c == DML
	return nil
}

// ClassOf classifies a statement.
func ClassOf(s parser.Statement) Class {
	switch s := s.(type) {
	case *parser.InsertStmt, *parser.UpdateStmt, *parser.DeleteStmt:
		return DML
	case *parser.SelectStmt:
		if s.With != nil {
			for _, c := range s.With.CTEs {
				if ClassOf(c.Query) == DML {
					return DML
				}
			}
		}
		return Neither
	case *parser.CopyStmt:
		if s.From {
			return DML
		}
		return Neither
	case *parser.ExplainStmt:
		for _, o := range s.Options {
			if o.Name == "analyze" {
				return ClassOf(s.Query)
			}
		}
		return Neither
	case *parser.TransactionStmt, *parser.VariableSetStmt, *parser.VariableShowStmt, *parser.DeallocateStmt,
		*parser.ConstraintsSetStmt, *parser.VacuumStmt, *parser.CallStmt:
		return Neither
	}
	return DDL // what is left after Check
}

func refuse(format string, args ...any) error {
	return failure.New(failure.FeatureNotSupported, format, args...)
}

func unsupported(node string) error { return refuse("unsupported statement: %s", node) }
