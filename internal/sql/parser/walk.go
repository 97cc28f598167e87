package parser

// Walk calls f for a node and then, unless f returned false, for everything below it, parents before children and in
// the order of the fields. It passes every node of the tree that is not nil, but for IndirectionElem, whose
// subscripts come as children of what has the list.
func Walk(n Node, f func(Node) bool) {
	if n == nil || !f(n) {
		return
	}
	switch n := n.(type) {
	case *GroupingSet:
		visitAll(n.Items, f)
	case Expr:
		walkExpr(n, f)
	case Statement:
		if !walkQuery(n, f) && !walkTable(n, f) && !walkDDL(n, f) {
			walkUtility(n, f)
		}
	default:
		if !walkQuery(n, f) && !walkBasic(n, f) && !walkTable(n, f) && !walkDDL(n, f) {
			walkUtility(n, f)
			walkExpr(n, f)
		}
	}
}

// visit walks a node behind an interface that may be nil.
func visit[T Node](n T, f func(Node) bool) {
	if Node(n) != nil {
		Walk(n, f)
	}
}

// visitAll walks a list of nodes behind interfaces.
func visitAll[T Node](list []T, f func(Node) bool) {
	for _, n := range list {
		visit(n, f)
	}
}

// visitEach walks a list of nodes.
func visitEach[T Node](list []T, f func(Node) bool) {
	for _, n := range list {
		Walk(n, f)
	}
}

func visitIndirection(elems []IndirectionElem, f func(Node) bool) {
	for i := range elems {
		visit(elems[i].Lower, f)
		visit(elems[i].Upper, f)
	}
}

// walkExpr walks what is below expressions.
func walkExpr(n Node, f func(Node) bool) {
	switch n := n.(type) {
	case *OpExpr:
		visit(n.Left, f)
		visit(n.Right, f)
	case *AnyAllExpr:
		visit(n.Left, f)
		visit(n.Right, f)
	case *InExpr:
		visit(n.Left, f)
		visitAll(n.List, f)
	case *LikeExpr:
		visit(n.Left, f)
		visit(n.Pattern, f)
		visit(n.Escape, f)
	case *BetweenExpr:
		visit(n.Arg, f)
		visit(n.Low, f)
		visit(n.High, f)
	case *DistinctExpr:
		visit(n.Left, f)
		visit(n.Right, f)
	case *NullIfExpr:
		visit(n.Left, f)
		visit(n.Right, f)
	case *BoolExpr:
		visitAll(n.Args, f)
	case *NullTest:
		visit(n.Arg, f)
	case *BooleanTest:
		visit(n.Arg, f)
	case *TypeCast:
		visit(n.Arg, f)
		if n.Type != nil {
			Walk(n.Type, f)
		}
	case *CollateExpr:
		visit(n.Arg, f)
	case *FuncCall:
		visitAll(n.Args, f)
		visitEach(n.OrderBy, f)
		visit(n.Filter, f)
		if n.Over != nil {
			Walk(n.Over, f)
		}
	case *NamedArgExpr:
		visit(n.Arg, f)
	case *CaseWhen:
		visit(n.Cond, f)
		visit(n.Result, f)
	case *CaseExpr:
		visit(n.Arg, f)
		visitEach(n.Whens, f)
		visit(n.Else, f)
	case *CoalesceExpr:
		visitAll(n.Args, f)
	case *MinMaxExpr:
		visitAll(n.Args, f)
	case *ArrayExpr:
		visitAll(n.Elems, f)
	case *RowExpr:
		visitAll(n.Args, f)
	case *SubLink:
		visit(n.Test, f)
		if n.Query != nil {
			Walk(n.Query, f)
		}
	case *Indirection:
		visit(n.Arg, f)
		visitIndirection(n.Elems, f)
	case *GroupingFunc:
		visitAll(n.Args, f)
	case *XMLExpr:
		visitEach(n.Named, f)
		visitAll(n.Args, f)
		if n.Type != nil {
			Walk(n.Type, f)
		}
	}
}

