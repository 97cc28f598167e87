package datum

import (
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

// tplKind is what a piece of a to_char or to_timestamp template is.
type tplKind uint8

const (
	tplField tplKind = iota
	tplChar
	tplSeparator // punctuation
	tplSpace
)

// tplNode is one piece of a date template.
type tplNode struct {
	kind tplKind
	key  *tplKey
	text string // the character of a literal
	fm   bool   // fill mode: no padding
	th   byte   // 'T' or 't' when an ordinal suffix follows
	tm   bool
}

// calendar is the convention that a field belongs to when a date is read.
type calendar uint8

const (
	calendarNone calendar = iota
	calendarGregorian
	calendarISO
)

type tplKey struct {
	name  string // as PostgreSQL's messages show it
	field string // upper case, what the field is
	digit bool   // a number
	cal   calendar
}

// tplKeys are the fields of date templates in upper case; longer names come before their prefixes.
var tplKeys = [...]tplKey{
	{"A.D.", "A.D.", false, calendarNone}, {"A.M.", "A.M.", false, calendarNone},
	{"AD", "AD", false, calendarNone}, {"AM", "AM", false, calendarNone},
	{"B.C.", "A.D.", false, calendarNone}, {"BC", "AD", false, calendarNone},
	{"CC", "CC", true, calendarNone},
	{"DAY", "DAY", false, calendarNone}, {"DDD", "DDD", true, calendarGregorian}, {"DD", "DD", true, calendarGregorian},
	{"DY", "DY", false, calendarNone}, {"D", "D", true, calendarGregorian},
	{"FF1", "FF1", false, calendarNone}, {"FF2", "FF2", false, calendarNone}, {"FF3", "FF3", false, calendarNone},
	{"FF4", "FF4", false, calendarNone}, {"FF5", "FF5", false, calendarNone}, {"FF6", "FF6", false, calendarNone},
	{"FX", "FX", false, calendarNone},
	{"HH24", "HH24", true, calendarNone}, {"HH12", "HH12", true, calendarNone}, {"HH", "HH12", true, calendarNone},
	{"IDDD", "IDDD", true, calendarISO}, {"ID", "ID", true, calendarISO}, {"IW", "IW", true, calendarISO},
	{"IYYY", "IYYY", true, calendarISO}, {"IYY", "IYY", true, calendarISO}, {"IY", "IY", true, calendarISO},
	{"I", "I", true, calendarISO},
	{"J", "J", true, calendarNone},
	{"MI", "MI", true, calendarNone}, {"MM", "MM", true, calendarGregorian}, {"MONTH", "MONTH", false, calendarGregorian},
	{"MON", "MON", false, calendarGregorian}, {"MS", "MS", true, calendarNone},
	{"OF", "OF", false, calendarNone},
	{"P.M.", "A.M.", false, calendarNone}, {"PM", "AM", false, calendarNone},
	{"Q", "Q", true, calendarNone},
	{"RM", "RM", false, calendarGregorian},
	{"SSSSS", "SSSS", true, calendarNone}, {"SSSS", "SSSS", true, calendarNone}, {"SS", "SS", true, calendarNone},
	{"TZH", "TZH", false, calendarNone}, {"TZM", "TZM", true, calendarNone}, {"TZ", "TZ", false, calendarNone},
	{"US", "US", true, calendarNone},
	{"WW", "WW", true, calendarGregorian}, {"W", "W", true, calendarGregorian},
	{"Y,YYY", "Y,YYY", true, calendarGregorian}, {"YYYY", "YYYY", true, calendarGregorian},
	{"YYY", "YYY", true, calendarGregorian}, {"YY", "YY", true, calendarGregorian}, {"Y", "Y", true, calendarGregorian},
}

// tplCase says how a field's name was written, which decides the letters of the output.
type tplCase uint8

const (
	caseUpper tplCase = iota
	caseTitle
	caseLower
)

// matchKey finds the field that s starts with, in upper case, lower case, or (for names of months and days) titled.
func matchKey(s string) (key *tplKey, c tplCase, n int) {
	for i := range tplKeys {
		k := &tplKeys[i]
		if len(s) < len(k.name) {
			continue
		}
		head := s[:len(k.name)]
		if head == k.name {
			return k, caseUpper, len(head)
		}
		if head == strings.ToLower(k.name) {
			return k, caseLower, len(head)
		}
		titled := k.field == "MONTH" || k.field == "MON" || k.field == "DAY" || k.field == "DY"
		if titled && head == k.name[:1]+strings.ToLower(k.name[1:]) {
			return k, caseTitle, len(head)
		}
	}
	return nil, 0, 0
}

type dateNode struct {
	tplNode
	letters tplCase
}

// isTplSeparator says whether a character may stand for any other separator.
func isTplSeparator(c byte) bool {
	return c > 0x20 && c < 0x7f && !isAlpha(c) && !isDigit(c)
}

// parseDateTemplate cuts a template into fields and literals.
func parseDateTemplate(f string) []dateNode {
	var nodes []dateNode
	for f != "" {
		var n dateNode
		for more := true; more && len(f) >= 2; {
			switch f[:2] {
			case "FM", "fm":
				n.fm, f = true, f[2:]
			case "TM", "tm":
				n.tm, f = true, f[2:]
			}
			more = false
		}
		if key, c, size := matchKey(f); key != nil {
			n.key, n.letters = key, c
			f = f[size:]
			if strings.HasPrefix(f, "TH") || strings.HasPrefix(f, "th") {
				n.th = f[0]
				f = f[2:]
			} else if strings.HasPrefix(f, "SP") {
				f = f[2:]
			}
			nodes = append(nodes, n)
			continue
		}
		if f == "" {
			break
		}
		if f[0] == '"' {
			var lits []dateNode
			lits, f = quotedLiteral(f[1:])
			nodes = append(nodes, lits...)
			continue
		}
		if f[0] == '\\' && len(f) > 1 && f[1] == '"' {
			f = f[1:]
		}
		_, size := utf8.DecodeRuneInString(f)
		lit := dateNode{tplNode: tplNode{kind: tplChar, text: f[:size]}}
		if isTplSeparator(f[0]) {
			lit.kind = tplSeparator
		} else if isSpace(f[0]) {
			lit.kind = tplSpace
		}
		nodes = append(nodes, lit)
		f = f[size:]
	}
	return nodes
}

// quotedLiteral reads up to the closing quote; a backslash takes the next character as it is.
func quotedLiteral(f string) (nodes []dateNode, rest string) {
	for f != "" {
		if f[0] == '"' {
			return nodes, f[1:]
		}
		if f[0] == '\\' && len(f) > 1 {
			f = f[1:]
		}
		_, size := utf8.DecodeRuneInString(f)
		nodes = append(nodes, dateNode{tplNode: tplNode{kind: tplChar, text: f[:size]}})
		f = f[size:]
	}
	return nodes, ""
}

// tplTime is what a template prints: a civil time or the fields of an interval.
type tplTime struct {
	year, month, day          int
	hour, min, sec, micro     int64
	interval                  bool
	yday, wday                int
	zone                      string
	east                      int
	hasZone                   bool
	isoYear, isoWeek, isoYday int
	julian                    int64
}

func tplFromCivil(c *Civil) tplTime {
	d := DaysFromCivil(c.Year, c.Month, c.Day)
	t := tplTime{
		year: c.Year, month: c.Month, day: c.Day, hour: int64(c.Hour), min: int64(c.Min), sec: int64(c.Sec), micro: int64(c.Micro),
		yday: dayOfYear(c.Year, c.Month, c.Day), wday: weekday(d), julian: d + 2451545,
	}
	t.isoYear, t.isoWeek = isoWeek(c.Year, c.Month, c.Day)
	t.isoYday = int(d-isoYearStart(t.isoYear)) + 1
	return t
}

// FormatTimestamp is to_char(timestamp, text); ok is false for NULL: an infinite timestamp or an empty template.
func FormatTimestamp(us int64, template string) (s string, ok bool) {
	if template == "" || infiniteTimestamp(us) {
		return "", false
	}
	c := CivilFromMicros(us)
	t := tplFromCivil(&c)
	s, err := t.format(template)
	return s, err == nil
}

// FormatTimestampTZ is to_char(timestamptz, text) in the session's zone.
func FormatTimestampTZ(us int64, template string, env *Env) (s string, ok bool) {
	if template == "" || infiniteTimestamp(us) {
		return "", false
	}
	c := CivilInZone(env.orDefault().location(), us)
	t := tplFromCivil(&c)
	t.zone, t.east, t.hasZone = c.Abbrev, c.Offset, true
	s, err := t.format(template)
	return s, err == nil
}

// FormatInterval is to_char(interval, text); ok is false for NULL.
func FormatInterval(v Interval, template string) (s string, ok bool, err error) {
	if template == "" {
		return "", false, nil
	}
	p := breakInterval(v)
	t := tplTime{
		year: int(p.year), month: int(p.month), day: int(p.day), hour: p.hour, min: p.min, sec: p.sec, micro: p.micro,
		interval: true, yday: int((p.year*12+p.month)*30 + p.day),
	}
	// The week and Julian fields mean nothing here, but PostgreSQL prints what the calendar makes of the numbers.
	day := DaysFromCivil(t.year, t.month, t.day)
	t.julian = day + 2451545
	t.isoYear, t.isoWeek = isoWeek(t.year, t.month, t.day)
	t.isoYday = int(day-isoYearStart(t.isoYear)) + 1
	s, err = t.format(template)
	return s, err == nil, err
}

func errTplInterval() error {
	return failure.New(failure.InvalidDatetimeFormat, "invalid format specification for an interval value").
		WithHint("Intervals are not tied to specific calendar dates.")
}
