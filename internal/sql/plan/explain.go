package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// ExplainOptions says what EXPLAIN shows.
type ExplainOptions struct {
	Costs   bool
	Verbose bool
	Facts   *builtin.Facts
	Env     *datum.Env
	// Actual returns the measurements of an operator for EXPLAIN ANALYZE, nil without it.
	Actual func(n Node) *ExplainActual
	Timing bool
}

// ExplainActual is what was measured of an operator.
type ExplainActual struct {
	// StartupMS and TotalMS are milliseconds per loop, Rows are per loop.
	StartupMS, TotalMS float64
	Rows               float64
	Loops              int64
}

// explained is an operator ready to be printed.
type explained struct {
	node     Node
	kind     string // PostgreSQL's node type
	title    string
	table    string
	alias    string
	index    string
	attrs    []attr
	children []*explained
	// label stands before the node: "InitPlan 1 (returns $0)", "CTE x".
	label string
}

type attr struct {
	name string
	text string
	list []string
}

func (x *explained) add(name, text string) {
	if text != "" {
		x.attrs = append(x.attrs, attr{name: name, text: text})
	}
}

// explainer builds the tree.
type explainer struct {
	o      ExplainOptions
	prefix bool // columns are shown with their table's alias
}

// Explain prints a plan in PostgreSQL's text format, a line each.
func Explain(s *Statement, o ExplainOptions) []string {
	x := &explainer{o: o, prefix: countScans(s.Root) > 1 || o.Verbose}
	root := x.node(s.Root)
	var out []string
	x.text(&out, root, 0)
	return out
}

func countScans(n Node) int {
	c := 0
	switch n.(type) {
	case *Scan, *PointGet, *BatchGet, *SystemScan, *FunctionScan, *CTEScan, *WorkTableScan, *LookupJoin:
		c = 1
	}
	for _, ch := range n.Children() {
		c += countScans(ch)
	}
	return c
}

// text prints a node and what is below it. indent is in steps of two blanks.
func (x *explainer) text(out *[]string, e *explained, indent int) {
	if e.label != "" {
		*out = append(*out, strings.Repeat("  ", indent)+e.label)
		indent++
	}
	line := ""
	if indent > 0 {
		line = strings.Repeat("  ", indent) + "->  "
		indent += 2
	}
	*out = append(*out, line+e.title+x.costs(e.node)+x.actual(e.node))
	indent++
	body := strings.Repeat("  ", indent)
	for _, a := range e.attrs {
		text := a.text
		if a.list != nil {
			text = strings.Join(a.list, ", ")
		}
		*out = append(*out, body+a.name+": "+text)
	}
	for _, c := range e.children {
		x.text(out, c, indent)
	}
}

func (x *explainer) costs(n Node) string {
	if !x.o.Costs || n == nil {
		return ""
	}
	e := n.Estimate()
	return fmt.Sprintf("  (cost=%.2f..%.2f rows=%.0f width=%d)", e.Startup, e.Total, e.Rows, e.Width)
}

func (x *explainer) actual(n Node) string {
	if x.o.Actual == nil || n == nil {
		return ""
	}
	a := x.o.Actual(n)
	if a == nil || a.Loops == 0 {
		return " (never executed)"
	}
	if !x.o.Timing {
		return fmt.Sprintf(" (actual rows=%.0f loops=%d)", a.Rows, a.Loops)
	}
	return fmt.Sprintf(" (actual time=%.3f..%.3f rows=%.0f loops=%d)", a.StartupMS, a.TotalMS, a.Rows, a.Loops)
}

// deparser prints expressions of an operator whose input row comes from the given operators.
func (x *explainer) deparser(inputs ...Node) *Deparser {
	d := &Deparser{Facts: x.o.Facts, Env: x.o.Env}
	d.Column = func(c *Column) string {
		i := c.Index
		for _, in := range inputs {
			n := len(in.Columns())
			if i < n {
				return x.columnName(in, i)
			}
			i -= n
		}
		return builtin.QuoteIdent(c.Name)
	}
	return d
}

