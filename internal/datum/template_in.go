package datum

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

// tplReader gathers what to_timestamp and to_date find in a text; zero means not given.
type tplReader struct {
	s     string
	nodes []dateNode
	err   error

	hh, mi, ss, ssss, ms, us int
	d, dd, ddd, mm           int
	year, bc, ww, w, cc, j   int
	yearSize                 int
	pm                       int
	hour12                   bool
	zoneSign, zoneH, zoneM   int
	cal                      calendar
}

func tplFail(format string, args ...any) *failure.Error {
	return failure.New(failure.InvalidDatetimeFormat, format, args...)
}

// read walks template and text together.
func (r *tplReader) read(text, template string) error {
	r.nodes = parseDateTemplate(template)
	exact := false // the FX mode
	extra := 0     // blanks and separators that were skipped beyond what the template has
	full := text
	r.s = text
	for i := range r.nodes {
		n := &r.nodes[i]
		if r.s == "" {
			break
		}
		if !exact && (n.kind != tplField || n.key.field != "FX") && (n.kind == tplField || i == 0) {
			extra += r.skipSpace()
			if r.s == "" && n.kind != tplField {
				break
			}
		}
		if n.kind != tplField {
			extra = r.literal(n, exact, extra)
			continue
		}
		if n.key.cal != calendarNone {
			if r.cal != calendarNone && r.cal != n.key.cal {
				return tplFail("invalid combination of date conventions").
					WithHint("Do not mix Gregorian and ISO week date conventions in a formatting template.")
			}
			r.cal = n.key.cal
		}
		if n.key.field == "FX" {
			exact = true
		} else if n.key.field == "TZH" {
			skipped := full[:len(full)-len(r.s)]
			r.zoneHour(i, extra > 0 && strings.HasSuffix(skipped, "-"))
		} else {
			r.field(i)
		}
		if r.err != nil {
			return r.err
		}
		if !exact {
			extra = r.skipSpace()
		}
	}
	return nil
}

func (r *tplReader) skipSpace() int {
	n := 0
	for r.s != "" && isSpace(r.s[0]) {
		r.s = r.s[1:]
		n++
	}
	return n
}

func (r *tplReader) skipRune() {
	_, n := utf8.DecodeRuneInString(r.s)
	r.s = r.s[n:]
}

// literal consumes what stands in the text for a literal of the template, which need not be the same character.
func (r *tplReader) literal(n *dateNode, exact bool, extra int) int {
	switch {
	case r.s == "":
	case exact:
		r.skipRune()
	case n.kind == tplChar:
		if extra > 0 {
			return extra - 1
		}
		r.skipRune()
	default:
		extra--
		if isSpace(r.s[0]) || isTplSeparator(r.s[0]) {
			r.s = r.s[1:]
			extra++
		}
	}
	return extra
}

// nextIsSeparator says whether the number of node i ends by itself: what follows is not a digit.
func (r *tplReader) nextIsSeparator(i int) bool {
	if r.nodes[i].th != 0 || i+1 == len(r.nodes) {
		return true
	}
	next := &r.nodes[i+1]
	if next.kind == tplField {
		return !next.key.digit
	}
	return !(len(next.text) == 1 && isDigit(next.text[0]))
}

// integer reads a number of so many characters, or as many as there are when the field ends by itself.
func (r *tplReader) integer(i, width int) (v, used int) {
	n := &r.nodes[i]
	before := r.s
	r.skipSpace()
	copied := r.s[:min(width, len(r.s))]
	var result int64
	overflow := false
	if n.fm || r.nextIsSeparator(i) {
		var size int
		if result, size, overflow = cLong(r.s); size == 0 {
			r.s = before
		} else {
			r.s = r.s[size:]
		}
	} else {
		if len(r.s) < width {
			r.err = tplFail("source string too short for \"%s\" formatting field", n.shownName()).
				WithDetail("Field requires %d characters, but only %d remain.", width, len(r.s)).
				WithHint("If your source string is not fixed-width, try using the \"FM\" modifier.")
			return 0, 0
		}
		var size int
		result, size, overflow = cLong(copied)
		if size > 0 && size < width {
			r.err = tplFail("invalid value \"%s\" for \"%s\"", copied, n.shownName()).
				WithDetail("Field requires %d characters, but only %d could be parsed.", width, size).
				WithHint("If your source string is not fixed-width, try using the \"FM\" modifier.")
			return 0, 0
		}
		r.s = r.s[size:]
	}
	if len(r.s) == len(before) {
		r.err = tplFail("invalid value \"%s\" for \"%s\"", copied, n.shownName()).WithDetail("Value must be an integer.")
		return 0, 0
	}
	if overflow || result != int64(int32(result)) {
		r.err = failure.New(failure.DatetimeValueOutOfRange, "value for \"%s\" in source string is out of range", n.shownName()).
			WithDetail("Value must be in the range %d to %d.", -1<<31, 1<<31-1)
		return 0, 0
	}
	return int(result), len(before) - len(r.s)
}

