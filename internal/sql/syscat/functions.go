package syscat

import (
	"context"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// call is one call of a system function.
type call struct {
	*Env
	ctx  context.Context
	fn   *builtin.Func
	args []datum.Datum
}

func (c *call) oid(i int) catalog.OID { return catalog.OID(c.args[i].Int()) }

// flag is an optional boolean argument.
func (c *call) flag(i int) bool { return len(c.args) > i && c.args[i].IsTrue() }

// Function computes a function over the catalogue (builtin.Session.SystemFunction). ok is false when it is none of
// this package's.
func (e *Env) Function(ctx context.Context, fn *builtin.Func, args []datum.Datum) (d datum.Datum, ok bool, err error) {
	f := functionNamed(fn.Name)
	if f == nil {
		return datum.Null, false, nil
	}
	d, err = f(&call{Env: e, ctx: ctx, fn: fn, args: args})
	return d, true, err
}

// functionNamed finds the implementation of a system function.
func functionNamed(name string) func(*call) (datum.Datum, error) {
	if strings.HasPrefix(name, "has_") && strings.HasSuffix(name, "_privilege") {
		return hasPrivilege
	}
	switch name {
	case "pg_get_indexdef":
		return getIndexDef
	case "pg_get_constraintdef":
		return getConstraintDef
	case "pg_get_expr":
		return getExpr
	case "pg_get_viewdef":
		return getViewDef
	case "pg_get_ruledef":
		return getRuleDef
	case "pg_get_userbyid":
		return func(c *call) (datum.Datum, error) { return dText(c.Snapshot.RoleName(c.oid(0))), nil }
	case "pg_get_serial_sequence":
		return getSerialSequence
	case "pg_get_function_arguments", "pg_get_function_identity_arguments":
		return getFunctionArguments
	case "pg_get_function_result":
		return getFunctionResult
	case "pg_get_functiondef":
		return functionDef
	case "pg_get_function_sqlbody", "pg_get_function_arg_default", "pg_get_triggerdef", "pg_get_partkeydef",
		"pg_get_partition_constraintdef", "pg_get_statisticsobjdef", "pg_get_statisticsobjdef_columns",
		"pg_get_statisticsobjdef_expressions", "pg_get_replica_identity_index", "pg_relation_filepath", "pg_tablespace_location",
		"pg_stat_get_last_vacuum_time", "pg_stat_get_last_autovacuum_time", "pg_stat_get_last_autoanalyze_time":
		return func(*call) (datum.Datum, error) { return datum.Null, nil }
	case "pg_table_is_visible":
		return tableIsVisible
	case "pg_type_is_visible":
		return typeIsVisible
	case "pg_function_is_visible", "pg_operator_is_visible", "pg_opclass_is_visible", "pg_opfamily_is_visible",
		"pg_collation_is_visible", "pg_conversion_is_visible", "pg_ts_config_is_visible", "pg_ts_dict_is_visible",
		"pg_ts_parser_is_visible", "pg_ts_template_is_visible", "pg_statistics_obj_is_visible":
		return func(c *call) (datum.Datum, error) { return dBool(c.builtinVisible()), nil }
	case "obj_description", "shobj_description":
		return objDescription
	case "col_description":
		return colDescription
	default:
		return moreFunctions(name)
	}
}

func moreFunctions(name string) func(*call) (datum.Datum, error) {
	switch name {
	case "pg_relation_size", "pg_table_size", "pg_total_relation_size", "pg_indexes_size", "pg_database_size", "pg_tablespace_size":
		return relationSize
	case "pg_relation_filenode":
		return func(c *call) (datum.Datum, error) {
			if r := c.Snapshot.RelationByOID(c.oid(0)); r.Found() && r.Table.RowStore() != nil {
				return dInt(int64(r.Table.Data)), nil
			}
			return datum.Null, nil
		}
	case "pg_relation_is_publishable":
		return func(c *call) (datum.Datum, error) {
			t := c.Snapshot.TableByOID(c.oid(0))
			return dBool(t != nil && t.RowStore() != nil), nil
		}
	case "pg_relation_is_updatable":
		return func(c *call) (datum.Datum, error) {
			if t := c.Snapshot.TableByOID(c.oid(0)); t != nil && t.RowStore() != nil {
				return dInt(28), nil
			}
			return dInt(0), nil
		}
	case "pg_column_is_updatable":
		return func(c *call) (datum.Datum, error) {
			t := c.Snapshot.TableByOID(c.oid(0))
			return dBool(t != nil && t.RowStore() != nil), nil
		}
	case "pg_partition_root":
		return func(*call) (datum.Datum, error) { return datum.Null, nil }
	case "pg_sequence_last_value":
		return sequenceLastValue
	case "to_regclass", "to_regtype", "to_regproc", "to_regprocedure", "to_regnamespace", "to_regrole", "to_regoper",
		"to_regoperator", "to_regcollation":
		return toReg
	case "regclass":
		return func(c *call) (datum.Datum, error) {
			oid, err := c.RegInput(datum.OIDRegclass, c.args[0].Text())
			return dInt(oid), err
		}
	case "pg_has_role":
		return hasRole
	case "acldefault":
		return aclDefault
	case "row_security_active":
		return func(*call) (datum.Datum, error) { return dBool(false), nil }
	case "pg_describe_object":
		return describeObject
	case "pg_stat_get_numscans", "pg_stat_get_tuples_returned", "pg_stat_get_tuples_fetched", "pg_stat_get_tuples_inserted",
		"pg_stat_get_tuples_updated", "pg_stat_get_tuples_deleted", "pg_stat_get_dead_tuples", "pg_stat_get_blocks_fetched",
		"pg_stat_get_blocks_hit":
		return func(*call) (datum.Datum, error) { return dInt(0), nil }
	case "pg_stat_get_live_tuples":
		return func(c *call) (datum.Datum, error) {
			if st := c.Snapshot.Stats(c.oid(0)); st != nil {
				return dInt(int64(st.Rows)), nil
			}
			return dInt(0), nil
		}
	case "pg_index_column_has_property":
		return indexColumnHasProperty
	}
	return nil
}

func getIndexDef(c *call) (datum.Datum, error) {
	t, x := c.Snapshot.IndexByOID(c.oid(0))
	if t == nil {
		return datum.Null, nil
	}
	if len(c.args) == 1 {
		return dText(c.indexDef(t, x, true)), nil
	}
	n, pretty := int(c.args[1].Int()), c.flag(2)
	switch {
	case n == 0:
		return dText(c.indexDefPretty(t, x, !pretty || !c.Snapshot.Visible(c.Path, catalog.Relation{Table: t}), pretty)), nil
	case n > len(x.Key)+len(x.Include) || n < 0:
		return dText(""), nil
	}
	return dText(c.indexKey(t, x, n-1, pretty)), nil
}

func getConstraintDef(c *call) (datum.Datum, error) {
	out := datum.Null
	err := c.constraintByOID(c.oid(0), func(k *constraint) error {
		out = dText(c.constraintDef(k, c.flag(1)))
		return nil
	})
	return out, err
}

// getExpr prints what the columns of type pg_node_tree hold here: the text of an expression.
func getExpr(c *call) (datum.Datum, error) {
	if c.args[0].IsNull() {
		return datum.Null, nil
	}
	t := c.Snapshot.TableByOID(c.oid(1))
	text := c.args[0].Text()
	want := datum.Type{}
	if t != nil {
		for _, col := range t.Columns {
			if col.Default == text {
				want = col.Type
				break
			}
		}
	}
	return dText(c.exprPretty(text, t, want, c.flag(2))), nil
}

func getViewDef(c *call) (datum.Datum, error) {
	var oid catalog.OID
	if c.args[0].Kind() == datum.KindText {
		var err error
		if oid, err = c.RegInput(datum.OIDRegclass, c.args[0].Text()); err != nil {
			return datum.Null, err
		}
	} else {
		oid = c.oid(0)
	}
	t := c.Snapshot.TableByOID(oid)
	if t == nil || t.View == nil {
		return datum.Null, nil
	}
	pretty := len(c.args) > 1 && (c.args[1].Kind() != datum.KindBool || c.args[1].Bool())
	return dText(c.viewText(t, pretty)), nil
}

func getRuleDef(c *call) (datum.Datum, error) {
	for t := range c.Snapshot.Tables() {
		if t.View != nil && t.ArrayType == c.oid(0) {
			return dText("CREATE RULE \"_RETURN\" AS\n    ON SELECT TO " + c.relName(t, true) + " DO INSTEAD " + c.viewText(t, c.flag(1))), nil
		}
	}
	return datum.Null, nil
}

func getSerialSequence(c *call) (datum.Datum, error) {
	oid, err := c.RegInput(datum.OIDRegclass, c.args[0].Text())
	if err != nil {
		return datum.Null, err
	}
	t := c.Snapshot.TableByOID(oid)
	if t == nil {
		return datum.Null, nil
	}
	col, _ := t.ColumnByName(c.args[1].Text())
	if col == nil {
		return datum.Null, failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", c.args[1].Text(), t.Name)
	}
	for s := range c.Snapshot.Tables() {
		if s.Sequence != nil && s.Sequence.OwnedByTable == t.OID && s.Sequence.OwnedByColumn == col.ID {
			return dText(c.relName(s, true)), nil
		}
	}
	return datum.Null, nil
}

func getFunctionArguments(c *call) (datum.Datum, error) {
	fn := c.Facts.FuncByOID(c.oid(0))
	if fn == nil {
		return datum.Null, nil
	}
	types, modes := fn.Args, []byte(nil)
	if fn.AllArgs != nil {
		types, modes = fn.AllArgs, fn.ArgModes
	}
	var out []string
	input := 0
	for i, t := range types {
		mode := byte('i')
		if modes != nil {
			mode = modes[i]
		}
		if mode == 't' {
			continue
		}
		s := map[byte]string{'o': "OUT ", 'b': "INOUT ", 'v': "VARIADIC "}[mode]
		if fn.Kind == 'p' && mode == 'i' {
			s = "IN "
		}
		if i < len(fn.ArgNames) && fn.ArgNames[i] != "" {
			s += catalog.QuoteIdent(fn.ArgNames[i]) + " "
		}
		s += c.FormatType(datum.T(t))
		if mode != 'o' {
			if d := input - (len(fn.Args) - fn.NumDefaults); d >= 0 && d < len(fn.Defaults) && c.fn.Name == "pg_get_function_arguments" {
				s += " DEFAULT " + c.defaultText(fn, t, fn.Defaults[d])
			}
			input++
		}
		out = append(out, s)
	}
	return dText(strings.Join(out, ", ")), nil
}

// defaultText prints a parameter's default. Those of users' functions are SQL.
func (e *Env) defaultText(fn *builtin.Func, t catalog.OID, text string) string {
	if fn.OID >= catalog.FirstUserOID {
		return text
	}
	switch datum.KindOf(t) {
	case datum.KindBool, datum.KindInt, datum.KindFloat:
		return map[string]string{"t": "true", "f": "false"}[text] + suffix(text != "t" && text != "f", text)
	}
	return catalog.QuoteLiteral(text) + "::" + e.FormatType(datum.T(t))
}

func getFunctionResult(c *call) (datum.Datum, error) {
	fn := c.Facts.FuncByOID(c.oid(0))
	if fn == nil || fn.Kind == 'p' {
		return datum.Null, nil
	}
	s := suffix(fn.RetSet, "SETOF ") + c.FormatType(datum.T(fn.Ret))
	var cols []string
	for i, m := range fn.ArgModes {
		if m == 't' {
			cols = append(cols, catalog.QuoteIdent(fn.ArgNames[i])+" "+c.FormatType(datum.T(fn.AllArgs[i])))
		}
	}
	if cols != nil {
		s = "TABLE(" + strings.Join(cols, ", ") + ")"
	}
	return dText(s), nil
}

func tableIsVisible(c *call) (datum.Datum, error) {
	r := c.Snapshot.RelationByOID(c.oid(0))
	if r.Found() {
		return dBool(c.Snapshot.Visible(c.Path, r)), nil
	}
	visible, found := datum.Null, false
	err := systemIndexes(nil, func(k *class) error {
		found = found || k.oid == c.oid(0)
		return nil
	})
	if found {
		visible = dBool(true)
	}
	return visible, err
}

func typeIsVisible(c *call) (datum.Datum, error) {
	ti := c.typeInfo(c.oid(0))
	if ti == nil {
		return datum.Null, nil
	}
	if ti.OID < catalog.FirstUserOID {
		return dBool(ti.Schema == catalog.OIDPgCatalog), nil
	}
	f := UserTypes{c.Snapshot, c.Path}.TypeByName("", ti.Name)
	return dBool(f != nil && f.OID == ti.OID), nil
}

// builtinVisible answers for the kinds of objects that only PostgreSQL itself has here.
func (c *call) builtinVisible() bool {
	if c.fn.Name != "pg_function_is_visible" {
		return true
	}
	if f := c.Snapshot.FunctionByOID(c.oid(0)); f != nil {
		for _, o := range c.Snapshot.FindFunctions(c.Path, "", f.Name) {
			if o.OID == f.OID {
				return true
			}
		}
		return false
	}
	fn := c.Facts.FuncByOID(c.oid(0))
	return fn != nil && fn.Schema == catalog.OIDPgCatalog
}

func objDescription(c *call) (datum.Datum, error) {
	oid := c.oid(0)
	class := ""
	if len(c.args) > 1 {
		class = c.args[1].Text()
	}
	if c.fn.Name == "shobj_description" {
		switch {
		case class == "pg_database" && oid == catalog.OIDDatabase:
			return dTextOrNull(c.Snapshot.Database().Comment), nil
		case class == "pg_authid":
			if r := c.Snapshot.RoleByOID(oid); r != nil {
				return dTextOrNull(r.Comment), nil
			}
		}
		return datum.Null, nil
	}
	want := catalogOID(class)
	out := datum.Null
	if oid < catalog.FirstUserOID && want != classNamespace && want != classExtension {
		return c.builtinDescription(oid, want, 0), nil
	}
	err := c.descriptions(func(d *description) error {
		if d.obj == oid && d.sub == 0 && (want == 0 || d.class == want) {
			out = dText(d.text)
		}
		return nil
	})
	return out, err
}

// catalogOID is the OID of one of the catalogues that objects are described by.
func catalogOID(name string) catalog.OID {
	switch name {
	case "pg_class":
		return classRelation
	case "pg_namespace":
		return classNamespace
	case "pg_type":
		return classType
	case "pg_proc":
		return classProc
	case "pg_constraint":
		return classConstraint
	case "pg_extension":
		return classExtension
	case "pg_operator":
		return 2617
	case "pg_cast":
		return 2605
	case "pg_am":
		return 2601
	case "pg_language":
		return 2612
	case "pg_opclass":
		return 2616
	case "pg_opfamily":
		return 2753
	case "pg_collation":
		return 3456
	case "pg_conversion":
		return 2607
	default:
		return 0
	}
}

func (e *Env) builtinDescription(oid, class catalog.OID, sub int) datum.Datum {
	facts, ok := builtin.ReadCatalog("pg_description")
	out := datum.Null
	if !ok {
		return out
	}
	id, cl, sb := oidString(oid), oidString(class), itoa(sub)
	facts.Each(func(f []string) {
		if f[0] == id && (class == 0 || f[1] == cl) && f[2] == sb {
			out = dText(builtin.Field(f[3]))
		}
	})
	return out
}

func colDescription(c *call) (datum.Datum, error) {
	t := c.Snapshot.TableByOID(c.oid(0))
	if t == nil {
		return datum.Null, nil
	}
	if col := t.ColumnByAttnum(int16(c.args[1].Int())); col != nil {
		return dTextOrNull(col.Comment), nil
	}
	return datum.Null, nil
}

// relationSize estimates sizes from statistics: rows live in storage nodes, which are not asked.
func relationSize(c *call) (datum.Datum, error) {
	if strings.Contains(c.fn.Name, "database") || strings.Contains(c.fn.Name, "tablespace") {
		total := int64(0)
		for t := range c.Snapshot.Tables() {
			if st := c.stats(t); st != nil {
				total += st.Pages * 8192
			}
		}
		return dInt(total), nil
	}
	r := c.Snapshot.RelationByOID(c.oid(0))
	if !r.Found() {
		return datum.Null, nil
	}
	st := c.stats(r.Table)
	if st == nil || r.Index != nil && r.Index == r.Table.RowStore() || c.fn.Name == "pg_indexes_size" {
		return dInt(0), nil
	}
	return dInt(st.Pages * 8192), nil
}

func sequenceLastValue(c *call) (datum.Datum, error) {
	t := c.Snapshot.TableByOID(c.oid(0))
	if t == nil || t.Sequence == nil || c.Server == nil {
		return datum.Null, nil
	}
	last, _, called, err := c.Server.SequenceState(c.ctx, t)
	if err != nil || !called {
		return datum.Null, err
	}
	return dInt(last), nil
}

func describeObject(c *call) (datum.Datum, error) {
	oid := c.oid(1)
	switch c.oid(0) {
	case classRelation:
		r := c.Snapshot.RelationByOID(oid)
		if !r.Found() {
			return datum.Null, nil
		}
		s := r.Kind().Word() + " " + c.Snapshot.QualifiedIfHidden(c.Path, r)
		if n := c.args[2].Int(); n != 0 {
			if col := r.Table.ColumnByAttnum(int16(n)); col != nil {
				s = "column " + col.Name + " of " + s
			}
		}
		return dText(s), nil
	case classNamespace:
		return dText("schema " + c.Snapshot.SchemaName(oid)), nil
	case classType:
		return dText("type " + c.FormatType(datum.T(oid))), nil
	case classProc:
		if fn := c.Facts.FuncByOID(oid); fn != nil {
			return dText("function " + c.Facts.Signature(fn)), nil
		}
	}
	return datum.Null, nil
}

func indexColumnHasProperty(c *call) (datum.Datum, error) {
	t, x := c.Snapshot.IndexByOID(c.oid(0))
	n := int(c.args[1].Int())
	if t == nil || n < 1 || n > len(x.Key) {
		return datum.Null, nil
	}
	k := x.Key[n-1]
	switch strings.ToLower(c.args[2].Text()) {
	case "asc":
		return dBool(!k.Desc), nil
	case "desc":
		return dBool(k.Desc), nil
	case "nulls_first":
		return dBool(k.NullsFirst), nil
	case "nulls_last":
		return dBool(!k.NullsFirst), nil
	case "orderable", "returnable", "search_array", "search_nulls":
		return dBool(true), nil
	case "distance_orderable":
		return dBool(false), nil
	}
	return datum.Null, nil
}
