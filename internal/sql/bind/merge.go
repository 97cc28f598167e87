package bind

import (
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// merge binds MERGE.
func (b *binder) merge(_ *scope, stmt *parser.MergeStmt) *plan.BoundStmt {
	b.notSupported(stmt.Pos, "MERGE")
	return nil
}
