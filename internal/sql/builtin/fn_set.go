package builtin

import (
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerSet registers set-returning functions over numbers, arrays and texts.
func registerSet(r *registry) {
	for _, name := range []string{"int4", "int8"} {
		r.set["generate_series_"+name] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
			return &intSeries{next: a[0].Int(), stop: a[1].Int(), step: 1}, nil
		}
		r.set["generate_series_step_"+name] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
			if a[2].Int() == 0 {
				return nil, zeroStep()
			}
			return &intSeries{next: a[0].Int(), stop: a[1].Int(), step: a[2].Int()}, nil
		}
	}
	r.set["array_unnest"] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		return &sliceRows{vals: a[0].Array().Elems}, nil
	}
	subscripts := func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		dims, n := a[0].Array().Dims, a[1].Int()
		if n < 1 || n > int64(len(dims)) {
			return &sliceRows{}, nil
		}
		low, high := int64(dims[n-1].Lower), int64(dims[n-1].Lower)+int64(dims[n-1].Len)-1
		if len(a) > 2 && a[2].Bool() {
			return &intSeries{next: high, stop: low, step: -1}, nil
		}
		return &intSeries{next: low, stop: high, step: 1}, nil
	}
	r.set["generate_subscripts"], r.set["generate_subscripts_nodir"] = subscripts, subscripts
	// Clients expand the column numbers of indexes and constraints by it.
	r.set["_pg_expandarray(anyarray)"] = func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		rows := &recordRows{}
		for i, d := range a[0].Array().Elems {
			rows.rows = append(rows.rows, []datum.Datum{d, datum.NewInt(int64(i + 1))})
		}
		return rows, nil
	}
	toTable := func(_ *Call, _ *Context, a []datum.Datum) (RowIter, error) {
		return &sliceRows{vals: splitText(a)}, nil
	}
	r.set["text_to_table"], r.set["text_to_table_null"] = toTable, toTable
	r.set["pg_get_keywords"] = func(*Call, *Context, []datum.Datum) (RowIter, error) {
		rows := &recordRows{}
		catalog("pg_keywords").Each(func(row []string) {
			rows.rows = append(rows.rows, []datum.Datum{
				datum.NewText(Field(row[0])), datum.NewText(row[1]), datum.NewBool(row[2] == "t"),
				datum.NewText(Field(row[3])), datum.NewText(Field(row[4])),
			})
		})
		return rows, nil
	}
}

func badSeries(what string) error { return failure.New(failure.InvalidParameterValue, "%s", what) }

func zeroStep() error { return badSeries("step size cannot equal zero") }

// intSeries is generate_series of integers.
type intSeries struct {
	next, stop, step int64
	done             bool
	row              [1]datum.Datum
}

// Next implements RowIter.
func (s *intSeries) Next(*Context) ([]datum.Datum, error) {
	if s.done || s.step > 0 && s.next > s.stop || s.step < 0 && s.next < s.stop {
		return nil, nil
	}
	s.row[0] = datum.NewInt(s.next)
	next := s.next + s.step
	s.done = (next > s.next) != (s.step > 0) // overflow ends the series
	s.next = next
	return s.row[:], nil
}

// sliceRows yields the values of a slice, one a row.
type sliceRows struct {
	vals []datum.Datum
	i    int
}

// Next implements RowIter.
func (s *sliceRows) Next(*Context) ([]datum.Datum, error) {
	if s.i >= len(s.vals) {
		return nil, nil
	}
	s.i++
	return s.vals[s.i-1 : s.i], nil
}

// recordRows yields rows of several columns.
type recordRows struct {
	rows [][]datum.Datum
	i    int
}

// Next implements RowIter.
func (s *recordRows) Next(*Context) ([]datum.Datum, error) {
	if s.i >= len(s.rows) {
		return nil, nil
	}
	s.i++
	return s.rows[s.i-1], nil
}

// splitText cuts (text, separator [, null string]) as string_to_array does: a NULL separator cuts between characters.
func splitText(a []datum.Datum) []datum.Datum {
	if a[0].IsNull() || a[0].Text() == "" {
		return nil
	}
	var parts []string
	switch {
	case a[1].IsNull():
		parts = strings.Split(a[0].Text(), "")
	case a[1].Text() == "":
		parts = []string{a[0].Text()}
	default:
		parts = strings.Split(a[0].Text(), a[1].Text())
	}
	out := make([]datum.Datum, len(parts))
	for i, p := range parts {
		if len(a) < 3 || a[2].IsNull() || p != a[2].Text() {
			out[i] = datum.NewText(p)
		}
	}
	return out
}
