package parser

import "github.com/meridiandb/meridian/internal/failure"

// roleSpec parses a role's name or a pseudo role.
func (p *parser) roleSpec() *RoleSpec {
	r := &RoleSpec{Pos: p.here()}
	switch p.tok.kind {
	case kwCurrentRole:
		r.Kind = RoleCurrentRole
	case kwCurrentUser:
		r.Kind = RoleCurrentUser
	case kwSessionUser:
		r.Kind = RoleSessionUser
	default:
		r.Name = p.nonReservedWord()
		// PostgreSQL looks at the text, so that even a quoted "public" is the pseudo role.
		switch r.Name {
		case "public":
			r.Kind, r.Name = RolePublic, ""
		case "none":
			p.failAt(r.Pos, failure.ReservedName, "role name \"%s\" is reserved", "none")
		}
		return r
	}
	p.advance()
	return r
}

func (p *parser) roleList() []*RoleSpec {
	list := []*RoleSpec{p.roleSpec()}
	for p.accept(',') {
		list = append(list, p.roleSpec())
	}
	return list
}

// roleID parses the name of a role that is to be a real one.
func (p *parser) roleID() string {
	r := p.roleSpec()
	switch r.Kind {
	case RolePublic:
		p.failAt(r.Pos, failure.ReservedName, "role name \"%s\" is reserved", "public")
	case RoleSessionUser:
		p.failAt(r.Pos, failure.ReservedName, "%s cannot be used as a role name here", "SESSION_USER")
	case RoleCurrentUser:
		p.failAt(r.Pos, failure.ReservedName, "%s cannot be used as a role name here", "CURRENT_USER")
	case RoleCurrentRole:
		p.failAt(r.Pos, failure.ReservedName, "%s cannot be used as a role name here", "CURRENT_ROLE")
	}
	return r.Name
}

// roleKind takes ROLE, USER or GROUP.
func (p *parser) roleKind() RoleStmtKind {
	switch p.take().kind {
	case kwUser:
		return RoleStmtUser
	case kwGroup:
		return RoleStmtGroup
	}
	return RoleStmtRole
}

func (p *parser) createRole(pos int) Statement {
	if p.is(kwUser) && p.peek(1) == kwMapping {
		return p.other(pos, "CREATE")
	}
	s := &CreateRoleStmt{Pos: pos, Kind: p.roleKind(), Name: p.roleID()}
	p.accept(kwWith)
	for {
		o := p.roleOption(true)
		if o == nil {
			return s
		}
		s.Options = append(s.Options, o)
	}
}

// roleFlags are the options of a role that are single words.
var roleFlags = map[string]struct {
	name  string
	value bool
}{
	"superuser": {"superuser", true}, "nosuperuser": {"superuser", false},
	"createrole": {"createrole", true}, "nocreaterole": {"createrole", false},
	"replication": {"isreplication", true}, "noreplication": {"isreplication", false},
	"createdb": {"createdb", true}, "nocreatedb": {"createdb", false},
	"login": {"canlogin", true}, "nologin": {"canlogin", false},
	"bypassrls": {"bypassrls", true}, "nobypassrls": {"bypassrls", false},
	"noinherit": {"inherit", false},
}

// roleOption parses an option of a role; nil when there is none. Some are only for CREATE.
func (p *parser) roleOption(create bool) *DefElem {
	d := &DefElem{Pos: p.here()}
	roles := func(name string) *DefElem {
		d.Name = name
		d.Arg = &RoleList{Pos: p.here(), Roles: p.roleList()}
		return d
	}
	switch p.tok.kind {
	case kwPassword:
		p.advance()
		d.Name = "password"
		if !p.accept(kwNull) {
			d.Arg = &Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()}
		}
	case kwEncrypted:
		p.expectAll(kwEncrypted, kwPassword)
		d.Name, d.Arg = "password", &Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()}
	case kwUnencrypted:
		p.expectAll(kwUnencrypted, kwPassword)
		p.sconst()
		p.fail(failure.New(failure.FeatureNotSupported, "UNENCRYPTED PASSWORD is no longer supported").
			WithHint("Remove UNENCRYPTED to store the password in encrypted form instead.").
			At(CharPosition(p.sql, d.Pos)))
	case kwInherit:
		p.advance()
		return boolOption(d.Pos, "inherit", true)
	case kwConnection:
		p.expectAll(kwConnection, kwLimit)
		at := p.tok.pos
		d.Name, d.Arg = "connectionlimit", intMod(at, p.signedIconst())
	case kwValid:
		p.expectAll(kwValid, kwUntil)
		d.Name, d.Arg = "validUntil", &Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()}
	case kwUser:
		p.advance()
		return roles("rolemembers")
	case kwSysid:
		if !create {
			return nil
		}
		p.advance()
		at := p.tok.pos
		d.Name, d.Arg = "sysid", intMod(at, p.iconst())
	case kwAdmin:
		if !create {
			return nil
		}
		p.advance()
		return roles("adminmembers")
	case kwRole:
		if !create {
			return nil
		}
		p.advance()
		return roles("rolemembers")
	case kwIn:
		if !create {
			return nil
		}
		p.advance()
		if !p.accept(kwRole) {
			p.expect(kwGroup)
		}
		return roles("addroleto")
	case tokIdent:
		f, ok := roleFlags[p.tok.str]
		if !ok {
			p.failAt(d.Pos, failure.SyntaxError, "unrecognized role option \"%s\"", p.tok.str)
		}
		p.advance()
		return boolOption(d.Pos, f.name, f.value)
	default:
		return nil
	}
	return d
}

