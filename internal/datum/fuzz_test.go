package datum

import (
	"testing"
)

var fuzzTypes = []OID{
	OIDBool, OIDInt2, OIDInt4, OIDInt8, OIDOid, OIDXid, OIDFloat4, OIDFloat8, OIDNumeric, OIDText, OIDName, OIDQChar,
	OIDBytea, OIDUUID, OIDDate, OIDTime, OIDTimeTZ, OIDTimestamp, OIDTimestampTZ, OIDInterval, OIDJSON, OIDJSONB,
	OIDTid, OIDInt2Vector, OIDOidVector, OIDVarbit, OIDInet, OIDCidr, OIDMacaddr, OIDMacaddr8, OIDPgLSN,
	OIDInt4Range, OIDNumRange, OIDTstzRange, OIDDateRange,
	OIDInt4Array, OIDTextArray, OIDNumericArray, OIDTimestampTZArray, OIDJSONBArray, OIDIntervalArray, OIDByteaArray,
}

// FuzzParseText checks that what was understood prints, reads back as the same value and prints the same again.
func FuzzParseText(f *testing.F) {
	for i, s := range []string{
		"1", "-1.5e3", "2024-01-02 03:04:05.678+02", "1 year 2 mons -3 days 04:05:06", `{"a": [1, "b\u00e9"]}`,
		"{1,NULL,\"a\"}", "[0:1]={{1},{2}}", "[1,2)", "10.1.2.3/8", "08:00:2b:01:02:03", "P1Y2DT3H", `\x00ff`, "Jan 5 99 BC",
	} {
		f.Add(uint8(i*3), s)
	}
	f.Fuzz(func(t *testing.T, which uint8, s string) {
		if ValidateText(s) != nil || len(s) > 1000 {
			return
		}
		typ := T(fuzzTypes[int(which)%len(fuzzTypes)])
		d, err := ParseText(typ, s, nil)
		if err != nil {
			return
		}
		text := string(AppendText(nil, typ, d, nil))
		back, err := ParseText(typ, text, nil)
		if err != nil {
			t.Fatalf("%q as %s prints as %q: %v", s, TypeName(typ.OID), text, err)
		}
		if again := string(AppendText(nil, typ, back, nil)); again != text || !Equal(d, back) {
			t.Fatalf("%q as %s prints as %q, then as %q", s, TypeName(typ.OID), text, again)
		}
		if Hash(7, d) != Hash(7, back) {
			t.Fatalf("%q as %s: equal values, different hashes", s, TypeName(typ.OID))
		}
		bin, err := AppendBinary(nil, typ, d)
		if err != nil {
			return
		}
		if back, err = ParseBinary(typ, bin); err != nil || string(AppendText(nil, typ, back, nil)) != text {
			t.Fatalf("%q as %s: binary %x reads back wrong: %v", s, TypeName(typ.OID), bin, err)
		}
	})
}

// FuzzParseBinary checks that binary values from outside never do more harm than an error.
func FuzzParseBinary(f *testing.F) {
	f.Add(uint8(8), []byte{0, 1, 0, 0, 0, 0, 0, 2, 0, 15})
	f.Add(uint8(36), []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 'x'})
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		typ := T(fuzzTypes[int(which)%len(fuzzTypes)])
		d, err := ParseBinary(typ, b)
		if err != nil || d.IsNull() {
			return
		}
		_ = AppendText(nil, typ, d, nil)
		if again, err := AppendBinary(nil, typ, d); err == nil {
			if back, err := ParseBinary(typ, again); err != nil || !Equal(d, back) {
				t.Fatalf("%x as %s: %v", b, TypeName(typ.OID), err)
			}
		}
	})
}

// FuzzTemplates checks that no template and no text does more harm than an error.
func FuzzTemplates(f *testing.F) {
	f.Add("YYYY-MM-DD HH24:MI:SS.US", "2024-02-29 13:14:15.678")
	f.Add("FMDay, DDth Month IYYY RM", "Thursday, 29th February 2024 II")
	f.Add("FM9,999.99MI", "-1,234.5")
	f.Fuzz(func(t *testing.T, template, text string) {
		if len(template) > 200 || ValidateText(template) != nil || ValidateText(text) != nil {
			return
		}
		_, _ = FormatTimestamp(812345678901234, template)
		_, _ = FormatTimestampTZ(-812345678901234567, template, nil)
		_, _, _ = FormatInterval(Interval{Months: -14, Days: 3, Micros: -5}, template)
		_, _ = ParseTimestampTemplate(text, template, nil)
		_, _ = ParseDateTemplate(text, template)
		_, _, _ = ParseNumber(text, template)
		_, _, _ = FormatFloat(-1234.5678, 64, template)
		_, _, _ = FormatInt(77, 32, template)
		if d, err := ParseNumeric(text); err == nil && len(text) < 50 {
			_, _, _ = FormatNumeric(d, template)
		}
	})
}
