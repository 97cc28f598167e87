package builtin

import (
	"slices"
	"sort"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerJSONB registers the functions on jsonb trees. Parts of a tree are shared, never changed.
func registerJSONB(r *registry) {
	r.jsonbGet()
	r.jsonbMembers()
	r.jsonbTests()
	r.jsonbChange()
}

// jsonbField returns a member of an object.
func jsonbField(j *datum.JSONB, key string) (*datum.JSONB, bool) {
	if j.Kind != datum.JSONObject {
		return nil, false
	}
	i := pairIndex(j.Pairs, key)
	if i < len(j.Pairs) && j.Pairs[i].Key == key {
		return &j.Pairs[i].Value, true
	}
	return nil, false
}

// pairIndex is where a key is or would be.
func pairIndex(pairs []datum.JSONPair, key string) int {
	return sort.Search(len(pairs), func(i int) bool {
		k := pairs[i].Key
		return len(k) > len(key) || len(k) == len(key) && k >= key
	})
}

func jsonbElement(j *datum.JSONB, n int64) (*datum.JSONB, bool) {
	if j.Kind != datum.JSONArray {
		return nil, false
	}
	if n < 0 {
		n += int64(len(j.Elems))
	}
	if n < 0 || n >= int64(len(j.Elems)) {
		return nil, false
	}
	return &j.Elems[n], true
}

// jsonbResult wraps what a getter found: as jsonb, or as text.
func jsonbResult(j *datum.JSONB, ok, text bool) datum.Datum {
	switch {
	case !ok:
		return datum.Null
	case !text:
		return datum.NewJSONB(j)
	}
	return jsonbText(j)
}

// jsonbText is the value as text: a string without quotes, NULL for null.
func jsonbText(j *datum.JSONB) datum.Datum {
	switch j.Kind {
	case datum.JSONNull:
		return datum.Null
	case datum.JSONString:
		return datum.NewText(j.Text)
	}
	return datum.NewText(string(datum.AppendJSONB(nil, j)))
}

func jsonbPath(j *datum.JSONB, path []datum.Datum) (*datum.JSONB, bool) {
	for _, p := range path {
		if p.IsNull() {
			return nil, false
		}
		ok := false
		switch j.Kind {
		case datum.JSONObject:
			j, ok = jsonbField(j, p.Text())
		case datum.JSONArray:
			var n int64
			if n, ok = pathIndex(p.Text()); ok {
				j, ok = jsonbElement(j, n)
			}
		}
		if !ok {
			return nil, false
		}
	}
	return j, true
}

func (r *registry) jsonbGet() {
	for _, text := range []bool{false, true} {
		suffix := ""
		if text {
			suffix = "_text"
		}
		r.impl["jsonb_object_field"+suffix] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			v, ok := jsonbField(a[0].JSONB(), a[1].Text())
			return jsonbResult(v, ok, text), nil
		}
		r.impl["jsonb_array_element"+suffix] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			v, ok := jsonbElement(a[0].JSONB(), a[1].Int())
			return jsonbResult(v, ok, text), nil
		}
		r.impl["jsonb_extract_path"+suffix] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			v, ok := jsonbPath(a[0].JSONB(), a[1].Array().Elems)
			return jsonbResult(v, ok, text), nil
		}
	}
	r.impl["jsonb_typeof"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(jsonbKindName(a[0].JSONB().Kind)), nil
	}
	r.impl["jsonb_pretty"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(string(datum.AppendJSONBPretty(nil, a[0].JSONB()))), nil
	}
	r.impl["jsonb_array_length"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		switch j := a[0].JSONB(); {
		case j.Kind == datum.JSONArray:
			return datum.NewInt(int64(len(j.Elems))), nil
		case j.Kind == datum.JSONObject:
			return datum.Null, jsonShape("cannot get array length of a non-array")
		}
		return datum.Null, jsonShape("cannot get array length of a scalar")
	}
}

func jsonbKindName(k datum.JSONKind) string {
	switch k {
	case datum.JSONNull:
		return "null"
	case datum.JSONString:
		return "string"
	case datum.JSONNumber:
		return "number"
	case datum.JSONBool:
		return "boolean"
	case datum.JSONArray:
		return "array"
	}
	return "object"
}

