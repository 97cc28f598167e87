package builtin

import (
	"math"
	"math/bits"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
)

// aggFunc makes an Aggregate from a function.
type aggFunc func() AggState

// New implements Aggregate.
func (f aggFunc) New() AggState { return f() }

// simpleAgg registers an aggregate that is the same for all call sites.
func (r *registry) simpleAgg(name string, make func() AggState) {
	a := aggFunc(make)
	r.agg[name] = func(*Call) (Aggregate, error) { return a, nil }
}

// registerAggBasic registers count, the integer sums and averages, min and max, and the Boolean and bitwise ones.
func registerAggBasic(r *registry) {
	r.simpleAgg("count()", func() AggState { return &countState{star: true} })
	r.simpleAgg("count(any)", func() AggState { return &countState{} })
	r.simpleAgg("regr_count", func() AggState { return &countState{two: true} })
	for _, t := range []string{"int2", "int4"} {
		r.simpleAgg("sum("+t+")", func() AggState { return &sumInt{} })
	}
	r.simpleAgg("sum(int8)", func() AggState { return &sumInt{numeric: true} })
	for _, t := range []string{"int2", "int4", "int8"} {
		r.simpleAgg("avg("+t+")", func() AggState { return &sumInt{avg: true} })
	}
	r.simpleAgg("bool_and", func() AggState { return &boolState{and: true} })
	r.simpleAgg("every", func() AggState { return &boolState{and: true} })
	r.simpleAgg("bool_or", func() AggState { return &boolState{} })
	r.agg["min"], r.agg["max"] = extreme(-1), extreme(1)
	for _, t := range []string{"int2", "int4", "int8"} {
		r.simpleAgg("bit_and("+t+")", func() AggState { return &bitState{op: '&'} })
		r.simpleAgg("bit_or("+t+")", func() AggState { return &bitState{op: '|'} })
		r.simpleAgg("bit_xor("+t+")", func() AggState { return &bitState{op: '^'} })
	}
	r.agg["array_agg"] = arrayAgg
	r.agg["string_agg"] = stringAgg
}

// countState is count(*), count(x) and regr_count(y, x).
type countState struct {
	n    int64
	star bool
	two  bool
}

func (s *countState) counts(args []datum.Datum) bool {
	return s.star || !args[0].IsNull() && (!s.two || !args[1].IsNull())
}

// Add implements AggState.
func (s *countState) Add(_ *Context, args []datum.Datum) error {
	if s.counts(args) {
		s.n++
	}
	return nil
}

// Remove implements Inverter.
func (s *countState) Remove(_ *Context, args []datum.Datum) (bool, error) {
	if s.counts(args) {
		s.n--
	}
	return true, nil
}

// Merge implements Merger.
func (s *countState) Merge(_ *Context, other AggState) error {
	s.n += other.(*countState).n
	return nil
}

// Result implements AggState.
func (s *countState) Result(*Context, []datum.Datum) (datum.Datum, error) {
	return datum.NewInt(s.n), nil
}

// Size implements AggState.
func (s *countState) Size() int { return 24 }

// sumInt adds integers in 128 bits. sum(int2) and sum(int4) answer bigint and fail when it overflows.
type sumInt struct {
	hi      int64
	lo      uint64
	n       int64
	numeric bool
	avg     bool
}

func (s *sumInt) add(v int64) {
	lo, carry := bits.Add64(s.lo, uint64(v), 0)
	hi, _ := bits.Add64(uint64(s.hi), uint64(v>>63), carry)
	s.lo, s.hi = lo, int64(hi)
}

// Add implements AggState.
func (s *sumInt) Add(_ *Context, args []datum.Datum) error {
	if args[0].IsNull() {
		return nil
	}
	s.n++
	s.add(args[0].Int())
	return nil
}

// Remove implements Inverter.
func (s *sumInt) Remove(_ *Context, args []datum.Datum) (bool, error) {
	if args[0].IsNull() {
		return true, nil
	}
	v := args[0].Int()
	if v == math.MinInt64 {
		return false, nil
	}
	s.n--
	s.add(-v)
	return true, nil
}

// Merge implements Merger.
func (s *sumInt) Merge(_ *Context, other AggState) error {
	o := other.(*sumInt)
	lo, carry := bits.Add64(s.lo, o.lo, 0)
	hi, _ := bits.Add64(uint64(s.hi), uint64(o.hi), carry)
	s.lo, s.hi, s.n = lo, int64(hi), s.n+o.n
	return nil
}

// Result implements AggState.
func (s *sumInt) Result(*Context, []datum.Datum) (datum.Datum, error) {
	switch {
	case s.n == 0:
		return datum.Null, nil
	case s.avg:
		return divNumeric(int128Numeric(s.hi, s.lo), apd.New(s.n, 0))
	case s.numeric:
		return datum.NewNumeric(int128Numeric(s.hi, s.lo)), nil
	}
	if s.hi != int64(s.lo)>>63 {
		return datum.Null, widthOf(8).outOfRange()
	}
	return datum.NewInt(int64(s.lo)), nil
}

// Size implements AggState.
func (s *sumInt) Size() int { return 40 }

