package opt

import (
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// ctePlan is what is known of a planned CTE.
type ctePlan struct {
	rows float64
	def  *plan.RelCTEDef
}

// with plans the CTEs of a query, then the query.
func (p *planner) with(r *plan.RelWith, need colSet, w *wish) *phys {
	ctes := p.planCTEs(r.CTEs)
	in := p.rel(r.Input, need, w)
	if len(ctes) == 0 {
		return in
	}
	return &phys{node: p.withNode(ctes, in.node), cols: in.cols, order: in.order, unique: in.unique}
}

func (p *planner) withNode(ctes []*plan.CTE, in plan.Node) plan.Node {
	est := *in.Estimate()
	for _, c := range ctes {
		est.Total += c.Plan.Estimate().Total
		est.Startup += c.Plan.Estimate().Total
	}
	cols := append([]plan.ColumnInfo(nil), in.Columns()...)
	return &plan.With{Props: plan.Props{Cols: cols, Est: est}, CTEs: ctes, Input: in}
}

func (p *planner) planCTEs(defs []*plan.RelCTEDef) []*plan.CTE {
	if p.ctes == nil {
		p.ctes = make(map[int]*ctePlan)
	}
	var out []*plan.CTE
	for _, d := range defs {
		if inlined(d) || d.DML == nil && d.Refs == 0 && d.Recursive == nil && !d.Volatile {
			continue
		}
		c := &plan.CTE{ID: d.ID, Name: d.Name}
		switch {
		case d.DML != nil:
			c.Plan, c.Modifying = p.dml(d.DML), true
		case d.Recursive != nil:
			c.Plan = p.recursive(d)
		default:
			c.Plan = p.query(d.Query).node
		}
		p.ctes[d.ID] = &ctePlan{rows: c.Plan.Estimate().Rows, def: d}
		out = append(out, c)
	}
	return out
}

// recursive plans both terms of a recursive CTE.
func (p *planner) recursive(d *plan.RelCTEDef) plan.Node {
	l := p.query(d.Recursive.Left)
	p.ctes[d.ID] = &ctePlan{rows: l.est().Rows * 10, def: d}
	r := p.query(d.Recursive.Right)
	infos := append([]plan.ColumnInfo(nil), d.Cols...)
	rows := l.est().Rows + 10*r.est().Rows
	return &plan.RecursiveUnion{Props: props(infos, l.est().Startup, l.est().Total+10*r.est().Total, rows), ID: d.ID,
		Left: l.node, Right: r.node, All: d.Recursive.All}
}

// cte plans a mention of a CTE.
func (p *planner) cte(r *plan.RelCTE, conds []plan.Expr) *phys {
	f := &phys{}
	infos := append([]plan.ColumnInfo(nil), r.CTE.Cols...)
	for i := range infos {
		f.cols = append(f.cols, r.Base+plan.ColID(i))
	}
	rows := 100.0
	if c := p.ctes[r.CTE.ID]; c != nil {
		rows = c.rows
	}
	if r.Work {
		f.node = &plan.WorkTableScan{Props: props(infos, 0, rows*cpuTuple, rows), ID: r.CTE.ID, Name: r.Alias}
		return p.addFilter(f, conds)
	}
	sel := 1.0
	for _, c := range conds {
		sel *= guess(c)
	}
	f.node = &plan.CTEScan{Props: props(infos, 0, rows*cpuTuple, rows*sel), ID: r.CTE.ID, Name: r.Alias,
		Filter: p.lowerConj(conds, f.cols)}
	return f
}
