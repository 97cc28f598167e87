package builtin

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerArray registers functions on arrays.
func registerArray(r *registry) {
	r.arrayShape()
	r.arrayBuild()
	r.arraySearch()
	r.arrayText()
}

func arrayOf(d datum.Datum) *datum.Array { return d.Array() }

func (r *registry) arrayShape() {
	dim := func(name string, f func(d datum.ArrayDim) int64) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			dims, n := arrayOf(a[0]).Dims, a[1].Int()
			if n < 1 || n > int64(len(dims)) {
				return datum.Null, nil
			}
			return datum.NewInt(f(dims[n-1])), nil
		}
	}
	dim("array_length", func(d datum.ArrayDim) int64 { return int64(d.Len) })
	dim("array_lower", func(d datum.ArrayDim) int64 { return int64(d.Lower) })
	dim("array_upper", func(d datum.ArrayDim) int64 { return int64(d.Lower) + int64(d.Len) - 1 })
	r.impl["array_ndims"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if n := len(arrayOf(a[0]).Dims); n > 0 {
			return datum.NewInt(int64(n)), nil
		}
		return datum.Null, nil
	}
	r.impl["array_cardinality"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(int64(len(arrayOf(a[0]).Elems))), nil
	}
	r.impl["array_dims"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		dims := arrayOf(a[0]).Dims
		if len(dims) == 0 {
			return datum.Null, nil
		}
		var b strings.Builder
		for _, d := range dims {
			b.WriteString("[" + itoa(int64(d.Lower)) + ":" + itoa(int64(d.Lower)+int64(d.Len)-1) + "]")
		}
		return datum.NewText(b.String()), nil
	}
	r.impl["trim_array"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		arr, n := arrayOf(a[0]), a[1].Int()
		rows := int64(0)
		if len(arr.Dims) > 0 {
			rows = int64(arr.Dims[0].Len)
		}
		if n < 0 || n > rows {
			return datum.Null, failure.New(failure.ArrayElementError,
				"number of elements to trim must be between 0 and %d", rows)
		}
		if n == 0 {
			return a[0], nil
		}
		keep := rows - n
		if keep == 0 {
			return datum.NewArray(&datum.Array{ElemType: arr.ElemType}), nil
		}
		out := &datum.Array{ElemType: arr.ElemType, Elems: arr.Elems[:int64(len(arr.Elems))/rows*keep]}
		out.Dims = append([]datum.ArrayDim(nil), arr.Dims...)
		out.Dims[0].Len = int32(keep)
		for i := range out.Dims {
			out.Dims[i].Lower = 1
		}
		return datum.NewArray(out), nil
	}
}

// elemType returns the element type of an array-valued call: from the array argument's type, or the result's.
func elemType(call *Call) OID {
	if call.Facts != nil {
		if el := call.Facts.BaseElementType(call.Ret.OID); el != 0 {
			return el
		}
	}
	return datum.ElemOf(call.Ret.OID)
}

func (r *registry) arrayBuild() {
	r.bind["array_append"] = func(call *Call) (Impl, error) {
		el := elemType(call)
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) { return extendArray(el, a[0], a[1], false) }, nil
	}
	r.bind["array_prepend"] = func(call *Call) (Impl, error) {
		el := elemType(call)
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) { return extendArray(el, a[1], a[0], true) }, nil
	}
	r.bind["array_cat"] = func(call *Call) (Impl, error) {
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) { return catArrays(a[0], a[1]) }, nil
	}
	fill := func(call *Call) (Impl, error) {
		el := elemType(call)
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) { return fillArray(el, a) }, nil
	}
	r.bind["array_fill"], r.bind["array_fill_with_lower_bounds"] = fill, fill
	r.impl["array_remove"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		return removeElem(a[0], a[1])
	}
	r.impl["array_replace"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		return replaceElem(a[0], a[1], a[2]), nil
	}
}

func extendArray(elem OID, array, v datum.Datum, front bool) (datum.Datum, error) {
	if array.IsNull() || len(array.Array().Dims) == 0 {
		return datum.NewArray1(elem, []datum.Datum{v}), nil
	}
	arr := array.Array()
	if len(arr.Dims) != 1 {
		return datum.Null, failure.New(failure.DataException, "argument must be empty or one-dimensional array")
	}
	d := arr.Dims[0]
	elems := make([]datum.Datum, 0, len(arr.Elems)+1)
	if front {
		elems = append(append(elems, v), arr.Elems...)
	} else {
		elems = append(append(elems, arr.Elems...), v)
	}
	if int64(d.Lower)+int64(d.Len) > 1<<31-1 {
		return datum.Null, widthOf(4).outOfRange()
	}
	// Prepending keeps the lower bound, as PostgreSQL has it since array_prepend shifts the result back.
	return datum.NewArray(&datum.Array{ElemType: arr.ElemType, Elems: elems,
		Dims: []datum.ArrayDim{{Len: d.Len + 1, Lower: d.Lower}}}), nil
}

