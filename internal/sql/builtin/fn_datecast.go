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

func infiniteDate(days int64) bool {
	return days == datum.DateInfinity || days == datum.DateNegInfinity
}

func timestampOutOfRange() error {
	return failure.New(failure.DatetimeValueOutOfRange, "timestamp out of range")
}

func newTimestamp(us int64, err error) (datum.Datum, error) { return datum.NewTimestamp(us), err }

func newTimestampTZ(us int64, err error) (datum.Datum, error) { return datum.NewTimestampTZ(us), err }

func newInterval(v datum.Interval, err error) (datum.Datum, error) {
	if err != nil {
		return datum.Null, err
	}
	return datum.NewInterval(v), nil
}

func (r *registry) dateCasts() {
	r.impl["date_timestamp"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestamp(datum.DateToTimestamp(a[0].Int()))
	}
	r.impl["date_timestamptz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestampTZ(datum.DateToTimestampTZ(a[0].Int(), c.location()))
	}
	r.impl["timestamp_date"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewDate(datum.TimestampToDate(a[0].Int())), nil
	}
	r.impl["timestamptz_date"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := datum.TimestampTZToLocal(a[0].Int(), c.location())
		return datum.NewDate(datum.TimestampToDate(us)), err
	}
	r.impl["timestamp_timestamptz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestampTZ(datum.LocalToTimestampTZ(a[0].Int(), c.location()))
	}
	r.impl["timestamptz_timestamp"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestamp(datum.TimestampTZToLocal(a[0].Int(), c.location()))
	}
	atTime := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := datum.DateToTimestamp(a[0].Int())
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
		return newTimestampTZ(datum.LocalToTimestampTZ(d.Int(), c.location()))
	}
	atTimeTZ := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := datum.DateToTimestamp(a[0].Int())
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
	timeOf := func(us int64) datum.Datum {
		t, ok := datum.TimestampToTime(us)
		if !ok {
			return datum.Null
		}
		return datum.NewTime(t)
	}
	r.impl["timestamp_time"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return timeOf(a[0].Int()), nil }
	r.impl["timestamptz_time"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := datum.TimestampTZToLocal(a[0].Int(), c.location())
		return timeOf(us), err
	}
	r.impl["timestamptz_timetz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		offset := datum.ZoneOffset(c.location(), a[0].Int())
		t, ok := datum.TimestampToTime(a[0].Int())
		if !ok {
			return datum.Null, nil
		}
		t = (t + int64(offset)*microsPerSecond + microsPerDay) % microsPerDay
		return datum.NewTimeTZ(datum.TimeTZ{Micros: t, ZoneOffset: int32(-offset)}), nil
	}
	r.impl["timetz_time"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewTime(a[0].TimeTZ().Micros), nil
	}
	r.impl["time_timetz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		// The zone's offset today, as PostgreSQL takes the current date.
		today, err := c.today()
		if err != nil {
			return datum.Null, err
		}
		offset := datum.LocalOffset(c.location(), today*microsPerDay+a[0].Int())
		return datum.NewTimeTZ(datum.TimeTZ{Micros: a[0].Int(), ZoneOffset: int32(-offset)}), nil
	}
	r.impl["time_interval"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInterval(datum.Interval{Micros: a[0].Int()}), nil
	}
	r.impl["interval_time"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		t := a[0].Interval().Micros % microsPerDay
		if t < 0 {
			t += microsPerDay
		}
		return datum.NewTime(t), nil
	}
}

// today is current_date.
func (c *Context) today() (int64, error) {
	now, err := datum.TimestampTZToLocal(c.TransactionTime, c.location())
	return datum.TimestampToDate(now), err
}

func (r *registry) dateInts() {
	add := func(sign int64) Impl {
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			d, err := datum.DateAddDays(a[0].Int(), sign*a[1].Int())
			return datum.NewDate(d), err
		}
	}
	r.impl["date_pli"], r.impl["date_mii"] = add(1), add(-1)
	r.impl["integer_pl_date(int4,date)"] = swapped(add(1))
	r.impl["date_mi"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		n, err := datum.DateSub(a[0].Int(), a[1].Int())
		return datum.NewInt(n), err
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
// beyond all timestamps staying above them.
func (r *registry) crossComparisons() {
	const beyond = datum.TimestampInfinity - 1
	date := func(_ *Context, d datum.Datum) int64 {
		us, err := datum.DateToTimestamp(d.Int())
		if err != nil {
			return beyond
		}
		return us
	}
	raw := func(_ *Context, d datum.Datum) int64 { return d.Int() }
	utc := func(local func(*Context, datum.Datum) int64) func(*Context, datum.Datum) int64 {
		return func(c *Context, d datum.Datum) int64 {
			us := local(c, d)
			if infinite(us) || us == beyond {
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
