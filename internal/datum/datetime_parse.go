package datum

import (
	"math"
	"strconv"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
)

// dtError is why a date or time was refused; the caller knows the type's name and the whole text.
type dtError uint8

const (
	dtOK dtError = iota
	dtBadFormat
	dtFieldOverflow
	dtMDOverflow // month or day: perhaps the other order was meant
	dtIntervalOverflow
	dtZoneOverflow
	dtUnknownZone
)

func (e dtError) err(typ, s, zone string) error {
	switch e {
	case dtFieldOverflow:
		return failure.New(failure.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s)
	case dtMDOverflow:
		return failure.New(failure.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s).
			WithHint("Perhaps you need a different \"datestyle\" setting.")
	case dtIntervalOverflow:
		return failure.New(failure.IntervalFieldOverflow, "interval field value out of range: \"%s\"", s)
	case dtZoneOverflow:
		return failure.New(failure.InvalidTimeZoneDisplacementValue, "time zone displacement out of range: \"%s\"", s)
	case dtUnknownZone:
		return errZone(zone)
	}
	return failure.New(failure.InvalidDatetimeFormat, "invalid input syntax for type %s: \"%s\"", typ, s)
}

// mask is a set of fields that have been seen.
type mask uint32

const (
	maskYear mask = 1 << iota
	maskMonth
	maskDay
	maskHour
	maskMinute
	maskSecond
	maskMilli
	maskMicro
	maskZone
	maskZoneMod
	maskDoy
	maskAMPM
	maskEra
	maskWeekday
	maskWeek
	maskDecade
	maskCentury
	maskMillennium
	maskReserved

	maskDate    = maskYear | maskMonth | maskDay
	maskTime    = maskHour | maskMinute | maskSecond
	maskAllSecs = maskSecond | maskMilli | maskMicro
)

// dtParser gathers the fields of one date or time.
type dtParser struct {
	env       *Env
	seen      mask
	year      int
	month     int
	day       int
	doy       int
	hour      int
	min       int
	sec       int
	micro     int
	twoDigit  bool // the year had one or two digits
	bc        bool
	julian    bool
	textMonth bool
	meridiem  int
	prefix    unit // what the next number is
	reserved  unit // epoch, infinity …

	west        int            // zone, seconds west
	zone        *time.Location // a named zone: the offset depends on the date
	abbrev      *zoneAbbrev    // an abbreviation that depends on the date
	unknownZone string
}

func (p *dtParser) setCivil(c Civil) {
	p.year, p.month, p.day = c.Year, c.Month, c.Day
	p.hour, p.min, p.sec, p.micro = c.Hour, c.Min, c.Sec, c.Micro
}

func (p *dtParser) civil() Civil {
	return Civil{Year: p.year, Month: p.month, Day: p.day, Hour: p.hour, Min: p.min, Sec: p.sec, Micro: p.micro}
}

// parseDateTime reads a date with or without a time. When it returns dtOK, reserved tells epoch and the infinities, and
// otherwise all fields and west are set. hasDate is false for a time alone.
func (p *dtParser) parseDateTime(s string) dtError {
	fields, ok := splitDateTime(s)
	if !ok {
		return dtBadFormat
	}
	p.meridiem = noMeridiem
	for i := range fields {
		got, e := p.field(fields, i)
		if e != dtOK {
			return e
		}
		if got&p.seen != 0 {
			return dtBadFormat
		}
		p.seen |= got
	}
	if e := p.validate(); e != dtOK {
		return e
	}
	if e := p.applyMeridiem(); e != dtOK {
		return e
	}
	if p.reserved != unitNone {
		return dtOK
	}
	if p.seen&maskDate != maskDate {
		return dtBadFormat
	}
	return p.resolveZone()
}

func (p *dtParser) field(fields []dtField, i int) (mask, dtError) {
	f := fields[i].text
	switch fields[i].typ {
	case fieldDate:
		return p.dateField(f)
	case fieldTime:
		if p.prefix != unitNone {
			if p.prefix != unitTime {
				return 0, dtBadFormat
			}
			p.prefix = unitNone
		}
		e := p.clock(f)
		if e == dtOK && p.timeOverflows() {
			e = dtFieldOverflow
		}
		return maskTime, e
	case fieldTZ:
		west, e := parseZoneOffset(f)
		p.west = west
		return maskZone, e
	case fieldNumber:
		if p.prefix != unitNone {
			return p.prefixed(f)
		}
		return p.numberField(f)
	}
	return p.word(fields, i, false)
}

