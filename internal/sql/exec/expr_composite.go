package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

func (c *compiler) rowExpr(e *plan.Row) evalFn {
	args, types, names := c.exprs(e.Args), typesOf(e.Args), e.Names
	var present evalFn
	if e.Present != nil {
		present = c.expr(e.Present)
	}
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		if present != nil {
			if d, err := present(ctx, st, row); err != nil || d.IsNull() {
				return datum.Null, err
			}
		}
		vals := make([]datum.Datum, len(args))
		for i, a := range args {
			d, err := a(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			vals[i] = d
		}
		return datum.NewRecord(&datum.Record{Types: types, Names: names, Values: vals}), nil
	}
}

func (c *compiler) rowCompare(e *plan.RowCompare) evalFn {
	l, r := c.exprs(e.Left), c.exprs(e.Right)
	less, eq := make([]builtin.Impl, len(l)), make([]builtin.Impl, len(l))
	for i := range l {
		lt, rt := e.Left[i].Type(), e.Right[i].Type()
		less[i], eq[i] = c.callFn(e.Less[i], e.Type(), lt, rt), c.callFn(e.Eq[i], e.Type(), lt, rt)
	}
	orEqual := e.Kind == plan.RowLE || e.Kind == plan.RowGE
	vals := make([]datum.Datum, 2)
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		for i := range l {
			x, err := l[i](ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			y, err := r[i](ctx, st, row)
			if err != nil || x.IsNull() || y.IsNull() {
				return datum.Null, err
			}
			vals[0], vals[1] = x, y
			d, err := eq[i](st.bctx, vals)
			if err != nil {
				return datum.Null, err
			}
			if !d.IsTrue() {
				vals[0], vals[1] = x, y
				return less[i](st.bctx, vals)
			}
		}
		return datum.NewBool(orEqual), nil
	}
}

func (c *compiler) arrayCtor(e *plan.ArrayCtor) evalFn {
	elems, oid := c.exprs(e.Elems), e.Elem.OID
	if e.Nested {
		return nestedArray(elems, oid)
	}
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		a := &datum.Array{ElemType: oid}
		if len(elems) > 0 {
			a.Dims = []datum.ArrayDim{{Len: int32(len(elems)), Lower: 1}}
			a.Elems = make([]datum.Datum, len(elems))
		}
		for i, f := range elems {
			d, err := f(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			a.Elems[i] = d
		}
		return datum.NewArray(a), nil
	}
}

// nestedArray makes an array whose slices are the values of elems, which must have the same shape.
func nestedArray(elems []evalFn, oid datum.OID) evalFn {
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		a := &datum.Array{ElemType: oid}
		empty := 0
		var dims []datum.ArrayDim
		n := 0
		for _, f := range elems {
			d, err := f(ctx, st, row)
			if err != nil {
				return datum.Null, err
			}
			if d.IsNull() || len(d.Array().Dims) == 0 {
				empty++
				continue
			}
			in := d.Array()
			if dims == nil {
				dims = in.Dims
			} else if !sameLens(dims, in.Dims) {
				return datum.Null, ragged()
			}
			a.Elems = append(a.Elems, in.Elems...)
			n++
		}
		if n == 0 {
			return datum.NewArray(a), nil
		}
		if empty > 0 {
			return datum.Null, ragged()
		}
		if len(dims) >= datum.MaxDims {
			return datum.Null, tooManyDims(len(dims) + 1)
		}
		a.Dims = append([]datum.ArrayDim{{Len: int32(n), Lower: 1}}, dims...)
		return datum.NewArray(a), nil
	}
}

func ragged() error {
	return failure.New(failure.ArraySubscriptError,
		"multidimensional arrays must have array expressions with matching dimensions")
}

func tooManyDims(n int) error {
	return failure.New(failure.ProgramLimitExceeded,
		"number of array dimensions (%d) exceeds the maximum allowed (%d)", n, datum.MaxDims)
}

func sameLens(a, b []datum.ArrayDim) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Len != b[i].Len {
			return false
		}
	}
	return true
}

