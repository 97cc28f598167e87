package syscat

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// fromServer yields a list that the server gives, none without a server.
func fromServer[T any](list func(Server) []T) func(*query, func(*T) error) error {
	return func(q *query, emit func(*T) error) error {
		if q.Server == nil {
			return nil
		}
		for _, x := range list(q.Server) {
			if err := emit(&x); err != nil {
				return err
			}
		}
		return nil
	}
}

func defineServer(r *registry) {
	type S = Setting
	produce(r, "pg_catalog.pg_settings", "name", func(q *query, emit func(*S) error) error {
		name, byName := q.wantText("name")
		return fromServer(Server.Settings)(q, func(s *S) error {
			if byName && s.Name != name {
				return nil
			}
			return emit(s)
		})
	},
		col[S]{"name", func(_ *query, s *S) datum.Datum { return dText(s.Name) }},
		col[S]{"setting", func(_ *query, s *S) datum.Datum { return dText(s.Value) }},
		col[S]{"unit", func(_ *query, s *S) datum.Datum { return dTextOrNull(s.Unit) }},
		col[S]{"category", func(_ *query, s *S) datum.Datum { return dText(s.Category) }},
		col[S]{"short_desc", func(_ *query, s *S) datum.Datum { return dText(s.ShortDesc) }},
		col[S]{"extra_desc", func(_ *query, s *S) datum.Datum { return dTextOrNull(s.ExtraDesc) }},
		col[S]{"context", func(_ *query, s *S) datum.Datum { return dText(s.Context) }},
		col[S]{"vartype", func(_ *query, s *S) datum.Datum { return dText(s.VarType) }},
		col[S]{"source", func(_ *query, s *S) datum.Datum { return dText(s.Source) }},
		col[S]{"min_val", func(_ *query, s *S) datum.Datum { return dTextOrNull(s.MinVal) }},
		col[S]{"max_val", func(_ *query, s *S) datum.Datum { return dTextOrNull(s.MaxVal) }},
		col[S]{"enumvals", func(_ *query, s *S) datum.Datum {
			if s.EnumVals == nil {
				return datum.Null
			}
			return dTexts(s.EnumVals)
		}},
		col[S]{"boot_val", func(_ *query, s *S) datum.Datum { return dText(s.BootVal) }},
		col[S]{"reset_val", func(_ *query, s *S) datum.Datum { return dText(s.ResetVal) }},
		col[S]{"pending_restart", func(*query, *S) datum.Datum { return dBool(false) }},
	)
	defineActivity(r)
	type P = Prepared
	produce(r, "pg_catalog.pg_prepared_statements", "", fromServer(Server.Prepared),
		col[P]{"name", func(_ *query, p *P) datum.Datum { return dText(p.Name) }},
		col[P]{"statement", func(_ *query, p *P) datum.Datum { return dText(p.Statement) }},
		col[P]{"prepare_time", func(_ *query, p *P) datum.Datum { return dTime(p.PrepareTime) }},
		col[P]{"parameter_types", func(_ *query, p *P) datum.Datum {
			elems := make([]datum.Datum, len(p.Params))
			for i, o := range p.Params {
				elems[i] = dInt(o)
			}
			return dArray(datum.OIDRegtype, elems)
		}},
		col[P]{"from_sql", func(_ *query, p *P) datum.Datum { return dBool(p.FromSQL) }},
		col[P]{"generic_plans", func(*query, *P) datum.Datum { return dInt(0) }},
		col[P]{"custom_plans", func(*query, *P) datum.Datum { return dInt(0) }},
	)
	type K = Cursor
	produce(r, "pg_catalog.pg_cursors", "", fromServer(Server.Cursors),
		col[K]{"name", func(_ *query, c *K) datum.Datum { return dText(c.Name) }},
		col[K]{"statement", func(_ *query, c *K) datum.Datum { return dText(c.Statement) }},
		col[K]{"is_holdable", func(_ *query, c *K) datum.Datum { return dBool(c.Holdable) }},
		col[K]{"is_binary", func(_ *query, c *K) datum.Datum { return dBool(c.Binary) }},
		col[K]{"is_scrollable", func(_ *query, c *K) datum.Datum { return dBool(c.Scrollable) }},
		col[K]{"creation_time", func(_ *query, c *K) datum.Datum { return dTime(c.Created) }},
	)
}

func defineActivity(r *registry) {
	type A = Activity
	db := func(q *query, _ *A) datum.Datum { return dInt(catalog.OIDDatabase) }
	produce(r, "pg_catalog.pg_stat_activity", "", fromServer(Server.Activity),
		col[A]{"datid", db},
		col[A]{"datname", func(q *query, _ *A) datum.Datum { return dText(q.Snapshot.Database().Name) }},
		col[A]{"pid", func(_ *query, a *A) datum.Datum { return dInt(a.PID) }},
		col[A]{"usesysid", func(_ *query, a *A) datum.Datum { return dInt(a.User) }},
		col[A]{"usename", func(q *query, a *A) datum.Datum { return dText(q.Snapshot.RoleName(a.User)) }},
		col[A]{"application_name", func(_ *query, a *A) datum.Datum { return dText(a.Application) }},
		col[A]{"client_addr", func(_ *query, a *A) datum.Datum {
			d, err := datum.ParseText(datum.T(datum.OIDInet), a.ClientAddr, nil)
			if err != nil || a.ClientAddr == "" {
				return datum.Null
			}
			return d
		}},
		col[A]{"client_port", func(_ *query, a *A) datum.Datum { return dInt(a.ClientPort) }},
		col[A]{"backend_start", func(_ *query, a *A) datum.Datum { return dTime(a.BackendStart) }},
		col[A]{"xact_start", func(_ *query, a *A) datum.Datum { return dTime(a.XactStart) }},
		col[A]{"query_start", func(_ *query, a *A) datum.Datum { return dTime(a.QueryStart) }},
		col[A]{"state_change", func(_ *query, a *A) datum.Datum { return dTime(a.StateSeen) }},
		col[A]{"state", func(_ *query, a *A) datum.Datum { return dTextOrNull(a.State) }},
		col[A]{"query", func(_ *query, a *A) datum.Datum { return dText(a.Query) }},
		col[A]{"backend_type", func(_ *query, a *A) datum.Datum { return dText(a.BackendType) }},
	)
	produce(r, "pg_catalog.pg_stat_ssl", "", fromServer(Server.Activity),
		col[A]{"pid", func(_ *query, a *A) datum.Datum { return dInt(a.PID) }},
		col[A]{"ssl", func(*query, *A) datum.Datum { return dBool(false) }},
	)
	type D = catalog.Database
	produce(r, "pg_catalog.pg_stat_database", "", func(q *query, emit func(*D) error) error { return emit(q.Snapshot.Database()) },
		col[D]{"datid", func(_ *query, d *D) datum.Datum { return dInt(d.OID) }},
		col[D]{"datname", func(_ *query, d *D) datum.Datum { return dText(d.Name) }},
		col[D]{"numbackends", func(q *query, _ *D) datum.Datum {
			if q.Server == nil {
				return dInt(0)
			}
			return dInt(len(q.Server.Activity()))
		}},
	)
}
