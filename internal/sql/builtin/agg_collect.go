package builtin

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// arrayAgg collects values, NULLs included, into an array; arrays into an array of one more dimension.
func arrayAgg(call *Call) (Aggregate, error) {
	t := call.argType(0)
	if call.Facts != nil {
		if el := call.Facts.BaseElementType(t); el != 0 {
			return aggFunc(func() AggState { return &arrayAggState{elem: el, nested: true} }), nil
		}
	}
	return aggFunc(func() AggState { return &arrayAggState{elem: t} }), nil
}

type arrayAggState struct {
	elem   OID
	nested bool
	some   bool
	dims   []datum.ArrayDim // of the nested arrays
	vals   []datum.Datum
	rows   int32
	size   int
}

// Add implements AggState.
func (s *arrayAggState) Add(_ *Context, args []datum.Datum) error {
	v := args[0]
	if s.nested {
		return s.addArray(v)
	}
	s.some = true
	s.vals = append(s.vals, v)
	s.size += datumSize(v)
	return nil
}

func (s *arrayAggState) addArray(v datum.Datum) error {
	if v.IsNull() {
		return failure.New(failure.NullValueNotAllowed, "cannot accumulate null arrays")
	}
	a := v.Array()
	if len(a.Dims) == 0 {
		return failure.New(failure.ArraySubscriptError, "cannot accumulate empty arrays")
	}
	if !s.some {
		s.dims = a.Dims
	} else if !sameLens(s.dims, a.Dims) {
		return failure.New(failure.ArraySubscriptError, "cannot accumulate arrays of different dimensionality")
	}
	s.some = true
	s.rows++
	s.vals = append(s.vals, a.Elems...)
	s.size += datumSize(v)
	return nil
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

// Merge implements Merger.
func (s *arrayAggState) Merge(_ *Context, other AggState) error {
	o := other.(*arrayAggState)
	if !o.some {
		return nil
	}
	if s.nested && s.some && !sameLens(s.dims, o.dims) {
		return failure.New(failure.ArraySubscriptError, "cannot accumulate arrays of different dimensionality")
	}
	s.some, s.dims = true, o.dims
	s.vals, s.rows, s.size = append(s.vals, o.vals...), s.rows+o.rows, s.size+o.size
	return nil
}

// Result implements AggState.
func (s *arrayAggState) Result(*Context, []datum.Datum) (datum.Datum, error) {
	if !s.some {
		return datum.Null, nil
	}
	vals := s.vals[:len(s.vals):len(s.vals)]
	if !s.nested {
		return datum.NewArray1(s.elem, vals), nil
	}
	dims := append([]datum.ArrayDim{{Len: s.rows, Lower: 1}}, s.dims...)
	if len(dims) > datum.MaxDims {
		return datum.Null, failure.New(failure.ProgramLimitExceeded,
			"number of array dimensions (%d) exceeds the maximum allowed (%d)", len(dims), datum.MaxDims)
	}
	return datum.NewArray(&datum.Array{ElemType: s.elem, Dims: dims, Elems: vals}), nil
}

// Size implements AggState.
func (s *arrayAggState) Size() int { return 96 + 24*cap(s.vals) + s.size }

// stringAgg concatenates texts or byte strings with delimiters; the first row's delimiter is not used.
func stringAgg(call *Call) (Aggregate, error) {
	bytes := call.argType(0) == datum.OIDBytea
	return aggFunc(func() AggState { return &stringAggState{bytes: bytes} }), nil
}

type stringAggState struct {
	buf   []byte
	first int // length of the first delimiter, which leads buf
	some  bool
	bytes bool
}

// Add implements AggState.
func (s *stringAggState) Add(_ *Context, args []datum.Datum) error {
	if args[0].IsNull() {
		return nil
	}
	if !args[1].IsNull() {
		if !s.some {
			s.first = len(args[1].Text())
		}
		s.buf = append(s.buf, args[1].Text()...)
	}
	s.some = true
	s.buf = append(s.buf, args[0].Text()...)
	if len(s.buf) > maxTextBytes {
		return tooLong()
	}
	return nil
}

// Merge implements Merger.
func (s *stringAggState) Merge(_ *Context, other AggState) error {
	o := other.(*stringAggState)
	if !o.some {
		return nil
	}
	if !s.some {
		s.first = o.first
	}
	s.some = true
	s.buf = append(s.buf, o.buf...)
	return nil
}

// Result implements AggState.
func (s *stringAggState) Result(*Context, []datum.Datum) (datum.Datum, error) {
	if !s.some {
		return datum.Null, nil
	}
	out := string(s.buf[s.first:])
	if s.bytes {
		return datum.NewBytes([]byte(out)), nil
	}
	return datum.NewText(out), nil
}

// Size implements AggState.
func (s *stringAggState) Size() int { return 48 + cap(s.buf) }
