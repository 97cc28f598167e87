package syscat

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

func eachRole(q *query, emit func(*catalog.Role) error) error {
	for ro := range q.Snapshot.Roles() {
		if err := emit(ro); err != nil {
			return err
		}
	}
	return nil
}

func eachUser(q *query, emit func(*catalog.Role) error) error {
	return eachRole(q, func(ro *catalog.Role) error {
		if !ro.Login {
			return nil
		}
		return emit(ro)
	})
}

// validUntil reads the text of VALID UNTIL.
func validUntil(ro *catalog.Role) datum.Datum {
	if ro.ValidUntil == "" {
		return datum.Null
	}
	d, err := datum.ParseText(datum.T(datum.OIDTimestampTZ), ro.ValidUntil, nil)
	if err != nil {
		return datum.Null
	}
	return d
}

// roleFlags are the getters of role columns under a prefix (rol or use).
func roleFlags() map[string]func(*query, *catalog.Role) datum.Datum {
	return map[string]func(*query, *catalog.Role) datum.Datum{
		"oid":            func(_ *query, r *catalog.Role) datum.Datum { return dInt(r.OID) },
		"rolname":        func(_ *query, r *catalog.Role) datum.Datum { return dText(r.Name) },
		"rolsuper":       func(_ *query, r *catalog.Role) datum.Datum { return dBool(r.Superuser) },
		"rolinherit":     func(_ *query, r *catalog.Role) datum.Datum { return dBool(r.Inherit) },
		"rolcreaterole":  func(_ *query, r *catalog.Role) datum.Datum { return dBool(r.CreateRole) },
		"rolcreatedb":    func(_ *query, r *catalog.Role) datum.Datum { return dBool(r.CreateDB) },
		"rolcanlogin":    func(_ *query, r *catalog.Role) datum.Datum { return dBool(r.Login) },
		"rolreplication": func(_ *query, r *catalog.Role) datum.Datum { return dBool(r.Replication) },
		"rolbypassrls":   func(_ *query, r *catalog.Role) datum.Datum { return dBool(r.BypassRLS) },
		"rolconnlimit":   func(_ *query, r *catalog.Role) datum.Datum { return dInt(r.ConnLimit) },
		"rolvaliduntil":  func(_ *query, r *catalog.Role) datum.Datum { return validUntil(r) },
	}
}

func defineRoles(r *registry) {
	type T = catalog.Role
	var authid, roles []col[T]
	for name, get := range roleFlags() {
		authid = append(authid, col[T]{name, get})
		roles = append(roles, col[T]{name, get})
	}
	authid = append(authid, col[T]{"rolpassword", func(_ *query, r *T) datum.Datum { return dTextOrNull(r.Password) }})
	roles = append(roles,
		col[T]{"rolpassword", func(*query, *T) datum.Datum { return dText("********") }},
		col[T]{"rolconfig", func(_ *query, r *T) datum.Datum { return dSetting(r.Config) }})
	produce(r, "pg_catalog.pg_authid", "", eachRole, authid...)
	produce(r, "pg_catalog.pg_roles", "", eachRole, roles...)
	for view, password := range map[string]bool{"pg_user": false, "pg_shadow": true} {
		produce(r, "pg_catalog."+view, "", eachUser,
			col[T]{"usename", func(_ *query, r *T) datum.Datum { return dText(r.Name) }},
			col[T]{"usesysid", func(_ *query, r *T) datum.Datum { return dInt(r.OID) }},
			col[T]{"usecreatedb", func(_ *query, r *T) datum.Datum { return dBool(r.CreateDB) }},
			col[T]{"usesuper", func(_ *query, r *T) datum.Datum { return dBool(r.Superuser) }},
			col[T]{"userepl", func(_ *query, r *T) datum.Datum { return dBool(r.Replication) }},
			col[T]{"usebypassrls", func(_ *query, r *T) datum.Datum { return dBool(r.BypassRLS) }},
			col[T]{"passwd", func(_ *query, r *T) datum.Datum {
				if password {
					return dTextOrNull(r.Password)
				}
				return dText("********")
			}},
			col[T]{"valuntil", func(_ *query, r *T) datum.Datum { return validUntil(r) }},
			col[T]{"useconfig", func(_ *query, r *T) datum.Datum { return dSetting(r.Config) }},
		)
	}
	produce(r, "pg_catalog.pg_group", "", func(q *query, emit func(*T) error) error {
		return eachRole(q, func(ro *T) error {
			if ro.Login {
				return nil
			}
			return emit(ro)
		})
	},
		col[T]{"groname", func(_ *query, r *T) datum.Datum { return dText(r.Name) }},
		col[T]{"grosysid", func(_ *query, r *T) datum.Datum { return dInt(r.OID) }},
		col[T]{"grolist", func(q *query, r *T) datum.Datum {
			var members []datum.Datum
			for m := range q.Snapshot.Roles() {
				for _, l := range m.MemberOf {
					if l.Role == r.OID {
						members = append(members, dInt(m.OID))
					}
				}
			}
			return dArray(datum.OIDOid, members)
		}},
	)
	defineMembers(r)
	defineDatabase(r)
}