// alterRole parses ALTER ROLE, USER and GROUP.
func (p *parser) alterRole(pos int) Statement {
	if p.is(kwUser) && p.peek(1) == kwMapping {
		return p.other(pos, "ALTER")
	}
	kind := p.roleKind()
	if kind != RoleStmtGroup && p.is(kwAll) {
		p.advance()
		return p.alterRoleSet(pos, kind, nil)
	}
	role := p.roleSpec()
	switch p.tok.kind {
	case kwRename:
		p.expectAll(kwRename, kwTo)
		return &RenameStmt{Pos: pos, Object: ObjectRole, NewName: p.roleID(),
			Target: &Object{Pos: role.Pos, Names: []string{p.realRole(role)}, AggOrdered: -1}}
	case kwSet, kwReset, kwIn:
		if kind != RoleStmtGroup {
			return p.alterRoleSet(pos, kind, role)
		}
	case kwAdd, kwDrop:
		if kind == RoleStmtGroup {
			s := &AlterRoleStmt{Pos: pos, Kind: kind, Role: role, Drop: p.take().kind == kwDrop}
			at := p.tok.pos
			p.expect(kwUser)
			s.Options = []*DefElem{{Pos: at, Name: "rolemembers", Arg: &RoleList{Pos: p.here(), Roles: p.roleList()}}}
			return s
		}
	}
	if kind == RoleStmtGroup {
		p.syntaxError()
	}
	s := &AlterRoleStmt{Pos: pos, Kind: kind, Role: role}
	p.accept(kwWith)
	for {
		o := p.roleOption(false)
		if o == nil {
			return s
		}
		s.Options = append(s.Options, o)
	}
}

// realRole returns the name of a role that must not be a pseudo role.
func (p *parser) realRole(r *RoleSpec) string {
	if r.Kind == RolePublic {
		p.failAt(r.Pos, failure.ReservedName, "role name \"%s\" is reserved", "public")
	}
	if r.Kind != RoleNamed {
		p.failAt(r.Pos, failure.ReservedName, "%s cannot be used as a role name here", roleWords[r.Kind])
	}
	return r.Name
}

// roleWords are the pseudo roles as they are written.
var roleWords = [...]string{
	RoleCurrentRole: "CURRENT_ROLE", RoleCurrentUser: "CURRENT_USER", RoleSessionUser: "SESSION_USER",
	RolePublic: "PUBLIC",
}

func (p *parser) alterRoleSet(pos int, kind RoleStmtKind, role *RoleSpec) Statement {
	s := &AlterRoleSetStmt{Pos: pos, Kind: kind, Role: role}
	if p.accept(kwIn) {
		p.expect(kwDatabase)
		s.Database = p.colID()
	}
	s.Set = p.setOrReset()
	return s
}

// setOrReset parses SET … or RESET … as a clause of ALTER.
func (p *parser) setOrReset() *VariableSetStmt {
	pos := p.tok.pos
	if p.accept(kwReset) {
		return p.resetRest(pos)
	}
	p.expect(kwSet)
	return p.setRest(pos)
}

