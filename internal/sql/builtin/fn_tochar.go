package builtin

import (
	"github.com/meridiandb/meridian/internal/datum"
)

// registerToChar registers to_char, to_date, to_timestamp and to_number, whose work is package datum's.
func registerToChar(r *registry) {
	char := func(name string, f func(c *Context, v datum.Datum, template string) (string, bool, error)) {
		r.impl[name] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
			s, ok, err := f(c, a[0], a[1].Text())
			if err != nil || !ok {
				return datum.Null, err
			}
			return datum.NewText(s), nil
		}
	}
	char("timestamp_to_char", func(_ *Context, v datum.Datum, t string) (string, bool, error) {
		s, ok := datum.FormatTimestamp(v.Int(), t)
		return s, ok, nil
	})
	char("timestamptz_to_char", func(c *Context, v datum.Datum, t string) (string, bool, error) {
		s, ok := datum.FormatTimestampTZ(v.Int(), t, c.Env)
		return s, ok, nil
	})
	char("interval_to_char", func(_ *Context, v datum.Datum, t string) (string, bool, error) {
		return datum.FormatInterval(v.Interval(), t)
	})
	char("numeric_to_char", func(_ *Context, v datum.Datum, t string) (string, bool, error) {
		return datum.FormatNumeric(v.Numeric(), t)
	})
	char("int4_to_char", func(_ *Context, v datum.Datum, t string) (string, bool, error) {
		return datum.FormatInt(v.Int(), 32, t)
	})
	char("int8_to_char", func(_ *Context, v datum.Datum, t string) (string, bool, error) {
		return datum.FormatInt(v.Int(), 64, t)
	})
	char("float4_to_char", func(_ *Context, v datum.Datum, t string) (string, bool, error) {
		return datum.FormatFloat(v.Float(), 32, t)
	})
	char("float8_to_char", func(_ *Context, v datum.Datum, t string) (string, bool, error) {
		return datum.FormatFloat(v.Float(), 64, t)
	})
	r.impl["to_timestamp"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestampTZ(datum.ParseTimestampTemplate(a[0].Text(), a[1].Text(), c.Env))
	}
	r.impl["to_date"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		d, err := datum.ParseDateTemplate(a[0].Text(), a[1].Text())
		return datum.NewDate(d), err
	}
	r.impl["numeric_to_number"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		d, ok, err := datum.ParseNumber(a[0].Text(), a[1].Text())
		if err != nil || !ok {
			return datum.Null, err
		}
		return datum.NewNumeric(d), nil
	}
}