func catArrays(x, y datum.Datum) (datum.Datum, error) {
	switch {
	case x.IsNull():
		return y, nil
	case y.IsNull():
		return x, nil
	}
	a, b := x.Array(), y.Array()
	switch {
	case len(b.Dims) == 0:
		return x, nil
	case len(a.Dims) == 0:
		return y, nil
	}
	var dims []datum.ArrayDim
	switch na, nb := len(a.Dims), len(b.Dims); {
	case na == nb:
		if na > 1 && !slices.Equal(a.Dims[1:], b.Dims[1:]) {
			return datum.Null, incompatibleArrays("Arrays with differing element dimensions are not compatible for concatenation.")
		}
		dims = append(dims, a.Dims...)
		dims[0].Len += b.Dims[0].Len
	case na == nb+1:
		if !slices.Equal(a.Dims[1:], b.Dims) {
			return datum.Null, incompatibleArrays("Arrays with differing dimensions are not compatible for concatenation.")
		}
		dims = append(dims, a.Dims...)
		dims[0].Len++
	case na+1 == nb:
		if !slices.Equal(a.Dims, b.Dims[1:]) {
			return datum.Null, incompatibleArrays("Arrays with differing dimensions are not compatible for concatenation.")
		}
		dims = append(dims, b.Dims...)
		dims[0].Len++
	default:
		return datum.Null, incompatibleArrays("Arrays of %d and %d dimensions are not compatible for concatenation.", na, nb)
	}
	elems := append(append(make([]datum.Datum, 0, len(a.Elems)+len(b.Elems)), a.Elems...), b.Elems...)
	return datum.NewArray(&datum.Array{ElemType: a.ElemType, Dims: dims, Elems: elems}), nil
}

func incompatibleArrays(detail string, args ...any) error {
	return failure.New(failure.ArraySubscriptError, "cannot concatenate incompatible arrays").WithDetail(detail, args...)
}

// maxArrayElems bounds the arrays that array_fill makes: a gigabyte, as in PostgreSQL, at the size of a Datum. A negative
// length is told with the number that PostgreSQL has.
const (
	maxArrayElems         = (1<<30 - 1) / 24
	maxArrayElemsPostgres = (1<<30 - 1) / 8
)

func fillArray(elem OID, a []datum.Datum) (datum.Datum, error) {
	bad := func(what string) (datum.Datum, error) {
		return datum.Null, failure.New(failure.NullValueNotAllowed, "%s", what)
	}
	if a[1].IsNull() || len(a) > 2 && a[2].IsNull() {
		return bad("dimension array or low bound array cannot be null")
	}
	lens := a[1].Array()
	if len(lens.Dims) > 1 {
		return datum.Null, failure.New(failure.ArraySubscriptError, "wrong number of array subscripts").
			WithDetail("Dimension array must be one dimensional.")
	}
	var lowers []datum.Datum
	if len(a) > 2 {
		lo := a[2].Array()
		if len(lo.Dims) > 1 || len(lo.Elems) != len(lens.Elems) {
			return datum.Null, failure.New(failure.ArraySubscriptError, "wrong number of array subscripts").
				WithDetail("Low bound array has different size than dimensions array.")
		}
		lowers = lo.Elems
	}
	if len(lens.Elems) > datum.MaxDims {
		return datum.Null, failure.New(failure.ProgramLimitExceeded,
			"number of array dimensions (%d) exceeds the maximum allowed (%d)", len(lens.Elems), datum.MaxDims)
	}
	n := int64(1)
	out := &datum.Array{ElemType: elem}
	for i, l := range lens.Elems {
		if l.IsNull() || lowers != nil && lowers[i].IsNull() {
			return bad("dimension values cannot be null")
		}
		lower := int64(1)
		if lowers != nil {
			lower = lowers[i].Int()
		}
		if limit := maxArrayElems; l.Int() < 0 || n*max(l.Int(), 1) > int64(limit) {
			if l.Int() < 0 {
				limit = maxArrayElemsPostgres
			}
			return datum.Null, failure.New(failure.ProgramLimitExceeded,
				"array size exceeds the maximum allowed (%d)", limit)
		}
		n *= l.Int()
		out.Dims = append(out.Dims, datum.ArrayDim{Len: int32(l.Int()), Lower: int32(lower)})
	}
	if n == 0 || len(out.Dims) == 0 {
		return datum.NewArray(&datum.Array{ElemType: elem}), nil
	}
	out.Elems = make([]datum.Datum, n)
	for i := range out.Elems {
		out.Elems[i] = a[0]
	}
	return datum.NewArray(out), nil
}

// sameElem is equality as array functions see it: NULLs are equal, blanks at a bpchar's end do not count.
func sameElem(elem OID, a, b datum.Datum) bool {
	if elem == datum.OIDBpchar && !a.IsNull() && !b.IsNull() {
		return compareBpchar(a, b) == 0
	}
	return datum.Equal(a, b)
}

