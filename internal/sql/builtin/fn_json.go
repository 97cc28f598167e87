package builtin

import (
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerJSON registers the functions on json, which work on its text: what they return is cut from it.
func registerJSON(r *registry) {
	r.jsonGet()
	r.jsonMembers()
	r.jsonBuildText()
}

// jsonRaw is a piece of valid JSON text.
type jsonRaw string

func skipSpace(s string, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

// skipValue returns the end of the value that starts at i.
func skipValue(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
			i++
		case '[', '{':
			depth++
			i++
		case ']', '}':
			depth--
			i++
		case ' ', '\t', '\n', '\r', ',', ':':
			i++
			continue
		default:
			for i < len(s) && strings.IndexByte(",:]} \t\n\r", s[i]) < 0 {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// kind is the first character: { [ " t f n or a number's.
func (j jsonRaw) kind() byte {
	if i := skipSpace(string(j), 0); i < len(j) {
		return j[i]
	}
	return 'n'
}

// text is the value as text: a string without its quotes; ok is false for null.
func (j jsonRaw) text() (string, bool) {
	s := strings.Trim(string(j), " \t\n\r")
	switch {
	case s == "null":
		return "", false
	case s != "" && s[0] == '"':
		return unquoteJSON(s), true
	}
	return s, true
}

// unquoteJSON decodes a JSON string.
func unquoteJSON(s string) string {
	body := s[1 : len(s)-1]
	if strings.IndexByte(body, '\\') < 0 {
		return body
	}
	if j, err := datum.ParseJSONB(s); err == nil {
		return j.Text
	}
	return body
}

// elements calls f for each element of an array until it returns false.
func (j jsonRaw) elements(f func(v jsonRaw) bool) {
	s := string(j)
	i := skipSpace(s, 0) + 1
	for {
		if i = skipSpace(s, i); i >= len(s) || s[i] == ']' {
			return
		}
		if s[i] == ',' {
			i = skipSpace(s, i+1)
		}
		end := skipValue(s, i)
		if !f(jsonRaw(s[i:end])) {
			return
		}
		i = end
	}
}

// members calls f for each member of an object until it returns false.
func (j jsonRaw) members(f func(key string, v jsonRaw) bool) {
	s := string(j)
	i := skipSpace(s, 0) + 1
	for {
		if i = skipSpace(s, i); i >= len(s) || s[i] == '}' {
			return
		}
		if s[i] == ',' {
			i = skipSpace(s, i+1)
		}
		end := skipValue(s, i)
		key := unquoteJSON(s[i:end])
		i = skipSpace(s, skipSpace(s, end)+1)
		end = skipValue(s, i)
		if !f(key, jsonRaw(s[i:end])) {
			return
		}
		i = end
	}
}

// field returns a member by name, the last of equal ones.
func (j jsonRaw) field(name string) (v jsonRaw, ok bool) {
	if j.kind() != '{' {
		return "", false
	}
	j.members(func(key string, m jsonRaw) bool {
		if key == name {
			v, ok = m, true
		}
		return true
	})
	return v, ok
}

// element returns an element by index, from the end when negative.
func (j jsonRaw) element(n int64) (v jsonRaw, ok bool) {
	if j.kind() != '[' {
		return "", false
	}
	if n < 0 {
		j.elements(func(jsonRaw) bool {
			n++
			return true
		})
		if n < 0 {
			return "", false
		}
	}
	j.elements(func(m jsonRaw) bool {
		if n == 0 {
			v, ok = m, true
		}
		n--
		return n >= 0
	})
	return v, ok
}

// jsonResult wraps what a getter found: as JSON, or as text.
func jsonResult(v jsonRaw, ok, text bool) datum.Datum {
	if !ok {
		return datum.Null
	}
	if !text {
		return datum.NewText(strings.Trim(string(v), " \t\n\r"))
	}
	s, ok := v.text()
	if !ok {
		return datum.Null
	}
	return datum.NewText(s)
}

// pathIndex reads an element of a path as an array index.
func pathIndex(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
	return n, err == nil
}

func (r *registry) jsonGet() {
	for _, text := range []bool{false, true} {
		suffix := ""
		if text {
			suffix = "_text"
		}
		r.impl["json_object_field"+suffix] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			v, ok := jsonRaw(a[0].Text()).field(a[1].Text())
			return jsonResult(v, ok, text), nil
		}
		r.impl["json_array_element"+suffix] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			v, ok := jsonRaw(a[0].Text()).element(a[1].Int())
			return jsonResult(v, ok, text), nil
		}
		r.impl["json_extract_path"+suffix] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			v, ok := jsonRaw(a[0].Text()), true
			for _, p := range a[1].Array().Elems {
				switch {
				case p.IsNull():
					return datum.Null, nil
				case v.kind() == '{':
					v, ok = v.field(p.Text())
				default:
					var n int64
					if n, ok = pathIndex(p.Text()); ok {
						v, ok = v.element(n)
					}
				}
				if !ok {
					return datum.Null, nil
				}
			}
			return jsonResult(v, ok, text), nil
		}
	}
	r.impl["json_typeof"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		name := "number"
		switch jsonRaw(a[0].Text()).kind() {
		case '{':
			name = "object"
		case '[':
			name = "array"
		case '"':
			name = "string"
		case 't', 'f':
			name = "boolean"
		case 'n':
			name = "null"
		}
		return datum.NewText(name), nil
	}
}

func jsonShape(what string) error { return failure.New(failure.InvalidParameterValue, "%s", what) }

// checkJSON fails unless the value is an array ('[') or object ('{'), with the message for scalars or for the other.
func checkJSON(j jsonRaw, want byte, scalar, other string) error {
	switch k := j.kind(); {
	case k == want:
		return nil
	case k == '[' || k == '{':
		return jsonShape(other)
	}
	return jsonShape(scalar)
}

func (r *registry) jsonMembers() {
	r.impl["json_array_length"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		j := jsonRaw(a[0].Text())
		if err := checkJSON(j, '[', "cannot get array length of a scalar", "cannot get array length of a non-array"); err != nil {
			return datum.Null, err
		}
		n := int64(0)
		j.elements(func(jsonRaw) bool {
			n++
			return true
		})
		return datum.NewInt(n), nil
	}
	for _, text := range []bool{false, true} {
		suffix := ""
		if text {
			suffix = "_text"
		}
		r.set["json_array_elements"+suffix] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
			j := jsonRaw(a[0].Text())
			name := "json_array_elements" + suffix
			if err := checkJSON(j, '[', "cannot call "+name+" on a scalar", "cannot call "+name+" on a non-array"); err != nil {
				return nil, err
			}
			rows := &sliceRows{}
			j.elements(func(v jsonRaw) bool {
				rows.vals = append(rows.vals, jsonResult(v, true, text))
				return true
			})
			return rows, nil
		}
		r.set["json_each"+suffix] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
			j := jsonRaw(a[0].Text())
			if err := checkJSON(j, '{', "cannot deconstruct a scalar", "cannot deconstruct an array as an object"); err != nil {
				return nil, err
			}
			rows := &recordRows{}
			j.members(func(key string, v jsonRaw) bool {
				rows.rows = append(rows.rows, []datum.Datum{datum.NewText(key), jsonResult(v, true, text)})
				return true
			})
			return rows, nil
		}
	}
	r.set["json_object_keys"] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		j := jsonRaw(a[0].Text())
		if err := checkJSON(j, '{', "cannot call json_object_keys on a scalar", "cannot call json_object_keys on an array"); err != nil {
			return nil, err
		}
		rows := &sliceRows{}
		j.members(func(key string, _ jsonRaw) bool {
			rows.vals = append(rows.vals, datum.NewText(key))
			return true
		})
		return rows, nil
	}
}

