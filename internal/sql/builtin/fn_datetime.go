package builtin

import (
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerDatetime registers the arithmetic of dates, times and intervals, whose work is package datum's.
func registerDatetime(r *registry) {
	r.timestampArithmetic()
	r.intervalArithmetic()
	r.timeArithmetic()
	r.datetimeParts()
	r.datetimeMake()
	r.zones()
	r.timestampSeries()
	r.sleeps()
}

func negated(v datum.Interval) (datum.Interval, error) { return datum.IntervalNeg(v) }

func (r *registry) timestampArithmetic() {
	plus := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestamp(datum.TimestampAddInterval(a[0].Int(), a[1].Interval()))
	}
	plusTZ := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestampTZ(datum.TimestampTZAddInterval(a[0].Int(), a[1].Interval(), c.location()))
	}
	datePlus := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := datum.DateToTimestamp(a[0].Int())
		if err != nil {
			return datum.Null, err
		}
		return plus(c, []datum.Datum{datum.NewTimestamp(us), a[1]})
	}
	minus := func(f Impl) Impl {
		return func(c *Context, a []datum.Datum) (datum.Datum, error) {
			v, err := negated(a[1].Interval())
			if err != nil {
				return datum.Null, err
			}
			return f(c, []datum.Datum{a[0], datum.NewInterval(v)})
		}
	}
	r.impl["timestamp_pl_interval"], r.impl["timestamp_mi_interval"] = plus, minus(plus)
	r.impl["timestamptz_pl_interval"], r.impl["timestamptz_mi_interval"] = plusTZ, minus(plusTZ)
	r.impl["date_pl_interval"], r.impl["date_mi_interval"] = datePlus, minus(datePlus)
	r.impl["interval_pl_timestamp(interval,timestamp)"] = swapped(plus)
	r.impl["interval_pl_timestamptz(interval,timestamptz)"] = swapped(plusTZ)
	r.impl["interval_pl_date(interval,date)"] = swapped(datePlus)
	r.impl["timestamp_mi"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newInterval(datum.TimestampSub(a[0].Int(), a[1].Int()))
	}
	age := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newInterval(datum.Age(a[0].Int(), a[1].Int()))
	}
	ageTZ := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		return newInterval(datum.AgeTZ(a[0].Int(), a[1].Int(), c.location()))
	}
	r.impl["timestamp_age"], r.impl["timestamptz_age"] = age, ageTZ
	r.impl["age(timestamp)"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		today, err := c.today()
		if err != nil {
			return datum.Null, err
		}
		return age(c, []datum.Datum{datum.NewTimestamp(today * microsPerDay), a[0]})
	}
	r.impl["age(timestamptz)"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		today, err := c.today()
		if err != nil {
			return datum.Null, err
		}
		us, err := datum.DateToTimestampTZ(today, c.location())
		if err != nil {
			return datum.Null, err
		}
		return ageTZ(c, []datum.Datum{datum.NewTimestampTZ(us), a[0]})
	}
	r.impl["timestamp_bin"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestamp(datum.DateBin(a[0].Interval(), a[1].Int(), a[2].Int()))
	}
	r.impl["timestamptz_bin"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestampTZ(datum.DateBin(a[0].Interval(), a[1].Int(), a[2].Int()))
	}
}

func (r *registry) intervalArithmetic() {
	two := func(name string, f func(a, b datum.Interval) (datum.Interval, error)) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return newInterval(f(a[0].Interval(), a[1].Interval()))
		}
	}
	one := func(name string, f func(v datum.Interval) (datum.Interval, error)) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return newInterval(f(a[0].Interval()))
		}
	}
	two("interval_pl", datum.IntervalAdd)
	two("interval_mi", datum.IntervalSub)
	one("interval_um", datum.IntervalNeg)
	one("interval_justify_hours", datum.JustifyHours)
	one("interval_justify_days", datum.JustifyDays)
	one("interval_justify_interval", datum.JustifyInterval)
	r.impl["interval_mul"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newInterval(datum.IntervalMul(a[0].Interval(), a[1].Float()))
	}
	r.impl["mul_d_interval"] = swapped(r.impl["interval_mul"])
	r.impl["interval_div"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newInterval(datum.IntervalDiv(a[0].Interval(), a[1].Float()))
	}
	r.simpleAgg("sum(interval)", func() AggState { return &intervalSum{} })
	r.simpleAgg("avg(interval)", func() AggState { return &intervalSum{avg: true} })
}

