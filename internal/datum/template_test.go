package datum

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
)

// TestRecordedTemplates compares to_char, to_timestamp, to_date and to_number with what PostgreSQL 15 answered.
func TestRecordedTemplates(t *testing.T) {
	f, err := os.Open("testdata/template.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bad, total := map[string]int{}, 0
	for sc := bufio.NewScanner(f); sc.Scan(); total++ {
		var raw []any
		if err := json.Unmarshal(sc.Bytes(), &raw); err != nil {
			t.Fatal(err)
		}
		var args, want []string
		for _, a := range raw[1].([]any) {
			args = append(args, a.(string))
		}
		for _, a := range raw[3:] {
			want = append(want, a.(string))
		}
		loc, _ := LoadZone(raw[2].(string))
		name := raw[0].(string)
		text, ok, err := callTemplate(name, args, &Env{Location: loc})
		got := []string{"ok", "[" + text + "]"}
		if !ok {
			got[1] = "[]"
		}
		if err != nil {
			e := failure.As(err)
			got = []string{string(e.Code), e.Message, e.Detail, e.Hint}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			if bad[name]++; bad[name] <= 15 {
				t.Errorf("%s%q %s\n  got  %q\n  want %q", name, args, raw[2], got, want)
			}
		}
	}
	if len(bad) > 0 {
		t.Errorf("%v of %d differ", bad, total)
	}
}

func callTemplate(name string, args []string, env *Env) (s string, ok bool, err error) {
	kind := map[string]OID{"char_ts": OIDTimestamp, "char_tz": OIDTimestampTZ, "char_iv": OIDInterval, "char_num": OIDNumeric,
		"char_int": OIDInt8, "char_float": OIDFloat8, "char_float4": OIDFloat4}[name]
	var d Datum
	if kind != 0 {
		if d, err = ParseText(T(kind), args[0], env); err != nil {
			return "", false, err
		}
	}
	switch name {
	case "char_ts":
		s, ok = FormatTimestamp(d.Int(), args[1])
		return s, ok, nil
	case "char_tz":
		s, ok = FormatTimestampTZ(d.Int(), args[1], env)
		return s, ok, nil
	case "char_iv":
		return FormatInterval(d.Interval(), args[1])
	case "char_num":
		return FormatNumeric(d.Numeric(), args[1])
	case "char_int":
		return FormatInt(d.Int(), 64, args[1])
	case "char_float":
		return FormatFloat(d.Float(), 64, args[1])
	case "char_float4":
		return FormatFloat(d.Float(), 32, args[1])
	case "to_timestamp":
		us, err := ParseTimestampTemplate(args[0], args[1], env)
		if err != nil {
			return "", false, err
		}
		return string(AppendTimestampTZ(nil, us, env)), true, nil
	case "to_date":
		days, err := ParseDateTemplate(args[0], args[1])
		if err != nil {
			return "", false, err
		}
		return string(AppendDate(nil, days, env)), true, nil
	case "to_number":
		v, ok, err := ParseNumber(args[0], args[1])
		if err != nil || !ok {
			return "", false, err
		}
		return string(AppendNumeric(nil, v)), true, nil
	}
	return strconv.Quote(name), false, nil
}
