package datum

import (
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

func errRangeLiteral(s, detail string) error {
	return failure.New(failure.InvalidTextRepresentation, "malformed range literal: \"%s\"", s).WithDetail("%s", detail)
}

func parseRange(t OID, s string, env *Env) (Datum, error) {
	v := s
	for v != "" && isSpace(v[0]) {
		v = v[1:]
	}
	if hasPrefixFold(v, "empty") {
		if v = trimSpace(v[len("empty"):]); v != "" {
			return Null, errRangeLiteral(s, "Junk after \"empty\" key word.")
		}
		return NewRange(Range{Empty: true}), nil
	}
	if v == "" || v[0] != '[' && v[0] != '(' {
		return Null, errRangeLiteral(s, "Missing left parenthesis or bracket.")
	}
	r := Range{LowInc: v[0] == '['}
	sub := T(SubtypeOf(t))
	low, lowSet, v, ok := rangeBound(v[1:])
	if !ok {
		return Null, errRangeLiteral(s, "Unexpected end of input.")
	}
	if v[0] != ',' {
		return Null, errRangeLiteral(s, "Missing comma after lower bound.")
	}
	high, highSet, v, ok := rangeBound(v[1:])
	if !ok {
		return Null, errRangeLiteral(s, "Unexpected end of input.")
	}
	if v[0] == ',' {
		return Null, errRangeLiteral(s, "Too many commas.")
	}
	r.HighInc = v[0] == ']'
	if !onlySpace(v[1:]) {
		return Null, errRangeLiteral(s, "Junk after right parenthesis or bracket.")
	}
	var err error
	if lowSet {
		if r.Low, err = ParseText(sub, low, env); err != nil {
			return Null, err
		}
	}
	if highSet {
		if r.High, err = ParseText(sub, high, env); err != nil {
			return Null, err
		}
	}
	if r, err = MakeRange(t, r); err != nil {
		return Null, err
	}
	return NewRange(r), nil
}

// rangeBound reads one bound; an empty text without quotes is no bound.
func rangeBound(s string) (text string, set bool, rest string, ok bool) {
	const stops = ",)]"
	if s != "" && strings.IndexByte(stops, s[0]) >= 0 {
		return "", false, s, true
	}
	text, rest, ok = scanQuoted(s, stops)
	return text, true, rest, ok
}

// MakeRange brings a range into its normal form: bounds in order, nothing inclusive at infinity, and for ranges of
// integers and dates [low,high).
func MakeRange(t OID, r Range) (Range, error) {
	if r.Empty {
		return Range{Empty: true}, nil
	}
	if r.Low.IsNull() {
		r.LowInc = false
	}
	if r.High.IsNull() {
		r.HighInc = false
	}
	if !r.Low.IsNull() && !r.High.IsNull() {
		c := Compare(r.Low, r.High)
		if c > 0 {
			return r, failure.New(failure.DataException, "range lower bound must be less than or equal to range upper bound")
		}
		if c == 0 && !(r.LowInc && r.HighInc) {
			return Range{Empty: true}, nil
		}
	}
	if t != OIDInt4Range && t != OIDInt8Range && t != OIDDateRange {
		return r, nil
	}
	return discreteRange(t, r)
}

func discreteRange(t OID, r Range) (Range, error) {
	endless := func(d Datum) bool {
		return d.IsNull() || t == OIDDateRange && (d.Int() == DateInfinity || d.Int() == DateNegInfinity)
	}
	bump := func(d Datum) (Datum, error) {
		v := d.Int()
		switch {
		case t == OIDInt4Range && v == 1<<31-1:
			return d, failure.New(failure.NumericValueOutOfRange, "integer out of range")
		case t == OIDInt8Range && v == 1<<63-1:
			return d, failure.New(failure.NumericValueOutOfRange, "bigint out of range")
		case t == OIDDateRange && !ValidDate(v+1):
			return d, failure.New(failure.DatetimeValueOutOfRange, "date out of range")
		}
		d.n = uint64(v + 1)
		return d, nil
	}
	var err error
	if !endless(r.Low) && !r.LowInc {
		if r.Low, err = bump(r.Low); err != nil {
			return r, err
		}
		r.LowInc = true
	}
	if !endless(r.High) && r.HighInc {
		if r.High, err = bump(r.High); err != nil {
			return r, err
		}
		r.HighInc = false
	}
	if !r.Low.IsNull() && !r.High.IsNull() && Compare(r.Low, r.High) >= 0 {
		return Range{Empty: true}, nil
	}
	return r, nil
}

func appendRange(b []byte, t OID, r Range, env *Env) []byte {
	if r.Empty {
		return append(b, "empty"...)
	}
	sub := T(SubtypeOf(t))
	bound := func(d Datum) {
		if d.IsNull() {
			return
		}
		start := len(b)
		b = quoteRangeBound(AppendText(b, sub, d, env), start)
	}
	if r.LowInc {
		b = append(b, '[')
	} else {
		b = append(b, '(')
	}
	bound(r.Low)
	b = append(b, ',')
	bound(r.High)
	if r.HighInc {
		return append(b, ']')
	}
	return append(b, ')')
}

func quoteRangeBound(b []byte, start int) []byte {
	text := b[start:]
	quote := len(text) == 0
	for _, c := range text {
		if c == '"' || c == '\\' || c == '(' || c == ')' || c == '[' || c == ']' || c == ',' || isSpace(c) {
			quote = true
			break
		}
	}
	if !quote {
		return b
	}
	return doubleQuote(b, start)
}