// walkQuery walks what is below queries and changes of rows, and says whether n is one that has something below it.
func walkQuery(n Node, f func(Node) bool) bool {
	switch n := n.(type) {
	case *SelectStmt:
		visitAll(n.DistinctOn, f)
		visitEach(n.Targets, f)
		if n.Into != nil {
			Walk(n.Into, f)
		}
		visitAll(n.From, f)
		visit(n.Where, f)
		visitAll(n.GroupBy, f)
		visit(n.Having, f)
		visitEach(n.Windows, f)
		for _, row := range n.Values {
			visitAll(row, f)
		}
		if n.Left != nil {
			Walk(n.Left, f)
		}
		if n.Right != nil {
			Walk(n.Right, f)
		}
		if n.With != nil {
			Walk(n.With, f)
		}
		visitEach(n.OrderBy, f)
		visit(n.Limit, f)
		visit(n.Offset, f)
		visitEach(n.Locking, f)
	case *ResTarget:
		visit(n.Value, f)
	case *IntoClause:
		Walk(&n.Relation, f)
	case *SortBy:
		visit(n.Expr, f)
	case *WindowFrame:
		visit(n.Start.Offset, f)
		visit(n.End.Offset, f)
	case *WindowDef:
		visitAll(n.PartitionBy, f)
		visitEach(n.OrderBy, f)
		if n.Frame != nil {
			Walk(n.Frame, f)
		}
	case *LockingClause:
		visitEach(n.Of, f)
	case *WithClause:
		visitEach(n.CTEs, f)
	case *CommonTableExpr:
		visit(n.Query, f)
		if n.Search != nil {
			Walk(n.Search, f)
		}
		if n.Cycle != nil {
			Walk(n.Cycle, f)
		}
	case *CTECycle:
		visit(n.MarkValue, f)
		visit(n.MarkDefault, f)
	case *RangeVar:
		Walk(&n.Relation, f)
		if n.Alias != nil {
			Walk(n.Alias, f)
		}
		if n.Sample != nil {
			Walk(n.Sample, f)
		}
	case *TableSample:
		visitAll(n.Args, f)
		visit(n.Repeatable, f)
	case *RangeSubselect:
		if n.Query != nil {
			Walk(n.Query, f)
		}
		if n.Alias != nil {
			Walk(n.Alias, f)
		}
	case *RangeFunctionItem:
		visit(n.Func, f)
		visitEach(n.ColDefs, f)
	case *RangeFunction:
		visitEach(n.Funcs, f)
		if n.Alias != nil {
			Walk(n.Alias, f)
		}
		visitEach(n.ColDefs, f)
	case *RangeTableFunc:
		visitEach(n.Namespaces, f)
		visit(n.RowExpr, f)
		visit(n.DocExpr, f)
		visitEach(n.Columns, f)
		if n.Alias != nil {
			Walk(n.Alias, f)
		}
	case *RangeTableFuncCol:
		if n.Type != nil {
			Walk(n.Type, f)
		}
		visit(n.Path, f)
		visit(n.Default, f)
	case *JoinExpr:
		visit(n.Left, f)
		visit(n.Right, f)
		if n.UsingAlias != nil {
			Walk(n.UsingAlias, f)
		}
		visit(n.On, f)
		if n.Alias != nil {
			Walk(n.Alias, f)
		}
	case *InsertStmt:
		if n.With != nil {
			Walk(n.With, f)
		}
		Walk(&n.Relation, f)
		visitEach(n.Columns, f)
		if n.Source != nil {
			Walk(n.Source, f)
		}
		if n.OnConflict != nil {
			Walk(n.OnConflict, f)
		}
		visitEach(n.Returning, f)
	case *AssignTarget:
		visitIndirection(n.Indirection, f)
	case *Assignment:
		visitEach(n.Targets, f)
		visit(n.Value, f)
	case *OnConflict:
		visitEach(n.Elems, f)
		visit(n.ElemsWhere, f)
		visitEach(n.Set, f)
		visit(n.Where, f)
	case *UpdateStmt:
		if n.With != nil {
			Walk(n.With, f)
		}
		if n.Table != nil {
			Walk(n.Table, f)
		}
		visitEach(n.Set, f)
		visitAll(n.From, f)
		visit(n.Where, f)
		visitEach(n.Returning, f)
	case *DeleteStmt:
		if n.With != nil {
			Walk(n.With, f)
		}
		if n.Table != nil {
			Walk(n.Table, f)
		}
		visitAll(n.Using, f)
		visit(n.Where, f)
		visitEach(n.Returning, f)
	case *MergeStmt:
		if n.With != nil {
			Walk(n.With, f)
		}
		if n.Table != nil {
			Walk(n.Table, f)
		}
		visit(n.Source, f)
		visit(n.On, f)
		visitEach(n.Whens, f)
	case *MergeWhen:
		visit(n.Cond, f)
		visitEach(n.Set, f)
		visitEach(n.Columns, f)
		visitAll(n.Values, f)
	default:
		return false
	}
	return true
}

