package ddl

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

func (e *Env) createRole(ctx context.Context, s *parser.CreateRoleStmt) (Result, error) {
	res := Result{Tag: "CREATE ROLE"}
	me := e.snap().RoleByOID(e.User)
	if !me.Superuser && !me.CreateRole {
		return res, failure.New(failure.InsufficientPrivilege, "permission denied to create role")
	}
	if err := roleName(s.Name); err != nil {
		return res, err
	}
	if e.snap().Role(s.Name) != nil {
		return res, failure.New(failure.DuplicateObject, "role \"%s\" already exists", s.Name)
	}
	oid, err := e.newOID(ctx)
	if err != nil {
		return res, err
	}
	r := &catalog.Role{OID: oid, Name: s.Name, Inherit: true, Login: s.Kind == parser.RoleStmtUser, ConnLimit: -1}
	if err := e.roleOptions(r, s.Options); err != nil {
		return res, err
	}
	if r.Superuser && !me.Superuser {
		return res, failure.New(failure.InsufficientPrivilege, "must be superuser to create superusers")
	}
	if err := e.put(ctx, r); err != nil {
		return res, err
	}
	for _, o := range s.Options {
		list, _ := o.Arg.(*parser.RoleList)
		if list == nil {
			continue
		}
		for _, spec := range list.Roles {
			other, err := e.role(spec)
			if err != nil {
				return res, err
			}
			if o.Name == "addroleto" {
				err = e.addMember(ctx, other, r.OID, false)
			} else {
				err = e.addMember(ctx, r, other.OID, o.Name == "adminmembers")
			}
			if err != nil {
				return res, err
			}
		}
	}
	return res, nil
}

func roleName(name string) error {
	if strings.HasPrefix(name, "pg_") {
		return failure.New(failure.ReservedName, "role name \"%s\" is reserved", name).
			WithDetail("Role names starting with \"pg_\" are reserved.")
	}
	if name == "public" || name == "none" {
		return failure.New(failure.ReservedName, "role name \"%s\" is reserved", name)
	}
	return nil
}

// roleOptions applies options; memberships are the caller's.
func (e *Env) roleOptions(r *catalog.Role, options []*parser.DefElem) error {
	seen := map[string]bool{}
	for _, o := range options {
		if seen[o.Name] {
			return e.at(failure.New(failure.SyntaxError, "conflicting or redundant options"), o.Pos)
		}
		seen[o.Name] = true
		c, _ := o.Arg.(*parser.Const)
		on := c != nil && c.Bool
		switch o.Name {
		case "superuser":
			r.Superuser = on
		case "createrole":
			r.CreateRole = on
		case "createdb":
			r.CreateDB = on
		case "canlogin":
			r.Login = on
		case "inherit":
			r.Inherit = on
		case "isreplication":
			r.Replication = on
		case "bypassrls":
			r.BypassRLS = on
		case "connectionlimit":
			n, err := constInt(o)
			if err != nil {
				return err
			}
			if n < -1 {
				return failure.New(failure.InvalidParameterValue, "invalid connection limit: %d", n)
			}
			r.ConnLimit = int(n)
		case "validUntil":
			r.ValidUntil = c.Str
		case "password":
			if err := e.password(r, c); err != nil {
				return err
			}
		case "sysid":
			e.notice(failure.SuccessfulCompletion, "SYSID can no longer be specified")
		}
	}
	return nil
}

// scramIterations is PostgreSQL's default.
const scramIterations = 4096

// password stores what a client proves its password against: only verifiers are kept.
func (e *Env) password(r *catalog.Role, c *parser.Const) error {
	switch {
	case c == nil || c.Kind == parser.ConstNull:
		r.Password = ""
	case c.Str == "":
		e.notice(failure.SuccessfulCompletion, "empty string is not a valid password, clearing password")
		r.Password = ""
	case strings.HasPrefix(c.Str, "SCRAM-SHA-256$"):
		r.Password = c.Str
	default:
		var salt [16]byte
		e.RandomBytes(salt[:])
		v, err := ScramVerifier(c.Str, salt[:], scramIterations)
		if err != nil {
			return err
		}
		r.Password = v
	}
	return nil
}

// ScramVerifier makes the verifier that PostgreSQL would store for a password.
func ScramVerifier(password string, salt []byte, iterations int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", failure.New(failure.InternalError, "cannot derive a key from the password").WithCause(err)
	}
	sign := func(text string) []byte {
		m := hmac.New(sha256.New, salted)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return "SCRAM-SHA-256$" + itoa(iterations) + ":" + b64(salt) + "$" + b64(stored[:]) + ":" + b64(sign("Server Key")), nil
}

