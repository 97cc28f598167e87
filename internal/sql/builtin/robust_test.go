package builtin

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
)

// oddValues are texts of values at the edges of their types.
func oddValues(t OID) []string {
	switch t {
	case datum.OIDBool:
		return []string{"t", "f"}
	case datum.OIDInt2:
		return []string{"0", "-1", "32767", "-32768"}
	case datum.OIDInt4:
		return []string{"0", "1", "-1", "7", "2147483647", "-2147483648"}
	case datum.OIDInt8, datum.OIDXid8:
		return []string{"0", "1", "-1", "9223372036854775807", "-9223372036854775808"}
	case datum.OIDFloat4, datum.OIDFloat8:
		return []string{"0", "-0", "NaN", "Infinity", "-Infinity", "1e-30", "1e30", "2.5"}
	case datum.OIDNumeric:
		return []string{"0", "NaN", "Infinity", "-1.50", "1e30", "0.0000001", "99999"}
	case datum.OIDText, datum.OIDVarchar, datum.OIDBpchar, datum.OIDName, datum.OIDQChar:
		return []string{"", "a", `\`, "%", "é😀", "(", "[", "a*", "{}", "$.a", "YYYY", "999", "hex", "\n", "[)"}
	case datum.OIDBytea:
		return []string{`\x`, `\x00ff`}
	case datum.OIDDate:
		return []string{"infinity", "-infinity", "2000-01-01", "5874897-12-31", "4713-01-01 BC"}
	case datum.OIDTime:
		return []string{"00:00", "24:00"}
	case datum.OIDTimeTZ:
		return []string{"00:00+15:59", "24:00-15:59"}
	case datum.OIDTimestamp, datum.OIDTimestampTZ:
		return []string{"infinity", "-infinity", "294276-12-31 23:59:59", "4713-01-01 00:00 BC", "2000-01-01"}
	case datum.OIDInterval:
		return []string{"0", "178000000 years", "-178000000 years", "1 mon -1 day 00:00:01"}
	case datum.OIDJSON, datum.OIDJSONB:
		return []string{"null", "[]", "{}", `[[],{}]`, `{"a":[1,null]}`, `"x"`, "1e5"}
	case datum.OIDUUID:
		return []string{"00000000-0000-0000-0000-000000000000"}
	case datum.OIDBit, datum.OIDVarbit:
		return []string{"", "1", "1010101010"}
	case datum.OIDInet, datum.OIDCidr:
		return []string{"0.0.0.0/0", "255.255.255.255/32", "::/0"}
	case datum.OIDMacaddr:
		return []string{"00:00:00:00:00:00"}
	case datum.OIDTextArray, datum.OIDNameArray:
		return []string{"{}", "{NULL}", "{a,b}", "{{a},{b}}", "[5:6]={x,y}"}
	case datum.OIDInt4Array, datum.OIDInt8Array, datum.OIDInt2Array, datum.OIDFloat8Array, datum.OIDOidArray, datum.OIDOidVector:
		return []string{"{}", "{1,2}", "{0}"}
	case datum.OIDJSONPath:
		return []string{"$", "strict $[0 to 9]", "$.**{last}", "$.a ? (@ like_regex \"(\" flag \"q\")"}
	case datum.OIDInt4Range, datum.OIDInt8Range, datum.OIDNumRange:
		return []string{"empty", "(,)", "[1,2)"}
	case datum.OIDDateRange, datum.OIDTsRange, datum.OIDTstzRange:
		return []string{"empty", "(,)", "[2000-01-01,2000-01-02)"}
	}
	return nil
}

// TestNoPanics calls everything with odd values: any answer will do, a panic will not.
func TestNoPanics(t *testing.T) {
	f := Load()
	rng := rand.New(rand.NewPCG(1, 2))
	c := &Context{Facts: f, Env: testEnv()}
	for _, fn := range f.Funcs() {
		if fn.System || !fn.Implemented() || fn.Kind != 'f' {
			continue
		}
		for range 12 {
			call := &Call{Facts: f, Func: fn, Ret: datum.T(actualType(fn.Ret))}
			args := make([]datum.Datum, len(fn.Args))
			texts, ok := []string{}, true
			for i, a := range fn.Args {
				typ := actualType(a)
				call.Args = append(call.Args, datum.T(typ))
				odd := oddValues(typ)
				if len(odd) == 0 {
					ok = false
					break
				}
				if !fn.Strict && rng.IntN(4) == 0 {
					texts = append(texts, "NULL")
					continue
				}
				s := odd[rng.IntN(len(odd))]
				texts = append(texts, s)
				d, err := datum.ParseText(datum.T(typ), s, c.Env)
				if err != nil {
					ok = false
					break
				}
				args[i] = d
			}
			if ok {
				tryCall(t, c, call, args, texts)
			}
		}
	}
}

func tryCall(t *testing.T, c *Context, call *Call, args []datum.Datum, texts []string) {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s(%s) panics: %v", call.Func.Prosrc, strings.Join(texts, ", "), fmt.Sprint(p))
		}
	}()
	if call.Func.RetSet || call.Func.Set != nil {
		it, err := call.Func.Set(call, c, args)
		for i := 0; err == nil && i < 100; i++ {
			var row []datum.Datum
			if row, err = it.Next(c); row == nil {
				break
			}
		}
		return
	}
	impl, err := call.Func.Prepare(call)
	if err != nil {
		return
	}
	d, err := impl(c, args)
	if err == nil && !d.IsNull() {
		_ = c.outText(call.Ret, d)
	}
}
