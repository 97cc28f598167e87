package datum

import (
	"math"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
)

func errDateRange() error {
	return failure.New(failure.DatetimeValueOutOfRange, "date out of range")
}

func errTimestampOverflow() error {
	return failure.New(failure.DatetimeValueOutOfRange, "timestamp out of range")
}

func infiniteTimestamp(us int64) bool { return us == TimestampInfinity || us == TimestampNegInfinity }
func infiniteDate(days int64) bool    { return days == DateInfinity || days == DateNegInfinity }

// DateAddDays returns date + integer.
func DateAddDays(days, n int64) (int64, error) {
	if infiniteDate(days) {
		return days, nil
	}
	if days += n; !ValidDate(days) {
		return 0, errDateRange()
	}
	return days, nil
}

// DateSub returns the days between two dates.
func DateSub(a, b int64) (int64, error) {
	if infiniteDate(a) || infiniteDate(b) {
		return 0, failure.New(failure.DatetimeValueOutOfRange, "cannot subtract infinite dates")
	}
	return a - b, nil
}

// DateToTimestamp returns midnight of a date.
func DateToTimestamp(days int64) (int64, error) {
	switch {
	case days == DateInfinity:
		return TimestampInfinity, nil
	case days == DateNegInfinity:
		return TimestampNegInfinity, nil
	case days >= endTimestamp/microsPerDay:
		return 0, failure.New(failure.DatetimeValueOutOfRange, "date out of range for timestamp")
	}
	return days * microsPerDay, nil
}

// DateToTimestampTZ returns midnight of a date in a zone.
func DateToTimestampTZ(days int64, loc *time.Location) (int64, error) {
	us, err := DateToTimestamp(days)
	if err != nil || infiniteTimestamp(us) {
		return us, err
	}
	us -= int64(LocalOffset(loc, us)) * microsPerSecond
	if !ValidTimestamp(us) {
		return 0, failure.New(failure.DatetimeValueOutOfRange, "date out of range for timestamp")
	}
	return us, nil
}

// TimestampToDate returns the day of a timestamp.
func TimestampToDate(us int64) int64 {
	switch us {
	case TimestampInfinity:
		return DateInfinity
	case TimestampNegInfinity:
		return DateNegInfinity
	}
	days, _ := splitDays(us)
	return days
}

// TimestampToTime returns the time of day of a finite timestamp; an infinite one has none (SQL: NULL).
func TimestampToTime(us int64) (t int64, ok bool) {
	if infiniteTimestamp(us) {
		return 0, false
	}
	_, t = splitDays(us)
	return t, true
}

// TimestampTZToLocal returns what the clocks of a zone show at a moment: timestamptz to timestamp.
func TimestampTZToLocal(us int64, loc *time.Location) (int64, error) {
	if infiniteTimestamp(us) {
		return us, nil
	}
	us += int64(ZoneOffset(loc, us)) * microsPerSecond
	if !ValidTimestamp(us) {
		return 0, errTimestampOverflow()
	}
	return us, nil
}

// LocalToTimestampTZ returns the moment at which the clocks of a zone show a timestamp.
func LocalToTimestampTZ(us int64, loc *time.Location) (int64, error) {
	if infiniteTimestamp(us) {
		return us, nil
	}
	us -= int64(LocalOffset(loc, us)) * microsPerSecond
	if !ValidTimestamp(us) {
		return 0, errTimestampOverflow()
	}
	return us, nil
}

// addMonths moves a date by months, to the last day of the month if the day does not exist there.
func (c *Civil) addMonths(n int) {
	m := c.Month - 1 + n
	c.Year += int(floorDiv(int64(m), 12))
	c.Month = m - int(floorDiv(int64(m), 12))*12 + 1
	c.Day = min(c.Day, DaysInMonth(c.Year, c.Month))
}

func addMicros(us, d int64) (int64, error) {
	s := us + d
	if (s > us) != (d > 0) && d != 0 || !ValidTimestamp(s) {
		return 0, errTimestampOverflow()
	}
	return s, nil
}