func (r *registry) jsonbMembers() {
	for _, text := range []bool{false, true} {
		suffix := ""
		if text {
			suffix = "_text"
		}
		r.set["jsonb_array_elements"+suffix] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
			j := a[0].JSONB()
			switch j.Kind {
			case datum.JSONArray:
			case datum.JSONObject:
				return nil, jsonShape("cannot extract elements from an object")
			default:
				return nil, jsonShape("cannot extract elements from a scalar")
			}
			rows := &sliceRows{vals: make([]datum.Datum, len(j.Elems))}
			for i := range j.Elems {
				rows.vals[i] = jsonbResult(&j.Elems[i], true, text)
			}
			return rows, nil
		}
		r.set["jsonb_each"+suffix] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
			j := a[0].JSONB()
			if j.Kind != datum.JSONObject {
				return nil, jsonShape("cannot call jsonb_each" + suffix + " on a non-object")
			}
			rows := &recordRows{}
			for i := range j.Pairs {
				rows.rows = append(rows.rows, []datum.Datum{datum.NewText(j.Pairs[i].Key),
					jsonbResult(&j.Pairs[i].Value, true, text)})
			}
			return rows, nil
		}
	}
	r.set["jsonb_object_keys"] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		j := a[0].JSONB()
		switch j.Kind {
		case datum.JSONObject:
		case datum.JSONArray:
			return nil, jsonShape("cannot call jsonb_object_keys on an array")
		default:
			return nil, jsonShape("cannot call jsonb_object_keys on a scalar")
		}
		rows := &sliceRows{}
		for i := range j.Pairs {
			rows.vals = append(rows.vals, datum.NewText(j.Pairs[i].Key))
		}
		return rows, nil
	}
}

func scalar(j *datum.JSONB) bool { return j.Kind < datum.JSONArray }

// jsonbContains is @>. At the top an array also contains a scalar that it has as an element.
func jsonbContains(a, b *datum.JSONB, top bool) bool {
	switch {
	case top && a.Kind == datum.JSONArray && scalar(b):
		return slices.ContainsFunc(a.Elems, func(e datum.JSONB) bool { return datum.CompareJSONB(&e, b) == 0 })
	case a.Kind != b.Kind:
		return false
	case a.Kind == datum.JSONObject:
		for i := range b.Pairs {
			v, ok := jsonbField(a, b.Pairs[i].Key)
			if !ok || !jsonbContains(v, &b.Pairs[i].Value, false) {
				return false
			}
		}
		return true
	case a.Kind == datum.JSONArray:
		for i := range b.Elems {
			if !slices.ContainsFunc(a.Elems, func(e datum.JSONB) bool { return jsonbContains(&e, &b.Elems[i], false) }) {
				return false
			}
		}
		return true
	}
	return datum.CompareJSONB(a, b) == 0
}

// jsonbExists is ?: a key of an object, a string of an array, or the string itself.
func jsonbExists(j *datum.JSONB, key string) bool {
	switch j.Kind {
	case datum.JSONObject:
		_, ok := jsonbField(j, key)
		return ok
	case datum.JSONArray:
		return slices.ContainsFunc(j.Elems, func(e datum.JSONB) bool { return e.Kind == datum.JSONString && e.Text == key })
	}
	return j.Kind == datum.JSONString && j.Text == key
}

func (r *registry) jsonbTests() {
	r.impl["jsonb_contains"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(jsonbContains(a[0].JSONB(), a[1].JSONB(), true)), nil
	}
	r.impl["jsonb_contained"] = swapped(r.impl["jsonb_contains"])
	r.impl["jsonb_exists"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(jsonbExists(a[0].JSONB(), a[1].Text())), nil
	}
	many := func(all bool) Impl {
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			for _, k := range a[1].Array().Elems {
				if !k.IsNull() && jsonbExists(a[0].JSONB(), k.Text()) != all {
					return datum.NewBool(!all), nil
				}
			}
			return datum.NewBool(all), nil
		}
	}
	r.impl["jsonb_exists_any"], r.impl["jsonb_exists_all"] = many(false), many(true)
}

func (r *registry) jsonbChange() {
	r.impl["jsonb_concat"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newJSONB(concatJSONB(a[0].JSONB(), a[1].JSONB()))
	}
	r.jsonbDelete()
	r.impl["jsonb_strip_nulls"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newJSONB(stripJSONB(a[0].JSONB()), nil)
	}
	r.impl["jsonb_set"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		mode := jsonSet
		if a[3].Bool() {
			mode = jsonSetOrCreate
		}
		return setPath(a[0], a[1], a[2].JSONB(), mode)
	}
	r.impl["jsonb_insert"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		mode := jsonInsertBefore
		if a[3].Bool() {
			mode = jsonInsertAfter
		}
		return setPath(a[0], a[1], a[2].JSONB(), mode)
	}
	r.impl["jsonb_set_lax"] = func(c *Context, a []datum.Datum) (datum.Datum, error) { return setLax(r.impl["jsonb_set"], c, a) }
}

