package builtin

import (
	"cmp"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// bound is one end of a range; a NULL value is infinite.
type bound struct {
	v     datum.Datum
	inc   bool
	lower bool
}

func lowerOf(r datum.Range) bound { return bound{r.Low, r.LowInc, true} }
func upperOf(r datum.Range) bound { return bound{r.High, r.HighInc, false} }

// compareBounds orders bounds as points on the line: an exclusive lower bound lies just above its value, an exclusive
// upper bound just below.
func compareBounds(a, b bound) int {
	side := func(x bound) int {
		if x.lower {
			return -1
		}
		return 1
	}
	switch {
	case a.v.IsNull() && b.v.IsNull():
		return cmp.Compare(side(a), side(b))
	case a.v.IsNull():
		return side(a)
	case b.v.IsNull():
		return -side(b)
	}
	if c := datum.Compare(a.v, b.v); c != 0 {
		return c
	}
	edge := func(x bound) int {
		if x.inc {
			return 0
		}
		return -side(x)
	}
	return cmp.Compare(edge(a), edge(b))
}

// registerRange registers functions on ranges; multiranges are not there.
func registerRange(r *registry) {
	r.rangeMake()
	r.rangeParts()
	r.rangeTests()
	r.rangeSets()
}

func (r *registry) rangeMake() {
	make := func(call *Call) (Impl, error) {
		oid := call.Ret.OID
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			flags := "[)"
			if len(a) > 2 {
				if a[2].IsNull() {
					return datum.Null, failure.New(failure.DataException, "range constructor flags argument must not be null")
				}
				flags = a[2].Text()
			}
			if len(flags) != 2 || flags[0] != '[' && flags[0] != '(' || flags[1] != ']' && flags[1] != ')' {
				return datum.Null, failure.New(failure.SyntaxError, "invalid range bound flags").
					WithHint(`Valid values are "[]", "[)", "(]", and "()".`)
			}
			return newRange(oid, datum.Range{Low: a[0], High: a[1], LowInc: flags[0] == '[', HighInc: flags[1] == ']'})
		}, nil
	}
	r.bind["range_constructor2"], r.bind["range_constructor3"] = make, make
	canonical := func(call *Call) (Impl, error) {
		oid := call.Ret.OID
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) { return newRange(oid, a[0].Range()) }, nil
	}
	for _, t := range []string{"int4range", "int8range", "daterange"} {
		r.bind[t+"_canonical"] = canonical
	}
	for _, t := range []string{"int4range", "int8range", "daterange"} {
		r.impl[t+"_subdiff"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewFloat(float64(a[0].Int()) - float64(a[1].Int())), nil
		}
	}
	for _, t := range []string{"tsrange", "tstzrange"} {
		r.impl[t+"_subdiff"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewFloat((float64(a[0].Int()) - float64(a[1].Int())) / 1e6), nil
		}
	}
	r.impl["numrange_subdiff"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		d, err := datum.NumericSub(a[0].Numeric(), a[1].Numeric())
		if err != nil {
			return datum.Null, err
		}
		f, err := datum.NumericToFloat(d, 64)
		return datum.NewFloat(f), err
	}
}

func newRange(oid OID, v datum.Range) (datum.Datum, error) {
	v, err := datum.MakeRange(oid, v)
	if err != nil {
		return datum.Null, err
	}
	return datum.NewRange(v), nil
}

func (r *registry) rangeParts() {
	part := func(name string, f func(v datum.Range) datum.Datum) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return f(a[0].Range()), nil }
	}
	part("range_lower", func(v datum.Range) datum.Datum { return v.Low })
	part("range_upper", func(v datum.Range) datum.Datum { return v.High })
	part("range_empty", func(v datum.Range) datum.Datum { return datum.NewBool(v.Empty) })
	part("range_lower_inc", func(v datum.Range) datum.Datum { return datum.NewBool(v.LowInc) })
	part("range_upper_inc", func(v datum.Range) datum.Datum { return datum.NewBool(v.HighInc) })
	part("range_lower_inf", func(v datum.Range) datum.Datum { return datum.NewBool(!v.Empty && v.Low.IsNull()) })
	part("range_upper_inf", func(v datum.Range) datum.Datum { return datum.NewBool(!v.Empty && v.High.IsNull()) })
}

func rangeHas(v datum.Range, x datum.Datum) bool {
	if v.Empty {
		return false
	}
	if !v.Low.IsNull() {
		if c := datum.Compare(v.Low, x); c > 0 || c == 0 && !v.LowInc {
			return false
		}
	}
	if !v.High.IsNull() {
		if c := datum.Compare(v.High, x); c < 0 || c == 0 && !v.HighInc {
			return false
		}
	}
	return true
}

func rangeContains(a, b datum.Range) bool {
	switch {
	case b.Empty:
		return true
	case a.Empty:
		return false
	}
	return compareBounds(lowerOf(a), lowerOf(b)) <= 0 && compareBounds(upperOf(a), upperOf(b)) >= 0
}

func rangesOverlap(a, b datum.Range) bool {
	return !a.Empty && !b.Empty && compareBounds(lowerOf(a), upperOf(b)) <= 0 && compareBounds(lowerOf(b), upperOf(a)) <= 0
}