// lerpInterval is a + f·(b − a).
func lerpInterval(a, b datum.Datum, f float64) (datum.Datum, error) {
	d, err := datum.IntervalSub(b.Interval(), a.Interval())
	if err != nil {
		return datum.Null, err
	}
	if d, err = datum.IntervalMul(d, f); err != nil {
		return datum.Null, err
	}
	return newInterval(datum.IntervalAdd(a.Interval(), d))
}

// intervalSum is sum(interval) and avg(interval).
type intervalSum struct {
	sum datum.Interval
	n   int64
	avg bool
}

// Add implements AggState.
func (s *intervalSum) Add(_ *Context, args []datum.Datum) error {
	if args[0].IsNull() {
		return nil
	}
	sum, err := datum.IntervalAdd(s.sum, args[0].Interval())
	if err != nil {
		return err
	}
	s.sum, s.n = sum, s.n+1
	return nil
}

// Merge implements Merger.
func (s *intervalSum) Merge(_ *Context, other AggState) error {
	o := other.(*intervalSum)
	sum, err := datum.IntervalAdd(s.sum, o.sum)
	if err != nil {
		return err
	}
	s.sum, s.n = sum, s.n+o.n
	return nil
}

// Result implements AggState.
func (s *intervalSum) Result(*Context, []datum.Datum) (datum.Datum, error) {
	switch {
	case s.n == 0:
		return datum.Null, nil
	case s.avg:
		return newInterval(datum.IntervalDiv(s.sum, float64(s.n)))
	}
	return datum.NewInterval(s.sum), nil
}

// Size implements AggState.
func (s *intervalSum) Size() int { return 48 }

func (r *registry) timeArithmetic() {
	timePlus := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewTime(datum.TimeAddInterval(a[0].Int(), a[1].Interval())), nil
	}
	tzPlus := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		t := a[0].TimeTZ()
		t.Micros = datum.TimeAddInterval(t.Micros, a[1].Interval())
		return datum.NewTimeTZ(t), nil
	}
	minus := func(f Impl) Impl {
		return func(c *Context, a []datum.Datum) (datum.Datum, error) {
			return f(c, []datum.Datum{a[0], datum.NewInterval(datum.Interval{Micros: -a[1].Interval().Micros})})
		}
	}
	r.impl["time_pl_interval"], r.impl["time_mi_interval"] = timePlus, minus(timePlus)
	r.impl["timetz_pl_interval"], r.impl["timetz_mi_interval"] = tzPlus, minus(tzPlus)
	r.impl["interval_pl_time(interval,time)"] = swapped(timePlus)
	r.impl["interval_pl_timetz(interval,timetz)"] = swapped(tzPlus)
	r.impl["time_mi_time"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInterval(datum.Interval{Micros: a[0].Int() - a[1].Int()}), nil
	}
	r.overlaps()
}

// overlaps registers the functions behind the OVERLAPS operator; a pair's second member may be a length.
func (r *registry) overlaps() {
	for _, name := range []string{"overlaps_time", "overlaps_timetz", "overlaps_timestamp"} {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return overlaps(a[0], a[1], a[2], a[3]), nil
		}
	}
	for typ, plus := range map[string]Impl{
		"time": r.impl["time_pl_interval"], "timestamp": r.impl["timestamp_pl_interval"],
		"timestamptz": r.impl["timestamptz_pl_interval"],
	} {
		end := func(c *Context, start, length datum.Datum) (datum.Datum, error) {
			if start.IsNull() || length.IsNull() {
				return datum.Null, nil
			}
			return plus(c, []datum.Datum{start, length})
		}
		for key, lengths := range map[string][2]bool{
			"overlaps(" + typ + ",interval," + typ + ",interval)":    {true, true},
			"overlaps(" + typ + "," + typ + "," + typ + ",interval)": {false, true},
			"overlaps(" + typ + ",interval," + typ + "," + typ + ")": {true, false},
		} {
			r.impl[key] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
				e1, e2 := a[1], a[3]
				var err error
				if lengths[0] {
					if e1, err = end(c, a[0], a[1]); err != nil {
						return datum.Null, err
					}
				}
				if lengths[1] {
					if e2, err = end(c, a[2], a[3]); err != nil {
						return datum.Null, err
					}
				}
				return overlaps(a[0], e1, a[2], e2), nil
			}
		}
	}
}