func setLax(set Impl, c *Context, a []datum.Datum) (datum.Datum, error) {
	if a[0].IsNull() || a[1].IsNull() || a[3].IsNull() {
		return datum.Null, nil
	}
	if a[4].IsNull() {
		return datum.Null, failure.New(failure.InvalidParameterValue,
			`null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"`)
	}
	if !a[2].IsNull() {
		return set(c, a[:4])
	}
	switch a[4].Text() {
	case "raise_exception":
		return datum.Null, failure.New(failure.NullValueNotAllowed, "JSON value must not be null").
			WithDetail(`Exception was raised because null_value_treatment is "raise_exception".`).
			WithHint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.")
	case "use_json_null":
		return set(c, []datum.Datum{a[0], a[1], datum.NewJSONB(&datum.JSONB{}), a[3]})
	case "delete_key":
		return deletePath(a[0], a[1])
	case "return_target":
		return a[0], nil
	}
	return datum.Null, failure.New(failure.InvalidParameterValue,
		`null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"`)
}

func asArray(j *datum.JSONB) []datum.JSONB {
	if j.Kind == datum.JSONArray {
		return j.Elems
	}
	return []datum.JSONB{*j}
}

func concatJSONB(a, b *datum.JSONB) (datum.JSONB, error) {
	if a.Kind == datum.JSONObject && b.Kind == datum.JSONObject {
		pairs := append(append(make([]datum.JSONPair, 0, len(a.Pairs)+len(b.Pairs)), a.Pairs...), b.Pairs...)
		return datum.JSONB{Kind: datum.JSONObject, Pairs: datum.SortPairs(pairs)}, nil
	}
	x, y := asArray(a), asArray(b)
	return datum.JSONB{Kind: datum.JSONArray, Elems: append(append(make([]datum.JSONB, 0, len(x)+len(y)), x...), y...)}, nil
}

func stripJSONB(j *datum.JSONB) datum.JSONB {
	out := *j
	switch j.Kind {
	case datum.JSONObject:
		out.Pairs = make([]datum.JSONPair, 0, len(j.Pairs))
		for i := range j.Pairs {
			if j.Pairs[i].Value.Kind != datum.JSONNull {
				out.Pairs = append(out.Pairs, datum.JSONPair{Key: j.Pairs[i].Key, Value: stripJSONB(&j.Pairs[i].Value)})
			}
		}
	case datum.JSONArray:
		out.Elems = make([]datum.JSONB, len(j.Elems))
		for i := range j.Elems {
			out.Elems[i] = stripJSONB(&j.Elems[i])
		}
	}
	return out
}

func (r *registry) jsonbDelete() {
	without := func(j *datum.JSONB, gone func(string) bool) datum.Datum {
		out := datum.JSONB{Kind: j.Kind}
		for i := range j.Pairs {
			if !gone(j.Pairs[i].Key) {
				out.Pairs = append(out.Pairs, j.Pairs[i])
			}
		}
		for i := range j.Elems {
			if e := &j.Elems[i]; e.Kind != datum.JSONString || !gone(e.Text) {
				out.Elems = append(out.Elems, *e)
			}
		}
		return datum.NewJSONB(&out)
	}
	r.impl["jsonb_delete"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if scalar(a[0].JSONB()) {
			return datum.Null, jsonShape("cannot delete from scalar")
		}
		return without(a[0].JSONB(), func(k string) bool { return k == a[1].Text() }), nil
	}
	r.impl["jsonb_delete_array"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if len(a[1].Array().Dims) > 1 {
			return datum.Null, failure.New(failure.ArraySubscriptError, "wrong number of array subscripts")
		}
		if scalar(a[0].JSONB()) {
			return datum.Null, jsonShape("cannot delete from scalar")
		}
		return without(a[0].JSONB(), func(k string) bool {
			return slices.ContainsFunc(a[1].Array().Elems, func(d datum.Datum) bool { return !d.IsNull() && d.Text() == k })
		}), nil
	}
	r.impl["jsonb_delete_idx"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		j, n := a[0].JSONB(), a[1].Int()
		switch {
		case scalar(j):
			return datum.Null, jsonShape("cannot delete from scalar")
		case j.Kind == datum.JSONObject:
			return datum.Null, jsonShape("cannot delete from object using integer index")
		}
		if n < 0 {
			n += int64(len(j.Elems))
		}
		if n < 0 || n >= int64(len(j.Elems)) {
			return a[0], nil
		}
		return datum.NewJSONB(&datum.JSONB{Kind: j.Kind, Elems: slices.Delete(slices.Clone(j.Elems), int(n), int(n)+1)}), nil
	}
	r.impl["jsonb_delete_path"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return deletePath(a[0], a[1]) }
}

func deletePath(target, path datum.Datum) (datum.Datum, error) {
	return setPath(target, path, nil, jsonDeletePath)
}

