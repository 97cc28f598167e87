package builtin

import (
	"cmp"
	"time"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

const (
	microsPerSecond = int64(1_000_000)
	microsPerDay    = 86400 * microsPerSecond
)

// registerDateCast registers casts and comparisons between dates and times, and the integer arithmetic of dates.
func registerDateCast(r *registry) {
	r.dateCasts()
	r.timeCasts()
	r.dateInts()
	r.crossComparisons()
}

// location returns the session's time zone.
func (c *Context) location() *time.Location {
	if c.Env == nil || c.Env.Location == nil {
		return time.UTC
	}
	return c.Env.Location
}

func infinite(us int64) bool {
	return us == datum.TimestampInfinity || us == datum.TimestampNegInfinity
}

func timestampOutOfRange() error {
	return failure.New(failure.DatetimeValueOutOfRange, "timestamp out of range")
}

// dateToTimestamp returns midnight of a date; infinities stay.
func dateToTimestamp(days int64) (int64, error) {
	switch days {
	case datum.DateInfinity:
		return datum.TimestampInfinity, nil
	case datum.DateNegInfinity:
		return datum.TimestampNegInfinity, nil
	}
	if days >= 106751983 { // the first day after the last timestamp
		return 0, failure.New(failure.DatetimeValueOutOfRange, "date out of range for timestamp")
	}
	return days * microsPerDay, nil
}

// toUTC takes a local time in a zone to UTC.
func toUTC(loc *time.Location, local int64) (int64, error) {
	if infinite(local) {
		return local, nil
	}
	us := local - int64(datum.LocalOffset(loc, local))*microsPerSecond
	if !datum.ValidTimestamp(us) {
		return 0, timestampOutOfRange()
	}
	return us, nil
}

// toLocal takes UTC to the local time in a zone.
func toLocal(loc *time.Location, us int64) (int64, error) {
	if infinite(us) {
		return us, nil
	}
	local := us + int64(datum.ZoneOffset(loc, us))*microsPerSecond
	if !datum.ValidTimestamp(local) {
		return 0, timestampOutOfRange()
	}
	return local, nil
}

// splitDay cuts a timestamp into days and the time of day.
func splitDay(us int64) (days, rest int64) {
	days = us / microsPerDay
	if rest = us % microsPerDay; rest < 0 {
		days, rest = days-1, rest+microsPerDay
	}
	return days, rest
}

func timestampToDate(us int64) datum.Datum {
	switch us {
	case datum.TimestampInfinity:
		return datum.NewDate(datum.DateInfinity)
	case datum.TimestampNegInfinity:
		return datum.NewDate(datum.DateNegInfinity)
	}
	days, _ := splitDay(us)
	return datum.NewDate(days)
}

func (r *registry) dateCasts() {
	r.impl["date_timestamp"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := dateToTimestamp(a[0].Int())
		return datum.NewTimestamp(us), err
	}
	r.impl["date_timestamptz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := dateToTimestamp(a[0].Int())
		if err != nil {
			return datum.Null, err
		}
		us, err = toUTC(c.location(), us)
		return datum.NewTimestampTZ(us), err
	}
	r.impl["timestamp_date"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return timestampToDate(a[0].Int()), nil
	}
	r.impl["timestamptz_date"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := toLocal(c.location(), a[0].Int())
		return timestampToDate(us), err
	}
	r.impl["timestamp_timestamptz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := toUTC(c.location(), a[0].Int())
		return datum.NewTimestampTZ(us), err
	}
	r.impl["timestamptz_timestamp"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := toLocal(c.location(), a[0].Int())
		return datum.NewTimestamp(us), err
	}
	atTime := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := dateToTimestamp(a[0].Int())
		if err != nil {
			return datum.Null, err
		}
		if !infinite(us) {
			if us += a[1].Int(); !datum.ValidTimestamp(us) {
				return datum.Null, timestampOutOfRange()
			}
		}
		return datum.NewTimestamp(us), nil
	}
	r.impl["datetime_timestamp"] = atTime
	r.impl["timedate_pl(time,date)"] = swapped(atTime)
	r.impl["timestamptz(date,time)"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		d, err := atTime(c, a)
		if err != nil {
			return datum.Null, err
		}
		us, err := toUTC(c.location(), d.Int())
		return datum.NewTimestampTZ(us), err
	}
	atTimeTZ := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := dateToTimestamp(a[0].Int())
		if err != nil {
			return datum.Null, err
		}
		if !infinite(us) {
			t := a[1].TimeTZ()
			if us += t.Micros + int64(t.ZoneOffset)*microsPerSecond; !datum.ValidTimestamp(us) {
				return datum.Null, timestampOutOfRange()
			}
		}
		return datum.NewTimestampTZ(us), nil
	}
	r.impl["datetimetz_timestamptz"] = atTimeTZ
	r.impl["timetzdate_pl(timetz,date)"] = swapped(atTimeTZ)
}

// swapped exchanges the two arguments of a function.
func swapped(f Impl) Impl {
	return func(c *Context, a []datum.Datum) (datum.Datum, error) { return f(c, []datum.Datum{a[1], a[0]}) }
}

