package builtin

import (
	"bufio"
	"flag"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

var verbose = flag.Int("mismatches", 40, "how many differences from PostgreSQL to print")

// unescape undoes COPY's escapes but keeps \N apart.
func unescape(s string) (string, bool) {
	if s == `\N` {
		return "", true
	}
	return Field(s), false
}

// callCase is one recorded call.
type callCase struct {
	fn   *Func
	args []string
	want string
}

func readCalls(t *testing.T, name string) []callCase {
	t.Helper()
	file, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var out []callCase
	var fn *Func
	in := bufio.NewScanner(file)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	for in.Scan() {
		line := in.Text()
		if strings.HasPrefix(line, "@") {
			oid, _, _ := strings.Cut(line[1:], " ")
			n, err := strconv.Atoi(oid)
			if err != nil {
				t.Fatal(line)
			}
			fn = Load().FuncByOID(OID(n))
			continue
		}
		parts := strings.Split(line, "\t")
		want, ok := strings.CutPrefix(parts[len(parts)-1], "=> ")
		if !ok {
			t.Fatalf("bad line %q", line)
		}
		out = append(out, callCase{fn: fn, args: parts[:len(fn.Args)], want: want})
	}
	return out
}

func testEnv() *datum.Env {
	loc, ok := datum.LoadZone("America/Los_Angeles")
	if !ok {
		panic("no zone")
	}
	return &datum.Env{Location: loc}
}

// actualType replaces polymorphic types as the recorder does.
func actualType(oid OID) OID {
	switch oid {
	case datum.OIDAnyElement, datum.OIDAnyNonArray, datum.OIDAny, oidAnyCompatible, oidAnyCompatibleNonArray:
		return datum.OIDInt4
	case datum.OIDAnyArray, oidAnyCompatibleArray:
		return datum.OIDInt4Array
	case datum.OIDAnyRange, oidAnyCompatibleRange:
		return datum.OIDInt4Range
	}
	return oid
}

func describe(err error) string {
	e := failure.As(err)
	if e == nil {
		return "!XX000 " + err.Error()
	}
	return escapeAnswer("!" + string(e.Code) + " " + e.Message)
}

func escapeAnswer(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`).Replace(s)
}

func runCall(c *Context, k callCase) string {
	call := &Call{Facts: Load(), Func: k.fn, Ret: datum.T(actualType(k.fn.Ret))}
	args := make([]datum.Datum, len(k.args))
	null := false
	for i, a := range k.args {
		t := datum.T(actualType(k.fn.Args[i]))
		call.Args = append(call.Args, t)
		text, isNull := unescape(a)
		if isNull {
			null = true
			continue
		}
		d, err := datum.ParseText(t, text, c.Env)
		if err != nil {
			return describe(err)
		}
		if t.OID == datum.OIDBit || t.OID == datum.OIDBpchar { // the recorder's cast has a length of 1
			if d, err = datum.ApplyTypmod(datum.Type{OID: t.OID, Mod: bitMod(t.OID)}, d, true); err != nil {
				return describe(err)
			}
		}
		args[i] = d
	}
	if null && k.fn.Strict {
		return `\N`
	}
	if k.fn.RetSet {
		return runSet(c, call, args)
	}
	impl, err := k.fn.Prepare(call)
	if err != nil {
		return describe(err)
	}
	d, err := impl(c, args)
	if err != nil {
		return describe(err)
	}
	if d.IsNull() {
		return `\N`
	}
	return escapeAnswer(castText(c, call.Ret, d))
}

// castText is the cast to text, which drops a character's trailing blanks and spells booleans out.
func castText(c *Context, t datum.Type, d datum.Datum) string {
	switch t.OID {
	case datum.OIDBool:
		return strconv.FormatBool(d.Bool())
	case datum.OIDBpchar:
		return trimBlanks(d.Text())
	case datum.OIDInet:
		if s := c.outText(t, d); !strings.Contains(s, "/") {
			return s + "/" + strconv.Itoa(int(d.Net().Prefix))
		}
	}
	return c.outText(t, d)
}

func bitMod(oid OID) int32 {
	if oid == datum.OIDBpchar {
		return 5
	}
	return 1
}

func runSet(c *Context, call *Call, args []datum.Datum) string {
	set, err := call.Func.PrepareSet(call)
	if err != nil {
		return describe(err)
	}
	it, err := set(call, c, args)
	if err != nil {
		return describe(err)
	}
	_, types := call.Func.OutParams()
	var parts []string
	for {
		row, err := it.Next(c)
		if err != nil {
			return describe(err)
		}
		if row == nil {
			break
		}
		switch {
		case len(types) > 1:
			rec := &datum.Record{Values: slices.Clone(row)}
			for _, t := range types {
				rec.Types = append(rec.Types, datum.T(t))
			}
			parts = append(parts, c.outText(datum.T(datum.OIDRecord), datum.NewRecord(rec)))
		case row[0].IsNull():
			parts = append(parts, `\N`)
		default:
			parts = append(parts, c.outText(call.Ret, row[0]))
		}
	}
	if len(parts) == 0 {
		return `\N`
	}
	if out := escapeAnswer(strings.Join(parts, "|")); out != `\\N` {
		return out
	}
	return `\N`
}

// TestCalls compares what implemented functions answer with what PostgreSQL answered.
func TestCalls(t *testing.T) {
	known := knownDifferences(t)
	c := &Context{Facts: Load(), Env: testEnv()}
	ran, bad := 0, 0
	missing := map[string]bool{}
	for _, k := range readCalls(t, "calls.txt") {
		if !k.fn.Implemented() {
			missing[k.fn.Prosrc] = true
			continue
		}
		ran++
		got := runCall(c, k)
		if got == k.want || known[callName(k)] || sameEnough(k, got) {
			continue
		}
		if bad++; bad <= *verbose {
			t.Errorf("%s: got %s, want %s", callName(k), got, k.want)
		}
	}
	t.Logf("%d calls, %d differ, %d functions without implementation", ran, bad, len(missing))
	if bad > 0 {
		t.Errorf("%d of %d calls differ from PostgreSQL", bad, ran)
	}
}

// sameEnough forgives the last digit of transcendental functions, where C libraries differ too, and the size of a
// comparison's result, of which only the sign has a meaning.
func sameEnough(k callCase, got string) bool {
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(k.want, 64)
	if errA != nil || errB != nil {
		return false
	}
	if strings.HasSuffix(k.fn.Prosrc, "cmp") {
		return (a < 0) == (b < 0) && (a > 0) == (b > 0)
	}
	return k.fn.Ret == datum.OIDFloat8 && math.Abs(a-b) <= 5e-16*math.Abs(b)
}

func callName(k callCase) string {
	return k.fn.Prosrc + "(" + strings.Join(k.args, ", ") + ")"
}

// knownDifferences are calls that answer otherwise on purpose; each line of the file says why.
func knownDifferences(t *testing.T) map[string]bool {
	b, err := os.ReadFile("testdata/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, l := range strings.Split(string(b), "\n") {
		if l != "" && !strings.HasPrefix(l, "#") {
			out[l] = true
		}
	}
	return out
}
