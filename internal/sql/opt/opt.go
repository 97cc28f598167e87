// Package opt turns bound queries into physical plans.
//
// The way is: rewrite (fold constants, pull subqueries up into joins, push conditions down, reduce outer joins), then
// plan bottom-up by cost: access paths of tables, join order and methods, aggregation and sorting. Both work on columns
// known by id; the last step, lowering, turns ids into positions of rows and slots.
//
// The costs are PostgreSQL's idea with our own weights: one unit is a sequential page fetch, a row that is scanned costs a
// hundredth of it, a row that is looked up by key several times as much, and a request to storage a fixed amount.
package opt

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// Settings is what planning depends on beside the query. The zero value of a switch is PostgreSQL's default.
type Settings struct {
	Facts    *builtin.Facts
	Snapshot *catalog.Snapshot
	// Context is used to fold calls of immutable functions; nil folds nothing.
	Context *builtin.Context
	// IndexExprs binds the expressions and predicate of an index for columns from base on (bind.IndexExprs); nil when
	// indexes over expressions and partial ones are to be left alone.
	IndexExprs func(t *catalog.Table, x *catalog.Index, base plan.ColID) (keys []plan.Expr, pred plan.Expr, err error)
	// Rules binds the rules for new rows of a table that a foreign key's action changes (bind.Rules), Default the default
	// of a column (bind.Default).
	Rules   func(t *catalog.Table, base plan.ColID) (plan.BoundRules, error)
	Default func(c *catalog.Column) (plan.Expr, error)
	// SpanBytes says about how many bytes on disk a span takes; nil knows nothing.
	SpanBytes func(span keys.Span) (int64, error)

	DisableHashJoin, DisableNestLoop, DisableMergeJoin bool
	DisableIndexScan, DisableIndexOnlyScan             bool
	DisableSeqScan, DisableSort, DisableHashAgg        bool
}

// Plan makes a physical plan of a bound statement. The result keeps nothing of the settings.
func Plan(b *plan.BoundStmt, set *Settings) (stmt *plan.Statement, err error) {
	p := &planner{set: set, facts: set.Facts, nextCol: b.NextCol, bound: b}
	defer p.recover(&err)
	stmt = &plan.Statement{Kind: b.Kind, Params: b.Params, ReadOnly: b.ReadOnly, Objects: b.Objects, Privileges: b.Privileges}
	stmt.Root = p.statement(b)
	stmt.NumSlots = p.nextSlot
	if len(p.depends) > 0 {
		stmt.Objects = append(slices.Clip(stmt.Objects), p.depends...)
		slices.Sort(stmt.Objects)
		stmt.Objects = slices.Compact(stmt.Objects)
	}
	return stmt, nil
}

// planner is the state of planning one statement.
type planner struct {
	set      *Settings
	facts    *builtin.Facts
	bound    *plan.BoundStmt
	nextCol  plan.ColID
	nextSlot int
	// outer are the slots of columns of enclosing queries.
	outer map[plan.ColID]int
	// alias maps a column that merely renames another to it.
	alias    map[plan.ColID]plan.ColID
	ctes     map[int]*ctePlan
	subplans int
	initial  int
	// refs are the plans of foreign keys' actions, depends the tables that the plan depends on beside those bound.
	refs    map[refKey]*plan.Statement
	depends []datum.OID
	guessed map[keys.TableID]float64
}

// thrown carries an error to Plan.
type thrown struct{ err error }

func (p *planner) recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case thrown:
		*err = r.err
	default:
		panic(r)
	}
}

func (p *planner) fail(format string, args ...any) {
	panic(thrown{failure.New(failure.InternalError, format, args...)})
}

func (p *planner) must(err error) {
	if err != nil {
		panic(thrown{err})
	}
}

// phys is a planned relation: an operator, the ids of its output columns by position, and the order of its rows.
type phys struct {
	node  plan.Node
	cols  []plan.ColID
	order []plan.RelOrder
	// distinct, when set, are columns that together are unique.
	unique []plan.ColID
}

func (f *phys) est() *plan.Estimate { return f.node.Estimate() }

// position finds a column.
func (f *phys) position(id plan.ColID) int { return slices.Index(f.cols, id) }

// statement plans the statement's root.
func (p *planner) statement(b *plan.BoundStmt) plan.Node {
	if b.DML != nil {
		return p.dmlWith(b)
	}
	f := p.query(b.Query)
	return f.node
}

// query plans a query with exactly its output columns, in their order and with their names.
func (p *planner) query(q *plan.Query) *phys {
	rel := p.rewrite(q.Rel)
	var need colSet
	for _, c := range q.Cols {
		need.add(p.id(c.ID))
	}
	f := p.rel(rel, need, nil)
	return p.output(f, q.Cols)
}

// output puts a projection on top when the columns are not exactly the wanted ones, and sets names.
func (p *planner) output(f *phys, cols []plan.OutCol) *phys {
	infos := make([]plan.ColumnInfo, len(cols))
	ids := make([]plan.ColID, len(cols))
	same := len(f.cols) == len(cols)
	for i, c := range cols {
		infos[i], ids[i] = c.ColumnInfo, p.id(c.ID)
		same = same && f.cols[i] == ids[i]
	}
	if same {
		setColumns(f.node, infos)
		return f
	}
	exprs := make([]plan.Expr, len(cols))
	for i, id := range ids {
		at := f.position(id)
		if at < 0 {
			if slot, ok := p.outer[id]; ok {
				exprs[i] = &plan.OuterParam{Slot: slot, Typ: cols[i].Type, Name: cols[i].Name}
				continue
			}
			p.fail("column %d (%s) is lost in planning", id, cols[i].Name)
		}
		exprs[i] = &plan.Column{Index: at, Typ: f.node.Columns()[at].Type, Name: f.node.Columns()[at].Name}
	}
	est := *f.est()
	est.Total += est.Rows * cpuTuple / 2
	n := &plan.Project{Props: plan.Props{Cols: infos, Est: est}, Input: f.node, Exprs: exprs}
	return &phys{node: n, cols: ids, order: f.order, unique: f.unique}
}

// setColumns names the output columns of an operator that is not shared with anything yet.
func setColumns(n plan.Node, infos []plan.ColumnInfo) {
	cols := n.Columns()
	copy(cols, infos)
}

// id resolves a renamed column.
func (p *planner) id(id plan.ColID) plan.ColID {
	for {
		to, ok := p.alias[id]
		if !ok {
			return id
		}
		id = to
	}
}

// props makes the properties of an operator.
func props(cols []plan.ColumnInfo, startup, total, rows float64) plan.Props {
	w := 0
	for _, c := range cols {
		w += width(c.Type)
	}
	return plan.Props{Cols: cols, Est: plan.Estimate{Startup: startup, Total: total, Rows: max(rows, 1), Width: w}}
}

// width guesses the bytes of a value.
func width(t datum.Type) int {
	switch t.OID {
	case datum.OIDBool:
		return 1
	case datum.OIDInt2:
		return 2
	case datum.OIDInt4, datum.OIDDate, datum.OIDFloat4, datum.OIDOid:
		return 4
	case datum.OIDInt8, datum.OIDFloat8, datum.OIDTimestamp, datum.OIDTimestampTZ, datum.OIDTime:
		return 8
	case datum.OIDUUID, datum.OIDInterval:
		return 16
	case datum.OIDVarchar, datum.OIDBpchar:
		if t.Mod > 4 && t.Mod < 64 {
			return int(t.Mod)
		}
	}
	return 32
}
