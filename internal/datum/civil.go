package datum

import "math"

// Infinite dates and timestamps, as they are stored.
const (
	DateNegInfinity      = math.MinInt32
	DateInfinity         = math.MaxInt32
	TimestampNegInfinity = math.MinInt64
	TimestampInfinity    = math.MaxInt64
)

// The range of dates (days) and timestamps (microseconds) since 2000-01-01: from 4713-01-01 BC (24 November 4714 BC) on,
// and below 5874898-01-01 and 294277-01-01.
const (
	minDate      = -2451545
	endDate      = 2147483494 - 2451545
	minTimestamp = -211813488000000000
	endTimestamp = 9223371331200000000
)

// epochUnix is 2000-01-01 in Unix time.
const epochUnix = 946684800

// ValidDate says whether a finite date is in PostgreSQL's range.
func ValidDate(days int64) bool { return days >= minDate && days < endDate }

// ValidTimestamp says whether a finite timestamp is in PostgreSQL's range.
func ValidTimestamp(us int64) bool { return us >= minTimestamp && us < endTimestamp }

// Civil is a date and time of day in the proleptic Gregorian calendar. Year 0 is 1 BC.
type Civil struct {
	Year           int
	Month, Day     int
	Hour, Min, Sec int
	Micro          int
	Offset         int    // of the zone, seconds east of Greenwich; set by CivilInZone
	Abbrev         string // of the zone; set by CivilInZone
}

// DaysFromCivil returns the days from 2000-01-01 to a date. Days beyond the month's end count on.
func DaysFromCivil(year, month, day int) int64 {
	y, m := int64(year), int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 730425 // 2000-01-01 is day 730425 from 0000-03-01
}

// CivilFromDays is the inverse of DaysFromCivil.
func CivilFromDays(days int64) (year, month, day int) {
	z := days + 730425
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	m := mp + 3
	y := yoe + era*400
	if m > 12 {
		m -= 12
		y++
	}
	return int(y), int(m), day
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// splitDays cuts microseconds since 2000-01-01 into days and microseconds of the day.
func splitDays(us int64) (days, rest int64) {
	days = floorDiv(us, microsPerDay)
	return days, us - days*microsPerDay
}

// CivilFromMicros breaks a finite timestamp without time zone down.
func CivilFromMicros(us int64) Civil {
	days, rest := splitDays(us)
	var c Civil
	c.Year, c.Month, c.Day = CivilFromDays(days)
	c.setTime(rest)
	return c
}

func (c *Civil) setTime(us int64) {
	c.Hour = int(us / microsPerHour)
	us %= microsPerHour
	c.Min = int(us / microsPerMinute)
	us %= microsPerMinute
	c.Sec = int(us / microsPerSecond)
	c.Micro = int(us % microsPerSecond)
}

// timeOfDay is the time part in microseconds.
func (c *Civil) timeOfDay() int64 {
	return int64(c.Hour)*microsPerHour + int64(c.Min)*microsPerMinute + int64(c.Sec)*microsPerSecond + int64(c.Micro)
}

// Micros returns the timestamp without time zone; ok is false when it is out of range.
func (c *Civil) Micros() (us int64, ok bool) {
	if !validJulian(c.Year, c.Month) {
		return 0, false
	}
	days := DaysFromCivil(c.Year, c.Month, c.Day)
	if days < -107_000_000 || days > 107_000_000 {
		return 0, false
	}
	us = days * microsPerDay
	t := c.timeOfDay()
	if t > 0 && us > math.MaxInt64-t {
		return 0, false
	}
	us += t
	return us, ValidTimestamp(us)
}

// validJulian says whether the year and month are inside what Julian day numbers can count.
func validJulian(year, month int) bool {
	return (year > -4713 || year == -4713 && month >= 11) && (year < 5874898 || year == 5874898 && month < 6)
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// DaysInMonth returns the length of a month.
func DaysInMonth(year, month int) int {
	switch month {
	case 2:
		if isLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// weekday returns 0 for Sunday.
func weekday(days int64) int { return int(days+6) - int(floorDiv(days+6, 7))*7 }

// dayOfYear counts from 1.
func dayOfYear(year, month, day int) int {
	return int(DaysFromCivil(year, month, day)-DaysFromCivil(year, 1, 1)) + 1
}

// isoWeek returns the ISO 8601 week and the year it belongs to.
func isoWeek(year, month, day int) (isoYear, week int) {
	d := DaysFromCivil(year, month, day)
	for y := year + 1; ; y-- {
		if start := isoYearStart(y); d >= start {
			return y, int(d-start)/7 + 1
		}
	}
}

// isoYearStart is the Monday of the week with the 4th of January.
func isoYearStart(year int) int64 {
	jan4 := DaysFromCivil(year, 1, 4)
	return jan4 - int64((weekday(jan4)+6)%7)
}
