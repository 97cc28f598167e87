// Package parser turns the text of SQL statements into syntax trees and trees back into text.
//
// The grammar is PostgreSQL 15's, plus what Aurora DSQL adds (CREATE INDEX ASYNC, ALTER TABLE ASYNC, AWS IAM GRANT).
// The parser is a hand-written lexer and a recursive descent with operator precedence for expressions. It never
// parses the same text twice: every choice is made with a bounded look ahead. Nesting and the height of trees are
// limited, so that a walker may recurse over any tree that Parse returns.
//
// Trees are plain data. Names of nodes and fields follow PostgreSQL's parse nodes where there is one.
package parser

import "unicode/utf8"

// NoPos is the position of a node that was not read from any text.
const NoPos = -1

// Node is any part of a syntax tree.
type Node interface {
	// Position returns the byte offset of the node in the text given to Parse, or NoPos.
	Position() int
}

// Statement is a whole SQL statement.
type Statement interface {
	Node
	statement()
}

// Expr is a value expression.
type Expr interface {
	Node
	expr()
}

// TableExpr is an item of a FROM clause.
type TableExpr interface {
	Node
	tableExpr()
}

// TableElement is an item between the parentheses of CREATE TABLE: *ColumnDef, *Constraint or *LikeClause.
type TableElement interface {
	Node
	tableElement()
}

// RawStmt is one statement of a query string and the part of the string it was read from. Positions in the tree
// count from the start of the whole string, as PostgreSQL's do.
type RawStmt struct {
	Stmt  Statement
	Start int // byte offset of the first token
	Len   int // bytes up to the semicolon or the end, without trailing white space
}

// CharPosition turns a byte offset in sql into PostgreSQL's error position: 1-based, in characters. It returns 0
// (no position) for NoPos.
func CharPosition(sql string, offset int) int {
	if offset < 0 {
		return 0
	}
	if offset > len(sql) {
		offset = len(sql)
	}
	return utf8.RuneCountInString(sql[:offset]) + 1
}

// RelationName is a possibly qualified name of a relation. Empty parts were not written.
type RelationName struct {
	Pos     int
	Catalog string
	Schema  string
	Name    string
}

// Parts returns the written parts, outermost first.
func (n *RelationName) Parts() []string {
	switch {
	case n.Catalog != "":
		return []string{n.Catalog, n.Schema, n.Name}
	case n.Schema != "":
		return []string{n.Schema, n.Name}
	default:
		return []string{n.Name}
	}
}

// QualifiedName is the possibly qualified name of an object that is not a relation; Parts are outermost first.
type QualifiedName struct {
	Pos   int
	Parts []string
}

// TypeName names a type. Types with a syntax of their own (integer, timestamp with time zone, …) come as
// pg_catalog.NAME with PostgreSQL's internal name: int becomes {"pg_catalog", "int4"}.
type TypeName struct {
	Pos     int
	Names   []string
	SetOf   bool
	PctType bool   // names%TYPE: Names is a column's name, not a type's
	Typmods []Expr // what is between the parentheses; for interval PostgreSQL's field mask and precision
	// ArrayBounds has one entry for each dimension, -1 where no bound was written.
	ArrayBounds []int
}

// RoleSpecKind says how a role was named.
type RoleSpecKind uint8

// The ways to name a role.
const (
	RoleNamed RoleSpecKind = iota
	RoleCurrentRole
	RoleCurrentUser
	RoleSessionUser
	RolePublic
)

// RoleSpec names a role or one of the pseudo roles.
type RoleSpec struct {
	Pos  int
	Kind RoleSpecKind
	Name string // for RoleNamed
}

// DefElemAction is the verb before an option's name.
type DefElemAction uint8

// The verbs; DefUnspec when none was written.
const (
	DefUnspec DefElemAction = iota
	DefSet
	DefAdd
	DefDrop
)

// DefElem is one "name [= value]" option. Arg is nil, *Const (string, number or boolean), *TypeName (a bare word
// that was read as a type's name), *QualifiedName, *NameList, *RoleSpec, *Star, or any Expr for AS-like arguments.
type DefElem struct {
	Pos       int
	Namespace string
	Name      string
	Arg       Node
	Action    DefElemAction
}

// NameList is a list of words given as an option's value.
type NameList struct {
	Pos   int
	Names []string
}

// Star is "*" given as an option's value.
type Star struct{ Pos int }

// DropBehavior is what happens to dependent objects.
type DropBehavior uint8

// RESTRICT is also what is meant when neither word is written.
const (
	DropRestrict DropBehavior = iota
	DropCascade
)

// Persistence is the kind of storage of a relation.
type Persistence uint8

// The persistences.
const (
	PersistPermanent Persistence = iota
	PersistTemp
	PersistUnlogged
)
