package builtin

import (
	"math"

	"github.com/meridiandb/meridian/internal/datum"
)

// registerAggFloat registers the statistics on floating-point numbers, by the Youngs-Cramer recurrences that
// PostgreSQL uses, so that rounding agrees.
func registerAggFloat(r *registry) {
	for _, t := range []string{"float4", "float8"} {
		size := 64
		if t == "float4" {
			size = 32
		}
		r.simpleAgg("sum("+t+")", func() AggState { return &sumFloat{size: size} })
		for name, f := range map[string]func(*floatStats) (float64, bool){
			"avg":      func(s *floatStats) (float64, bool) { return s.sx / s.n, s.n > 0 },
			"var_pop":  (*floatStats).varPop,
			"var_samp": (*floatStats).varSamp,
			"variance": (*floatStats).varSamp,
			"stddev_pop": func(s *floatStats) (float64, bool) {
				v, ok := s.varPop()
				return math.Sqrt(v), ok
			},
			"stddev_samp": stddevSamp,
			"stddev":      stddevSamp,
		} {
			r.simpleAgg(name+"("+t+")", func() AggState { return &floatStats{final: f} })
		}
	}
	r.regressions()
}

func stddevSamp(s *floatStats) (float64, bool) {
	v, ok := s.varSamp()
	return math.Sqrt(v), ok
}

// sumFloat is sum(float4) and sum(float8).
type sumFloat struct {
	sum  float64
	some bool
	size int
}

func (s *sumFloat) add(v float64) error {
	if !s.some {
		s.some, s.sum = true, v
		return nil
	}
	sum := s.sum + v
	if s.size == 32 {
		sum = float64(float32(sum))
	}
	if math.IsInf(sum, 0) && !math.IsInf(s.sum, 0) && !math.IsInf(v, 0) {
		return floatOverflow()
	}
	s.sum = sum
	return nil
}

// Add implements AggState.
func (s *sumFloat) Add(_ *Context, args []datum.Datum) error {
	if args[0].IsNull() {
		return nil
	}
	return s.add(args[0].Float())
}

// Merge implements Merger.
func (s *sumFloat) Merge(_ *Context, other AggState) error {
	if o := other.(*sumFloat); o.some {
		return s.add(o.sum)
	}
	return nil
}

// Result implements AggState.
func (s *sumFloat) Result(*Context, []datum.Datum) (datum.Datum, error) {
	if !s.some {
		return datum.Null, nil
	}
	return datum.NewFloat(s.sum), nil
}

// Size implements AggState.
func (s *sumFloat) Size() int { return 32 }

// floatStats keeps count, sum and sum of squared deviations.
type floatStats struct {
	n, sx, sxx float64
	final      func(*floatStats) (float64, bool)
}

// Add implements AggState.
func (s *floatStats) Add(_ *Context, args []datum.Datum) error {
	if args[0].IsNull() {
		return nil
	}
	x := args[0].Float()
	n, sx := s.n+1, s.sx+x
	sxx := s.sxx
	if s.n > 0 {
		t := x*n - sx
		sxx += t * t / (n * s.n)
		if math.IsInf(sx, 0) || math.IsInf(sxx, 0) {
			if !math.IsInf(s.sx, 0) && !math.IsInf(x, 0) {
				return floatOverflow()
			}
			sxx = math.NaN()
		}
	} else if x != x || math.IsInf(x, 0) {
		sxx = math.NaN()
	}
	s.n, s.sx, s.sxx = n, sx, sxx
	return nil
}

// Merge implements Merger.
func (s *floatStats) Merge(_ *Context, other AggState) error {
	o := other.(*floatStats)
	switch {
	case o.n == 0:
		return nil
	case s.n == 0:
		s.n, s.sx, s.sxx = o.n, o.sx, o.sxx
		return nil
	}
	n := s.n + o.n
	t := s.sx/s.n - o.sx/o.n
	s.sxx += o.sxx + s.n*o.n*t*t/n
	s.n, s.sx = n, s.sx+o.sx
	return nil
}

func (s *floatStats) varPop() (float64, bool)  { return s.sxx / s.n, s.n > 0 }
func (s *floatStats) varSamp() (float64, bool) { return s.sxx / (s.n - 1), s.n > 1 }

