package catalog

// Privilege is a set of privileges, one bit each, in the order of PostgreSQL's aclitem letters.
type Privilege uint16

// The privileges.
const (
	PrivInsert     Privilege = 1 << iota // a
	PrivSelect                           // r
	PrivUpdate                           // w
	PrivDelete                           // d
	PrivTruncate                         // D
	PrivReferences                       // x
	PrivTrigger                          // t
	PrivExecute                          // X
	PrivUsage                            // U
	PrivCreate                           // C
	PrivTemporary                        // T
	PrivConnect                          // c
)

// All privileges of the kinds of objects.
const (
	PrivAllTable    = PrivInsert | PrivSelect | PrivUpdate | PrivDelete | PrivTruncate | PrivReferences | PrivTrigger
	PrivAllColumn   = PrivInsert | PrivSelect | PrivUpdate | PrivReferences
	PrivAllSequence = PrivSelect | PrivUpdate | PrivUsage
	PrivAllSchema   = PrivUsage | PrivCreate
	PrivAllDatabase = PrivCreate | PrivTemporary | PrivConnect
	PrivAllFunction = PrivExecute
	PrivAllType     = PrivUsage
)

// ACLItem is what one grantor gave to one grantee.
type ACLItem struct {
	Grantee OID // 0 is PUBLIC
	Grantor OID
	Privs   Privilege
	// Options are the privileges held WITH GRANT OPTION.
	Options Privilege `json:",omitempty"`
}

// ACL is an object's access list; nil stands for the object kind's defaults.
type ACL []ACLItem

// privLetters are the letters of aclitem in bit order.
const privLetters = "arwdDxtXUCTc"

// Letters prints privileges as aclitem does, with a star after those that are also in options.
func (p Privilege) Letters(options Privilege) string {
	b := make([]byte, 0, 24)
	for i := range len(privLetters) {
		bit := Privilege(1) << i
		if p&bit == 0 {
			continue
		}
		b = append(b, privLetters[i])
		if options&bit != 0 {
			b = append(b, '*')
		}
	}
	return string(b)
}

// DefaultACLFor returns what a nil ACL stands for: everything to the owner, and what PUBLIC has by default.
func DefaultACLFor(owner OID, all, public Privilege) ACL {
	a := make(ACL, 0, 2)
	if public != 0 {
		a = append(a, ACLItem{Grantee: 0, Grantor: owner, Privs: public})
	}
	return append(a, ACLItem{Grantee: owner, Grantor: owner, Privs: all})
}

// Has says whether any of the roles (or PUBLIC) was given all of want.
func (a ACL) Has(want Privilege, roles func(OID) bool) bool {
	return a.Granted(want, roles) == want
}

// Granted returns the part of want that the roles (or PUBLIC) were given.
func (a ACL) Granted(want Privilege, roles func(OID) bool) Privilege {
	var have Privilege
	for _, it := range a {
		if it.Privs&want != 0 && (it.Grantee == 0 || roles(it.Grantee)) {
			have |= it.Privs & want
		}
	}
	return have
}

// Grantable returns the part of want that the roles may grant on.
func (a ACL) Grantable(want Privilege, roles func(OID) bool) Privilege {
	var have Privilege
	for _, it := range a {
		if it.Grantee != 0 && roles(it.Grantee) {
			have |= it.Options & want
		}
	}
	return have
}

// Grant returns the list with privileges added.
func (a ACL) Grant(grantee, grantor OID, privs Privilege, option bool) ACL {
	out := append(ACL(nil), a...)
	for i := range out {
		if out[i].Grantee == grantee && out[i].Grantor == grantor {
			out[i].Privs |= privs
			if option {
				out[i].Options |= privs
			}
			return out
		}
	}
	it := ACLItem{Grantee: grantee, Grantor: grantor, Privs: privs}
	if option {
		it.Options = privs
	}
	return append(out, it)
}

// Revoke returns the list with privileges (or only their grant options) taken away from the grantee.
func (a ACL) Revoke(grantee, grantor OID, privs Privilege, optionOnly bool) ACL {
	out := make(ACL, 0, len(a))
	for _, it := range a {
		if it.Grantee == grantee && it.Grantor == grantor {
			it.Options &^= privs
			if !optionOnly {
				it.Privs &^= privs
			}
		}
		if it.Privs != 0 {
			out = append(out, it)
		}
	}
	return out
}

// RevokeAll is Revoke whoever the grantor was; with cascade also what the grantee passed on goes. An empty list becomes
// nil.
func (a ACL) RevokeAll(grantee OID, privs Privilege, optionOnly, cascade bool) ACL {
	out := a
	for _, it := range a {
		if it.Grantee == grantee {
			out = out.Revoke(grantee, it.Grantor, privs, optionOnly)
		} else if cascade && it.Grantor == grantee {
			out = out.Revoke(it.Grantee, grantee, privs, false)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
