package syscat

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// UserTypes presents the user-defined types of a Snapshot to package builtin (it implements builtin.Extra): enums,
// domains, row types and the arrays of each.
type UserTypes struct {
	Snapshot *catalog.Snapshot
	Path     catalog.Path
}

// TypeByOID implements builtin.Extra.
func (u UserTypes) TypeByOID(oid catalog.OID) *builtin.TypeInfo {
	if oid < catalog.FirstUserOID {
		return nil
	}
	s := u.Snapshot
	if t := s.TypeByOID(oid); t != nil {
		return userTypeInfo(t)
	}
	if t := s.TypeOfArray(oid); t != nil {
		return arrayInfo(oid, userTypeInfo(t))
	}
	if t := s.TableOfRowType(oid); t != nil {
		return rowTypeInfo(t)
	}
	if t := s.TableOfPart(oid); t != nil && t.ArrayType == oid {
		return arrayInfo(oid, rowTypeInfo(t))
	}
	return nil
}

// TypeByName implements builtin.Extra.
func (u UserTypes) TypeByName(schema, name string) *builtin.TypeInfo {
	t, row := u.Snapshot.FindType(u.Path, schema, name)
	switch {
	case t != nil:
		return userTypeInfo(t)
	case row != nil && row.RowType != 0 && !row.Virtual:
		return rowTypeInfo(row)
	case len(name) > 1 && name[0] == '_':
		if elem := u.TypeByName(schema, name[1:]); elem != nil && elem.Array != 0 {
			return arrayInfo(elem.Array, elem)
		}
	}
	return nil
}

// TypePrefix implements builtin.Extra.
func (u UserTypes) TypePrefix(t *builtin.TypeInfo) string {
	if f := u.TypeByName("", t.Name); f != nil && f.OID == t.OID || u.Snapshot == nil {
		return ""
	}
	return catalog.QuoteIdent(u.Snapshot.SchemaName(t.Schema)) + "."
}

// FuncByOID implements builtin.Extra.
func (u UserTypes) FuncByOID(oid catalog.OID) *builtin.Func {
	if f := u.Snapshot.FunctionByOID(oid); f != nil {
		return u.userFunction(f)
	}
	return nil
}

// FuncsByName implements builtin.Extra.
func (u UserTypes) FuncsByName(schema, name string) []*builtin.Func {
	var out []*builtin.Func
	for _, f := range u.Snapshot.FindFunctions(u.Path, schema, name) {
		out = append(out, u.userFunction(f))
	}
	return out
}

// userFunction is a user's function as name resolution and the executor see it: the session runs it.
func (u UserTypes) userFunction(f *catalog.Function) *builtin.Func {
	fn := &builtin.Func{OID: f.OID, Name: f.Name, Schema: f.Schema, Kind: 'f', Strict: f.Strict, RetSet: f.ReturnSet, Cost: 100,
		Volatility: f.Volatility, NumDefaults: len(f.Defaults), Ret: f.ReturnType.OID, Defaults: f.Defaults, Prosrc: f.Body}
	if f.Procedure {
		fn.Kind = 'p'
	}
	for i, t := range f.ArgTypes {
		fn.Args = append(fn.Args, t.OID)
		mode, name := byte('i'), ""
		if i < len(f.ArgNames) {
			name = f.ArgNames[i]
		}
		if f.Variadic && i == len(f.ArgTypes)-1 {
			mode, fn.Variadic = 'v', u.elementType(t.OID)
		}
		fn.AllArgs, fn.ArgModes, fn.ArgNames = append(fn.AllArgs, t.OID), append(fn.ArgModes, mode), append(fn.ArgNames, name)
	}
	mode := byte('o')
	if f.Table {
		mode = 't'
	}
	for i, t := range f.OutTypes {
		fn.AllArgs, fn.ArgModes, fn.ArgNames = append(fn.AllArgs, t.OID), append(fn.ArgModes, mode), append(fn.ArgNames, f.OutNames[i])
	}
	if fn.RetSet {
		fn.Rows = 1000
	}
	return builtin.Delegate(fn)
}

func (u UserTypes) elementType(array catalog.OID) catalog.OID {
	if t := builtin.Load().TypeByOID(array); t != nil {
		return t.Elem
	}
	if t := u.TypeByOID(array); t != nil {
		return t.Elem
	}
	return 0
}

func (e *Env) userType(oid catalog.OID) *builtin.TypeInfo {
	return UserTypes{e.Snapshot, e.Path}.TypeByOID(oid)
}

