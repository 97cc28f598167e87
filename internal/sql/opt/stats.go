package opt

import (
	"math"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// Cost weights.
const (
	cpuTuple    = 0.01 // a row that goes through an operator
	cpuOperator = 0.0025
	scanTuple   = 0.012 // a row or entry that storage reads in order
	lookupTuple = 0.1   // a row that is fetched by key, in a batch
	request     = 1.0   // a request to storage
	hashTuple   = 0.02  // a row put into a hash table
)

// The size of a table that was never analysed: defaultRows, unless its bytes on disk say that it is much larger.
const (
	defaultRows = 1000
	guessedRow  = 64 // bytes of a row on disk, compressed
)

// tableRows is the estimated number of rows of a table.
func (p *planner) tableRows(s *plan.RelScan) float64 {
	if s.System != nil {
		return max(s.System.EstRows, 1)
	}
	if st := p.stats(s.Table); st != nil {
		return max(st.Rows, 1)
	}
	return p.guessRows(s.Table)
}

// guessRows is for tables that were never analysed. Small ones stay at the default, so that plans do not depend on what
// has reached the disk already.
func (p *planner) guessRows(t *catalog.Table) float64 {
	if p.set.SpanBytes == nil || t.RowStore() == nil {
		return defaultRows
	}
	if n, ok := p.guessed[t.Data]; ok {
		return n
	}
	rows := float64(defaultRows)
	if n, err := p.set.SpanBytes(keys.IndexSpan(t.Data, t.RowStore().ID)); err == nil && n/guessedRow > 20*defaultRows {
		rows = float64(n / guessedRow)
	}
	if p.guessed == nil {
		p.guessed = map[keys.TableID]float64{}
	}
	p.guessed[t.Data] = rows
	return rows
}

func (p *planner) stats(t *catalog.Table) *catalog.Stats {
	if p.set.Snapshot == nil {
		return nil
	}
	return p.set.Snapshot.Stats(t.OID)
}

// columnStats are what is known of a column, and the number of its distinct values.
func (p *planner) columnStats(s *plan.RelScan, ordinal int) (cs *catalog.ColumnStats, distinct float64) {
	rows := p.tableRows(s)
	if ordinal >= 0 {
		if st := p.stats(s.Table); st != nil {
			if cs = st.Column(s.Table.Columns[ordinal].ID); cs != nil {
				d := cs.Distinct
				if d < 0 {
					d = -d * rows
				}
				return cs, max(d, 1)
			}
		}
		if s.Table.Columns[ordinal].Type.OID == datum.OIDBool {
			return nil, 2
		}
		for _, x := range s.Table.Indexes {
			if x.Unique && len(x.Key) == 1 && keyOrdinal(s.Table, x.Key[0]) == ordinal {
				return nil, rows
			}
		}
	}
	return nil, max(min(rows/5, 200), 1)
}

// selectivity guesses the share of rows that pass a condition on a table.
func (p *planner) selectivity(s *plan.RelScan, g *sarg) float64 {
	cs, distinct := p.columnStats(s, g.ordinal)
	switch g.op {
	case sargEq:
		return eqSelectivity(cs, distinct, g.vals[0])
	case sargIn:
		sum := 0.0
		for _, v := range g.vals {
			sum += eqSelectivity(cs, distinct, v)
		}
		return min(sum, 1)
	case sargArray:
		return min(10/distinct, 1)
	case sargNull:
		if cs != nil {
			return cs.NullFrac
		}
		return 0.005
	case sargNotNull:
		if cs != nil {
			return 1 - cs.NullFrac
		}
		return 0.995
	case sargNe:
		return 1 - eqSelectivity(cs, distinct, g.vals[0])
	case sargPrefix:
		return 0.02
	}
	return rangeSelectivity(cs, g)
}

func eqSelectivity(cs *catalog.ColumnStats, distinct float64, v plan.Expr) float64 {
	if cs == nil {
		return 1 / distinct
	}
	common := 0.0
	c, isConst := v.(*plan.Const)
	for i, mcv := range cs.Common {
		if isConst && !c.Val.IsNull() && c.Val.Kind() == mcv.Datum.Kind() && datum.Equal(mcv.Datum, c.Val) {
			return cs.CommonFreq[i]
		}
		common += cs.CommonFreq[i]
	}
	rest := max(distinct-float64(len(cs.Common)), 1)
	if !isConst {
		return max((1-cs.NullFrac)/distinct, 1e-9)
	}
	return max((1-common-cs.NullFrac)/rest, 1e-9)
}

// rangeSelectivity uses the histogram for an inequality with a constant.
func rangeSelectivity(cs *catalog.ColumnStats, g *sarg) float64 {
	const guess = 1.0 / 3
	c, ok := g.vals[0].(*plan.Const)
	if cs == nil || !ok || c.Val.IsNull() {
		return guess
	}
	below, total := 0.0, 0.0
	for i, mcv := range cs.Common {
		total += cs.CommonFreq[i]
		if c.Val.Kind() == mcv.Datum.Kind() && datum.Compare(mcv.Datum, c.Val) < 0 {
			below += cs.CommonFreq[i]
		}
	}
	rest := max(1-total-cs.NullFrac, 0)
	n := len(cs.Histogram)
	switch {
	case n >= 2 && cs.Histogram[0].Datum.Kind() == c.Val.Kind():
		below += rest * histogramShare(cs, c.Val)
	case total == 0:
		return guess
	default:
		below += rest / 2
	}
	if g.op == sargGt || g.op == sargGe {
		return clamp(1 - cs.NullFrac - below)
	}
	return clamp(below)
}

func histogramShare(cs *catalog.ColumnStats, v datum.Datum) float64 {
	n := len(cs.Histogram)
	lo, hi := 0, n
	for lo < hi {
		mid := (lo + hi) / 2
		if datum.Compare(cs.Histogram[mid].Datum, v) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return 0
	}
	if lo == n {
		return 1
	}
	part := 0.5
	a, b := cs.Histogram[lo-1].Datum, cs.Histogram[lo].Datum
	if x, y, z, ok := numbers(a, b, v); ok && y > x {
		part = (z - x) / (y - x)
	}
	return (float64(lo-1) + part) / float64(n-1)
}

// numbers turns three values into numbers to interpolate with.
func numbers(a, b, v datum.Datum) (x, y, z float64, ok bool) {
	num := func(d datum.Datum) (float64, bool) {
		switch d.Kind() {
		case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
			return float64(d.Int()), true
		case datum.KindFloat:
			return d.Float(), !math.IsNaN(d.Float()) && !math.IsInf(d.Float(), 0)
		case datum.KindNumeric:
			f, err := d.Numeric().Float64()
			return f, err == nil
		}
		return 0, false
	}
	x, ok1 := num(a)
	y, ok2 := num(b)
	z, ok3 := num(v)
	return x, y, z, ok1 && ok2 && ok3
}

func clamp(f float64) float64 { return min(max(f, 1e-6), 1) }

// guess is the selectivity of a condition that says nothing about a single column of a table.
func guess(c plan.Expr) float64 {
	switch x := c.(type) {
	case *plan.And:
		f := 1.0
		for _, a := range x.Args {
			f *= guess(a)
		}
		return f
	case *plan.Or:
		f := 0.0
		for _, a := range x.Args {
			g := guess(a)
			f = f + g - f*g
		}
		return f
	case *plan.Not:
		return 1 - guess(x.Arg)
	case *plan.FuncCall:
		if op, ok := comparison(x.Fn); ok {
			switch op {
			case sargEq:
				return 0.005
			case sargNe:
				return 0.995
			}
			return 1.0 / 3
		}
		if x.Fn.OID == oidTextLike {
			return 0.05
		}
	case *plan.IsNull:
		if x.Not {
			return 0.995
		}
		return 0.005
	case *plan.Const:
		if !x.Val.IsTrue() {
			return 0
		}
		return 1
	}
	return 0.5
}

// rangePair corrects the product of a lower and an upper bound on the same column.
func (p *planner) scanSelectivity(s *plan.RelScan, conds []plan.Expr, sargs []sarg) float64 {
	sel := 1.0
	seen := make([]bool, len(conds))
	type bounds struct{ lo, hi float64 }
	ranges := map[int]*bounds(nil)
	for i := range sargs {
		g := &sargs[i]
		if seen[g.cond] {
			continue
		}
		seen[g.cond] = true
		f := p.selectivity(s, g)
		if g.ordinal >= 0 && g.op >= sargLt && g.op <= sargGe {
			if ranges == nil {
				ranges = make(map[int]*bounds)
			}
			b := ranges[g.ordinal]
			if b == nil {
				b = &bounds{1, 1}
				ranges[g.ordinal] = b
			}
			if g.op == sargGt || g.op == sargGe {
				b.lo = min(b.lo, f)
			} else {
				b.hi = min(b.hi, f)
			}
			continue
		}
		sel *= f
	}
	for _, b := range ranges {
		if b.lo < 1 && b.hi < 1 {
			f := b.lo + b.hi - 1
			if f <= 0 || b.lo == 1.0/3 && b.hi == 1.0/3 {
				f = 0.005
			}
			sel *= f
		} else {
			sel *= b.lo * b.hi
		}
	}
	for i, c := range conds {
		if !seen[i] {
			sel *= guess(c)
		}
	}
	return sel
}