// cLong reads as C's strtol.
func cLong(s string) (v int64, size int, overflow bool) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	start := i
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	from := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == from {
		return 0, 0, false
	}
	v, err := strconv.ParseInt(s[start:i], 10, 64)
	return v, i, err != nil
}

// set stores a field, which may not contradict an earlier one.
func (r *tplReader) set(to *int, v int, i int) {
	if r.err != nil {
		return
	}
	if *to != 0 && *to != v {
		r.err = tplFail("conflicting values for \"%s\" field in formatting string", r.nodes[i].shownName()).
			WithDetail("This value contradicts a previous setting for the same field type.")
		return
	}
	*to = v
}

// number reads an integer field of the width of its name.
func (r *tplReader) number(i int, to *int) int { return r.wide(i, to, len(r.nodes[i].key.name)) }

func (r *tplReader) wide(i int, to *int, width int) int {
	v, used := r.integer(i, width)
	r.set(to, v, i)
	r.skipOrdinal(i)
	return used
}

func (r *tplReader) skipOrdinal(i int) {
	if r.nodes[i].th != 0 && r.err == nil {
		r.skipRune()
		r.skipRune()
	}
}

// name reads one of several words, whatever its letters' case.
func (r *tplReader) name(i int, words ...string) int {
	for k, w := range words {
		if hasPrefixFold(r.s, w) {
			r.s = r.s[len(w):]
			return k
		}
	}
	given := r.s
	for k := 0; k < len(given); k++ {
		if isSpace(given[k]) {
			given = given[:k]
			break
		}
	}
	r.err = tplFail("invalid value \"%s\" for \"%s\"", given, r.nodes[i].shownName()).
		WithDetail("The given value did not match any of the allowed values for this field.")
	return 0
}

// shownName is the field's name as it was written.
func (n *dateNode) shownName() string {
	switch n.letters {
	case caseLower:
		return strings.ToLower(n.key.name)
	case caseTitle:
		return n.key.name[:1] + strings.ToLower(n.key.name[1:])
	}
	return n.key.name
}

func (r *tplReader) zoneHour(i int, minus bool) {
	switch {
	case r.s != "" && (r.s[0] == '+' || r.s[0] == '-' || r.s[0] == ' '):
		minus = r.s[0] == '-'
		r.s = r.s[1:]
	}
	r.zoneSign = 1
	if minus {
		r.zoneSign = -1
	}
	v, _ := r.integer(i, 2)
	r.set(&r.zoneH, v, i)
}

func (r *tplReader) field(i int) {
	n := &r.nodes[i]
	switch f := n.key.field; f {
	case "A.M.":
		r.set(&r.pm, r.name(i, "a.m.", "p.m.", "A.M.", "P.M.")%2, i)
		r.hour12 = true
	case "AM":
		r.set(&r.pm, r.name(i, "am", "pm")%2, i)
		r.hour12 = true
	case "A.D.":
		r.set(&r.bc, r.name(i, "a.d.", "b.c.")%2, i)
	case "AD":
		r.set(&r.bc, r.name(i, "ad", "bc")%2, i)
	case "HH12":
		r.wide(i, &r.hh, 2)
		r.hour12 = true
	case "HH24":
		r.wide(i, &r.hh, 2)
	case "MI":
		r.number(i, &r.mi)
	case "SS":
		r.number(i, &r.ss)
	case "MS":
		v, used := r.integer(i, 3)
		r.set(&r.ms, v*fractionScale(used, 3), i)
		r.skipOrdinal(i)
	case "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		width := 6
		if f != "US" {
			width = int(f[2] - '0')
		}
		v, used := r.integer(i, width)
		r.set(&r.us, v*fractionScale(used, 6), i)
		r.skipOrdinal(i)
	case "SSSS":
		r.number(i, &r.ssss)
	case "TZ", "OF":
		r.err = failure.New(failure.FeatureNotSupported, "formatting field \"%s\" is only supported in to_char", n.shownName())
	case "TZM":
		if r.zoneSign == 0 {
			r.zoneSign = 1
		}
		r.wide(i, &r.zoneM, 2)
	case "MONTH":
		r.set(&r.mm, r.name(i, monthsFull[:]...)+1, i)
	case "MON":
		r.set(&r.mm, r.name(i, abbreviated(monthsFull[:])...)+1, i)
	case "MM":
		r.number(i, &r.mm)
	case "DAY":
		r.set(&r.d, r.name(i, daysFull[:]...)+1, i)
	case "DY":
		r.set(&r.d, r.name(i, abbreviated(daysFull[:])...)+1, i)
	case "RM":
		k := r.name(i, "xii", "xi", "x", "ix", "viii", "vii", "vi", "v", "iv", "iii", "ii", "i")
		r.set(&r.mm, 12-k, i)
	default:
		r.calendarField(i, f)
	}
}