// overlaps says whether two spans share a moment; unknown ends make it NULL where they matter.
func overlaps(s1, e1, s2, e2 datum.Datum) datum.Datum {
	order := func(s, e datum.Datum) (datum.Datum, datum.Datum, bool) {
		switch {
		case s.IsNull():
			return e, datum.Null, !e.IsNull()
		case !e.IsNull() && datum.Compare(s, e) > 0:
			return e, s, true
		}
		return s, e, true
	}
	s1, e1, ok1 := order(s1, e1)
	s2, e2, ok2 := order(s2, e2)
	if !ok1 || !ok2 {
		return datum.Null
	}
	c := datum.Compare(s1, s2)
	if c == 0 {
		if e1.IsNull() || e2.IsNull() {
			return datum.Null
		}
		return datum.NewBool(true)
	}
	if c < 0 { // let the first be the one that starts later
		s1, e1, e2 = s2, e2, e1
	}
	switch {
	case e2.IsNull():
		return datum.Null
	case datum.Compare(s1, e2) < 0:
		return datum.NewBool(true)
	case e1.IsNull():
		return datum.Null
	}
	return datum.NewBool(false)
}

func (r *registry) datetimeParts() {
	part := func(suffix string, f func(c *Context, unit string, d datum.Datum) (*apd.Decimal, error)) {
		r.impl["extract_"+suffix] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
			v, err := f(c, a[0].Text(), a[1])
			if err != nil || v == nil {
				return datum.Null, err
			}
			return datum.NewNumeric(v), nil
		}
		name, byPart := suffix+"_part", f
		if suffix == "date" {
			name = "date_part(text,date)"
			byPart = func(_ *Context, unit string, d datum.Datum) (*apd.Decimal, error) {
				us, err := datum.DateToTimestamp(d.Int())
				if err != nil {
					return nil, err
				}
				return datum.ExtractTimestamp(unit, us)
			}
		}
		r.impl[name] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
			v, err := byPart(c, a[0].Text(), a[1])
			if err != nil || v == nil {
				return datum.Null, err
			}
			x, err := datum.NumericToFloat(v, 64)
			return datum.NewFloat(x), err
		}
	}
	part("date", func(_ *Context, u string, d datum.Datum) (*apd.Decimal, error) { return datum.ExtractDate(u, d.Int()) })
	part("time", func(_ *Context, u string, d datum.Datum) (*apd.Decimal, error) { return datum.ExtractTime(u, d.Int()) })
	part("timetz", func(_ *Context, u string, d datum.Datum) (*apd.Decimal, error) {
		return datum.ExtractTimeTZ(u, d.TimeTZ())
	})
	part("timestamp", func(_ *Context, u string, d datum.Datum) (*apd.Decimal, error) {
		return datum.ExtractTimestamp(u, d.Int())
	})
	part("timestamptz", func(c *Context, u string, d datum.Datum) (*apd.Decimal, error) {
		return datum.ExtractTimestampTZ(u, d.Int(), c.location())
	})
	part("interval", func(_ *Context, u string, d datum.Datum) (*apd.Decimal, error) {
		return datum.ExtractInterval(u, d.Interval())
	})
	r.impl["timestamp_trunc"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestamp(datum.TruncTimestamp(a[0].Text(), a[1].Int()))
	}
	r.impl["timestamptz_trunc"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		return newTimestampTZ(datum.TruncTimestampTZ(a[0].Text(), a[1].Int(), c.location()))
	}
	r.impl["timestamptz_trunc_zone"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		loc, ok := datum.LoadZone(a[2].Text())
		if !ok {
			return datum.Null, failure.New(failure.InvalidParameterValue, `time zone "%s" not recognized`, a[2].Text())
		}
		return newTimestampTZ(datum.TruncTimestampTZ(a[0].Text(), a[1].Int(), loc))
	}
	r.impl["interval_trunc"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newInterval(datum.TruncInterval(a[0].Text(), a[1].Interval()))
	}
}

