package builtin

import (
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
)

// TypeName returns a type's SQL name without modifier (format_type(oid, NULL)): "integer", "character", "text[]",
// quoted where needed; "???" for an unknown OID.
func (f *Facts) TypeName(oid OID) string { return f.formatType(oid, -1, false) }

// FormatType returns a type's SQL name with its modifier (format_type(oid, typmod)): "character varying(20)",
// "numeric(10,2)", "timestamp(3) with time zone".
func (f *Facts) FormatType(t datum.Type) string { return f.formatType(t.OID, t.Mod, true) }

func (f *Facts) formatType(oid OID, mod int32, given bool) string {
	if oid == 0 {
		return "-"
	}
	t := f.TypeByOID(oid)
	if t == nil {
		return "???"
	}
	if t.Subscript == arraySubscriptHandler && t.Len == -1 && t.Elem != 0 && t.Category == 'A' && t.Name[0] == '_' {
		return f.formatType(t.Elem, mod, given) + "[]"
	}
	name, ok := sqlName(oid, mod, given)
	if ok {
		return name
	}
	name = QuoteIdent(t.Name)
	switch {
	case t.Schema == SchemaCatalog:
	case f.extra != nil:
		name = f.extra.TypePrefix(t) + name
	case t.Schema != SchemaPublic:
		name = "information_schema." + name
	}
	if mod >= 0 {
		name += "(" + strconv.Itoa(int(mod)) + ")"
	}
	return name
}

// sqlName spells the types that the SQL standard names.
func sqlName(oid OID, mod int32, given bool) (string, bool) {
	switch oid {
	case datum.OIDBool:
		return "boolean", true
	case datum.OIDInt2:
		return "smallint", true
	case datum.OIDInt4:
		return "integer", true
	case datum.OIDInt8:
		return "bigint", true
	case datum.OIDFloat4:
		return "real", true
	case datum.OIDFloat8:
		return "double precision", true
	case datum.OIDNumeric:
		return "numeric" + numericMod(mod), true
	case datum.OIDVarchar:
		return "character varying" + lengthMod(mod, 4), true
	case datum.OIDBpchar:
		if given && mod < 0 {
			return "bpchar", true
		}
		return "character" + lengthMod(mod, 4), true
	case datum.OIDBit:
		if given && mod < 0 {
			return `"bit"`, true
		}
		return "bit" + lengthMod(mod, 0), true
	case datum.OIDVarbit:
		return "bit varying" + lengthMod(mod, 0), true
	case datum.OIDTime:
		return "time" + lengthMod(mod, 0) + " without time zone", true
	case datum.OIDTimeTZ:
		return "time" + lengthMod(mod, 0) + " with time zone", true
	case datum.OIDTimestamp:
		return "timestamp" + lengthMod(mod, 0) + " without time zone", true
	case datum.OIDTimestampTZ:
		return "timestamp" + lengthMod(mod, 0) + " with time zone", true
	case datum.OIDInterval:
		return "interval" + intervalMod(mod), true
	}
	return "", false
}

func lengthMod(mod, header int32) string {
	if mod < header {
		return ""
	}
	return "(" + strconv.Itoa(int(mod-header)) + ")"
}

func numericMod(mod int32) string {
	if mod < 4 {
		return ""
	}
	mod -= 4
	scale := (mod&0x7ff ^ 1024) - 1024
	return "(" + strconv.Itoa(int(mod>>16&0xffff)) + "," + strconv.Itoa(int(scale)) + ")"
}

// intervalMod spells an interval's fields and precision: the fields are a bit mask in the upper half.
func intervalMod(mod int32) string {
	if mod < 0 {
		return ""
	}
	const month, year, day, hour, minute, second = 1 << 1, 1 << 2, 1 << 3, 1 << 10, 1 << 11, 1 << 12
	fields, precision := mod>>16&0x7fff, mod&0xffff
	var s string
	switch fields {
	case year:
		s = " year"
	case month:
		s = " month"
	case day:
		s = " day"
	case hour:
		s = " hour"
	case minute:
		s = " minute"
	case second:
		s = " second"
	case year | month:
		s = " year to month"
	case day | hour:
		s = " day to hour"
	case day | hour | minute:
		s = " day to minute"
	case day | hour | minute | second:
		s = " day to second"
	case hour | minute:
		s = " hour to minute"
	case hour | minute | second:
		s = " hour to second"
	case minute | second:
		s = " minute to second"
	}
	if precision != 0xffff {
		s += "(" + strconv.Itoa(int(precision)) + ")"
	}
	return s
}

// QuoteIdent quotes an identifier when it would not come back as itself: quote_ident.
func QuoteIdent(s string) string {
	if isPlainIdent(s) && !reservedWord(s) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func isPlainIdent(s string) bool {
	if s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c == '_' || i > 0 && c >= '0' && c <= '9' {
			continue
		}
		return false
	}
	return true
}
