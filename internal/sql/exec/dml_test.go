package exec

import (
	"testing"

	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

func TestUpdateDelete(t *testing.T) {
	f := newFixture(t)
	tab := kvTable(true)
	f.want("3 rows", plan.KindInsert, insertRows(tab, []plan.Expr{num(1), str("a"), num(10)},
		[]plan.Expr{num(2), str("b"), num(20)}, []plan.Expr{num(3), str("c"), num(30)}))
	// Every key moves to its neighbour: free only at the end of the statement.
	shift := &plan.Update{Table: tab, Source: scanAll(tab), Set: []plan.ColumnExpr{{Ordinal: 0, Expr: f.call("int4pl", col(0, int4), num(1))}}}
	f.want("3 rows", plan.KindUpdate, shift)
	f.want("2|a|10\n3|b|20\n4|c|30", plan.KindSelect, scanAll(tab))
	same := &plan.Update{Table: tab, Source: scanAll(tab), Set: []plan.ColumnExpr{{Ordinal: 1, Expr: str("z")}}}
	f.want("23505: duplicate key value violates unique constraint \"t_v_key\" / Key (v)=(z) already exists.", plan.KindUpdate, same)
	set := &plan.Update{Table: tab, Source: scanAll(tab), Set: []plan.ColumnExpr{{Ordinal: 2, Expr: f.call("int4mul", col(2, int4), num(2))}},
		Returning: allCols()}
	f.want("2|a|20\n3|b|40\n4|c|60\n3 rows", plan.KindUpdate, set)
	byN := &plan.Scan{Props: plan.Props{Cols: tableCols(tab)}, Access: whole(tab, tab.Indexes[2])}
	f.want("2|a|20\n3|b|40\n4|c|60", plan.KindSelect, byN)
	byN.Spans = []plan.KeySpan{{Parts: []plan.KeyPart{{Kind: plan.KeyEq, Exprs: []plan.Expr{num(40)}}}}}
	f.want("3|b|40\n1 rows", plan.KindDelete, &plan.Delete{Table: tab, Source: byN, Returning: allCols()})
	f.want("2|a|20\n4|c|60", plan.KindSelect, &plan.Scan{Props: plan.Props{Cols: tableCols(tab)}, Access: whole(tab, tab.Indexes[1])})
	f.want("23505: duplicate key value violates unique constraint \"t_pkey\" / Key (id)=(4) already exists.", plan.KindUpdate,
		&plan.Update{Table: tab, Source: &plan.PointGet{Props: plan.Props{Cols: tableCols(tab)}, Access: whole(tab, tab.Indexes[0]),
			Keys: []plan.Expr{num(2)}}, Set: []plan.ColumnExpr{{Ordinal: 0, Expr: num(4)}}})
}

func TestOnConflict(t *testing.T) {
	f := newFixture(t)
	tab := kvTable(true)
	f.want("1 rows", plan.KindInsert, insertRows(tab, []plan.Expr{num(1), str("a"), num(10)}))
	in := insertRows(tab, []plan.Expr{num(1), str("x"), num(1)}, []plan.Expr{num(2), str("b"), num(2)}, []plan.Expr{num(2), str("c"), num(3)})
	in.OnConflict = &plan.OnConflict{Kind: plan.ConflictNothing}
	in.Returning = allCols()
	f.want("2|b|2\n1 rows", plan.KindInsert, in)
	up := insertRows(tab, []plan.Expr{num(1), str("x"), num(5)}, []plan.Expr{num(3), str("d"), num(6)})
	up.OnConflict = &plan.OnConflict{Kind: plan.ConflictUpdate, Arbiters: []*catalog.Index{tab.Indexes[0]},
		Set: []plan.ColumnExpr{{Ordinal: 2, Expr: f.call("int4pl", col(2, int4), col(5, int4))}}}
	up.Returning = allCols()
	f.want("1|a|15\n3|d|6\n2 rows", plan.KindInsert, up)
	up.Source.(*plan.Values).Rows = [][]plan.Expr{{num(8), str("p"), num(1)}, {num(8), str("q"), num(2)}}
	f.want("21000: ON CONFLICT DO UPDATE command cannot affect row a second time", plan.KindInsert, up)
	up.Source.(*plan.Values).Rows = [][]plan.Expr{{num(9), str("a"), num(1)}}
	f.want("23505: duplicate key value violates unique constraint \"t_v_key\" / Key (v)=(a) already exists.", plan.KindInsert, up)
}

func TestForeignKeys(t *testing.T) {
	f := newFixture(t)
	parent := kvTable(false)
	child := kvTable(false)
	child.OID, child.Data, child.Name = 30000, 30000, "c"
	child.Indexes = append(child.Indexes, &catalog.Index{ID: 2, OID: 30002, Name: "c_n", Key: []catalog.IndexColumn{{Column: 3, Type: int4}}})
	fk := plan.RowRules{ForeignKeys: []plan.ForeignKeyCheck{{Name: "c_n_fkey", Cols: []int{2}, Parent: parent, Index: parent.Indexes[0], ParentCols: []int{0}}}}
	f.want("2 rows", plan.KindInsert, insertRows(parent, []plan.Expr{num(1), str("a"), num(10)}, []plan.Expr{num(2), str("b"), num(20)}))
	ins := insertRows(child, []plan.Expr{num(1), str("x"), num(1)}, []plan.Expr{num(2), str("y"), num(7)})
	ins.Rules = fk
	f.want("23503: insert or update on table \"c\" violates foreign key constraint \"c_n_fkey\" / Key (n)=(7) is not present in table \"t\".", plan.KindInsert, ins)
	ins.Source.(*plan.Values).Rows = [][]plan.Expr{{num(1), str("x"), num(1)}, {num(2), str("y"), null(int4)}}
	f.want("2 rows", plan.KindInsert, ins)
	refs := &plan.Scan{Props: plan.Props{Cols: tableCols(child)}, Access: whole(child, child.Indexes[1]),
		Spans: []plan.KeySpan{{Parts: []plan.KeyPart{{Exprs: []plan.Expr{&plan.OuterParam{Slot: 0, Typ: int4}}}}}}}
	ref := plan.Reference{Name: "c_n_fkey", Child: child, ChildCols: []int{2}, Cols: []int{0}, Plan: &plan.Statement{Root: refs, NumSlots: 2}}
	del := &plan.Delete{Table: parent, Source: scanAll(parent), Rules: plan.RowRules{References: []plan.Reference{ref}}}
	f.want("23503: update or delete on table \"t\" violates foreign key constraint \"c_n_fkey\" on table \"c\" / Key (id)=(1) is still referenced from table \"c\".", plan.KindDelete, del)
	ref.Action = plan.RefCascade
	ref.Plan = &plan.Statement{Kind: plan.KindDelete, Root: &plan.Delete{Table: child, Source: refs}, NumSlots: 2}
	del.Rules.References[0] = ref
	f.want("2 rows", plan.KindDelete, del)
	f.want("2|y|null", plan.KindSelect, scanAll(child))
}
