package builtin

import (
	"math"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerAggOrdered registers the ordered-set and hypothetical-set aggregates. Their input arrives sorted.
func registerAggOrdered(r *registry) {
	r.agg["percentile_disc(float8,anyelement)"] = percentile(false, false)
	r.agg["percentile_cont(float8,float8)"] = percentile(true, false)
	r.agg["percentile_cont(float8,interval)"] = percentile(true, false)
	r.agg["percentile_disc(_float8,anyelement)"] = percentile(false, true)
	r.agg["percentile_cont(_float8,float8)"] = percentile(true, true)
	r.agg["percentile_cont(_float8,interval)"] = percentile(true, true)
	r.simpleAgg("mode", func() AggState { return &modeState{} })
	for _, name := range []string{"rank", "dense_rank", "percent_rank", "cume_dist"} {
		r.agg[name] = func(call *Call) (Aggregate, error) {
			order := call.Order
			return aggFunc(func() AggState { return &hypothetical{name: name, order: order} }), nil
		}
	}
}

// sortedState keeps the sorted input that is not NULL.
type sortedState struct {
	vals []datum.Datum
	size int
	fin  func(s *sortedState, direct datum.Datum) (datum.Datum, error)
}

// Add implements AggState.
func (s *sortedState) Add(_ *Context, args []datum.Datum) error {
	if !args[0].IsNull() {
		s.vals = append(s.vals, args[0])
		s.size += 24 + datumSize(args[0])
	}
	return nil
}

// Result implements AggState.
func (s *sortedState) Result(_ *Context, direct []datum.Datum) (datum.Datum, error) {
	if direct[0].IsNull() {
		return datum.Null, nil
	}
	return s.fin(s, direct[0])
}

// Size implements AggState.
func (s *sortedState) Size() int { return 64 + s.size }

func checkPercentile(p float64) error {
	if p < 0 || p > 1 || p != p {
		return failure.New(failure.NumericValueOutOfRange, "percentile value %s is not between 0 and 1", formatG(p))
	}
	return nil
}

func percentile(cont, many bool) AggImpl {
	return func(call *Call) (Aggregate, error) {
		elem := call.argType(len(call.Args) - 1)
		one := func(s *sortedState, p datum.Datum) (datum.Datum, error) {
			if p.IsNull() {
				return datum.Null, nil
			}
			if err := checkPercentile(p.Float()); err != nil {
				return datum.Null, err
			}
			if len(s.vals) == 0 {
				return datum.Null, nil
			}
			if cont {
				return interpolate(s.vals, p.Float())
			}
			i := int(math.Ceil(p.Float() * float64(len(s.vals))))
			return s.vals[max(i, 1)-1], nil
		}
		fin := one
		if many {
			fin = func(s *sortedState, p datum.Datum) (datum.Datum, error) {
				if len(s.vals) == 0 {
					return datum.Null, nil
				}
				a := *p.Array()
				out := make([]datum.Datum, len(a.Elems))
				for i, e := range a.Elems {
					v, err := one(s, e)
					if err != nil {
						return datum.Null, err
					}
					out[i] = v
				}
				return datum.NewArray(&datum.Array{ElemType: elem, Dims: a.Dims, Elems: out}), nil
			}
		}
		return aggFunc(func() AggState { return &sortedState{fin: fin} }), nil
	}
}

// interpolate is percentile_cont between the two rows around the place.
func interpolate(vals []datum.Datum, p float64) (datum.Datum, error) {
	at := p * float64(len(vals)-1)
	lo, hi := math.Floor(at), math.Ceil(at)
	a, b := vals[int(lo)], vals[int(hi)]
	if lo == hi {
		return a, nil
	}
	if a.Kind() == datum.KindInterval {
		return lerpInterval(a, b, at-lo)
	}
	x, y := a.Float(), b.Float()
	return datum.NewFloat(x + (at-lo)*(y-x)), nil
}

// modeState finds the most frequent value, the first in order among equals.
type modeState struct {
	best, last   datum.Datum
	bestN, lastN int64
}

// Add implements AggState.
func (s *modeState) Add(_ *Context, args []datum.Datum) error {
	v := args[0]
	if v.IsNull() {
		return nil
	}
	if s.lastN > 0 && datum.Equal(v, s.last) {
		s.lastN++
	} else {
		s.last, s.lastN = v, 1
	}
	if s.lastN > s.bestN {
		s.best, s.bestN = s.last, s.lastN
	}
	return nil
}

// Result implements AggState.
func (s *modeState) Result(*Context, []datum.Datum) (datum.Datum, error) { return s.best, nil }

// Size implements AggState.
func (s *modeState) Size() int { return 80 + datumSize(s.best) + datumSize(s.last) }

// hypothetical is rank and its kin of a row that is not there.
type hypothetical struct {
	name  string
	order []SortKey
	rows  [][]datum.Datum
	size  int
}

// Add implements AggState.
func (s *hypothetical) Add(_ *Context, args []datum.Datum) error {
	s.rows = append(s.rows, append([]datum.Datum(nil), args...))
	for _, a := range args {
		s.size += 24 + datumSize(a)
	}
	return nil
}

// Size implements AggState.
func (s *hypothetical) Size() int { return 64 + 24*len(s.rows) + s.size }

func (s *hypothetical) compare(a, b []datum.Datum) int {
	for i := range a {
		var k SortKey
		if i < len(s.order) {
			k = s.order[i]
		}
		an, bn := a[i].IsNull(), b[i].IsNull()
		c := 0
		switch {
		case an && bn:
		case an || bn:
			if c = 1; an == k.NullsFirst {
				c = -1
			}
		default:
			if c = comparator(k.Type.OID)(a[i], b[i]); k.Desc {
				c = -c
			}
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// Result implements AggState.
func (s *hypothetical) Result(_ *Context, direct []datum.Datum) (datum.Datum, error) {
	var before, equal, distinct int64
	for i, row := range s.rows {
		switch c := s.compare(row, direct); {
		case c < 0:
			before++
			if i == 0 || s.compare(s.rows[i-1], row) != 0 {
				distinct++
			}
		case c == 0:
			equal++
		}
	}
	n := float64(len(s.rows))
	switch s.name {
	case "rank":
		return datum.NewInt(before + 1), nil
	case "dense_rank":
		return datum.NewInt(distinct + 1), nil
	case "percent_rank":
		if n == 0 {
			return datum.NewFloat(0), nil
		}
		return datum.NewFloat(float64(before) / n), nil
	}
	return datum.NewFloat(float64(before+equal+1) / (n + 1)), nil
}