// walkTable walks what is below statements about tables, and says whether n is one that has something below it.
func walkTable(n Node, f func(Node) bool) bool {
	switch n := n.(type) {
	case *ColumnDef:
		if n.Type != nil {
			Walk(n.Type, f)
		}
		visitEach(n.FDWOptions, f)
		visitEach(n.Constraints, f)
	case *Constraint:
		visit(n.Expr, f)
		visitEach(n.Sequence, f)
		visitEach(n.Options, f)
		visitEach(n.Exclusions, f)
		visit(n.Where, f)
		if n.Ref != nil {
			Walk(n.Ref, f)
		}
	case *ExclusionElem:
		if n.Elem != nil {
			Walk(n.Elem, f)
		}
	case *LikeClause:
		Walk(&n.Relation, f)
	case *PartitionSpec:
		visitEach(n.Elems, f)
	case *PartitionBound:
		visitAll(n.List, f)
		visitAll(n.To, f)
	case *CreateTableStmt:
		Walk(&n.Relation, f)
		visitAll(n.Elements, f)
		visitEach(n.Inherits, f)
		if n.OfType != nil {
			Walk(n.OfType, f)
		}
		if n.PartitionOf != nil {
			Walk(n.PartitionOf, f)
		}
		if n.Bound != nil {
			Walk(n.Bound, f)
		}
		if n.PartitionBy != nil {
			Walk(n.PartitionBy, f)
		}
		visitEach(n.Options, f)
		visitEach(n.FDWOptions, f)
	case *CreateTableAsStmt:
		Walk(&n.Relation, f)
		visitEach(n.Options, f)
		visit(n.Query, f)
	case *IndexElem:
		visit(n.Expr, f)
		visitEach(n.OpOptions, f)
	case *CreateIndexStmt:
		if n.Table != nil {
			Walk(n.Table, f)
		}
		visitEach(n.Keys, f)
		visitEach(n.Include, f)
		visitEach(n.Options, f)
		visit(n.Where, f)
	case *Object:
		if n.Type != nil {
			Walk(n.Type, f)
		}
		visitEach(n.Args, f)
		if n.Right != nil {
			Walk(n.Right, f)
		}
	case *AlterTableCmd:
		if n.Column != nil {
			Walk(n.Column, f)
		}
		if n.Constraint != nil {
			Walk(n.Constraint, f)
		}
		if n.Type != nil {
			Walk(n.Type, f)
		}
		visit(n.Expr, f)
		visitEach(n.Options, f)
		if n.Owner != nil {
			Walk(n.Owner, f)
		}
		if n.Relation != nil {
			Walk(n.Relation, f)
		}
		if n.Bound != nil {
			Walk(n.Bound, f)
		}
	case *AlterTableStmt:
		if n.Table != nil {
			Walk(n.Table, f)
		}
		visitEach(n.Cmds, f)
	case *RenameStmt:
		if n.Relation != nil {
			Walk(n.Relation, f)
		}
		if n.Target != nil {
			Walk(n.Target, f)
		}
	case *AlterObjectSchemaStmt:
		if n.Relation != nil {
			Walk(n.Relation, f)
		}
		if n.Target != nil {
			Walk(n.Target, f)
		}
	case *AlterOwnerStmt:
		if n.Target != nil {
			Walk(n.Target, f)
		}
		if n.Owner != nil {
			Walk(n.Owner, f)
		}
	case *AlterObjectDependsStmt:
		if n.Relation != nil {
			Walk(n.Relation, f)
		}
		if n.Target != nil {
			Walk(n.Target, f)
		}
	case *AlterTableMoveAllStmt:
		visitEach(n.OwnedBy, f)
	case *DropStmt:
		visitEach(n.Objects, f)
	default:
		return false
	}
	return true
}

