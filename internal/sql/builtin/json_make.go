package builtin

import (
	"bytes"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// jsonClass is how values of a type become JSON.
type jsonClass uint8

const (
	jsonString jsonClass = iota // the text form, quoted
	jsonBool
	jsonNumber
	jsonDate
	jsonTimestamp
	jsonTimestampTZ
	jsonText  // json: as it is
	jsonTree  // jsonb
	jsonArray // element by element
	jsonRow   // field by field
)

// classify returns the class of a type; a domain counts as its base type.
func (f *Facts) classify(oid OID) jsonClass {
	oid = f.BaseType(oid)
	switch oid {
	case datum.OIDBool:
		return jsonBool
	case datum.OIDInt2, datum.OIDInt4, datum.OIDInt8, datum.OIDFloat4, datum.OIDFloat8, datum.OIDNumeric:
		return jsonNumber
	case datum.OIDDate:
		return jsonDate
	case datum.OIDTimestamp:
		return jsonTimestamp
	case datum.OIDTimestampTZ:
		return jsonTimestampTZ
	case datum.OIDJSON:
		return jsonText
	case datum.OIDJSONB:
		return jsonTree
	case datum.OIDRecord:
		return jsonRow
	case datum.OIDOidVector, datum.OIDInt2Vector:
		return jsonString
	}
	if f.ElementType(oid) != 0 {
		return jsonArray
	}
	if t := f.TypeByOID(oid); t != nil && t.Type == 'c' {
		return jsonRow
	}
	return jsonString
}

// classOf is the class of a value: rows and arrays of types that the facts do not know are seen by their kind.
func (f *Facts) classOf(oid OID, d datum.Datum) jsonClass {
	class := f.classify(oid)
	if class == jsonString {
		switch d.Kind() {
		case datum.KindRecord:
			return jsonRow
		case datum.KindArray:
			if oid != datum.OIDOidVector && oid != datum.OIDInt2Vector {
				return jsonArray
			}
		}
	}
	return class
}

// appendISO appends a date or timestamp as JSON spells it: with a T, and the zone always with minutes.
func (c *Context) appendISO(b []byte, class jsonClass, d datum.Datum) []byte {
	env := datum.Env{}
	if c.Env != nil {
		env = *c.Env
	}
	env.DateStyle = datum.DateISO
	start := len(b)
	switch class {
	case jsonDate:
		return datum.AppendDate(b, d.Int(), &env)
	case jsonTimestamp:
		b = datum.AppendTimestamp(b, d.Int(), &env)
	default:
		b = datum.AppendTimestampTZ(b, d.Int(), &env)
	}
	if infinite(d.Int()) {
		return b
	}
	if i := bytes.IndexByte(b[start:], ' '); i >= 0 {
		b[start+i] = 'T'
	}
	if class != jsonTimestampTZ {
		return b
	}
	rest := b[start:]
	bc := bytes.HasSuffix(rest, []byte(" BC"))
	rest = bytes.TrimSuffix(rest, []byte(" BC"))
	if n := len(rest); n > 3 && (rest[n-3] == '+' || rest[n-3] == '-') {
		rest = append(rest[:n:n], ":00"...)
	}
	b = append(b[:start], rest...)
	if bc {
		b = append(b, " BC"...)
	}
	return b
}

// appendJSON appends a value as JSON. With feeds, the members of the outermost array or row stand on lines of their own.
func (c *Context) appendJSON(b []byte, t datum.Type, d datum.Datum, feeds bool) []byte {
	if d.IsNull() {
		return append(b, "null"...)
	}
	switch class := c.Facts.classOf(t.OID, d); class {
	case jsonBool:
		if d.Bool() {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case jsonNumber:
		start := len(b)
		b = c.out(b, t, d)
		if special := b[start:]; special[len(special)-1] > '9' { // NaN, Infinity
			return datum.AppendJSONString(b[:start], string(special))
		}
		return b
	case jsonDate, jsonTimestamp, jsonTimestampTZ:
		b = append(b, '"')
		return append(c.appendISO(b, class, d), '"')
	case jsonText:
		return append(b, d.Text()...)
	case jsonTree:
		return datum.AppendJSONB(b, d.JSONB())
	case jsonArray:
		a := d.Array()
		if len(a.Dims) == 0 {
			return append(b, "[]"...)
		}
		at := 0
		return c.appendJSONDim(b, a, 0, &at, feeds)
	case jsonRow:
		return c.appendJSONRow(b, d.Record(), feeds)
	}
	return datum.AppendJSONString(b, c.outText(t, d))
}

func (c *Context) appendJSONDim(b []byte, a *datum.Array, dim int, at *int, feeds bool) []byte {
	b = append(b, '[')
	for i := int32(0); i < a.Dims[dim].Len; i++ {
		if i > 0 {
			b = append(b, ',')
			if feeds {
				b = append(b, "\n "...)
			}
		}
		if dim+1 < len(a.Dims) {
			b = c.appendJSONDim(b, a, dim+1, at, false)
			continue
		}
		b = c.appendJSON(b, datum.T(a.ElemType), a.Elems[*at], false)
		*at++
	}
	return append(b, ']')
}

// fieldName is a record's column name: f1, f2 … where it has none.
func fieldName(r *datum.Record, i int) string {
	if i < len(r.Names) && r.Names[i] != "" {
		return r.Names[i]
	}
	return "f" + itoa(int64(i+1))
}

func (c *Context) appendJSONRow(b []byte, r *datum.Record, feeds bool) []byte {
	b = append(b, '{')
	for i, v := range r.Values {
		if i > 0 {
			b = append(b, ',')
			if feeds {
				b = append(b, "\n "...)
			}
		}
		b = append(datum.AppendJSONString(b, fieldName(r, i)), ':')
		b = c.appendJSON(b, r.Types[i], v, false)
	}
	return append(b, '}')
}

// makeJSONB turns a value into a jsonb tree.
func (c *Context) makeJSONB(t datum.Type, d datum.Datum) (datum.JSONB, error) {
	if d.IsNull() {
		return datum.JSONB{}, nil
	}
	switch class := c.Facts.classOf(t.OID, d); class {
	case jsonBool:
		return datum.JSONB{Kind: datum.JSONBool, Bool: d.Bool()}, nil
	case jsonNumber:
		return c.jsonbNumber(t, d)
	case jsonDate, jsonTimestamp, jsonTimestampTZ:
		return datum.JSONB{Kind: datum.JSONString, Text: string(c.appendISO(nil, class, d))}, nil
	case jsonText:
		j, err := datum.ParseJSONB(d.Text())
		if err != nil {
			return datum.JSONB{}, err
		}
		return *j, nil
	case jsonTree:
		return *d.JSONB(), nil
	case jsonArray:
		a := d.Array()
		if len(a.Dims) == 0 {
			return datum.JSONB{Kind: datum.JSONArray}, nil
		}
		at := 0
		return c.jsonbDim(a, 0, &at)
	case jsonRow:
		r := d.Record()
		out := datum.JSONB{Kind: datum.JSONObject}
		for i, v := range r.Values {
			j, err := c.makeJSONB(r.Types[i], v)
			if err != nil {
				return out, err
			}
			out.Pairs = append(out.Pairs, datum.JSONPair{Key: fieldName(r, i), Value: j})
		}
		out.Pairs = datum.SortPairs(out.Pairs)
		return out, nil
	}
	return datum.JSONB{Kind: datum.JSONString, Text: c.outText(t, d)}, nil
}

func (c *Context) jsonbNumber(t datum.Type, d datum.Datum) (datum.JSONB, error) {
	switch d.Kind() {
	case datum.KindInt:
		return datum.JSONB{Kind: datum.JSONNumber, Num: apd.New(d.Int(), 0)}, nil
	case datum.KindNumeric:
		if n := d.Numeric(); n.Form == apd.Finite {
			return datum.JSONB{Kind: datum.JSONNumber, Num: n}, nil
		}
	}
	s := c.outText(t, d)
	n, err := datum.ParseNumeric(s)
	if err != nil {
		return datum.JSONB{}, err
	}
	if n.Form != apd.Finite {
		return datum.JSONB{Kind: datum.JSONString, Text: s}, nil
	}
	return datum.JSONB{Kind: datum.JSONNumber, Num: n}, nil
}

func (c *Context) jsonbDim(a *datum.Array, dim int, at *int) (datum.JSONB, error) {
	out := datum.JSONB{Kind: datum.JSONArray, Elems: make([]datum.JSONB, a.Dims[dim].Len)}
	for i := range out.Elems {
		var err error
		if dim+1 < len(a.Dims) {
			out.Elems[i], err = c.jsonbDim(a, dim+1, at)
		} else {
			out.Elems[i], err = c.makeJSONB(datum.T(a.ElemType), a.Elems[*at])
			*at++
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// jsonKey is the text of a value as an object's key.
func (c *Context) jsonKey(t datum.Type, d datum.Datum) (string, error) {
	switch class := c.Facts.classOf(t.OID, d); class {
	case jsonArray, jsonRow, jsonText, jsonTree:
		return "", failure.New(failure.InvalidParameterValue, "key value must be scalar, not array, composite, or json")
	case jsonBool:
		if d.Bool() {
			return "true", nil
		}
		return "false", nil
	case jsonDate, jsonTimestamp, jsonTimestampTZ:
		return string(c.appendISO(nil, class, d)), nil
	}
	return c.outText(t, d), nil
}

// registerJSONMake registers the functions that make JSON of SQL values.
func registerJSONMake(r *registry) {
	text := func(feeds func(a []datum.Datum) bool) Bind {
		return func(call *Call) (Impl, error) {
			t := call.Args[0]
			return func(c *Context, a []datum.Datum) (datum.Datum, error) {
				return datum.NewText(string(c.appendJSON(nil, t, a[0], feeds(a)))), nil
			}, nil
		}
	}
	never := func([]datum.Datum) bool { return false }
	second := func(a []datum.Datum) bool { return a[1].IsTrue() }
	r.bind["to_json"], r.bind["array_to_json"], r.bind["row_to_json"] = text(never), text(never), text(never)
	r.bind["array_to_json_pretty"], r.bind["row_to_json_pretty"] = text(second), text(second)
	r.bind["to_jsonb"] = func(call *Call) (Impl, error) {
		t := call.Args[0]
		return func(c *Context, a []datum.Datum) (datum.Datum, error) { return newJSONB(c.makeJSONB(t, a[0])) }, nil
	}
	r.bind["json_build_array"], r.bind["jsonb_build_array"] = buildArray(false), buildArray(true)
	r.bind["json_build_object"], r.bind["jsonb_build_object"] = buildObject(false), buildObject(true)
	r.bind["json_build_array_noargs"], r.bind["jsonb_build_array_noargs"] = buildArray(false), buildArray(true)
	r.bind["json_build_object_noargs"], r.bind["jsonb_build_object_noargs"] = buildObject(false), buildObject(true)
	r.jsonAggregates()
}

func newJSONB(j datum.JSONB, err error) (datum.Datum, error) {
	if err != nil {
		return datum.Null, err
	}
	return datum.NewJSONB(&j), nil
}

// buildArgs returns the values and types of json_build_*'s arguments.
func buildArgs(call *Call, a []datum.Datum) ([]datum.Datum, []datum.Type, bool) {
	if len(call.Args) == 0 {
		return nil, nil, true
	}
	return variadicArgs(call, a, 0)
}

func buildArray(tree bool) Bind {
	return func(call *Call) (Impl, error) {
		return func(c *Context, a []datum.Datum) (datum.Datum, error) {
			vals, types, ok := buildArgs(call, a)
			if !ok {
				return datum.Null, nil
			}
			if tree {
				out := datum.JSONB{Kind: datum.JSONArray, Elems: make([]datum.JSONB, len(vals))}
				for i, v := range vals {
					j, err := c.makeJSONB(typeAt(types, call, i), v)
					if err != nil {
						return datum.Null, err
					}
					out.Elems[i] = j
				}
				return datum.NewJSONB(&out), nil
			}
			b := []byte{'['}
			for i, v := range vals {
				if i > 0 {
					b = append(b, ", "...)
				}
				b = c.appendJSON(b, typeAt(types, call, i), v, false)
			}
			return datum.NewText(string(append(b, ']'))), nil
		}, nil
	}
}

func buildObject(tree bool) Bind {
	return func(call *Call) (Impl, error) {
		return func(c *Context, a []datum.Datum) (datum.Datum, error) {
			vals, types, ok := buildArgs(call, a)
			if !ok {
				return datum.Null, nil
			}
			if len(vals)%2 != 0 {
				return datum.Null, failure.New(failure.InvalidParameterValue,
					"argument list must have even number of elements").
					WithHint("The arguments of %s() must consist of alternating keys and values.", call.Func.Name)
			}
			b := []byte{'{'}
			var pairs []datum.JSONPair
			for i := 0; i < len(vals); i += 2 {
				if vals[i].IsNull() {
					e := failure.New(failure.InvalidParameterValue, "argument %d cannot be null", i+1).
						WithHint("Object keys should be text.")
					if tree {
						e = failure.New(failure.InvalidParameterValue, "argument %d: key must not be null", i+1)
					}
					return datum.Null, e
				}
				key, err := c.jsonKey(typeAt(types, call, i), vals[i])
				if err != nil {
					return datum.Null, err
				}
				if !tree {
					if i > 0 {
						b = append(b, ", "...)
					}
					b = append(datum.AppendJSONString(b, key), " : "...)
					b = c.appendJSON(b, typeAt(types, call, i+1), vals[i+1], false)
					continue
				}
				j, err := c.makeJSONB(typeAt(types, call, i+1), vals[i+1])
				if err != nil {
					return datum.Null, err
				}
				pairs = append(pairs, datum.JSONPair{Key: key, Value: j})
			}
			if tree {
				return datum.NewJSONB(&datum.JSONB{Kind: datum.JSONObject, Pairs: datum.SortPairs(pairs)}), nil
			}
			return datum.NewText(string(append(b, '}'))), nil
		}, nil
	}
}
