package datum

import (
	"math"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// intervalFields is an interval while it is read: wider than the result, so that overflow is seen at the end.
type intervalFields struct {
	years, months, days, micros int64
	overflow                    bool
}

func (v *intervalFields) add(to *int64, n, scale int64) {
	p := n * scale
	if n != 0 && (p/n != scale || p == math.MinInt64 && scale == -1) {
		v.overflow = true
		return
	}
	s := *to + p
	if (s > *to) != (p > 0) && p != 0 {
		v.overflow = true
		return
	}
	*to = s
}

// narrow adds to a field that is an int32 in the end.
func (v *intervalFields) narrow(to *int64, n, scale int64) {
	v.add(to, n, scale)
	if *to > math.MaxInt32 || *to < math.MinInt32 {
		v.overflow = true
	}
}

func (v *intervalFields) addFractMicros(f float64, scale int64) {
	if f == 0 {
		return
	}
	f *= float64(scale)
	us := int64(f)
	if f -= float64(us); f > 0.5 {
		us++
	} else if f < -0.5 {
		us--
	}
	v.add(&v.micros, us, 1)
}

func (v *intervalFields) addFractDays(f float64, scale int64) {
	if f == 0 {
		return
	}
	f *= float64(scale)
	days := int64(f)
	v.narrow(&v.days, days, 1)
	v.addFractMicros(f-float64(days), microsPerDay)
}

func (v *intervalFields) addFractYears(f float64, scale int64) {
	v.narrow(&v.months, int64(math.RoundToEven(f*float64(scale)*monthsPerYear)), 1)
}

// addUnit adds n+f of a unit and returns the fields it counts as.
func (v *intervalFields) addUnit(u unit, n int64, f float64) (mask, bool) {
	switch u {
	case unitMicrosecond:
		v.add(&v.micros, n, 1)
		v.addFractMicros(f, 1)
		return maskMicro, true
	case unitMillisecond:
		v.add(&v.micros, n, 1000)
		v.addFractMicros(f, 1000)
		return maskMilli, true
	case unitSecond:
		v.add(&v.micros, n, microsPerSecond)
		v.addFractMicros(f, microsPerSecond)
		if f == 0 {
			return maskSecond, true
		}
		return maskAllSecs, true
	case unitMinute:
		v.add(&v.micros, n, microsPerMinute)
		v.addFractMicros(f, microsPerMinute)
		return maskMinute, true
	case unitHour:
		v.add(&v.micros, n, microsPerHour)
		v.addFractMicros(f, microsPerHour)
		return maskHour, true
	case unitDay:
		v.narrow(&v.days, n, 1)
		v.addFractMicros(f, microsPerDay)
		return maskDay, true
	case unitWeek:
		v.narrow(&v.days, n, 7)
		v.addFractDays(f, 7)
		return maskWeek, true
	case unitMonth:
		v.narrow(&v.months, n, 1)
		v.addFractDays(f, daysPerMonth)
		return maskMonth, true
	case unitYear:
		v.narrow(&v.years, n, 1)
		v.addFractYears(f, 1)
		return maskYear, true
	case unitDecade:
		v.narrow(&v.years, n, 10)
		v.addFractYears(f, 10)
		return maskDecade, true
	case unitCentury:
		v.narrow(&v.years, n, 100)
		v.addFractYears(f, 100)
		return maskCentury, true
	case unitMillennium:
		v.narrow(&v.years, n, 1000)
		v.addFractYears(f, 1000)
		return maskMillennium, true
	}
	return 0, false
}

func parseIntervalDatum(s string, mod int32, env *Env) (Datum, error) {
	v, err := ParseInterval(s, mod, env)
	if err != nil {
		return Null, err
	}
	return NewInterval(v), nil
}

// ParseInterval reads an interval. The modifier (-1 for none) decides what a number without unit means; its rounding is
// ApplyTypmod's.
func ParseInterval(s string, mod int32, env *Env) (Interval, error) {
	env = env.orDefault()
	fields := intervalFullRange
	if mod >= 0 {
		fields = int(mod>>16) & 0x7fff
	}
	var v intervalFields
	parts, ok := splitDateTime(s)
	e := dtBadFormat
	if ok {
		e = v.parse(parts, fields, env.IntervalStyle)
	}
	if e == dtBadFormat {
		v = intervalFields{}
		e = v.parseISO(s)
	}
	if e == dtOK && v.overflow {
		e = dtFieldOverflow
	}
	if e == dtFieldOverflow {
		e = dtIntervalOverflow
	}
	if e != dtOK {
		return Interval{}, e.err("interval", s, "")
	}
	months := v.years*monthsPerYear + v.months
	if months > math.MaxInt32 || months < math.MinInt32 || v.days > math.MaxInt32 || v.days < math.MinInt32 {
		return Interval{}, errIntervalRange()
	}
	return Interval{Months: int32(months), Days: int32(v.days), Micros: v.micros}, nil
}

func errIntervalRange() error {
	return failure.New(failure.DatetimeValueOutOfRange, "interval out of range")
}

// parse reads the fields from the last to the first, so that a unit is known before its number.
func (v *intervalFields) parse(parts []dtField, fields int, style IntervalStyle) dtError {
	allNegative := false
	if style == IntervalSQLStandard && len(parts) > 0 && parts[0].text[0] == '-' {
		allNegative = true
		for _, f := range parts[1:] {
			if f.text[0] == '-' || f.text[0] == '+' {
				allNegative = false
			}
		}
	}
	ago := false
	var seen mask
	next := unitNone
	for i := len(parts) - 1; i >= 0; i-- {
		f := parts[i]
		var got mask
		var e dtError
		switch f.typ {
		case fieldTime:
			got, e = v.addClock(f.text, 1, fields, allNegative)
			next = unitDay
		case fieldTZ, fieldDate, fieldNumber:
			if f.typ == fieldTZ && strings.IndexByte(f.text[1:], ':') >= 0 {
				sign := int64(1)
				if f.text[0] == '-' {
					sign = -1
				}
				if got, e = v.addClock(f.text[1:], sign, fields, allNegative); e == dtOK {
					next = unitDay
					break
				}
			}
			if next == unitNone {
				next = defaultUnit(fields)
			}
			got, next, e = v.addNumber(f.text, next, allNegative)
		default:
			w := lookupWord(unitWords[:], f.text)
			if w == nil {
				return dtBadFormat
			}
			switch w.typ {
			case wordIgnore:
				continue
			case wordUnits:
				next = unit(w.value)
			case wordAgo:
				ago = true
				next = unitEpoch // a number right before "ago" is missing its unit
			default:
				return dtBadFormat
			}
		}
		if e != dtOK {
			return e
		}
		if got&seen != 0 {
			return dtBadFormat
		}
		seen |= got
	}
	if seen == 0 {
		return dtBadFormat
	}
	if ago {
		if v.micros == math.MinInt64 {
			return dtFieldOverflow
		}
		v.years, v.months, v.days, v.micros = -v.years, -v.months, -v.days, -v.micros
	}
	return dtOK
}

func (v *intervalFields) addClock(f string, sign int64, fields int, allNegative bool) (mask, dtError) {
	h, m, sec, us, e := parseClock(f, fields == intervalMaskMinute|intervalMaskSecond)
	if e != dtOK {
		return 0, e
	}
	if allNegative {
		sign = -1
	}
	v.add(&v.micros, sign*h, microsPerHour)
	v.add(&v.micros, sign*int64(m), microsPerMinute)
	v.add(&v.micros, sign*int64(sec), microsPerSecond)
	v.add(&v.micros, sign*int64(us), 1)
	return maskTime, dtOK
}

// defaultUnit is what the last number without a unit counts.
func defaultUnit(fields int) unit {
	switch fields {
	case intervalMaskYear:
		return unitYear
	case intervalMaskMonth, intervalMaskYear | intervalMaskMonth:
		return unitMonth
	case intervalMaskDay:
		return unitDay
	case intervalMaskHour, intervalMaskDay | intervalMaskHour:
		return unitHour
	case intervalMaskMinute, intervalMaskHour | intervalMaskMinute, intervalMaskDay | intervalMaskHour | intervalMaskMinute:
		return unitMinute
	}
	return unitSecond
}

// addNumber adds a number, or years-months, of the given unit, and returns the unit that really was meant.
func (v *intervalFields) addNumber(f string, u unit, allNegative bool) (mask, unit, dtError) {
	i := 0
	if f[0] == '-' || f[0] == '+' {
		i++
	}
	from := i
	for i < len(f) && isDigit(f[i]) {
		i++
	}
	neg := f[0] == '-'
	var n int64
	if i == from {
		i = 0
	} else {
		var err error
		if n, err = strconv.ParseInt(f[:i], 10, 64); err != nil {
			return 0, u, dtFieldOverflow
		}
	}
	fract := 0.0
	switch rest := f[i:]; {
	case rest == "":
	case rest[0] == '-':
		m, after, ok := leadingInt(rest[1:])
		if !ok || m < 0 || m >= monthsPerYear {
			return 0, u, dtFieldOverflow
		}
		if after != "" {
			return 0, u, dtBadFormat
		}
		u = unitMonth
		if neg {
			m = -m
		}
		var months int64
		v.add(&months, n, monthsPerYear)
		v.add(&months, int64(m), 1)
		n = months
	case rest[0] == '.':
		for _, c := range []byte(rest[1:]) {
			if !isDigit(c) {
				return 0, u, dtBadFormat
			}
		}
		if len(rest) > 1 {
			fract, _ = strconv.ParseFloat("0"+rest, 64)
		}
		if neg {
			fract = -fract
		}
	default:
		return 0, u, dtBadFormat
	}
	if allNegative {
		if n > 0 {
			n = -n
		}
		if fract > 0 {
			fract = -fract
		}
	}
	got, ok := v.addUnit(u, n, fract)
	if !ok {
		return 0, u, dtBadFormat
	}
	if u == unitHour {
		u = unitDay // "1 2" hours are a day and two hours
	}
	return got, u, dtOK
}

// parseISO reads ISO 8601's forms: P1Y2M3DT4H5M6S, P0001-02-03T04:05:06 and P00010203T040506.
func (v *intervalFields) parseISO(s string) dtError {
	if len(s) < 2 || s[0] != 'P' {
		return dtBadFormat
	}
	s = s[1:]
	date, first := true, true
	for s != "" {
		if s[0] == 'T' {
			date, first = false, true
			s = s[1:]
			continue
		}
		field := s
		n, f, rest, e := isoNumber(s)
		if e != dtOK {
			return e
		}
		c := byte(0)
		if rest != "" {
			c, s = rest[0], rest[1:]
		} else {
			s = ""
		}
		u := unitNone
		if date {
			u = isoDateUnit(c)
		} else {
			u = isoTimeUnit(c)
		}
		if u == unitNone {
			if !first {
				return dtBadFormat
			}
			done, rest, e := v.isoAlternative(field, date, n, f, c, s)
			if e != dtOK || done {
				return e
			}
			s, date, first = rest, false, true
			continue
		}
		v.addUnit(u, n, f)
		first = false
	}
	return dtOK
}

func isoDateUnit(c byte) unit {
	switch c {
	case 'Y':
		return unitYear
	case 'M':
		return unitMonth
	case 'W':
		return unitWeek
	case 'D':
		return unitDay
	}
	return unitNone
}

func isoTimeUnit(c byte) unit {
	switch c {
	case 'H':
		return unitHour
	case 'M':
		return unitMinute
	case 'S':
		return unitSecond
	}
	return unitNone
}

// isoAlternative reads the forms without designators. c is what followed the first number and s what follows c. done
// says that the text has ended; otherwise rest is the time part.
func (v *intervalFields) isoAlternative(field string, date bool, n int64, f float64, c byte, s string) (done bool, rest string, e dtError) {
	units, sep := []unit{unitYear, unitMonth, unitDay}, byte('-')
	width := 8
	if !date {
		units, sep, width = []unit{unitHour, unitMinute, unitSecond}, ':', 6
	}
	if c != 0 && c != sep && (!date || c != 'T') {
		return false, "", dtBadFormat
	}
	if c != sep && isoWidth(field) == width {
		v.addUnit(units[0], n/10000, 0)
		v.addUnit(units[1], n/100%100, 0)
		v.addUnit(units[2], n%100, f)
		return c == 0, s, dtOK
	}
	for i, u := range units {
		v.addUnit(u, n, f)
		if c == 0 {
			return true, "", dtOK
		}
		if c == 'T' && date {
			return false, s, dtOK
		}
		if c != sep || i == 2 {
			return false, "", dtBadFormat
		}
		var after string
		if n, f, after, e = isoNumber(s); e != dtOK {
			return false, "", e
		}
		c, s = 0, after
		if after != "" {
			c, s = after[0], after[1:]
		}
	}
	return false, "", dtBadFormat
}

func isoWidth(s string) int {
	s = strings.TrimPrefix(s, "-")
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func isoNumber(s string) (n int64, f float64, rest string, e dtError) {
	if s == "" || !isDigit(s[0]) && s[0] != '-' && s[0] != '.' {
		return 0, 0, "", dtBadFormat
	}
	size, hex := floatLen(s)
	if size == 0 || hex {
		return 0, 0, "", dtBadFormat
	}
	v, err := strconv.ParseFloat(s[:size], 64)
	if err != nil {
		return 0, 0, "", dtBadFormat
	}
	if v < -1e15 || v > 1e15 {
		return 0, 0, "", dtFieldOverflow
	}
	whole := math.Trunc(v)
	return int64(whole), v - whole, s[size:], dtOK
}

// intervalParts is an interval broken down for printing; every part has its own sign.
type intervalParts struct {
	year, month, day int64
	hour             int64
	min, sec, micro  int64
}

func breakInterval(v Interval) intervalParts {
	t := v.Micros
	p := intervalParts{year: int64(v.Months) / monthsPerYear, month: int64(v.Months) % monthsPerYear, day: int64(v.Days)}
	p.hour = t / microsPerHour
	t %= microsPerHour
	p.min = t / microsPerMinute
	t %= microsPerMinute
	p.sec = t / microsPerSecond
	p.micro = t % microsPerSecond
	return p
}

func abs64(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

func appendSeconds(b []byte, sec, micro int64, pad bool) []byte {
	sec, micro = abs64(sec), abs64(micro)
	if pad {
		b = appendPadded(b, int(sec), 2)
	} else {
		b = strconv.AppendInt(b, sec, 10)
	}
	return appendFraction(b, int(micro))
}

// AppendInterval appends an interval in the given style.
func AppendInterval(b []byte, v Interval, style IntervalStyle) []byte {
	p := breakInterval(v)
	switch style {
	case IntervalPostgresVerbose:
		return p.appendVerbose(b)
	case IntervalSQLStandard:
		return p.appendSQL(b)
	case IntervalISO8601:
		return p.appendISO(b)
	}
	return p.appendPostgres(b)
}

func (p *intervalParts) negativeTime() bool {
	return p.hour < 0 || p.min < 0 || p.sec < 0 || p.micro < 0
}
func (p *intervalParts) hasTime() bool {
	return p.hour != 0 || p.min != 0 || p.sec != 0 || p.micro != 0
}

func (p *intervalParts) appendPostgres(b []byte) []byte {
	start, wasNegative := len(b), false
	part := func(v int64, name string) {
		if v == 0 {
			return
		}
		if len(b) > start {
			b = append(b, ' ')
		}
		if wasNegative && v > 0 {
			b = append(b, '+')
		}
		b = strconv.AppendInt(b, v, 10)
		b = append(append(b, ' '), name...)
		if v != 1 {
			b = append(b, 's')
		}
		wasNegative = v < 0
	}
	part(p.year, "year")
	part(p.month, "mon")
	part(p.day, "day")
	if len(b) > start && !p.hasTime() {
		return b
	}
	if len(b) > start {
		b = append(b, ' ')
	}
	if p.negativeTime() {
		b = append(b, '-')
	} else if wasNegative {
		b = append(b, '+')
	}
	b = append(appendPadded(b, int(abs64(p.hour)), 2), ':')
	b = append(appendPadded(b, int(abs64(p.min)), 2), ':')
	return appendSeconds(b, p.sec, p.micro, true)
}

func (p *intervalParts) appendVerbose(b []byte) []byte {
	b = append(b, '@')
	zero, before := true, false
	part := func(v int64, name string) {
		if v == 0 {
			return
		}
		if zero {
			before = v < 0
			v = abs64(v)
		} else if before {
			v = -v
		}
		b = strconv.AppendInt(append(b, ' '), v, 10)
		b = append(append(b, ' '), name...)
		if v != 1 {
			b = append(b, 's')
		}
		zero = false
	}
	part(p.year, "year")
	part(p.month, "mon")
	part(p.day, "day")
	part(p.hour, "hour")
	part(p.min, "min")
	if p.sec != 0 || p.micro != 0 {
		b = append(b, ' ')
		if p.sec < 0 || p.micro < 0 {
			if zero {
				before = true
			} else if !before {
				b = append(b, '-')
			}
		} else if before {
			b = append(b, '-')
		}
		b = appendSeconds(b, p.sec, p.micro, false)
		b = append(b, " sec"...)
		if abs64(p.sec) != 1 || p.micro != 0 {
			b = append(b, 's')
		}
		zero = false
	}
	if zero {
		b = append(b, " 0"...)
	}
	if before {
		b = append(b, " ago"...)
	}
	return b
}

func (p *intervalParts) appendSQL(b []byte) []byte {
	negative := p.year < 0 || p.month < 0 || p.day < 0 || p.negativeTime()
	positive := p.year > 0 || p.month > 0 || p.day > 0 || p.hour > 0 || p.min > 0 || p.sec > 0 || p.micro > 0
	yearMonth := p.year != 0 || p.month != 0
	dayTime := p.day != 0 || p.hasTime()
	sign := func(neg bool) {
		if neg {
			b = append(b, '-')
		} else {
			b = append(b, '+')
		}
	}
	clock := func() {
		b = append(strconv.AppendInt(b, abs64(p.hour), 10), ':')
		b = append(appendPadded(b, int(abs64(p.min)), 2), ':')
		b = appendSeconds(b, p.sec, p.micro, true)
	}
	if !negative && !positive {
		return append(b, '0')
	}
	if negative && positive || yearMonth && dayTime {
		sign(p.year < 0 || p.month < 0)
		b = append(strconv.AppendInt(b, abs64(p.year), 10), '-')
		b = append(strconv.AppendInt(b, abs64(p.month), 10), ' ')
		sign(p.day < 0)
		b = append(strconv.AppendInt(b, abs64(p.day), 10), ' ')
		sign(p.negativeTime())
		clock()
		return b
	}
	if negative {
		b = append(b, '-')
	}
	switch {
	case yearMonth:
		b = append(strconv.AppendInt(b, abs64(p.year), 10), '-')
		return strconv.AppendInt(b, abs64(p.month), 10)
	case p.day != 0:
		b = append(strconv.AppendInt(b, abs64(p.day), 10), ' ')
	}
	clock()
	return b
}

func (p *intervalParts) appendISO(b []byte) []byte {
	if *p == (intervalParts{}) {
		return append(b, "PT0S"...)
	}
	part := func(v int64, mark byte) {
		if v != 0 {
			b = append(strconv.AppendInt(b, v, 10), mark)
		}
	}
	b = append(b, 'P')
	part(p.year, 'Y')
	part(p.month, 'M')
	part(p.day, 'D')
	if p.hasTime() {
		b = append(b, 'T')
	}
	part(p.hour, 'H')
	part(p.min, 'M')
	if p.sec != 0 || p.micro != 0 {
		if p.sec < 0 || p.micro < 0 {
			b = append(b, '-')
		}
		b = append(appendSeconds(b, p.sec, p.micro, false), 'S')
	}
	return b
}