// walkDDL walks what is below statements about other objects, and says whether n is one that has something below it.
func walkDDL(n Node, f func(Node) bool) bool {
	switch n := n.(type) {
	case *ViewStmt:
		Walk(&n.Relation, f)
		visitEach(n.Options, f)
		if n.Query != nil {
			Walk(n.Query, f)
		}
	case *RefreshMatViewStmt:
		Walk(&n.Relation, f)
	case *CreateSchemaStmt:
		if n.Owner != nil {
			Walk(n.Owner, f)
		}
		visitAll(n.Elements, f)
	case *CreateSeqStmt:
		Walk(&n.Relation, f)
		visitEach(n.Options, f)
	case *AlterSeqStmt:
		Walk(&n.Relation, f)
		visitEach(n.Options, f)
	case *CreateRoleStmt:
		visitEach(n.Options, f)
	case *RoleList:
		visitEach(n.Roles, f)
	case *AlterRoleStmt:
		if n.Role != nil {
			Walk(n.Role, f)
		}
		visitEach(n.Options, f)
	case *AlterRoleSetStmt:
		if n.Role != nil {
			Walk(n.Role, f)
		}
		if n.Set != nil {
			Walk(n.Set, f)
		}
	case *DropRoleStmt:
		visitEach(n.Roles, f)
	case *GrantStmt:
		visitEach(n.Privileges, f)
		visitEach(n.Objects, f)
		visitEach(n.Grantees, f)
		if n.Grantor != nil {
			Walk(n.Grantor, f)
		}
	case *GrantRoleStmt:
		visitEach(n.Roles, f)
		visitEach(n.Grantees, f)
		if n.Grantor != nil {
			Walk(n.Grantor, f)
		}
	case *AWSIAMStmt:
		if n.Role != nil {
			Walk(n.Role, f)
		}
	case *AlterDefaultPrivilegesStmt:
		visitEach(n.Roles, f)
		if n.Action != nil {
			Walk(n.Action, f)
		}
	case *CreateDomainStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
		if n.Type != nil {
			Walk(n.Type, f)
		}
		visitEach(n.Constraints, f)
	case *AlterDomainStmt:
		if n.Domain != nil {
			Walk(n.Domain, f)
		}
		visit(n.Expr, f)
		if n.Constraint != nil {
			Walk(n.Constraint, f)
		}
	case *CreateEnumStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
	case *AlterEnumStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
	case *CompositeTypeStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
		visitEach(n.Columns, f)
	case *CreateRangeStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
		visitEach(n.Options, f)
	case *DefineStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
		if n.Aggregate != nil {
			Walk(n.Aggregate, f)
		}
		visitEach(n.Definition, f)
	case *AlterTypeStmt:
		if n.Target != nil {
			Walk(n.Target, f)
		}
		visitEach(n.Options, f)
	case *FunctionParam:
		if n.Type != nil {
			Walk(n.Type, f)
		}
		visit(n.Default, f)
	case *CreateFunctionStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
		visitEach(n.Params, f)
		if n.Returns != nil {
			Walk(n.Returns, f)
		}
		visitEach(n.Options, f)
		visit(n.Return, f)
		visitAll(n.Body, f)
	case *ReturnStmt:
		visit(n.Value, f)
	case *TypeList:
		visitEach(n.Types, f)
	case *AlterFunctionStmt:
		if n.Target != nil {
			Walk(n.Target, f)
		}
		visitEach(n.Options, f)
	case *CommentStmt:
		if n.Target != nil {
			Walk(n.Target, f)
		}
	case *SecLabelStmt:
		if n.Target != nil {
			Walk(n.Target, f)
		}
	case *TruncateStmt:
		visitEach(n.Tables, f)
	case *CreateStatsStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
		visitEach(n.Exprs, f)
		visitAll(n.From, f)
	case *AlterStatsStmt:
		if n.Name != nil {
			Walk(n.Name, f)
		}
	case *CreateTriggerStmt:
		Walk(&n.Relation, f)
		visit(n.When, f)
		if n.Ref != nil {
			Walk(n.Ref, f)
		}
	case *RuleStmt:
		Walk(&n.Relation, f)
		visit(n.Where, f)
		visitAll(n.Actions, f)
	case *PolicyStmt:
		Walk(&n.Relation, f)
		visitEach(n.Roles, f)
		visit(n.Using, f)
		visit(n.Check, f)
	case *CreateCastStmt:
		if n.Source != nil {
			Walk(n.Source, f)
		}
		if n.Target != nil {
			Walk(n.Target, f)
		}
		if n.Function != nil {
			Walk(n.Function, f)
		}
	case *CreateExtensionStmt:
		visitEach(n.Options, f)
	case *DatabaseStmt:
		visitEach(n.Options, f)
	case *AlterDatabaseSetStmt:
		if n.Set != nil {
			Walk(n.Set, f)
		}
	case *AlterSystemStmt:
		if n.Set != nil {
			Walk(n.Set, f)
		}
	case *OwnedStmt:
		visitEach(n.Roles, f)
		if n.New != nil {
			Walk(n.New, f)
		}
	default:
		return false
	}
	return true
}