// columnName follows a column down to where it comes from.
func (x *explainer) columnName(n Node, i int) string {
	switch n := n.(type) {
	case *Scan:
		return x.tableColumn(n.Alias, n.Cols[i].Name)
	case *PointGet:
		return x.tableColumn(n.Alias, n.Cols[i].Name)
	case *BatchGet:
		return x.tableColumn(n.Alias, n.Cols[i].Name)
	case *SystemScan:
		return x.tableColumn(n.Alias, n.Cols[i].Name)
	case *CTEScan:
		return x.tableColumn(n.Name, n.Cols[i].Name)
	case *WorkTableScan:
		return x.tableColumn(n.Name, n.Cols[i].Name)
	case *FunctionScan:
		return x.tableColumn(n.Alias, n.Cols[i].Name)
	case *Values:
		return x.tableColumn("*VALUES*", "column"+strconv.Itoa(i+1))
	case *Project:
		return x.deparser(n.Input).Expr(n.Exprs[i])
	case *ProjectSet:
		return x.deparser(n.Input).Expr(n.Exprs[i])
	case *Result:
		return x.deparser().Expr(n.Exprs[i])
	case *LookupJoin:
		if w := len(n.Input.Columns()); i < w {
			return x.columnName(n.Input, i)
		}
		return x.tableColumn(n.Alias, n.Cols[i].Name)
	case *Agg:
		return x.aggColumn(n, i)
	case *WindowAgg:
		if w := len(n.Input.Columns()); i >= w {
			return x.windowCall(n, n.Calls[i-w])
		}
	case *Append, *SetOp, *RecursiveUnion, *Insert, *Update, *Delete, *Merge:
		return builtin.QuoteIdent(n.Columns()[i].Name)
	}
	if n, ok := n.(*With); ok {
		return x.columnName(n.Input, i)
	}
	for _, c := range n.Children() {
		if w := len(c.Columns()); i < w {
			return x.columnName(c, i)
		} else {
			i -= w
		}
	}
	return "?"
}

func (x *explainer) tableColumn(alias, name string) string {
	if x.prefix && alias != "" {
		return builtin.QuoteIdent(alias) + "." + builtin.QuoteIdent(name)
	}
	return builtin.QuoteIdent(name)
}

func (x *explainer) aggColumn(n *Agg, i int) string {
	if i < len(n.Groups) {
		return x.columnName(n.Input, n.Groups[i])
	}
	if i -= len(n.Groups); i < len(n.Aggs) {
		return x.aggCall(n, n.Aggs[i])
	}
	return "GROUPING()"
}

func (x *explainer) aggCall(n *Agg, a *AggCall) string {
	d := x.deparser(n.Input)
	args := make([]string, len(a.Args))
	for i, e := range a.Args {
		args[i] = d.Expr(e)
	}
	s := builtin.QuoteIdent(a.Fn.Name) + "("
	switch {
	case a.Star:
		s += "*"
	case a.Distinct:
		s += "DISTINCT "
	}
	s += strings.Join(args, ", ") + ")"
	if a.Filter != nil {
		s += " FILTER (WHERE " + d.Expr(a.Filter) + ")"
	}
	return s
}

func (x *explainer) windowCall(n *WindowAgg, c *WindowCall) string {
	d := x.deparser(n.Input)
	args := make([]string, len(c.Args))
	for i, e := range c.Args {
		args[i] = d.Expr(e)
	}
	if c.Star {
		args = []string{"*"}
	}
	return builtin.QuoteIdent(c.Fn.Name) + "(" + strings.Join(args, ", ") + ") OVER (?)"
}

// subplans adds the plans of subqueries in expressions as children.
func (x *explainer) subplans(e *explained, exprs ...Expr) {
	for _, ex := range exprs {
		Walk(ex, func(y Expr) bool {
			if s, ok := y.(*SubPlan); ok {
				c := x.node(s.Plan)
				c.label = s.Name
				e.children = append(e.children, c)
			}
			return true
		})
	}
}

func on(t *catalog.Table, alias string) string {
	s := " on " + builtin.QuoteIdent(t.Name)
	if alias != "" && alias != t.Name {
		s += " " + builtin.QuoteIdent(alias)
	}
	return s
}

// sortKeys prints the keys of an ordering.
func (x *explainer) sortKeys(in Node, keys []SortKey) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		s := x.columnName(in, k.Index)
		if k.Desc {
			s += " DESC"
		}
		if k.NullsFirst != k.Desc {
			s += pick(k.NullsFirst, " NULLS FIRST", " NULLS LAST")
		}
		out[i] = s
	}
	return out
}

func (x *explainer) columns(in Node, at []int) []string {
	out := make([]string, len(at))
	for i, c := range at {
		out[i] = x.columnName(in, c)
	}
	return out
}

// both joins two conditions for display.
func both(a, b Expr) Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	var list []Expr
	for _, e := range []Expr{a, b} {
		if and, ok := e.(*And); ok {
			list = append(list, and.Args...)
		} else {
			list = append(list, e)
		}
	}
	return &And{Args: list}
}