func removeElem(array, v datum.Datum) (datum.Datum, error) {
	arr := array.Array()
	if len(arr.Dims) > 1 {
		return datum.Null, failure.New(failure.FeatureNotSupported,
			"removing elements from multidimensional arrays is not supported")
	}
	var out []datum.Datum
	for _, e := range arr.Elems {
		if !sameElem(arr.ElemType, e, v) {
			out = append(out, e)
		}
	}
	if len(out) == len(arr.Elems) {
		return array, nil
	}
	res := &datum.Array{ElemType: arr.ElemType, Elems: out}
	if len(out) > 0 {
		res.Dims = []datum.ArrayDim{{Len: int32(len(out)), Lower: arr.Dims[0].Lower}}
	}
	return datum.NewArray(res), nil
}

func replaceElem(array, from, to datum.Datum) datum.Datum {
	arr := array.Array()
	var out []datum.Datum
	for i, e := range arr.Elems {
		if !sameElem(arr.ElemType, e, from) {
			continue
		}
		if out == nil {
			out = append([]datum.Datum(nil), arr.Elems...)
		}
		out[i] = to
	}
	if out == nil {
		return array
	}
	return datum.NewArray(&datum.Array{ElemType: arr.ElemType, Dims: arr.Dims, Elems: out})
}

func (r *registry) arraySearch() {
	position := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		arr := a[0].Array()
		if len(arr.Dims) > 1 {
			return datum.Null, failure.New(failure.FeatureNotSupported,
				"searching for elements in multidimensional arrays is not supported")
		}
		from := 0
		if len(a) > 2 {
			if a[2].IsNull() {
				return datum.Null, failure.New(failure.NullValueNotAllowed, "initial position must not be null")
			}
			if len(arr.Dims) > 0 {
				from = int(max(a[2].Int()-int64(arr.Dims[0].Lower), 0))
			}
		}
		for i := from; i < len(arr.Elems); i++ {
			if sameElem(arr.ElemType, arr.Elems[i], a[1]) {
				return datum.NewInt(int64(i) + int64(arr.Dims[0].Lower)), nil
			}
		}
		return datum.Null, nil
	}
	r.impl["array_position"], r.impl["array_position_start"] = position, position
	r.impl["array_positions"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		arr := a[0].Array()
		if len(arr.Dims) > 1 {
			return datum.Null, failure.New(failure.FeatureNotSupported,
				"searching for elements in multidimensional arrays is not supported")
		}
		var out []datum.Datum
		for i, e := range arr.Elems {
			if sameElem(arr.ElemType, e, a[1]) {
				out = append(out, datum.NewInt(int64(i)+int64(arr.Dims[0].Lower)))
			}
		}
		return datum.NewArray1(datum.OIDInt4, out), nil
	}
	r.impl["arraycontains"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(containsAll(a[0].Array(), a[1].Array())), nil
	}
	r.impl["arraycontained"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(containsAll(a[1].Array(), a[0].Array())), nil
	}
	r.impl["arrayoverlap"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x, y := a[0].Array(), a[1].Array()
		for _, e := range y.Elems {
			if !e.IsNull() && hasElem(x, e) {
				return datum.NewBool(true), nil
			}
		}
		return datum.NewBool(false), nil
	}
	r.impl["width_bucket_array"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		arr := a[1].Array()
		if len(arr.Dims) > 1 {
			return datum.Null, failure.New(failure.ArraySubscriptError, "thresholds must be one-dimensional array")
		}
		lo, hi := 0, len(arr.Elems)
		for _, e := range arr.Elems {
			if e.IsNull() {
				return datum.Null, failure.New(failure.NullValueNotAllowed, "thresholds array must not contain NULLs")
			}
		}
		compare := comparator(arr.ElemType)
		for lo < hi {
			if mid := (lo + hi) / 2; compare(a[0], arr.Elems[mid]) < 0 {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		return datum.NewInt(int64(lo)), nil
	}
}

func hasElem(arr *datum.Array, v datum.Datum) bool {
	for _, e := range arr.Elems {
		if !e.IsNull() && sameElem(arr.ElemType, e, v) {
			return true
		}
	}
	return false
}

// containsAll is @>: a NULL is contained in nothing.
func containsAll(outer, inner *datum.Array) bool {
	for _, e := range inner.Elems {
		if e.IsNull() || !hasElem(outer, e) {
			return false
		}
	}
	return true
}

func (r *registry) arrayText() {
	join := func(call *Call) (Impl, error) {
		return func(c *Context, a []datum.Datum) (datum.Datum, error) {
			if a[0].IsNull() || a[1].IsNull() {
				return datum.Null, nil
			}
			arr := a[0].Array()
			t := datum.T(arr.ElemType)
			buf, some := c.scratch.buf[:0], false
			for _, e := range arr.Elems {
				if e.IsNull() && (len(a) < 3 || a[2].IsNull()) {
					continue
				}
				if some {
					buf = append(buf, a[1].Text()...)
				}
				some = true
				if e.IsNull() {
					buf = append(buf, a[2].Text()...)
				} else {
					buf = c.out(buf, t, e)
				}
			}
			c.scratch.buf = buf
			return datum.NewText(string(buf)), nil
		}, nil
	}
	r.bind["array_to_text"], r.bind["array_to_text_null"] = join, join
	split := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		return datum.NewArray1(datum.OIDText, splitText(a)), nil
	}
	r.impl["text_to_array"], r.impl["text_to_array_null"] = split, split
}
