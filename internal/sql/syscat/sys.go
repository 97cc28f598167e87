package syscat

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// OIDs of the relations of schema sys.
const (
	oidSysJobs catalog.OID = 13900
	oidSysIAM  catalog.OID = 13901
)

// addSys makes the descriptors of schema sys.
func (r *registry) addSys() {
	view := func(oid catalog.OID, name string, cols ...catalog.Column) {
		t := &catalog.Table{OID: oid, Name: name, Schema: catalog.OIDSys, Kind: catalog.RelView}
		for i, c := range cols {
			c.ID, c.Attnum = uint32(i+1), int16(i+1)
			t.Columns = append(t.Columns, &c)
		}
		r.add(t)
	}
	c := func(name string, oid datum.OID) catalog.Column { return catalog.Column{Name: name, Type: datum.T(oid)} }
	view(oidSysJobs, "jobs", c("job_id", datum.OIDText), c("status", datum.OIDText), c("details", datum.OIDText),
		c("job_type", datum.OIDText), c("class_id", datum.OIDOid), c("object_id", datum.OIDOid), c("object_name", datum.OIDText),
		c("start_time", datum.OIDTimestampTZ), c("update_time", datum.OIDTimestampTZ))
	view(oidSysIAM, "iam_pg_role_mappings", c("iam_oid", datum.OIDOid), c("arn", datum.OIDText), c("pg_role_oid", datum.OIDOid),
		c("pg_role_name", datum.OIDName), c("grantor_pg_role_oid", datum.OIDOid), c("grantor_pg_role_name", datum.OIDName))
}

func defineSys(r *registry) {
	type J = Job
	produce(r, "sys.jobs", "job_id", func(q *query, emit func(*J) error) error {
		if q.Server == nil {
			return nil
		}
		jobs, err := q.Server.Jobs(q.ctx)
		if err != nil {
			return err
		}
		id, byID := q.wantText("job_id")
		for i := range jobs {
			if byID && jobs[i].ID != id {
				continue
			}
			if err := emit(&jobs[i]); err != nil {
				return err
			}
		}
		return nil
	},
		col[J]{"job_id", func(_ *query, j *J) datum.Datum { return dText(j.ID) }},
		col[J]{"status", func(_ *query, j *J) datum.Datum { return dText(j.Status) }},
		col[J]{"details", func(_ *query, j *J) datum.Datum { return dTextOrNull(j.Details) }},
		col[J]{"job_type", func(_ *query, j *J) datum.Datum { return dText(j.Type) }},
		col[J]{"class_id", func(*query, *J) datum.Datum { return dInt(classRelation) }},
		col[J]{"object_id", func(_ *query, j *J) datum.Datum { return dInt(j.Object) }},
		col[J]{"object_name", func(q *query, j *J) datum.Datum {
			if !q.Snapshot.RelationByOID(j.Object).Found() {
				return datum.Null
			}
			return dText(j.Name)
		}},
		col[J]{"start_time", func(_ *query, j *J) datum.Datum { return dTime(j.Started) }},
		col[J]{"update_time", func(_ *query, j *J) datum.Datum { return dTime(j.Updated) }},
	)
	type mapping struct {
		role *catalog.Role
		arn  string
	}
	type M = mapping
	produce(r, "sys.iam_pg_role_mappings", "", func(q *query, emit func(*M) error) error {
		for ro := range q.Snapshot.Roles() {
			for _, arn := range ro.IAM {
				if err := emit(&M{ro, arn}); err != nil {
					return err
				}
			}
		}
		return nil
	},
		col[M]{"arn", func(_ *query, m *M) datum.Datum { return dText(m.arn) }},
		col[M]{"pg_role_oid", func(_ *query, m *M) datum.Datum { return dInt(m.role.OID) }},
		col[M]{"pg_role_name", func(_ *query, m *M) datum.Datum { return dText(m.role.Name) }},
	)
}

// sequenceTable produces the one row of a sequence.
func sequenceTable(t *catalog.Table) *plan.SystemTable {
	return &plan.SystemTable{Table: t, EstRows: 1,
		Rows: func(ctx context.Context, env any, _ []plan.SystemEq, emit func([]datum.Datum) error) error {
			e, err := envOf(env)
			if err != nil {
				return err
			}
			if e.Server == nil {
				return failure.New(failure.InternalError, "sequence %s is read without a server", t.Name)
			}
			last, left, called, err := e.Server.SequenceState(ctx, t)
			if err != nil {
				return err
			}
			return emit([]datum.Datum{dInt(last), dInt(left), dBool(called)})
		}}
}