func (r *tplReader) calendarField(i int, f string) {
	switch f {
	case "DDD", "IDDD":
		r.wide(i, &r.ddd, 3)
	case "DD":
		r.number(i, &r.dd)
	case "D":
		r.number(i, &r.d)
	case "ID":
		v, _ := r.integer(i, 1)
		if v++; v > 7 {
			v = 1
		}
		r.set(&r.d, v, i)
		r.skipOrdinal(i)
	case "WW", "IW":
		r.number(i, &r.ww)
	case "Q":
		r.integer(i, 1)
		r.skipOrdinal(i)
	case "CC":
		r.number(i, &r.cc)
	case "Y,YYY":
		r.commaYear(i)
	case "YYYY", "IYYY":
		r.number(i, &r.year)
		r.yearSize = 4
	case "YYY", "IYY", "YY", "IY", "Y", "I":
		r.yearSize = len(strings.TrimLeft(f, "I"))
		if f[0] == 'I' {
			r.yearSize = len(f)
		}
		v, used := r.integer(i, len(f))
		if used < 4 {
			v = fullYear(v)
		}
		r.set(&r.year, v, i)
		r.skipOrdinal(i)
	case "W":
		r.number(i, &r.w)
	case "J":
		r.number(i, &r.j)
	}
}

func (r *tplReader) commaYear(i int) {
	thousands, n, over1 := cLong(r.s)
	rest := r.s[n:]
	digits := 0
	if strings.HasPrefix(rest, ",") {
		for digits < 3 && digits+1 < len(rest) && isDigit(rest[1+digits]) {
			digits++
		}
	}
	if n == 0 || digits == 0 || over1 {
		r.err = tplFail("invalid input string for \"Y,YYY\"")
		return
	}
	years, _ := strconv.Atoi(rest[1 : 1+digits])
	r.s = rest[1+digits:]
	r.set(&r.year, int(thousands)*1000+years, i)
	r.yearSize = 4
	r.skipOrdinal(i)
}

// fullYear completes a year of less than four digits to the one nearest to 2020.
func fullYear(y int) int {
	switch {
	case y < 70:
		return y + 2000
	case y < 100:
		return y + 1900
	case y < 520:
		return y + 2000
	case y < 1000:
		return y + 1000
	}
	return y
}

// fractionScale turns a fraction of so many digits into units of the last of most digits.
func fractionScale(digits, most int) int {
	scale := 1
	for ; digits < most && digits > 0; digits++ {
		scale *= 10
	}
	return scale
}

func abbreviated(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n[:3]
	}
	return out
}

// civil puts the fields together.
func (r *tplReader) civil(text string) (Civil, error) {
	c := Civil{Month: 1, Day: 1}
	if err := r.clock(&c); err != nil {
		return c, err
	}
	seen, err := r.date(&c)
	if err != nil {
		return c, err
	}
	c.Micro += r.ms*1000 + r.us
	p := dtParser{seen: seen, julian: true, year: c.Year, month: c.Month, day: c.Day}
	if p.validate() != dtOK || c.Hour < 0 || c.Hour >= 24 || c.Min < 0 || c.Min >= 60 || c.Sec < 0 || c.Sec >= 60 ||
		c.Micro < 0 || c.Micro >= microsPerSecond {
		return c, dtFieldOverflow.err("timestamp", text, "")
	}
	if r.zoneSign != 0 {
		if r.zoneH < 0 || r.zoneH > 15 || r.zoneM < 0 || r.zoneM >= 60 {
			return c, dtZoneOverflow.err("timestamp", text, "")
		}
		c.Offset = r.zoneSign * (r.zoneH*3600 + r.zoneM*60)
	}
	return c, nil
}

