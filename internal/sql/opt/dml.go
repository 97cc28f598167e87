package opt

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// dmlWith plans a data change with its CTEs.
func (p *planner) dmlWith(b *plan.BoundStmt) plan.Node {
	if len(b.With) == 0 {
		return p.dml(b)
	}
	ctes := p.planCTEs(b.With)
	n := p.dml(b)
	if len(ctes) == 0 {
		return n
	}
	return p.withNode(ctes, n)
}

func (p *planner) dml(b *plan.BoundStmt) plan.Node {
	old := p.bound
	p.bound = b
	defer func() { p.bound = old }()
	switch b.Kind {
	case plan.KindInsert:
		return p.insert(b)
	case plan.KindUpdate:
		return p.update(b)
	case plan.KindDelete:
		return p.delete(b)
	case plan.KindMerge:
		return p.merge(b)
	}
	p.fail("cannot plan statement kind %d", b.Kind)
	return nil
}

// rowLayout is the layout of a table row whose columns have ids from base on.
func rowLayout(t *catalog.Table, base plan.ColID) layout {
	l := make(layout, len(t.Columns))
	for i := range l {
		l[i] = base + plan.ColID(i)
	}
	return l
}

func (p *planner) dmlProps(d *plan.BoundDML, src plan.Node) plan.Props {
	var infos []plan.ColumnInfo
	for _, c := range d.Returning {
		infos = append(infos, c.ColumnInfo)
	}
	est := *src.Estimate()
	if infos == nil {
		est.Rows, est.Width = 0, 0
	}
	return plan.Props{Cols: infos, Est: est}
}

// returning lowers RETURNING; nil when there is none.
func (p *planner) returning(d *plan.BoundDML, l layout) []plan.Expr {
	if d.Returning == nil {
		return nil
	}
	out := make([]plan.Expr, len(d.Exprs))
	for i, e := range d.Exprs {
		out[i] = p.lower(p.fold(e), l)
	}
	return out
}

// rules lowers what new rows must obey. set are the ordinals that change, nil for all.
func (p *planner) rules(d *plan.BoundDML, set []int) plan.RowRules {
	l := rowLayout(d.Table, d.NewBase)
	var r plan.RowRules
	for _, g := range d.Rules.Generated {
		r.Generated = append(r.Generated, plan.ColumnExpr{Ordinal: g.Ordinal, Expr: p.lower(p.fold(g.Expr), l)})
	}
	for _, c := range d.Rules.Checks {
		r.Checks = append(r.Checks, plan.CheckExpr{Name: c.Name, Expr: p.lower(p.fold(c.Expr), l)})
	}
	for _, c := range d.Rules.ViewChecks {
		r.ViewChecks = append(r.ViewChecks, plan.CheckExpr{Name: c.Name, Expr: p.lower(p.fold(c.Expr), l)})
	}
	for _, x := range d.Rules.Indexes {
		r.Indexes = append(r.Indexes, p.indexRule(x, l))
	}
	r.ForeignKeys = p.foreignKeys(d.Table, set)
	return r
}

func (p *planner) indexRule(x plan.BoundIndex, l layout) plan.IndexExpr {
	out := plan.IndexExpr{Index: x.Index}
	if x.Keys != nil {
		out.Keys = make([]plan.Expr, len(x.Keys))
		for i, k := range x.Keys {
			if k != nil {
				out.Keys[i] = p.lower(p.fold(k), l)
			}
		}
	}
	if x.Pred != nil {
		out.Pred = p.lower(p.fold(x.Pred), l)
	}
	return out
}

func (p *planner) insert(b *plan.BoundStmt) plan.Node {
	d := b.DML
	src := p.query(b.Query)
	n := &plan.Insert{Props: p.dmlProps(d, src.node), Table: d.Table, Source: src.node, Alias: d.Alias}
	n.Rules = p.rules(d, nil)
	n.Returning = p.returning(d, rowLayout(d.Table, d.NewBase))
	if d.Conflict != plan.ConflictError {
		n.OnConflict = p.onConflict(d)
	}
	return n
}

