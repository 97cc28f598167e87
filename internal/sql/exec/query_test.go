package exec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// ints makes a Values node of int4 rows; math.MinInt64-free: nullInt stands for NULL.
const nullInt = -999

func ints(width int, rows ...[]int64) *plan.Values {
	v := &plan.Values{Props: intProps(width)}
	for _, r := range rows {
		var es []plan.Expr
		for _, n := range r {
			if n == nullInt {
				es = append(es, null(int4))
			} else {
				es = append(es, num(n))
			}
		}
		v.Rows = append(v.Rows, es)
	}
	return v
}

func intProps(width int) plan.Props {
	p := plan.Props{}
	for i := range width {
		p.Cols = append(p.Cols, plan.ColumnInfo{Name: fmt.Sprintf("c%d", i), Type: int4})
	}
	return p
}

func TestJoins(t *testing.T) {
	f := newFixture(t)
	left := func() plan.Node {
		return ints(2, []int64{1, 10}, []int64{2, 20}, []int64{2, 21}, []int64{4, 40}, []int64{nullInt, 50})
	}
	right := func() plan.Node {
		return ints(2, []int64{1, 100}, []int64{2, 200}, []int64{2, 201}, []int64{3, 300}, []int64{nullInt, 500})
	}
	lk, rk := []plan.Expr{col(0, int4)}, []plan.Expr{col(0, int4)}
	want := map[plan.JoinKind]string{
		plan.JoinInner: "1|10|1|100 2|20|2|200 2|20|2|201 2|21|2|200 2|21|2|201",
		plan.JoinLeft:  "1|10|1|100 2|20|2|200 2|20|2|201 2|21|2|200 2|21|2|201 4|40|null|null null|50|null|null",
		plan.JoinRight: "1|10|1|100 2|20|2|200 2|20|2|201 2|21|2|200 2|21|2|201 null|null|3|300 null|null|null|500",
		plan.JoinFull:  "1|10|1|100 2|20|2|200 2|20|2|201 2|21|2|200 2|21|2|201 4|40|null|null null|50|null|null null|null|3|300 null|null|null|500",
		plan.JoinSemi:  "1|10 2|20 2|21",
		plan.JoinAnti:  "4|40 null|50",
	}
	for kind, w := range want {
		lines := strings.ReplaceAll(w, " ", "\n")
		f.want(lines, plan.KindSelect, &plan.HashJoin{Kind: kind, Left: left(), Right: right(), LeftKeys: lk, RightKeys: rk})
		f.want(lines, plan.KindSelect, &plan.NestLoop{Kind: kind, Left: left(), Right: right(),
			On: f.call("int4eq", col(0, int4), col(2, int4))})
		if kind != plan.JoinRight && kind != plan.JoinFull { // those give unmatched right rows between the others
			f.want(lines, plan.KindSelect, &plan.MergeJoin{Kind: kind, Left: left(), Right: right(), LeftKeys: lk, RightKeys: rk})
		}
	}
	f.want("", plan.KindSelect, &plan.HashJoin{Kind: plan.JoinAntiNull, Left: left(), Right: right(), LeftKeys: lk, RightKeys: rk})
	f.want("1|10\n4|40", plan.KindSelect, &plan.HashJoin{Kind: plan.JoinAntiNull, Left: left(), Right: ints(1, []int64{2}), LeftKeys: lk, RightKeys: rk})
	f.want("1|10\n2|20\n2|21\n4|40\nnull|50", plan.KindSelect, &plan.HashJoin{Kind: plan.JoinAntiNull, Left: left(), Right: ints(1), LeftKeys: lk, RightKeys: rk})
	lateral := &plan.NestLoop{Kind: plan.JoinLeft, Left: left(), ArgSlots: []int{3}, Args: []plan.Expr{col(1, int4)},
		Right: &plan.Result{Props: intProps(1), Exprs: []plan.Expr{f.call("int4pl", &plan.OuterParam{Slot: 3, Typ: int4}, num(1))},
			Filter: f.call("int4gt", &plan.OuterParam{Slot: 3, Typ: int4}, num(20))}}
	f.want("1|10|null\n2|20|null\n2|21|22\n4|40|41\nnull|50|51", plan.KindSelect, lateral)
}

func TestLookupJoin(t *testing.T) {
	f := newFixture(t)
	tab := kvTable(true)
	f.want("3 rows", plan.KindInsert, insertRows(tab, []plan.Expr{num(1), str("a"), num(10)},
		[]plan.Expr{num(2), str("b"), num(10)}, []plan.Expr{num(3), str("c"), num(30)}))
	in := func() plan.Node { return ints(1, []int64{10}, []int64{3}, []int64{nullInt}, []int64{1}, []int64{10}) }
	join := func(x int, kind plan.JoinKind) plan.Node {
		return &plan.LookupJoin{Access: whole(tab, tab.Indexes[x]), Kind: kind, Input: in(), Keys: []plan.Expr{col(0, int4)}}
	}
	f.want("3|3|c|30\n1|1|a|10", plan.KindSelect, join(0, plan.JoinInner))
	f.want("10|null|null|null\n3|3|c|30\nnull|null|null|null\n1|1|a|10\n10|null|null|null", plan.KindSelect, join(0, plan.JoinLeft))
	f.want("10\nnull\n10", plan.KindSelect, join(0, plan.JoinAnti))
	f.want("10|1|a|10\n10|2|b|10\n10|1|a|10\n10|2|b|10", plan.KindSelect, join(2, plan.JoinInner))
	f.want("10\n10", plan.KindSelect, join(2, plan.JoinSemi))
}