// member is a row of pg_auth_members.
type member struct {
	m    *catalog.Role
	link catalog.RoleLink
}

func defineMembers(r *registry) {
	type T = member
	produce(r, "pg_catalog.pg_auth_members", "", func(q *query, emit func(*T) error) error {
		return eachRole(q, func(ro *catalog.Role) error {
			for _, l := range ro.MemberOf {
				if err := emit(&T{ro, l}); err != nil {
					return err
				}
			}
			return nil
		})
	},
		col[T]{"roleid", func(_ *query, m *T) datum.Datum { return dInt(m.link.Role) }},
		col[T]{"member", func(_ *query, m *T) datum.Datum { return dInt(m.m.OID) }},
		col[T]{"grantor", func(_ *query, m *T) datum.Datum { return dInt(m.link.Grantor) }},
		col[T]{"admin_option", func(_ *query, m *T) datum.Datum { return dBool(m.link.Admin) }},
	)
	type D = catalog.DefaultACL
	produce(r, "pg_catalog.pg_default_acl", "", func(q *query, emit func(*D) error) error {
		for d := range q.Snapshot.DefaultACLs() {
			if err := emit(d); err != nil {
				return err
			}
		}
		return nil
	},
		col[D]{"oid", func(_ *query, d *D) datum.Datum { return dInt(d.OID) }},
		col[D]{"defaclrole", func(_ *query, d *D) datum.Datum { return dInt(d.Role) }},
		col[D]{"defaclnamespace", func(_ *query, d *D) datum.Datum { return dInt(d.Schema) }},
		col[D]{"defaclobjtype", func(_ *query, d *D) datum.Datum { return dChar(d.Object) }},
		col[D]{"defaclacl", func(q *query, d *D) datum.Datum { return q.dACL(d.ACL) }},
	)
	// dbRoleSetting is a row of pg_db_role_setting: of the database when role is 0.
	type dbRoleSetting struct {
		db, role catalog.OID
		config   catalog.Setting
	}
	type S = dbRoleSetting
	produce(r, "pg_catalog.pg_db_role_setting", "", func(q *query, emit func(*S) error) error {
		if d := q.Snapshot.Database(); len(d.Config) > 0 {
			if err := emit(&S{d.OID, 0, d.Config}); err != nil {
				return err
			}
		}
		return eachRole(q, func(ro *catalog.Role) error {
			if len(ro.Config) == 0 {
				return nil
			}
			return emit(&S{0, ro.OID, ro.Config})
		})
	},
		col[S]{"setdatabase", func(_ *query, s *S) datum.Datum { return dInt(s.db) }},
		col[S]{"setrole", func(_ *query, s *S) datum.Datum { return dInt(s.role) }},
		col[S]{"setconfig", func(_ *query, s *S) datum.Datum { return dSetting(s.config) }},
	)
}

func defineDatabase(r *registry) {
	type T = catalog.Database
	produce(r, "pg_catalog.pg_database", "", func(q *query, emit func(*T) error) error { return emit(q.Snapshot.Database()) },
		col[T]{"oid", func(_ *query, d *T) datum.Datum { return dInt(d.OID) }},
		col[T]{"datname", func(_ *query, d *T) datum.Datum { return dText(d.Name) }},
		col[T]{"datdba", func(_ *query, d *T) datum.Datum { return dInt(d.Owner) }},
		col[T]{"encoding", func(*query, *T) datum.Datum { return dInt(6) }},
		col[T]{"datlocprovider", func(*query, *T) datum.Datum { return dText("c") }},
		col[T]{"datallowconn", func(*query, *T) datum.Datum { return dBool(true) }},
		col[T]{"datconnlimit", func(*query, *T) datum.Datum { return dInt(-1) }},
		col[T]{"dattablespace", func(*query, *T) datum.Datum { return dInt(1663) }},
		col[T]{"datcollate", func(*query, *T) datum.Datum { return dText("C") }},
		col[T]{"datctype", func(*query, *T) datum.Datum { return dText("C.UTF-8") }},
		col[T]{"datacl", func(q *query, d *T) datum.Datum { return q.dACL(d.ACL) }},
	)
	type tablespace struct {
		oid  catalog.OID
		name string
	}
	type S = tablespace
	produce(r, "pg_catalog.pg_tablespace", "", func(_ *query, emit func(*S) error) error {
		if err := emit(&S{1663, "pg_default"}); err != nil {
			return err
		}
		return emit(&S{1664, "pg_global"})
	},
		col[S]{"oid", func(_ *query, s *S) datum.Datum { return dInt(s.oid) }},
		col[S]{"spcname", func(_ *query, s *S) datum.Datum { return dText(s.name) }},
		col[S]{"spcowner", func(*query, *S) datum.Datum { return dInt(catalog.OIDPostgres) }},
	)
	defineExtensions(r)
}