func (p *planner) onConflict(d *plan.BoundDML) *plan.OnConflict {
	c := &plan.OnConflict{Kind: d.Conflict, Arbiters: d.Arbiters}
	if d.Conflict != plan.ConflictUpdate {
		return c
	}
	l := append(rowLayout(d.Table, d.OldBase), rowLayout(d.Table, d.ExclBase)...)
	var set []int
	for _, s := range d.ConflictSet {
		set = append(set, s.Ordinal)
		c.Set = append(c.Set, plan.ColumnExpr{Ordinal: s.Ordinal, Expr: p.lower(p.fold(s.Expr), l)})
	}
	if d.ConflictWhere != nil {
		c.Where = p.lower(p.fold(d.ConflictWhere), l)
	}
	rules := p.rules(d, set)
	rules.References = p.references(d.Table, plan.KindUpdate, set)
	c.Update = &rules
	return c
}

// source plans the rows that an update or delete works on: the target's row first, in table order, then whatever else
// the expressions mention.
func (p *planner) source(b *plan.BoundStmt, exprs []plan.Expr) *phys {
	d := b.DML
	n := len(d.Table.Columns)
	cols := make([]plan.OutCol, n, n+4)
	for i, c := range d.Table.Columns {
		cols[i] = plan.OutCol{ID: d.Scan.Base + plan.ColID(i), ColumnInfo: plan.ColumnInfo{Name: c.Name, Type: c.Type}}
	}
	return p.sourceOf(b, cols, exprs)
}

// sourceOf is source with the first columns given.
func (p *planner) sourceOf(b *plan.BoundStmt, cols []plan.OutCol, exprs []plan.Expr) *phys {
	rel := p.rewrite(b.Query.Rel)
	cols = slices.Clip(cols)
	var need, have colSet
	for _, c := range cols {
		need.add(c.ID)
		have.add(c.ID)
	}
	avail := outputs(rel)
	for _, e := range exprs {
		for _, id := range p.cols(e).list() {
			if have.has(id) || !avail.has(id) {
				continue
			}
			have.add(id)
			need.add(id)
			v := findVar(e, id, p)
			cols = append(cols, plan.OutCol{ID: id, ColumnInfo: plan.ColumnInfo{Name: v.Name, Type: v.Typ}})
		}
	}
	return p.output(p.rel(rel, need, nil), cols)
}

func findVar(e plan.Expr, id plan.ColID, p *planner) *plan.Var {
	var found *plan.Var
	plan.WalkDeep(e, func(x plan.Expr) {
		if v, ok := x.(*plan.Var); ok && p.id(v.ID) == id {
			found = v
		}
	})
	if found == nil {
		return &plan.Var{ID: id, Typ: datum.T(datum.OIDUnknown)}
	}
	return found
}

func (p *planner) update(b *plan.BoundStmt) plan.Node {
	d := b.DML
	var exprs []plan.Expr
	set := make([]int, len(d.Set))
	for i, s := range d.Set {
		set[i] = s.Ordinal
		exprs = append(exprs, p.fold(s.Expr))
	}
	src := p.source(b, append(slices.Clone(exprs), d.Exprs...))
	n := &plan.Update{Props: p.dmlProps(d, src.node), Table: d.Table, Source: src.node, Alias: d.Alias}
	for i, s := range d.Set {
		n.Set = append(n.Set, plan.ColumnExpr{Ordinal: s.Ordinal, Expr: p.lower(exprs[i], src.cols)})
	}
	n.Rules = p.rules(d, set)
	n.Rules.References = p.references(d.Table, plan.KindUpdate, set)
	if d.Returning != nil {
		l := append(rowLayout(d.Table, d.NewBase), src.cols[len(d.Table.Columns):]...)
		n.Returning = p.returning(d, l)
	}
	return n
}

func (p *planner) delete(b *plan.BoundStmt) plan.Node {
	d := b.DML
	src := p.source(b, d.Exprs)
	n := &plan.Delete{Props: p.dmlProps(d, src.node), Table: d.Table, Source: src.node, Alias: d.Alias}
	l := rowLayout(d.Table, d.NewBase)
	for _, x := range d.Rules.Indexes {
		n.Rules.Indexes = append(n.Rules.Indexes, p.indexRule(x, l))
	}
	n.Rules.References = p.references(d.Table, plan.KindDelete, nil)
	n.Returning = p.returning(d, src.cols)
	return n
}

// ordinals turns column ids into positions in Table.Columns.
func ordinals(t *catalog.Table, ids []uint32) []int {
	out := make([]int, len(ids))
	for i, id := range ids {
		_, out[i] = t.ColumnByID(id)
	}
	return out
}