func TestAggregates(t *testing.T) {
	f := newFixture(t)
	in := func() plan.Node {
		return ints(2, []int64{1, 10}, []int64{2, 20}, []int64{1, 30}, []int64{2, nullInt}, []int64{1, 10})
	}
	sum, count, agg := f.fn("sum", datum.OIDInt4), f.fn("count"), f.fn("array_agg", datum.OIDAnyNonArray)
	aggs := func() []*plan.AggCall {
		return []*plan.AggCall{{Fn: count, Star: true, Typ: datum.T(datum.OIDInt8)},
			{Fn: sum, Args: []plan.Expr{col(1, int4)}, Typ: datum.T(datum.OIDInt8)},
			{Fn: sum, Args: []plan.Expr{col(1, int4)}, Distinct: true, Typ: datum.T(datum.OIDInt8)},
			{Fn: count, Star: true, Filter: f.call("int4gt", col(1, int4), num(15)), Typ: datum.T(datum.OIDInt8)}}
	}
	f.want("5|70|60|2", plan.KindSelect, &plan.Agg{Input: in(), Aggs: aggs()})
	f.want("0|null|null|0", plan.KindSelect, &plan.Agg{Input: ints(2), Aggs: aggs()})
	f.want("1|3|50|40|1\n2|2|20|20|1", plan.KindSelect, &plan.Agg{Input: in(), Strategy: plan.AggHashed, Groups: []int{0}, Aggs: aggs()})
	sorted := &plan.Sort{Props: intProps(2), Input: in(), Keys: []plan.SortKey{{Index: 0, Desc: true}}}
	f.want("2|2|20|20|1\n1|3|50|40|1", plan.KindSelect, &plan.Agg{Input: sorted, Strategy: plan.AggSorted, Groups: []int{0}, Aggs: aggs()})
	sets := &plan.Agg{Input: in(), Strategy: plan.AggHashed, Groups: []int{0, 1}, Sets: [][]int{{0}, {}}, Grouping: [][]int{{0, 1}},
		Aggs: aggs()[:1]}
	f.want("1|null|3|1\n2|null|2|1\nnull|null|5|3", plan.KindSelect, sets)
	ordered := &plan.Agg{Input: in(), Aggs: []*plan.AggCall{{Fn: agg, Args: []plan.Expr{col(1, int4)}, Typ: datum.T(datum.OIDInt4Array),
		OrderBy: []plan.AggOrder{{Expr: col(1, int4), Desc: true, NullsFirst: true}}}}}
	f.want("{NULL,30,20,10,10}", plan.KindSelect, &plan.Project{Input: ordered, Exprs: []plan.Expr{&plan.Cast{Kind: plan.CastIO,
		Arg: col(0, datum.T(datum.OIDInt4Array)), Typ: text}}})
}

func TestSetOps(t *testing.T) {
	f := newFixture(t)
	a := func() plan.Node { return ints(1, []int64{1}, []int64{1}, []int64{1}, []int64{2}, []int64{nullInt}) }
	b := func() plan.Node { return ints(1, []int64{1}, []int64{1}, []int64{3}, []int64{nullInt}) }
	f.want("1\nnull", plan.KindSelect, &plan.SetOp{Op: plan.SetIntersect, Left: a(), Right: b()})
	f.want("1\n1\nnull", plan.KindSelect, &plan.SetOp{Op: plan.SetIntersect, All: true, Left: a(), Right: b()})
	f.want("2", plan.KindSelect, &plan.SetOp{Op: plan.SetExcept, Left: a(), Right: b()})
	f.want("1\n2", plan.KindSelect, &plan.SetOp{Op: plan.SetExcept, All: true, Left: a(), Right: b()})
	f.want("1\n2\nnull\n3", plan.KindSelect, &plan.Distinct{Input: &plan.Append{Props: intProps(1), Inputs: []plan.Node{a(), b()}}, Keys: []int{0}})
	rec := &plan.RecursiveUnion{Props: intProps(1), ID: 1, All: true, Left: ints(1, []int64{1}),
		Right: &plan.Filter{Props: intProps(1), Cond: f.call("int4le", col(0, int4), num(5)),
			Input: &plan.Project{Props: intProps(1), Exprs: []plan.Expr{f.call("int4pl", col(0, int4), num(1))},
				Input: &plan.WorkTableScan{Props: intProps(1), ID: 1}}}}
	with := &plan.With{CTEs: []*plan.CTE{{ID: 7, Plan: rec}}, Input: &plan.NestLoop{
		Left: &plan.CTEScan{Props: intProps(1), ID: 7}, Right: &plan.CTEScan{Props: intProps(1), ID: 7},
		On: f.call("int4eq", col(0, int4), f.call("int4mul", col(1, int4), num(2)))}}
	f.want("2|1\n4|2", plan.KindSelect, with)
}

