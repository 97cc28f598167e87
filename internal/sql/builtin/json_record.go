package builtin

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerJSONRecord registers the functions that turn JSON objects into rows. The columns come from the call's column
// list, or from the row that is given as the base.
func registerJSONRecord(r *registry) {
	text := func(d datum.Datum) jsonRaw {
		if d.Kind() == datum.KindJSONB {
			return jsonRaw(datum.AppendJSONB(nil, d.JSONB()))
		}
		return jsonRaw(d.Text())
	}
	for _, p := range []string{"json", "jsonb"} {
		r.set[p+"_to_record"] = func(call *Call, c *Context, a []datum.Datum) (RowIter, error) {
			j := text(a[0])
			if err := needObject(j, p+"_to_record"); err != nil {
				return nil, err
			}
			return recordsOf(c, call.Columns, nil, []jsonRaw{j}, p+"_to_record")
		}
		r.set[p+"_to_recordset"] = func(call *Call, c *Context, a []datum.Datum) (RowIter, error) {
			if a[0].IsNull() {
				return &recordRows{}, nil
			}
			list, err := objectsOf(text(a[0]), p+"_to_recordset")
			if err != nil {
				return nil, err
			}
			return recordsOf(c, call.Columns, nil, list, p+"_to_recordset")
		}
		r.bind[p+"_populate_record"] = func(call *Call) (Impl, error) {
			if err := needRowType(call); err != nil {
				return nil, err
			}
			return func(c *Context, a []datum.Datum) (datum.Datum, error) {
				if a[1].IsNull() {
					return a[0], nil
				}
				j := text(a[1])
				if err := needObject(j, "populate_composite"); err != nil {
					return datum.Null, err
				}
				return populate(c, call, a[0], j)
			}, nil
		}
		r.set[p+"_populate_recordset"] = func(call *Call, c *Context, a []datum.Datum) (RowIter, error) {
			if err := needRowType(call); err != nil {
				return nil, err
			}
			if a[1].IsNull() {
				return &recordRows{}, nil
			}
			list, err := objectsOf(text(a[1]), p+"_populate_recordset")
			if err != nil {
				return nil, err
			}
			cols, base := columnsOf(call, a[0])
			return recordsOf(c, cols, base, list, p+"_populate_recordset")
		}
	}
}

func needRowType(call *Call) error {
	if call.Facts.classify(call.argType(0)) == jsonRow || call.Facts.TypeByOID(call.argType(0)) == nil {
		return nil
	}
	return failure.New(failure.DatatypeMismatch, "first argument of %s must be a row type", call.Func.Name)
}

func needObject(j jsonRaw, name string) error {
	switch j.kind() {
	case '{':
		return nil
	case '[':
		return jsonShape("cannot call " + name + " on an array")
	}
	return jsonShape("cannot call " + name + " on a scalar")
}

// objectsOf returns the elements of an array, all of which must be objects.
func objectsOf(j jsonRaw, name string) ([]jsonRaw, error) {
	switch j.kind() {
	case '[':
	case '{':
		return nil, jsonShape("cannot call " + name + " on an object")
	default:
		return nil, jsonShape("cannot call " + name + " on a scalar")
	}
	var list []jsonRaw
	ok := true
	j.elements(func(v jsonRaw) bool {
		ok = ok && v.kind() == '{'
		list = append(list, v)
		return ok
	})
	if !ok {
		return nil, jsonShape("argument of " + name + " must be an array of objects")
	}
	return list, nil
}

// columnsOf returns the columns to fill and the values for those that an object lacks.
func columnsOf(call *Call, base datum.Datum) ([]Column, []datum.Datum) {
	if base.Kind() != datum.KindRecord {
		return call.Columns, nil
	}
	rec := base.Record()
	cols := call.Columns
	if len(cols) != len(rec.Values) {
		cols = nil
		for i := range rec.Values {
			cols = append(cols, Column{Name: fieldName(rec, i), Type: rec.Types[i]})
		}
	}
	return cols, rec.Values
}

func recordsOf(c *Context, cols []Column, base []datum.Datum, list []jsonRaw, name string) (RowIter, error) {
	if len(cols) == 0 {
		return nil, failure.NotSupported("%s without a column list", name)
	}
	rows := &recordRows{}
	for _, j := range list {
		row, err := fillRow(c, cols, base, j)
		if err != nil {
			return nil, err
		}
		rows.rows = append(rows.rows, row)
	}
	return rows, nil
}

