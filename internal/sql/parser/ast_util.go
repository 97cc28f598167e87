package parser

// TransactionKind is a transaction statement.
type TransactionKind uint8

// The transaction statements.
const (
	TransBegin TransactionKind = iota
	TransStart
	TransCommit
	TransRollback
	TransSavepoint
	TransRelease
	TransRollbackTo
	TransPrepare
	TransCommitPrepared
	TransRollbackPrepared
)

// TransactionModes are the modes of BEGIN, START and SET TRANSACTION.
type TransactionModes struct {
	Isolation     string // "", or "serializable", "repeatable read", "read committed", "read uncommitted"
	ReadOnly      bool
	ReadWrite     bool
	Deferrable    bool
	NotDeferrable bool
}

// TransactionStmt is a transaction statement. Name is the savepoint, or the global identifier of a prepared
// transaction. Chain is AND CHAIN.
type TransactionStmt struct {
	Pos   int
	Kind  TransactionKind
	Modes TransactionModes
	Name  string
	Chain bool
}

// VariableSetKind is a kind of SET.
type VariableSetKind uint8

// The kinds of SET.
const (
	SetValue       VariableSetKind = iota // SET name = args
	SetDefault                            // SET name TO DEFAULT
	SetCurrent                            // SET name FROM CURRENT
	SetTransaction                        // SET TRANSACTION modes; Name is TRANSACTION
	SetSessionChar                        // SET SESSION CHARACTERISTICS AS TRANSACTION modes
	SetSnapshot                           // SET TRANSACTION SNAPSHOT 'id'
	SetReset                              // RESET name
	SetResetAll                           // RESET ALL
)

// VariableSetStmt is SET or RESET. Names are folded; "a.b" names are joined by a dot. SET TIME ZONE, NAMES, SCHEMA,
// ROLE, SESSION AUTHORIZATION, … come as the variable that they set (timezone, client_encoding, search_path, role,
// session_authorization). Args are *Const, or *TypeCast of a *Const to interval for SET TIME ZONE INTERVAL.
type VariableSetStmt struct {
	Pos   int
	Kind  VariableSetKind
	Name  string
	Args  []Expr
	Local bool
	Modes TransactionModes
}

// VariableShowStmt is SHOW; Name is "all" for SHOW ALL, and "timezone", "transaction_isolation",
// "session_authorization" for the spelled-out forms.
type VariableShowStmt struct {
	Pos  int
	Name string
}

// DiscardStmt is DISCARD ALL, PLANS, SEQUENCES or TEMP; Target is the upper-case word.
type DiscardStmt struct {
	Pos    int
	Target string
}

// ExplainStmt is EXPLAIN. Options are named as in the parenthesized form; the old form's words come as "analyze" and
// "verbose" without a value.
type ExplainStmt struct {
	Pos     int
	Options []*DefElem
	Query   Statement
}

// CopyStmt is COPY. Exactly one of Relation and Query is set. Without Program and with an empty Filename the data
// goes through the connection. The old options come under the new ones' names: "format", "delimiter", "null",
// "header", "quote", "escape", "force_quote", "force_not_null", "force_null", "encoding", "freeze". A flag without a
// value (nil Arg) means true.
type CopyStmt struct {
	Pos      int
	Relation *RelationName
	Query    Statement
	Columns  []string
	From     bool
	Program  bool
	HasFile  bool
	Filename string
	Options  []*DefElem
	Where    Expr
}

// PrepareStmt is PREPARE.
type PrepareStmt struct {
	Pos   int
	Name  string
	Types []*TypeName
	Query Statement
}

// ExecuteStmt is EXECUTE.
type ExecuteStmt struct {
	Pos  int
	Name string
	Args []Expr
}

// DeallocateStmt is DEALLOCATE; Name is "" for ALL.
type DeallocateStmt struct {
	Pos  int
	Name string
	All  bool
}

// CursorOption is one of DECLARE's options as bits.
type CursorOption uint8

// DECLARE's options.
const (
	CursorBinary CursorOption = 1 << iota
	CursorScroll
	CursorNoScroll
	CursorInsensitive
	CursorAsensitive
	CursorHold
)

// DeclareCursorStmt is DECLARE … CURSOR.
type DeclareCursorStmt struct {
	Pos     int
	Name    string
	Options CursorOption
	Query   *SelectStmt
}

// FetchDirection is a direction of FETCH and MOVE.
type FetchDirection uint8

// The directions. FIRST is absolute 1, LAST absolute -1, NEXT forward 1, PRIOR backward 1.
const (
	FetchForward FetchDirection = iota
	FetchBackward
	FetchAbsolute
	FetchRelative
)

// FetchAll is the count of FETCH ALL.
const FetchAll = int64(1<<63 - 1)

// FetchStmt is FETCH, or MOVE.
type FetchStmt struct {
	Pos       int
	Move      bool
	Direction FetchDirection
	Count     int64
	Cursor    string
}

// ClosePortalStmt is CLOSE; All is CLOSE ALL.
type ClosePortalStmt struct {
	Pos  int
	Name string
	All  bool
}

// ListenStmt is LISTEN.
type ListenStmt struct {
	Pos     int
	Channel string
}

// NotifyStmt is NOTIFY.
type NotifyStmt struct {
	Pos        int
	Channel    string
	Payload    string
	HasPayload bool
}

// UnlistenStmt is UNLISTEN; All is UNLISTEN *.
type UnlistenStmt struct {
	Pos     int
	Channel string
	All     bool
}

// LockStmt is LOCK TABLE; Mode is in PostgreSQL's words, ACCESS EXCLUSIVE when not written.
type LockStmt struct {
	Pos    int
	Tables []*RangeVar
	Mode   string
	NoWait bool
}

// CallStmt is CALL.
type CallStmt struct {
	Pos  int
	Call *FuncCall
}

// DoStmt is DO. Options are "as" and "language" (*Const).
type DoStmt struct {
	Pos     int
	Options []*DefElem
}

// VacuumStmt is VACUUM, or ANALYZE when Analyze. Options are named as in the parenthesized form.
type VacuumStmt struct {
	Pos     int
	Analyze bool
	Options []*DefElem
	Targets []*VacuumTarget
}

// VacuumTarget is one table of VACUUM or ANALYZE.
type VacuumTarget struct {
	Pos      int
	Relation RelationName
	Columns  []string
}

// ClusterStmt is CLUSTER; Relation is nil for all tables.
type ClusterStmt struct {
	Pos      int
	Relation *RelationName
	Index    string
	Options  []*DefElem
}

// ReindexStmt is REINDEX. Target is INDEX, TABLE, SCHEMA, SYSTEM or DATABASE.
type ReindexStmt struct {
	Pos          int
	Target       string
	Relation     *RelationName // INDEX, TABLE
	Name         string        // the others
	Concurrently bool
	Options      []*DefElem
}

// ConstraintsSetStmt is SET CONSTRAINTS; Constraints is empty for ALL.
type ConstraintsSetStmt struct {
	Pos         int
	Constraints []*RelationName
	Deferred    bool
}

// CheckPointStmt is CHECKPOINT.
type CheckPointStmt struct{ Pos int }

// LoadStmt is LOAD.
type LoadStmt struct {
	Pos  int
	File string
}
