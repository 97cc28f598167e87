package exec

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// assignJSON returns a jsonb (or NULL) with the element at path replaced or made: UPDATE t SET j['a'][0] = v.
func assignJSON(old datum.Datum, path []datum.Datum, v datum.Datum) (datum.Datum, error) {
	val := datum.JSONB{Kind: datum.JSONNull}
	if !v.IsNull() {
		val = *v.JSONB()
	}
	base := emptyFor(path[0])
	if !old.IsNull() {
		base = *old.JSONB()
	}
	out, err := setJSON(base, path, 0, val)
	if err != nil {
		return datum.Null, err
	}
	return datum.NewJSONB(&out), nil
}

// emptyFor is the container that a subscript needs.
func emptyFor(p datum.Datum) datum.JSONB {
	if p.Kind() == datum.KindText {
		return datum.JSONB{Kind: datum.JSONObject}
	}
	return datum.JSONB{Kind: datum.JSONArray}
}

// setJSON sets path[at:] inside j, sharing what stays.
func setJSON(j datum.JSONB, path []datum.Datum, at int, v datum.JSONB) (datum.JSONB, error) {
	if at == len(path) {
		return v, nil
	}
	switch j.Kind {
	case datum.JSONObject:
		key := path[at].Text()
		if path[at].Kind() != datum.KindText {
			key = datum.Text(datum.T(datum.OIDInt4), path[at], nil)
		}
		i, found := slices.BinarySearchFunc(j.Pairs, key, func(p datum.JSONPair, k string) int { return compareJSONKeys(p.Key, k) })
		child, err := childJSON(found, path, at, func() datum.JSONB { return j.Pairs[i].Value }, v)
		if err != nil {
			return j, err
		}
		pairs := slices.Clone(j.Pairs)
		if found {
			pairs[i].Value = child
		} else {
			pairs = slices.Insert(pairs, i, datum.JSONPair{Key: key, Value: child})
		}
		return datum.JSONB{Kind: datum.JSONObject, Pairs: pairs}, nil
	case datum.JSONArray:
		return setElement(j, path, at, v)
	default:
		return j, failure.New(failure.InvalidParameterValue, "cannot replace existing key").
			WithDetail("The path assumes key is a composite object, but it is a scalar value.")
	}
}

// compareJSONKeys orders keys as jsonb keeps them: by length, then bytes.
func compareJSONKeys(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// childJSON sets the rest of the path in a member, which is made when it is not there.
func childJSON(found bool, path []datum.Datum, at int, old func() datum.JSONB, v datum.JSONB) (datum.JSONB, error) {
	if at+1 == len(path) {
		return v, nil
	}
	base := emptyFor(path[at+1])
	if found {
		base = old()
	}
	return setJSON(base, path, at+1, v)
}

func setElement(j datum.JSONB, path []datum.Datum, at int, v datum.JSONB) (datum.JSONB, error) {
	n := len(j.Elems)
	k, ok := jsonIndex(path[at])
	if !ok {
		return j, failure.New(failure.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", at+1, path[at].Text())
	}
	if k < 0 {
		if k += int64(n); k < 0 {
			return j, failure.New(failure.InvalidParameterValue, "path element at position %d is out of range: %d", at+1, k-int64(n))
		}
	}
	if k > maxArray {
		return j, failure.New(failure.ProgramLimitExceeded, "number of jsonb array elements exceeds the maximum allowed (%d)", maxArray)
	}
	i := int(k)
	child, err := childJSON(i < n, path, at, func() datum.JSONB { return j.Elems[i] }, v)
	if err != nil {
		return j, err
	}
	elems := slices.Clone(j.Elems)
	for len(elems) <= i {
		elems = append(elems, datum.JSONB{Kind: datum.JSONNull})
	}
	elems[i] = child
	return datum.JSONB{Kind: datum.JSONArray, Elems: elems}, nil
}

// jsonIndex reads a subscript of an array.
func jsonIndex(p datum.Datum) (int64, bool) {
	if p.Kind() != datum.KindText {
		return p.Int(), true
	}
	d, err := datum.ParseText(datum.T(datum.OIDInt4), p.Text(), nil)
	if err != nil {
		return 0, false
	}
	return d.Int(), true
}