// grant parses GRANT and REVOKE.
func (p *parser) grant() Statement {
	pos := p.tok.pos
	revoke := p.take().kind == kwRevoke
	optionFor := false
	admin := false
	if revoke {
		switch {
		case p.is(kwGrant):
			p.expectAll(kwGrant, kwOption, kwFor)
			optionFor = true
		case p.is(kwAdmin) && p.peek(1) == kwOption:
			p.expectAll(kwAdmin, kwOption, kwFor)
			admin = true
		}
	}
	privs := p.privileges()
	if privs != nil && (admin || !p.is(kwOn)) {
		return p.grantRole(pos, revoke, admin, privs)
	}
	s := &GrantStmt{Pos: pos, Revoke: revoke, Privileges: privs, GrantOption: optionFor}
	p.expect(kwOn)
	p.grantTarget(s)
	p.grantees(s)
	return s
}

// privileges parses ALL [PRIVILEGES] [(columns)] (nil without columns) or privileges, or role names.
func (p *parser) privileges() []*Privilege {
	pos := p.tok.pos
	if p.accept(kwAll) {
		p.accept(kwPrivileges)
		if p.is('(') {
			return []*Privilege{{Pos: pos, Columns: p.parenNames()}}
		}
		return nil
	}
	var list []*Privilege
	for {
		v := &Privilege{Pos: p.here()}
		switch p.tok.kind {
		case kwSelect, kwReferences, kwCreate:
			v.Name = p.takeName()
		case kwAlter:
			v.Name = p.takeName()
			if p.accept(kwSystem) {
				v.Name = "alter system"
			}
		default:
			v.Name = p.colID()
		}
		v.Columns = p.optParenNames()
		list = append(list, v)
		if !p.accept(',') {
			return list
		}
	}
}

func (p *parser) grantRole(pos int, revoke, admin bool, roles []*Privilege) Statement {
	s := &GrantRoleStmt{Pos: pos, Revoke: revoke, Roles: roles, AdminOption: admin}
	if revoke {
		p.expect(kwFrom)
	} else {
		p.expect(kwTo)
	}
	s.Grantees = p.roleList()
	if !revoke && p.accept(kwWith) {
		p.expectAll(kwAdmin, kwOption)
		s.AdminOption = true
	}
	s.Grantor = p.grantedBy()
	if revoke {
		s.Behavior = p.dropBehavior()
	}
	return s
}

func (p *parser) grantedBy() *RoleSpec {
	if !p.commit(kwGranted, kwBy) {
		return nil
	}
	return p.roleSpec()
}

// dropBehavior takes CASCADE or RESTRICT.
func (p *parser) dropBehavior() DropBehavior {
	if p.accept(kwCascade) {
		return DropCascade
	}
	p.accept(kwRestrict)
	return DropRestrict
}

// grantTarget parses the objects of a GRANT.
func (p *parser) grantTarget(s *GrantStmt) {
	names := func(t ObjectType) {
		s.Object = t
		for {
			at := p.tok.pos
			s.Objects = append(s.Objects, &Object{Pos: at, Names: []string{p.colID()}, AggOrdered: -1})
			if !p.accept(',') {
				return
			}
		}
	}
	next := p.peek(1)
	switch {
	case p.accept(kwAll):
		t := p.objectsWord()
		p.expectAll(kwIn, kwSchema)
		s.Target = GrantAllInSchema
		names(t)
		return
	case p.is(kwSequence) && next != ',' && next != '.' && next != kwTo && next != kwFrom:
		p.advance()
		s.Object = ObjectSequence
		p.grantRelations(s)
		return
	case p.is(kwForeign) && next != kwServer:
		p.expectAll(kwForeign, kwData, kwWrapper)
		names(ObjectForeignDataWrapper)
		return
	case p.is(kwForeign):
		p.expectAll(kwForeign, kwServer)
		names(ObjectForeignServer)
		return
	case p.is(kwLarge) && next == kwObject:
		p.expectAll(kwLarge, kwObject)
		s.Object = ObjectLargeObject
		for {
			at := p.tok
			p.numericOnly()
			s.Objects = append(s.Objects, &Object{Pos: at.pos, Names: []string{at.str}, AggOrdered: -1})
			if !p.accept(',') {
				return
			}
		}
	}
	if next != ',' && next != '.' && next != kwTo && next != kwFrom {
		switch p.tok.kind {
		case kwTable:
			p.advance()
			s.TableWord = true
		case kwFunction, kwProcedure, kwRoutine:
			s.Object = p.routineWord()
			for {
				s.Objects = append(s.Objects, p.functionWithArgs())
				if !p.accept(',') {
					return
				}
			}
		case kwDatabase:
			p.advance()
			names(ObjectDatabase)
			return
		case kwLanguage:
			p.advance()
			names(ObjectLanguage)
			return
		case kwSchema:
			p.advance()
			names(ObjectSchema)
			return
		case kwTablespace:
			p.advance()
			names(ObjectTablespace)
			return
		case kwDomain, kwType:
			s.Object = ObjectDomain
			if p.take().kind == kwType {
				s.Object = ObjectTypeName
			}
			p.grantNames(s)
			return
		case kwParameter:
			p.advance()
			s.Object = ObjectParameter
			for {
				at := p.tok.pos
				s.Objects = append(s.Objects, &Object{Pos: at, Names: []string{p.variableName()}, AggOrdered: -1})
				if !p.accept(',') {
					return
				}
			}
		}
	}
	p.grantRelations(s)
}

