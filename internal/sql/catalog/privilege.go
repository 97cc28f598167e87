package catalog

import (
	"github.com/meridiandb/meridian/internal/failure"
)

// Member says whether user has the privileges of role: it is the role, is a superuser, or inherits them through
// memberships.
func (s *Snapshot) Member(user, role OID) bool {
	return s.member(user, role, true, nil)
}

// MayBecome is Member without regard to INHERIT: user may SET ROLE to role.
func (s *Snapshot) MayBecome(user, role OID) bool {
	return s.member(user, role, false, nil)
}

func (s *Snapshot) member(user, role OID, inherit bool, seen map[OID]bool) bool {
	if user == role || s.Superuser(user) {
		return true
	}
	return s.inMembers(user, role, inherit, seen)
}

func (s *Snapshot) inMembers(user, role OID, inherit bool, seen map[OID]bool) bool {
	r := s.RoleByOID(user)
	if r == nil || seen[user] || inherit && !r.Inherit {
		return false
	}
	if role == OIDDatabaseOwner && s.Database().Owner == user {
		return true
	}
	for _, m := range r.MemberOf {
		if m.Role == role {
			return true
		}
		if seen == nil {
			seen = map[OID]bool{}
		}
		seen[user] = true
		if s.inMembers(m.Role, role, inherit, seen) {
			return true
		}
	}
	return false
}

// DirectMember says whether user is role or belongs to it, superuser or not.
func (s *Snapshot) DirectMember(user, role OID) bool {
	return user == role || s.inMembers(user, role, false, nil)
}

// AdminOf says whether user may grant membership in role.
func (s *Snapshot) AdminOf(user, role OID) bool {
	if s.Superuser(user) {
		return true
	}
	r := s.RoleByOID(user)
	if r == nil {
		return false
	}
	for _, m := range r.MemberOf {
		if m.Role == role && m.Admin {
			return true
		}
	}
	return false
}

// Superuser says whether the role bypasses all privilege checks.
func (s *Snapshot) Superuser(user OID) bool {
	r := s.RoleByOID(user)
	return r != nil && r.Superuser
}

// roles returns the test of ACL methods for a user.
func (s *Snapshot) roles(user OID) func(OID) bool {
	return func(r OID) bool { return s.Member(user, r) }
}

// EffectiveACL returns a relation's access list with the default filled in.
func (t *Table) EffectiveACL() ACL {
	if t.ACL != nil {
		return t.ACL
	}
	if t.Virtual || t.Schema < FirstUserOID && t.Schema != OIDPublic {
		return DefaultACLFor(t.Owner, PrivAllTable, PrivSelect)
	}
	return DefaultACLFor(t.Owner, t.allPrivileges(), 0)
}

func (t *Table) allPrivileges() Privilege {
	if t.Kind == RelSequence {
		return PrivAllSequence
	}
	return PrivAllTable
}

// EffectiveACL returns a schema's access list with the default filled in.
func (s *Schema) EffectiveACL() ACL {
	if s.ACL != nil {
		return s.ACL
	}
	return DefaultACLFor(s.Owner, PrivAllSchema, 0)
}

// EffectiveACL returns a database's access list with the default filled in.
func (d *Database) EffectiveACL() ACL {
	if d.ACL != nil {
		return d.ACL
	}
	return DefaultACLFor(d.Owner, PrivAllDatabase, PrivTemporary|PrivConnect)
}

// EffectiveACL returns a type's access list with the default filled in.
func (t *Type) EffectiveACL() ACL {
	if t.ACL != nil {
		return t.ACL
	}
	return DefaultACLFor(t.Owner, PrivAllType, PrivUsage)
}

// EffectiveACL returns a function's access list with the default filled in.
func (f *Function) EffectiveACL() ACL {
	if f.ACL != nil {
		return f.ACL
	}
	return DefaultACLFor(f.Owner, PrivAllFunction, PrivExecute)
}