// TimestampAddInterval returns timestamp + interval: months first, then days, then time.
func TimestampAddInterval(us int64, v Interval) (int64, error) {
	if infiniteTimestamp(us) {
		return us, nil
	}
	if v.Months != 0 {
		c := CivilFromMicros(us)
		c.addMonths(int(v.Months))
		var ok bool
		if us, ok = c.Micros(); !ok {
			return 0, errTimestampOverflow()
		}
	}
	if v.Days != 0 {
		var err error
		if us, err = addDays(us, int64(v.Days)); err != nil {
			return 0, err
		}
	}
	return addMicros(us, v.Micros)
}

func addDays(us, days int64) (int64, error) {
	d, t := splitDays(us)
	if d += days; d < minTimestamp/microsPerDay-1 || d > endTimestamp/microsPerDay {
		return 0, errTimestampOverflow()
	}
	if us = d*microsPerDay + t; !ValidTimestamp(us) {
		return 0, errTimestampOverflow()
	}
	return us, nil
}

// TimestampTZAddInterval returns timestamptz + interval: months and days by the calendar of a zone, then time.
func TimestampTZAddInterval(us int64, v Interval, loc *time.Location) (int64, error) {
	if infiniteTimestamp(us) {
		return us, nil
	}
	if v.Months != 0 || v.Days != 0 {
		local := us + int64(ZoneOffset(loc, us))*microsPerSecond
		if v.Months != 0 {
			c := CivilFromMicros(local)
			c.addMonths(int(v.Months))
			var ok bool
			if local, ok = c.Micros(); !ok {
				return 0, errTimestampOverflow()
			}
			us = local - int64(LocalOffset(loc, local))*microsPerSecond
			local = us + int64(ZoneOffset(loc, us))*microsPerSecond
		}
		if v.Days != 0 {
			var err error
			if local, err = addDays(local, int64(v.Days)); err != nil {
				return 0, err
			}
			us = local - int64(LocalOffset(loc, local))*microsPerSecond
		}
		if !ValidTimestamp(us) {
			return 0, errTimestampOverflow()
		}
	}
	return addMicros(us, v.Micros)
}

// TimestampSub returns the interval between two timestamps of either kind, in days and time.
func TimestampSub(a, b int64) (Interval, error) {
	if infiniteTimestamp(a) || infiniteTimestamp(b) {
		return Interval{}, failure.New(failure.DatetimeValueOutOfRange, "cannot subtract infinite timestamps")
	}
	d := a - b
	if (a >= b) != (d >= 0) {
		return Interval{}, errIntervalRange()
	}
	return JustifyHours(Interval{Micros: d})
}

// Age returns the interval between two timestamps in years, months, days and time.
func Age(a, b int64) (Interval, error) {
	if infiniteTimestamp(a) || infiniteTimestamp(b) {
		return Interval{}, errTimestampOverflow()
	}
	return civilAge(CivilFromMicros(a), CivilFromMicros(b), a < b), nil
}

// AgeTZ is Age for timestamptz, by the clocks of a zone.
func AgeTZ(a, b int64, loc *time.Location) (Interval, error) {
	if infiniteTimestamp(a) || infiniteTimestamp(b) {
		return Interval{}, errTimestampOverflow()
	}
	return civilAge(CivilInZone(loc, a), CivilInZone(loc, b), a < b), nil
}

func civilAge(a, b Civil, flip bool) Interval {
	sign := 1
	month := b // whose month's length is borrowed
	if flip {
		sign = -1
		month = a
	}
	micro, sec, minute := sign*(a.Micro-b.Micro), sign*(a.Sec-b.Sec), sign*(a.Min-b.Min)
	hour, day := sign*(a.Hour-b.Hour), sign*(a.Day-b.Day)
	mon, year := sign*(a.Month-b.Month), sign*(a.Year-b.Year)
	borrow := func(low, high *int, unit int) {
		for *low < 0 {
			*low += unit
			*high--
		}
	}
	borrow(&micro, &sec, microsPerSecond)
	borrow(&sec, &minute, 60)
	borrow(&minute, &hour, 60)
	borrow(&hour, &day, 24)
	borrow(&day, &mon, DaysInMonth(month.Year, month.Month))
	borrow(&mon, &year, 12)
	t := int64(hour)*microsPerHour + int64(minute)*microsPerMinute + int64(sec)*microsPerSecond + int64(micro)
	return Interval{Months: int32(sign * (year*12 + mon)), Days: int32(sign * day), Micros: int64(sign) * t}
}

