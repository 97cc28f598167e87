package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// typeName resolves a type's name and modifiers.
func (b *binder) typeName(t *parser.TypeName) datum.Type {
	oid := b.typeOID(t)
	typ := datum.T(oid)
	if len(t.Typmods) > 0 {
		typ.Mod = b.typmod(t, oid)
	}
	if len(t.ArrayBounds) > 0 {
		arr := b.facts.ArrayType(oid)
		if arr == 0 {
			b.fail(t.Pos, failure.UndefinedObject, "could not find array type for data type %s", b.facts.TypeName(oid))
		}
		typ.OID = arr
	}
	return typ
}

func (b *binder) typeOID(t *parser.TypeName) datum.OID {
	if t.PctType {
		return b.pctType(t).OID
	}
	schema, name := "", t.Names[len(t.Names)-1]
	if len(t.Names) > 1 {
		schema = t.Names[len(t.Names)-2]
	}
	if schema == "" || schema == "pg_catalog" {
		if ti := b.facts.TypeByName(name); ti != nil && ti.Schema == builtin.SchemaCatalog {
			return ti.OID
		}
	}
	user, table := b.env.Snapshot.FindType(b.env.Path, schema, name)
	switch {
	case user != nil:
		b.useObject(user.OID)
		return user.OID
	case table != nil:
		b.useObject(table.OID)
		return table.RowType
	}
	// _name is the array type of name.
	if len(name) > 1 && name[0] == '_' {
		if user, table := b.env.Snapshot.FindType(b.env.Path, schema, name[1:]); user != nil {
			return user.ArrayType
		} else if table != nil {
			return table.ArrayType
		}
	}
	if schema == "information_schema" || schema == "" {
		if ti := b.facts.TypeByName(name); ti != nil && (schema != "" || ti.Schema != catalog.OIDInformationSchema) {
			return ti.OID
		}
	}
	b.fail(t.Pos, failure.UndefinedObject, "type \"%s\" does not exist", typeNameText(t))
	return 0
}

func typeNameText(t *parser.TypeName) string {
	s := joinDots(t.Names)
	for range t.ArrayBounds {
		s += "[]"
	}
	return s
}

