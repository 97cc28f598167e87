package main

import (
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
)

// samples are the values tried for each type, by its name in pg_type.
func samples() map[string][]string {
	return map[string][]string{
		"bool":    {"t", "f"},
		"int2":    {"0", "1", "-7", "3", "32767", "-32768"},
		"int4":    {"2", "0", "1", "-5", "13", "2147483647", "-2147483648"},
		"int8":    {"3", "0", "1", "-1", "12", "9223372036854775807", "-9223372036854775808", "4000000000"},
		"oid":     {"0", "23", "4294967295"},
		"float4":  {"1.5", "0", "-2.25", "3e38", "NaN", "Infinity", "1e-40", "0.1"},
		"float8":  {"0.5", "0", "-2.5", "1e300", "NaN", "Infinity", "-Infinity", "7.25", "1e-310", "100"},
		"numeric": {"12.50", "0", "-3.7", "1e20", "NaN", "0.000123", "99999999999999999999.99", "2", "-Infinity", "7"},
		"text": {"hello world", "", "Ünïcödé", "abc", "ABC def", "%b_", "a,b,,c", "100", "\\x41", "it's \"q\"", "foo\nbar",
			"  x "},
		"varchar":     {"abc", "Zz ", ""},
		"bpchar":      {"abc", "abc  ", "b", ""},
		"name":        {"abc", "pg_class", ""},
		"char":        {"a", "Z", ""},
		"bytea":       {"\\x0102ff", "\\x", "\\x68656c6c6f", "\\x00ff00"},
		"uuid":        {"00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		"date":        {"2024-02-29", "2000-01-01", "1999-12-31", "infinity", "0044-03-15 BC", "-infinity", "2024-03-10"},
		"time":        {"00:00:00", "13:45:06.789", "23:59:59.999999", "24:00:00"},
		"timetz":      {"13:45:06.789-08", "00:00:00+05:30", "23:59:59.999999+00"},
		"timestamp":   {"2024-02-29 13:45:06.789", "2000-01-01", "1999-12-31 23:59:59.999999", "infinity", "2024-03-10 02:30:00", "0044-03-15 12:00 BC"},
		"timestamptz": {"2024-02-29 13:45:06.789-08", "2000-01-01 00:00+00", "1969-07-20 20:17:40+00", "-infinity", "2024-11-03 08:30:00+00", "2024-07-04 12:00:00+02"},
		"interval":    {"1 day", "1 year 2 mons 3 days 04:05:06.789", "-13 months", "00:00:00", "36:00:00", "-1 day 02:00:00", "00:00:00.5", "100 years"},
		"json":        {`{"a": 1, "b": [1, 2, {"c": null}]}`, `[1, "two", 3.50, null, true]`, `"str"`, `null`, `{}`, `[]`, `{"a": {"b": "x\u00e9y"}, "a": 2}`},
		"jsonb":       {`{"a": 1, "b": [1, 2, {"c": null}]}`, `[1, "two", 3.50, null, true]`, `"str"`, `null`, `{}`, `[]`, `{"a": {"b": "xéy"}}`, `12.5`, `true`},
		"_int4":       {"{1,2,3}", "{}", "{1,NULL,3,1}", "{{1,2},{3,4}}", "[0:1]={5,6}"},
		"_int8":       {"{1,2}", "{}"},
		"_text":       {"{a,b}", "{}", `{b,"x,y",NULL}`, "{{a,1},{b,2}}"},
		"_float8":     {"{0.5,2}", "{}"},
		"_oid":        {"{23,25}"},
		"oidvector":   {"23 25", ""},
		"inet":        {"192.168.1.5/24", "10.0.0.1", "2001:db8::1/32", "192.168.1.0/25"},
		"cidr":        {"192.168.1.0/24", "10.0.0.0/8", "2001:db8::/32"},
		"macaddr":     {"08:00:2b:01:02:03", "ff:ff:ff:00:00:00"},
		"bit":         {"101", "1", "11110000"},
		"varbit":      {"101", "", "11110000"},
		"int4range":   {"[1,5)", "empty", "(,3)", "[4,)", "[5,8)"},
		"int8range":   {"[1,5)", "empty", "(,3)"},
		"numrange":    {"[1.5,5.5]", "empty", "(,3)", "(1.5,2)"},
		"daterange":   {"[2024-01-01,2024-02-01)", "empty", "(,2024-01-15]"},
		"tsrange":     {"[2024-01-01,2024-02-01)", "empty"},
		"tstzrange":   {"[2024-01-01 00:00+00,2024-02-01 00:00+00)", "empty"},
		"xid8":        {"1", "5000000000"},
		"pg_lsn":      {"0/0", "16/B374D848"},
		"regtype":     {"23", "1184"},
		"money":       nil,
		"xid":         {"1", "7"},
		"jsonpath": {"$", "$.a", "$.b[*]", "$[*] ? (@ > 2)", "strict $.zz", "$.**", "$.b[last].c", "$.a + 1", "strict $[*].size()",
			"$.* ? (@.type() == \"number\")", "$[0 to 1]", "$.a == 1", "$[*] ? (@ starts with \"t\")", "-$.a", "$.keyvalue().key",
			"$ ? (exists(@.b[*] ? (@ == 2)))", "$.b.double()", "$[*] ? (@ like_regex \"^T\" flag \"i\")", "$[*] ? ((@ > 1) is unknown)"},
		"regnamespace": nil,
	}
}

// special gives better arguments than the samples to functions that want a text of some form.
func special(fn *builtin.Func, i int) []string {
	text := fn.Args[i] == datum.OIDText
	switch {
	case !text:
		return specialNumber(fn, i)
	case strings.HasPrefix(fn.Prosrc, "extract_"), strings.HasSuffix(fn.Prosrc, "_part") && fn.Name == "date_part":
		return []string{"year", "epoch", "dow", "microseconds", "hour", "week", "timezone", "julian", "nosuch", "decade", "isoyear", "quarter"}
	case strings.Contains(fn.Prosrc, "_trunc"):
		if i == 2 {
			return []string{"Europe/Berlin", "UTC", "Nowhere/X"}
		}
		return []string{"hour", "month", "week", "century", "quarter", "nosuch", "second", "day"}
	case strings.HasSuffix(fn.Prosrc, "_zone"), strings.HasSuffix(fn.Prosrc, "at_timezone"):
		return []string{"Europe/Berlin", "UTC", "EST", "+03", "Nowhere/X", "America/New_York"}
	case fn.Name == "to_char" && (fn.Args[0] == datum.OIDTimestamp || fn.Args[0] == datum.OIDTimestampTZ || fn.Args[0] == datum.OIDInterval):
		return []string{"YYYY-MM-DD HH24:MI:SS.US", "Day, DD Month YYYY", "FMDay FMDDth FMMonth", "IYYY-IW-ID Q", "HH12:MI AM TZ OF", "J DDD SSSS", "\"text\" yy CC bc"}
	case fn.Name == "to_char":
		return []string{"999D99", "FM999,999.00", "S0000", "9.99EEEE", "RN", "L999PR", "$99MI", "00V99", "999th"}
	case fn.Name == "to_date", fn.Name == "to_timestamp":
		if i == 0 {
			return []string{"2024-02-29", "29 Feb 2024", "2024-060", "20240229 134506", "garbage"}
		}
		return []string{"YYYY-MM-DD", "DD Mon YYYY", "YYYY-DDD", "YYYYMMDD HH24MISS"}
	case fn.Name == "to_number":
		if i == 0 {
			return []string{"12,454.8-", "-12.5", "$1,000", "12.5E3", "abc"}
		}
		return []string{"99G999D9S", "S99.9", "L9,999", "999.99"}
	case fn.Name == "encode" || fn.Name == "decode":
		if i == 0 {
			return []string{"aGVsbG8=", "68656c6c6f", "a\\\\b\\001", "xyz"}
		}
		return []string{"base64", "hex", "escape", "rot13"}
	case strings.HasPrefix(fn.Name, "regexp_"), strings.Contains(fn.Prosrc, "regex"):
		return specialRegexp(fn, i)
	case fn.Name == "normalize" || fn.Name == "is_normalized":
		if i == 1 {
			return []string{"NFC", "NFD", "nfkc", "X"}
		}
	case fn.Name == "pg_size_bytes":
		return []string{"1 kB", "10MB", "-1.5 GB", "12", "5 parsecs", "", "1e3 MB"}
	case fn.Name == "pg_relation_size" || strings.HasPrefix(fn.Prosrc, "show_config"):
		return nil
	case fn.Name == "unistr":
		return []string{`d\0061t\+000061`, `\u0441\u043B`, `bad\`, `\D83D\DE00`}
	case fn.Name == "like_escape" || fn.Name == "similar_escape" || strings.HasPrefix(fn.Prosrc, "similar_to"):
		if i == 0 {
			return []string{"a%b_c", "x#%y", `a\%b`, `%#"o_b#"%`, "[a-z]*(x|y)", "_#"}
		}
		return []string{"#", `\`, "", "ab"}
	case strings.Contains(fn.Prosrc, "like") && i == 1:
		return []string{"%o%", "h_llo%", `a\%`, "ABC%", "", "%", `\`}
	case fn.Name == "parse_ident":
		return []string{`Foo."Bar".baz`, "a", `"a`, "a.", "1a", "a b"}
	case fn.Name == "format":
		return []string{"%s|%5s|%-5s|%L|%I", "%1$s %1$s", "%%", "%", "%z", "%*s"}
	}
	return nil
}

func specialNumber(fn *builtin.Func, i int) []string {
	switch {
	case fn.Name == "repeat" && i == 1, fn.Name == "lpad" && i == 1, fn.Name == "rpad" && i == 1:
		return []string{"0", "3", "-1", "12"}
	case strings.HasPrefix(fn.Name, "make_"):
		return []string{"2024", "2", "11", "0", "-5"}
	case fn.Prosrc == "interval_scale" && i == 1:
		return []string{"2147418114", "2147418112", "-1"}
	case strings.HasSuffix(fn.Prosrc, "_scale") && i == 1:
		return []string{"0", "2", "6"}
	case strings.Contains(fn.Name, "scale") || fn.Name == "round" && i == 1 || fn.Name == "trunc" && i == 1:
		if fn.Args[i] == datum.OIDInt4 {
			return []string{"0", "2", "-1", "5"}
		}
	case fn.Args[i] == datum.OIDInt4 && i > 0 && (strings.HasPrefix(fn.Name, "regexp_") || fn.Name == "substr" ||
		fn.Name == "substring" || fn.Name == "overlay" || fn.Name == "split_part"):
		return []string{"1", "2", "0", "-1", "4"}
	case fn.Args[i] == datum.OIDInt4 && i == 1 && (fn.Prosrc == "varchar" || fn.Prosrc == "bpchar" || fn.Prosrc == "numeric" ||
		fn.Prosrc == "bit" || fn.Prosrc == "varbit"):
		return []string{"6", "655366", "-1", "7"}
	case strings.HasPrefix(fn.Prosrc, "generate_series"):
		return []string{"1", "3", "2", "-1", "0"}
	case fn.Name == "array_fill" && i > 0:
		return []string{"{2}", "{2,3}", "{}", "{-1}"}
	case fn.Name == "factorial":
		return []string{"0", "5", "30", "-1"}
	case fn.Name == "chr":
		return []string{"65", "233", "0", "-1", "1114112", "128512"}
	}
	return nil
}

func specialRegexp(fn *builtin.Func, i int) []string {
	switch {
	case i == 0:
		return []string{"foobarbaz", "The Quick 42 fox", "aaa", "", "a,b;c", "foo bar foo"}
	case i == 1:
		return []string{"o", "(b.)(.)", "[0-9]+", "a*", `\s`, "^f.*z$", "(?:x|[,;])", "(", `\mfoo\M`, "(o)(x)?", "A"}
	case i == len(fn.Args)-1 && i >= 2 && strings.HasSuffix(fn.Prosrc, "replace_noopt"):
		return []string{"X", `[\1]`, `<\&>`, ""}
	case i == 2 && strings.HasPrefix(fn.Prosrc, "textregexreplace"):
		return []string{"X", `[\1]`, `<\&>`, ""}
	case fn.Args[i] == datum.OIDText && i >= 2:
		return []string{"", "g", "i", "gi", "z"}
	}
	return nil
}

// excluded tells functions that ask the catalogue or the session, that convert for the wire, or whose results are
// PostgreSQL's own business (hash values, support functions).
func excluded(fn *builtin.Func) bool {
	for _, prefix := range []string{"hash_", "has_", "pg_get", "pg_stat", "pg_ts", "ts_", "gin", "gist", "spg", "brin", "to_reg",
		"pg_read", "pg_ls", "pg_has", "pg_relation", "pg_index", "pg_table", "pg_describe", "pg_identify", "xml", "query_to",
		"table_to", "database_to", "schema_to", "cursor_to", "currval", "col_desc", "obj_desc", "shobj", "current_", "session_",
		"now", "inet_client", "inet_server", "pg_xact", "pg_control", "age", "statement_time", "transaction_time", "pg_conf",
		"pg_postm", "pg_database", "pg_tablespace", "pg_collation", "pg_encoding", "pg_char", "pg_available", "pg_is", "pg_my",
		"pg_lock", "pg_show", "pg_prepared", "pg_cursor", "pg_event", "pg_config", "pg_partition", "pg_filenode", "pg_sequence",
		"pg_settings", "pg_operator", "pg_op", "pg_type", "pg_func", "pg_conv", "row_security", "set_", "getpgusername", "version",
		"text_regclass", "regclass", "am", "bt", "satisfies", "array_un", "range_adj", "pg_column", "pg_timezone", "pg_nex",
		"pg_hba", "pg_ident", "pg_safe", "pg_export", "pg_current", "pg_advisory", "to_ascii", "show_", "pg_lsn_hash", "timetz_hash", "jsonb_hash", "xideq", "mxid", "pg_snapshot", "txid",
		"cash", "interval_support", "plpgsql", "fmgr", "pg_blocking", "pg_trigger", "pg_options", "json_to_record",
		"jsonb_to_record", "format_type", "pg_collation_for", "to_ts", "plainto", "phraseto", "websearch", "float8_", "float4_", "pg_bl",
		"int8_avg", "int4_avg", "int2_avg", "int2int4", "interval_avg", "interval_comb", "numeric_avg", "acldefault", "length_in", "pg_backend", "pg_ext", "pg_mcv", "record_",
	} {
		if strings.HasPrefix(fn.Name, prefix) || strings.HasPrefix(fn.Prosrc, prefix) && prefix != "bt" && prefix != "am" &&
			prefix != "range_" {
			if fn.Name == "now" || prefix != "now" {
				return !strings.HasPrefix(fn.Name, "btrim")
			}
		}
	}
	return strings.HasSuffix(fn.Name, "send") || strings.HasSuffix(fn.Name, "recv") || strings.HasSuffix(fn.Name, "out") ||
		strings.HasSuffix(fn.Name, "_support") || strings.HasPrefix(fn.Name, "hash_") || strings.Contains(fn.Name, "range_hash") || strings.HasSuffix(fn.Name, "_accum") ||
		strings.Contains(fn.Name, "_accum_") || strings.HasSuffix(fn.Name, "sel") || fn.Variadic == datum.OIDAny
}
