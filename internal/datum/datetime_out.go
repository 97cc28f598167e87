package datum

import "strconv"

const (
	monthAbbrevs = "JanFebMarAprMayJunJulAugSepOctNovDec"
	dayAbbrevs   = "SunMonTueWedThuFriSat"
)

func appendPadded(b []byte, v, width int) []byte {
	if width == 2 && v >= 0 && v < 100 {
		return append(b, '0'+byte(v/10), '0'+byte(v%10))
	}
	digits := 1
	for x := v; x >= 10; x /= 10 {
		digits++
	}
	for ; digits < width; digits++ {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(v), 10)
}

// appendFraction appends ".ffffff" without trailing zeros, or nothing.
func appendFraction(b []byte, us int) []byte {
	if us == 0 {
		return b
	}
	b = append(b, '.')
	for div := 100_000; us > 0; div /= 10 {
		b = append(b, '0'+byte(us/div))
		us %= div
	}
	return b
}

func appendClock(b []byte, c *Civil) []byte {
	b = append(appendPadded(b, c.Hour, 2), ':')
	b = append(appendPadded(b, c.Min, 2), ':')
	b = appendPadded(b, c.Sec, 2)
	return appendFraction(b, c.Micro)
}

// appendOffset appends a zone's offset as ±hh, ±hh:mm or ±hh:mm:ss.
func appendOffset(b []byte, east int) []byte {
	sign := byte('+')
	if east < 0 {
		sign, east = '-', -east
	}
	b = appendPadded(append(b, sign), east/3600, 2)
	if east%3600 != 0 {
		b = appendPadded(append(b, ':'), east/60%60, 2)
	}
	if east%60 != 0 {
		b = appendPadded(append(b, ':'), east%60, 2)
	}
	return b
}

func shownYear(year int) int {
	if year > 0 {
		return year
	}
	return 1 - year
}

func appendBC(b []byte, year int) []byte {
	if year <= 0 {
		return append(b, " BC"...)
	}
	return b
}

// AppendDate appends a date in the session's style.
func AppendDate(b []byte, days int64, env *Env) []byte {
	switch days {
	case DateInfinity:
		return append(b, "infinity"...)
	case DateNegInfinity:
		return append(b, "-infinity"...)
	}
	env = env.orDefault()
	year, month, day := CivilFromDays(days)
	first, second, sep := month, day, byte('-')
	switch env.DateStyle {
	case DateISO:
		b = appendPadded(b, shownYear(year), 4)
		b = appendPadded(append(b, '-'), month, 2)
		b = appendPadded(append(b, '-'), day, 2)
		return appendBC(b, year)
	case DateGerman:
		first, second, sep = day, month, '.'
	default:
		if env.DateStyle == DateSQL {
			sep = '/'
		}
		if env.DateOrder == OrderDMY {
			first, second = day, month
		}
	}
	b = append(appendPadded(b, first, 2), sep)
	b = append(appendPadded(b, second, 2), sep)
	return appendBC(appendPadded(b, shownYear(year), 4), year)
}

// AppendTime appends a time of day.
func AppendTime(b []byte, us int64) []byte {
	var c Civil
	c.setTime(us)
	return appendClock(b, &c)
}

// AppendTimeTZ appends a time of day with its zone.
func AppendTimeTZ(b []byte, t TimeTZ) []byte {
	return appendOffset(AppendTime(b, t.Micros), -int(t.ZoneOffset))
}

// AppendTimestamp appends a timestamp without time zone in the session's style.
func AppendTimestamp(b []byte, us int64, env *Env) []byte {
	if us == TimestampInfinity || us == TimestampNegInfinity {
		return appendInfinity(b, us)
	}
	c := CivilFromMicros(us)
	return appendCivil(b, &c, env.orDefault(), false)
}

// AppendTimestampTZ appends a timestamptz in the session's style and zone.
func AppendTimestampTZ(b []byte, us int64, env *Env) []byte {
	if us == TimestampInfinity || us == TimestampNegInfinity {
		return appendInfinity(b, us)
	}
	env = env.orDefault()
	c := CivilInZone(env.location(), us)
	return appendCivil(b, &c, env, true)
}

func appendInfinity(b []byte, us int64) []byte {
	if us == TimestampInfinity {
		return append(b, "infinity"...)
	}
	return append(b, "-infinity"...)
}

func appendCivil(b []byte, c *Civil, env *Env, zone bool) []byte {
	switch env.DateStyle {
	case DateISO:
		b = appendPadded(b, shownYear(c.Year), 4)
		b = appendPadded(append(b, '-'), c.Month, 2)
		b = appendPadded(append(b, '-'), c.Day, 2)
		b = appendClock(append(b, ' '), c)
		if zone {
			b = appendOffset(b, c.Offset)
		}
		return appendBC(b, c.Year)
	case DatePostgres:
		d := weekday(DaysFromCivil(c.Year, c.Month, c.Day))
		b = append(b, dayAbbrevs[3*d:3*d+3]...)
		b = append(b, ' ')
		month := monthAbbrevs[3*c.Month-3 : 3*c.Month]
		if env.DateOrder == OrderDMY {
			b = append(appendPadded(b, c.Day, 2), ' ')
			b = append(b, month...)
		} else {
			b = append(append(b, month...), ' ')
			b = appendPadded(b, c.Day, 2)
		}
		b = appendClock(append(b, ' '), c)
		b = appendPadded(append(b, ' '), shownYear(c.Year), 4)
	case DateGerman:
		b = append(appendPadded(b, c.Day, 2), '.')
		b = append(appendPadded(b, c.Month, 2), '.')
		b = appendPadded(b, shownYear(c.Year), 4)
		b = appendClock(append(b, ' '), c)
	default:
		first, second := c.Month, c.Day
		if env.DateOrder == OrderDMY {
			first, second = second, first
		}
		b = append(appendPadded(b, first, 2), '/')
		b = append(appendPadded(b, second, 2), '/')
		b = appendPadded(b, shownYear(c.Year), 4)
		b = appendClock(append(b, ' '), c)
	}
	if zone {
		const maxAbbrev = 10
		b = append(b, ' ')
		b = append(b, c.Abbrev[:min(len(c.Abbrev), maxAbbrev)]...)
	}
	return appendBC(b, c.Year)
}
