package plan

import "github.com/meridiandb/meridian/internal/datum"

// Equal says whether two expressions are the same expression, positions and display names aside. Subqueries are equal
// only to themselves.
func Equal(a, b Expr) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil {
		return false
	}
	switch a := a.(type) {
	case *Var:
		b, ok := b.(*Var)
		return ok && a.ID == b.ID
	case *Const:
		b, ok := b.(*Const)
		return ok && a.Typ == b.Typ && sameDatum(a.Val, b.Val)
	case *Column:
		b, ok := b.(*Column)
		return ok && a.Index == b.Index
	case *Param:
		b, ok := b.(*Param)
		return ok && a.Index == b.Index && a.Typ == b.Typ
	case *OuterParam:
		b, ok := b.(*OuterParam)
		return ok && a.Slot == b.Slot
	case *FuncCall:
		b, ok := b.(*FuncCall)
		return ok && a.Fn == b.Fn && a.Variadic == b.Variadic && a.Typ == b.Typ && equalLists(a.Args, b.Args)
	case *Cast:
		b, ok := b.(*Cast)
		return ok && a.Kind == b.Kind && a.Typ == b.Typ && a.Fn == b.Fn && a.Explicit == b.Explicit && Equal(a.Arg, b.Arg)
	case *Typmod:
		b, ok := b.(*Typmod)
		return ok && a.Typ == b.Typ && a.Explicit == b.Explicit && Equal(a.Arg, b.Arg)
	case *And:
		b, ok := b.(*And)
		return ok && equalLists(a.Args, b.Args)
	case *Or:
		b, ok := b.(*Or)
		return ok && equalLists(a.Args, b.Args)
	case *Not:
		b, ok := b.(*Not)
		return ok && Equal(a.Arg, b.Arg)
	case *IsNull:
		b, ok := b.(*IsNull)
		return ok && a.Not == b.Not && a.Row == b.Row && Equal(a.Arg, b.Arg)
	case *BoolTest:
		b, ok := b.(*BoolTest)
		return ok && a.Not == b.Not && a.Kind == b.Kind && Equal(a.Arg, b.Arg)
	}
	return equalRare(a, b)
}

func equalRare(a, b Expr) bool {
	switch a := a.(type) {
	case *IsDistinct:
		b, ok := b.(*IsDistinct)
		return ok && a.Not == b.Not && a.Eq == b.Eq && Equal(a.Left, b.Left) && Equal(a.Right, b.Right)
	case *Case:
		b, ok := b.(*Case)
		if !ok || a.Typ != b.Typ || len(a.Whens) != len(b.Whens) || !Equal(a.Arg, b.Arg) || !Equal(a.Else, b.Else) {
			return false
		}
		for i := range a.Whens {
			if !Equal(a.Whens[i].Cond, b.Whens[i].Cond) || !Equal(a.Whens[i].Result, b.Whens[i].Result) {
				return false
			}
		}
		return true
	case *CaseArg:
		b, ok := b.(*CaseArg)
		return ok && a.Typ == b.Typ
	case *Coalesce:
		b, ok := b.(*Coalesce)
		return ok && a.Typ == b.Typ && equalLists(a.Args, b.Args)
	case *NullIf:
		b, ok := b.(*NullIf)
		return ok && a.Eq == b.Eq && Equal(a.EqLeft, b.EqLeft) && Equal(a.EqRight, b.EqRight)
	case *MinMax:
		b, ok := b.(*MinMax)
		return ok && a.Least == b.Least && a.Typ == b.Typ && equalLists(a.Args, b.Args)
	case *InList:
		b, ok := b.(*InList)
		if !ok || a.Not != b.Not || a.HasNull != b.HasNull || len(a.Vals) != len(b.Vals) || !Equal(a.Arg, b.Arg) {
			return false
		}
		for i := range a.Vals {
			if !sameDatum(a.Vals[i], b.Vals[i]) {
				return false
			}
		}
		return true
	case *ScalarArrayOp:
		b, ok := b.(*ScalarArrayOp)
		return ok && a.Fn == b.Fn && a.All == b.All && Equal(a.Left, b.Left) && Equal(a.Array, b.Array)
	case *Row:
		b, ok := b.(*Row)
		return ok && a.Typ == b.Typ && equalLists(a.Args, b.Args) && Equal(a.Present, b.Present)
	case *RowCompare:
		b, ok := b.(*RowCompare)
		return ok && a.Kind == b.Kind && equalLists(a.Left, b.Left) && equalLists(a.Right, b.Right)
	case *ArrayCtor:
		b, ok := b.(*ArrayCtor)
		return ok && a.Typ == b.Typ && equalLists(a.Elems, b.Elems)
	case *Subscript:
		b, ok := b.(*Subscript)
		return ok && a.Slice == b.Slice && a.Typ == b.Typ && Equal(a.Arg, b.Arg) && equalLists(a.Lower, b.Lower) &&
			equalLists(a.Upper, b.Upper)
	case *FieldSelect:
		b, ok := b.(*FieldSelect)
		return ok && a.Index == b.Index && Equal(a.Arg, b.Arg)
	case *SQLValue:
		b, ok := b.(*SQLValue)
		return ok && a.Kind == b.Kind && a.Typ == b.Typ
	}
	return false
}

func equalLists(a, b []Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// EqualLists is Equal of two lists, item by item.
func EqualLists(a, b []Expr) bool { return equalLists(a, b) }

// sameDatum is stricter than SQL equality: 1.0 and 1.00 are different constants.
func sameDatum(a, b datum.Datum) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	if a.Kind() != b.Kind() {
		return false
	}
	if a.Kind() == datum.KindNumeric {
		return a.Numeric().Exponent == b.Numeric().Exponent && datum.Equal(a, b)
	}
	return datum.Equal(a, b)
}

// EqualAgg says whether two aggregate calls always have the same result.
func EqualAgg(a, b *AggCall) bool {
	if a.Fn != b.Fn || a.Star != b.Star || a.Distinct != b.Distinct || a.Typ != b.Typ || a.Variadic != b.Variadic ||
		len(a.OrderBy) != len(b.OrderBy) || !equalLists(a.Args, b.Args) || !equalLists(a.Direct, b.Direct) ||
		!Equal(a.Filter, b.Filter) {
		return false
	}
	for i := range a.OrderBy {
		x, y := a.OrderBy[i], b.OrderBy[i]
		if x.Desc != y.Desc || x.NullsFirst != y.NullsFirst || !Equal(x.Expr, y.Expr) {
			return false
		}
	}
	return true
}