func fits32(v int64) bool { return v == int64(int32(v)) }

// makeInterval narrows the fields of a result.
func makeInterval(months, days, micros int64) (Interval, error) {
	if !fits32(months) || !fits32(days) {
		return Interval{}, errIntervalRange()
	}
	return Interval{Months: int32(months), Days: int32(days), Micros: micros}, nil
}

func addChecked(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0) || b == 0
}

// IntervalAdd returns a + b.
func IntervalAdd(a, b Interval) (Interval, error) {
	us, ok := addChecked(a.Micros, b.Micros)
	if !ok {
		return Interval{}, errIntervalRange()
	}
	return makeInterval(int64(a.Months)+int64(b.Months), int64(a.Days)+int64(b.Days), us)
}

// IntervalNeg returns -v.
func IntervalNeg(v Interval) (Interval, error) {
	if v.Micros == math.MinInt64 {
		return Interval{}, errIntervalRange()
	}
	return makeInterval(-int64(v.Months), -int64(v.Days), -v.Micros)
}

// IntervalSub returns a - b.
func IntervalSub(a, b Interval) (Interval, error) {
	us := a.Micros - b.Micros
	if (us < a.Micros) != (b.Micros > 0) && b.Micros != 0 {
		return Interval{}, errIntervalRange()
	}
	return makeInterval(int64(a.Months)-int64(b.Months), int64(a.Days)-int64(b.Days), us)
}

// tsRound takes away the noise of floating point below a microsecond.
func tsRound(f float64) float64 { return math.RoundToEven(f*1e6) / 1e6 }

// IntervalMul returns v * f; fractions of months and days cascade down to days and time.
func IntervalMul(v Interval, f float64) (Interval, error) {
	return scaleInterval(float64(v.Months)*f, float64(v.Days)*f, float64(v.Micros)*f)
}

// IntervalDiv returns v / f.
func IntervalDiv(v Interval, f float64) (Interval, error) {
	if f == 0 {
		return Interval{}, errDivisionByZero()
	}
	return scaleInterval(float64(v.Months)/f, float64(v.Days)/f, float64(v.Micros)/f)
}

func scaleInterval(months, days, micros float64) (Interval, error) {
	const secsPerDay = 86400
	for _, f := range []float64{months, days} {
		if f != f || f > math.MaxInt32 || f < math.MinInt32 {
			return Interval{}, errIntervalRange()
		}
	}
	m, d := int64(months), int64(days)
	monthDays := tsRound((months - float64(m)) * daysPerMonth)
	secs := tsRound((days - float64(d) + monthDays - math.Trunc(monthDays)) * secsPerDay)
	if math.Abs(secs) >= secsPerDay {
		d += int64(secs / secsPerDay)
		secs -= math.Trunc(secs/secsPerDay) * secsPerDay
	}
	d += int64(monthDays)
	us := math.RoundToEven(micros + secs*microsPerSecond)
	if us != us || us >= 9223372036854775808.0 || us < -9223372036854775808.0 {
		return Interval{}, errIntervalRange()
	}
	return makeInterval(m, d, int64(us))
}

// JustifyHours turns 24 hours into days.
func JustifyHours(v Interval) (Interval, error) {
	days := int64(v.Days) + v.Micros/microsPerDay
	us := v.Micros % microsPerDay
	if days > 0 && us < 0 {
		us += microsPerDay
		days--
	} else if days < 0 && us > 0 {
		us -= microsPerDay
		days++
	}
	return makeInterval(int64(v.Months), days, us)
}

// JustifyDays turns 30 days into months.
func JustifyDays(v Interval) (Interval, error) {
	months, days := int64(v.Months)+int64(v.Days)/daysPerMonth, int64(v.Days)%daysPerMonth
	if months > 0 && days < 0 {
		days += daysPerMonth
		months--
	} else if months < 0 && days > 0 {
		days -= daysPerMonth
		months++
	}
	return makeInterval(months, days, v.Micros)
}