func userTypeInfo(t *catalog.Type) *builtin.TypeInfo {
	ti := &builtin.TypeInfo{OID: t.OID, Name: t.Name, Schema: t.Schema, Type: byte(t.Kind), Delim: ',', Array: t.ArrayType, TypMod: -1}
	if t.Kind == catalog.TypeEnum {
		ti.Len, ti.ByVal, ti.Category, ti.Align, ti.Storage = 4, true, 'E', 'i', 'p'
		ti.Input, ti.Output, ti.Receive, ti.Send = 3506, 3507, 3532, 3533
		for _, l := range t.Labels {
			ti.Labels = append(ti.Labels, l.Value())
		}
		return ti
	}
	if base := builtin.Load().TypeByOID(t.Base.OID); base != nil {
		*ti = *base
		ti.OID, ti.Name, ti.Schema, ti.Type, ti.Array = t.OID, t.Name, t.Schema, 'd', t.ArrayType
		ti.Preferred, ti.Subscript, ti.Elem, ti.RelID = false, 0, 0, 0
	}
	ti.Input, ti.Receive, ti.ModIn, ti.ModOut = 2597, 2598, 0, 0
	if t.Collation != "" {
		ti.Collation = collationOID(t.Collation)
	}
	ti.BaseType, ti.TypMod, ti.NotNull, ti.Default = t.Base.OID, t.Base.Mod, t.NotNull, t.Default
	return ti
}

func rowTypeInfo(t *catalog.Table) *builtin.TypeInfo {
	return &builtin.TypeInfo{OID: t.RowType, Name: t.Name, Schema: t.Schema, Len: -1, Type: 'c', Category: 'C', Delim: ',',
		RelID: t.OID, Array: t.ArrayType, Input: 2290, Output: 2291, Receive: 2402, Send: 2403, Align: 'd', Storage: 'x', TypMod: -1}
}

func arrayInfo(oid catalog.OID, elem *builtin.TypeInfo) *builtin.TypeInfo {
	align := byte('i')
	if elem.Align == 'd' {
		align = 'd'
	}
	return &builtin.TypeInfo{OID: oid, Name: "_" + elem.Name, Schema: elem.Schema, Len: -1, Type: 'b', Category: 'A', Delim: elem.Delim,
		Subscript: 6179, Elem: elem.OID, Input: 750, Output: 751, Receive: 2400, Send: 2401, Analyze: 3816, Align: align,
		Storage: 'x', TypMod: -1, Collation: elem.Collation, ModIn: elem.ModIn, ModOut: elem.ModOut}
}

// typeRow is a row of pg_type.
type typeRow struct {
	ti    *builtin.TypeInfo
	owner catalog.OID
	acl   catalog.ACL
}

// eachType yields all types: PostgreSQL's, then the users'.
func eachType(q *query, emit func(*typeRow) error) error {
	if oid, ok := q.wantOID("oid"); ok {
		if ti := q.typeInfo(oid); ti != nil {
			return emit(q.typeRow(ti))
		}
		return nil
	}
	name, byName := q.wantText("typname")
	one := func(ti *builtin.TypeInfo) error {
		if ti == nil || byName && ti.Name != name {
			return nil
		}
		return emit(q.typeRow(ti))
	}
	for _, ti := range builtin.Load().Types() {
		if err := one(ti); err != nil {
			return err
		}
	}
	return q.eachUserType(one)
}

