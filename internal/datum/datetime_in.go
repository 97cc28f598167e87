package datum

import (
	"github.com/meridiandb/meridian/internal/failure"
)

func parseDate(s string, env *Env) (Datum, error) {
	var iso isoTime
	if len(s) == 10 && iso.parse(s) {
		return NewDate(DaysFromCivil(iso.Year, iso.Month, iso.Day)), nil
	}
	p := dtParser{env: env}
	if e := p.parseDateTime(s); e != dtOK {
		return Null, e.err("date", s, p.unknownZone)
	}
	switch p.reserved {
	case resEpoch:
		return NewDate(DaysFromCivil(1970, 1, 1)), nil
	case resLate:
		return NewDate(DateInfinity), nil
	case resEarly:
		return NewDate(DateNegInfinity), nil
	}
	days := DaysFromCivil(p.year, p.month, p.day)
	if !validJulian(p.year, p.month) || !ValidDate(days) {
		return Null, failure.New(failure.DatetimeValueOutOfRange, "date out of range: \"%s\"", s)
	}
	return NewDate(days), nil
}

func errTimestampRange(s string) error {
	return failure.New(failure.DatetimeValueOutOfRange, "timestamp out of range: \"%s\"", s)
}

func parseTimestamp(s string, env *Env) (Datum, error) {
	var iso isoTime
	if iso.parse(s) {
		us, _ := iso.Micros()
		return NewTimestamp(us), nil
	}
	p := dtParser{env: env}
	if e := p.parseDateTime(s); e != dtOK {
		return Null, e.err("timestamp", s, p.unknownZone)
	}
	switch p.reserved {
	case resEpoch:
		return NewTimestamp(-epochUnix * microsPerSecond), nil
	case resLate:
		return NewTimestamp(TimestampInfinity), nil
	case resEarly:
		return NewTimestamp(TimestampNegInfinity), nil
	}
	c := p.civil()
	us, ok := c.Micros()
	if !ok {
		return Null, errTimestampRange(s)
	}
	return NewTimestamp(us), nil
}

func parseTimestampTZ(s string, env *Env) (Datum, error) {
	var iso isoTime
	if iso.parse(s) {
		us, _ := iso.Micros()
		if !iso.hasZone {
			iso.east = LocalOffset(env.location(), us)
		}
		return NewTimestampTZ(us - int64(iso.east)*microsPerSecond), nil
	}
	p := dtParser{env: env}
	if e := p.parseDateTime(s); e != dtOK {
		return Null, e.err("timestamp with time zone", s, p.unknownZone)
	}
	switch p.reserved {
	case resEpoch:
		return NewTimestampTZ(-epochUnix * microsPerSecond), nil
	case resLate:
		return NewTimestampTZ(TimestampInfinity), nil
	case resEarly:
		return NewTimestampTZ(TimestampNegInfinity), nil
	}
	c := p.civil()
	us, ok := c.microsWest(p.west)
	if !ok {
		return Null, errTimestampRange(s)
	}
	return NewTimestampTZ(us), nil
}

// microsWest is Micros moved to UTC from a zone so many seconds west.
func (c *Civil) microsWest(west int) (us int64, ok bool) {
	if !validJulian(c.Year, c.Month) {
		return 0, false
	}
	days := DaysFromCivil(c.Year, c.Month, c.Day)
	if days < -106_751_990 || days > 106_751_990 {
		return 0, false
	}
	us = days*microsPerDay + c.timeOfDay() + int64(west)*microsPerSecond
	return us, ValidTimestamp(us)
}

// parseTimeOnly reads a time of day; a date may stand before it to settle the zone.
func (p *dtParser) parseTimeOnly(s string) dtError {
	fields, ok := splitDateTime(s)
	if !ok {
		return dtBadFormat
	}
	p.meridiem = noMeridiem
	for i := range fields {
		got, e := p.timeField(fields, i)
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
	if p.timeOverflows() {
		return dtFieldOverflow
	}
	if p.seen&maskTime != maskTime {
		return dtBadFormat
	}
	return p.resolveTimeZone()
}

func (p *dtParser) timeField(fields []dtField, i int) (mask, dtError) {
	f := fields[i].text
	last := fields[len(fields)-1].typ
	switch fields[i].typ {
	case fieldDate:
		if i == 0 && len(fields) >= 2 && (last == fieldDate || fields[1].typ == fieldTime) {
			return p.delimitedDate(f)
		}
		if !isDigit(f[0]) {
			return p.namedZone(f)
		}
		if p.seen&maskTime == maskTime {
			return 0, dtBadFormat
		}
		return p.timeWithZone(f, p.seen|maskDate)
	case fieldTime:
		if p.prefix != unitNone && p.prefix != unitTime {
			return 0, dtBadFormat
		}
		p.prefix = unitNone
		return maskTime, p.clock(f)
	case fieldTZ:
		west, e := parseZoneOffset(f)
		p.west = west
		return maskZone, e
	case fieldNumber:
		if p.prefix != unitNone {
			return p.prefixed(f)
		}
		point := indexByte(f, '.')
		switch {
		case point >= 0 && i == 0 && len(fields) >= 2 && last == fieldDate:
			return p.delimitedDate(f)
		case point > 2:
			return p.runTogether(f, p.seen|maskDate)
		case point >= 0:
			return 0, dtBadFormat
		case len(f) > 4:
			return p.runTogether(f, p.seen|maskDate)
		}
		return p.number(f, p.seen|maskDate, false)
	}
	return p.word(fields, i, true)
}

func (p *dtParser) resolveTimeZone() dtError {
	hasDate := p.seen&maskDate == maskDate
	if p.zone == nil && p.abbrev == nil && p.seen&maskZone != 0 {
		return dtOK
	}
	if p.seen&maskZoneMod != 0 {
		return dtBadFormat
	}
	c := p.civil()
	if !hasDate {
		now := CivilInZone(p.env.location(), p.env.Now)
		c.Year, c.Month, c.Day = now.Year, now.Month, now.Day
	}
	local := DaysFromCivil(c.Year, c.Month, c.Day)
	if local > 106_751_990 || local < -106_751_990 {
		return dtFieldOverflow
	}
	local = local*microsPerDay + c.timeOfDay()
	switch {
	case p.zone != nil:
		if off, fixed := fixedOffset(p.zone); fixed {
			p.west = -off
			return dtOK
		}
		if !hasDate {
			return dtBadFormat
		}
		p.west = -LocalOffset(p.zone, local)
	case p.abbrev != nil:
		p.west = -p.abbrevAt(local)
	default:
		p.west = -LocalOffset(p.env.location(), local)
	}
	return dtOK
}

func parseTime(s string, env *Env) (Datum, error) {
	p := dtParser{env: env}
	if e := p.parseTimeOnly(s); e != dtOK {
		return Null, e.err("time", s, p.unknownZone)
	}
	c := p.civil()
	return NewTime(c.timeOfDay()), nil
}

func parseTimeTZ(s string, env *Env) (Datum, error) {
	p := dtParser{env: env}
	if e := p.parseTimeOnly(s); e != dtOK {
		return Null, e.err("time with time zone", s, p.unknownZone)
	}
	c := p.civil()
	return NewTimeTZ(TimeTZ{Micros: c.timeOfDay(), ZoneOffset: int32(p.west)}), nil
}
