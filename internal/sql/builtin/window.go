package builtin

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// windowFn makes a WindowFunc from a function without state.
type windowFn func(c *Context, w Window) (datum.Datum, error)

// Next implements WindowFunc.
func (f windowFn) Next(c *Context, w Window) (datum.Datum, error) { return f(c, w) }

// registerWindow registers the window functions proper.
func registerWindow(r *registry) {
	plain := func(name string, f windowFn) {
		r.window[name] = func(*Call) (WindowFunc, error) { return f, nil }
	}
	plain("window_row_number", func(_ *Context, w Window) (datum.Datum, error) {
		return datum.NewInt(int64(w.Row()) + 1), nil
	})
	plain("window_rank", func(_ *Context, w Window) (datum.Datum, error) {
		start, _, err := w.Peers(w.Row())
		return datum.NewInt(int64(start) + 1), err
	})
	plain("window_percent_rank", func(_ *Context, w Window) (datum.Datum, error) {
		start, _, err := w.Peers(w.Row())
		if err != nil || w.Rows() <= 1 {
			return datum.NewFloat(0), err
		}
		return datum.NewFloat(float64(start) / float64(w.Rows()-1)), nil
	})
	plain("window_cume_dist", func(_ *Context, w Window) (datum.Datum, error) {
		_, end, err := w.Peers(w.Row())
		return datum.NewFloat(float64(end) / float64(w.Rows())), err
	})
	r.window["window_dense_rank"] = func(*Call) (WindowFunc, error) { return &denseRank{}, nil }
	r.window["window_ntile"] = func(*Call) (WindowFunc, error) { return &ntile{}, nil }
	for name, sign := range map[string]int64{"window_lag": -1, "window_lead": 1} {
		f := shifted(sign)
		plain(name, f)
		r.window[name+"_with_offset"] = shiftedArgs(sign, 2)
		r.window[name+"_with_offset_and_default"] = shiftedArgs(sign, 3)
	}
	plain("window_first_value", func(_ *Context, w Window) (datum.Datum, error) { return nthInFrame(w, 1) })
	plain("window_last_value", lastInFrame)
	plain("window_nth_value", func(_ *Context, w Window) (datum.Datum, error) {
		n, err := w.Arg(w.Row(), 1)
		if err != nil || n.IsNull() {
			return datum.Null, err
		}
		if n.Int() <= 0 {
			return datum.Null, failure.New(failure.InvalidArgumentForNthValue,
				"argument of nth_value must be greater than zero")
		}
		return nthInFrame(w, n.Int())
	})
}

// denseRank counts the peer groups so far.
type denseRank struct {
	rank  int64
	start int
}

// Next implements WindowFunc.
func (d *denseRank) Next(_ *Context, w Window) (datum.Datum, error) {
	start, _, err := w.Peers(w.Row())
	if err != nil {
		return datum.Null, err
	}
	if w.Row() == 0 {
		d.rank, d.start = 1, start
	} else if start != d.start {
		d.rank, d.start = d.rank+1, start
	}
	return datum.NewInt(d.rank), nil
}

// ntile deals the partition into buckets whose sizes differ by at most one.
type ntile struct {
	buckets int64
	null    bool
}

// Next implements WindowFunc.
func (t *ntile) Next(_ *Context, w Window) (datum.Datum, error) {
	if w.Row() == 0 {
		n, err := w.Arg(0, 0)
		if err != nil {
			return datum.Null, err
		}
		if t.null = n.IsNull(); !t.null {
			if t.buckets = n.Int(); t.buckets <= 0 {
				return datum.Null, failure.New(failure.InvalidArgumentForNtile,
					"argument of ntile must be greater than zero")
			}
		}
	}
	if t.null {
		return datum.Null, nil
	}
	row, rows := int64(w.Row()), int64(w.Rows())
	size, larger := rows/t.buckets, rows%t.buckets
	if row < larger*(size+1) {
		return datum.NewInt(row/(size+1) + 1), nil
	}
	return datum.NewInt(larger + (row-larger*(size+1))/size + 1), nil
}

func shifted(sign int64) windowFn {
	return func(_ *Context, w Window) (datum.Datum, error) {
		at := int64(w.Row()) + sign
		if at < 0 || at >= int64(w.Rows()) {
			return datum.Null, nil
		}
		return w.Arg(int(at), 0)
	}
}

func shiftedArgs(sign int64, args int) WindowImpl {
	return func(*Call) (WindowFunc, error) {
		return windowFn(func(_ *Context, w Window) (datum.Datum, error) {
			n, err := w.Arg(w.Row(), 1)
			if err != nil || n.IsNull() {
				return datum.Null, err
			}
			at := int64(w.Row()) + sign*n.Int()
			switch {
			case at >= 0 && at < int64(w.Rows()):
				return w.Arg(int(at), 0)
			case args > 2:
				return w.Arg(w.Row(), 2)
			}
			return datum.Null, nil
		}), nil
	}
}

// nthInFrame returns the first argument in the n-th row of the frame that is not excluded.
func nthInFrame(w Window, n int64) (datum.Datum, error) {
	start, end, err := w.Frame()
	if err != nil {
		return datum.Null, err
	}
	for row := start; row < end; row++ {
		if w.Excluded(row) {
			continue
		}
		if n--; n == 0 {
			return w.Arg(row, 0)
		}
	}
	return datum.Null, nil
}

func lastInFrame(_ *Context, w Window) (datum.Datum, error) {
	start, end, err := w.Frame()
	if err != nil {
		return datum.Null, err
	}
	for row := end - 1; row >= start; row-- {
		if !w.Excluded(row) {
			return w.Arg(row, 0)
		}
	}
	return datum.Null, nil
}
