package exec

import (
	"context"
	"strconv"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// castIO compiles a conversion through the text forms.
func (c *compiler) castIO(e *plan.Cast, a evalFn) evalFn {
	from, to := e.Arg.Type(), e.Typ
	toText := datum.KindOf(c.facts.BaseType(to.OID)) == datum.KindText && to.OID != datum.OIDUnknown
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil || d.IsNull() {
			return datum.Null, err
		}
		s := st.text(from, d)
		if toText {
			return datum.NewText(s), nil
		}
		return datum.Null, failure.NotSupported("the conversion to %s is", datum.FormatType(to))
	}
}

// text returns the text form of a value that is not NULL.
func (st *state) text(t datum.Type, d datum.Datum) string {
	switch d.Kind() {
	case datum.KindText:
		return d.Text()
	case datum.KindInt:
		return strconv.FormatInt(d.Int(), 10)
	case datum.KindBool:
		if d.Bool() {
			return "t"
		}
		return "f"
	case datum.KindNumeric:
		return d.Numeric().Text('f')
	}
	return "?"
}
