package builtin

import (
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
)

// registerAggNumeric registers sums, averages and the variance family of exact numbers.
func registerAggNumeric(r *registry) {
	r.simpleAgg("sum(numeric)", func() AggState { return &numericStats{final: numericSum} })
	r.simpleAgg("avg(numeric)", func() AggState { return &numericStats{final: numericAvg} })
	for _, t := range []string{"int2", "int4", "int8", "numeric"} {
		for name, f := range map[string]func(*numericStats) (datum.Datum, error){
			"var_pop": variance(false, false), "var_samp": variance(true, false), "variance": variance(true, false),
			"stddev_pop": variance(false, true), "stddev_samp": variance(true, true), "stddev": variance(true, true),
		} {
			r.simpleAgg(name+"("+t+")", func() AggState { return &numericStats{squares: true, final: f} })
		}
	}
}

// numericStats adds exact numbers, and their squares when asked, in place at the greatest scale so far.
type numericStats struct {
	n       int64 // finite numbers
	scale   int32 // of sum; twice this for the squares
	sum     big.Int
	sum2    big.Int
	tmp     big.Int
	squares bool
	nan     int64
	pos     int64 // infinities
	neg     int64
	final   func(*numericStats) (datum.Datum, error)
}

// pow10 returns 10^n.
func pow10(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// rescale makes room for more digits.
func (s *numericStats) rescale(scale int32) {
	if scale <= s.scale {
		return
	}
	f := pow10(scale - s.scale)
	s.sum.Mul(&s.sum, f)
	s.sum2.Mul(&s.sum2, f)
	s.sum2.Mul(&s.sum2, f)
	s.scale = scale
}

func (s *numericStats) change(d datum.Datum, sign int64) {
	if d.Kind() == datum.KindInt {
		s.tmp.SetInt64(d.Int())
		s.finite(0, sign)
		return
	}
	v := d.Numeric()
	switch {
	case v.Form == apd.Finite:
	case v.Form != apd.Infinite:
		s.nan += sign
		return
	case v.Negative:
		s.neg += sign
		return
	default:
		s.pos += sign
		return
	}
	s.tmp.Set(v.Coeff.MathBigInt())
	if v.Negative {
		s.tmp.Neg(&s.tmp)
	}
	if v.Exponent > 0 {
		s.tmp.Mul(&s.tmp, pow10(v.Exponent))
	}
	s.finite(max(-v.Exponent, 0), sign)
}

// finite adds (or takes away) tmp, which has a scale.
func (s *numericStats) finite(scale int32, sign int64) {
	s.rescale(scale)
	if scale < s.scale {
		s.tmp.Mul(&s.tmp, pow10(s.scale-scale))
	}
	s.n += sign
	if sign > 0 {
		s.sum.Add(&s.sum, &s.tmp)
	} else {
		s.sum.Sub(&s.sum, &s.tmp)
	}
	if s.squares {
		s.tmp.Mul(&s.tmp, &s.tmp)
		if sign > 0 {
			s.sum2.Add(&s.sum2, &s.tmp)
		} else {
			s.sum2.Sub(&s.sum2, &s.tmp)
		}
	}
}

// Add implements AggState.
func (s *numericStats) Add(_ *Context, args []datum.Datum) error {
	if !args[0].IsNull() {
		s.change(args[0], 1)
	}
	return nil
}

// Merge implements Merger.
func (s *numericStats) Merge(_ *Context, other AggState) error {
	o := other.(*numericStats)
	s.rescale(o.scale)
	o.rescale(s.scale)
	s.sum.Add(&s.sum, &o.sum)
	s.sum2.Add(&s.sum2, &o.sum2)
	s.n, s.nan, s.pos, s.neg = s.n+o.n, s.nan+o.nan, s.pos+o.pos, s.neg+o.neg
	return nil
}

// Result implements AggState.
func (s *numericStats) Result(*Context, []datum.Datum) (datum.Datum, error) { return s.final(s) }

// Size implements AggState.
func (s *numericStats) Size() int {
	return 160 + 8*(cap(s.sum.Bits())+cap(s.sum2.Bits())+cap(s.tmp.Bits()))
}

func (s *numericStats) rows() int64 { return s.n + s.nan + s.pos + s.neg }

// special is the sum when it is not finite, nil when it is.
func (s *numericStats) special() *apd.Decimal {
	switch {
	case s.nan > 0 || s.pos > 0 && s.neg > 0:
		return &apd.Decimal{Form: apd.NaN}
	case s.pos > 0:
		return &apd.Decimal{Form: apd.Infinite}
	case s.neg > 0:
		return &apd.Decimal{Form: apd.Infinite, Negative: true}
	}
	return nil
}

// decimal makes a numeric of an integer and a scale.
func decimal(v *big.Int, scale int32) *apd.Decimal {
	d := &apd.Decimal{Exponent: -scale, Negative: v.Sign() < 0}
	d.Coeff.SetMathBigInt(new(big.Int).Abs(v))
	return d
}

func numericSum(s *numericStats) (datum.Datum, error) {
	if s.rows() == 0 {
		return datum.Null, nil
	}
	if d := s.special(); d != nil {
		return datum.NewNumeric(d), nil
	}
	return datum.NewNumeric(decimal(&s.sum, s.scale)), nil
}

func numericAvg(s *numericStats) (datum.Datum, error) {
	if s.rows() == 0 {
		return datum.Null, nil
	}
	if d := s.special(); d != nil {
		return datum.NewNumeric(d), nil
	}
	return divNumeric(decimal(&s.sum, s.scale), apd.New(s.n, 0))
}

// variance is (n·Σx² − (Σx)²) / n², or / n(n−1) for a sample; its root for the standard deviation.
func variance(sample, root bool) func(*numericStats) (datum.Datum, error) {
	return func(s *numericStats) (datum.Datum, error) {
		if s.rows() == 0 || sample && s.rows() <= 1 {
			return datum.Null, nil
		}
		if s.special() != nil {
			return datum.NewNumeric(&apd.Decimal{Form: apd.NaN}), nil
		}
		n := big.NewInt(s.n)
		top := new(big.Int).Mul(n, &s.sum2)
		top.Sub(top, new(big.Int).Mul(&s.sum, &s.sum))
		if top.Sign() <= 0 {
			return datum.NewNumeric(apd.New(0, 0)), nil
		}
		bottom := new(big.Int).Mul(n, n)
		if sample {
			bottom.Sub(bottom, n)
		}
		v, err := datum.NumericDiv(decimal(top, 2*s.scale), decimal(bottom, 0))
		if err != nil || !root {
			return newNumeric(v, err)
		}
		return datum.NewNumeric(rootAtScale(v)), nil
	}
}

// rootAtScale is the square root, rounded at the scale of its argument.
func rootAtScale(d *apd.Decimal) *apd.Decimal {
	scale := -d.Exponent
	v := new(big.Int).Mul(d.Coeff.MathBigInt(), pow10(scale))
	root := new(big.Int).Sqrt(v)
	rest := new(big.Int).Sub(v, new(big.Int).Mul(root, root))
	if rest.Cmp(root) > 0 {
		root.Add(root, big.NewInt(1))
	}
	return decimal(root, scale)
}
