package syscat

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// The reg types that package datum does not name.
const (
	oidRegprocedure  catalog.OID = 2202
	oidRegoper       catalog.OID = 2203
	oidRegoperator   catalog.OID = 2204
	oidRegconfig     catalog.OID = 3734
	oidRegdictionary catalog.OID = 3769
	oidRegcollation  catalog.OID = 4191
)

// RegInput resolves the text of a regclass, regtype, … to an OID, with PostgreSQL's errors (builtin.Session).
func (e *Env) RegInput(reg catalog.OID, text string) (catalog.OID, error) {
	if text == "-" {
		return 0, nil
	}
	if oid, ok := oidOf(text); ok {
		return oid, nil
	}
	switch reg {
	case datum.OIDRegtype:
		return e.regtype(text)
	case oidRegprocedure:
		return e.regprocedure(text)
	case oidRegoper, oidRegoperator:
		return e.regoper(reg, text)
	}
	parts, ok := splitName(text)
	if !ok {
		return 0, failure.New(failure.InvalidName, "invalid name syntax")
	}
	switch reg {
	case datum.OIDRegclass:
		return e.regclass(parts)
	case datum.OIDRegnamespace:
		if d := e.Snapshot.Schema(parts[0]); d != nil && len(parts) == 1 {
			return d.OID, nil
		}
		return 0, failure.New(failure.InvalidSchemaName, "schema \"%s\" does not exist", strings.Join(parts, "."))
	case datum.OIDRegrole:
		if r := e.Snapshot.Role(parts[0]); r != nil && len(parts) == 1 {
			return r.OID, nil
		}
		return 0, failure.New(failure.UndefinedObject, "role \"%s\" does not exist", strings.Join(parts, "."))
	case datum.OIDRegproc:
		return e.regproc(parts)
	case oidRegcollation:
		return e.regcollation(parts)
	default:
		return 0, failure.NotSupported("input of type %s is", e.Facts.TypeName(reg))
	}
}

// splitName reads a qualified, perhaps quoted name.
func splitName(text string) ([]string, bool) {
	x, err := parser.ParseExpr(text)
	if ref, ok := x.(*parser.ColumnRef); err == nil && ok && !ref.Star {
		return ref.Parts, true
	}
	// Words that are reserved in SQL are plain names here.
	if text != "" && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz_0123456789$.") == "" {
		return strings.Split(strings.ToLower(text), "."), true
	}
	return nil, false
}

func lastTwo(parts []string) (schema, name string) {
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	return schema, parts[len(parts)-1]
}

func (e *Env) regclass(parts []string) (catalog.OID, error) {
	schema, name := lastTwo(parts)
	database := ""
	if len(parts) > 2 {
		database = parts[len(parts)-3]
	}
	r, err := e.Snapshot.Resolve(e.Path, database, schema, name)
	if err == nil {
		return r.OID(), nil
	}
	if schema == "" || schema == "pg_catalog" {
		var oid catalog.OID
		_ = systemIndexes(nil, func(k *class) error {
			if k.name == name {
				oid = k.oid
			}
			return nil
		})
		if oid != 0 {
			return oid, nil
		}
	}
	return 0, err
}

// regtype resolves the name of a type, with modifiers and brackets as in a cast.
func (e *Env) regtype(text string) (catalog.OID, error) {
	t, err := parser.ParseTypeName(text)
	if err != nil {
		return 0, err
	}
	d := &deparser{e: e}
	if oid := d.castType(t); oid != 0 {
		return oid, nil
	}
	return 0, failure.New(failure.UndefinedObject, "type \"%s\" does not exist", text)
}

func (e *Env) functionsNamed(parts []string) []*builtin.Func {
	schema, name := lastTwo(parts)
	return e.Facts.FuncsByName(schema, name)
}

func (e *Env) regproc(parts []string) (catalog.OID, error) {
	name := strings.Join(parts, ".")
	switch fs := e.functionsNamed(parts); len(fs) {
	case 0:
		return 0, failure.New(failure.UndefinedFunction, "function \"%s\" does not exist", name)
	case 1:
		return fs[0].OID, nil
	default:
		return 0, failure.New(failure.AmbiguousFunction, "more than one function named \"%s\"", name)
	}
}

func (e *Env) regprocedure(text string) (catalog.OID, error) {
	name, args, ok := strings.Cut(text, "(")
	args, closed := strings.CutSuffix(strings.TrimSpace(args), ")")
	parts, named := splitName(strings.TrimSpace(name))
	if !ok || !closed || !named {
		return 0, failure.New(failure.InvalidTextRepresentation, "expected a left parenthesis")
	}
	types, err := e.typeList(args)
	if err != nil {
		return 0, err
	}
	for _, f := range e.functionsNamed(parts) {
		if slices.Equal(f.Args, types) {
			return f.OID, nil
		}
	}
	return 0, failure.New(failure.UndefinedFunction, "function \"%s\" does not exist", text)
}

