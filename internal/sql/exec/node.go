package exec

import (
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// node compiles an operator and, for EXPLAIN ANALYZE, puts a meter around it.
func (c *compiler) node(n plan.Node) operator {
	op := c.bareNode(n)
	if c.analyze && op != nil {
		return c.metered(n, op)
	}
	return op
}

func (c *compiler) bareNode(n plan.Node) operator {
	switch n := n.(type) {
	case *plan.Values:
		return c.values(n)
	case *plan.Result:
		return c.result(n)
	case *plan.Empty:
		return emptyOp{}
	case *plan.PointGet:
		return c.pointGet(n)
	case *plan.BatchGet:
		return c.batchGet(n)
	case *plan.Scan:
		return c.scan(n)
	case *plan.Filter:
		return c.filter(n)
	case *plan.Project:
		return c.project(n)
	case *plan.ProjectSet:
		return c.projectSet(n)
	case *plan.Sort:
		return c.sort(n)
	case *plan.Limit:
		return c.limit(n)
	case *plan.Distinct:
		return c.distinct(n)
	case *plan.Append:
		return c.appendOp(n)
	case *plan.Materialize:
		return c.materialize(n)
	case *plan.FunctionScan:
		return c.functionScan(n)
	case *plan.SystemScan:
		return c.systemScan(n)
	case *plan.LockRows:
		return c.lockRows(n)
	default:
		return c.bigNode(n)
	}
}

// bigNode compiles joins, aggregations, set operations, CTEs and data changes.
func (c *compiler) bigNode(n plan.Node) operator {
	switch n := n.(type) {
	case *plan.Insert:
		return c.insert(n)
	case *plan.Update:
		return c.update(n)
	case *plan.Delete:
		return c.deleteOp(n)
	case *plan.Merge:
		return c.merge(n)
	case *plan.WindowAgg:
		return c.window(n)
	case *plan.LookupJoin:
		return c.lookupJoin(n)
	case *plan.HashJoin:
		return c.hashJoin(n)
	case *plan.MergeJoin:
		return c.mergeJoin(n)
	case *plan.NestLoop:
		return c.nestLoop(n)
	case *plan.Agg:
		return c.agg(n)
	case *plan.SetOp:
		return c.setOp(n)
	case *plan.With:
		return c.with(n)
	case *plan.CTEScan:
		return c.cteScan(n)
	case *plan.RecursiveUnion:
		return c.recursiveUnion(n)
	case *plan.WorkTableScan:
		return c.workScan(n)
	default:
		c.fail(failure.NotSupported("plan node %T is", n))
		return nil
	}
}
