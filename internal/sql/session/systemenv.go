package session

import (
	"context"
	"strconv"

	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/ddl"
	"github.com/meridiandb/meridian/internal/sql/setting"
	"github.com/meridiandb/meridian/internal/sql/syscat"
)

// facts are the built-in functions and types together with the users' types, as the transaction sees them now.
func (s *Session) facts() *builtin.Facts {
	if s.t.cat == nil {
		return s.engine.cfg.Facts
	}
	path := s.path()
	if s.search.facts == nil {
		s.search.facts = s.engine.cfg.Facts.Extend(syscat.UserTypes{Snapshot: s.search.snap, Path: path})
	}
	return s.search.facts
}

// SystemEnv implements syscat.Holder.
func (e *systemEnv) SystemEnv() *syscat.Env {
	s := (*Session)(e)
	if s.t.cat == nil {
		return nil
	}
	env := &syscat.Env{Snapshot: s.t.cat.Snapshot(), Path: s.path(), User: s.userOID(), Facts: s.facts(), Server: e}
	if r := env.Snapshot.Role(s.sessionUser); r != nil {
		env.SessionUser = r.OID
	}
	return env
}

// Settings implements syscat.Server.
func (e *systemEnv) Settings() []syscat.Setting {
	facts, _ := builtin.ReadCatalog("pg_settings")
	type words struct{ category, short, extra string }
	about := map[string]words{}
	facts.Each(func(f []string) {
		about[builtin.Field(f[0])] = words{builtin.Field(f[3]), builtin.Field(f[4]), builtin.Field(f[5])}
	})
	rows := e.settings.Rows()
	out := make([]syscat.Setting, len(rows))
	for i, r := range rows {
		d, w := r.Def, about[r.Def.Name]
		out[i] = syscat.Setting{Name: d.Name, Value: r.Setting, Unit: d.Unit, Category: w.category, ShortDesc: w.short, ExtraDesc: w.extra,
			Context: d.Context.String(), VarType: d.Kind.String(), Source: "default", BootVal: d.Boot, ResetVal: r.Reset}
		if r.Session {
			out[i].Source = "session"
		} else {
			out[i].Value = r.Reset
		}
		if d.Kind == setting.Int || d.Kind == setting.Real {
			out[i].MinVal = strconv.FormatFloat(d.Min, 'f', -1, 64)
			out[i].MaxVal = strconv.FormatFloat(d.Max, 'f', -1, 64)
		}
		if d.Kind == setting.Enum {
			out[i].EnumVals = d.Values
		}
	}
	return out
}

// Activity implements syscat.Server.
func (e *systemEnv) Activity() []syscat.Activity {
	snap := e.t.cat.Snapshot()
	list := e.engine.Activities()
	out := make([]syscat.Activity, len(list))
	for i, a := range list {
		out[i] = syscat.Activity{PID: a.PID, Application: a.Application, ClientAddr: a.ClientAddr, ClientPort: int32(a.ClientPort),
			BackendStart: a.BackendStart, XactStart: a.XactStart, QueryStart: a.QueryStart, StateSeen: a.StateChange, State: a.State,
			Query: a.Query, BackendType: "client backend"}
		if r := snap.Role(a.User); r != nil {
			out[i].User = r.OID
		}
	}
	return out
}

// Jobs implements syscat.Server.
func (e *systemEnv) Jobs(ctx context.Context) ([]syscat.Job, error) {
	jobs, err := ddl.ListJobs(ctx, e.t.tx)
	out := make([]syscat.Job, len(jobs))
	for i, j := range jobs {
		object := j.Object
		if object == 0 {
			object = j.Table
		}
		out[i] = syscat.Job{ID: j.ID, Status: string(j.Status), Details: j.Details, Type: string(j.Type), Object: object, Name: j.Name,
			Started: j.Started - epoch2000, Updated: j.Updated - epoch2000}
	}
	return out, err
}

// SequenceState implements syscat.Server.
func (e *systemEnv) SequenceState(ctx context.Context, t *catalog.Table) (last, left int64, called bool, err error) {
	return e.engine.cfg.Sequences.State(ctx, t)
}

// Prepared implements syscat.Server.
func (e *systemEnv) Prepared() []syscat.Prepared {
	var out []syscat.Prepared
	for _, p := range e.prepared {
		if p.name == "" {
			continue
		}
		params := p.oids
		if p.plan != nil {
			params = params[:0:0]
			for _, t := range p.plan.Params {
				params = append(params, t.OID)
			}
		}
		out = append(out, syscat.Prepared{Name: p.name, Statement: p.sql, PrepareTime: p.prepared, Params: params, FromSQL: p.bySQL})
	}
	return out
}

// Cursors implements syscat.Server.
func (e *systemEnv) Cursors() []syscat.Cursor {
	var out []syscat.Cursor
	for _, p := range e.portals {
		if p.cursor == nil {
			continue
		}
		c := p.cursor
		out = append(out, syscat.Cursor{Name: c.name, Statement: p.st.sql, Holdable: c.hold, Binary: c.binary, Scrollable: c.scroll, Created: c.created})
	}
	return out
}
