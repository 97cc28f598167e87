package builtin

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
)

// TestAggregates compares aggregates over recorded rows with PostgreSQL.
func TestAggregates(t *testing.T) {
	b, err := os.ReadFile("testdata/aggregates.txt")
	if err != nil {
		t.Fatal(err)
	}
	c := &Context{Facts: Load(), Env: testEnv()}
	var fn *Func
	ran, bad, missing := 0, 0, 0
	for _, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		if strings.HasPrefix(line, "@") {
			oid, _, _ := strings.Cut(line[1:], " ")
			n, _ := strconv.Atoi(oid)
			if fn = Load().FuncByOID(OID(n)); !fn.Implemented() {
				missing++
			}
			continue
		}
		if !fn.Implemented() {
			continue
		}
		i := strings.LastIndex(line, "=> ")
		var fields []string
		if i > 1 {
			fields = strings.Split(strings.TrimSuffix(line[:i], "\t"), "\t")
		}
		got := runAggregate(c, fn, fields)
		ran++
		want := line[i+3:]
		if got == want || sameEnough(callCase{fn: fn, want: want}, got) {
			continue
		}
		if bad++; bad <= *verbose {
			t.Errorf("%s %s: got %s, want %s", Load().Signature(fn), line[:i], got, want)
		}
	}
	t.Logf("%d aggregations, %d differ, %d aggregates missing", ran, bad, missing)
}

func runAggregate(c *Context, fn *Func, fields []string) string {
	call := &Call{Facts: Load(), Func: fn, Ret: datum.T(actualType(fn.Ret))}
	types := fn.Args
	var direct []datum.Datum
	for _, a := range fn.Args {
		call.Args = append(call.Args, datum.T(actualType(a)))
	}
	if fn.Agg.Kind == 'o' {
		types = types[fn.Agg.NumDirect:]
		if fn.Agg.NumDirect > 0 {
			d, err := datum.ParseText(call.Args[0], map[bool]string{true: "{0.25,0.5,1}", false: "0.4"}[fn.Args[0] == datum.OIDFloat8Array], nil)
			if err != nil {
				return describe(err)
			}
			direct = append(direct, d)
		}
	}
	var rows [][]datum.Datum
	var row []datum.Datum
	for _, f := range fields {
		if f == ";;" {
			rows, row = append(rows, row), nil
			continue
		}
		text, null := unescape(f)
		if len(types) == 0 || null {
			row = append(row, datum.Null)
			continue
		}
		if len(row) >= len(types) {
			continue
		}
		t := datum.T(actualType(types[len(row)]))
		d, err := datum.ParseText(t, text, c.Env)
		if err != nil {
			return describe(err)
		}
		if t.OID == datum.OIDBit || t.OID == datum.OIDBpchar {
			d, _ = datum.ApplyTypmod(datum.Type{OID: t.OID, Mod: bitMod(t.OID)}, d, true)
		}
		row = append(row, d)
	}
	if fn.Agg.Kind == 'o' {
		slices.SortStableFunc(rows, func(a, b []datum.Datum) int { return datum.Compare(a[0], b[0]) })
	}
	agg, err := fn.PrepareAggregate(call)
	if err != nil {
		return describe(err)
	}
	state := agg.New()
	for _, r := range rows {
		if err := state.Add(c, r); err != nil {
			return describe(err)
		}
	}
	d, err := state.Result(c, direct)
	if err != nil {
		return describe(err)
	}
	if d.IsNull() {
		return `\N`
	}
	return escapeAnswer(castText(c, call.Ret, d))
}