func (r *registry) timeCasts() {
	r.impl["timestamp_time"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if infinite(a[0].Int()) {
			return datum.Null, nil
		}
		_, t := splitDay(a[0].Int())
		return datum.NewTime(t), nil
	}
	r.impl["timestamptz_time"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if infinite(a[0].Int()) {
			return datum.Null, nil
		}
		us, err := toLocal(c.location(), a[0].Int())
		_, t := splitDay(us)
		return datum.NewTime(t), err
	}
	r.impl["timestamptz_timetz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if infinite(a[0].Int()) {
			return datum.Null, nil
		}
		offset := datum.ZoneOffset(c.location(), a[0].Int())
		_, t := splitDay(a[0].Int() + int64(offset)*microsPerSecond)
		return datum.NewTimeTZ(datum.TimeTZ{Micros: t, ZoneOffset: int32(-offset)}), nil
	}
	r.impl["timetz_time"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewTime(a[0].TimeTZ().Micros), nil
	}
	r.impl["time_timetz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		// The zone's offset today, as PostgreSQL takes the current date.
		loc := c.location()
		now, err := toLocal(loc, c.TransactionTime)
		if err != nil {
			return datum.Null, err
		}
		days, _ := splitDay(now)
		offset := datum.LocalOffset(loc, days*microsPerDay+a[0].Int())
		return datum.NewTimeTZ(datum.TimeTZ{Micros: a[0].Int(), ZoneOffset: int32(-offset)}), nil
	}
	r.impl["time_interval"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInterval(datum.Interval{Micros: a[0].Int()}), nil
	}
	r.impl["interval_time"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		_, t := splitDay(a[0].Interval().Micros)
		return datum.NewTime(t), nil
	}
}

func dateOutOfRange() error { return failure.New(failure.DatetimeValueOutOfRange, "date out of range") }

func infiniteDate(days int64) bool {
	return days == datum.DateInfinity || days == datum.DateNegInfinity
}

func addDays(days, n int64) (datum.Datum, error) {
	if infiniteDate(days) {
		return datum.NewDate(days), nil
	}
	if !datum.ValidDate(days + n) {
		return datum.Null, dateOutOfRange()
	}
	return datum.NewDate(days + n), nil
}

func (r *registry) dateInts() {
	r.impl["date_pli"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return addDays(a[0].Int(), a[1].Int()) }
	r.impl["integer_pl_date(int4,date)"] = swapped(r.impl["date_pli"])
	r.impl["date_mii"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return addDays(a[0].Int(), -a[1].Int()) }
	r.impl["date_mi"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if infiniteDate(a[0].Int()) || infiniteDate(a[1].Int()) {
			return datum.Null, failure.New(failure.DatetimeValueOutOfRange, "cannot subtract infinite dates")
		}
		return datum.NewInt(a[0].Int() - a[1].Int()), nil
	}
	r.impl["date_finite"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(!infiniteDate(a[0].Int())), nil
	}
	r.impl["timestamp_finite"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(!infinite(a[0].Int())), nil
	}
	r.impl["interval_finite"] = func(*Context, []datum.Datum) (datum.Datum, error) { return datum.NewBool(true), nil }
}

// crossComparisons registers comparisons between date, timestamp and timestamptz: both sides become moments, a date
// beyond all timestamps staying above or below them.
func (r *registry) crossComparisons() {
	date := func(c *Context, d datum.Datum) int64 {
		us, err := dateToTimestamp(d.Int())
		if err != nil {
			return datum.TimestampInfinity - 1
		}
		return us
	}
	raw := func(_ *Context, d datum.Datum) int64 { return d.Int() }
	utc := func(local func(*Context, datum.Datum) int64) func(*Context, datum.Datum) int64 {
		return func(c *Context, d datum.Datum) int64 {
			us := local(c, d)
			if infinite(us) || us == datum.TimestampInfinity-1 {
				return us
			}
			return us - int64(datum.LocalOffset(c.location(), us))*microsPerSecond
		}
	}
	for _, p := range []struct {
		prefix, suffix string
		left, right    func(*Context, datum.Datum) int64
	}{
		{"date_", "_timestamp", date, raw},
		{"timestamp_", "_date", raw, date},
		{"date_", "_timestamptz", utc(date), raw},
		{"timestamptz_", "_date", raw, utc(date)},
		{"timestamp_", "_timestamptz", utc(raw), raw},
		{"timestamptz_", "_timestamp", raw, utc(raw)},
	} {
		compare := func(c *Context, a []datum.Datum) int { return cmp.Compare(p.left(c, a[0]), p.right(c, a[1])) }
		for op, test := range map[string]func(int) bool{
			"eq": func(n int) bool { return n == 0 }, "ne": func(n int) bool { return n != 0 },
			"lt": func(n int) bool { return n < 0 }, "le": func(n int) bool { return n <= 0 },
			"gt": func(n int) bool { return n > 0 }, "ge": func(n int) bool { return n >= 0 },
		} {
			r.impl[p.prefix+op+p.suffix] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
				return datum.NewBool(test(compare(c, a))), nil
			}
		}
		r.impl[p.prefix+"cmp"+p.suffix] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewInt(int64(compare(c, a))), nil
		}
	}
}