// pctType resolves table.column%TYPE.
func (b *binder) pctType(t *parser.TypeName) datum.Type {
	n := len(t.Names)
	if n < 2 {
		b.fail(t.Pos, failure.SyntaxError, "improper %%TYPE reference (too few dotted names): %s", joinDots(t.Names))
	}
	schema := ""
	if n > 2 {
		schema = t.Names[n-3]
	}
	rel, err := b.env.Snapshot.Resolve(b.env.Path, "", schema, t.Names[n-2])
	b.must(t.Pos, err)
	col, _ := rel.Table.ColumnByName(t.Names[n-1])
	if col == nil {
		b.fail(t.Pos, failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", t.Names[n-1], rel.Table.Name)
	}
	return col.Type
}

// typmod turns the modifiers between parentheses into a typmod, as the types' typmodin functions do.
func (b *binder) typmod(t *parser.TypeName, oid datum.OID) int32 {
	mods := make([]int32, len(t.Typmods))
	for i, e := range t.Typmods {
		c, ok := e.(*parser.Const)
		switch {
		case ok && c.Kind == parser.ConstInteger:
			mods[i] = c.Int
		case signedConst(e, &mods[i]):
		default:
			b.fail(start(e), failure.SyntaxError, "type modifiers must be simple constants or identifiers")
		}
	}
	one := func() int32 {
		if len(mods) != 1 {
			b.fail(t.Pos, failure.InvalidParameterValue, "invalid type modifier")
		}
		return mods[0]
	}
	switch oid {
	case datum.OIDVarchar, datum.OIDBpchar:
		name := map[datum.OID]string{datum.OIDVarchar: "varchar", datum.OIDBpchar: "char"}[oid]
		n := one()
		if n < 1 {
			b.fail(t.Pos, failure.InvalidParameterValue, "length for type %s must be at least 1", name)
		}
		if n > 10485760 {
			b.fail(t.Pos, failure.InvalidParameterValue, "length for type %s cannot exceed %d", name, 10485760)
		}
		return n + 4
	case datum.OIDNumeric:
		return b.numericMod(t, mods)
	case datum.OIDTime, datum.OIDTimeTZ, datum.OIDTimestamp, datum.OIDTimestampTZ:
		n := one()
		if n < 0 {
			name, zone := "TIMESTAMP", ""
			if oid == datum.OIDTime || oid == datum.OIDTimeTZ {
				name = "TIME"
			}
			if oid == datum.OIDTimeTZ || oid == datum.OIDTimestampTZ {
				zone = " WITH TIME ZONE"
			}
			b.fail(t.Pos, failure.InvalidParameterValue, "%s(%d)%s precision must not be negative", name, n, zone)
		}
		return min(n, 6)
	case datum.OIDInterval:
		return b.intervalMod(t, mods)
	case datum.OIDBit, datum.OIDVarbit:
		name := map[datum.OID]string{datum.OIDBit: "bit", datum.OIDVarbit: "varbit"}[oid]
		n := one()
		if n < 1 {
			b.fail(t.Pos, failure.InvalidParameterValue, "length for type %s must be at least 1", name)
		}
		if n > 83886080 {
			b.fail(t.Pos, failure.InvalidParameterValue, "length for type %s cannot exceed %d", name, 83886080)
		}
		return n
	}
	b.fail(t.Pos, failure.SyntaxError, "type modifier is not allowed for type \"%s\"", t.Names[len(t.Names)-1])
	return -1
}

// signedConst reads -n.
func signedConst(e parser.Expr, out *int32) bool {
	op, ok := e.(*parser.OpExpr)
	if !ok || op.Left != nil || op.Op != "-" && op.Op != "+" {
		return false
	}
	c, ok := op.Right.(*parser.Const)
	if !ok || c.Kind != parser.ConstInteger {
		return false
	}
	*out = c.Int
	if op.Op == "-" {
		*out = -c.Int
	}
	return true
}

func (b *binder) numericMod(t *parser.TypeName, mods []int32) int32 {
	if len(mods) > 2 {
		b.fail(t.Pos, failure.InvalidParameterValue, "invalid NUMERIC type modifier")
	}
	p, s := mods[0], int32(0)
	if p < 1 || p > 1000 {
		b.fail(t.Pos, failure.InvalidParameterValue, "NUMERIC precision %d must be between 1 and 1000", p)
	}
	if len(mods) == 2 {
		s = mods[1]
		if s < -1000 || s > 1000 {
			b.fail(t.Pos, failure.InvalidParameterValue, "NUMERIC scale %d must be between -1000 and 1000", s)
		}
	}
	return (p<<16 | s&0x7ff) + 4
}

// intervalMod packs the field mask and the precision.
func (b *binder) intervalMod(t *parser.TypeName, mods []int32) int32 {
	const fullRange, fullPrecision = 0x7fff, 0xffff
	if len(mods) == 1 {
		if mods[0] == fullRange {
			return -1
		}
		return fullPrecision | mods[0]<<16
	}
	if len(mods) != 2 {
		b.fail(t.Pos, failure.InvalidParameterValue, "invalid INTERVAL type modifier")
	}
	p := mods[1]
	if p < 0 {
		b.fail(t.Pos, failure.InvalidParameterValue, "INTERVAL(%d) precision must not be negative", p)
	}
	return min(p, 6) | mods[0]<<16
}

// fieldsOf returns the names and types of a composite type's fields, or nil.
func (b *binder) fieldsOf(oid datum.OID) ([]string, []datum.Type) {
	t := b.env.Snapshot.TableOfRowType(b.facts.BaseType(oid))
	if t == nil {
		return nil, nil
	}
	var names []string
	var types []datum.Type
	for _, c := range t.Columns {
		if c.Visible() {
			names, types = append(names, c.Name), append(types, c.Type)
		}
	}
	return names, types
}

// collation checks a COLLATE clause: everything sorts by bytes.
func (b *binder) collation(names []string, typ datum.OID, pos int) {
	name := names[len(names)-1]
	switch name {
	case "C", "POSIX", "default", "ucs_basic":
	default:
		b.fail(pos, failure.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", joinDots(names))
	}
	if typ != datum.OIDUnknown && b.facts.Collation(typ) == 0 {
		b.fail(pos, failure.DatatypeMismatch, "collations are not supported by type %s", b.facts.TypeName(typ))
	}
}