// Result implements AggState.
func (s *floatStats) Result(*Context, []datum.Datum) (datum.Datum, error) {
	v, ok := s.final(s)
	if !ok {
		return datum.Null, nil
	}
	return datum.NewFloat(v), nil
}

// Size implements AggState.
func (s *floatStats) Size() int { return 40 }

// regression keeps the sums of the two-argument statistics: Y is the first argument, X the second.
type regression struct {
	n, sx, sxx, sy, syy, sxy float64
	final                    func(*regression) (float64, bool)
}

func (r *registry) regressions() {
	for name, f := range map[string]func(*regression) (float64, bool){
		"regr_sxx":   func(s *regression) (float64, bool) { return s.sxx, s.n > 0 },
		"regr_syy":   func(s *regression) (float64, bool) { return s.syy, s.n > 0 },
		"regr_sxy":   func(s *regression) (float64, bool) { return s.sxy, s.n > 0 },
		"regr_avgx":  func(s *regression) (float64, bool) { return s.sx / s.n, s.n > 0 },
		"regr_avgy":  func(s *regression) (float64, bool) { return s.sy / s.n, s.n > 0 },
		"covar_pop":  func(s *regression) (float64, bool) { return s.sxy / s.n, s.n > 0 },
		"covar_samp": func(s *regression) (float64, bool) { return s.sxy / (s.n - 1), s.n > 1 },
		"corr": func(s *regression) (float64, bool) {
			return s.sxy / math.Sqrt(s.sxx*s.syy), s.n > 0 && s.sxx != 0 && s.syy != 0
		},
		"regr_r2": func(s *regression) (float64, bool) {
			if s.syy == 0 {
				return 1, s.n > 0 && s.sxx != 0
			}
			return s.sxy * s.sxy / (s.sxx * s.syy), s.n > 0 && s.sxx != 0
		},
		"regr_slope": func(s *regression) (float64, bool) { return s.sxy / s.sxx, s.n > 0 && s.sxx != 0 },
		"regr_intercept": func(s *regression) (float64, bool) {
			return (s.sy - s.sx*s.sxy/s.sxx) / s.n, s.n > 0 && s.sxx != 0
		},
	} {
		r.simpleAgg(name, func() AggState { return &regression{final: f} })
	}
}

// Add implements AggState.
func (s *regression) Add(_ *Context, args []datum.Datum) error {
	if args[0].IsNull() || args[1].IsNull() {
		return nil
	}
	y, x := args[0].Float(), args[1].Float()
	o := *s
	s.n, s.sx, s.sy = s.n+1, s.sx+x, s.sy+y
	if o.n == 0 {
		if x != x || math.IsInf(x, 0) {
			s.sxx, s.sxy = math.NaN(), math.NaN()
		}
		if y != y || math.IsInf(y, 0) {
			s.syy, s.sxy = math.NaN(), math.NaN()
		}
		return nil
	}
	tx, ty := x*s.n-s.sx, y*s.n-s.sy
	scale := 1 / (s.n * o.n)
	s.sxx += tx * tx * scale
	s.syy += ty * ty * scale
	s.sxy += tx * ty * scale
	if inf := math.IsInf; inf(s.sx, 0) || inf(s.sxx, 0) || inf(s.sy, 0) || inf(s.syy, 0) || inf(s.sxy, 0) {
		finite := func(v ...float64) bool {
			for _, f := range v {
				if inf(f, 0) {
					return false
				}
			}
			return true
		}
		if (inf(s.sx, 0) || inf(s.sxx, 0)) && finite(o.sx, x) || (inf(s.sy, 0) || inf(s.syy, 0)) && finite(o.sy, y) ||
			inf(s.sxy, 0) && finite(o.sx, x, o.sy, y) {
			return floatOverflow()
		}
		for _, p := range []*float64{&s.sxx, &s.syy, &s.sxy} {
			if inf(*p, 0) {
				*p = math.NaN()
			}
		}
	}
	return nil
}

// Result implements AggState.
func (s *regression) Result(*Context, []datum.Datum) (datum.Datum, error) {
	v, ok := s.final(s)
	if !ok {
		return datum.Null, nil
	}
	return datum.NewFloat(v), nil
}

// Size implements AggState.
func (s *regression) Size() int { return 64 }
