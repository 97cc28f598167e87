package parser

func (*SelectStmt) statement()                 {}
func (*InsertStmt) statement()                 {}
func (*UpdateStmt) statement()                 {}
func (*DeleteStmt) statement()                 {}
func (*MergeStmt) statement()                  {}
func (*CreateTableStmt) statement()            {}
func (*CreateTableAsStmt) statement()          {}
func (*CreateIndexStmt) statement()            {}
func (*AlterTableStmt) statement()             {}
func (*RenameStmt) statement()                 {}
func (*AlterObjectSchemaStmt) statement()      {}
func (*AlterOwnerStmt) statement()             {}
func (*AlterObjectDependsStmt) statement()     {}
func (*AlterTableMoveAllStmt) statement()      {}
func (*DropStmt) statement()                   {}
func (*ViewStmt) statement()                   {}
func (*RefreshMatViewStmt) statement()         {}
func (*CreateSchemaStmt) statement()           {}
func (*CreateSeqStmt) statement()              {}
func (*AlterSeqStmt) statement()               {}
func (*CreateRoleStmt) statement()             {}
func (*AlterRoleStmt) statement()              {}
func (*AlterRoleSetStmt) statement()           {}
func (*DropRoleStmt) statement()               {}
func (*GrantStmt) statement()                  {}
func (*GrantRoleStmt) statement()              {}
func (*AWSIAMStmt) statement()                 {}
func (*AlterDefaultPrivilegesStmt) statement() {}
func (*CreateDomainStmt) statement()           {}
func (*AlterDomainStmt) statement()            {}
func (*CreateEnumStmt) statement()             {}
func (*AlterEnumStmt) statement()              {}
func (*CompositeTypeStmt) statement()          {}
func (*CreateRangeStmt) statement()            {}
func (*DefineStmt) statement()                 {}
func (*AlterTypeStmt) statement()              {}
func (*CreateFunctionStmt) statement()         {}
func (*ReturnStmt) statement()                 {}
func (*AlterFunctionStmt) statement()          {}
func (*CommentStmt) statement()                {}
func (*SecLabelStmt) statement()               {}
func (*TruncateStmt) statement()               {}
func (*CreateStatsStmt) statement()            {}
func (*AlterStatsStmt) statement()             {}
func (*CreateTriggerStmt) statement()          {}
func (*RuleStmt) statement()                   {}
func (*PolicyStmt) statement()                 {}
func (*CreateCastStmt) statement()             {}
func (*CreateExtensionStmt) statement()        {}
func (*DatabaseStmt) statement()               {}
func (*AlterDatabaseSetStmt) statement()       {}
func (*AlterSystemStmt) statement()            {}
func (*OwnedStmt) statement()                  {}
func (*OtherStmt) statement()                  {}
func (*TransactionStmt) statement()            {}
func (*VariableSetStmt) statement()            {}
func (*VariableShowStmt) statement()           {}
func (*DiscardStmt) statement()                {}
func (*ExplainStmt) statement()                {}
func (*CopyStmt) statement()                   {}
func (*PrepareStmt) statement()                {}
func (*ExecuteStmt) statement()                {}
func (*DeallocateStmt) statement()             {}
func (*DeclareCursorStmt) statement()          {}
func (*FetchStmt) statement()                  {}
func (*ClosePortalStmt) statement()            {}
func (*ListenStmt) statement()                 {}
func (*NotifyStmt) statement()                 {}
func (*UnlistenStmt) statement()               {}
func (*LockStmt) statement()                   {}
func (*CallStmt) statement()                   {}
func (*DoStmt) statement()                     {}
func (*VacuumStmt) statement()                 {}
func (*ClusterStmt) statement()                {}
func (*ReindexStmt) statement()                {}
func (*ConstraintsSetStmt) statement()         {}
func (*LoadStmt) statement()                   {}