// foreignKeys are the checks for a table's own foreign keys whose columns are set.
func (p *planner) foreignKeys(t *catalog.Table, set []int) []plan.ForeignKeyCheck {
	var out []plan.ForeignKeyCheck
	for _, fk := range t.ForeignKeys {
		cols := ordinals(t, fk.Columns)
		if set != nil && !slices.ContainsFunc(cols, func(o int) bool { return slices.Contains(set, o) || t.Columns[o].Generated }) {
			continue
		}
		parent := p.set.Snapshot.TableByOID(fk.RefTable)
		if parent == nil {
			p.fail("foreign key \"%s\" refers to a table that is gone", fk.Name)
		}
		p.depend(parent.OID)
		out = append(out, plan.ForeignKeyCheck{Name: fk.Name, Cols: cols, Parent: parent, Index: parent.IndexByOID(fk.RefIndex),
			ParentCols: ordinals(parent, fk.RefColumns), MatchFull: fk.MatchFull, Deferrable: fk.Deferrable,
			InitiallyDeferred: fk.InitDeferred})
	}
	return out
}

// depend notes that the plan depends on another table.
func (p *planner) depend(oid datum.OID) {
	if !slices.Contains(p.depends, oid) {
		p.depends = append(p.depends, oid)
	}
}

// references are the foreign keys that point at a table and are touched by a write.
func (p *planner) references(t *catalog.Table, kind plan.StatementKind, set []int) []plan.Reference {
	var out []plan.Reference
	for _, in := range t.Inbound {
		child := p.set.Snapshot.TableByOID(in.Table)
		if child == nil {
			continue
		}
		fk := child.ForeignKeyByOID(in.Key)
		if fk == nil {
			continue
		}
		cols := ordinals(t, fk.RefColumns)
		if set != nil && !slices.ContainsFunc(cols, func(o int) bool { return slices.Contains(set, o) || t.Columns[o].Generated }) {
			continue
		}
		p.depend(child.OID)
		action := refAction(fk, kind)
		ref := plan.Reference{Name: fk.Name, Child: child, ChildCols: ordinals(child, fk.Columns), Cols: cols, Action: action,
			Deferrable: fk.Deferrable, InitiallyDeferred: fk.InitDeferred, Plan: p.referencePlan(t, child, fk, kind, action)}
		if action == plan.RefSetDefault {
			ref.Recheck = p.referencePlan(t, child, fk, kind, plan.RefNoAction)
		}
		out = append(out, ref)
	}
	return out
}

func refAction(fk *catalog.ForeignKey, kind plan.StatementKind) plan.RefAction {
	a := fk.OnDelete
	if kind == plan.KindUpdate {
		a = fk.OnUpdate
	}
	return map[catalog.FKAction]plan.RefAction{catalog.FKNoAction: plan.RefNoAction, catalog.FKRestrict: plan.RefRestrict,
		catalog.FKCascade: plan.RefCascade, catalog.FKSetNull: plan.RefSetNull, catalog.FKSetDefault: plan.RefSetDefault}[a]
}

type refKey struct {
	fk     datum.OID
	kind   plan.StatementKind
	action plan.RefAction
}

// referencePlan plans what a foreign key does when a row of its parent goes away or changes. Keys may refer to each
// other in circles: a plan is known before it is finished.
func (p *planner) referencePlan(parent, child *catalog.Table, fk *catalog.ForeignKey, kind plan.StatementKind,
	action plan.RefAction) *plan.Statement {
	key := refKey{fk.OID, kind, action}
	if st := p.refs[key]; st != nil {
		return st
	}
	if p.refs == nil {
		p.refs = make(map[refKey]*plan.Statement)
	}
	st := &plan.Statement{}
	p.refs[key] = st
	n := len(fk.Columns)
	q := &planner{set: p.set, facts: p.facts, nextCol: 1, refs: p.refs, depends: p.depends, bound: &plan.BoundStmt{}, nextSlot: 2 * n}
	scan := &plan.RelScan{Table: child, Alias: child.Name, Base: 1}
	q.nextCol += plan.ColID(2 * len(child.Columns))
	cols, parentCols := ordinals(child, fk.Columns), ordinals(parent, fk.RefColumns)
	conds := make([]plan.Expr, n)
	for i := range cols {
		c, pc := child.Columns[cols[i]], parent.Columns[parentCols[i]]
		conds[i] = q.equality(&plan.Var{ID: 1 + plan.ColID(cols[i]), Typ: c.Type, Name: c.Name},
			&plan.OuterParam{Slot: i, Typ: pc.Type, Name: pc.Name})
	}
	q.bound.Query = &plan.Query{Rel: scan}
	switch action {
	case plan.RefNoAction, plan.RefRestrict:
		var need colSet
		for i := range child.Columns {
			need.add(1 + plan.ColID(i))
		}
		st.Root = q.scan(scan, conds, need, nil).node
	default:
		st.Root = q.referenceChange(child, fk, kind, scan, conds)
	}
	st.NumSlots = q.nextSlot
	p.depends = q.depends
	return st
}

