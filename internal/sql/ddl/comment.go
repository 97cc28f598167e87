package ddl

import (
	"context"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

func (e *Env) comment(ctx context.Context, s *parser.CommentStmt) (Result, error) {
	res := Result{Tag: "COMMENT"}
	switch s.Object {
	case parser.ObjectTable, parser.ObjectView, parser.ObjectSequence, parser.ObjectIndex, parser.ObjectMatView:
		return res, e.commentRelation(ctx, s)
	case parser.ObjectColumn, parser.ObjectTableConstraint:
		return res, e.commentPart(ctx, s)
	case parser.ObjectSchema, parser.ObjectDatabase, parser.ObjectRole:
		return res, e.commentGlobal(ctx, s)
	case parser.ObjectTypeName, parser.ObjectDomain:
		if done, err := e.commentRowType(ctx, s); done || err != nil {
			return res, err
		}
		t, err := e.ownType(objectNames(s.Target))
		if err != nil {
			return res, err
		}
		t.Comment = s.Comment
		return res, e.put(ctx, t)
	case parser.ObjectFunction, parser.ObjectProcedure, parser.ObjectRoutine:
		fs, err := e.findFunctions(s.Target)
		if err != nil {
			return res, err
		}
		if len(fs) != 1 {
			return res, failure.New(failure.UndefinedFunction, "function %s does not exist", e.signatureText(s.Target))
		}
		f := fs[0].Clone()
		f.Comment = s.Comment
		return res, e.put(ctx, f)
	case parser.ObjectExtension:
		return res, nil
	default:
		return res, failure.NotSupported("COMMENT ON %s is", s.Object)
	}
}

// commentRowType comments a type that CREATE TYPE name AS (…) made; false when the name is none.
func (e *Env) commentRowType(ctx context.Context, s *parser.CommentStmt) (bool, error) {
	row, err := e.rowType(s.Object, s.Target)
	if row == nil {
		return false, err
	}
	t := row.Clone()
	t.Comment = s.Comment
	return true, e.put(ctx, t)
}

func (e *Env) commentRelation(ctx context.Context, s *parser.CommentStmt) error {
	r, err := e.relation(relationObject(s.Target.Names, s.Target.Pos), false)
	if err != nil {
		return err
	}
	want := map[parser.ObjectType]catalog.RelKind{parser.ObjectTable: catalog.RelTable, parser.ObjectView: catalog.RelView,
		parser.ObjectSequence: catalog.RelSequence, parser.ObjectIndex: catalog.RelIndex, parser.ObjectMatView: catalog.RelMatView}[s.Object]
	if r.Kind() != want {
		article := "a"
		if want == catalog.RelIndex {
			article = "an"
		}
		return failure.New(failure.WrongObjectType, "\"%s\" is not %s %s", r.Name(), article, lower(s.Object))
	}
	if err := e.own(r); err != nil {
		return err
	}
	t := r.Table.Clone()
	if r.Index != nil {
		t.IndexByOID(r.Index.OID).Comment = s.Comment
	} else {
		t.Comment = s.Comment
	}
	return e.put(ctx, t)
}

// commentPart comments a column or constraint: the last name is its own.
func (e *Env) commentPart(ctx context.Context, s *parser.CommentStmt) error {
	names := s.Target.Names
	if len(names) < 2 {
		return failure.New(failure.SyntaxError, "column name must be qualified")
	}
	r, err := e.relation(relationObject(names[:len(names)-1], s.Target.Pos), false)
	if err != nil {
		return err
	}
	if err := e.own(r); err != nil {
		return err
	}
	name := names[len(names)-1]
	t := r.Table.Clone()
	if s.Object == parser.ObjectColumn {
		c, _ := t.ColumnByName(name)
		if c == nil {
			return failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, t.Name)
		}
		c.Comment = s.Comment
		return e.put(ctx, t)
	}
	oid := constraintOID(t, name)
	if oid == 0 {
		return failure.New(failure.UndefinedObject, "constraint \"%s\" for table \"%s\" does not exist", name, t.Name)
	}
	for _, c := range t.Checks {
		if c.OID == oid {
			c.Comment = s.Comment
		}
	}
	for _, f := range t.ForeignKeys {
		if f.OID == oid {
			f.Comment = s.Comment
		}
	}
	for _, x := range t.Indexes {
		if x.Constraint == oid {
			x.ConstraintComment = s.Comment
		}
	}
	return e.put(ctx, t)
}

func (e *Env) commentGlobal(ctx context.Context, s *parser.CommentStmt) error {
	snap := e.snap()
	name := strings.Join(s.Target.Names, ".")
	switch s.Object {
	case parser.ObjectSchema:
		d, err := snap.NeedSchema(name)
		if err != nil {
			return err
		}
		if !snap.Member(e.User, d.Owner) || isSystemSchema(d.OID) {
			return catalog.NotOwner("schema", name)
		}
		c := d.Clone()
		c.Comment = s.Comment
		return e.put(ctx, c)
	case parser.ObjectDatabase:
		d := snap.Database()
		if name != d.Name {
			return failure.New(failure.UndefinedDatabase, "database \"%s\" does not exist", name)
		}
		if !snap.Member(e.User, d.Owner) {
			return catalog.NotOwner("database", name)
		}
		c := d.Clone()
		c.Comment = s.Comment
		return e.put(ctx, c)
	default:
		r, err := snap.NeedRole(name)
		if err != nil {
			return err
		}
		if me := snap.RoleByOID(e.User); !me.Superuser && !me.CreateRole {
			return failure.New(failure.InsufficientPrivilege, "must have CREATEROLE privilege")
		}
		c := r.Clone()
		c.Comment = s.Comment
		return e.put(ctx, c)
	}
}