func (*Const) expr()            {}
func (*ParamRef) expr()         {}
func (*ColumnRef) expr()        {}
func (*OpExpr) expr()           {}
func (*AnyAllExpr) expr()       {}
func (*InExpr) expr()           {}
func (*LikeExpr) expr()         {}
func (*BetweenExpr) expr()      {}
func (*DistinctExpr) expr()     {}
func (*NullIfExpr) expr()       {}
func (*BoolExpr) expr()         {}
func (*NullTest) expr()         {}
func (*BooleanTest) expr()      {}
func (*TypeCast) expr()         {}
func (*CollateExpr) expr()      {}
func (*FuncCall) expr()         {}
func (*NamedArgExpr) expr()     {}
func (*CaseExpr) expr()         {}
func (*CoalesceExpr) expr()     {}
func (*MinMaxExpr) expr()       {}
func (*ArrayExpr) expr()        {}
func (*RowExpr) expr()          {}
func (*SubLink) expr()          {}
func (*Indirection) expr()      {}
func (*CurrentOf) expr()        {}
func (*SQLValueFunction) expr() {}
func (*GroupingFunc) expr()     {}
func (*XMLExpr) expr()          {}
func (*GroupingSet) expr()      {}

func (*RangeVar) tableExpr()       {}
func (*RangeSubselect) tableExpr() {}
func (*RangeFunction) tableExpr()  {}
func (*RangeTableFunc) tableExpr() {}
func (*JoinExpr) tableExpr()       {}

func (*ColumnDef) tableElement()  {}
func (*Constraint) tableElement() {}
func (*LikeClause) tableElement() {}

// Position implements Node.
func (n *SelectStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *InsertStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *UpdateStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DeleteStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *MergeStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateTableStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateTableAsStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateIndexStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterTableStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *RenameStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterObjectSchemaStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterOwnerStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterObjectDependsStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterTableMoveAllStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DropStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ViewStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *RefreshMatViewStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateSchemaStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateSeqStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterSeqStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateRoleStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterRoleStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterRoleSetStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DropRoleStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *GrantStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *GrantRoleStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AWSIAMStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterDefaultPrivilegesStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateDomainStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterDomainStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateEnumStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterEnumStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CompositeTypeStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateRangeStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DefineStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterTypeStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateFunctionStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ReturnStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterFunctionStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CommentStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *SecLabelStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *TruncateStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateStatsStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterStatsStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateTriggerStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *RuleStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *PolicyStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateCastStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CreateExtensionStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DatabaseStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterDatabaseSetStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterSystemStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *OwnedStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *OtherStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *TransactionStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *VariableSetStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *VariableShowStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DiscardStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ExplainStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CopyStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *PrepareStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ExecuteStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DeallocateStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DeclareCursorStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *FetchStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ClosePortalStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ListenStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *NotifyStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *UnlistenStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *LockStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *CallStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *DoStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *VacuumStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ClusterStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ReindexStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *ConstraintsSetStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *LoadStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *Const) Position() int { return n.Pos }

// Position implements Node.
func (n *ParamRef) Position() int { return n.Pos }

// Position implements Node.
func (n *ColumnRef) Position() int { return n.Pos }

// Position implements Node.
func (n *OpExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *AnyAllExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *InExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *LikeExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *BetweenExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *DistinctExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *NullIfExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *BoolExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *NullTest) Position() int { return n.Pos }

// Position implements Node.
func (n *BooleanTest) Position() int { return n.Pos }

// Position implements Node.
func (n *TypeCast) Position() int { return n.Pos }

// Position implements Node.
func (n *CollateExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *FuncCall) Position() int { return n.Pos }

// Position implements Node.
func (n *NamedArgExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *CaseExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *CoalesceExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *MinMaxExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *ArrayExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *RowExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *SubLink) Position() int { return n.Pos }

// Position implements Node.
func (n *Indirection) Position() int { return n.Pos }

// Position implements Node.
func (n *CurrentOf) Position() int { return n.Pos }

// Position implements Node.
func (n *SQLValueFunction) Position() int { return n.Pos }