func (e *Env) typeList(text string) ([]catalog.OID, error) {
	var out []catalog.OID
	for _, a := range strings.Split(text, ",") {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		if strings.EqualFold(a, "none") {
			out = append(out, 0)
			continue
		}
		t, err := e.regtype(a)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (e *Env) regoper(reg catalog.OID, text string) (catalog.OID, error) {
	name, args, signed := strings.Cut(text, "(")
	name = strings.TrimPrefix(strings.TrimSpace(name), "pg_catalog.")
	var types []catalog.OID
	if reg == oidRegoperator {
		var err error
		if types, err = e.typeList(strings.TrimSuffix(strings.TrimSpace(args), ")")); err != nil {
			return 0, err
		}
		if !signed || len(types) != 2 {
			return 0, failure.New(failure.UndefinedParameter, "missing argument").
				WithHint("Use NONE to denote the missing argument of a unary operator.")
		}
	}
	var found []catalog.OID
	for _, op := range e.Facts.Operators() {
		if op.Name == name && (types == nil || op.Left == types[0] && op.Right == types[1]) {
			found = append(found, op.OID)
		}
	}
	switch len(found) {
	case 0:
		return 0, failure.New(failure.UndefinedFunction, "operator does not exist: %s", text)
	case 1:
		return found[0], nil
	default:
		return 0, failure.New(failure.AmbiguousFunction, "more than one operator named %s", text)
	}
}

func (e *Env) regcollation(parts []string) (catalog.OID, error) {
	_, name := lastTwo(parts)
	switch name {
	case "default", "C", "POSIX", "ucs_basic":
		return collationOID(name), nil
	}
	return 0, failure.New(failure.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", strings.Join(parts, "."))
}

// RegOutput prints an OID as a regclass, regtype, … (builtin.Session).
func (e *Env) RegOutput(reg catalog.OID, oid catalog.OID) (string, error) {
	if oid == 0 {
		return "-", nil
	}
	number := oidString(oid)
	switch reg {
	case datum.OIDRegclass:
		if r := e.Snapshot.RelationByOID(oid); r.Found() {
			return e.Snapshot.QualifiedIfHidden(e.Path, r), nil
		}
		_ = systemIndexes(nil, func(k *class) error {
			if k.oid == oid {
				number = k.name
			}
			return nil
		})
	case datum.OIDRegtype:
		if e.typeInfo(oid) != nil {
			return e.FormatType(datum.T(oid)), nil
		}
	case datum.OIDRegnamespace:
		if d := e.Snapshot.SchemaByOID(oid); d != nil {
			return catalog.QuoteIdent(d.Name), nil
		}
	case datum.OIDRegrole:
		if r := e.Snapshot.RoleByOID(oid); r != nil {
			return catalog.QuoteIdent(r.Name), nil
		}
	case datum.OIDRegproc, oidRegprocedure:
		if f := e.Facts.FuncByOID(oid); f != nil {
			return e.procName(reg, f), nil
		}
	case oidRegoper, oidRegoperator:
		if op := e.Facts.OperatorByOID(oid); op != nil {
			return e.operName(reg, op), nil
		}
	case oidRegcollation:
		return map[catalog.OID]string{100: `"default"`, 950: `"C"`, 951: `"POSIX"`, 12341: "ucs_basic"}[oid] +
			suffix(oid != 100 && oid != 950 && oid != 951 && oid != 12341, number), nil
	}
	return number, nil
}

// typeName is a type's name without any modifier: character, not bpchar.
func (e *Env) typeName(oid catalog.OID) string {
	if ti := e.userType(oid); ti != nil {
		return e.userTypeName(ti)
	}
	return e.Facts.TypeName(oid)
}

// bareProc says whether a user's function is found by its name alone.
func (e *Env) bareProc(reg catalog.OID, f *builtin.Func) bool {
	all := e.Facts.FuncsByName("", f.Name)
	if reg == datum.OIDRegproc {
		return len(all) == 1 && all[0].OID == f.OID
	}
	for _, o := range all {
		if slices.Equal(o.Args, f.Args) {
			return o.OID == f.OID
		}
	}
	return false
}

func (e *Env) procName(reg catalog.OID, f *builtin.Func) string {
	name := catalog.QuoteIdent(f.Name)
	if f.Schema != catalog.OIDPgCatalog && !e.bareProc(reg, f) {
		name = catalog.QuoteIdent(e.Snapshot.SchemaName(f.Schema)) + "." + name
	} else if reg == datum.OIDRegproc && len(e.Facts.FuncsByName("pg_catalog", f.Name)) > 1 {
		name = "pg_catalog." + name
	}
	if reg == datum.OIDRegproc {
		return name
	}
	args := make([]string, len(f.Args))
	for i, a := range f.Args {
		args[i] = e.typeName(a)
	}
	return name + "(" + strings.Join(args, ",") + ")"
}

func (e *Env) operName(reg catalog.OID, op *builtin.Operator) string {
	if reg == oidRegoper {
		return "pg_catalog." + op.Name
	}
	left := "NONE"
	if op.Left != 0 {
		left = e.typeName(op.Left)
	}
	return op.Name + "(" + left + "," + e.typeName(op.Right) + ")"
}

// toReg is the to_reg… family: NULL instead of an error for what does not exist.
func toReg(c *call) (datum.Datum, error) {
	reg := map[string]catalog.OID{"to_regclass": datum.OIDRegclass, "to_regtype": datum.OIDRegtype, "to_regproc": datum.OIDRegproc,
		"to_regprocedure": oidRegprocedure, "to_regnamespace": datum.OIDRegnamespace, "to_regrole": datum.OIDRegrole,
		"to_regoper": oidRegoper, "to_regoperator": oidRegoperator, "to_regcollation": oidRegcollation}[c.fn.Name]
	text := c.args[0].Text()
	if _, number := oidOf(text); number {
		return datum.Null, nil
	}
	oid, err := c.RegInput(reg, text)
	switch failure.CodeOf(err) {
	case "":
		return dInt(oid), nil
	case failure.InvalidName, failure.SyntaxError, failure.InternalError:
		return datum.Null, err
	}
	return datum.Null, nil
}
