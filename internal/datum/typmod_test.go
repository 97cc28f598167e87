package datum

import (
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
)

func TestAssignment(t *testing.T) {
	for _, c := range []struct {
		typ, in, out string
		code         failure.Code
	}{
		{"varchar(3)", "abcd", "value too long for type character varying(3)", failure.StringDataRightTruncation},
		{"varchar(3)", "abc   ", "abc", ""},
		{"varchar(3)", "éééé", "value too long for type character varying(3)", failure.StringDataRightTruncation},
		{"char(3)", "abcd", "value too long for type character(3)", failure.StringDataRightTruncation},
		{"char(3)", "ab     ", "ab ", ""},
		{"char(3)", "é", "é  ", ""},
		{"bit(3)", "10", "bit string length 2 does not match type bit(3)", failure.StringDataLengthMismatch},
		{"varbit(3)", "1011", "bit string too long for type bit varying(3)", failure.StringDataRightTruncation},
		{"numeric(4,1)", "12345", "numeric field overflow", failure.NumericValueOutOfRange},
		{"numeric(4,1)", "12.35", "12.4", ""},
	} {
		typ := typeNamed(t, c.typ)
		d, err := ParseText(typ, c.in, nil)
		if c.code != "" {
			if e := failure.As(err); e == nil || e.Code != c.code || e.Message != c.out {
				t.Errorf("%s %q: %v, want %s", c.typ, c.in, err, c.out)
			}
			continue
		}
		if got := Text(typ, d, nil); err != nil || got != c.out {
			t.Errorf("%s %q: %q %v, want %q", c.typ, c.in, got, err, c.out)
		}
	}
}

func TestFormatType(t *testing.T) {
	for _, c := range []struct {
		typ  Type
		want string
	}{
		{Type{OIDVarchar, 7}, "character varying(3)"}, {T(OIDVarchar), "character varying"},
		{Type{OIDBpchar, 5}, "character(1)"}, {T(OIDBpchar), "bpchar"},
		{Type{OIDNumeric, 10<<16 | 2 + 4}, "numeric(10,2)"}, {Type{OIDNumeric, 3<<16 | 0x7fe + 4}, "numeric(3,-2)"},
		{Type{OIDTimestamp, 3}, "timestamp(3) without time zone"}, {Type{OIDTimeTZ, 0}, "time(0) with time zone"},
		{T(OIDInt4Array), "integer[]"}, {Type{1015, 7}, "character varying(3)[]"},
		{Type{OIDInterval, intervalMaskDay<<16 | 0xffff}, "interval day"},
		{Type{OIDInterval, intervalFullRange<<16 | 3}, "interval(3)"}, {T(OIDQChar), `"char"`},
	} {
		if got := FormatType(c.typ); got != c.want {
			t.Errorf("%v: %q, want %q", c.typ, got, c.want)
		}
	}
}
