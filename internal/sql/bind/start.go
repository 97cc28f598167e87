package bind

import "github.com/meridiandb/meridian/internal/sql/parser"

// start is where an expression begins in the text: the leftmost position in it. A node's own position may be that of
// its operator.
func start(e parser.Expr) int {
	switch e := e.(type) {
	case nil:
		return parser.NoPos
	case *parser.OpExpr:
		return leftmost(e.Pos, e.Left)
	case *parser.AnyAllExpr:
		return leftmost(e.Pos, e.Left)
	case *parser.InExpr:
		return leftmost(e.Pos, e.Left)
	case *parser.LikeExpr:
		return leftmost(e.Pos, e.Left)
	case *parser.BetweenExpr:
		return leftmost(e.Pos, e.Arg)
	case *parser.DistinctExpr:
		return leftmost(e.Pos, e.Left)
	case *parser.BoolExpr:
		return leftmost(e.Pos, e.Args[0])
	case *parser.NullTest:
		return leftmost(e.Pos, e.Arg)
	case *parser.BooleanTest:
		return leftmost(e.Pos, e.Arg)
	case *parser.TypeCast:
		return leftmost(e.Pos, e.Arg)
	case *parser.CollateExpr:
		return leftmost(e.Pos, e.Arg)
	case *parser.Indirection:
		return leftmost(e.Pos, e.Arg)
	case *parser.SubLink:
		return leftmost(e.Pos, e.Test)
	}
	return e.Position()
}

func leftmost(pos int, e parser.Expr) int {
	if e == nil {
		return pos
	}
	if p := start(e); p >= 0 && (pos < 0 || p < pos) {
		return p
	}
	return pos
}
