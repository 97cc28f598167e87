package exec

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// tempFS is just enough of a file system for temporary files, which it counts.
type tempFS struct {
	host.FS
	open, made int
}

type tempFile struct {
	host.File
	fs *tempFS
	b  []byte
}

func (f *tempFile) Write(b []byte) (int, error)             { f.b = append(f.b, b...); return len(b), nil }
func (f *tempFile) ReadAt(b []byte, off int64) (int, error) { return copy(b, f.b[off:]), nil }
func (f *tempFile) Close() error                            { return nil }
func (fs *tempFS) MkdirAll(string) error                    { return nil }
func (fs *tempFS) Create(string) (host.File, error) {
	fs.open++
	fs.made++
	return &tempFile{fs: fs}, nil
}
func (fs *tempFS) Remove(string) error { fs.open--; return nil }

// series gives rows (i, i*step mod m) for i from 0 to n-1.
type seriesOp struct {
	n, step, m int64
	at         int64
	out        rowBuf
}

func (s *seriesOp) open(context.Context, *state) error { s.at, s.out.width = 0, 2; return nil }
func (s *seriesOp) close(*state)                       {}
func (s *seriesOp) next(context.Context, *state) (Batch, error) {
	s.out.begin()
	for ; s.at < s.n && !s.out.full(); s.at++ {
		r := s.out.row()
		r[0], r[1] = datum.NewInt(s.at), datum.NewInt(s.at*s.step%s.m)
	}
	return s.out.batch(), nil
}

// runOp runs an operator under a memory limit and returns its rows, sorted, and the number of files it made.
func runOp(t *testing.T, op operator, limit int64) ([]string, int, error) {
	t.Helper()
	fs := &tempFS{}
	env := &Env{Memory: &spill.Config{OperatorLimit: limit, QueryLimit: 64 << 20, FS: fs, Dir: "t", Name: "q"}}
	var st state
	st.start(env)
	ctx := context.Background()
	var out []string
	err := op.open(ctx, &st)
	if err == nil {
		err = drain(ctx, &st, op, func(row []datum.Datum) error {
			var parts []string
			for _, d := range row {
				parts = append(parts, st.valueText(datum.Type{}, d))
			}
			out = append(out, strings.Join(parts, "|"))
			return nil
		})
	}
	op.close(&st)
	st.end()
	if fs.open != 0 {
		t.Fatalf("%d temporary files left", fs.open)
	}
	sort.Strings(out)
	return out, fs.made, err
}

// TestSpilling compares what operators give with and without enough memory.
func TestSpilling(t *testing.T) {
	f := newFixture(t)
	c := &compiler{facts: f.facts}
	const n = 20000
	left := func() operator { return &seriesOp{n: n, step: 7, m: 5003} }
	right := func() operator { return &seriesOp{n: n / 8, step: 11, m: 6007} }
	ops := map[string]func() operator{
		"sort": func() operator {
			op := c.sort(&plan.Sort{Input: ints(2), Keys: []plan.SortKey{{Index: 1}, {Index: 0, Desc: true}}}).(*sortOp)
			op.input = left()
			op.pull.op = op.input
			return op
		},
		"distinct": func() operator {
			op := c.distinct(&plan.Distinct{Input: ints(2), Keys: []int{1}}).(*distinctOp)
			op.input = left()
			return &projectOp{input: op, cols: []int{1}, out: rowBuf{width: 1}}
		},
		"aggregate": func() operator {
			op := c.agg(&plan.Agg{Input: ints(2), Strategy: plan.AggHashed, Groups: []int{1}, Aggs: []*plan.AggCall{
				{Fn: f.fn("count"), Star: true}, {Fn: f.fn("sum", datum.OIDInt4), Args: []plan.Expr{col(0, int4)}}}}).(*aggOp)
			op.input = left()
			op.pull.op = op.input
			return op
		},
		"intersect": func() operator {
			op := c.setOp(&plan.SetOp{Op: plan.SetIntersect, All: true, Left: ints(1), Right: ints(1)}).(*setOp)
			op.left = &projectOp{input: left(), cols: []int{1}, out: rowBuf{width: 1}}
			op.right = &projectOp{input: right(), cols: []int{1}, out: rowBuf{width: 1}}
			return op
		},
	}
	for _, kind := range []plan.JoinKind{plan.JoinInner, plan.JoinLeft, plan.JoinRight, plan.JoinFull, plan.JoinSemi, plan.JoinAnti} {
		ops[fmt.Sprintf("join %d", kind)] = func() operator {
			op := c.hashJoin(&plan.HashJoin{Kind: kind, Left: ints(2), Right: ints(2), LeftKeys: []plan.Expr{col(1, int4)},
				RightKeys: []plan.Expr{col(1, int4)}}).(*hashJoin)
			op.leftOp, op.rightOp = left(), right()
			op.pull.op = op.leftOp
			return op
		}
	}
	for name, make := range ops {
		want, files, err := runOp(t, make(), 1<<30)
		if err != nil || files != 0 || len(want) == 0 {
			t.Fatal(name, files, len(want), err)
		}
		got, files, err := runOp(t, make(), 32<<10)
		if err != nil || files == 0 {
			t.Fatal(name, files, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d rows, not %d", name, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%s: row %d is %s, not %s", name, i, got[i], want[i])
			}
		}
	}
}

// TestMemoryLimit: what cannot spill fails cleanly.
func TestMemoryLimit(t *testing.T) {
	f := newFixture(t)
	c := &compiler{facts: f.facts}
	w := c.window(&plan.WindowAgg{Input: ints(2), Calls: []*plan.WindowCall{{Fn: f.fn("row_number"), Typ: int4}}}).(*windowOp)
	w.pull.op = &seriesOp{n: 2_000_000, step: 1, m: 10}
	if _, _, err := runOp(t, w, 1<<20); failure.CodeOf(err) != failure.OutOfMemory {
		t.Fatal(err)
	}
}