func (e *Env) alterRole(ctx context.Context, s *parser.AlterRoleStmt) (Result, error) {
	res := Result{Tag: "ALTER ROLE"}
	r, err := e.role(s.Role)
	if err != nil {
		return res, err
	}
	for _, o := range s.Options {
		if list, ok := o.Arg.(*parser.RoleList); ok {
			return res, e.alterGroup(ctx, r, list, s.Drop)
		}
	}
	me := e.snap().RoleByOID(e.User)
	ownPassword := r.OID == e.User && len(s.Options) == 1 && s.Options[0].Name == "password"
	if r.Superuser && !me.Superuser {
		return res, failure.New(failure.InsufficientPrivilege, "must be superuser to alter superuser roles or change superuser attribute")
	}
	if !me.Superuser && !me.CreateRole && !ownPassword {
		return res, failure.New(failure.InsufficientPrivilege, "permission denied")
	}
	r = r.Clone()
	was := r.Superuser
	if err := e.roleOptions(r, s.Options); err != nil {
		return res, err
	}
	if r.Superuser != was && !me.Superuser {
		return res, failure.New(failure.InsufficientPrivilege, "must be superuser to alter superuser roles or change superuser attribute")
	}
	return res, e.put(ctx, r)
}

func (e *Env) alterGroup(ctx context.Context, r *catalog.Role, list *parser.RoleList, drop bool) error {
	for _, spec := range list.Roles {
		m, err := e.role(spec)
		if err != nil {
			return err
		}
		if drop {
			err = e.dropMember(ctx, r, m.OID, false)
		} else {
			err = e.addMember(ctx, r, m.OID, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) alterRoleSet(ctx context.Context, s *parser.AlterRoleSetStmt) (Result, error) {
	res := Result{Tag: "ALTER ROLE"}
	if s.Role == nil {
		return res, failure.NotSupported("ALTER ROLE ALL is")
	}
	r, err := e.role(s.Role)
	if err != nil {
		return res, err
	}
	if r.OID != e.User && !e.superuser() && !e.snap().RoleByOID(e.User).CreateRole {
		return res, failure.New(failure.InsufficientPrivilege, "permission denied")
	}
	r = r.Clone()
	r.Config = changeConfig(r.Config, s.Set)
	return res, e.put(ctx, r)
}

// changeConfig applies SET or RESET to stored parameters.
func changeConfig(c catalog.Setting, s *parser.VariableSetStmt) catalog.Setting {
	if c == nil {
		c = catalog.Setting{}
	}
	switch s.Kind {
	case parser.SetResetAll:
		return nil
	case parser.SetReset, parser.SetDefault:
		delete(c, s.Name)
	case parser.SetValue:
		var vals []string
		for _, a := range s.Args {
			if k, ok := a.(*parser.Const); ok {
				vals = append(vals, optionText(&parser.DefElem{Arg: k}))
			}
		}
		c[s.Name] = strings.Join(vals, ", ")
	}
	return c
}

func (e *Env) dropRole(ctx context.Context, s *parser.DropRoleStmt) (Result, error) {
	res := Result{Tag: "DROP ROLE"}
	me := e.snap().RoleByOID(e.User)
	if !me.Superuser && !me.CreateRole {
		return res, failure.New(failure.InsufficientPrivilege, "permission denied to drop role")
	}
	for _, spec := range s.Roles {
		if spec.Kind != parser.RoleNamed {
			return res, failure.New(failure.InvalidParameterValue, "cannot use special role specifier in DROP ROLE")
		}
		r := e.snap().Role(spec.Name)
		if r == nil {
			if !s.IfExists {
				return res, failure.New(failure.UndefinedObject, "role \"%s\" does not exist", spec.Name)
			}
			e.notice(failure.SuccessfulCompletion, "role \"%s\" does not exist, skipping", spec.Name)
			continue
		}
		if err := e.roleIsFree(r, me); err != nil {
			return res, err
		}
		for m := range e.snap().Roles() {
			if slices.ContainsFunc(m.MemberOf, func(l catalog.RoleLink) bool { return l.Role == r.OID }) {
				if err := e.dropMember(ctx, r, m.OID, false); err != nil {
					return res, err
				}
			}
		}
		if err := e.Cat.Delete(ctx, r); err != nil {
			return res, err
		}
	}
	return res, nil
}

// roleIsFree refuses to drop a role that is in use.
func (e *Env) roleIsFree(r, me *catalog.Role) error {
	switch {
	case r.OID == e.User:
		return failure.New(failure.ObjectInUse, "current user cannot be dropped")
	case r.OID == e.SessionUser:
		return failure.New(failure.ObjectInUse, "session user cannot be dropped")
	case r.Superuser && !me.Superuser:
		return failure.New(failure.InsufficientPrivilege, "must be superuser to drop superusers")
	case r.OID < catalog.FirstUserOID:
		return failure.New(failure.DependentObjectsStillExist, "cannot drop role %s because it is required by the database system", r.Name)
	}
	if lines := e.roleUses(r); len(lines) > 0 {
		return failure.New(failure.DependentObjectsStillExist, "role \"%s\" cannot be dropped because some objects depend on it", r.Name).
			WithDetail("%s", strings.Join(lines, "\n"))
	}
	return nil
}

// roleUses lists what a role owns or has privileges on, as the detail of an error.
func (e *Env) roleUses(r *catalog.Role) []string {
	var lines []string
	granted := func(acl catalog.ACL) bool {
		return slices.ContainsFunc(acl, func(it catalog.ACLItem) bool { return it.Grantee == r.OID })
	}
	see := func(owner catalog.OID, acl catalog.ACL, what string) {
		if owner == r.OID {
			lines = append(lines, "owner of "+what)
		} else if granted(acl) {
			lines = append(lines, "privileges for "+what)
		}
	}
	s := e.snap()
	for t := range s.Tables() {
		see(t.Owner, t.ACL, e.describe(object{classRelation, t.OID, 0}))
		for _, c := range t.Columns {
			if granted(c.ACL) {
				lines = append(lines, "privileges for "+e.describe(object{classColumn, t.OID, c.ID}))
			}
		}
	}
	for t := range s.Types() {
		see(t.Owner, t.ACL, e.describe(object{classType, t.OID, 0}))
	}
	for f := range s.Functions() {
		see(f.Owner, f.ACL, e.describe(object{classFunction, f.OID, 0}))
	}
	for n := range s.Schemas() {
		see(n.Owner, n.ACL, "schema "+n.Name)
	}
	d := s.Database()
	see(d.Owner, d.ACL, "database "+d.Name)
	return lines
}

// addMember makes member a member of r.
func (e *Env) addMember(ctx context.Context, r *catalog.Role, member catalog.OID, admin bool) error {
	s := e.snap()
	if !s.AdminOf(e.User, r.OID) && !s.RoleByOID(e.User).CreateRole {
		return failure.New(failure.InsufficientPrivilege, "must have admin option on role \"%s\"", r.Name)
	}
	if r.Superuser && !e.superuser() {
		return failure.New(failure.InsufficientPrivilege, "must be superuser to alter superusers")
	}
	m := s.RoleByOID(member)
	if s.DirectMember(r.OID, member) {
		return failure.New(failure.InvalidGrantOperation, "role \"%s\" is a member of role \"%s\"", r.Name, m.Name)
	}
	m = m.Clone()
	for i := range m.MemberOf {
		if m.MemberOf[i].Role == r.OID {
			if m.MemberOf[i].Admin || !admin {
				e.notice(failure.SuccessfulCompletion, "role \"%s\" is already a member of role \"%s\"", m.Name, r.Name)
				return nil
			}
			m.MemberOf[i].Admin = true
			return e.put(ctx, m)
		}
	}
	m.MemberOf = append(m.MemberOf, catalog.RoleLink{Role: r.OID, Grantor: e.User, Admin: admin})
	if err := e.Cat.Use(ctx, r.OID); err != nil {
		return err
	}
	return e.put(ctx, m)
}

// dropMember ends a membership, or only its admin option.
func (e *Env) dropMember(ctx context.Context, r *catalog.Role, member catalog.OID, adminOnly bool) error {
	s := e.snap()
	if !s.AdminOf(e.User, r.OID) && !s.RoleByOID(e.User).CreateRole {
		return failure.New(failure.InsufficientPrivilege, "must have admin option on role \"%s\"", r.Name)
	}
	m := s.RoleByOID(member).Clone()
	for i := range m.MemberOf {
		if m.MemberOf[i].Role != r.OID {
			continue
		}
		if adminOnly {
			m.MemberOf[i].Admin = false
		} else {
			m.MemberOf = slices.Delete(m.MemberOf, i, i+1)
		}
		return e.put(ctx, m)
	}
	e.warn(failure.Warning, "role \"%s\" is not a member of role \"%s\"", m.Name, r.Name)
	return nil
}

func (e *Env) grantRole(ctx context.Context, s *parser.GrantRoleStmt) (Result, error) {
	res := Result{Tag: "GRANT ROLE"}
	if s.Revoke {
		res.Tag = "REVOKE ROLE"
	}
	for _, p := range s.Roles {
		if len(p.Columns) > 0 {
			return res, failure.New(failure.SyntaxError, "column names cannot be included in GRANT/REVOKE ROLE")
		}
		for _, g := range s.Grantees {
			m, err := e.role(g)
			if err != nil {
				return res, err
			}
			r, err := e.snap().NeedRole(p.Name)
			if err != nil {
				return res, err
			}
			if s.Revoke {
				err = e.dropMember(ctx, r, m.OID, s.AdminOption)
			} else {
				err = e.addMember(ctx, r, m.OID, s.AdminOption)
			}
			if err != nil {
				return res, err
			}
		}
	}
	return res, nil
}

func (e *Env) awsIAM(ctx context.Context, s *parser.AWSIAMStmt) (Result, error) {
	res := Result{Tag: "AWS IAM GRANT"}
	if s.Revoke {
		res.Tag = "AWS IAM REVOKE"
	}
	if !e.superuser() {
		return res, failure.New(failure.InsufficientPrivilege, "permission denied")
	}
	r, err := e.role(s.Role)
	if err != nil {
		return res, err
	}
	r = r.Clone()
	r.IAM = slices.DeleteFunc(r.IAM, func(a string) bool { return a == s.ARN })
	if !s.Revoke {
		r.IAM = append(r.IAM, s.ARN)
	}
	return res, e.put(ctx, r)
}