// Position implements Node.
func (n *GroupingFunc) Position() int { return n.Pos }

// Position implements Node.
func (n *XMLExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *GroupingSet) Position() int { return n.Pos }

// Position implements Node.
func (n *RangeVar) Position() int { return n.Pos }

// Position implements Node.
func (n *RangeSubselect) Position() int { return n.Pos }

// Position implements Node.
func (n *RangeFunction) Position() int { return n.Pos }

// Position implements Node.
func (n *RangeTableFunc) Position() int { return n.Pos }

// Position implements Node.
func (n *JoinExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *ColumnDef) Position() int { return n.Pos }

// Position implements Node.
func (n *Constraint) Position() int { return n.Pos }

// Position implements Node.
func (n *LikeClause) Position() int { return n.Pos }

// Position implements Node.
func (n *RelationName) Position() int { return n.Pos }

// Position implements Node.
func (n *QualifiedName) Position() int { return n.Pos }

// Position implements Node.
func (n *TypeName) Position() int { return n.Pos }

// Position implements Node.
func (n *RoleSpec) Position() int { return n.Pos }

// Position implements Node.
func (n *DefElem) Position() int { return n.Pos }

// Position implements Node.
func (n *NameList) Position() int { return n.Pos }

// Position implements Node.
func (n *CaseWhen) Position() int { return n.Pos }

// Position implements Node.
func (n *IndirectionElem) Position() int { return n.Pos }

// Position implements Node.
func (n *ResTarget) Position() int { return n.Pos }

// Position implements Node.
func (n *IntoClause) Position() int { return n.Pos }

// Position implements Node.
func (n *SortBy) Position() int { return n.Pos }

// Position implements Node.
func (n *WindowFrame) Position() int { return n.Pos }

// Position implements Node.
func (n *WindowDef) Position() int { return n.Pos }

// Position implements Node.
func (n *LockingClause) Position() int { return n.Pos }

// Position implements Node.
func (n *WithClause) Position() int { return n.Pos }

// Position implements Node.
func (n *CommonTableExpr) Position() int { return n.Pos }

// Position implements Node.
func (n *CTESearch) Position() int { return n.Pos }

// Position implements Node.
func (n *CTECycle) Position() int { return n.Pos }

// Position implements Node.
func (n *Alias) Position() int { return n.Pos }

// Position implements Node.
func (n *TableSample) Position() int { return n.Pos }

// Position implements Node.
func (n *RangeFunctionItem) Position() int { return n.Pos }

// Position implements Node.
func (n *RangeTableFuncCol) Position() int { return n.Pos }

// Position implements Node.
func (n *AssignTarget) Position() int { return n.Pos }

// Position implements Node.
func (n *Assignment) Position() int { return n.Pos }

// Position implements Node.
func (n *OnConflict) Position() int { return n.Pos }

// Position implements Node.
func (n *MergeWhen) Position() int { return n.Pos }

// Position implements Node.
func (n *ExclusionElem) Position() int { return n.Pos }

// Position implements Node.
func (n *PartitionSpec) Position() int { return n.Pos }

// Position implements Node.
func (n *PartitionBound) Position() int { return n.Pos }

// Position implements Node.
func (n *IndexElem) Position() int { return n.Pos }

// Position implements Node.
func (n *Object) Position() int { return n.Pos }

// Position implements Node.
func (n *AlterTableCmd) Position() int { return n.Pos }

// Position implements Node.
func (n *RoleList) Position() int { return n.Pos }

// Position implements Node.
func (n *Privilege) Position() int { return n.Pos }

// Position implements Node.
func (n *FunctionParam) Position() int { return n.Pos }

// Position implements Node.
func (n *TypeList) Position() int { return n.Pos }

// Position implements Node.
func (n *VacuumTarget) Position() int { return n.Pos }
func (*SetToDefault) expr()           {}
func (*CheckPointStmt) statement()    {}

// Position implements Node.
func (n *SetToDefault) Position() int { return n.Pos }

// Position implements Node.
func (n *CheckPointStmt) Position() int { return n.Pos }

// Position implements Node.
func (n *Star) Position() int { return n.Pos }