// bounds are the evaluated subscripts of one access; ok is false when one of them is NULL.
type bounds struct {
	lower, upper     []datum.Datum
	hasLow, hasUpper []bool
}

func newBounds(n int) *bounds {
	return &bounds{make([]datum.Datum, n), make([]datum.Datum, n), make([]bool, n), make([]bool, n)}
}

// subscriptEval compiles the subscripts of Subscript and ArrayAssign.
func (c *compiler) subscriptEval(lower, upper []plan.Expr) (int, func(ctx context.Context, st *state, row []datum.Datum, b *bounds) (bool, error)) {
	n := max(len(upper), len(lower))
	lo, up := make([]evalFn, n), make([]evalFn, n)
	for i := range lower {
		lo[i] = c.optional(lower[i])
	}
	for i := range upper {
		up[i] = c.optional(upper[i])
	}
	return n, func(ctx context.Context, st *state, row []datum.Datum, b *bounds) (bool, error) {
		for i := range n {
			var err error
			if b.hasLow[i] = lo[i] != nil; b.hasLow[i] {
				if b.lower[i], err = lo[i](ctx, st, row); err != nil || b.lower[i].IsNull() {
					return false, err
				}
			}
			if b.hasUpper[i] = up[i] != nil; b.hasUpper[i] {
				if b.upper[i], err = up[i](ctx, st, row); err != nil || b.upper[i].IsNull() {
					return false, err
				}
			}
		}
		return true, nil
	}
}

func (c *compiler) subscript(e *plan.Subscript) evalFn {
	a := c.expr(e.Arg)
	n, eval := c.subscriptEval(e.Lower, e.Upper)
	b := newBounds(n)
	slice := e.Slice
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil || d.IsNull() {
			return datum.Null, err
		}
		ok, err := eval(ctx, st, row, b)
		if err != nil || !ok {
			return datum.Null, err
		}
		switch {
		case d.Kind() == datum.KindJSONB:
			return jsonPath(d.JSONB(), b.upper), nil
		case d.Kind() == datum.KindText:
			return nameByte(d.Text(), b.upper), nil
		case slice:
			return sliceArray(d.Array(), b), nil
		default:
			return element(d.Array(), b.upper), nil
		}
	}
}

// nameLength is the size of type name, which can be subscripted as an array of bytes from 0.
const nameLength = 64

func nameByte(name string, idx []datum.Datum) datum.Datum {
	k := idx[0].Int()
	switch {
	case len(idx) > 1 || k < 0 || k >= nameLength:
		return datum.Null
	case k >= int64(len(name)):
		return datum.NewText("")
	}
	return datum.NewText(name[k : k+1])
}

// element returns one element, NULL outside the array.
func element(a *datum.Array, idx []datum.Datum) datum.Datum {
	if len(idx) != len(a.Dims) {
		return datum.Null
	}
	at := int64(0)
	for i, d := range a.Dims {
		k := idx[i].Int() - int64(d.Lower)
		if k < 0 || k >= int64(d.Len) {
			return datum.Null
		}
		at = at*int64(d.Len) + k
	}
	return a.Elems[at]
}

// sliceArray returns the part of an array inside the bounds, with lower bounds 1.
func sliceArray(a *datum.Array, b *bounds) datum.Datum {
	empty := datum.NewArray(&datum.Array{ElemType: a.ElemType})
	if len(b.upper) > len(a.Dims) || len(a.Dims) == 0 {
		return empty
	}
	from, dims := make([]int64, len(a.Dims)), make([]datum.ArrayDim, len(a.Dims))
	for i, d := range a.Dims {
		lo, hi := int64(d.Lower), int64(d.Lower)+int64(d.Len)-1
		if i < len(b.upper) {
			if b.hasLow[i] {
				lo = max(lo, b.lower[i].Int())
			}
			if b.hasUpper[i] {
				hi = min(hi, b.upper[i].Int())
			}
		}
		if lo > hi {
			return empty
		}
		from[i], dims[i] = lo-int64(d.Lower), datum.ArrayDim{Len: int32(hi - lo + 1), Lower: 1}
	}
	out := &datum.Array{ElemType: a.ElemType, Dims: dims}
	eachIndex(dims, func(idx []int64) {
		at := int64(0)
		for i, d := range a.Dims {
			at = at*int64(d.Len) + from[i] + idx[i]
		}
		out.Elems = append(out.Elems, a.Elems[at])
	})
	return datum.NewArray(out)
}

