package ddl

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/row"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// Sizes of a column's statistics: PostgreSQL's default_statistics_target.
const (
	statTarget = 100
	sampleRows = 300 * statTarget
)

// vacuum is VACUUM and ANALYZE. There is nothing to vacuum: old versions are collected by storage.
func (e *Env) vacuum(ctx context.Context, s *parser.VacuumStmt) (Result, error) {
	res := Result{Tag: "VACUUM"}
	analyze := s.Analyze
	if s.Analyze {
		res.Tag = "ANALYZE"
	} else if e.InBlock {
		return res, failure.New(failure.ActiveSQLTransaction, "VACUUM cannot run inside a transaction block")
	}
	for _, o := range s.Options {
		if o.Name == "analyze" {
			analyze = optionText(o) != "false" && optionText(o) != "off"
		}
	}
	for _, v := range s.Targets {
		r, err := e.relation(&v.Relation, false)
		if err != nil {
			return res, err
		}
		if r.Index != nil || r.Table.RowStore() == nil {
			if !r.Table.Virtual {
				e.warn(failure.SuccessfulCompletion, "skipping \"%s\" --- cannot analyze non-tables or special system tables", r.Name())
			}
			continue
		}
		if err := e.own(r); err != nil {
			e.warn(failure.SuccessfulCompletion, "skipping \"%s\" --- only table or database owner can %s it", r.Name(), strings.ToLower(res.Tag))
			continue
		}
		for _, n := range v.Columns {
			if c, _ := r.Table.ColumnByName(n); c == nil {
				return res, failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", n, r.Name())
			}
		}
		if analyze {
			if err := e.analyzeTable(ctx, r.Table, v.Columns); err != nil {
				return res, err
			}
		}
	}
	if len(s.Targets) > 0 || !analyze {
		return res, nil
	}
	for t := range e.snap().Tables() {
		if t.RowStore() != nil && e.snap().Member(e.User, t.Owner) {
			if err := e.analyzeTable(ctx, t, nil); err != nil {
				return res, err
			}
		}
	}
	return res, nil
}

// analyzeTable takes a sample of a table's rows and stores what it says about the columns (all, or those named).
func (e *Env) analyzeTable(ctx context.Context, t *catalog.Table, names []string) error {
	var cols []*catalog.Column
	for _, c := range t.VisibleColumns() {
		if names == nil || slices.Contains(names, c.Name) {
			cols = append(cols, c)
		}
	}
	seed := [8]byte{1}
	if e.RandomBytes != nil {
		e.RandomBytes(seed[:])
	}
	sample := &reservoir{state: binary.LittleEndian.Uint64(seed[:]) | 1}
	width := int64(0)
	if err := e.sample(ctx, t, cols, sample); err != nil {
		return err
	}
	st := &catalog.Stats{Table: t.OID, Rows: float64(sample.seen), At: e.NowMicros}
	for i, c := range cols {
		cs := columnStats(c, sample, i)
		width += int64(cs.Width)
		st.Columns = append(st.Columns, cs)
	}
	if old := e.snap().Stats(t.OID); old != nil && names != nil {
		for _, cs := range old.Columns {
			if st.Column(cs.Column) == nil {
				st.Columns = append(st.Columns, cs)
			}
		}
	}
	// 28 bytes are what PostgreSQL adds to a row: its header and the line pointer.
	st.Pages = (sample.seen*(width+28) + 8191) / 8192
	if e.Analyzed != nil {
		e.Analyzed(t.OID)
	}
	return e.put(ctx, st)
}

type counted struct {
	v datum.Datum
	n int
}

// columnStats computes the statistics of column i of a sample.
func columnStats(c *catalog.Column, s *reservoir, i int) catalog.ColumnStats {
	cs := catalog.ColumnStats{Column: c.ID}
	if len(s.rows) == 0 {
		return cs
	}
	var vals []datum.Datum
	var buf []byte
	bytes := 0
	for _, r := range s.rows {
		if r[i].IsNull() {
			continue
		}
		buf = row.AppendValue(buf[:0], []row.Column{{ID: 1, Type: c.Stored()}}, r[i:i+1])
		bytes += len(buf)
		vals = append(vals, r[i])
	}
	n := len(s.rows)
	cs.NullFrac = float64(n-len(vals)) / float64(n)
	if len(vals) == 0 {
		return cs
	}
	cs.Width = bytes / len(vals)
	if !row.Keyable(c.Stored()) || cs.Width > 1024 {
		return cs
	}
	cs.Correlation = correlation(vals)
	slices.SortFunc(vals, datum.Compare)
	groups := group(vals)
	multiple := 0
	for _, g := range groups {
		if g.n > 1 {
			multiple++
		}
	}
	cs.Distinct = distinct(len(groups), multiple, len(vals), n, s.seen)
	target := statTarget
	if c.StatTarget > 1 {
		target = c.StatTarget - 1
	}
	fill(&cs, groups, multiple, n, target)
	return cs
}