// walkUtility walks what is below the other statements.
func walkUtility(n Node, f func(Node) bool) {
	switch n := n.(type) {
	case *VariableSetStmt:
		visitAll(n.Args, f)
	case *ExplainStmt:
		visitEach(n.Options, f)
		visit(n.Query, f)
	case *CopyStmt:
		if n.Relation != nil {
			Walk(n.Relation, f)
		}
		visit(n.Query, f)
		visitEach(n.Options, f)
		visit(n.Where, f)
	case *PrepareStmt:
		visitEach(n.Types, f)
		visit(n.Query, f)
	case *ExecuteStmt:
		visitAll(n.Args, f)
	case *DeclareCursorStmt:
		if n.Query != nil {
			Walk(n.Query, f)
		}
	case *LockStmt:
		visitEach(n.Tables, f)
	case *CallStmt:
		if n.Call != nil {
			Walk(n.Call, f)
		}
	case *DoStmt:
		visitEach(n.Options, f)
	case *VacuumStmt:
		visitEach(n.Options, f)
		visitEach(n.Targets, f)
	case *VacuumTarget:
		Walk(&n.Relation, f)
	case *ClusterStmt:
		if n.Relation != nil {
			Walk(n.Relation, f)
		}
		visitEach(n.Options, f)
	case *ReindexStmt:
		if n.Relation != nil {
			Walk(n.Relation, f)
		}
		visitEach(n.Options, f)
	case *ConstraintsSetStmt:
		visitEach(n.Constraints, f)
	}
}

// walkBasic walks what is below names and options, and says whether n is one that has something below it.
func walkBasic(n Node, f func(Node) bool) bool {
	switch n := n.(type) {
	case *TypeName:
		visitAll(n.Typmods, f)
	case *DefElem:
		visit(n.Arg, f)
	default:
		return false
	}
	return true
}