// dateField reads digits with separators, or after a complete date a zone or a run-together time with one.
func (p *dtParser) dateField(f string) (mask, dtError) {
	if p.prefix == unitJulian {
		day, rest, ok := leadingInt(f)
		if !ok {
			return 0, dtFieldOverflow
		}
		p.prefix = unitNone
		p.setJulian(day)
		west, e := parseZoneOffset(rest)
		p.west = west
		p.hour, p.min, p.sec, p.micro = 0, 0, 0, 0
		return maskDate | maskTime | maskZone, e
	}
	if p.prefix == unitNone && p.seen&(maskMonth|maskDay) != maskMonth|maskDay {
		return p.delimitedDate(f)
	}
	if !isDigit(f[0]) && p.prefix == unitNone {
		return p.namedZone(f)
	}
	if p.prefix != unitNone && p.prefix != unitTime {
		return 0, dtBadFormat
	}
	p.prefix = unitNone
	if p.seen&maskTime == maskTime {
		return 0, dtBadFormat
	}
	return p.timeWithZone(f, p.seen)
}

// timeWithZone reads hhmmss-zz.
func (p *dtParser) timeWithZone(f string, seen mask) (mask, dtError) {
	cut := indexByte(f, '-')
	if cut < 0 {
		return 0, dtBadFormat
	}
	west, e := parseZoneOffset(f[cut:])
	if e != dtOK {
		return 0, e
	}
	p.west = west
	got, e := p.runTogether(f[:cut], seen)
	return got | maskZone, e
}

func indexByte(s string, c byte) int {
	for i := 0; i < len(s); i++ {
		if s[i] == c {
			return i
		}
	}
	return -1
}

func (p *dtParser) namedZone(name string) (mask, dtError) {
	loc, ok := LoadZone(name)
	if !ok {
		p.unknownZone = name
		return 0, dtUnknownZone
	}
	p.zone = loc
	return maskZone, dtOK
}

func (p *dtParser) setJulian(day int) {
	p.year, p.month, p.day = CivilFromDays(int64(day) - 2451545)
	p.julian = true
}

// leadingInt reads the number that s starts with, as C's strtol does: none is zero. ok is false when it does not fit
// int32.
func leadingInt(s string) (v int, rest string, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	if i == len(s) || !isDigit(s[i]) {
		return 0, s, true
	}
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	n, err := strconv.ParseInt(s[:i], 10, 32)
	return int(n), s[i:], err == nil
}

// prefixed reads a number after a letter that says what it is, as in y2001m02d04 or J2451187 or T040506.
func (p *dtParser) prefixed(f string) (mask, dtError) {
	what := p.prefix
	p.prefix = unitNone
	v, rest, ok := leadingInt(f)
	if !ok {
		return 0, dtFieldOverflow
	}
	if rest != "" && rest[0] == '.' {
		if what != unitJulian && what != unitTime && what != unitSecond {
			return 0, dtBadFormat
		}
	} else if rest != "" {
		return 0, dtBadFormat
	}
	switch what {
	case unitYear:
		p.year = v
		return maskYear, dtOK
	case unitMonth:
		if p.seen&maskMonth != 0 && p.seen&maskHour != 0 {
			p.min = v
			return maskMinute, dtOK
		}
		p.month = v
		return maskMonth, dtOK
	case unitDay:
		p.day = v
		return maskDay, dtOK
	case unitHour:
		p.hour = v
		return maskHour, dtOK
	case unitMinute:
		p.min = v
		return maskMinute, dtOK
	case unitSecond:
		p.sec = v
		if rest != "" {
			us, ok := fraction(rest)
			if !ok {
				return 0, dtBadFormat
			}
			p.micro = us
			return maskAllSecs, dtOK
		}
		return maskSecond, dtOK
	case unitJulian:
		p.setJulian(v)
		if rest == "" {
			return maskDate, dtOK
		}
		day, err := strconv.ParseFloat("0"+rest, 64)
		if err != nil {
			return 0, dtBadFormat
		}
		us := int64(day * microsPerDay)
		c := Civil{}
		c.setTime(us)
		p.hour, p.min, p.sec, p.micro = c.Hour, c.Min, c.Sec, c.Micro
		return maskDate | maskTime, dtOK
	case unitTime:
		got, e := p.runTogether(f, p.seen|maskDate)
		if e == dtOK && got != maskTime {
			e = dtBadFormat
		}
		return got, e
	}
	return 0, dtBadFormat
}