func (r *registry) datetimeMake() {
	r.impl["make_date"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		d, err := datum.MakeDate(int(a[0].Int()), int(a[1].Int()), int(a[2].Int()))
		return datum.NewDate(d), err
	}
	r.impl["make_time"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		t, err := datum.MakeTime(int(a[0].Int()), int(a[1].Int()), a[2].Float())
		return datum.NewTime(t), err
	}
	local := func(a []datum.Datum) (int64, error) {
		return datum.MakeTimestamp(int(a[0].Int()), int(a[1].Int()), int(a[2].Int()), int(a[3].Int()), int(a[4].Int()),
			a[5].Float())
	}
	r.impl["make_timestamp"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return newTimestamp(local(a)) }
	r.impl["make_timestamptz"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := local(a)
		if err != nil {
			return datum.Null, err
		}
		return newTimestampTZ(datum.LocalToTimestampTZ(us, c.location()))
	}
	r.impl["make_timestamptz_at_timezone"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		us, err := local(a)
		if err != nil {
			return datum.Null, err
		}
		z, err := datum.FindZone(a[6].Text())
		if err != nil {
			return datum.Null, err
		}
		return newTimestampTZ(z.Instant(us))
	}
	r.impl["make_interval"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return newInterval(datum.MakeInterval(a[0].Int(), a[1].Int(), a[2].Int(), a[3].Int(), a[4].Int(), a[5].Int(),
			a[6].Float()))
	}
	r.impl["float8_timestamptz"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x := a[0].Float()
		switch {
		case x != x:
			return datum.Null, failure.New(failure.DatetimeValueOutOfRange, "timestamp cannot be NaN")
		case math.IsInf(x, 1):
			return datum.NewTimestampTZ(datum.TimestampInfinity), nil
		case math.IsInf(x, -1):
			return datum.NewTimestampTZ(datum.TimestampNegInfinity), nil
		}
		us := math.RoundToEven((x - 946684800) * 1e6)
		if us < -2.2e17 || us > 9.3e18 || !datum.ValidTimestamp(int64(us)) {
			return datum.Null, failure.New(failure.DatetimeValueOutOfRange, `timestamp out of range: "%s"`, formatG(x))
		}
		return datum.NewTimestampTZ(int64(us)), nil
	}
}

func (r *registry) zones() {
	byName := func(d datum.Datum) (datum.Zone, error) { return datum.FindZone(d.Text()) }
	byInterval := func(d datum.Datum) (datum.Zone, error) { return datum.IntervalZone(d.Interval()) }
	for suffix, find := range map[string]func(datum.Datum) (datum.Zone, error){"_zone": byName, "_izone": byInterval} {
		r.impl["timestamptz"+suffix] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			if infinite(a[1].Int()) {
				return datum.NewTimestamp(a[1].Int()), nil
			}
			z, err := find(a[0])
			if err != nil {
				return datum.Null, err
			}
			return newTimestamp(z.Local(a[1].Int()))
		}
		r.impl["timestamp"+suffix] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			if infinite(a[1].Int()) {
				return datum.NewTimestampTZ(a[1].Int()), nil
			}
			z, err := find(a[0])
			if err != nil {
				return datum.Null, err
			}
			return newTimestampTZ(z.Instant(a[1].Int()))
		}
		r.impl["timetz"+suffix] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
			z, err := find(a[0])
			if err != nil {
				return datum.Null, err
			}
			return datum.NewTimeTZ(datum.TimeTZInZone(a[1].TimeTZ(), z.OffsetAt(c.TransactionTime))), nil
		}
	}
}

// timestampRows is generate_series of timestamps.
type timestampRows struct {
	next, stop int64
	back       bool
	step       func(c *Context, us int64) (int64, error)
	make       func(us int64) datum.Datum
	row        [1]datum.Datum
}

// Next implements RowIter.
func (s *timestampRows) Next(c *Context) ([]datum.Datum, error) {
	if !s.back && s.next > s.stop || s.back && s.next < s.stop {
		return nil, nil
	}
	s.row[0] = s.make(s.next)
	next, err := s.step(c, s.next)
	if err != nil {
		return nil, err
	}
	s.next = next
	return s.row[:], nil
}

func (r *registry) timestampSeries() {
	start := func(a []datum.Datum) (*timestampRows, error) {
		sign := datum.CompareInterval(a[2].Interval(), datum.Interval{})
		if sign == 0 {
			return nil, zeroStep()
		}
		return &timestampRows{next: a[0].Int(), stop: a[1].Int(), back: sign < 0}, nil
	}
	r.set["generate_series_timestamp"] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		s, err := start(a)
		if err != nil {
			return nil, err
		}
		by := a[2].Interval()
		s.make = datum.NewTimestamp
		s.step = func(_ *Context, us int64) (int64, error) { return datum.TimestampAddInterval(us, by) }
		return s, nil
	}
	r.set["generate_series_timestamptz"] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		s, err := start(a)
		if err != nil {
			return nil, err
		}
		by := a[2].Interval()
		s.make = datum.NewTimestampTZ
		s.step = func(c *Context, us int64) (int64, error) { return datum.TimestampTZAddInterval(us, by, c.location()) }
		return s, nil
	}
}

func (r *registry) sleeps() {
	r.impl["pg_sleep_for(interval)"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		s, err := c.session("pg_sleep_for")
		if err != nil {
			return datum.Null, err
		}
		now := s.Now()
		end, err := datum.TimestampTZAddInterval(now, a[0].Interval(), c.location())
		if err != nil {
			return datum.Null, err
		}
		return voidResult(c.sleep(float64(end - now)))
	}
}
