package builtin

import (
	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
)

// newNumeric wraps the result of a numeric kernel.
func newNumeric(d *apd.Decimal, err error) (datum.Datum, error) {
	if err != nil {
		return datum.Null, err
	}
	return datum.NewNumeric(d), nil
}

func divNumeric(a, b *apd.Decimal) (datum.Datum, error) { return newNumeric(datum.NumericDiv(a, b)) }

// registerNumeric registers numeric arithmetic and mathematics, whose work is package datum's.
func registerNumeric(r *registry) {
	two := func(name string, f func(a, b *apd.Decimal) (*apd.Decimal, error)) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return newNumeric(f(a[0].Numeric(), a[1].Numeric()))
		}
	}
	one := func(name string, f func(d *apd.Decimal) (*apd.Decimal, error)) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return newNumeric(f(a[0].Numeric())) }
	}
	sure := func(f func(d *apd.Decimal) *apd.Decimal) func(d *apd.Decimal) (*apd.Decimal, error) {
		return func(d *apd.Decimal) (*apd.Decimal, error) { return f(d), nil }
	}
	two("numeric_add", datum.NumericAdd)
	two("numeric_sub", datum.NumericSub)
	two("numeric_mul", datum.NumericMul)
	two("numeric_div", datum.NumericDiv)
	two("numeric_mod", datum.NumericMod)
	two("numeric_div_trunc", datum.NumericDivTrunc)
	two("numeric_gcd", datum.NumericGCD)
	two("numeric_lcm", datum.NumericLCM)
	two("numeric_log", datum.NumericLog)
	two("numeric_power", datum.NumericPower)
	one("numeric_uminus", sure(datum.NumericNeg))
	one("numeric_abs", sure(datum.NumericAbs))
	one("numeric_sign", sure(datum.NumericSign))
	one("numeric_trim_scale", sure(datum.NumericTrimScale))
	one("numeric_ceil", datum.NumericCeil)
	one("numeric_floor", datum.NumericFloor)
	one("numeric_sqrt", datum.NumericSqrt)
	one("numeric_exp", datum.NumericExp)
	one("numeric_ln", datum.NumericLn)
	one("numeric_inc", func(d *apd.Decimal) (*apd.Decimal, error) { return datum.NumericAdd(d, apd.New(1, 0)) })
	log10 := func(d *apd.Decimal) (*apd.Decimal, error) { return datum.NumericLog(apd.New(10, 0), d) }
	one("log(numeric)", log10)
	one("log10(numeric)", log10)
	one("round(numeric)", func(d *apd.Decimal) (*apd.Decimal, error) { return datum.NumericRound(d, 0) })
	one("trunc(numeric)", sure(func(d *apd.Decimal) *apd.Decimal { return datum.NumericTrunc(d, 0) }))
	r.numericScales()
	r.numericSeries()
}

func (r *registry) numericScales() {
	// PostgreSQL limits the scale before it looks at the number.
	scale := func(a []datum.Datum) int { return int(max(min(a[1].Int(), 16383), -131072)) }
	r.impl["numeric_round"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newNumeric(datum.NumericRound(a[0].Numeric(), scale(a)))
	}
	r.impl["numeric_trunc"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewNumeric(datum.NumericTrunc(a[0].Numeric(), scale(a))), nil
	}
	r.impl["numeric_scale"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].Numeric().Form != apd.Finite {
			return datum.Null, nil
		}
		return datum.NewInt(int64(datum.NumericScale(a[0].Numeric()))), nil
	}
	r.impl["numeric_min_scale"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		n, ok := datum.NumericMinScale(a[0].Numeric())
		if !ok {
			return datum.Null, nil
		}
		return datum.NewInt(int64(n)), nil
	}
	r.impl["numeric_fac"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newNumeric(datum.NumericFactorial(a[0].Int()))
	}
	r.impl["width_bucket_numeric"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		n, err := datum.NumericWidthBucket(a[0].Numeric(), a[1].Numeric(), a[2].Numeric(), a[3].Int())
		return datum.NewInt(n), err
	}
}

// numericRows is generate_series of numerics.
type numericRows struct {
	next, stop, step *apd.Decimal
	row              [1]datum.Datum
}

// Next implements RowIter.
func (s *numericRows) Next(*Context) ([]datum.Datum, error) {
	if c := datum.CompareNumeric(s.next, s.stop); s.next == nil || c > 0 && !s.step.Negative || c < 0 && s.step.Negative {
		return nil, nil
	}
	s.row[0] = datum.NewNumeric(s.next)
	next, err := datum.NumericAdd(s.next, s.step)
	if err != nil {
		return nil, err
	}
	s.next = next
	return s.row[:], nil
}

func (r *registry) numericSeries() {
	series := func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		step := apd.New(1, 0)
		if len(a) > 2 {
			step = a[2].Numeric()
		}
		bad := func(what string, d *apd.Decimal) error {
			switch {
			case d.Form == apd.Infinite:
				return badSeries(what + " cannot be infinity")
			case d.Form != apd.Finite:
				return badSeries(what + " cannot be NaN")
			}
			return nil
		}
		for _, arg := range []struct {
			name string
			d    *apd.Decimal
		}{{"start value", a[0].Numeric()}, {"stop value", a[1].Numeric()}, {"step size", step}} {
			if err := bad(arg.name, arg.d); err != nil {
				return nil, err
			}
		}
		if step.IsZero() {
			return nil, zeroStep()
		}
		return &numericRows{next: a[0].Numeric(), stop: a[1].Numeric(), step: step}, nil
	}
	r.set["generate_series_numeric"], r.set["generate_series_step_numeric"] = series, series
}