// jsonMode is what setPath does at the end of the path.
type jsonMode uint8

const (
	jsonSet jsonMode = iota
	jsonSetOrCreate
	jsonInsertBefore
	jsonInsertAfter
	jsonDeletePath
)

func (m jsonMode) creates() bool { return m != jsonSet && m != jsonDeletePath }

func setPath(target, path datum.Datum, v *datum.JSONB, mode jsonMode) (datum.Datum, error) {
	if len(path.Array().Dims) > 1 {
		return datum.Null, failure.New(failure.ArraySubscriptError, "wrong number of array subscripts")
	}
	elems := path.Array().Elems
	j := target.JSONB()
	if scalar(j) {
		if mode == jsonDeletePath {
			return datum.Null, jsonShape("cannot delete path in scalar")
		}
		return datum.Null, jsonShape("cannot set path in scalar")
	}
	if len(elems) == 0 || len(j.Elems)+len(j.Pairs) == 0 && !mode.creates() {
		return target, nil
	}
	return newJSONB(changePath(j, elems, 0, v, mode))
}

func changePath(j *datum.JSONB, path []datum.Datum, level int, v *datum.JSONB, mode jsonMode) (datum.JSONB, error) {
	if path[level].IsNull() {
		return *j, failure.New(failure.NullValueNotAllowed, "path element at position %d is null", level+1)
	}
	switch j.Kind {
	case datum.JSONObject:
		return changeMember(j, path, level, v, mode)
	case datum.JSONArray:
		return changeElement(j, path, level, v, mode)
	}
	return *j, nil
}

func changeMember(j *datum.JSONB, path []datum.Datum, level int, v *datum.JSONB, mode jsonMode) (datum.JSONB, error) {
	key := path[level].Text()
	i := pairIndex(j.Pairs, key)
	have := i < len(j.Pairs) && j.Pairs[i].Key == key
	last := level == len(path)-1
	out := datum.JSONB{Kind: datum.JSONObject}
	switch {
	case !have && last && mode.creates():
		out.Pairs = slices.Insert(slices.Clone(j.Pairs), i, datum.JSONPair{Key: key, Value: *v})
	case !have:
		return *j, nil
	case last && (mode == jsonInsertBefore || mode == jsonInsertAfter):
		return *j, failure.New(failure.InvalidParameterValue, "cannot replace existing key").
			WithHint("Try using the function jsonb_set to replace key value.")
	case last && mode == jsonDeletePath:
		out.Pairs = slices.Delete(slices.Clone(j.Pairs), i, i+1)
	default:
		var nv datum.JSONB
		if last {
			nv = *v
		} else {
			var err error
			if nv, err = changePath(&j.Pairs[i].Value, path, level+1, v, mode); err != nil {
				return *j, err
			}
		}
		out.Pairs = slices.Clone(j.Pairs)
		out.Pairs[i].Value = nv
	}
	return out, nil
}

func changeElement(j *datum.JSONB, path []datum.Datum, level int, v *datum.JSONB, mode jsonMode) (datum.JSONB, error) {
	n, ok := pathIndex(path[level].Text())
	if !ok {
		return *j, failure.New(failure.InvalidTextRepresentation,
			`path element at position %d is not an integer: "%s"`, level+1, path[level].Text())
	}
	size := int64(len(j.Elems))
	before := false // the index lies before the first element
	if n < 0 {
		if n += size; n < 0 {
			n, before = 0, true
		}
	}
	have := n < size && !before
	last := level == len(path)-1
	out := datum.JSONB{Kind: datum.JSONArray}
	switch {
	case !last:
		if !have {
			return *j, nil
		}
		nv, err := changePath(&j.Elems[n], path, level+1, v, mode)
		if err != nil {
			return *j, err
		}
		out.Elems = slices.Clone(j.Elems)
		out.Elems[n] = nv
	case mode == jsonDeletePath:
		if !have {
			return *j, nil
		}
		out.Elems = slices.Delete(slices.Clone(j.Elems), int(n), int(n)+1)
	case before && mode.creates():
		out.Elems = slices.Insert(slices.Clone(j.Elems), 0, *v)
	case !have && mode.creates():
		out.Elems = append(slices.Clone(j.Elems), *v)
	case !have:
		return *j, nil
	case mode == jsonInsertBefore:
		out.Elems = slices.Insert(slices.Clone(j.Elems), int(n), *v)
	case mode == jsonInsertAfter:
		out.Elems = slices.Insert(slices.Clone(j.Elems), int(n)+1, *v)
	default:
		out.Elems = slices.Clone(j.Elems)
		out.Elems[n] = *v
	}
	return out, nil
}
