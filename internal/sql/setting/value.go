package setting

import (
	"math"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// Kind of a parameter's value.
type Kind uint8

// The kinds, as pg_settings.vartype names them.
const (
	Bool Kind = iota
	Int
	Real
	String
	Enum
)

// String returns pg_settings.vartype.
func (k Kind) String() string {
	return [...]string{"bool", "integer", "real", "string", "enum"}[k]
}

// unit conversions, towards the parameter's own unit.
var timeUnits = []struct {
	name string
	us   float64
}{{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"min", 60e6}, {"h", 3600e6}, {"d", 86400e6}}

var sizeUnits = []struct {
	name  string
	bytes float64
}{{"B", 1}, {"kB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}, {"TB", 1 << 40}}

func unitFactor(from, to string) (float64, bool) {
	scale := func(name string) (float64, bool, bool) {
		if name == "8kB" {
			return 8 << 10, false, true
		}
		for _, u := range timeUnits {
			if u.name == name {
				return u.us, true, true
			}
		}
		for _, u := range sizeUnits {
			if u.name == name {
				return u.bytes, false, true
			}
		}
		return 0, false, false
	}
	f, ft, ok1 := scale(from)
	t, tt, ok2 := scale(to)
	return f / t, ok1 && ok2 && ft == tt
}

// parseBool accepts PostgreSQL's spellings and their unambiguous prefixes.
func parseBool(s string) (bool, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	prefix := func(word string, least int) bool { return len(s) >= least && strings.HasPrefix(word, s) }
	switch {
	case s == "1" || prefix("true", 1) || prefix("yes", 1) || s == "on":
		return true, true
	case s == "0" || prefix("false", 1) || prefix("no", 1) || prefix("off", 2):
		return false, true
	}
	return false, false
}

// canonical checks a new value and returns the form in which it is kept.
func (d *Def) canonical(s string) (string, error) {
	invalid := func() *failure.Error {
		return failure.New(failure.InvalidParameterValue, "invalid value for parameter %q: %q", d.Name, s)
	}
	var out string
	switch d.Kind {
	case Bool:
		b, ok := parseBool(s)
		if !ok {
			return "", failure.New(failure.InvalidParameterValue, "parameter %q requires a Boolean value", d.Name)
		}
		out = "off"
		if b {
			out = "on"
		}
	case Int, Real:
		n, err := d.number(s)
		if err != nil {
			return "", err
		}
		if d.Kind == Int {
			n = math.RoundToEven(n)
		}
		out = strconv.FormatFloat(n, 'f', -1, 64)
		if n < d.Min || n > d.Max {
			unit := ""
			if d.Unit != "" {
				unit = " " + d.Unit
			}
			return "", failure.New(failure.InvalidParameterValue, "%s%s is outside the valid range for parameter %q (%s .. %s)",
				out, unit, d.Name, strconv.FormatFloat(d.Min, 'f', -1, 64), strconv.FormatFloat(d.Max, 'f', -1, 64))
		}
	case Enum:
		for _, v := range d.Values {
			if strings.EqualFold(v, s) {
				out = v
			}
		}
		if b, ok := parseBool(s); out == "" && ok && d.enumHas("on") {
			out = "off"
			if b {
				out = "on"
			}
		}
		if out == "" {
			return "", invalid().WithHint("Available values: %s.", strings.Join(d.Values, ", "))
		}
	default:
		out = s
	}
	if d.Check == nil {
		return out, nil
	}
	checked, ok, err := d.Check(out)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", invalid()
	}
	return checked, nil
}

func (d *Def) enumHas(v string) bool {
	for _, have := range d.Values {
		if have == v {
			return true
		}
	}
	return false
}

// number reads an integer or real with an optional unit, in the parameter's unit.
func (d *Def) number(s string) (float64, error) {
	t := strings.TrimSpace(s)
	end := 0
	for end < len(t) && strings.IndexByte("0123456789+-.eExXabcdefABCDEF", t[end]) >= 0 {
		if _, err := strconv.ParseFloat(t[:end+1], 64); err != nil && end > 0 && t[end] >= 'A' {
			break
		}
		end++
	}
	digits, unit := strings.TrimSpace(t[:end]), strings.TrimSpace(t[end:])
	var n float64
	if i, err := strconv.ParseInt(digits, 0, 64); err == nil {
		n = float64(i)
	} else if n, err = strconv.ParseFloat(digits, 64); err != nil {
		return 0, failure.New(failure.InvalidParameterValue, "invalid value for parameter %q: %q", d.Name, s)
	}
	if unit == "" {
		return n, nil
	}
	if d.Unit != "" {
		if f, ok := unitFactor(unit, d.Unit); ok {
			return n * f, nil
		}
	}
	e := failure.New(failure.InvalidParameterValue, "invalid value for parameter %q: %q", d.Name, s)
	if _, isTime := unitFactor("s", d.Unit); isTime {
		e = e.WithHint(`Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".`)
	} else if d.Unit != "" {
		e = e.WithHint(`Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".`)
	}
	return 0, e
}

// Show prints a value as SHOW does: numbers with a unit in the largest unit that divides them.
func (d *Def) Show(v string) string {
	if d.Unit == "" || (d.Kind != Int && d.Kind != Real) {
		return v
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n <= 0 {
		return v
	}
	best := v + d.Unit
	if d.Unit == "8kB" {
		best = strconv.FormatFloat(n*8, 'f', -1, 64) + "kB"
	}
	try := func(name string) {
		if f, ok := unitFactor(d.Unit, name); ok && f <= 1 {
			if q := n * f; q >= 1 && q == math.Trunc(q) {
				best = strconv.FormatFloat(q, 'f', -1, 64) + name
			}
		}
	}
	for _, u := range timeUnits {
		try(u.name)
	}
	for _, u := range sizeUnits[1:] {
		try(u.name)
	}
	return best
}