func (e *Env) eachUserType(one func(*builtin.TypeInfo) error) error {
	for t := range e.Snapshot.Tables() {
		if t.RowType == 0 || t.Virtual {
			continue
		}
		ti := rowTypeInfo(t)
		if err := one(ti); err != nil {
			return err
		}
		if err := one(arrayInfo(t.ArrayType, ti)); err != nil {
			return err
		}
	}
	for t := range e.Snapshot.Types() {
		ti := userTypeInfo(t)
		if err := one(ti); err != nil {
			return err
		}
		if err := one(arrayInfo(t.ArrayType, ti)); err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) typeRow(ti *builtin.TypeInfo) *typeRow {
	r := &typeRow{ti: ti, owner: catalog.OIDPostgres}
	switch {
	case ti.OID < catalog.FirstUserOID:
	case e.Snapshot.TypeByOID(ti.OID) != nil:
		t := e.Snapshot.TypeByOID(ti.OID)
		r.owner, r.acl = t.Owner, t.ACL
	case e.Snapshot.TableOfPart(ti.OID) != nil:
		r.owner = e.Snapshot.TableOfPart(ti.OID).Owner
	case e.Snapshot.TypeOfArray(ti.OID) != nil:
		r.owner = e.Snapshot.TypeOfArray(ti.OID).Owner
	}
	return r
}

func defineTypes(r *registry) {
	type T = typeRow
	C := func(name string, get func(ti *builtin.TypeInfo) datum.Datum) col[T] {
		return col[T]{name, func(_ *query, r *T) datum.Datum { return get(r.ti) }}
	}
	produce(r, "pg_catalog.pg_type", "oid typname", eachType,
		C("oid", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.OID) }),
		C("typname", func(t *builtin.TypeInfo) datum.Datum { return dText(t.Name) }),
		C("typnamespace", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Schema) }),
		col[T]{"typowner", func(_ *query, r *T) datum.Datum { return dInt(r.owner) }},
		C("typlen", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Len) }),
		C("typbyval", func(t *builtin.TypeInfo) datum.Datum { return dBool(t.ByVal) }),
		C("typtype", func(t *builtin.TypeInfo) datum.Datum { return dChar(t.Type) }),
		C("typcategory", func(t *builtin.TypeInfo) datum.Datum { return dChar(t.Category) }),
		C("typispreferred", func(t *builtin.TypeInfo) datum.Datum { return dBool(t.Preferred) }),
		C("typisdefined", func(*builtin.TypeInfo) datum.Datum { return dBool(true) }),
		C("typdelim", func(t *builtin.TypeInfo) datum.Datum { return dChar(t.Delim) }),
		C("typrelid", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.RelID) }),
		C("typsubscript", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Subscript) }),
		C("typelem", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Elem) }),
		C("typarray", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Array) }),
		C("typinput", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Input) }),
		C("typoutput", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Output) }),
		C("typreceive", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Receive) }),
		C("typsend", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Send) }),
		C("typmodin", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.ModIn) }),
		C("typmodout", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.ModOut) }),
		C("typanalyze", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Analyze) }),
		C("typalign", func(t *builtin.TypeInfo) datum.Datum { return dChar(t.Align) }),
		C("typstorage", func(t *builtin.TypeInfo) datum.Datum { return dChar(t.Storage) }),
		C("typnotnull", func(t *builtin.TypeInfo) datum.Datum { return dBool(t.NotNull) }),
		C("typbasetype", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.BaseType) }),
		C("typtypmod", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.TypMod) }),
		C("typndims", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.NDims) }),
		C("typcollation", func(t *builtin.TypeInfo) datum.Datum { return dInt(t.Collation) }),
		C("typdefaultbin", func(t *builtin.TypeInfo) datum.Datum { return dTextOrNull(t.Default) }),
		col[T]{"typdefault", func(q *query, r *T) datum.Datum {
			if r.ti.Type == 'd' && r.ti.OID >= catalog.FirstUserOID && r.ti.Default != "" {
				return dText(q.exprText(r.ti.Default, nil, datum.T(r.ti.BaseType)))
			}
			return dTextOrNull(r.ti.Default)
		}},
		col[T]{"typacl", func(q *query, r *T) datum.Datum { return q.dACL(r.acl) }},
	)
	defineEnums(r)
	defineFunctions(r)
	defineDescriptions(r)
}

// enumRow is a row of pg_enum.
type enumRow struct {
	t *catalog.Type
	l catalog.EnumLabel
}

func defineEnums(r *registry) {
	type T = enumRow
	produce(r, "pg_catalog.pg_enum", "enumtypid", func(q *query, emit func(*T) error) error {
		oid, byType := q.wantOID("enumtypid")
		for t := range q.Snapshot.Types() {
			if byType && t.OID != oid {
				continue
			}
			for _, l := range t.Labels {
				if err := emit(&T{t, l}); err != nil {
					return err
				}
			}
		}
		return nil
	},
		col[T]{"oid", func(_ *query, e *T) datum.Datum { return dInt(e.l.OID) }},
		col[T]{"enumtypid", func(_ *query, e *T) datum.Datum { return dInt(e.t.OID) }},
		col[T]{"enumsortorder", func(_ *query, e *T) datum.Datum { return datum.NewFloat(float64(e.l.Sort)) }},
		col[T]{"enumlabel", func(_ *query, e *T) datum.Datum { return dText(e.l.Label) }},
	)
}