// HasTable says whether user has all of want on the relation.
func (s *Snapshot) HasTable(user OID, t *Table, want Privilege) bool {
	if s.Superuser(user) {
		return true
	}
	missing := want &^ t.EffectiveACL().Granted(want, s.roles(user))
	if missing&PrivSelect != 0 && s.Member(user, 6181) {
		missing &^= PrivSelect
	}
	const write = PrivInsert | PrivUpdate | PrivDelete
	if missing&write != 0 && s.Member(user, 6182) {
		missing &^= write
	}
	return missing == 0
}

// HasColumn says whether user has all of want on a column, through the relation or the column itself.
func (s *Snapshot) HasColumn(user OID, t *Table, c *Column, want Privilege) bool {
	if s.HasTable(user, t, want) {
		return true
	}
	have := c.ACL.Granted(want, s.roles(user)) | t.EffectiveACL().Granted(want, s.roles(user))
	return have == want
}

// HasSchema says whether user has all of want on the schema.
func (s *Snapshot) HasSchema(user OID, d *Schema, want Privilege) bool {
	return s.Superuser(user) || d.EffectiveACL().Has(want, s.roles(user))
}

// HasDatabase says whether user has all of want on the database.
func (s *Snapshot) HasDatabase(user OID, want Privilege) bool {
	return s.Superuser(user) || s.Database().EffectiveACL().Has(want, s.roles(user))
}

// HasFunction says whether user may execute the function.
func (s *Snapshot) HasFunction(user OID, f *Function) bool {
	return s.Superuser(user) || f.EffectiveACL().Has(PrivExecute, s.roles(user))
}

// HasType says whether user may use the type.
func (s *Snapshot) HasType(user OID, t *Type) bool {
	return s.Superuser(user) || t.EffectiveACL().Has(PrivUsage, s.roles(user))
}

// CheckTable returns 42501 unless user has all of want on the relation and may use its schema by name.
func (s *Snapshot) CheckTable(user OID, t *Table, want Privilege) error {
	if s.HasTable(user, t, want) {
		return nil
	}
	return Denied(t.Kind.Word(), t.Name)
}

// CheckColumns returns 42501 unless user has want on the relation or on each of the columns (ids).
func (s *Snapshot) CheckColumns(user OID, t *Table, ids []uint32, want Privilege) error {
	if s.HasTable(user, t, want) {
		return nil
	}
	for _, id := range ids {
		c, _ := t.ColumnByID(id)
		if c == nil || !s.HasColumn(user, t, c, want) {
			return Denied(t.Kind.Word(), t.Name)
		}
	}
	if len(ids) > 0 {
		return nil
	}
	// No column is named (SELECT count(*)): any column's privilege is enough.
	for _, c := range t.VisibleColumns() {
		if s.HasColumn(user, t, c, want) {
			return nil
		}
	}
	return Denied(t.Kind.Word(), t.Name)
}

// CheckSchema returns 42501 unless user has all of want on the schema.
func (s *Snapshot) CheckSchema(user OID, d *Schema, want Privilege) error {
	if s.HasSchema(user, d, want) {
		return nil
	}
	return Denied("schema", d.Name)
}

// Denied makes PostgreSQL's error for a missing privilege.
func Denied(what, name string) *failure.Error {
	return failure.New(failure.InsufficientPrivilege, "permission denied for %s %s", what, name)
}

// NotOwner makes PostgreSQL's error for what only an owner may do.
func NotOwner(what, name string) *failure.Error {
	return failure.New(failure.InsufficientPrivilege, "must be owner of %s %s", what, name)
}

// Word names the kind of relation in errors.
func (k RelKind) Word() string {
	switch k {
	case RelView:
		return "view"
	case RelMatView:
		return "materialized view"
	case RelSequence:
		return "sequence"
	case RelComposite:
		return "composite type"
	case RelIndex:
		return "index"
	default:
		return "table"
	}
}
