package datum

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// TestRecordedDatetime compares date and time functions with what PostgreSQL 15 answered.
func TestRecordedDatetime(t *testing.T) {
	f, err := os.Open("testdata/datetime.jsonl")
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
		loc, _ := LoadZone(raw[2].(string))
		c := dtCall{env: &Env{Location: loc}, args: args}
		got := c.run(raw[0].(string))
		status := "ok"
		if c.err != nil {
			e := failure.As(c.err)
			status, got = string(e.Code), e.Message
		}
		if status != raw[3].(string) || got != raw[4].(string) {
			if bad++; bad <= 40 {
				t.Errorf("%s%q %s\n  got  %s %s\n  want %s %s", raw[0], args, raw[2], status, got, raw[3], raw[4])
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d differ", bad, total)
	}
}

// dtCall parses arguments and prints results; the first error stays.
type dtCall struct {
	env  *Env
	args []string
	err  error
}

func (c *dtCall) parse(oid OID, i int) Datum {
	d, err := ParseText(T(oid), c.args[i], c.env)
	if c.keep(err) == nil {
		return d
	}
	switch oid {
	case OIDInterval:
		return NewInterval(Interval{})
	case OIDTimeTZ:
		return NewTimeTZ(TimeTZ{})
	}
	return NewInt(0)
}

func (c *dtCall) ts(i int) int64       { return c.parse(OIDTimestamp, i).Int() }
func (c *dtCall) tz(i int) int64       { return c.parse(OIDTimestampTZ, i).Int() }
func (c *dtCall) date(i int) int64     { return c.parse(OIDDate, i).Int() }
func (c *dtCall) iv(i int) Interval    { return c.parse(OIDInterval, i).Interval() }
func (c *dtCall) num(i int) int64      { n, _ := strconv.ParseInt(c.args[i], 10, 64); return n }
func (c *dtCall) float(i int) float64  { return c.parse(OIDFloat8, i).Float() }
func (c *dtCall) time(i int) int64     { return c.parse(OIDTime, i).Int() }
func (c *dtCall) keep(err error) error { c.err = cmpErr(c.err, err); return c.err }

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (c *dtCall) text(oid OID, d Datum, err error) string {
	if c.keep(err) != nil {
		return ""
	}
	return string(AppendText(nil, T(oid), d, c.env))
}

func (c *dtCall) showTS(us int64, err error) string {
	return c.text(OIDTimestamp, NewTimestamp(us), err)
}
func (c *dtCall) showTZ(us int64, err error) string {
	return c.text(OIDTimestampTZ, NewTimestampTZ(us), err)
}
func (c *dtCall) showDate(d int64, err error) string { return c.text(OIDDate, NewDate(d), err) }
func (c *dtCall) showIV(v Interval, err error) string {
	return c.text(OIDInterval, NewInterval(v), err)
}

func (c *dtCall) showNum(d *apd.Decimal, err error) string {
	if c.keep(err) != nil || d == nil {
		return ""
	}
	return string(AppendNumeric(nil, d))
}

func (c *dtCall) run(name string) string {
	loc := c.env.Location
	switch name {
	case "extract_ts":
		return c.showNum(ExtractTimestamp(c.args[0], c.ts(1)))
	case "extract_tz":
		return c.showNum(ExtractTimestampTZ(c.args[0], c.tz(1), loc))
	case "extract_date":
		return c.showNum(ExtractDate(c.args[0], c.date(1)))
	case "extract_iv":
		return c.showNum(ExtractInterval(c.args[0], c.iv(1)))
	case "extract_time":
		return c.showNum(ExtractTime(c.args[0], c.time(1)))
	case "extract_timetz":
		return c.showNum(ExtractTimeTZ(c.args[0], c.parse(OIDTimeTZ, 1).TimeTZ()))
	case "trunc_ts":
		return c.showTS(TruncTimestamp(c.args[0], c.ts(1)))
	case "trunc_tz":
		return c.showTZ(TruncTimestampTZ(c.args[0], c.tz(1), loc))
	case "trunc_iv":
		return c.showIV(TruncInterval(c.args[0], c.iv(1)))
	case "ts_add":
		return c.showTS(TimestampAddInterval(c.ts(0), c.iv(1)))
	case "tz_add":
		return c.showTZ(TimestampTZAddInterval(c.tz(0), c.iv(1), loc))
	case "ts_sub":
		return c.showIV(TimestampSub(c.ts(0), c.ts(1)))
	case "age":
		return c.showIV(Age(c.ts(0), c.ts(1)))
	case "age_tz":
		return c.showIV(AgeTZ(c.tz(0), c.tz(1), loc))
	case "date_bin":
		return c.showTS(DateBin(c.iv(0), c.ts(1), c.ts(2)))
	case "to_zone":
		us := c.tz(1)
		z, err := FindZone(c.args[0])
		if c.keep(err) != nil {
			return ""
		}
		return c.showTS(z.Local(us))
	case "from_zone":
		us := c.ts(1)
		z, err := FindZone(c.args[0])
		if c.keep(err) != nil {
			return ""
		}
		return c.showTZ(z.Instant(us))
	case "ts_date":
		return c.showDate(TimestampToDate(c.ts(0)), nil)
	case "ts_tz":
		return c.showTZ(LocalToTimestampTZ(c.ts(0), loc))
	case "tz_ts":
		return c.showTS(TimestampTZToLocal(c.tz(0), loc))
	case "date_ts":
		return c.showTS(DateToTimestamp(c.date(0)))
	case "date_tz":
		return c.showTZ(DateToTimestampTZ(c.date(0), loc))
	case "date_add":
		return c.showDate(DateAddDays(c.date(0), c.num(1)))
	case "date_sub":
		n, err := DateSub(c.date(0), c.date(1))
		return c.text(OIDInt4, NewInt(n), err)
	case "iv_add":
		return c.showIV(IntervalAdd(c.iv(0), c.iv(1)))
	case "iv_sub":
		return c.showIV(IntervalSub(c.iv(0), c.iv(1)))
	case "iv_mul":
		return c.showIV(IntervalMul(c.iv(0), c.float(1)))
	case "iv_div":
		return c.showIV(IntervalDiv(c.iv(0), c.float(1)))
	case "iv_neg":
		return c.showIV(IntervalNeg(c.iv(0)))
	case "justify_hours":
		return c.showIV(JustifyHours(c.iv(0)))
	case "justify_days":
		return c.showIV(JustifyDays(c.iv(0)))
	case "justify_interval":
		return c.showIV(JustifyInterval(c.iv(0)))
	case "time_add":
		return c.text(OIDTime, NewTime(TimeAddInterval(c.time(0), c.iv(1))), nil)
	case "make_date":
		return c.showDate(MakeDate(int(c.num(0)), int(c.num(1)), int(c.num(2))))
	case "make_time":
		us, err := MakeTime(int(c.num(0)), int(c.num(1)), c.float(2))
		return c.text(OIDTime, NewTime(us), err)
	case "make_ts":
		return c.showTS(MakeTimestamp(int(c.num(0)), int(c.num(1)), int(c.num(2)), int(c.num(3)), int(c.num(4)), c.float(5)))
	case "make_interval":
		return c.showIV(MakeInterval(c.num(0), c.num(1), c.num(2), c.num(3), c.num(4), c.num(5), c.float(6)))
	}
	return "no function " + strings.ToUpper(name)
}
