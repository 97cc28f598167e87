package syscat

import (
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// langSQL is the OID of the language SQL in pg_language.
const langSQL catalog.OID = 14

// userFunctionRow is a user's function as pg_proc has it.
func (q *query) userFunctionRow(t *catalog.Table, f *catalog.Function) []datum.Datum {
	fn := UserTypes{q.Snapshot, q.Path}.userFunction(f)
	oids := func(list []catalog.OID) datum.Datum {
		elems := make([]datum.Datum, len(list))
		for i, o := range list {
			elems[i] = dInt(o)
		}
		return dArray(datum.OIDOid, elems)
	}
	row := make([]datum.Datum, len(t.Columns))
	set := func(name string, d datum.Datum) {
		if _, i := t.ColumnByName(name); i >= 0 {
			row[i] = d
		}
	}
	set("oid", dInt(f.OID))
	set("proname", dText(f.Name))
	set("pronamespace", dInt(f.Schema))
	set("proowner", dInt(f.Owner))
	set("prolang", dInt(langSQL))
	set("procost", datum.NewFloat(float64(fn.Cost)))
	set("prorows", datum.NewFloat(float64(fn.Rows)))
	set("provariadic", dInt(fn.Variadic))
	set("prosupport", dInt(0))
	set("prokind", dChar(fn.Kind))
	set("prosecdef", dBool(false))
	set("proleakproof", dBool(false))
	set("proisstrict", dBool(f.Strict))
	set("proretset", dBool(f.ReturnSet))
	set("provolatile", dChar(f.Volatility))
	set("proparallel", dChar('u'))
	set("pronargs", dInt(len(fn.Args)))
	set("pronargdefaults", dInt(fn.NumDefaults))
	set("prorettype", dInt(fn.Ret))
	set("proargtypes", oids(fn.Args))
	if strings.Trim(string(fn.ArgModes), "i") != "" {
		modes := make([]datum.Datum, len(fn.ArgModes))
		for i, m := range fn.ArgModes {
			modes[i] = dChar(m)
		}
		set("proallargtypes", oids(fn.AllArgs))
		set("proargmodes", dArray(datum.OIDQChar, modes))
	}
	if strings.Join(fn.ArgNames, "") != "" {
		set("proargnames", dTexts(fn.ArgNames))
	}
	if len(f.Defaults) > 0 {
		set("proargdefaults", dText(strings.Join(f.Defaults, ", ")))
	}
	set("prosrc", dText(f.Body))
	set("proacl", q.dACL(f.ACL))
	return row
}

// functionDef is pg_get_functiondef of a user's function.
func functionDef(c *call) (datum.Datum, error) {
	f := c.Snapshot.FunctionByOID(c.oid(0))
	if f == nil {
		return datum.Null, nil
	}
	named := func(name string) string {
		d, err := getFunctionArguments(&call{Env: c.Env, fn: &builtin.Func{Name: name}, args: c.args})
		if err != nil || d.IsNull() {
			return ""
		}
		return d.Text()
	}
	var b strings.Builder
	word := "FUNCTION"
	if f.Procedure {
		word = "PROCEDURE"
	}
	b.WriteString("CREATE OR REPLACE " + word + " " + catalog.QuoteIdent(c.Snapshot.SchemaName(f.Schema)) + "." + catalog.QuoteIdent(f.Name) +
		"(" + named("pg_get_function_arguments") + ")\n")
	if !f.Procedure {
		ret, err := getFunctionResult(c)
		if err != nil {
			return datum.Null, err
		}
		b.WriteString(" RETURNS " + ret.Text() + "\n")
	}
	b.WriteString(" LANGUAGE sql\n")
	var options []string
	switch f.Volatility {
	case 'i':
		options = append(options, "IMMUTABLE")
	case 's':
		options = append(options, "STABLE")
	}
	if f.Strict {
		options = append(options, "STRICT")
	}
	if options != nil {
		b.WriteString(" " + strings.Join(options, " ") + "\n")
	}
	quote := "$" + strings.ToLower(word) + "$"
	for strings.Contains(f.Body, quote) {
		quote = quote[:len(quote)-1] + "x$"
	}
	b.WriteString("AS " + quote + f.Body + quote + "\n")
	return dText(b.String()), nil
}
