package parser

// admin prints the statements about roles, privileges, maintenance and databases.
func (p *printer) admin(n Statement) {
	switch n := n.(type) {
	case *CreateRoleStmt:
		p.s("CREATE ", roleKindWord(n.Kind), " ")
		p.ident(n.Name)
		p.roleOptions(n.Options)
	case *AlterRoleStmt:
		p.alterRole(n)
	case *AlterRoleSetStmt:
		p.s("ALTER ", roleKindWord(n.Kind), " ")
		if n.Role == nil {
			p.s("ALL")
		} else {
			p.role(n.Role)
		}
		if n.Database != "" {
			p.s(" IN DATABASE ")
			p.ident(n.Database)
		}
		p.s(" ")
		p.variableSet(n.Set)
	case *DropRoleStmt:
		p.s("DROP ", roleKindWord(n.Kind), " ")
		p.opt(n.IfExists, "IF EXISTS ")
		p.roles(n.Roles)
	case *GrantStmt:
		p.grant(n)
	case *GrantRoleStmt:
		p.grantRole(n)
	case *AWSIAMStmt:
		p.s("AWS IAM ", pick(n.Revoke, "REVOKE ", "GRANT "))
		p.role(n.Role)
		p.s(pick(n.Revoke, " FROM ", " TO "))
		p.str(n.ARN)
	case *AlterDefaultPrivilegesStmt:
		p.s("ALTER DEFAULT PRIVILEGES ")
		if n.Roles != nil {
			p.s("FOR ROLE ")
			p.roles(n.Roles)
			p.s(" ")
		}
		if n.Schemas != nil {
			p.s("IN SCHEMA ")
			p.names(n.Schemas)
			p.s(" ")
		}
		p.grant(n.Action)
	case *CommentStmt:
		p.s("COMMENT ON ")
		p.describe(n.Object, n.Target, n.Comment, n.IsNull)
	case *SecLabelStmt:
		p.s("SECURITY LABEL ")
		if n.Provider != "" {
			p.s("FOR ")
			p.str(n.Provider)
			p.s(" ")
		}
		p.s("ON ")
		p.describe(n.Object, n.Target, n.Label, n.IsNull)
	case *VacuumStmt:
		p.s(pick(n.Analyze, "ANALYZE", "VACUUM"))
		if len(n.Options) > 0 {
			p.s(" ")
			p.utilityOptions(n.Options)
		}
		for i, t := range n.Targets {
			p.s(pick(i > 0, ", ", " "))
			p.rel(&t.Relation)
			p.optNames(" ", t.Columns)
		}
	case *ClusterStmt:
		p.s("CLUSTER")
		if n.Options != nil {
			p.s(" ")
			p.utilityOptions(n.Options)
		}
		if n.Relation != nil {
			p.s(" ")
			p.rel(n.Relation)
		}
		if n.Index != "" {
			p.s(" USING ")
			p.ident(n.Index)
		}
	case *ReindexStmt:
		p.s("REINDEX ")
		if n.Options != nil {
			p.utilityOptions(n.Options)
			p.s(" ")
		}
		p.s(n.Target, " ")
		p.opt(n.Concurrently, "CONCURRENTLY ")
		if n.Relation != nil {
			p.rel(n.Relation)
		} else {
			p.ident(n.Name)
		}
	case *CheckPointStmt:
		p.s("CHECKPOINT")
	case *LoadStmt:
		p.s("LOAD ")
		p.str(n.File)
	case *CreateExtensionStmt:
		p.extension(n)
	case *DatabaseStmt:
		p.database(n)
	case *AlterDatabaseSetStmt:
		p.s("ALTER DATABASE ")
		p.ident(n.Name)
		p.s(" ")
		p.variableSet(n.Set)
	case *AlterSystemStmt:
		p.s("ALTER SYSTEM ")
		p.variableSet(n.Set)
	case *OwnedStmt:
		p.s(pick(n.New != nil, "REASSIGN", "DROP"), " OWNED BY ")
		p.roles(n.Roles)
		if n.New != nil {
			p.s(" TO ")
			p.role(n.New)
		}
		p.behavior(n.Behavior)
	case *OtherStmt:
		p.s(n.Text)
	}
}

func roleKindWord(k RoleStmtKind) string { return [...]string{"ROLE", "USER", "GROUP"}[k] }

func (p *printer) role(r *RoleSpec) {
	if r.Kind != RoleNamed {
		p.s(roleWords[r.Kind])
		return
	}
	p.ident(r.Name)
}

func (p *printer) roles(roles []*RoleSpec) { list(p, roles, p.role) }

// describe prints the object and text of COMMENT and SECURITY LABEL.
func (p *printer) describe(t ObjectType, o *Object, text string, null bool) {
	p.s(t.String(), " ")
	p.object(t, o)
	p.s(" IS ")
	if null {
		p.s("NULL")
	} else {
		p.str(text)
	}
}

func (p *printer) alterRole(n *AlterRoleStmt) {
	p.s("ALTER ", roleKindWord(n.Kind), " ")
	p.role(n.Role)
	if n.Kind == RoleStmtGroup {
		p.s(pick(n.Drop, " DROP USER ", " ADD USER "))
		p.node(n.Options[0].Arg)
		return
	}
	p.roleOptions(n.Options)
}