// int128Numeric makes a numeric of a 128-bit integer.
func int128Numeric(hi int64, lo uint64) *apd.Decimal {
	d := new(apd.Decimal)
	h := uint64(hi)
	if hi < 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		h, _ = bits.Sub64(0, h, borrow)
		d.Negative = true
	}
	d.Coeff.SetUint64(h)
	d.Coeff.Lsh(&d.Coeff, 64)
	var low apd.BigInt
	low.SetUint64(lo)
	d.Coeff.Add(&d.Coeff, &low)
	if d.Coeff.Sign() == 0 {
		d.Negative = false
	}
	return d
}

// boolState is bool_and and bool_or.
type boolState struct {
	and        bool
	n, matched int64 // matched: rows that decide the result
}

// Add implements AggState.
func (s *boolState) Add(_ *Context, args []datum.Datum) error {
	if !args[0].IsNull() {
		s.n++
		if args[0].Bool() != s.and {
			s.matched++
		}
	}
	return nil
}

// Remove implements Inverter.
func (s *boolState) Remove(_ *Context, args []datum.Datum) (bool, error) {
	if !args[0].IsNull() {
		s.n--
		if args[0].Bool() != s.and {
			s.matched--
		}
	}
	return true, nil
}

// Merge implements Merger.
func (s *boolState) Merge(_ *Context, other AggState) error {
	o := other.(*boolState)
	s.n, s.matched = s.n+o.n, s.matched+o.matched
	return nil
}

// Result implements AggState.
func (s *boolState) Result(*Context, []datum.Datum) (datum.Datum, error) {
	if s.n == 0 {
		return datum.Null, nil
	}
	return datum.NewBool((s.matched > 0) != s.and), nil
}

// Size implements AggState.
func (s *boolState) Size() int { return 24 }

// extreme makes min (sign -1) and max (sign 1).
func extreme(sign int) AggImpl {
	return func(call *Call) (Aggregate, error) {
		compare := comparator(call.argType(0))
		return aggFunc(func() AggState { return &extremeState{sign: sign, compare: compare} }), nil
	}
}

// comparator returns the order of a type's values.
func comparator(oid OID) func(a, b datum.Datum) int {
	switch oid {
	case datum.OIDInt2, datum.OIDInt4, datum.OIDInt8, datum.OIDOid, datum.OIDDate, datum.OIDTime,
		datum.OIDTimestamp, datum.OIDTimestampTZ:
		return compareInts
	case datum.OIDText, datum.OIDVarchar, datum.OIDName:
		return compareTexts
	case datum.OIDBpchar:
		return compareBpchar
	}
	return datum.Compare
}

type extremeState struct {
	best    datum.Datum
	sign    int
	compare func(a, b datum.Datum) int
}

// Add implements AggState.
func (s *extremeState) Add(_ *Context, args []datum.Datum) error {
	v := args[0]
	if !v.IsNull() && (s.best.IsNull() || s.compare(v, s.best)*s.sign > 0) {
		s.best = v
	}
	return nil
}

// Merge implements Merger.
func (s *extremeState) Merge(c *Context, other AggState) error {
	return s.Add(c, []datum.Datum{other.(*extremeState).best})
}

// Result implements AggState.
func (s *extremeState) Result(*Context, []datum.Datum) (datum.Datum, error) { return s.best, nil }

// Size implements AggState.
func (s *extremeState) Size() int { return 48 + datumSize(s.best) }

// datumSize is the memory that a datum refers to, roughly.
func datumSize(d datum.Datum) int {
	switch d.Kind() {
	case datum.KindText, datum.KindBytes:
		return len(d.Text())
	case datum.KindUUID, datum.KindInterval, datum.KindTimeTZ:
		return 16
	case datum.KindNumeric:
		return 64
	case datum.KindArray:
		n := 64
		for _, e := range d.Array().Elems {
			n += 24 + datumSize(e)
		}
		return n
	case datum.KindRecord:
		n := 96
		for _, e := range d.Record().Values {
			n += 24 + datumSize(e)
		}
		return n
	case datum.KindJSONB:
		return jsonSize(d.JSONB())
	case datum.KindBits, datum.KindNet, datum.KindRange:
		return 64
	}
	return 0
}

func jsonSize(j *datum.JSONB) int {
	n := 120 + len(j.Text)
	for i := range j.Elems {
		n += jsonSize(&j.Elems[i])
	}
	for i := range j.Pairs {
		n += len(j.Pairs[i].Key) + 16 + jsonSize(&j.Pairs[i].Value)
	}
	return n
}

// bitState is bit_and, bit_or and bit_xor of integers.
type bitState struct {
	v    int64
	op   byte
	some bool
}

// Add implements AggState.
func (s *bitState) Add(_ *Context, args []datum.Datum) error {
	if args[0].IsNull() {
		return nil
	}
	v := args[0].Int()
	switch {
	case !s.some:
		s.v, s.some = v, true
	case s.op == '&':
		s.v &= v
	case s.op == '|':
		s.v |= v
	default:
		s.v ^= v
	}
	return nil
}

// Merge implements Merger.
func (s *bitState) Merge(c *Context, other AggState) error {
	if o := other.(*bitState); o.some {
		return s.Add(c, []datum.Datum{datum.NewInt(o.v)})
	}
	return nil
}

// Result implements AggState.
func (s *bitState) Result(*Context, []datum.Datum) (datum.Datum, error) {
	if !s.some {
		return datum.Null, nil
	}
	return datum.NewInt(s.v), nil
}

// Size implements AggState.
func (s *bitState) Size() int { return 24 }
