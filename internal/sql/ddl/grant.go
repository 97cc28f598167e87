package ddl

import (
	"context"
	"math/bits"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// grantTarget is an object whose access list changes.
type grantTarget struct {
	word  string // for errors
	name  string
	owner catalog.OID
	acl   catalog.ACL
	all   catalog.Privilege
	// column targets are columns of table.
	table *catalog.Table
	store func(catalog.ACL) catalog.Descriptor
}

func (e *Env) grant(ctx context.Context, s *parser.GrantStmt) (Result, error) {
	res := Result{Tag: "GRANT"}
	if s.Revoke {
		res.Tag = "REVOKE"
	}
	if s.Grantor != nil {
		g, err := e.role(s.Grantor)
		if err != nil {
			return res, err
		}
		if g.OID != e.User {
			return res, failure.New(failure.FeatureNotSupported, "grantor must be current user")
		}
	}
	grantees, err := e.grantees(s.Grantees)
	if err != nil {
		return res, err
	}
	if s.GrantOption && !s.Revoke && slices.Contains(grantees, 0) {
		return res, failure.New(failure.InvalidGrantOperation, "grant options can only be granted to roles")
	}
	targets, err := e.grantTargets(s)
	if err != nil {
		return res, err
	}
	for _, t := range targets {
		whole, columns, err := grantPrivileges(s, t)
		if err != nil {
			return res, err
		}
		if whole != 0 {
			if err := e.grantOne(ctx, s, t, whole, grantees); err != nil {
				return res, err
			}
		}
		for _, c := range columns {
			if err := e.grantColumn(ctx, s, t, c, grantees); err != nil {
				return res, err
			}
		}
	}
	return res, nil
}

// grantees resolves the roles that receive; PUBLIC is 0.
func (e *Env) grantees(specs []*parser.RoleSpec) ([]catalog.OID, error) {
	var out []catalog.OID
	for _, g := range specs {
		if g.Kind == parser.RolePublic {
			out = append(out, 0)
			continue
		}
		r, err := e.role(g)
		if err != nil {
			return nil, err
		}
		out = append(out, r.OID)
	}
	return out, nil
}

type columnGrant struct {
	privs catalog.Privilege
	names []string
}

// privilegeWords are the privileges by the words of GRANT.
func privilegeWord(w string) (catalog.Privilege, bool) {
	switch w {
	case "select":
		return catalog.PrivSelect, true
	case "insert":
		return catalog.PrivInsert, true
	case "update":
		return catalog.PrivUpdate, true
	case "delete":
		return catalog.PrivDelete, true
	case "truncate":
		return catalog.PrivTruncate, true
	case "references":
		return catalog.PrivReferences, true
	case "trigger":
		return catalog.PrivTrigger, true
	case "execute":
		return catalog.PrivExecute, true
	case "usage":
		return catalog.PrivUsage, true
	case "create":
		return catalog.PrivCreate, true
	case "temporary", "temp":
		return catalog.PrivTemporary, true
	case "connect":
		return catalog.PrivConnect, true
	}
	return 0, false
}

// grantPrivileges reads the privileges of a GRANT against what the target's kind has.
func grantPrivileges(s *parser.GrantStmt, t *grantTarget) (catalog.Privilege, []columnGrant, error) {
	if len(s.Privileges) == 0 {
		return t.all, nil, nil
	}
	var whole catalog.Privilege
	var columns []columnGrant
	for _, p := range s.Privileges {
		bit := t.all
		if p.Name != "" {
			var ok bool
			if bit, ok = privilegeWord(p.Name); !ok {
				return 0, nil, failure.New(failure.SyntaxError, "unrecognized privilege type \"%s\"", p.Name)
			}
		}
		if len(p.Columns) > 0 {
			if t.table == nil {
				return 0, nil, failure.New(failure.InvalidGrantOperation, "column privileges are only valid for relations")
			}
			if p.Name == "" {
				bit = catalog.PrivAllColumn
			}
			if bit&^catalog.PrivAllColumn != 0 {
				return 0, nil, failure.New(failure.InvalidGrantOperation, "invalid privilege type %s for column", strings.ToUpper(p.Name))
			}
			columns = append(columns, columnGrant{bit, p.Columns})
			continue
		}
		if bit&^t.all != 0 {
			kind := t.word
			if kind == "table" || kind == "view" {
				kind = "table"
			}
			return 0, nil, failure.New(failure.InvalidGrantOperation, "invalid privilege type %s for %s", strings.ToUpper(p.Name), kind)
		}
		whole |= bit
	}
	return whole, columns, nil
}

// grantor returns the role in whose name privileges are granted, and which of them it may grant.
func (e *Env) grantor(t *grantTarget, acl catalog.ACL, want catalog.Privilege) (catalog.OID, catalog.Privilege) {
	s := e.snap()
	if s.Superuser(e.User) || s.Member(e.User, t.owner) {
		return t.owner, want
	}
	// The role among the user's whose grant options cover most.
	best, may := e.User, acl.Grantable(want, func(r catalog.OID) bool { return r == e.User })
	for r := range s.Roles() {
		if may == want || !s.Member(e.User, r.OID) {
			continue
		}
		if m := acl.Grantable(want, func(o catalog.OID) bool { return o == r.OID }); bits.OnesCount16(uint16(m)) > bits.OnesCount16(uint16(may)) {
			best, may = r.OID, m
		}
	}
	return best, may
}

func (e *Env) grantOne(ctx context.Context, s *parser.GrantStmt, t *grantTarget, want catalog.Privilege, grantees []catalog.OID) error {
	acl, err := e.changeACL(s, t, t.acl, want, grantees)
	if err != nil || acl == nil {
		return err
	}
	d := t.store(acl)
	if tab, ok := d.(*catalog.Table); ok && s.Revoke {
		// What is revoked from the whole table is revoked from its columns.
		for _, c := range tab.Columns {
			for _, g := range grantees {
				c.ACL = c.ACL.RevokeAll(g, want&catalog.PrivAllColumn, s.GrantOption, s.Behavior == parser.DropCascade)
			}
		}
	}
	return e.put(ctx, d)
}

// changeACL returns the changed list, nil when nothing may be changed (after a warning).
func (e *Env) changeACL(s *parser.GrantStmt, t *grantTarget, acl catalog.ACL, want catalog.Privilege, grantees []catalog.OID) (catalog.ACL, error) {
	grantor, may := e.grantor(t, acl, want)
	if may == 0 {
		sn := e.snap()
		if acl.Granted(t.all, func(r catalog.OID) bool { return sn.Member(e.User, r) }) == 0 {
			return nil, catalog.Denied(t.word, t.name)
		}
		if s.Revoke {
			e.warn(failure.WarningPrivilegeNotRevoked, "no privileges could be revoked for \"%s\"", t.name)
		} else {
			e.warn(failure.WarningPrivilegeNotGranted, "no privileges were granted for \"%s\"", t.name)
		}
		return nil, nil
	}
	if may != want {
		if s.Revoke {
			e.warn(failure.WarningPrivilegeNotRevoked, "not all privileges could be revoked for \"%s\"", t.name)
		} else {
			e.warn(failure.WarningPrivilegeNotGranted, "not all privileges were granted for \"%s\"", t.name)
		}
	}
	acl = slices.Clone(acl)
	for _, g := range grantees {
		if s.Revoke {
			if err := e.revokeDependents(s, &acl, g, grantor, may); err != nil {
				return nil, err
			}
			acl = acl.Revoke(g, grantor, may, s.GrantOption)
		} else {
			acl = acl.Grant(g, grantor, may, s.GrantOption)
		}
	}
	if acl == nil {
		acl = catalog.ACL{}
	}
	return acl, nil
}

// revokeDependents takes back, with CASCADE, what a role passed on by a grant option that it loses.
func (e *Env) revokeDependents(s *parser.GrantStmt, acl *catalog.ACL, role, grantor catalog.OID, privs catalog.Privilege) error {
	if role == 0 {
		return nil
	}
	for _, it := range *acl {
		if it.Grantor != role || it.Privs&privs == 0 || role == grantor {
			continue
		}
		if it.Grantee == role && s.Behavior == parser.DropCascade {
			*acl = acl.Revoke(role, role, privs, false)
			continue
		}
		if s.Behavior != parser.DropCascade {
			return failure.New(failure.DependentObjectsStillExist, "dependent privileges exist").
				WithHint("Use CASCADE to revoke them too.")
		}
		if err := e.revokeDependents(s, acl, it.Grantee, role, privs); err != nil {
			return err
		}
		*acl = acl.Revoke(it.Grantee, role, privs, false)
	}
	return nil
}

func (e *Env) grantColumn(ctx context.Context, s *parser.GrantStmt, t *grantTarget, g columnGrant, grantees []catalog.OID) error {
	tab := e.snap().TableByOID(t.table.OID).Clone()
	for _, n := range g.names {
		c, _ := tab.ColumnByName(n)
		if c == nil {
			return failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", n, tab.Name)
		}
		acl, err := e.changeACL(s, t, c.ACL, g.privs, grantees)
		if err != nil {
			return err
		}
		if acl != nil {
			c.ACL = acl
			if len(acl) == 0 {
				c.ACL = nil
			}
		}
	}
	return e.put(ctx, tab)
}

// grantTargets finds the objects of a GRANT.
func (e *Env) grantTargets(s *parser.GrantStmt) ([]*grantTarget, error) {
	if s.Target == parser.GrantAllInSchema {
		return e.grantAllInSchema(s)
	}
	var out []*grantTarget
	for _, o := range s.Objects {
		t, err := e.grantObject(s, o)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (e *Env) grantObject(s *parser.GrantStmt, o *parser.Object) (*grantTarget, error) {
	snap := e.snap()
	switch s.Object {
	case parser.ObjectTable, parser.ObjectSequence:
		r, err := e.relation(relationObject(o.Names, o.Pos), false)
		if err != nil {
			return nil, err
		}
		if r.Index != nil {
			return nil, failure.New(failure.WrongObjectType, "\"%s\" is an index", r.Name())
		}
		if s.Object == parser.ObjectSequence && r.Table.Kind != catalog.RelSequence {
			return nil, failure.New(failure.WrongObjectType, "\"%s\" is not a sequence", r.Name())
		}
		if r.Table.OID < catalog.FirstUserOID {
			return nil, failure.NotSupported("changing privileges of system tables is")
		}
		return relationTarget(r.Table), nil
	case parser.ObjectSchema:
		d, err := snap.NeedSchema(o.Names[len(o.Names)-1])
		if err != nil {
			return nil, err
		}
		return &grantTarget{word: "schema", name: d.Name, owner: d.Owner, acl: d.EffectiveACL(), all: catalog.PrivAllSchema,
			store: func(a catalog.ACL) catalog.Descriptor { c := d.Clone(); c.ACL = a; return c }}, nil
	case parser.ObjectDatabase:
		d := snap.Database()
		if n := o.Names[len(o.Names)-1]; n != d.Name {
			return nil, failure.New(failure.UndefinedDatabase, "database \"%s\" does not exist", n)
		}
		return &grantTarget{word: "database", name: d.Name, owner: d.Owner, acl: d.EffectiveACL(), all: catalog.PrivAllDatabase,
			store: func(a catalog.ACL) catalog.Descriptor { c := d.Clone(); c.ACL = a; return c }}, nil
	case parser.ObjectTypeName, parser.ObjectDomain:
		schema, name := splitName(o.Names)
		d, _ := snap.FindType(e.Path, schema, name)
		if d == nil {
			return nil, failure.New(failure.UndefinedObject, "type \"%s\" does not exist", name)
		}
		return &grantTarget{word: "type", name: d.Name, owner: d.Owner, acl: d.EffectiveACL(), all: catalog.PrivAllType,
			store: func(a catalog.ACL) catalog.Descriptor { c := d.Clone(); c.ACL = a; return c }}, nil
	case parser.ObjectFunction, parser.ObjectProcedure, parser.ObjectRoutine:
		fs, err := e.findFunctions(o)
		if err != nil {
			return nil, err
		}
		if len(fs) != 1 {
			return nil, failure.New(failure.UndefinedFunction, "function %s does not exist", e.signatureText(o))
		}
		return functionTarget(fs[0]), nil
	default:
		return nil, failure.NotSupported("GRANT ON %s is", s.Object)
	}
}

func relationTarget(t *catalog.Table) *grantTarget {
	all := catalog.PrivAllTable
	if t.Kind == catalog.RelSequence {
		all = catalog.PrivAllSequence
	}
	return &grantTarget{word: t.Kind.Word(), name: t.Name, owner: t.Owner, acl: t.EffectiveACL(), all: all, table: t,
		store: func(a catalog.ACL) catalog.Descriptor { c := t.Clone(); c.ACL = a; return c }}
}

func functionTarget(f *catalog.Function) *grantTarget {
	return &grantTarget{word: "function", name: f.Name, owner: f.Owner, acl: f.EffectiveACL(), all: catalog.PrivAllFunction,
		store: func(a catalog.ACL) catalog.Descriptor { c := f.Clone(); c.ACL = a; return c }}
}

func (e *Env) grantAllInSchema(s *parser.GrantStmt) ([]*grantTarget, error) {
	var out []*grantTarget
	for _, o := range s.Objects {
		d, err := e.snap().NeedSchema(o.Names[len(o.Names)-1])
		if err != nil {
			return nil, err
		}
		for t := range e.snap().Tables() {
			if t.Schema != d.OID {
				continue
			}
			seq := t.Kind == catalog.RelSequence
			if seq == (s.Object == parser.ObjectSequence) && t.Kind != catalog.RelComposite && s.Object != parser.ObjectFunction {
				out = append(out, relationTarget(t))
			}
		}
		if s.Object == parser.ObjectFunction || s.Object == parser.ObjectRoutine || s.Object == parser.ObjectProcedure {
			for f := range e.snap().Functions() {
				if f.Schema == d.OID {
					out = append(out, functionTarget(f))
				}
			}
		}
	}
	return out, nil
}

func (e *Env) alterDefaultPrivileges(ctx context.Context, s *parser.AlterDefaultPrivilegesStmt) (Result, error) {
	res := Result{Tag: "ALTER DEFAULT PRIVILEGES"}
	kinds := map[parser.ObjectType]struct {
		letter      byte
		all, public catalog.Privilege
	}{
		parser.ObjectTable:    {'r', catalog.PrivAllTable, 0},
		parser.ObjectSequence: {'S', catalog.PrivAllSequence, 0},
		parser.ObjectFunction: {'f', catalog.PrivAllFunction, catalog.PrivExecute},
		parser.ObjectRoutine:  {'f', catalog.PrivAllFunction, catalog.PrivExecute},
		parser.ObjectTypeName: {'T', catalog.PrivAllType, catalog.PrivUsage},
		parser.ObjectSchema:   {'n', catalog.PrivAllSchema, 0},
	}
	k, ok := kinds[s.Action.Object]
	if !ok {
		return res, failure.NotSupported("ALTER DEFAULT PRIVILEGES for %s is", s.Action.Object)
	}
	grantees, err := e.grantees(s.Action.Grantees)
	if err != nil {
		return res, err
	}
	roles := []catalog.OID{e.User}
	if len(s.Roles) > 0 {
		if roles, err = e.grantees(s.Roles); err != nil {
			return res, err
		}
	}
	schemas := []catalog.OID{0}
	if len(s.Schemas) > 0 {
		schemas = nil
		for _, n := range s.Schemas {
			d, err := e.snap().NeedSchema(n)
			if err != nil {
				return res, err
			}
			schemas = append(schemas, d.OID)
		}
	}
	for _, role := range roles {
		if !e.snap().MayBecome(e.User, role) {
			return res, failure.New(failure.InsufficientPrivilege, "must be member of role \"%s\"", e.snap().RoleName(role))
		}
		for _, schema := range schemas {
			t := &grantTarget{word: "default privileges", owner: role, all: k.all}
			want, _, err := grantPrivileges(s.Action, t)
			if err != nil {
				return res, err
			}
			if err := e.putDefaultACL(ctx, s.Action, role, schema, k.letter, k.all, k.public, want, grantees); err != nil {
				return res, err
			}
		}
	}
	return res, nil
}

func (e *Env) putDefaultACL(ctx context.Context, s *parser.GrantStmt, role, schema catalog.OID, letter byte,
	all, public, want catalog.Privilege, grantees []catalog.OID) error {
	var d *catalog.DefaultACL
	for x := range e.snap().DefaultACLs() {
		if x.Role == role && x.Schema == schema && x.Object == letter {
			d = x.Clone()
		}
	}
	if d == nil {
		oid, err := e.newOID(ctx)
		if err != nil {
			return err
		}
		d = &catalog.DefaultACL{OID: oid, Role: role, Schema: schema, Object: letter}
		if schema == 0 {
			d.ACL = catalog.DefaultACLFor(role, all, public)
		}
	}
	for _, g := range grantees {
		if s.Revoke {
			d.ACL = d.ACL.Revoke(g, role, want, s.GrantOption)
		} else {
			d.ACL = d.ACL.Grant(g, role, want, s.GrantOption)
		}
	}
	return e.put(ctx, d)
}
