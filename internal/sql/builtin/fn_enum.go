package builtin

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerEnum registers the functions on enums. The comparisons are with the others: the values' bytes are in order.
func registerEnum(r *registry) {
	labels := func(call *Call) ([]datum.Datum, error) {
		if len(call.Args) > 0 {
			if t := call.Facts.TypeByOID(call.Facts.BaseType(call.Args[0].OID)); t != nil && len(t.Labels) > 0 {
				return t.Labels, nil
			}
		}
		return nil, failure.New(failure.FeatureNotSupported, "could not determine actual enum type")
	}
	one := func(pick func(n int) int) Bind {
		return func(call *Call) (Impl, error) {
			all, err := labels(call)
			if err != nil {
				return nil, err
			}
			v := all[pick(len(all))]
			return func(*Context, []datum.Datum) (datum.Datum, error) { return v, nil }, nil
		}
	}
	r.bind["enum_first"] = one(func(int) int { return 0 })
	r.bind["enum_last"] = one(func(n int) int { return n - 1 })
	r.bind["enum_range_all"] = func(call *Call) (Impl, error) {
		all, err := labels(call)
		if err != nil {
			return nil, err
		}
		v := enumArray(call.Args[0].OID, all)
		return func(*Context, []datum.Datum) (datum.Datum, error) { return v, nil }, nil
	}
	r.bind["enum_range_bounds"] = func(call *Call) (Impl, error) {
		all, err := labels(call)
		if err != nil {
			return nil, err
		}
		at := func(d datum.Datum, otherwise int) int {
			if d.IsNull() {
				return otherwise
			}
			return slices.IndexFunc(all, func(l datum.Datum) bool { return datum.Compare(l, d) == 0 })
		}
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			lo, hi := at(a[0], 0), at(a[1], len(all)-1)
			if lo < 0 || lo > hi {
				return enumArray(call.Args[0].OID, nil), nil
			}
			return enumArray(call.Args[0].OID, all[lo:hi+1]), nil
		}, nil
	}
}

func enumArray(elem OID, values []datum.Datum) datum.Datum {
	a := &datum.Array{ElemType: elem, Elems: values}
	if len(values) > 0 {
		a.Dims = []datum.ArrayDim{{Len: int32(len(values)), Lower: 1}}
	}
	return datum.NewArray(a)
}