// eachIndex calls f with every index of a shape, in row-major order.
func eachIndex(dims []datum.ArrayDim, f func(idx []int64)) {
	idx := make([]int64, len(dims))
	for {
		f(idx)
		i := len(dims) - 1
		for ; i >= 0; i-- {
			if idx[i]++; idx[i] < int64(dims[i].Len) {
				break
			}
			idx[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// jsonPath follows subscripts into a jsonb: texts are keys, integers positions (negative from the end).
func jsonPath(j *datum.JSONB, path []datum.Datum) datum.Datum {
	for _, p := range path {
		switch j.Kind {
		case datum.JSONObject:
			if p.Kind() != datum.KindText {
				return datum.Null
			}
			j = jsonMember(j, p.Text())
		case datum.JSONArray:
			k, ok := jsonPosition(p, len(j.Elems))
			if !ok {
				return datum.Null
			}
			j = &j.Elems[k]
		default:
			return datum.Null
		}
		if j == nil {
			return datum.Null
		}
	}
	return datum.NewJSONB(j)
}

func jsonMember(j *datum.JSONB, key string) *datum.JSONB {
	for i := range j.Pairs {
		if j.Pairs[i].Key == key {
			return &j.Pairs[i].Value
		}
	}
	return nil
}

func jsonPosition(p datum.Datum, n int) (int, bool) {
	var k int64
	if p.Kind() == datum.KindText {
		neg := false
		s := p.Text()
		if s != "" && s[0] == '-' {
			neg, s = true, s[1:]
		}
		if s == "" || len(s) > 9 {
			return 0, false
		}
		for _, ch := range []byte(s) {
			if ch < '0' || ch > '9' {
				return 0, false
			}
			k = k*10 + int64(ch-'0')
		}
		if neg {
			k = -k
		}
	} else {
		k = p.Int()
	}
	if k < 0 {
		k += int64(n)
	}
	return int(k), k >= 0 && k < int64(n)
}

func (c *compiler) arrayAssign(e *plan.ArrayAssign) evalFn {
	a, v := c.expr(e.Arg), c.expr(e.Value)
	n, eval := c.subscriptEval(e.Lower, e.Upper)
	b := newBounds(n)
	elem := c.facts.BaseElementType(e.Typ.OID)
	slice := e.Slice
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		ok, err := eval(ctx, st, row, b)
		if err != nil {
			return datum.Null, err
		}
		if !ok {
			what := "array"
			if elem == 0 {
				what = "jsonb"
			}
			return datum.Null, failure.New(failure.NullValueNotAllowed, "%s subscript in assignment must not be null", what)
		}
		val, err := v(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		if elem == 0 {
			return assignJSON(d, b.upper, val)
		}
		old := &datum.Array{ElemType: elem}
		if !d.IsNull() {
			old = d.Array()
		}
		if slice {
			return assignSlice(old, b, val)
		}
		return assignElement(old, b.upper, val)
	}
}

// assignElement returns the array with one element replaced; one-dimensional arrays grow.
func assignElement(a *datum.Array, idx []datum.Datum, v datum.Datum) (datum.Datum, error) {
	if len(a.Dims) == 0 {
		out := &datum.Array{ElemType: a.ElemType, Elems: []datum.Datum{v}}
		for _, k := range idx {
			out.Dims = append(out.Dims, datum.ArrayDim{Len: 1, Lower: int32(k.Int())})
		}
		return datum.NewArray(out), nil
	}
	if len(idx) != len(a.Dims) {
		return datum.Null, failure.New(failure.ArraySubscriptError, "wrong number of array subscripts")
	}
	if len(idx) == 1 {
		out, err := grown(a, idx[0].Int(), idx[0].Int())
		if err != nil {
			return datum.Null, err
		}
		out.Elems[idx[0].Int()-int64(out.Dims[0].Lower)] = v
		return datum.NewArray(out), nil
	}
	out := &datum.Array{ElemType: a.ElemType, Dims: a.Dims, Elems: append([]datum.Datum(nil), a.Elems...)}
	at := int64(0)
	for i, d := range a.Dims {
		k := idx[i].Int() - int64(d.Lower)
		if k < 0 || k >= int64(d.Len) {
			return datum.Null, failure.New(failure.ArraySubscriptError, "array subscript out of range")
		}
		at = at*int64(d.Len) + k
	}
	out.Elems[at] = v
	return datum.NewArray(out), nil
}

// maxArray is PostgreSQL's bound on the number of elements of an array.
const maxArray = 134217727

// grown returns a copy of a one-dimensional array that has the positions lo to hi, NULL where it had none.
func grown(a *datum.Array, lo, hi int64) (*datum.Array, error) {
	d := a.Dims[0]
	first, last := min(lo, int64(d.Lower)), max(hi, int64(d.Lower)+int64(d.Len)-1)
	if last-first+1 > maxArray {
		return nil, failure.New(failure.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArray)
	}
	out := &datum.Array{ElemType: a.ElemType, Dims: []datum.ArrayDim{{Len: int32(last - first + 1), Lower: int32(first)}}}
	out.Elems = make([]datum.Datum, last-first+1)
	copy(out.Elems[int64(d.Lower)-first:], a.Elems)
	return out, nil
}

func assignSlice(a *datum.Array, b *bounds, v datum.Datum) (datum.Datum, error) {
	if v.IsNull() {
		return datum.NewArray(a), nil
	}
	if len(b.upper) != 1 || len(a.Dims) > 1 {
		return datum.Null, failure.NotSupported("assignment to a slice of a multidimensional array is")
	}
	src := v.Array()
	if len(a.Dims) == 0 {
		a = &datum.Array{ElemType: a.ElemType, Dims: []datum.ArrayDim{{Len: 0, Lower: 1}}}
		if b.hasLow[0] {
			a.Dims[0].Lower = int32(b.lower[0].Int())
		}
	}
	lo, hi := int64(a.Dims[0].Lower), int64(a.Dims[0].Lower)+int64(a.Dims[0].Len)-1
	if b.hasLow[0] {
		lo = b.lower[0].Int()
	}
	if b.hasUpper[0] {
		hi = b.upper[0].Int()
	}
	if lo > hi {
		return datum.Null, failure.New(failure.ArraySubscriptError, "upper bound cannot be less than lower bound")
	}
	if int64(len(src.Elems)) < hi-lo+1 {
		return datum.Null, failure.New(failure.ArraySubscriptError, "source array too small")
	}
	out, err := grown(a, lo, hi)
	if err != nil {
		return datum.Null, err
	}
	copy(out.Elems[lo-int64(out.Dims[0].Lower):], src.Elems[:hi-lo+1])
	return datum.NewArray(out), nil
}

func (c *compiler) fieldSelect(e *plan.FieldSelect) evalFn {
	a, i := c.expr(e.Arg), e.Index
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil || d.IsNull() || i >= len(d.Record().Values) {
			return datum.Null, err
		}
		return d.Record().Values[i], nil
	}
}

func (c *compiler) fieldAssign(e *plan.FieldAssign) evalFn {
	a, v, i := c.expr(e.Arg), c.expr(e.Value), e.Index
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		val, err := v(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		if d.IsNull() {
			return datum.Null, failure.NotSupported("assignment to a field of a composite value that is null")
		}
		old := d.Record()
		out := &datum.Record{Types: old.Types, Names: old.Names, Values: append([]datum.Datum(nil), old.Values...)}
		out.Values[i] = val
		return datum.NewRecord(out), nil
	}
}
