package plan

import (
	"encoding/json"
	"strconv"
	"strings"
)

// ExplainJSON prints a plan in PostgreSQL's JSON format. extra are members of the outer object after "Plan", in order,
// as names and JSON texts.
func ExplainJSON(s *Statement, o ExplainOptions, extra ...[2]string) string {
	x := &explainer{o: o, prefix: countScans(s.Root) > 1 || o.Verbose}
	var b strings.Builder
	b.WriteString("[\n  {\n    \"Plan\": ")
	x.json(&b, x.node(s.Root), "", "    ")
	for _, m := range extra {
		b.WriteString(",\n    " + quoteJSON(m[0]) + ": " + m[1])
	}
	b.WriteString("\n  }\n]")
	return b.String()
}

func quoteJSON(s string) string {
	q, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(q)
}

func (x *explainer) json(b *strings.Builder, e *explained, relation, indent string) {
	in := indent + "  "
	first := true
	member := func(name, value string) {
		if !first {
			b.WriteString(",")
		}
		first = false
		b.WriteString("\n" + in + quoteJSON(name) + ": " + value)
	}
	text := func(name, value string) {
		if value != "" {
			member(name, quoteJSON(value))
		}
	}
	b.WriteString("{")
	text("Node Type", e.kind)
	text("Parent Relationship", relation)
	text("Subplan Name", e.label)
	member("Parallel Aware", "false")
	member("Async Capable", "false")
	text("Index Name", e.index)
	text("Relation Name", e.table)
	text("Alias", e.alias)
	if x.o.Costs && e.node != nil {
		c := e.node.Estimate()
		member("Startup Cost", strconv.FormatFloat(c.Startup, 'f', 2, 64))
		member("Total Cost", strconv.FormatFloat(c.Total, 'f', 2, 64))
		member("Plan Rows", strconv.FormatFloat(c.Rows, 'f', 0, 64))
		member("Plan Width", strconv.Itoa(c.Width))
	}
	x.jsonActual(member, e.node)
	for _, a := range e.attrs {
		if a.list == nil {
			text(a.name, a.text)
			continue
		}
		items := make([]string, len(a.list))
		for i, s := range a.list {
			items[i] = quoteJSON(s)
		}
		member(a.name, "["+strings.Join(items, ", ")+"]")
	}
	if len(e.children) > 0 {
		member("Plans", "[")
		for i, c := range e.children {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n" + in + "  ")
			x.json(b, c, relationship(c, i), in+"  ")
		}
		b.WriteString("\n" + in + "]")
	}
	b.WriteString("\n" + indent + "}")
}

func relationship(c *explained, i int) string {
	switch {
	case strings.HasPrefix(c.label, "InitPlan") || strings.HasPrefix(c.label, "CTE"):
		return "InitPlan"
	case c.label != "":
		return "SubPlan"
	case i == 0:
		return "Outer"
	}
	return "Inner"
}

func (x *explainer) jsonActual(member func(name, value string), n Node) {
	if x.o.Actual == nil || n == nil {
		return
	}
	a := x.o.Actual(n)
	if a == nil {
		a = &ExplainActual{}
	}
	if x.o.Timing {
		member("Actual Startup Time", strconv.FormatFloat(a.StartupMS, 'f', 3, 64))
		member("Actual Total Time", strconv.FormatFloat(a.TotalMS, 'f', 3, 64))
	}
	member("Actual Rows", strconv.FormatFloat(a.Rows, 'f', 0, 64))
	member("Actual Loops", strconv.FormatInt(a.Loops, 10))
}
