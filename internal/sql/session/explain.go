package session

import (
	"context"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// explain runs EXPLAIN.
func (s *Session) explain(ctx context.Context, stmt *parser.ExplainStmt, params []datum.Datum) (*execution, error) {
	o := plan.ExplainOptions{Costs: true, Facts: s.facts(), Env: s.datumEnv()}
	format, timing := "text", -1
	analyze := false
	for _, d := range stmt.Options {
		on := optionBool(d)
		switch d.Name {
		case "analyze":
			analyze = on
		case "verbose":
			o.Verbose = on
		case "costs":
			o.Costs = on
		case "timing":
			timing = 0
			if on {
				timing = 1
			}
		case "format":
			format = strings.ToLower(optionText(d))
		case "buffers", "wal", "settings", "summary", "generic_plan", "memory":
		default:
			return nil, failure.New(failure.SyntaxError, "unrecognized EXPLAIN option \"%s\"", d.Name).At(parser.CharPosition(s.sql, d.Pos))
		}
	}
	if format != "text" && format != "json" {
		return nil, failure.NotSupported("EXPLAIN (FORMAT %s)", strings.ToUpper(format))
	}
	query := stmt.Query
	if ex, ok := query.(*parser.ExecuteStmt); ok {
		p, err := s.findPrepared(ex.Name)
		if err != nil {
			return nil, err
		}
		query = p.raw.Stmt
	}
	if c, ok := query.(*parser.CreateTableAsStmt); ok {
		query = c.Query
	}
	if !plannable(query) {
		return nil, failure.NotSupported("EXPLAIN of this kind of statement")
	}
	if err := s.begun(ctx); err != nil {
		return nil, err
	}
	p, err := s.planStatement(ctx, query, s.sql, nil)
	if err != nil {
		return nil, err
	}
	if analyze {
		stats, err := s.analyzePlan(ctx, p, params)
		if err != nil {
			return nil, err
		}
		o.Actual, o.Timing = stats, timing != 0
	}
	text := datum.T(datum.OIDText)
	if format == "json" {
		doc := plan.ExplainJSON(p, o)
		return table("EXPLAIN", []Column{s.column("QUERY PLAN", datum.T(datum.OIDJSON))}, [][]datum.Datum{{datum.NewText(doc)}}), nil
	}
	var rows [][]datum.Datum
	for _, line := range plan.Explain(p, o) {
		rows = append(rows, []datum.Datum{datum.NewText(line)})
	}
	return table("EXPLAIN", []Column{s.column("QUERY PLAN", text)}, rows), nil
}

func optionBool(d *parser.DefElem) bool {
	switch strings.ToLower(optionText(d)) {
	case "false", "off", "0":
		return false
	}
	return true
}

// analyzePlan runs a plan to its end and returns what its operators measured.
func (s *Session) analyzePlan(ctx context.Context, p *plan.Statement, params []datum.Datum) (func(plan.Node) *plan.ExplainActual, error) {
	compiled, err := exec.Compile(p, exec.Options{Facts: s.facts(), Analyze: true})
	if err != nil {
		return nil, err
	}
	env, err := s.execEnv(ctx, params)
	if err != nil {
		return nil, err
	}
	cursor, err := compiled.Open(ctx, env)
	if err != nil {
		return nil, err
	}
	defer cursor.Close()
	for {
		batch, err := cursor.Next(ctx)
		if err != nil {
			return nil, err
		}
		if len(batch) == 0 {
			return func(n plan.Node) *plan.ExplainActual {
				st := compiled.Stats(n)
				if st == nil || st.Loops == 0 {
					return nil
				}
				loops := float64(st.Loops)
				ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) / loops }
				return &plan.ExplainActual{StartupMS: ms(st.Startup), TotalMS: ms(st.Total), Rows: float64(st.Rows) / loops, Loops: st.Loops}
			}, nil
		}
	}
}