// routineWord takes FUNCTION, PROCEDURE or ROUTINE.
func (p *parser) routineWord() ObjectType {
	switch p.take().kind {
	case kwProcedure:
		return ObjectProcedure
	case kwRoutine:
		return ObjectRoutine
	}
	return ObjectFunction
}

// objectsWord takes TABLES, SEQUENCES, FUNCTIONS, PROCEDURES or ROUTINES.
func (p *parser) objectsWord() ObjectType {
	t := ObjectTable
	switch p.tok.kind {
	case kwTables:
	case kwSequences:
		t = ObjectSequence
	case kwFunctions:
		t = ObjectFunction
	case kwProcedures:
		t = ObjectProcedure
	case kwRoutines:
		t = ObjectRoutine
	default:
		p.syntaxError()
	}
	p.advance()
	return t
}

func (p *parser) grantRelations(s *GrantStmt) {
	for {
		r := p.relation()
		s.Objects = append(s.Objects, &Object{Pos: r.Pos, Names: r.Parts(), AggOrdered: -1})
		if !p.accept(',') {
			return
		}
	}
}

func (p *parser) grantNames(s *GrantStmt) {
	for {
		n := p.anyName()
		s.Objects = append(s.Objects, &Object{Pos: n.Pos, Names: n.Parts, AggOrdered: -1})
		if !p.accept(',') {
			return
		}
	}
}

// grantees parses TO/FROM roles and what follows.
func (p *parser) grantees(s *GrantStmt) {
	if s.Revoke {
		p.expect(kwFrom)
	} else {
		p.expect(kwTo)
	}
	for {
		p.accept(kwGroup)
		s.Grantees = append(s.Grantees, p.roleSpec())
		if !p.accept(',') {
			break
		}
	}
	if !s.Revoke && p.is(kwWith) {
		p.expectAll(kwWith, kwGrant, kwOption)
		s.GrantOption = true
	}
	if s.Target != GrantDefaults {
		s.Grantor = p.grantedBy()
	}
	if s.Revoke {
		s.Behavior = p.dropBehavior()
	}
}

// alterDefaultPrivileges parses ALTER DEFAULT PRIVILEGES after ALTER.
func (p *parser) alterDefaultPrivileges(pos int) Statement {
	p.expectAll(kwDefault, kwPrivileges)
	s := &AlterDefaultPrivilegesStmt{Pos: pos}
	for {
		switch {
		case p.is(kwIn):
			p.expectAll(kwIn, kwSchema)
			s.Schemas = append(s.Schemas, p.nameList()...)
			continue
		case p.is(kwFor):
			p.advance()
			if !p.accept(kwRole) {
				p.expect(kwUser)
			}
			s.Roles = append(s.Roles, p.roleList()...)
			continue
		}
		break
	}
	g := &GrantStmt{Pos: p.here(), Target: GrantDefaults}
	switch {
	case p.accept(kwRevoke):
		g.Revoke = true
		if p.is(kwGrant) {
			p.expectAll(kwGrant, kwOption, kwFor)
			g.GrantOption = true
		}
	default:
		p.expect(kwGrant)
	}
	g.Privileges = p.privileges()
	p.expect(kwOn)
	switch p.tok.kind {
	case kwTables, kwSequences, kwFunctions, kwRoutines:
		g.Object = p.objectsWord()
	case kwTypes:
		p.advance()
		g.Object = ObjectTypeName
	case kwSchemas:
		p.advance()
		g.Object = ObjectSchema
	default:
		p.syntaxError()
	}
	p.grantees(g)
	s.Action = g
	return s
}