func group(sorted []datum.Datum) []counted {
	var out []counted
	for _, v := range sorted {
		if k := len(out) - 1; k >= 0 && datum.Compare(out[k].v, v) == 0 {
			out[k].n++
		} else {
			out = append(out, counted{v, 1})
		}
	}
	return out
}

// distinct estimates the number of distinct values as PostgreSQL does: a column whose values are all different in the
// sample is taken for unique, one whose values all repeat for complete, anything else goes through Haas and Stokes'
// estimator. A result that grows with the table is negative.
func distinct(d, multiple, nonNull, sampled int, total int64) float64 {
	if multiple == 0 {
		return -float64(nonNull) / float64(sampled)
	}
	if multiple == d {
		return float64(d)
	}
	n, once := float64(sampled), float64(d-multiple)
	dd := float64(nonNull)
	all := float64(total) * float64(nonNull) / n
	est := dd * float64(d) / (dd - once + once*dd/all)
	est = math.Floor(math.Min(math.Max(est, float64(d)), all) + 0.5)
	if est > 0.1*float64(total) {
		return -est / float64(total)
	}
	return est
}

// fill chooses the most common values and makes the histogram of the rest.
func fill(cs *catalog.ColumnStats, groups []counted, multiple, sampled, target int) {
	byCount := slices.Clone(groups)
	slices.SortStableFunc(byCount, func(a, b counted) int { return cmp.Compare(b.n, a.n) })
	keep := 0
	if multiple == len(groups) && len(groups) <= target && cs.Distinct > 0 {
		keep = len(groups)
	} else {
		// Only values clearly above the average are worth a place.
		total := 0
		for _, g := range groups {
			total += g.n
		}
		avg := float64(total) / float64(len(groups))
		for keep < len(byCount) && keep < target && byCount[keep].n >= 2 && float64(byCount[keep].n) > 1.25*avg {
			keep++
		}
	}
	common := map[int]bool{}
	for _, g := range byCount[:keep] {
		cs.Common = append(cs.Common, catalog.Value{Datum: g.v})
		cs.CommonFreq = append(cs.CommonFreq, float64(g.n)/float64(sampled))
	}
	if keep > 0 {
		least := byCount[keep-1].n
		left := keep
		for i, g := range groups {
			if g.n > least {
				common[i] = true
				left--
			}
		}
		for i, g := range groups {
			if g.n == least && left > 0 {
				common[i] = true
				left--
			}
		}
	}
	var rest []counted
	n := 0
	for i, g := range groups {
		if !common[i] {
			rest = append(rest, g)
			n += g.n
		}
	}
	if len(rest) < 2 {
		return
	}
	cs.Histogram = bounds(rest, n, min(target, len(rest)-1))
}

// bounds cuts n values into buckets of equal size and returns their edges.
func bounds(rest []counted, n, buckets int) []catalog.Value {
	out := make([]catalog.Value, 0, buckets+1)
	at, before := 0, 0
	for b := range buckets + 1 {
		want := b * (n - 1) / buckets
		for before+rest[at].n <= want {
			before += rest[at].n
			at++
		}
		out = append(out, catalog.Value{Datum: rest[at].v})
	}
	return out
}

// correlation compares the order of rows with the order of their values.
func correlation(vals []datum.Datum) float64 {
	n := len(vals)
	if n < 2 {
		return 0
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return datum.Compare(vals[a], vals[b]) })
	sumXY := 0.0
	for rank, pos := range order {
		sumXY += float64(rank) * float64(pos)
	}
	x := float64(n-1) * float64(n) / 2
	x2 := float64(n-1) * float64(n) * float64(2*n-1) / 6
	return (float64(n)*sumXY - x*x) / (float64(n)*x2 - x*x)
}
