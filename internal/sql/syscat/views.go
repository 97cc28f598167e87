package syscat

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// relationsOf yields the relations of the wanted kinds; an equality on the name column is made use of.
func relationsOf(nameColumn string, kinds ...catalog.RelKind) func(*query, func(*catalog.Table) error) error {
	return func(q *query, emit func(*catalog.Table) error) error {
		name, byName := q.wantText(nameColumn)
		for t := range q.Snapshot.Tables() {
			if byName && t.Name != name {
				continue
			}
			for _, k := range kinds {
				if t.Kind == k {
					if err := emit(t); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
}

// isSystem says whether a table belongs to the system's schemas.
func isSystem(t *catalog.Table) bool { return t.Virtual }

func schemaCol(q *query, t *catalog.Table) datum.Datum { return dText(q.Snapshot.SchemaName(t.Schema)) }
func nameCol(_ *query, t *catalog.Table) datum.Datum   { return dText(t.Name) }
func ownerCol(q *query, t *catalog.Table) datum.Datum  { return dText(q.Snapshot.RoleName(t.Owner)) }

func hasIndexes(t *catalog.Table) bool {
	for _, x := range t.Indexes {
		if !x.Hidden {
			return true
		}
	}
	return false
}

func defineViews(r *registry) {
	type T = catalog.Table
	produce(r, "pg_catalog.pg_tables", "tablename", relationsOf("tablename", catalog.RelTable),
		col[T]{"schemaname", schemaCol}, col[T]{"tablename", nameCol}, col[T]{"tableowner", ownerCol},
		col[T]{"hasindexes", func(_ *query, t *T) datum.Datum { return dBool(hasIndexes(t) || isSystem(t)) }},
		col[T]{"hasrules", func(*query, *T) datum.Datum { return dBool(false) }},
		col[T]{"hastriggers", func(_ *query, t *T) datum.Datum { return dBool(len(t.ForeignKeys)+len(t.Inbound) > 0) }},
		col[T]{"rowsecurity", func(*query, *T) datum.Datum { return dBool(false) }},
	)
	produce(r, "pg_catalog.pg_views", "viewname", relationsOf("viewname", catalog.RelView),
		col[T]{"schemaname", schemaCol}, col[T]{"viewname", nameCol}, col[T]{"viewowner", ownerCol},
		col[T]{"definition", func(q *query, t *T) datum.Datum { return q.viewDefinition(t) }},
	)
	produce(r, "pg_catalog.pg_sequences", "sequencename", relationsOf("sequencename", catalog.RelSequence),
		col[T]{"schemaname", schemaCol}, col[T]{"sequencename", nameCol}, col[T]{"sequenceowner", ownerCol},
		col[T]{"data_type", func(_ *query, t *T) datum.Datum { return dInt(t.Sequence.Type.OID) }},
		col[T]{"start_value", func(_ *query, t *T) datum.Datum { return dInt(t.Sequence.Start) }},
		col[T]{"min_value", func(_ *query, t *T) datum.Datum { return dInt(t.Sequence.Min) }},
		col[T]{"max_value", func(_ *query, t *T) datum.Datum { return dInt(t.Sequence.Max) }},
		col[T]{"increment_by", func(_ *query, t *T) datum.Datum { return dInt(t.Sequence.Increment) }},
		col[T]{"cycle", func(_ *query, t *T) datum.Datum { return dBool(t.Sequence.Cycle) }},
		col[T]{"cache_size", func(_ *query, t *T) datum.Datum { return dInt(t.Sequence.Cache) }},
		col[T]{"last_value", func(q *query, t *T) datum.Datum { return q.lastValue(t) }},
	)
	type X = indexRow
	produce(r, "pg_catalog.pg_indexes", "tablename indexname", func(q *query, emit func(*X) error) error {
		table, byTable := q.wantText("tablename")
		index, byIndex := q.wantText("indexname")
		for t := range q.Snapshot.Tables() {
			if byTable && t.Name != table {
				continue
			}
			for _, x := range t.Indexes {
				if x.Hidden || byIndex && x.Name != index {
					continue
				}
				if err := emit(&X{t, x}); err != nil {
					return err
				}
			}
		}
		return nil
	},
		col[X]{"schemaname", func(q *query, x *X) datum.Datum { return schemaCol(q, x.t) }},
		col[X]{"tablename", func(_ *query, x *X) datum.Datum { return dText(x.t.Name) }},
		col[X]{"indexname", func(_ *query, x *X) datum.Datum { return dText(x.x.Name) }},
		col[X]{"indexdef", func(q *query, x *X) datum.Datum { return dText(q.indexDef(x.t, x.x, true)) }},
	)
	defineRewrite(r)
	defineDepend(r)
}

// lastValue is NULL for a sequence that was not used.
func (q *query) lastValue(t *catalog.Table) datum.Datum {
	if q.Server == nil {
		return datum.Null
	}
	last, _, called, err := q.Server.SequenceState(q.ctx, t)
	if err != nil || !called {
		return datum.Null
	}
	return dInt(last)
}

// defineRewrite gives each view its rule, whose definition tools join through.
func defineRewrite(r *registry) {
	type T = catalog.Table
	produce(r, "pg_catalog.pg_rewrite", "ev_class", func(q *query, emit func(*T) error) error {
		oid, byOID := q.wantOID("ev_class")
		for t := range q.Snapshot.Tables() {
			if t.Kind == catalog.RelView && (!byOID || t.OID == oid) {
				if err := emit(t); err != nil {
					return err
				}
			}
		}
		return nil
	},
		// The rule of a view has no OID of its own: the view's array type, which nothing else here shows, stands for it.
		col[T]{"oid", func(_ *query, t *T) datum.Datum { return dInt(t.ArrayType) }},
		col[T]{"rulename", func(*query, *T) datum.Datum { return dText("_RETURN") }},
		col[T]{"ev_class", func(_ *query, t *T) datum.Datum { return dInt(t.OID) }},
		col[T]{"ev_type", func(*query, *T) datum.Datum { return dText("1") }},
		col[T]{"ev_enabled", func(*query, *T) datum.Datum { return dText("O") }},
		col[T]{"is_instead", func(*query, *T) datum.Datum { return dBool(true) }},
	)
}

// dependency is a row of pg_depend.
type dependency struct {
	class, obj       catalog.OID
	sub              int
	refClass, refObj catalog.OID
	refSub           int
	kind             byte
}

const (
	classAttrDef catalog.OID = 2604
	classRewrite catalog.OID = 2618
)

func (e *Env) dependencies(emit func(*dependency) error) error {
	var err error
	say := func(d dependency) {
		if err == nil {
			err = emit(&d)
		}
	}
	for t := range e.Snapshot.Tables() {
		if t.Virtual {
			continue
		}
		say(dependency{classRelation, t.OID, 0, classNamespace, t.Schema, 0, 'n'})
		if t.RowType != 0 && t.Kind != catalog.RelComposite {
			say(dependency{classType, t.RowType, 0, classRelation, t.OID, 0, 'i'})
		}
		e.tableDependencies(t, say)
	}
	for f := range e.Snapshot.Functions() {
		say(dependency{classProc, f.OID, 0, classNamespace, f.Schema, 0, 'n'})
		for _, oid := range f.DependsOn {
			switch t := e.Snapshot.TableByOID(oid); {
			case t != nil:
				say(dependency{classProc, f.OID, 0, classType, t.RowType, 0, 'n'})
			case e.Snapshot.TypeByOID(oid) != nil:
				say(dependency{classProc, f.OID, 0, classType, oid, 0, 'n'})
			}
		}
	}
	e.extensionMembers(say)
	return err
}

func (e *Env) tableDependencies(t *catalog.Table, say func(dependency)) {
	if t.Sequence != nil && t.Sequence.OwnedByTable != 0 {
		owner := e.Snapshot.TableByOID(t.Sequence.OwnedByTable)
		kind := byte('a')
		if t.Sequence.Internal {
			kind = 'i'
		}
		say(dependency{classRelation, t.OID, 0, classRelation, owner.OID, int(attnum(owner, t.Sequence.OwnedByColumn)), kind})
	}
	for _, c := range t.Columns {
		if c.Default == "" || c.Dropped {
			continue
		}
		say(dependency{classAttrDef, c.DefaultOID, 0, classRelation, t.OID, int(c.Attnum), 'a'})
		for _, o := range c.DependsOn {
			say(dependency{classAttrDef, c.DefaultOID, 0, classRelation, o, 0, 'n'})
		}
	}
	for _, x := range t.Indexes {
		if x.Hidden {
			continue
		}
		if x.Constraint != 0 {
			say(dependency{classRelation, x.OID, 0, classConstraint, x.Constraint, 0, 'i'})
			for _, k := range x.Key {
				say(dependency{classConstraint, x.Constraint, 0, classRelation, t.OID, int(attnum(t, k.Column)), 'a'})
			}
			continue
		}
		for _, k := range x.Key {
			if k.Column != 0 {
				say(dependency{classRelation, x.OID, 0, classRelation, t.OID, int(attnum(t, k.Column)), 'a'})
			}
		}
	}
	for _, c := range t.Checks {
		for _, id := range c.Columns {
			say(dependency{classConstraint, c.OID, 0, classRelation, t.OID, int(attnum(t, id)), 'a'})
		}
	}
	for _, f := range t.ForeignKeys {
		for _, id := range f.Columns {
			say(dependency{classConstraint, f.OID, 0, classRelation, t.OID, int(attnum(t, id)), 'a'})
		}
		ref := e.Snapshot.TableByOID(f.RefTable)
		for _, id := range f.RefColumns {
			say(dependency{classConstraint, f.OID, 0, classRelation, ref.OID, int(attnum(ref, id)), 'n'})
		}
		say(dependency{classConstraint, f.OID, 0, classRelation, f.RefIndex, 0, 'n'})
	}
	if t.View != nil {
		say(dependency{classRewrite, t.ArrayType, 0, classRelation, t.OID, 0, 'i'})
		for _, u := range t.View.DependsOnColumns {
			ref := e.Snapshot.TableByOID(u.Table)
			for _, id := range u.Columns {
				if ref != nil {
					say(dependency{classRewrite, t.ArrayType, 0, classRelation, u.Table, int(attnum(ref, id)), 'n'})
				}
			}
		}
	}
}

func defineDepend(r *registry) {
	type T = dependency
	produce(r, "pg_catalog.pg_depend", "", func(q *query, emit func(*T) error) error { return q.dependencies(emit) },
		col[T]{"classid", func(_ *query, d *T) datum.Datum { return dInt(d.class) }},
		col[T]{"objid", func(_ *query, d *T) datum.Datum { return dInt(d.obj) }},
		col[T]{"objsubid", func(_ *query, d *T) datum.Datum { return dInt(d.sub) }},
		col[T]{"refclassid", func(_ *query, d *T) datum.Datum { return dInt(d.refClass) }},
		col[T]{"refobjid", func(_ *query, d *T) datum.Datum { return dInt(d.refObj) }},
		col[T]{"refobjsubid", func(_ *query, d *T) datum.Datum { return dInt(d.refSub) }},
		col[T]{"deptype", func(_ *query, d *T) datum.Datum { return dChar(d.kind) }},
	)
}

func defineStats(r *registry) {
	type T = catalog.Table
	for _, v := range []struct {
		name string
		keep func(*T) bool
	}{
		{"pg_stat_all_tables", func(*T) bool { return true }},
		{"pg_stat_user_tables", func(t *T) bool { return !isSystem(t) }},
		{"pg_stat_sys_tables", isSystem},
	} {
		produce(r, "pg_catalog."+v.name, "relname", func(q *query, emit func(*T) error) error {
			return relationsOf("relname", catalog.RelTable)(q, func(t *T) error {
				if !v.keep(t) {
					return nil
				}
				return emit(t)
			})
		},
			col[T]{"relid", func(_ *query, t *T) datum.Datum { return dInt(t.OID) }},
			col[T]{"schemaname", schemaCol}, col[T]{"relname", nameCol},
			col[T]{"n_live_tup", func(q *query, t *T) datum.Datum {
				if st := q.stats(t); st != nil {
					return dInt(int64(st.Rows))
				}
				return dInt(0)
			}},
			col[T]{"last_analyze", func(q *query, t *T) datum.Datum {
				if st := q.stats(t); st != nil {
					return dTime(st.At - unixEpochOffset)
				}
				return datum.Null
			}},
		)
	}
	defineColumnStats(r)
}

// unixEpochOffset is 2000-01-01 in Unix microseconds.
const unixEpochOffset = 946684800 * 1_000_000

// columnStat is a row of pg_stats and pg_statistic.
type columnStat struct {
	t *catalog.Table
	c *catalog.Column
	s *catalog.ColumnStats
}

func columnStats(nameKey, oidKey string) func(*query, func(*columnStat) error) error {
	return func(q *query, emit func(*columnStat) error) error {
		name, byName := q.wantText(nameKey)
		oid, byOID := q.wantOID(oidKey)
		for t := range q.Snapshot.Tables() {
			st := q.stats(t)
			if st == nil || byName && t.Name != name || byOID && t.OID != oid {
				continue
			}
			for _, c := range t.Columns {
				if cs := st.Column(c.ID); cs != nil && c.Visible() && st.Rows > 0 {
					if err := emit(&columnStat{t, c, cs}); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
}

// values is an array of sample values, NULL when there are none.
func (s *columnStat) values(vs []catalog.Value) datum.Datum {
	if len(vs) == 0 {
		return datum.Null
	}
	elems := make([]datum.Datum, len(vs))
	for i, v := range vs {
		elems[i] = v.Datum
	}
	return dArray(s.c.Type.OID, elems)
}

func floats(fs []float64) datum.Datum {
	if len(fs) == 0 {
		return datum.Null
	}
	elems := make([]datum.Datum, len(fs))
	for i, f := range fs {
		elems[i] = datum.NewFloat(float64(float32(f)))
	}
	return dArray(datum.OIDFloat4, elems)
}

func float4(f float64) datum.Datum { return datum.NewFloat(float64(float32(f))) }

func defineColumnStats(r *registry) {
	type T = columnStat
	produce(r, "pg_catalog.pg_stats", "tablename", columnStats("tablename", ""),
		col[T]{"schemaname", func(q *query, s *T) datum.Datum { return schemaCol(q, s.t) }},
		col[T]{"tablename", func(_ *query, s *T) datum.Datum { return dText(s.t.Name) }},
		col[T]{"attname", func(_ *query, s *T) datum.Datum { return dText(s.c.Name) }},
		col[T]{"inherited", func(*query, *T) datum.Datum { return dBool(false) }},
		col[T]{"null_frac", func(_ *query, s *T) datum.Datum { return float4(s.s.NullFrac) }},
		col[T]{"avg_width", func(_ *query, s *T) datum.Datum { return dInt(s.s.Width) }},
		col[T]{"n_distinct", func(_ *query, s *T) datum.Datum { return float4(s.s.Distinct) }},
		col[T]{"most_common_vals", func(_ *query, s *T) datum.Datum { return s.values(s.s.Common) }},
		col[T]{"most_common_freqs", func(_ *query, s *T) datum.Datum { return floats(s.s.CommonFreq) }},
		col[T]{"histogram_bounds", func(_ *query, s *T) datum.Datum { return s.values(s.s.Histogram) }},
		col[T]{"correlation", func(_ *query, s *T) datum.Datum { return float4(s.s.Correlation) }},
	)
	produce(r, "pg_catalog.pg_statistic", "starelid", columnStats("", "starelid"),
		col[T]{"starelid", func(_ *query, s *T) datum.Datum { return dInt(s.t.OID) }},
		col[T]{"staattnum", func(_ *query, s *T) datum.Datum { return dInt(s.c.Attnum) }},
		col[T]{"stanullfrac", func(_ *query, s *T) datum.Datum { return float4(s.s.NullFrac) }},
		col[T]{"stawidth", func(_ *query, s *T) datum.Datum { return dInt(s.s.Width) }},
		col[T]{"stadistinct", func(_ *query, s *T) datum.Datum { return float4(s.s.Distinct) }},
	)
}