// stripNulls copies JSON without white space and without members that are null.
func stripNulls(b *strings.Builder, j jsonRaw) {
	switch j.kind() {
	case '{':
		b.WriteByte('{')
		first := true
		j.members(func(key string, v jsonRaw) bool {
			if v.kind() != 'n' {
				if !first {
					b.WriteByte(',')
				}
				first = false
				b.Write(datum.AppendJSONString(nil, key))
				b.WriteByte(':')
				stripNulls(b, v)
			}
			return true
		})
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		first := true
		j.elements(func(v jsonRaw) bool {
			if !first {
				b.WriteByte(',')
			}
			first = false
			stripNulls(b, v)
			return true
		})
		b.WriteByte(']')
	case '"':
		s, _ := j.text()
		b.Write(datum.AppendJSONString(nil, s))
	default:
		b.WriteString(strings.Trim(string(j), " \t\n\r"))
	}
}

func (r *registry) jsonBuildText() {
	r.impl["json_strip_nulls"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		var b strings.Builder
		stripNulls(&b, jsonRaw(a[0].Text()))
		return datum.NewText(b.String()), nil
	}
	object := func(tree bool) Impl {
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			keys, vals, err := objectPairs(a)
			if err != nil {
				return datum.Null, err
			}
			b := []byte{'{'}
			var pairs []datum.JSONPair
			for i, k := range keys {
				if k.IsNull() {
					return datum.Null, failure.New(failure.NullValueNotAllowed, "null value not allowed for object key")
				}
				if tree {
					j := datum.JSONB{}
					if !vals[i].IsNull() {
						j = datum.JSONB{Kind: datum.JSONString, Text: vals[i].Text()}
					}
					pairs = append(pairs, datum.JSONPair{Key: k.Text(), Value: j})
					continue
				}
				if i > 0 {
					b = append(b, ", "...)
				}
				b = append(datum.AppendJSONString(b, k.Text()), " : "...)
				if vals[i].IsNull() {
					b = append(b, "null"...)
				} else {
					b = datum.AppendJSONString(b, vals[i].Text())
				}
			}
			if tree {
				return datum.NewJSONB(&datum.JSONB{Kind: datum.JSONObject, Pairs: datum.SortPairs(pairs)}), nil
			}
			return datum.NewText(string(append(b, '}'))), nil
		}
	}
	r.impl["json_object"], r.impl["json_object_two_arg"] = object(false), object(false)
	r.impl["jsonb_object"], r.impl["jsonb_object_two_arg"] = object(true), object(true)
}

