package builtin

import (
	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// maxBitLen is the greatest n of bit(n).
const maxBitLen = 83886080

// registerNumericCast registers the casts between numeric and the other numbers.
func registerNumericCast(r *registry) {
	for _, name := range []string{"int2_numeric", "int4_numeric", "int8_numeric"} {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewNumeric(datum.NumericFromInt(a[0].Int())), nil
		}
	}
	for name, bytes := range map[string]int{"numeric_int2": 2, "numeric_int4": 4, "numeric_int8": 8} {
		w := widthOf(bytes)
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return numericToInt(a[0].Numeric(), w) }
	}
	r.impl["numeric_float8"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		f, err := datum.NumericToFloat(a[0].Numeric(), 64)
		return datum.NewFloat(f), err
	}
	r.impl["numeric_float4"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		f, err := datum.NumericToFloat(a[0].Numeric(), 32)
		return datum.NewFloat(f), err
	}
	r.impl["float8_numeric"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newNumeric(datum.NumericFromFloat(a[0].Float(), 64))
	}
	r.impl["float4_numeric"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newNumeric(datum.NumericFromFloat(a[0].Float(), 32))
	}
	r.impl["numeric"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.ApplyTypmod(datum.Type{OID: datum.OIDNumeric, Mod: int32(a[1].Int())}, a[0], true)
	}
	r.impl["numeric_uplus"] = identity
	for name, oid := range map[string]OID{
		"time_scale": datum.OIDTime, "timetz_scale": datum.OIDTimeTZ, "timestamp_scale": datum.OIDTimestamp,
		"timestamptz_scale": datum.OIDTimestampTZ, "interval_scale": datum.OIDInterval,
		"bit": datum.OIDBit, "varbit": datum.OIDVarbit,
	} {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			if a[1].Int() > maxBitLen && (oid == datum.OIDBit || oid == datum.OIDVarbit) {
				return a[0], nil
			}
			return datum.ApplyTypmod(datum.Type{OID: oid, Mod: int32(a[1].Int())}, a[0], len(a) < 3 || a[2].Bool())
		}
	}
	r.jsonbCasts()
}

func numericToInt(d *apd.Decimal, w intWidth) (datum.Datum, error) {
	n, err := datum.NumericToInt(d, w.bits())
	return datum.NewInt(n), err
}

// jsonbCasts registers the casts of jsonb scalars.
func (r *registry) jsonbCasts() {
	fail := func(j *datum.JSONB, to string) error {
		name := map[datum.JSONKind]string{
			datum.JSONNull: "null", datum.JSONString: "string", datum.JSONNumber: "numeric", datum.JSONBool: "boolean",
			datum.JSONArray: "array", datum.JSONObject: "object",
		}[j.Kind]
		return failure.New(failure.InvalidParameterValue, "cannot cast jsonb %s to type %s", name, to)
	}
	r.impl["jsonb_bool"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		j := a[0].JSONB()
		if j.Kind != datum.JSONBool {
			return datum.Null, fail(j, "boolean")
		}
		return datum.NewBool(j.Bool), nil
	}
	number := func(name, to string, f func(d *apd.Decimal) (datum.Datum, error)) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			j := a[0].JSONB()
			if j.Kind != datum.JSONNumber {
				return datum.Null, fail(j, to)
			}
			return f(j.Num)
		}
	}
	number("jsonb_numeric", "numeric", func(d *apd.Decimal) (datum.Datum, error) { return datum.NewNumeric(d), nil })
	for name, bytes := range map[string]int{"jsonb_int2": 2, "jsonb_int4": 4, "jsonb_int8": 8} {
		w := widthOf(bytes)
		number(name, w.name, func(d *apd.Decimal) (datum.Datum, error) { return numericToInt(d, w) })
	}
	number("jsonb_float4", "real", func(d *apd.Decimal) (datum.Datum, error) {
		f, err := datum.NumericToFloat(d, 32)
		return datum.NewFloat(f), err
	})
	number("jsonb_float8", "double precision", func(d *apd.Decimal) (datum.Datum, error) {
		f, err := datum.NumericToFloat(d, 64)
		return datum.NewFloat(f), err
	})
}
