package datum

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// TestRecordedNumeric compares numeric functions with what PostgreSQL 15 answered.
func TestRecordedNumeric(t *testing.T) {
	f, err := os.Open("testdata/numeric.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bad, total := 0, 0
	for sc := bufio.NewScanner(f); sc.Scan(); total++ {
		var raw []any
		if err := json.Unmarshal(sc.Bytes(), &raw); err != nil {
			t.Fatal(err)
		}
		var args []string
		for _, a := range raw[1].([]any) {
			args = append(args, a.(string))
		}
		got, err := callNumeric(raw[0].(string), args)
		status := "ok"
		if err != nil {
			status, got = string(failure.CodeOf(err)), failure.As(err).Message
		}
		if status != raw[2].(string) || got != raw[3].(string) {
			if bad++; bad <= 40 {
				t.Errorf("%s%v\n  got  %s %s\n  want %s %s", raw[0], args, status, got, raw[2], raw[3])
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d differ", bad, total)
	}
}

func callNumeric(name string, args []string) (string, error) {
	var n [3]*apd.Decimal
	for i := range min(len(args), 3) {
		d, err := ParseNumeric(args[i])
		if err != nil {
			return "", err
		}
		n[i] = d
	}
	show := func(d *apd.Decimal, err error) (string, error) {
		if err != nil {
			return "", err
		}
		return string(AppendNumeric(nil, d)), nil
	}
	number := func(i int64, err error) (string, error) { return strconv.FormatInt(i, 10), err }
	switch name {
	case "add":
		return show(NumericAdd(n[0], n[1]))
	case "sub":
		return show(NumericSub(n[0], n[1]))
	case "mul":
		return show(NumericMul(n[0], n[1]))
	case "div":
		return show(NumericDiv(n[0], n[1]))
	case "mod":
		return show(NumericMod(n[0], n[1]))
	case "divtrunc":
		return show(NumericDivTrunc(n[0], n[1]))
	case "log":
		return show(NumericLog(n[0], n[1]))
	case "gcd":
		return show(NumericGCD(n[0], n[1]))
	case "lcm":
		return show(NumericLCM(n[0], n[1]))
	case "power":
		return show(NumericPower(n[0], n[1]))
	case "cmp":
		return number(int64(CompareNumeric(n[0], n[1])), nil)
	case "sqrt":
		return show(NumericSqrt(n[0]))
	case "ln":
		return show(NumericLn(n[0]))
	case "exp":
		return show(NumericExp(n[0]))
	case "ceil":
		return show(NumericCeil(n[0]))
	case "floor":
		return show(NumericFloor(n[0]))
	case "abs":
		return show(NumericAbs(n[0]), nil)
	case "neg":
		return show(NumericNeg(n[0]), nil)
	case "sign":
		return show(NumericSign(n[0]), nil)
	case "trim_scale":
		return show(NumericTrimScale(n[0]), nil)
	case "min_scale":
		s, ok := NumericMinScale(n[0])
		if !ok {
			return "", nil
		}
		return number(int64(s), nil)
	case "round", "trunc":
		s, _ := strconv.Atoi(args[1])
		if name == "trunc" {
			return show(NumericTrunc(n[0], s), nil)
		}
		return show(NumericRound(n[0], s))
	case "int2", "int4", "int8":
		return number(NumericToInt(n[0], map[string]int{"int2": 16, "int4": 32, "int8": 64}[name]))
	case "float8":
		f, err := NumericToFloat(n[0], 64)
		return string(AppendFloat8(nil, f, 0)), err
	case "float4":
		f, err := NumericToFloat(n[0], 32)
		return string(AppendFloat4(nil, f, 0)), err
	case "fromfloat8", "fromfloat4":
		bits := map[string]int{"fromfloat8": 64, "fromfloat4": 32}[name]
		d, err := parseFloat(args[0], bits)
		if err != nil {
			return "", err
		}
		return show(NumericFromFloat(d.Float(), bits))
	case "factorial":
		i, _ := strconv.ParseInt(args[0], 10, 64)
		return show(NumericFactorial(i))
	case "width_bucket":
		i, _ := strconv.ParseInt(args[3], 10, 64)
		return number(NumericWidthBucket(n[0], n[1], n[2], i))
	}
	return "no such function", nil
}

func BenchmarkNumericAdd(b *testing.B) {
	x, _ := ParseNumeric("12345.67")
	y, _ := ParseNumeric("0.33")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = NumericAdd(x, y)
	}
}

func BenchmarkNumericDiv(b *testing.B) {
	x, _ := ParseNumeric("12345.67")
	y, _ := ParseNumeric("3")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = NumericDiv(x, y)
	}
}
