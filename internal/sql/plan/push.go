package plan

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/pushdown"
)

// Push is a push-down program whose constants may be known only at run time.
type Push struct {
	Columns    []pushdown.Column
	KeyColumns []pushdown.KeyColumn
	Filter     *PushExpr
	KeysOnly   bool
	// Static is the finished program when no value depends on the execution.
	Static *pushdown.Program
}

// PushExpr is a pushdown.Expr; for OpConst the value is Value, an expression without columns.
type PushExpr struct {
	Op    pushdown.Op
	Arg   int
	Value Expr
	Args  []*PushExpr
}

// Program makes the program of one execution: eval gives the values of constants.
func (p *Push) Program(eval func(Expr) (datum.Datum, error)) (*pushdown.Program, error) {
	if p.Static != nil {
		return p.Static, nil
	}
	f, err := p.Filter.instantiate(eval)
	if err != nil {
		return nil, err
	}
	return &pushdown.Program{Columns: p.Columns, KeyColumns: p.KeyColumns, Filter: f, KeysOnly: p.KeysOnly}, nil
}

func (e *PushExpr) instantiate(eval func(Expr) (datum.Datum, error)) (*pushdown.Expr, error) {
	if e == nil {
		return nil, nil
	}
	out := &pushdown.Expr{Op: e.Op, Arg: e.Arg}
	if e.Op == pushdown.OpConst {
		v, err := eval(e.Value)
		out.Const = v
		return out, err
	}
	out.Args = make([]*pushdown.Expr, len(e.Args))
	for i, a := range e.Args {
		x, err := a.instantiate(eval)
		if err != nil {
			return nil, err
		}
		out.Args[i] = x
	}
	return out, nil
}