func (p *dtParser) numberField(f string) (mask, dtError) {
	point := indexByte(f, '.')
	switch {
	case point >= 0 && p.seen&maskDate == 0:
		return p.delimitedDate(f)
	case point > 2:
		return p.runTogether(f, p.seen)
	case len(f) >= 6 && (p.seen&maskDate == 0 || p.seen&maskTime == 0):
		return p.runTogether(f, p.seen)
	}
	return p.number(f, p.seen, p.textMonth)
}

// word reads letters. timeOnly tells the rules of time and timetz, which know fewer reserved words.
func (p *dtParser) word(fields []dtField, i int, timeOnly bool) (mask, dtError) {
	f := fields[i].text
	if a := findAbbrev(f); a != nil {
		if a.zone != "" {
			p.abbrev = a
		} else {
			p.west = -a.offset
		}
		return maskZone, dtOK
	}
	w := lookupWord(dateWords[:], f)
	if w == nil {
		return p.wordZone(f)
	}
	switch w.typ {
	case wordIgnore:
		return 0, dtOK
	case wordReserved:
		return p.reservedWord(unit(w.value), timeOnly)
	case wordMonth:
		if timeOnly {
			return 0, dtBadFormat
		}
		got := maskMonth
		if p.seen&maskMonth != 0 && !p.textMonth && p.seen&maskDay == 0 && p.month >= 1 && p.month <= 31 {
			p.day = p.month
			got = maskDay
		}
		p.textMonth = true
		p.month = w.value
		return got, dtOK
	case wordDST:
		p.west -= w.value
		return maskZoneMod, dtOK
	case wordAMPM:
		p.meridiem = w.value
		return maskAMPM, dtOK
	case wordEra:
		p.bc = w.value == 1
		return maskEra, dtOK
	case wordWeekday:
		if timeOnly {
			return 0, dtBadFormat
		}
		return maskWeekday, dtOK
	case wordUnits:
		p.prefix = unit(w.value)
		return 0, dtOK
	case wordISOTime:
		if !timeOnly && p.seen&maskDate != maskDate || i+1 >= len(fields) {
			return 0, dtBadFormat
		}
		if next := fields[i+1].typ; next != fieldNumber && next != fieldTime && next != fieldDate {
			return 0, dtBadFormat
		}
		p.prefix = unit(w.value)
		return 0, dtOK
	}
	return 0, dtBadFormat
}

// wordZone tries an unknown word as the name of a zone.
func (p *dtParser) wordZone(f string) (mask, dtError) {
	loc, ok := LoadZone(f)
	if !ok {
		return 0, dtBadFormat
	}
	p.zone = loc
	return maskZone, dtOK
}

func (p *dtParser) reservedWord(w unit, timeOnly bool) (mask, dtError) {
	switch w {
	case resNow:
		c := CivilInZone(p.env.location(), p.env.Now)
		p.west = -c.Offset
		if timeOnly {
			p.hour, p.min, p.sec, p.micro = c.Hour, c.Min, c.Sec, c.Micro
			return maskTime, dtOK
		}
		p.setCivil(c)
		p.reserved = unitNone
		return maskDate | maskTime | maskZone, dtOK
	case resZulu:
		p.hour, p.min, p.sec, p.micro, p.west = 0, 0, 0, 0, 0
		p.reserved = unitNone
		return maskTime | maskZone, dtOK
	}
	if timeOnly {
		return 0, dtBadFormat
	}
	switch w {
	case resToday, resTomorrow, resYesterday:
		c := CivilInZone(p.env.location(), p.env.Now)
		day := DaysFromCivil(c.Year, c.Month, c.Day)
		if w == resTomorrow {
			day++
		} else if w == resYesterday {
			day--
		}
		p.year, p.month, p.day = CivilFromDays(day)
		p.reserved = unitNone
		return maskDate, dtOK
	}
	p.reserved = w
	return maskReserved, dtOK
}