func defineFunctions(r *registry) {
	t := r.tables["pg_catalog.pg_proc"]
	rows := staticRows(t, "pg_proc", map[string]string{"nsp": "pronamespace", "defaults": "proargdefaults"},
		map[string]datum.Datum{"proowner": dInt(catalog.OIDPostgres)})
	_, args := t.ColumnByName("proargtypes")
	_, nargs := t.ColumnByName("pronargs")
	produceRows(r, t, "oid proname", func(q *query, emit func([]datum.Datum) error) error {
		for f := range q.Snapshot.Functions() {
			if err := rowsWhere(q, [][]datum.Datum{q.userFunctionRow(t, f)}, emit); err != nil {
				return err
			}
		}
		return rowsWhere(q, rows(), func(row []datum.Datum) error {
			if row[nargs].Int() == 0 && len(row[args].Array().Elems) > 0 {
				row = append([]datum.Datum(nil), row...)
				row[nargs] = dInt(len(row[args].Array().Elems))
			}
			return emit(row)
		})
	})
}

// description is a row of pg_description.
type description struct {
	obj, class catalog.OID
	sub        int
	text       string
}

// The OIDs of the catalogues that descriptions refer to.
const (
	classType       catalog.OID = 1247
	classProc       catalog.OID = 1255
	classRelation   catalog.OID = 1259
	classAuthID     catalog.OID = 1260
	classDatabase   catalog.OID = 1262
	classConstraint catalog.OID = 2606
	classNamespace  catalog.OID = 2615
)

// descriptions yields the comments on users' objects and schemas.
func (e *Env) descriptions(emit func(*description) error) error {
	var err error
	say := func(obj, class catalog.OID, sub int, text string) {
		if err == nil && text != "" {
			err = emit(&description{obj, class, sub, text})
		}
	}
	for s := range e.Snapshot.Schemas() {
		say(s.OID, classNamespace, 0, s.Comment)
	}
	for t := range e.Snapshot.Tables() {
		if t.Kind == catalog.RelComposite {
			say(t.RowType, classType, 0, t.Comment)
		} else {
			say(t.OID, classRelation, 0, t.Comment)
		}
		for _, c := range t.Columns {
			say(t.OID, classRelation, int(c.Attnum), c.Comment)
		}
		for _, x := range t.Indexes {
			say(x.OID, classRelation, 0, x.Comment)
			say(x.Constraint, classConstraint, 0, x.ConstraintComment)
		}
		for _, c := range t.Checks {
			say(c.OID, classConstraint, 0, c.Comment)
		}
		for _, f := range t.ForeignKeys {
			say(f.OID, classConstraint, 0, f.Comment)
		}
	}
	for t := range e.Snapshot.Types() {
		say(t.OID, classType, 0, t.Comment)
	}
	_ = extensions(func(x *extension) error {
		say(x.oid, classExtension, 0, x.text)
		return nil
	})
	for f := range e.Snapshot.Functions() {
		say(f.OID, classProc, 0, f.Comment)
	}
	return err
}

func defineDescriptions(r *registry) {
	type T = description
	table := r.tables["pg_catalog.pg_description"]
	rows := staticRows(table, "pg_description", nil, nil)
	produceRows(r, table, "objoid classoid", func(q *query, emit func([]datum.Datum) error) error {
		// Schemas are described by their descriptors.
		err := rowsWhere(q, rows(), func(row []datum.Datum) error {
			if row[1].Int() == int64(classNamespace) {
				return nil
			}
			return emit(row)
		})
		if err != nil {
			return err
		}
		return q.descriptions(func(d *T) error {
			return rowsWhere(q, [][]datum.Datum{{dInt(d.obj), dInt(d.class), dInt(d.sub), dText(d.text)}}, emit)
		})
	})
	produce(r, "pg_catalog.pg_shdescription", "", func(q *query, emit func(*T) error) error {
		if d := q.Snapshot.Database(); d.Comment != "" {
			if err := emit(&T{d.OID, classDatabase, 0, d.Comment}); err != nil {
				return err
			}
		}
		for ro := range q.Snapshot.Roles() {
			if ro.Comment == "" {
				continue
			}
			if err := emit(&T{ro.OID, classAuthID, 0, ro.Comment}); err != nil {
				return err
			}
		}
		return nil
	},
		col[T]{"objoid", func(_ *query, d *T) datum.Datum { return dInt(d.obj) }},
		col[T]{"classoid", func(_ *query, d *T) datum.Datum { return dInt(d.class) }},
		col[T]{"description", func(_ *query, d *T) datum.Datum { return dText(d.text) }},
	)
}