func (r *tplReader) clock(c *Civil) error {
	if r.ssss != 0 {
		c.Hour, c.Min, c.Sec = r.ssss/3600, r.ssss/60%60, r.ssss%60
	}
	if r.ss != 0 {
		c.Sec = r.ss
	}
	if r.mi != 0 {
		c.Min = r.mi
	}
	if r.hh != 0 {
		c.Hour = r.hh
	}
	if !r.hour12 {
		return nil
	}
	if c.Hour < 1 || c.Hour > 12 {
		return tplFail("hour \"%d\" is invalid for the 12-hour clock", c.Hour).
			WithHint("Use the 24-hour clock, or give an hour between 1 and 12.")
	}
	if r.pm != 0 && c.Hour < 12 {
		c.Hour += 12
	} else if r.pm == 0 && c.Hour == 12 {
		c.Hour = 0
	}
	return nil
}

func (r *tplReader) setYear(c *Civil) (seen mask) {
	century := r.cc
	if r.bc != 0 {
		century = -century
	}
	switch {
	case r.year != 0 && r.cc != 0 && r.yearSize <= 2:
		c.Year = r.year % 100
		switch {
		case c.Year == 0:
			c.Year = century*100 + boolInt(century < 0)
		case century >= 0:
			c.Year += (century - 1) * 100
		default:
			c.Year = (century+1)*100 - c.Year + 1
		}
	case r.year != 0:
		c.Year = r.year
		if r.bc != 0 {
			c.Year = -c.Year
		}
		if c.Year < 0 {
			c.Year++
		}
	case r.cc != 0:
		c.Year = century*100 + 1
		if century >= 0 {
			c.Year = (century-1)*100 + 1
		}
	default:
		return 0
	}
	return maskYear
}

func (r *tplReader) date(c *Civil) (seen mask, err error) {
	seen = r.setYear(c)
	if r.j != 0 {
		c.Year, c.Month, c.Day = CivilFromDays(int64(r.j) - 2451545)
		seen |= maskDate
	}
	ddd := r.ddd
	if r.ww != 0 {
		if r.cal == calendarISO {
			day := isoYearStart(c.Year) + int64(r.ww-1)*7
			if r.d == 1 {
				day += 6
			} else if r.d != 0 {
				day += int64(r.d) - 2
			}
			c.Year, c.Month, c.Day = CivilFromDays(day)
			seen |= maskDate
		} else {
			ddd = (r.ww-1)*7 + 1
		}
	}
	dd := r.dd
	if r.w != 0 {
		dd = (r.w-1)*7 + 1
	}
	if dd != 0 {
		c.Day = dd
		seen |= maskDay
	}
	if r.mm != 0 {
		c.Month = r.mm
		seen |= maskMonth
	}
	if ddd == 0 || c.Month > 1 && c.Day > 1 {
		return seen, nil
	}
	if c.Year == 0 && r.bc == 0 {
		return seen, tplFail("cannot calculate day of year without year information")
	}
	if r.cal == calendarISO {
		c.Year, c.Month, c.Day = CivilFromDays(isoYearStart(c.Year) - 1 + int64(ddd))
		return seen | maskDate, nil
	}
	before, m := 0, 1
	for ; m <= 12 && ddd > before+DaysInMonth(c.Year, m); m++ {
		before += DaysInMonth(c.Year, m)
	}
	if c.Month <= 1 {
		c.Month = m
	}
	if c.Day <= 1 {
		c.Day = ddd - before
	}
	return seen | maskMonth | maskDay, nil
}

// ParseTimestampTemplate is to_timestamp(text, text): a timestamptz in the session's zone unless the text has one.
func ParseTimestampTemplate(text, template string, env *Env) (int64, error) {
	var r tplReader
	if err := r.read(text, template); err != nil {
		return 0, err
	}
	c, err := r.civil(text)
	if err != nil {
		return 0, err
	}
	us, ok := c.Micros()
	if !ok {
		return 0, errTimestampOverflow()
	}
	east := c.Offset
	if r.zoneSign == 0 {
		east = LocalOffset(env.orDefault().location(), us)
	}
	if us -= int64(east) * microsPerSecond; !ValidTimestamp(us) {
		return 0, errTimestampOverflow()
	}
	return us, nil
}

// ParseDateTemplate is to_date(text, text).
func ParseDateTemplate(text, template string) (int64, error) {
	var r tplReader
	if err := r.read(text, template); err != nil {
		return 0, err
	}
	c, err := r.civil(text)
	if err != nil {
		return 0, err
	}
	days := DaysFromCivil(c.Year, c.Month, c.Day)
	if !validJulian(c.Year, c.Month) || !ValidDate(days) {
		return 0, failure.New(failure.DatetimeValueOutOfRange, "date out of range: \"%s\"", text)
	}
	return days, nil
}