// roleFlagWords are the words of a role's flags, set and not set.
var roleFlagWords = map[string][2]string{
	"superuser": {"SUPERUSER", "NOSUPERUSER"}, "createrole": {"CREATEROLE", "NOCREATEROLE"},
	"isreplication": {"REPLICATION", "NOREPLICATION"}, "createdb": {"CREATEDB", "NOCREATEDB"},
	"canlogin": {"LOGIN", "NOLOGIN"}, "bypassrls": {"BYPASSRLS", "NOBYPASSRLS"}, "inherit": {"INHERIT", "NOINHERIT"},
}

func (p *printer) roleOptions(opts []*DefElem) {
	words := map[string]string{"connectionlimit": "CONNECTION LIMIT", "sysid": "SYSID", "validUntil": "VALID UNTIL",
		"password": "PASSWORD", "addroleto": "IN ROLE", "rolemembers": "USER", "adminmembers": "ADMIN"}
	for _, d := range opts {
		p.s(" ")
		if f, ok := roleFlagWords[d.Name]; ok {
			p.s(pick(d.Arg.(*Const).Bool, f[0], f[1]))
			continue
		}
		p.s(words[d.Name], " ")
		if d.Arg == nil {
			p.s("NULL")
		} else {
			p.node(d.Arg)
		}
	}
}

func (p *printer) privileges(list []*Privilege) {
	if list == nil {
		p.s("ALL PRIVILEGES")
	}
	for i, v := range list {
		p.opt(i > 0, ", ")
		switch v.Name {
		case "":
			p.s("ALL PRIVILEGES")
		case "select", "references", "create", "alter system":
			p.s(upper(v.Name))
		default:
			p.ident(v.Name)
		}
		p.optNames(" ", v.Columns)
	}
}

func (p *printer) grant(n *GrantStmt) {
	p.s(pick(n.Revoke, "REVOKE ", "GRANT "))
	p.opt(n.Revoke && n.GrantOption, "GRANT OPTION FOR ")
	p.privileges(n.Privileges)
	p.s(" ON ")
	switch n.Target {
	case GrantDefaults:
		p.s(n.Object.String(), "S")
	case GrantAllInSchema:
		p.s("ALL ", n.Object.String(), "S IN SCHEMA ")
	default:
		switch {
		case n.Object == ObjectForeignServer:
			p.s("FOREIGN SERVER ")
		case n.Object != ObjectTable || n.TableWord:
			p.s(n.Object.String(), " ")
		}
	}
	for i, o := range n.Objects {
		p.opt(i > 0, ", ")
		if n.Object == ObjectParameter && n.Target == GrantObjects {
			p.variable(o.Names[0])
			continue
		}
		t := n.Object
		if n.Target == GrantAllInSchema {
			t = ObjectSchema
		}
		p.object(t, o)
	}
	p.s(pick(n.Revoke, " FROM ", " TO "))
	p.roles(n.Grantees)
	p.opt(!n.Revoke && n.GrantOption, " WITH GRANT OPTION")
	if n.Grantor != nil {
		p.s(" GRANTED BY ")
		p.role(n.Grantor)
	}
	p.behavior(n.Behavior)
}

func (p *printer) grantRole(n *GrantRoleStmt) {
	p.s(pick(n.Revoke, "REVOKE ", "GRANT "))
	p.opt(n.Revoke && n.AdminOption, "ADMIN OPTION FOR ")
	p.privileges(n.Roles)
	p.s(pick(n.Revoke, " FROM ", " TO "))
	p.roles(n.Grantees)
	p.opt(!n.Revoke && n.AdminOption, " WITH ADMIN OPTION")
	if n.Grantor != nil {
		p.s(" GRANTED BY ")
		p.role(n.Grantor)
	}
	p.behavior(n.Behavior)
}

func (p *printer) extension(n *CreateExtensionStmt) {
	p.s("CREATE EXTENSION ")
	p.opt(n.IfNotExists, "IF NOT EXISTS ")
	p.ident(n.Name)
	for _, d := range n.Options {
		switch d.Name {
		case "schema":
			p.s(" SCHEMA ")
			p.ident(d.Arg.(*Const).Str)
		case "new_version":
			p.s(" VERSION ")
			p.node(d.Arg)
		case "cascade":
			p.s(" CASCADE")
		}
	}
}

func (p *printer) database(n *DatabaseStmt) {
	if n.Verb == "REFRESH" {
		p.s("ALTER DATABASE ")
		p.ident(n.Name)
		p.s(" REFRESH COLLATION VERSION")
		return
	}
	p.s(n.Verb, " DATABASE ")
	p.opt(n.IfExists, "IF EXISTS ")
	p.ident(n.Name)
	if n.Verb == "DROP" {
		if n.Options != nil {
			p.s(" (")
			list(p, n.Options, func(*DefElem) { p.s("FORCE") })
			p.s(")")
		}
		return
	}
	for _, d := range n.Options {
		p.s(" ")
		if d.Name == "connection_limit" {
			p.s("CONNECTION LIMIT")
		} else {
			p.ident(d.Name)
		}
		p.s(" = ")
		if d.Arg == nil {
			p.s("DEFAULT")
		} else {
			p.node(d.Arg)
		}
	}
}