// fraction reads ".digits" as microseconds, rounded.
func fraction(s string) (us int, ok bool) {
	if len(s) == 1 {
		return 0, true
	}
	for i := 1; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat("0"+s, 64)
	return int(math.RoundToEven(f * 1e6)), err == nil
}

// clock reads hh:mm, hh:mm:ss, hh:mm:ss.fff and mm:ss.fff.
func (p *dtParser) clock(f string) dtError {
	h, m, sec, us, e := parseClock(f, false)
	p.hour, p.min, p.sec, p.micro = int(h), m, sec, us
	if h > math.MaxInt32 {
		return dtFieldOverflow
	}
	return e
}

// parseClock reads a clock field. minuteSecond makes two parts minutes and seconds.
func parseClock(f string, minuteSecond bool) (h int64, m, sec, us int, e dtError) {
	cut := 0
	for cut < len(f) && isDigit(f[cut]) {
		cut++
	}
	h, err := strconv.ParseInt(f[:cut], 10, 64)
	if err != nil {
		return 0, 0, 0, 0, dtFieldOverflow
	}
	if cut == len(f) || f[cut] != ':' {
		return 0, 0, 0, 0, dtBadFormat
	}
	m, rest, ok := leadingInt(f[cut+1:])
	if !ok {
		return 0, 0, 0, 0, dtFieldOverflow
	}
	switch {
	case rest == "":
		if minuteSecond {
			h, m, sec = 0, int(min(h, math.MaxInt32)), m
		}
	case rest[0] == '.':
		if us, ok = fraction(rest); !ok {
			return 0, 0, 0, 0, dtBadFormat
		}
		if h > math.MaxInt32 {
			return 0, 0, 0, 0, dtFieldOverflow
		}
		h, m, sec = 0, int(h), m
	case rest[0] == ':':
		if sec, rest, ok = leadingInt(rest[1:]); !ok {
			return 0, 0, 0, 0, dtFieldOverflow
		}
		if rest != "" {
			if rest[0] != '.' {
				return 0, 0, 0, 0, dtBadFormat
			}
			if us, ok = fraction(rest); !ok {
				return 0, 0, 0, 0, dtBadFormat
			}
		}
	default:
		return 0, 0, 0, 0, dtBadFormat
	}
	if m < 0 || m > 59 || sec < 0 || sec > 60 || us > microsPerSecond {
		return 0, 0, 0, 0, dtFieldOverflow
	}
	return h, m, sec, us, dtOK
}

// timeOverflows says whether the time is past 24:00:00.
func (p *dtParser) timeOverflows() bool {
	if p.hour < 0 || p.hour > 24 || p.min < 0 || p.min > 59 || p.sec < 0 || p.sec > 60 || p.micro < 0 || p.micro > microsPerSecond {
		return true
	}
	c := p.civil()
	return c.timeOfDay() > microsPerDay
}

// parseZoneOffset reads ±hh, ±hhmm, ±hh:mm and ±hh:mm:ss; the result is seconds west.
func parseZoneOffset(f string) (west int, e dtError) {
	if f == "" || f[0] != '+' && f[0] != '-' {
		return 0, dtBadFormat
	}
	var m, sec int
	h, rest, ok := leadingInt(f[1:])
	if !ok {
		return 0, dtZoneOverflow
	}
	switch {
	case rest != "" && rest[0] == ':':
		if m, rest, ok = leadingInt(rest[1:]); !ok {
			return 0, dtZoneOverflow
		}
		if rest != "" && rest[0] == ':' {
			if sec, rest, ok = leadingInt(rest[1:]); !ok {
				return 0, dtZoneOverflow
			}
		}
	case rest == "" && len(f) > 3:
		h, m = h/100, h%100
	}
	if h < 0 || h > 15 || m < 0 || m >= 60 || sec < 0 || sec >= 60 {
		return 0, dtZoneOverflow
	}
	west = (h*60+m)*60 + sec
	if f[0] == '+' {
		west = -west
	}
	if rest != "" {
		return 0, dtBadFormat
	}
	return west, dtOK
}

