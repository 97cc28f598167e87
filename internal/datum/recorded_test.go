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

// typeNamed finds a type by a SQL spelling used in testdata: "numeric(5,2)", "int4[]", "interval day to second(1)".
func typeNamed(t *testing.T, name string) Type {
	t.Helper()
	if base, ok := strings.CutSuffix(name, "[]"); ok {
		return T(ArrayOf(typeNamed(t, base).OID))
	}
	if rest, ok := strings.CutPrefix(name, "interval "); ok {
		return Type{OID: OIDInterval, Mod: intervalMod(t, rest)}
	}
	base, args, hasArgs := strings.Cut(name, "(")
	aliases := map[string]OID{
		"bool": OIDBool, "int2": OIDInt2, "int4": OIDInt4, "int8": OIDInt8, "float4": OIDFloat4, "float8": OIDFloat8,
		`"char"`: OIDQChar, "varchar": OIDVarchar, "char": OIDBpchar, "time": OIDTime, "timetz": OIDTimeTZ,
		"timestamp": OIDTimestamp, "timestamptz": OIDTimestampTZ, "varbit": OIDVarbit, "bit": OIDBit,
	}
	oid, ok := aliases[base]
	for i := range typeNames {
		if !ok && typeNames[i].name == base {
			oid, ok = typeNames[i].oid, true
		}
	}
	if !ok {
		t.Fatalf("no type %s", name)
	}
	typ := T(oid)
	if !hasArgs {
		if oid == OIDBit {
			typ.Mod = 1
		}
		return typ
	}
	nums := strings.Split(strings.TrimSuffix(args, ")"), ",")
	n, _ := strconv.Atoi(nums[0])
	switch oid {
	case OIDVarchar, OIDBpchar:
		typ.Mod = int32(n) + 4
	case OIDNumeric:
		s := 0
		if len(nums) > 1 {
			s, _ = strconv.Atoi(nums[1])
		}
		typ.Mod = int32(n<<16|s&0x7ff) + 4
	case OIDInterval:
		typ.Mod = int32(intervalFullRange<<16 | n)
	default:
		typ.Mod = int32(n)
	}
	return typ
}

func intervalMod(t *testing.T, s string) int32 {
	t.Helper()
	digits := intervalFullPrecision
	if base, p, ok := strings.Cut(s, "("); ok {
		digits, _ = strconv.Atoi(strings.TrimSuffix(p, ")"))
		s = base
	}
	for fields := range 1 << 14 {
		m := int32(fields<<16 | intervalFullPrecision)
		if intervalModText(m) == " "+s {
			return int32(fields<<16 | digits)
		}
	}
	t.Fatalf("no interval fields %q", s)
	return 0
}

func envNamed(t *testing.T, s []string) *Env {
	t.Helper()
	e := &Env{}
	if len(s) == 0 {
		return e
	}
	style, order, _ := strings.Cut(s[0], ", ")
	e.DateStyle = map[string]DateStyle{"ISO": DateISO, "SQL": DateSQL, "Postgres": DatePostgres, "German": DateGerman}[style]
	e.DateOrder = map[string]DateOrder{"MDY": OrderMDY, "DMY": OrderDMY, "YMD": OrderYMD}[order]
	loc, ok := LoadZone(s[1])
	if !ok {
		t.Fatalf("no zone %s", s[1])
	}
	e.Location = loc
	e.IntervalStyle = map[string]IntervalStyle{"postgres": IntervalPostgres, "postgres_verbose": IntervalPostgresVerbose,
		"sql_standard": IntervalSQLStandard, "iso_8601": IntervalISO8601}[s[2]]
	digits, _ := strconv.Atoi(s[3])
	e.FloatDigits = min(digits-1, 0)
	e.ByteaEscape = s[4] == "escape"
	return e
}

// TestRecordedText compares literals of every type, good and bad, with what PostgreSQL 15 answered.
func TestRecordedText(t *testing.T) {
	f, err := os.Open("testdata/text.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bad, total := 0, 0
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var raw []any
		if err := json.Unmarshal(sc.Bytes(), &raw); err != nil {
			t.Fatal(err)
		}
		name, input := raw[0].(string), raw[2].(string)
		var settings []string
		for _, s := range raw[1].([]any) {
			settings = append(settings, s.(string))
		}
		var want []string
		for _, s := range raw[3:] {
			want = append(want, s.(string))
		}
		total++
		got := castText(typeNamed(t, name), input, envNamed(t, settings))
		if strings.Join(got, "|") != strings.Join(want, "|") {
			bad++
			if bad <= 60 {
				t.Errorf("%s %q %v\n  got  %q\n  want %q", name, input, settings, got, want)
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d differ", bad, total)
	}
}

// castText is 'input'::type, printed.
func castText(typ Type, input string, env *Env) []string {
	var d Datum
	var err error
	if typ.OID == OIDInterval && typ.Mod >= 0 {
		d, err = ParseText(typ, input, env)
	} else if d, err = ParseText(T(typ.OID), input, env); err == nil {
		d, err = ApplyTypmod(typ, d, true)
	}
	if err != nil {
		e := failure.As(err)
		return []string{string(e.Code), e.Message, e.Detail, e.Hint}
	}
	return []string{"ok", string(AppendText(nil, typ, d, env))}
}
