package datum

import (
	"time"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// partUnit finds the unit that extract and date_part name. The name comes back in lower case.
func partUnit(name string) (u unit, low string) {
	if u, low = truncUnit(name); u != unitNone {
		return u, low
	}
	if w := lookupWord(dateWords[:], low); w != nil {
		switch {
		case w.typ == wordUnits:
			return unit(w.value), low
		case w.typ == wordReserved && unit(w.value) == resEpoch:
			return unitEpoch, low
		case w.typ == wordReserved:
			return unitTime, low // known, and no type has it
		}
	}
	return unitNone, low
}

// plainUnit is partUnit for types without reserved words other than epoch.
func plainUnit(name string) (u unit, low string) {
	if u, low = partUnit(name); u == unitTime {
		u = unitNone
	}
	return u, low
}

// truncUnit finds the unit that date_trunc names: only those that intervals have too.
func truncUnit(name string) (u unit, low string) {
	low = lowerText(name)
	if w := lookupWord(unitWords[:], low); w != nil && w.typ == wordUnits {
		return unit(w.value), low
	}
	return unitNone, low
}

// errUnit tells a unit that means nothing from one that the type does not have.
func errUnit(u unit, name string, t OID) *failure.Error {
	if u == unitNone {
		return failure.New(failure.InvalidParameterValue, "unit \"%s\" not recognized for type %s", name, TypeName(t))
	}
	return failure.New(failure.FeatureNotSupported, "unit \"%s\" not supported for type %s", name, TypeName(t))
}

func whole(i int64) *apd.Decimal { return NumericFromInt(i) }

func scaled(i int64, scale int) *apd.Decimal {
	d := NumericFromInt(i)
	d.Exponent = int32(-scale)
	return d
}

// yearPart is the year and the longer units; ok is false for other units.
func yearPart(u unit, year int) (*apd.Decimal, bool) {
	y := int64(year)
	switch u {
	case unitYear:
		if y <= 0 {
			y--
		}
		return whole(y), true
	case unitDecade:
		if y >= 0 {
			return whole(y / 10), true
		}
		return whole(-((8 - (y - 1)) / 10)), true
	case unitCentury:
		if y > 0 {
			return whole((y + 99) / 100), true
		}
		return whole(-((99 - (y - 1)) / 100)), true
	case unitMillennium:
		if y > 0 {
			return whole((y + 999) / 1000), true
		}
		return whole(-((999 - (y - 1)) / 1000)), true
	}
	return nil, false
}

// datePart is every part that a date has.
func datePart(u unit, c *Civil) (*apd.Decimal, bool) {
	if d, ok := yearPart(u, c.Year); ok {
		return d, true
	}
	days := func() int64 { return DaysFromCivil(c.Year, c.Month, c.Day) }
	switch u {
	case unitDay:
		return whole(int64(c.Day)), true
	case unitMonth:
		return whole(int64(c.Month)), true
	case unitQuarter:
		return whole(int64(c.Month-1)/3 + 1), true
	case unitWeek:
		_, w := isoWeek(c.Year, c.Month, c.Day)
		return whole(int64(w)), true
	case unitISOYear:
		y, _ := isoWeek(c.Year, c.Month, c.Day)
		if y <= 0 {
			y--
		}
		return whole(int64(y)), true
	case unitDow:
		return whole(int64(weekday(days()))), true
	case unitISODow:
		d := weekday(days())
		if d == 0 {
			d = 7
		}
		return whole(int64(d)), true
	case unitDoy:
		return whole(int64(dayOfYear(c.Year, c.Month, c.Day))), true
	}
	return nil, false
}

// clockPart is every part that a time of day has.
func clockPart(u unit, c *Civil) (*apd.Decimal, bool) {
	switch u {
	case unitMicrosecond:
		return whole(int64(c.Sec)*microsPerSecond + int64(c.Micro)), true
	case unitMillisecond:
		return scaled(int64(c.Sec)*microsPerSecond+int64(c.Micro), 3), true
	case unitSecond:
		return scaled(int64(c.Sec)*microsPerSecond+int64(c.Micro), 6), true
	case unitMinute:
		return whole(int64(c.Min)), true
	case unitHour:
		return whole(int64(c.Hour)), true
	}
	return nil, false
}

func zonePart(u unit, east int) (*apd.Decimal, bool) {
	switch u {
	case unitTZ:
		return whole(int64(east)), true
	case unitTZHour:
		return whole(int64(east / 3600)), true
	case unitTZMinute:
		return whole(int64(east / 60 % 60)), true
	}
	return nil, false
}

// infinitePart is the part of an infinite date or timestamp: infinite for what grows for ever, nil (NULL) for what
// comes round again.
func infinitePart(u unit, neg, hasTime, hasZone bool) (d *apd.Decimal, ok bool) {
	switch u {
	case unitYear, unitDecade, unitCentury, unitMillennium, unitJulian, unitISOYear, unitEpoch:
		return numericInf(neg), true
	case unitDay, unitMonth, unitQuarter, unitWeek, unitDow, unitISODow, unitDoy:
		return nil, true
	case unitMicrosecond, unitMillisecond, unitSecond, unitMinute, unitHour:
		return nil, hasTime
	case unitTZ, unitTZHour, unitTZMinute:
		return nil, hasZone
	}
	return nil, false
}

// ExtractDate is extract(unit from date); nil is NULL.
func ExtractDate(name string, days int64) (*apd.Decimal, error) {
	u, name := partUnit(name)
	if infiniteDate(days) {
		if d, ok := infinitePart(u, days == DateNegInfinity, false, false); ok {
			return d, nil
		}
		return nil, errUnit(u, name, OIDDate)
	}
	var c Civil
	c.Year, c.Month, c.Day = CivilFromDays(days)
	if d, ok := datePart(u, &c); ok {
		return d, nil
	}
	switch u {
	case unitJulian:
		return whole(days + 2451545), nil
	case unitEpoch:
		return whole(days*86400 + epochUnix), nil
	}
	return nil, errUnit(u, name, OIDDate)
}

// ExtractTimestamp is extract(unit from timestamp); nil is NULL.
func ExtractTimestamp(name string, us int64) (*apd.Decimal, error) {
	u, name := partUnit(name)
	if infiniteTimestamp(us) {
		if d, ok := infinitePart(u, us == TimestampNegInfinity, true, true); ok {
			return d, nil
		}
		return nil, errUnit(u, name, OIDTimestamp)
	}
	c := CivilFromMicros(us)
	d, ok := timestampPart(u, &c, us)
	if !ok {
		return nil, errUnit(u, name, OIDTimestamp)
	}
	return d, nil
}

// ExtractTimestampTZ is extract(unit from timestamptz) in a zone; nil is NULL.
func ExtractTimestampTZ(name string, us int64, loc *time.Location) (*apd.Decimal, error) {
	u, name := partUnit(name)
	if infiniteTimestamp(us) {
		if d, ok := infinitePart(u, us == TimestampNegInfinity, true, true); ok {
			return d, nil
		}
		return nil, errUnit(u, name, OIDTimestampTZ)
	}
	c := CivilInZone(loc, us)
	if d, ok := zonePart(u, c.Offset); ok {
		return d, nil
	}
	d, ok := timestampPart(u, &c, us)
	if !ok {
		return nil, errUnit(u, name, OIDTimestampTZ)
	}
	return d, nil
}

func timestampPart(u unit, c *Civil, us int64) (*apd.Decimal, bool) {
	if d, ok := datePart(u, c); ok {
		return d, true
	}
	if d, ok := clockPart(u, c); ok {
		return d, true
	}
	switch u {
	case unitJulian:
		day := whole(DaysFromCivil(c.Year, c.Month, c.Day) + 2451545)
		fraction, _ := NumericDiv(whole(c.timeOfDay()), whole(microsPerDay))
		d, _ := NumericAdd(day, fraction)
		return d, true
	case unitEpoch:
		if us < 1<<63-1-epochUnix*microsPerSecond {
			return scaled(us+epochUnix*microsPerSecond, 6), true
		}
		d, _ := NumericAdd(scaled(us, 6), whole(epochUnix))
		return d, true
	}
	return nil, false
}

// ExtractTime is extract(unit from time).
func ExtractTime(name string, us int64) (*apd.Decimal, error) {
	u, name := plainUnit(name)
	var c Civil
	c.setTime(us)
	if d, ok := clockPart(u, &c); ok {
		return d, nil
	}
	if u == unitEpoch {
		return scaled(us, 6), nil
	}
	return nil, errUnit(u, name, OIDTime)
}

// ExtractTimeTZ is extract(unit from timetz).
func ExtractTimeTZ(name string, t TimeTZ) (*apd.Decimal, error) {
	u, name := plainUnit(name)
	var c Civil
	c.setTime(t.Micros)
	if d, ok := clockPart(u, &c); ok {
		return d, nil
	}
	if d, ok := zonePart(u, -int(t.ZoneOffset)); ok {
		return d, nil
	}
	if u == unitEpoch {
		return scaled(t.Micros+int64(t.ZoneOffset)*microsPerSecond, 6), nil
	}
	return nil, errUnit(u, name, OIDTimeTZ)
}

// ExtractInterval is extract(unit from interval).
func ExtractInterval(name string, v Interval) (*apd.Decimal, error) {
	u, name := plainUnit(name)
	p := breakInterval(v)
	switch u {
	case unitMicrosecond:
		return whole(p.sec*microsPerSecond + p.micro), nil
	case unitMillisecond:
		return scaled(p.sec*microsPerSecond+p.micro, 3), nil
	case unitSecond:
		return scaled(p.sec*microsPerSecond+p.micro, 6), nil
	case unitMinute:
		return whole(p.min), nil
	case unitHour:
		return whole(p.hour), nil
	case unitDay:
		return whole(p.day), nil
	case unitMonth:
		return whole(p.month), nil
	case unitQuarter:
		return whole(p.month/3 + 1), nil
	case unitYear:
		return whole(p.year), nil
	case unitDecade:
		return whole(p.year / 10), nil
	case unitCentury:
		return whole(p.year / 100), nil
	case unitMillennium:
		return whole(p.year / 1000), nil
	case unitEpoch:
		// A year counts as 365.25 days here.
		quarters := 1461*p.year + 4*daysPerMonth*p.month + 4*p.day
		d, err := NumericAdd(scaled(v.Micros, 6), whole(quarters*(86400/4)))
		return d, err
	}
	return nil, errUnit(u, name, OIDInterval)
}

// truncCivil cuts a broken-down time to a unit; days says that the zone's offset may have changed.
func (c *Civil) trunc(u unit) (days, ok bool) {
	switch u {
	case unitMillennium, unitCentury, unitDecade:
		c.Year = truncYear(u, c.Year)
		c.Month = 1
		c.Day = 1
	case unitYear:
		c.Month, c.Day = 1, 1
	case unitQuarter:
		c.Month, c.Day = (c.Month-1)/3*3+1, 1
	case unitMonth:
		c.Day = 1
	case unitWeek:
		d := DaysFromCivil(c.Year, c.Month, c.Day)
		c.Year, c.Month, c.Day = CivilFromDays(d - int64((weekday(d)+6)%7))
	case unitDay:
	case unitHour:
		c.Min, c.Sec, c.Micro = 0, 0, 0
		return false, true
	case unitMinute:
		c.Sec, c.Micro = 0, 0
		return false, true
	case unitSecond:
		c.Micro = 0
		return false, true
	case unitMillisecond:
		c.Micro -= c.Micro % 1000
		return false, true
	case unitMicrosecond:
		return false, true
	default:
		return false, false
	}
	c.Hour, c.Min, c.Sec, c.Micro = 0, 0, 0, 0
	return true, true
}

func truncYear(u unit, y int) int {
	switch u {
	case unitMillennium:
		if y > 0 {
			return (y+999)/1000*1000 - 999
		}
		return -((999-(y-1))/1000*1000 - 1)
	case unitCentury:
		if y > 0 {
			return (y+99)/100*100 - 99
		}
		return -((99-(y-1))/100*100 - 1)
	}
	if y > 0 {
		return y / 10 * 10
	}
	return -((8 - (y - 1)) / 10 * 10)
}

// TruncTimestamp is date_trunc(unit, timestamp).
func TruncTimestamp(name string, us int64) (int64, error) {
	if infiniteTimestamp(us) {
		return us, nil
	}
	u, name := truncUnit(name)
	c := CivilFromMicros(us)
	if _, ok := c.trunc(u); !ok {
		return 0, errUnit(u, name, OIDTimestamp)
	}
	us, ok := c.Micros()
	if !ok {
		return 0, errTimestampOverflow()
	}
	return us, nil
}

// TruncTimestampTZ is date_trunc(unit, timestamptz) by the calendar of a zone.
func TruncTimestampTZ(name string, us int64, loc *time.Location) (int64, error) {
	if infiniteTimestamp(us) {
		return us, nil
	}
	u, name := truncUnit(name)
	c := CivilInZone(loc, us)
	offset := c.Offset
	days, ok := c.trunc(u)
	if !ok {
		return 0, errUnit(u, name, OIDTimestampTZ)
	}
	if days {
		local := DaysFromCivil(c.Year, c.Month, c.Day) * microsPerDay
		offset = LocalOffset(loc, local)
	}
	us, ok = c.microsWest(-offset)
	if !ok {
		return 0, errTimestampOverflow()
	}
	return us, nil
}

// TruncInterval is date_trunc(unit, interval).
func TruncInterval(name string, v Interval) (Interval, error) {
	u, name := truncUnit(name)
	step := int32(0) // of months
	switch u {
	case unitMillennium:
		step = 12000
	case unitCentury:
		step = 1200
	case unitDecade:
		step = 120
	case unitYear:
		step = 12
	case unitQuarter:
		step = 3
	case unitMonth:
		step = 1
	case unitDay:
		v.Micros = 0
	case unitHour:
		v.Micros -= v.Micros % microsPerHour
	case unitMinute:
		v.Micros -= v.Micros % microsPerMinute
	case unitSecond:
		v.Micros -= v.Micros % microsPerSecond
	case unitMillisecond:
		v.Micros -= v.Micros % 1000
	case unitMicrosecond:
	case unitWeek:
		return v, errUnit(u, name, OIDInterval).WithDetail("Months usually have fractional weeks.")
	default:
		return v, errUnit(u, name, OIDInterval)
	}
	if step != 0 {
		v = Interval{Months: v.Months - v.Months%step}
	}
	return v, nil
}