// delimitedDate reads a date with separators; text months are found first, since they are unambiguous.
func (p *dtParser) delimitedDate(f string) (mask, dtError) {
	var parts [maxDateFields]string
	n := 0
	for i := 0; i < len(f) && n < maxDateFields; n++ {
		for i < len(f) && !isDigit(f[i]) && !isAlpha(f[i]) {
			i++
		}
		if i == len(f) {
			return 0, dtBadFormat
		}
		start, class := i, isDigit
		if isAlpha(f[i]) {
			class = isAlpha
		}
		for i < len(f) && class(f[i]) {
			i++
		}
		parts[n] = f[start:i]
		i++ // one separator, whatever it is
	}
	seen, all := p.seen, mask(0)
	textMonth := false
	for i := range n {
		if !isAlpha(parts[i][0]) {
			continue
		}
		w := lookupWord(dateWords[:], parts[i])
		if w == nil || w.typ != wordMonth && w.typ != wordIgnore {
			return 0, dtBadFormat
		}
		parts[i] = "-"
		if w.typ == wordIgnore {
			continue
		}
		if seen&maskMonth != 0 {
			return 0, dtBadFormat
		}
		p.month, textMonth = w.value, true
		seen |= maskMonth
		all |= maskMonth
	}
	for _, part := range parts[:n] {
		if part == "-" {
			continue
		}
		got, e := p.number(part, seen, textMonth)
		if e != dtOK {
			return 0, e
		}
		if seen&got != 0 {
			return 0, dtBadFormat
		}
		seen |= got
		all |= got
	}
	if seen&^(maskDoy|maskZone) != maskDate {
		return 0, dtBadFormat
	}
	return all, dtOK
}

// number gives a lone number its meaning from what has been seen and from DateOrder.
func (p *dtParser) number(f string, seen mask, textMonth bool) (mask, dtError) {
	v, rest, ok := leadingInt(f)
	if !ok {
		return 0, dtFieldOverflow
	}
	if rest == f {
		return 0, dtBadFormat
	}
	if rest != "" {
		if rest[0] != '.' {
			return 0, dtBadFormat
		}
		if len(f)-len(rest) > 2 {
			return p.runTogether(f, seen|maskDate)
		}
		us, ok := fraction(rest)
		if !ok {
			return 0, dtBadFormat
		}
		p.micro = us
	}
	if len(f) == 3 && seen&maskDate == maskYear && v >= 1 && v <= 366 {
		p.doy = v
		return maskDoy | maskMonth | maskDay, dtOK
	}
	if textMonth && len(f) >= 3 && p.twoDigit && seen&maskDate == maskYear|maskMonth {
		// What was taken for a two-digit year was the day.
		p.day, p.year, p.twoDigit = p.year, v, false
		return maskDay, dtOK
	}
	got := p.guess(len(f), seen, textMonth)
	switch got {
	case maskYear:
		p.year = v
		p.twoDigit = len(f) <= 2
	case maskMonth:
		p.month = v
	case maskDay:
		p.day = v
	default:
		if seen&maskDate == maskDate {
			return p.runTogether(f, seen)
		}
		return 0, dtBadFormat
	}
	return got, dtOK
}

func (p *dtParser) guess(digits int, seen mask, textMonth bool) mask {
	ymd := p.env.DateOrder == OrderYMD
	switch seen & maskDate {
	case 0:
		if digits >= 3 || ymd {
			return maskYear
		}
		if p.env.DateOrder == OrderDMY {
			return maskDay
		}
		return maskMonth
	case maskYear, maskDay:
		return maskMonth
	case maskMonth:
		if textMonth && (digits >= 3 || ymd) {
			return maskYear
		}
		return maskDay
	case maskYear | maskMonth:
		return maskDay
	case maskMonth | maskDay:
		return maskYear
	}
	return 0
}