func (r *registry) rangeTests() {
	r.impl["range_contains_elem"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(rangeHas(a[0].Range(), a[1])), nil
	}
	r.impl["elem_contained_by_range"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(rangeHas(a[1].Range(), a[0])), nil
	}
	test := func(name string, f func(a, b datum.Range) bool) {
		r.impl[name] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
			return datum.NewBool(f(x[0].Range(), x[1].Range())), nil
		}
	}
	some := func(f func(a, b datum.Range) bool) func(a, b datum.Range) bool {
		return func(a, b datum.Range) bool { return !a.Empty && !b.Empty && f(a, b) }
	}
	test("range_contains", rangeContains)
	test("range_contained_by", func(a, b datum.Range) bool { return rangeContains(b, a) })
	test("range_overlaps", rangesOverlap)
	test("range_before", some(func(a, b datum.Range) bool { return compareBounds(upperOf(a), lowerOf(b)) < 0 }))
	test("range_after", some(func(a, b datum.Range) bool { return compareBounds(lowerOf(a), upperOf(b)) > 0 }))
	test("range_overleft", some(func(a, b datum.Range) bool { return compareBounds(upperOf(a), upperOf(b)) <= 0 }))
	test("range_overright", some(func(a, b datum.Range) bool { return compareBounds(lowerOf(a), lowerOf(b)) >= 0 }))
	r.bind["range_adjacent"] = func(call *Call) (Impl, error) {
		oid := call.argType(0)
		return func(_ *Context, x []datum.Datum) (datum.Datum, error) {
			a, b := x[0].Range(), x[1].Range()
			if a.Empty || b.Empty {
				return datum.NewBool(false), nil
			}
			return datum.NewBool(adjacent(oid, upperOf(a), lowerOf(b)) || adjacent(oid, upperOf(b), lowerOf(a))), nil
		}, nil
	}
}

// adjacent says whether nothing lies between an upper bound and a lower bound, and they do not overlap.
func adjacent(oid OID, high, low bound) bool {
	if high.v.IsNull() || low.v.IsNull() {
		return false
	}
	switch c := datum.Compare(high.v, low.v); {
	case c == 0:
		return high.inc != low.inc
	case c > 0:
		return false
	}
	// Between two different values there is nothing only when the gap is an empty range of a discrete type.
	gap, err := datum.MakeRange(oid, datum.Range{Low: high.v, LowInc: !high.inc, High: low.v, HighInc: !low.inc})
	return err == nil && gap.Empty
}

func (r *registry) rangeSets() {
	two := func(name string, f func(oid OID, a, b datum.Range) (datum.Datum, error)) {
		r.bind[name] = func(call *Call) (Impl, error) {
			oid := call.argType(0)
			return func(_ *Context, x []datum.Datum) (datum.Datum, error) { return f(oid, x[0].Range(), x[1].Range()) }, nil
		}
	}
	empty := datum.NewRange(datum.Range{Empty: true})
	span := func(oid OID, a, b datum.Range) (datum.Datum, error) {
		switch {
		case a.Empty:
			return datum.NewRange(b), nil
		case b.Empty:
			return datum.NewRange(a), nil
		}
		low, high := lowerOf(a), upperOf(a)
		if compareBounds(lowerOf(b), low) < 0 {
			low = lowerOf(b)
		}
		if compareBounds(upperOf(b), high) > 0 {
			high = upperOf(b)
		}
		return newRange(oid, datum.Range{Low: low.v, LowInc: low.inc, High: high.v, HighInc: high.inc})
	}
	two("range_merge", span)
	two("range_union", func(oid OID, a, b datum.Range) (datum.Datum, error) {
		if !a.Empty && !b.Empty && !rangesOverlap(a, b) && !adjacent(oid, upperOf(a), lowerOf(b)) &&
			!adjacent(oid, upperOf(b), lowerOf(a)) {
			return datum.Null, failure.New(failure.DataException, "result of range union would not be contiguous")
		}
		return span(oid, a, b)
	})
	two("range_intersect", func(oid OID, a, b datum.Range) (datum.Datum, error) {
		if !rangesOverlap(a, b) {
			return empty, nil
		}
		low, high := lowerOf(a), upperOf(a)
		if compareBounds(lowerOf(b), low) > 0 {
			low = lowerOf(b)
		}
		if compareBounds(upperOf(b), high) < 0 {
			high = upperOf(b)
		}
		return newRange(oid, datum.Range{Low: low.v, LowInc: low.inc, High: high.v, HighInc: high.inc})
	})
	two("range_minus", func(oid OID, a, b datum.Range) (datum.Datum, error) {
		if !rangesOverlap(a, b) {
			return datum.NewRange(a), nil
		}
		left := compareBounds(lowerOf(a), lowerOf(b)) < 0
		right := compareBounds(upperOf(a), upperOf(b)) > 0
		switch {
		case left && right:
			return datum.Null, failure.New(failure.DataException, "result of range difference would not be contiguous")
		case left:
			return newRange(oid, datum.Range{Low: a.Low, LowInc: a.LowInc, High: b.Low, HighInc: !b.LowInc})
		case right:
			return newRange(oid, datum.Range{Low: b.High, LowInc: !b.HighInc, High: a.High, HighInc: a.HighInc})
		}
		return empty, nil
	})
	r.agg["range_intersect_agg(anyrange)"] = func(call *Call) (Aggregate, error) {
		f, err := r.bind["range_intersect"](call)
		return aggFunc(func() AggState { return &foldState{f: f} }), err
	}
}