func populate(c *Context, call *Call, base datum.Datum, j jsonRaw) (datum.Datum, error) {
	cols, vals := columnsOf(call, base)
	if len(cols) == 0 {
		return datum.Null, failure.NotSupported("%s without a row to fill", call.Func.Name)
	}
	row, err := fillRow(c, cols, vals, j)
	if err != nil {
		return datum.Null, err
	}
	rec := &datum.Record{Values: row}
	for _, col := range cols {
		rec.Types, rec.Names = append(rec.Types, col.Type), append(rec.Names, col.Name)
	}
	return datum.NewRecord(rec), nil
}

func fillRow(c *Context, cols []Column, base []datum.Datum, j jsonRaw) ([]datum.Datum, error) {
	row := make([]datum.Datum, len(cols))
	for i, col := range cols {
		v, ok := j.field(col.Name)
		if !ok {
			if base != nil {
				row[i] = base[i]
			}
			continue
		}
		d, err := fromJSON(c, col, v)
		if err != nil {
			return nil, err
		}
		row[i] = d
	}
	return row, nil
}

// fromJSON converts a JSON value to a column's type.
func fromJSON(c *Context, col Column, v jsonRaw) (datum.Datum, error) {
	class := c.Facts.classify(col.Type.OID)
	switch {
	case class == jsonText:
		return datum.NewText(strings.Trim(string(v), " \t\n\r")), nil
	case class == jsonTree:
		j, err := datum.ParseJSONB(string(v))
		if err != nil {
			return datum.Null, err
		}
		return datum.NewJSONB(j), nil
	case v.kind() == 'n':
		return datum.Null, nil
	case class == jsonArray && v.kind() != '"':
		return arrayFromJSON(c, col, v)
	case class == jsonRow && v.kind() != '"':
		return datum.Null, failure.NotSupported("conversion of JSON to type %s", c.Facts.TypeName(col.Type.OID))
	}
	s, _ := v.text()
	return datum.ParseText(col.Type, s, c.Env)
}

// arrayFromJSON converts a JSON array, which must be as deep everywhere as at its start.
func arrayFromJSON(c *Context, col Column, v jsonRaw) (datum.Datum, error) {
	if v.kind() != '[' {
		return datum.Null, failure.New(failure.InvalidTextRepresentation, "expected JSON array").
			WithHint(`See the value of key "%s".`, col.Name)
	}
	elem := Column{Name: col.Name, Type: datum.Type{OID: c.Facts.BaseElementType(col.Type.OID), Mod: col.Type.Mod}}
	a := &datum.Array{ElemType: elem.Type.OID}
	nested := c.Facts.classify(elem.Type.OID) != jsonText && c.Facts.classify(elem.Type.OID) != jsonTree
	var fill func(v jsonRaw, dim int) error
	fill = func(v jsonRaw, dim int) error {
		n, deeper := int32(0), false
		var err error
		v.elements(func(e jsonRaw) bool {
			n++
			if nested && e.kind() == '[' {
				deeper = true
				err = fill(e, dim+1)
				return err == nil
			}
			if deeper || len(a.Dims) > dim+1 {
				err = failure.New(failure.InvalidTextRepresentation, "malformed JSON array").
					WithDetail("Multidimensional arrays must have sub-arrays with matching dimensions.")
				return false
			}
			var d datum.Datum
			if d, err = fromJSON(c, elem, e); err != nil {
				return false
			}
			a.Elems = append(a.Elems, d)
			return true
		})
		if err != nil {
			return err
		}
		for len(a.Dims) <= dim {
			a.Dims = append(a.Dims, datum.ArrayDim{Len: -1, Lower: 1})
		}
		if a.Dims[dim].Len >= 0 && a.Dims[dim].Len != n {
			return failure.New(failure.InvalidTextRepresentation, "malformed JSON array").
				WithDetail("Multidimensional arrays must have sub-arrays with matching dimensions.")
		}
		a.Dims[dim].Len = n
		return nil
	}
	if err := fill(v, 0); err != nil {
		return datum.Null, err
	}
	if slices.ContainsFunc(a.Dims, func(d datum.ArrayDim) bool { return d.Len == 0 }) {
		a.Dims, a.Elems = nil, nil
	}
	return datum.NewArray(a), nil
}