// runTogether reads yyyymmdd, yymmdd, hhmmss and hhmm, with a fraction or not.
func (p *dtParser) runTogether(f string, seen mask) (mask, dtError) {
	if point := indexByte(f, '.'); point >= 0 {
		us, ok := fraction(f[point:])
		if !ok {
			return 0, dtBadFormat
		}
		p.micro = us
		f = f[:point]
	} else if seen&maskDate != maskDate && len(f) >= 6 {
		n := len(f)
		day, _ := strconv.Atoi(f[n-2:])
		month, _ := strconv.Atoi(f[n-4 : n-2])
		year, err := strconv.ParseInt(f[:n-4], 10, 32)
		if err != nil {
			return 0, dtFieldOverflow
		}
		p.day, p.month, p.year = day, month, int(year)
		if n-4 == 2 {
			p.twoDigit = true
		}
		return maskDate, dtOK
	}
	if seen&maskTime != maskTime && (len(f) == 6 || len(f) == 4) {
		p.sec = 0
		if len(f) == 6 {
			p.sec, _ = strconv.Atoi(f[4:])
		}
		p.min, _ = strconv.Atoi(f[2:4])
		p.hour, _ = strconv.Atoi(f[:2])
		return maskTime, dtOK
	}
	return 0, dtBadFormat
}

// validate checks the date's fields once all are known.
func (p *dtParser) validate() dtError {
	if p.seen&maskYear != 0 && !p.julian {
		switch {
		case p.bc:
			if p.year <= 0 {
				return dtFieldOverflow
			}
			p.year = -(p.year - 1)
		case p.twoDigit:
			if p.year < 0 {
				return dtFieldOverflow
			}
			if p.year < 70 {
				p.year += 2000
			} else if p.year < 100 {
				p.year += 1900
			}
		case p.year <= 0:
			return dtFieldOverflow
		}
	}
	if p.seen&maskDoy != 0 {
		p.year, p.month, p.day = CivilFromDays(DaysFromCivil(p.year, 1, 1) + int64(p.doy) - 1)
	}
	if p.seen&maskMonth != 0 && (p.month < 1 || p.month > 12) {
		return dtMDOverflow
	}
	if p.seen&maskDay != 0 && (p.day < 1 || p.day > 31) {
		return dtMDOverflow
	}
	if p.seen&maskDate == maskDate && p.day > DaysInMonth(p.year, p.month) {
		return dtFieldOverflow
	}
	return dtOK
}

func (p *dtParser) applyMeridiem() dtError {
	if p.meridiem == noMeridiem {
		return dtOK
	}
	switch {
	case p.hour > 12:
		return dtFieldOverflow
	case p.meridiem == am && p.hour == 12:
		p.hour = 0
	case p.meridiem == pm && p.hour != 12:
		p.hour += 12
	}
	return dtOK
}

// resolveZone turns a named zone, or no zone, into an offset for the date that has been read.
func (p *dtParser) resolveZone() dtError {
	c := p.civil()
	local := DaysFromCivil(c.Year, c.Month, c.Day)
	if local > -200_000_000 && local < 200_000_000 && validJulian(c.Year, c.Month) {
		if local > 106_751_990 || local < -106_751_990 {
			return dtOK // out of every range: the caller says so
		}
		local = local*microsPerDay + c.timeOfDay()
	} else {
		return dtOK
	}
	switch {
	case p.zone != nil:
		if p.seen&maskZoneMod != 0 {
			return dtBadFormat
		}
		p.west = -LocalOffset(p.zone, local)
	case p.abbrev != nil:
		if p.seen&maskZoneMod != 0 {
			return dtBadFormat
		}
		p.west = -p.abbrevAt(local)
	case p.seen&maskZone == 0:
		if p.seen&maskZoneMod != 0 {
			return dtBadFormat
		}
		p.west = -LocalOffset(p.env.location(), local)
	}
	return dtOK
}

func (p *dtParser) abbrevAt(local int64) int {
	loc, ok := LoadZone(p.abbrev.zone)
	if !ok {
		return 0
	}
	guess := LocalOffset(loc, local)
	off, _ := abbrevOffset(p.abbrev.name, loc, floorDiv(local, microsPerSecond)+epochUnix-int64(guess))
	return off
}
