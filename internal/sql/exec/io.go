package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// castIO compiles a conversion through the text forms.
func (c *compiler) castIO(e *plan.Cast, a evalFn) evalFn {
	from, to := datum.T(c.facts.BaseType(e.Arg.Type().OID)), datum.T(c.facts.BaseType(e.Typ.OID))
	plain := to.OID == datum.OIDText || to.OID == datum.OIDVarchar
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		d, err := a(ctx, st, row)
		if err != nil || d.IsNull() {
			return datum.Null, err
		}
		s := st.text(from, d)
		if plain {
			return datum.NewText(s), nil
		}
		return datum.ParseText(to, s, st.bctx.Env)
	}
}

// text returns the text form of a value that is not NULL.
func (st *state) text(t datum.Type, d datum.Datum) string {
	var env *datum.Env
	if st.bctx != nil {
		env = st.bctx.Env
	}
	return datum.Text(t, d, env)
}