func TestWindows(t *testing.T) {
	f := newFixture(t)
	in := func() plan.Node {
		return ints(2, []int64{1, 1}, []int64{1, 2}, []int64{1, 2}, []int64{1, 5}, []int64{2, 7}, []int64{2, nullInt})
	}
	sum := f.fn("sum", datum.OIDInt4)
	call := []*plan.WindowCall{{Fn: sum, Agg: true, Args: []plan.Expr{col(1, int4)}, Typ: datum.T(datum.OIDInt8)},
		{Fn: f.fn("row_number"), Typ: datum.T(datum.OIDInt8)}, {Fn: f.fn("rank"), Typ: datum.T(datum.OIDInt8)}}
	w := &plan.WindowAgg{Input: in(), Partition: []int{0}, Order: []plan.SortKey{{Index: 1}}, Calls: call,
		Frame: plan.Frame{Start: plan.UnboundedPreceding, End: plan.CurrentRow}}
	f.want("1|1|1|1|1\n1|2|5|2|2\n1|2|5|3|2\n1|5|10|4|4\n2|7|7|1|1\n2|null|7|2|2", plan.KindSelect, w)
	w.Calls = call[:1]
	w.Frame = plan.Frame{Mode: plan.FrameRows, Start: plan.OffsetPreceding, StartOffset: num(1), End: plan.CurrentRow}
	f.want("1|1|1\n1|2|3\n1|2|4\n1|5|7\n2|7|7\n2|null|7", plan.KindSelect, w)
	w.Frame = plan.Frame{Mode: plan.FrameGroups, Start: plan.CurrentRow, End: plan.OffsetFollowing, EndOffset: num(1), Exclude: plan.ExcludeCurrentRow}
	f.want("1|1|4\n1|2|7\n1|2|7\n1|5|null\n2|7|null\n2|null|null", plan.KindSelect, w)
	in4 := f.fn("in_range", datum.OIDInt4, datum.OIDInt4, datum.OIDInt4, datum.OIDBool, datum.OIDBool)
	if !in4.Implemented() {
		return
	}
	w.Frame = plan.Frame{Mode: plan.FrameRange, Start: plan.OffsetPreceding, StartOffset: num(1), StartRange: in4, End: plan.OffsetFollowing,
		EndOffset: num(3), EndRange: in4}
	f.want("1|1|5\n1|2|10\n1|2|10\n1|5|5\n2|7|7\n2|null|null", plan.KindSelect, w)
}

func TestSubPlans(t *testing.T) {
	f := newFixture(t)
	in := ints(1, []int64{1}, []int64{2}, []int64{nullInt})
	sub := func(kind plan.SubPlanKind, n plan.Node) *plan.SubPlan {
		s := &plan.SubPlan{Kind: kind, Plan: n, Typ: int4}
		if kind == plan.SubAny || kind == plan.SubAll {
			s.TestSlots = []int{5}
			s.Test = f.call("int4eq", col(0, int4), &plan.OuterParam{Slot: 5, Typ: int4})
			s.Typ = datum.T(datum.OIDBool)
		}
		return s
	}
	hashed := sub(plan.SubAny, ints(1, []int64{2}, []int64{nullInt}))
	hashed.Hashed, hashed.HashLeft = true, []plan.Expr{col(0, int4)}
	corr := &plan.SubPlan{Kind: plan.SubScalar, Typ: int4, Args: []plan.Expr{col(0, int4)}, ArgSlots: []int{1},
		Plan: &plan.Result{Props: intProps(1), Exprs: []plan.Expr{f.call("int4mul", &plan.OuterParam{Slot: 1, Typ: int4}, num(3))}}}
	f.want("9|t|f|null|null|3\n9|t|t|t|t|6\n9|t|null|null|null|null", plan.KindSelect, &plan.Project{Input: in, Exprs: []plan.Expr{
		sub(plan.SubScalar, ints(1, []int64{9})), sub(plan.SubExists, ints(1, []int64{9})),
		sub(plan.SubAll, ints(1, []int64{2})), sub(plan.SubAny, ints(1, []int64{2}, []int64{nullInt})), hashed, corr}})
	f.want("21000: more than one row returned by a subquery used as an expression", plan.KindSelect,
		&plan.Project{Input: in, Exprs: []plan.Expr{sub(plan.SubScalar, ints(1, []int64{1}, []int64{2}))}})
}
