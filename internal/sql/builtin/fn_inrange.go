package builtin

import (
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

func badFrameOffset() error {
	return failure.New(failure.InvalidPrecedingOrFollowingSize, "invalid preceding or following size in window function")
}

// registerInRange registers the support functions of RANGE frames with offsets: in_range(value, base, offset, sub,
// less) says whether value ≤ (less) or ≥ base ± offset, without overflowing.
func registerInRange(r *registry) {
	within := func(c int, less bool) datum.Datum {
		if less {
			return datum.NewBool(c <= 0)
		}
		return datum.NewBool(c >= 0)
	}
	ints := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		v, base, off, sub, less := a[0].Int(), a[1].Int(), a[2].Int(), a[3].Bool(), a[4].Bool()
		if off < 0 {
			return datum.Null, badFrameOffset()
		}
		sum := base + off
		if sub {
			if sum = base - off; sum > base {
				return datum.NewBool(!less), nil
			}
		} else if sum < base {
			return datum.NewBool(less), nil
		}
		return within(compareInts(datum.NewInt(v), datum.NewInt(sum)), less), nil
	}
	for _, p := range []string{"int2_int2", "int2_int4", "int2_int8", "int4_int2", "int4_int4", "int4_int8", "int8_int8"} {
		r.impl["in_range_"+p] = ints
	}
	r.impl["in_range_float8_float8"], r.impl["in_range_float4_float8"] = inRangeFloat, inRangeFloat
	r.impl["in_range_numeric_numeric"] = inRangeNumeric
	moments := func(name string, plus Impl, convert func(c *Context, d datum.Datum) (datum.Datum, error)) {
		r.impl[name] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
			off := a[2].Interval()
			if k := a[0].Kind(); k == datum.KindTime || k == datum.KindTimeTZ {
				off.Months, off.Days = 0, 0
			}
			if datum.CompareInterval(off, datum.Interval{}) < 0 {
				return datum.Null, badFrameOffset()
			}
			if a[3].Bool() {
				var err error
				if off, err = datum.IntervalNeg(off); err != nil {
					return datum.Null, err
				}
			}
			v, err := convert(c, a[0])
			if err != nil {
				return datum.Null, err
			}
			base, err := convert(c, a[1])
			if err != nil {
				return datum.Null, err
			}
			sum, err := plus(c, []datum.Datum{base, datum.NewInterval(off)})
			if err != nil {
				return datum.Null, err
			}
			return within(datum.Compare(v, sum), a[4].Bool()), nil
		}
	}
	same := func(_ *Context, d datum.Datum) (datum.Datum, error) { return d, nil }
	moments("in_range_timestamp_interval", r.impl["timestamp_pl_interval"], same)
	moments("in_range_timestamptz_interval", r.impl["timestamptz_pl_interval"], same)
	moments("in_range_interval_interval", r.impl["interval_pl"], same)
	moments("in_range_date_interval", r.impl["timestamp_pl_interval"], func(_ *Context, d datum.Datum) (datum.Datum, error) {
		return newTimestamp(datum.DateToTimestamp(d.Int()))
	})
	// Times do not wrap around midnight here.
	moments("in_range_time_interval", func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewTime(a[0].Int() + a[1].Interval().Micros), nil
	}, same)
	moments("in_range_timetz_interval", func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		t := a[0].TimeTZ()
		t.Micros += a[1].Interval().Micros
		return datum.NewTimeTZ(t), nil
	}, same)
}

func inRangeFloat(_ *Context, a []datum.Datum) (datum.Datum, error) {
	v, base, off, sub, less := a[0].Float(), a[1].Float(), a[2].Float(), a[3].Bool(), a[4].Bool()
	if off != off || off < 0 {
		return datum.Null, badFrameOffset()
	}
	switch {
	case v != v:
		return datum.NewBool(base != base || !less), nil
	case base != base:
		return datum.NewBool(less), nil
	case math.IsInf(off, 0) && (sub && math.IsInf(base, 1) || !sub && math.IsInf(base, -1)):
		return datum.NewBool(true), nil
	}
	if sub {
		off = -off
	}
	if less {
		return datum.NewBool(v <= base+off), nil
	}
	return datum.NewBool(v >= base+off), nil
}

func inRangeNumeric(_ *Context, a []datum.Datum) (datum.Datum, error) {
	v, base, off, sub, less := a[0].Numeric(), a[1].Numeric(), a[2].Numeric(), a[3].Bool(), a[4].Bool()
	nan := func(d *apd.Decimal) bool { return d.Form != apd.Finite && d.Form != apd.Infinite }
	if nan(off) || off.Negative && !off.IsZero() {
		return datum.Null, badFrameOffset()
	}
	inf := func(d *apd.Decimal, neg bool) bool { return d.Form == apd.Infinite && d.Negative == neg }
	switch {
	case nan(v):
		return datum.NewBool(nan(base) || !less), nil
	case nan(base):
		return datum.NewBool(less), nil
	case off.Form == apd.Infinite && (sub && inf(base, false) || !sub && inf(base, true)):
		return datum.NewBool(true), nil
	}
	sum, err := datum.NumericAdd(base, off)
	if sub {
		sum, err = datum.NumericSub(base, off)
	}
	if err != nil {
		return datum.Null, err
	}
	if c := datum.CompareNumeric(v, sum); less {
		return datum.NewBool(c <= 0), nil
	} else {
		return datum.NewBool(c >= 0), nil
	}
}