// equality compares two values by the default equality of their types.
func (p *planner) equality(a, b plan.Expr) plan.Expr {
	r, err := p.facts.ResolveOperator("", "=", a.Type().OID, b.Type().OID)
	p.must(err)
	coerce := func(e plan.Expr, to datum.OID) plan.Expr {
		if e.Type().OID == to || p.facts.BaseType(e.Type().OID) == to {
			return e
		}
		c, ok := p.facts.FindCast(e.Type().OID, to, 0)
		if !ok || c.Func == nil {
			return &plan.Cast{Kind: plan.CastRelabel, Arg: e, Typ: datum.T(to), Implicit: true}
		}
		return &plan.Cast{Kind: plan.CastFunc, Fn: c.Func, Arg: e, Typ: datum.T(to), Implicit: true}
	}
	return &plan.FuncCall{Fn: r.Op.Func, Op: "=", Typ: datum.T(datum.OIDBool),
		Args: []plan.Expr{coerce(a, r.Left), coerce(b, r.Right)}}
}

// referenceChange plans ON DELETE CASCADE and the other actions that write.
func (p *planner) referenceChange(child *catalog.Table, fk *catalog.ForeignKey, kind plan.StatementKind, scan *plan.RelScan,
	conds []plan.Expr) plan.Node {
	scan.Target = true
	src := p.scan(scan, conds, nil, nil)
	outs := make([]plan.OutCol, len(child.Columns))
	for i, c := range child.Columns {
		outs[i] = plan.OutCol{ID: scan.Base + plan.ColID(i), ColumnInfo: plan.ColumnInfo{Name: c.Name, Type: c.Type}}
	}
	src = p.output(src, outs)
	action := refAction(fk, kind)
	d := &plan.BoundDML{Table: child, Alias: child.Name, Scan: scan, NewBase: scan.Base + plan.ColID(len(child.Columns))}
	if p.set.Rules != nil {
		rules, err := p.set.Rules(child, d.NewBase)
		p.must(err)
		d.Rules = rules
	}
	if kind == plan.KindDelete && action == plan.RefCascade {
		del := &plan.Delete{Props: p.dmlProps(d, src.node), Table: child, Source: src.node, Alias: child.Name}
		for _, x := range d.Rules.Indexes {
			del.Rules.Indexes = append(del.Rules.Indexes, p.indexRule(x, rowLayout(child, d.NewBase)))
		}
		del.Rules.References = p.references(child, plan.KindDelete, nil)
		return del
	}
	cols := ordinals(child, fk.Columns)
	if len(fk.OnDeleteColumns) > 0 && kind == plan.KindDelete {
		cols = ordinals(child, fk.OnDeleteColumns)
	}
	up := &plan.Update{Props: p.dmlProps(d, src.node), Table: child, Source: src.node, Alias: child.Name}
	for i, o := range cols {
		c := child.Columns[o]
		var x plan.Expr = &plan.Const{Typ: c.Type}
		switch action {
		case plan.RefCascade:
			x = &plan.OuterParam{Slot: len(fk.Columns) + i, Typ: c.Type, Name: c.Name}
		case plan.RefSetDefault:
			if p.set.Default != nil {
				def, err := p.set.Default(c)
				p.must(err)
				x = p.lower(p.fold(def), nil)
			}
		}
		up.Set = append(up.Set, plan.ColumnExpr{Ordinal: o, Expr: x})
	}
	up.Rules = p.rules(d, cols)
	if action == plan.RefCascade {
		// The parent has the new values: it is what the change came from.
		up.Rules.ForeignKeys = slices.DeleteFunc(up.Rules.ForeignKeys, func(f plan.ForeignKeyCheck) bool { return f.Name == fk.Name })
	}
	up.Rules.References = p.references(child, plan.KindUpdate, cols)
	return up
}
