package syscat

import (
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// wanted is one privilege of a has_…_privilege call's list.
type wanted struct {
	priv   catalog.Privilege
	option bool
}

// parsePrivileges reads "SELECT, UPDATE WITH GRANT OPTION".
func parsePrivileges(text string) ([]wanted, error) {
	var out []wanted
	for _, part := range strings.Split(text, ",") {
		word := strings.ToUpper(strings.Join(strings.Fields(part), " "))
		name, option := strings.CutSuffix(word, " WITH GRANT OPTION")
		p, ok := map[string]catalog.Privilege{"SELECT": catalog.PrivSelect, "INSERT": catalog.PrivInsert, "UPDATE": catalog.PrivUpdate,
			"DELETE": catalog.PrivDelete, "TRUNCATE": catalog.PrivTruncate, "REFERENCES": catalog.PrivReferences,
			"TRIGGER": catalog.PrivTrigger, "RULE": 0, "USAGE": catalog.PrivUsage, "CREATE": catalog.PrivCreate,
			"CONNECT": catalog.PrivConnect, "TEMPORARY": catalog.PrivTemporary, "TEMP": catalog.PrivTemporary,
			"EXECUTE": catalog.PrivExecute}[name]
		if !ok {
			return nil, failure.New(failure.InvalidParameterValue, "unrecognized privilege type: \"%s\"", strings.TrimSpace(part))
		}
		out = append(out, wanted{p, option})
	}
	return out, nil
}

// user resolves the user argument of a privilege function; 0 is PUBLIC.
func (c *call) user(d datum.Datum) (catalog.OID, error) {
	if d.Kind() == datum.KindInt {
		return catalog.OID(d.Int()), nil
	}
	if d.Text() == "public" {
		return 0, nil
	}
	r, err := c.Snapshot.NeedRole(d.Text())
	if err != nil {
		return 0, err
	}
	return r.OID, nil
}

// hasPrivilege is the whole family of has_…_privilege([user,] object, [column,] privileges).
func hasPrivilege(c *call) (datum.Datum, error) {
	kind := strings.TrimSuffix(strings.TrimPrefix(c.fn.Name, "has_"), "_privilege")
	args := c.args
	need := 2
	if kind == "column" {
		need = 3
	}
	user := c.User
	if len(args) > need {
		var err error
		if user, err = c.user(args[0]); err != nil {
			return datum.Null, err
		}
		args = args[1:]
	}
	wants, err := parsePrivileges(args[len(args)-1].Text())
	if err != nil {
		return datum.Null, err
	}
	has, found, err := c.privilegeTest(kind, user, args)
	if err != nil || !found {
		return datum.Null, err
	}
	for _, w := range wants {
		if has(w) {
			return dBool(true), nil
		}
	}
	return dBool(false), nil
}

// privilegeTest finds the object of a privilege function and returns the test of one privilege on it.
func (c *call) privilegeTest(kind string, user catalog.OID, args []datum.Datum) (has func(wanted) bool, found bool, err error) {
	s := c.Snapshot
	roles := func(r catalog.OID) bool { return user != 0 && s.Member(user, r) }
	byACL := func(acl catalog.ACL) func(wanted) bool {
		return func(w wanted) bool {
			if user != 0 && s.Superuser(user) {
				return true
			}
			if w.option {
				return acl.Grantable(w.priv, roles) == w.priv || user != 0 && c.ownsACL(acl, user)
			}
			return acl.Has(w.priv, roles)
		}
	}
	switch kind {
	case "table", "sequence", "column", "any_column":
		t, err := c.privilegeRelation(args[0])
		if t == nil || err != nil {
			return nil, false, err
		}
		return c.tablePrivilege(kind, user, t, args, byACL(t.EffectiveACL()))
	case "schema":
		d := s.SchemaByOID(c.argOID(args[0], datum.OIDRegnamespace))
		if d == nil {
			return nil, false, c.missing(args[0], failure.InvalidSchemaName, "schema")
		}
		return byACL(d.EffectiveACL()), true, nil
	case "database":
		d := s.Database()
		if args[0].Kind() == datum.KindText && args[0].Text() != d.Name || args[0].Kind() == datum.KindInt && catalog.OID(args[0].Int()) != d.OID {
			return nil, false, c.missing(args[0], failure.UndefinedDatabase, "database")
		}
		return byACL(d.EffectiveACL()), true, nil
	case "function", "type", "language", "tablespace", "parameter", "foreign_data_wrapper", "server":
		return func(wanted) bool {
			return kind != "tablespace" && kind != "parameter" || user != 0 && s.Superuser(user)
		}, true, nil
	}
	return nil, false, failure.NotSupported("function %s is", c.fn.Name)
}

func (c *call) ownsACL(acl catalog.ACL, user catalog.OID) bool {
	for _, it := range acl {
		if it.Grantee == it.Grantor && c.Snapshot.Member(user, it.Grantee) {
			return true
		}
	}
	return false
}

// argOID resolves an object argument that is a name or an OID; 0 when there is no such object.
func (c *call) argOID(d datum.Datum, reg catalog.OID) catalog.OID {
	if d.Kind() == datum.KindInt {
		return catalog.OID(d.Int())
	}
	oid, err := c.RegInput(reg, catalog.QuoteIdent(d.Text()))
	if err != nil {
		return 0
	}
	return oid
}

// missing is the error for an object that a name does not find; an OID gives NULL instead.
func (c *call) missing(d datum.Datum, code failure.Code, what string) error {
	if d.Kind() == datum.KindInt {
		return nil
	}
	return failure.New(code, "%s \"%s\" does not exist", what, d.Text())
}

func (c *call) privilegeRelation(d datum.Datum) (*catalog.Table, error) {
	if d.Kind() == datum.KindInt {
		return c.Snapshot.RelationByOID(catalog.OID(d.Int())).Table, nil
	}
	oid, err := c.RegInput(datum.OIDRegclass, d.Text())
	if err != nil {
		return nil, err
	}
	return c.Snapshot.RelationByOID(oid).Table, nil
}

func (c *call) tablePrivilege(kind string, user catalog.OID, t *catalog.Table, args []datum.Datum, whole func(wanted) bool) (func(wanted) bool, bool, error) {
	roles := func(r catalog.OID) bool { return user != 0 && c.Snapshot.Member(user, r) }
	table := func(w wanted) bool {
		return whole(w) || !w.option && user != 0 && c.Snapshot.HasTable(user, t, w.priv)
	}
	onColumn := func(col *catalog.Column) func(wanted) bool {
		return func(w wanted) bool { return table(w) || !w.option && col.ACL.Has(w.priv, roles) }
	}
	switch kind {
	case "any_column":
		return func(w wanted) bool {
			for _, col := range t.VisibleColumns() {
				if onColumn(col)(w) {
					return true
				}
			}
			return table(w)
		}, true, nil
	case "column":
		var col *catalog.Column
		if args[1].Kind() == datum.KindInt {
			col = t.ColumnByAttnum(int16(args[1].Int()))
		} else if col, _ = t.ColumnByName(args[1].Text()); col == nil {
			return nil, false, failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", args[1].Text(), t.Name)
		}
		if col == nil || col.Dropped {
			return nil, false, nil
		}
		return onColumn(col), true, nil
	case "sequence":
		if t.Kind != catalog.RelSequence {
			return nil, false, failure.New(failure.WrongObjectType, "\"%s\" is not a sequence", t.Name)
		}
	}
	return table, true, nil
}

// hasRole is pg_has_role([user,] role, privilege).
func hasRole(c *call) (datum.Datum, error) {
	args, user := c.args, c.User
	if len(args) == 3 {
		var err error
		if user, err = c.user(args[0]); err != nil {
			return datum.Null, err
		}
		args = args[1:]
	}
	role, err := c.user(args[0])
	if err != nil {
		return datum.Null, err
	}
	for _, part := range strings.Split(args[1].Text(), ",") {
		switch word := strings.ToUpper(strings.TrimSpace(part)); word {
		case "USAGE":
			if c.Snapshot.Member(user, role) {
				return dBool(true), nil
			}
		case "MEMBER":
			if c.Snapshot.MayBecome(user, role) {
				return dBool(true), nil
			}
		case "USAGE WITH GRANT OPTION", "USAGE WITH ADMIN OPTION", "MEMBER WITH GRANT OPTION", "MEMBER WITH ADMIN OPTION":
			if c.Snapshot.AdminOf(user, role) {
				return dBool(true), nil
			}
		default:
			return datum.Null, failure.New(failure.InvalidParameterValue, "unrecognized privilege type: \"%s\"", strings.TrimSpace(part))
		}
	}
	return dBool(false), nil
}

// aclDefault is acldefault(kind, owner): what a missing access list stands for.
func aclDefault(c *call) (datum.Datum, error) {
	var all, public catalog.Privilege
	switch kind := c.args[0].Text(); kind {
	case "c":
	case "r":
		all = catalog.PrivAllTable
	case "s":
		all = catalog.PrivAllSequence
	case "d":
		all, public = catalog.PrivAllDatabase, catalog.PrivTemporary|catalog.PrivConnect
	case "f":
		all, public = catalog.PrivAllFunction, catalog.PrivExecute
	case "l", "T":
		all, public = catalog.PrivUsage, catalog.PrivUsage
	case "L":
		all = catalog.PrivSelect | catalog.PrivUpdate
	case "n":
		all = catalog.PrivAllSchema
	case "t":
		all = catalog.PrivCreate
	case "F", "S":
		all = catalog.PrivUsage
	case "p":
		owner := catalog.QuoteIdent(c.Snapshot.RoleName(c.oid(1)))
		return dArray(oidAclItem, []datum.Datum{dText(owner + "=sA/" + owner)}), nil
	default:
		return datum.Null, failure.New(failure.InvalidParameterValue, "unrecognized object type abbreviation: %s", kind)
	}
	var acl catalog.ACL
	if all != 0 {
		acl = catalog.DefaultACLFor(c.oid(1), all, public)
	}
	elems := make([]datum.Datum, len(acl))
	for i, it := range acl {
		elems[i] = dText(c.aclItem(it))
	}
	return dArray(oidAclItem, elems), nil
}
