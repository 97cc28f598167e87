package builtin

import (
	"cmp"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
)

// registerCompare registers the comparison operators' functions. Within a family the names follow a pattern, so that
// one comparator makes the six operators, the btree support function and the larger/smaller pair.
func registerCompare(r *registry) {
	for _, p := range []string{"int2", "int4", "int8", "int24", "int42", "int28", "int82", "int48", "int84", "oid"} {
		r.intOps(p)
		r.impl["bt"+p+"cmp"] = cmpInt
	}
	for _, p := range []string{"xid8", "cash_"} {
		r.intOps(p)
		r.impl[p+"cmp"] = cmpInt
	}
	r.impl["xideq"], r.impl["xidneq"], r.impl["cideq"] = eqInt, neInt, eqInt
	for _, p := range []string{"date_", "time_", "timestamp_"} {
		r.intOps(p)
		r.impl[p+"cmp"] = cmpInt
	}
	r.impl["cashlarger"], r.impl["cashsmaller"] = r.impl["int8larger"], r.impl["int8smaller"]
	for _, p := range []string{"xid8_", "pg_lsn_"} {
		r.family(p, compareInts)
	}
	r.textOps()
	for _, p := range []string{"float4", "float8", "float48", "float84"} {
		r.family(p, compareFloats)
		r.impl["bt"+p+"cmp"] = cmpBy(compareFloats)
	}
	r.impl["btboolcmp"] = cmpBy(datum.Compare)
	for _, p := range []string{
		"bool", "bytea", "numeric_", "interval_", "timetz_", "uuid_", "network_", "jsonb_", "array_", "record_", "bit",
		"varbit", "range_", "char", "oidvector", "macaddr_", "macaddr8_", "enum_",
	} {
		r.family(p, datum.Compare)
	}
	r.impl["btarraycmp"], r.impl["btrecordcmp"] = cmpBy(datum.Compare), cmpBy(datum.Compare)
	r.impl["btoidvectorcmp"], r.impl["btcharcmp"] = cmpBy(datum.Compare), cmpBy(datum.Compare)
}

func compareInts(a, b datum.Datum) int   { return cmp.Compare(a.Int(), b.Int()) }
func compareFloats(a, b datum.Datum) int { return datum.CompareFloat(a.Float(), b.Float()) }
func compareTexts(a, b datum.Datum) int  { return strings.Compare(a.Text(), b.Text()) }
func compareBpchar(a, b datum.Datum) int { return datum.CompareBpchar(a.Text(), b.Text()) }

// intOps registers the operators on integers, and on dates and times of the same representation.
func (r *registry) intOps(prefix string) {
	r.impl[prefix+"eq"], r.impl[prefix+"ne"] = eqInt, neInt
	r.impl[prefix+"lt"], r.impl[prefix+"le"] = ltInt, leInt
	r.impl[prefix+"gt"], r.impl[prefix+"ge"] = gtInt, geInt
	r.impl[prefix+"larger"], r.impl[prefix+"smaller"] = pick(compareInts, 1), pick(compareInts, -1)
}

// textOps registers the comparisons of the character types. Meridian has the C collation only.
func (r *registry) textOps() {
	r.family("text_", compareTexts)
	r.family("text_pattern_", compareTexts)
	r.impl["texteq"], r.impl["textne"] = eqText, neText
	r.impl["bttextcmp"], r.impl["bttext_pattern_cmp"] = cmpBy(compareTexts), cmpBy(compareTexts)
	r.family("name", compareTexts)
	r.impl["btnamecmp"], r.impl["btnametextcmp"] = cmpBy(compareTexts), cmpBy(compareTexts)
	r.impl["bttextnamecmp"] = cmpBy(compareTexts)
	for suffix, impl := range comparisons(compareTexts) {
		r.impl["name"+suffix+"text"], r.impl["text"+suffix+"name"] = impl, impl
	}
	r.family("bpchar", compareBpchar)
	r.family("bpchar_pattern_", compareBpchar)
	r.impl["bpchar_larger"], r.impl["bpchar_smaller"] = pick(compareBpchar, 1), pick(compareBpchar, -1)
	r.impl["btbpchar_pattern_cmp"] = cmpBy(compareBpchar)
}

// family registers eq, ne, lt, le, gt, ge, cmp, larger and smaller under a prefix.
func (r *registry) family(prefix string, compare func(a, b datum.Datum) int) {
	for suffix, impl := range comparisons(compare) {
		r.impl[prefix+suffix] = impl
	}
	r.impl[prefix+"cmp"] = cmpBy(compare)
	r.impl[prefix+"larger"], r.impl[prefix+"smaller"] = pick(compare, 1), pick(compare, -1)
}

func comparisons(compare func(a, b datum.Datum) int) map[string]Impl {
	return map[string]Impl{
		"eq": by(compare, func(c int) bool { return c == 0 }),
		"ne": by(compare, func(c int) bool { return c != 0 }),
		"lt": by(compare, func(c int) bool { return c < 0 }),
		"le": by(compare, func(c int) bool { return c <= 0 }),
		"gt": by(compare, func(c int) bool { return c > 0 }),
		"ge": by(compare, func(c int) bool { return c >= 0 }),
	}
}

func by(compare func(a, b datum.Datum) int, test func(int) bool) Impl {
	return func(_ *Context, args []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(test(compare(args[0], args[1]))), nil
	}
}

func cmpBy(compare func(a, b datum.Datum) int) Impl {
	return func(_ *Context, args []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(int64(compare(args[0], args[1]))), nil
	}
}

// pick returns the larger (sign 1) or smaller (sign -1) argument, the second of equals as PostgreSQL does.
func pick(compare func(a, b datum.Datum) int, sign int) Impl {
	return func(_ *Context, args []datum.Datum) (datum.Datum, error) {
		if compare(args[0], args[1])*sign > 0 {
			return args[0], nil
		}
		return args[1], nil
	}
}

func eqInt(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewBool(a[0].Int() == a[1].Int()), nil
}

func neInt(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewBool(a[0].Int() != a[1].Int()), nil
}

func ltInt(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewBool(a[0].Int() < a[1].Int()), nil
}

func leInt(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewBool(a[0].Int() <= a[1].Int()), nil
}

func gtInt(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewBool(a[0].Int() > a[1].Int()), nil
}

func geInt(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewBool(a[0].Int() >= a[1].Int()), nil
}

func cmpInt(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewInt(int64(compareInts(a[0], a[1]))), nil
}

func eqText(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewBool(a[0].Text() == a[1].Text()), nil
}

func neText(_ *Context, a []datum.Datum) (datum.Datum, error) {
	return datum.NewBool(a[0].Text() != a[1].Text()), nil
}