// JustifyInterval does both and gives all fields one sign.
func JustifyInterval(v Interval) (Interval, error) {
	months, days, us := int64(v.Months), int64(v.Days), v.Micros
	days += us / microsPerDay
	us %= microsPerDay
	months += days / daysPerMonth
	days %= daysPerMonth
	if months > 0 && (days < 0 || days == 0 && us < 0) {
		days += daysPerMonth
		months--
	} else if months < 0 && (days > 0 || days == 0 && us > 0) {
		days -= daysPerMonth
		months++
	}
	if days > 0 && us < 0 {
		us += microsPerDay
		days--
	} else if days < 0 && us > 0 {
		us -= microsPerDay
		days++
	}
	return makeInterval(months, days, us)
}

// TimeAddInterval returns time + interval; only the interval's time counts, and the result wraps at midnight.
func TimeAddInterval(us int64, v Interval) int64 {
	us = (us + v.Micros%microsPerDay) % microsPerDay
	if us < 0 {
		us += microsPerDay
	}
	return us
}

// MakeDate makes a date; a negative year is BC.
func MakeDate(year, month, day int) (int64, error) {
	y := year
	if year < 0 {
		y = year + 1
	}
	if year == 0 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(y, month) {
		return 0, failure.New(failure.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", y, month, day)
	}
	days := DaysFromCivil(y, month, day)
	if !validJulian(y, month) || !ValidDate(days) {
		return 0, failure.New(failure.DatetimeValueOutOfRange, "date out of range: %d-%02d-%02d", y, month, day)
	}
	return days, nil
}

// MakeTime makes a time of day.
func MakeTime(hour, minute int, sec float64) (int64, error) {
	bad := hour < 0 || minute < 0 || minute > 59 || sec < 0 || sec > 60 || sec != sec || hour > 24
	var us int64
	if !bad {
		us = int64(hour)*microsPerHour + int64(minute)*microsPerMinute + int64(math.RoundToEven(sec*microsPerSecond))
		bad = us > microsPerDay
	}
	if bad {
		return 0, failure.New(failure.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%s", hour, minute, secondsText(sec))
	}
	return us, nil
}

// secondsText prints as C's %02g.
func secondsText(f float64) string {
	s := string(appendFloat(nil, f, 64, 5-15))
	if len(s) < 2 {
		s = "0" + s
	}
	return s
}

// MakeTimestamp makes a timestamp without time zone.
func MakeTimestamp(year, month, day, hour, minute int, sec float64) (int64, error) {
	y := year
	if year < 0 {
		y = year + 1
	}
	if year == 0 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(y, month) {
		return 0, failure.New(failure.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", year, month, day)
	}
	out := failure.New(failure.DatetimeValueOutOfRange, "date out of range: %d-%02d-%02d", y, month, day)
	if !validJulian(y, month) {
		return 0, out
	}
	t, err := MakeTime(hour, minute, sec)
	if err != nil {
		return 0, err
	}
	days := DaysFromCivil(y, month, day)
	us := days*microsPerDay + t
	if days > 106_751_990 || !ValidTimestamp(us) {
		return 0, failure.New(failure.DatetimeValueOutOfRange, "timestamp out of range: %d-%02d-%02d %d:%02d:%s",
			year, month, day, hour, minute, secondsText(sec))
	}
	return us, nil
}

// MakeInterval makes an interval of its parts.
func MakeInterval(years, months, weeks, days, hours, mins int64, secs float64) (Interval, error) {
	if secs != secs || math.IsInf(secs, 0) {
		return Interval{}, errIntervalRange()
	}
	us := hours*microsPerHour + mins*microsPerMinute
	s := math.RoundToEven(secs * microsPerSecond)
	if s >= 9223372036854775808.0 || s < -9223372036854775808.0 {
		return Interval{}, errIntervalRange()
	}
	us, ok := addChecked(us, int64(s))
	if !ok {
		return Interval{}, errIntervalRange()
	}
	return makeInterval(years*monthsPerYear+months, weeks*7+days, us)
}

// DateBin cuts a timestamp to a stride counted from an origin.
func DateBin(stride Interval, us, origin int64) (int64, error) {
	switch {
	case infiniteTimestamp(us):
		return us, nil
	case infiniteTimestamp(origin):
		return 0, failure.New(failure.DatetimeValueOutOfRange, "origin out of range")
	case stride.Months != 0:
		return 0, failure.New(failure.FeatureNotSupported, "timestamps cannot be binned into intervals containing months or years")
	}
	if stride.Days > 0 && int64(stride.Days) > math.MaxInt64/microsPerDay {
		return 0, errIntervalRange()
	}
	step, ok := addChecked(int64(stride.Days)*microsPerDay, stride.Micros)
	if !ok {
		return 0, errIntervalRange()
	}
	if step <= 0 {
		return 0, failure.New(failure.DatetimeValueOutOfRange, "stride must be greater than zero")
	}
	diff := us - origin
	if (us >= origin) != (diff >= 0) {
		return 0, errIntervalRange()
	}
	part := diff % step
	result := origin + diff - part
	if part < 0 {
		if result -= step; !ValidTimestamp(result) {
			return 0, errTimestampOverflow()
		}
	}
	return result, nil
}

// Zone is what the first argument of timezone() and AT TIME ZONE stands for.
type Zone struct {
	loc    *time.Location
	abbrev *zoneAbbrev
}

// FindZone looks a zone up as AT TIME ZONE does: abbreviations before names.
func FindZone(name string) (Zone, error) {
	if a := findAbbrev(lowerText(name)); a != nil {
		if a.zone == "" {
			return Zone{loc: time.FixedZone(name, a.offset)}, nil
		}
		loc, ok := LoadZone(a.zone)
		if !ok {
			return Zone{}, errZone(name)
		}
		return Zone{loc: loc, abbrev: a}, nil
	}
	loc, ok := LoadZone(name)
	if !ok {
		return Zone{}, errZone(name)
	}
	return Zone{loc: loc}, nil
}

func lowerText(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = lower(b[i])
	}
	return string(b)
}

// IntervalZone makes a zone of an offset east of Greenwich.
func IntervalZone(v Interval) (Zone, error) {
	if v.Months != 0 || v.Days != 0 {
		return Zone{}, failure.New(failure.InvalidParameterValue, "interval time zone \"%s\" must not include months or days",
			AppendInterval(nil, v, IntervalPostgres))
	}
	return Zone{loc: time.FixedZone("", int(v.Micros/microsPerSecond))}, nil
}

// Local is timestamptz AT TIME ZONE z.
func (z Zone) Local(us int64) (int64, error) {
	if z.abbrev == nil || infiniteTimestamp(us) {
		return TimestampTZToLocal(us, z.loc)
	}
	off, _ := abbrevOffset(z.abbrev.name, z.loc, floorDiv(us, microsPerSecond)+epochUnix)
	if us += int64(off) * microsPerSecond; !ValidTimestamp(us) {
		return 0, errTimestampOverflow()
	}
	return us, nil
}

// Instant is timestamp AT TIME ZONE z.
func (z Zone) Instant(us int64) (int64, error) {
	if z.abbrev == nil || infiniteTimestamp(us) {
		return LocalToTimestampTZ(us, z.loc)
	}
	p := dtParser{abbrev: z.abbrev}
	if us -= int64(p.abbrevAt(us)) * microsPerSecond; !ValidTimestamp(us) {
		return 0, errTimestampOverflow()
	}
	return us, nil
}

// OffsetAt returns the zone's offset in seconds east of Greenwich at a moment, for timetz AT TIME ZONE z.
func (z Zone) OffsetAt(us int64) int {
	if z.abbrev == nil {
		return ZoneOffset(z.loc, us)
	}
	off, _ := abbrevOffset(z.abbrev.name, z.loc, floorDiv(us, microsPerSecond)+epochUnix)
	return off
}

// TimeTZInZone moves a timetz to an offset (seconds east), keeping the moment.
func TimeTZInZone(t TimeTZ, east int) TimeTZ {
	us := t.Micros + (int64(t.ZoneOffset)+int64(east))*microsPerSecond
	us %= microsPerDay
	if us < 0 {
		us += microsPerDay
	}
	return TimeTZ{Micros: us, ZoneOffset: int32(-east)}
}