// objectPairs reads json_object's arrays: keys and values in two, alternating in one, or in pairs in a matrix.
func objectPairs(a []datum.Datum) (keys, vals []datum.Datum, err error) {
	subscripts := func(msg string) error { return failure.New(failure.ArraySubscriptError, "%s", msg) }
	x := a[0].Array()
	if len(a) > 1 {
		y := a[1].Array()
		if len(x.Dims) > 1 || len(x.Dims) != len(y.Dims) {
			return nil, nil, subscripts("wrong number of array subscripts")
		}
		if len(x.Elems) != len(y.Elems) {
			return nil, nil, subscripts("mismatched array dimensions")
		}
		return x.Elems, y.Elems, nil
	}
	switch len(x.Dims) {
	case 0:
		return nil, nil, nil
	case 1:
		if len(x.Elems)%2 != 0 {
			return nil, nil, subscripts("array must have even number of elements")
		}
	case 2:
		if x.Dims[1].Len != 2 {
			return nil, nil, subscripts("array must have two columns")
		}
	default:
		return nil, nil, subscripts("wrong number of array subscripts")
	}
	for i := 0; i < len(x.Elems); i += 2 {
		keys, vals = append(keys, x.Elems[i]), append(vals, x.Elems[i+1])
	}
	return keys, vals, nil
}
