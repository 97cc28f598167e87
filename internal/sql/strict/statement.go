package strict

import (
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// Check says whether Aurora DSQL takes a statement, as far as that can be told without the catalogue.
func Check(s parser.Statement) error {
	switch s := s.(type) {
	case *parser.TransactionStmt:
		return transaction(s)
	case *parser.VariableSetStmt:
		return set(s)
	case *parser.VariableShowStmt:
		if s.Name == "lc_collate" {
			return failure.New(failure.UndefinedObject, "unrecognized configuration parameter \"%s\"", s.Name)
		}
		return nil
	case *parser.DeallocateStmt:
		if !s.All {
			return unsupported("Deallocate")
		}
		return nil
	case *parser.ExplainStmt:
		return Check(s.Query)
	case *parser.CallStmt:
		return call(s)
	case *parser.MergeStmt:
		return refuse("unsupported statement type: MERGE")
	case *parser.SelectStmt:
		if s.Into != nil {
			return unsupported("CreateTableAs")
		}
	case *parser.VacuumStmt:
		if !s.Analyze {
			return refuse("unsupported VACUUM statement")
		}
		return nil
	case *parser.CopyStmt:
		if s.HasFile || s.Program {
			return refuse("COPY to or from a file not supported")
		}
	}
	if err := never(s); err != nil {
		return err
	}
	if err := definition(s); err != nil {
		return err
	}
	return inside(s)
}

// never refuses the statements that have no supported form.
func never(s parser.Statement) error {
	node := ""
	switch s := s.(type) {
	case *parser.TruncateStmt:
		node = "Truncate"
	case *parser.CreateTableAsStmt:
		node = "CreateTableAs"
	case *parser.CompositeTypeStmt:
		node = "CompositeType"
	case *parser.CreateRangeStmt:
		node = "CreateRange"
	case *parser.CreateEnumStmt:
		return refuse("CREATE TYPE not supported")
	case *parser.AlterEnumStmt, *parser.AlterTypeStmt:
		return refuse("ALTER TYPE not supported")
	case *parser.CreateTriggerStmt:
		return refuse("CREATE TRIGGER not supported")
	case *parser.CreateExtensionStmt:
		node = "CreateExtension"
	case *parser.DatabaseStmt:
		node = map[string]string{"CREATE": "Createdb", "DROP": "Dropdb"}[s.Verb]
		if node == "" {
			node = "AlterDatabase"
		}
	case *parser.AlterDatabaseSetStmt:
		node = "AlterDatabaseSet"
	case *parser.AlterSystemStmt:
		node = "AlterSystem"
	case *parser.ListenStmt:
		node = "Listen"
	case *parser.NotifyStmt:
		node = "Notify"
	case *parser.UnlistenStmt:
		node = "Unlisten"
	case *parser.LockStmt:
		node = "Lock"
	case *parser.DeclareCursorStmt:
		node = "DeclareCursor"
	case *parser.FetchStmt:
		node = "Fetch"
	case *parser.ClosePortalStmt:
		node = "ClosePortal"
	case *parser.PolicyStmt:
		if node = "CreatePolicy"; s.Alter {
			node = "AlterPolicy"
		}
	case *parser.PrepareStmt:
		node = "Prepare"
	case *parser.ExecuteStmt:
		node = "Execute"
	case *parser.DiscardStmt:
		node = "Discard"
	case *parser.LoadStmt:
		node = "Load"
	case *parser.DoStmt:
		node = "Do"
	case *parser.ClusterStmt:
		node = "Cluster"
	case *parser.ReindexStmt:
		node = "Reindex"
	case *parser.RefreshMatViewStmt:
		node = "RefreshMatView"
	case *parser.SecLabelStmt:
		node = "SecLabel"
	case *parser.RuleStmt:
		node = "Rule"
	case *parser.CheckPointStmt:
		node = "CheckPoint"
	case *parser.DefineStmt:
		node = "Define"
	case *parser.CreateCastStmt:
		node = "CreateCast"
	case *parser.AlterObjectDependsStmt:
		node = "AlterObjectDepends"
	case *parser.AlterTableMoveAllStmt:
		node = "AlterTableMoveAll"
	case *parser.OtherStmt:
		node = s.Name
	}
	if node == "" {
		return nil
	}
	return unsupported(node)
}

// definition checks statements of which some forms are supported.
func definition(s parser.Statement) error {
	switch s := s.(type) {
	case *parser.CreateTableStmt:
		return createTable(s)
	case *parser.AlterTableStmt:
		return alterTable(s)
	case *parser.CreateIndexStmt:
		return createIndex(s)
	case *parser.CreateSchemaStmt:
		for _, e := range s.Elements {
			if err := Check(e); err != nil {
				return err
			}
		}
	case *parser.CreateSeqStmt:
		return createSequence(s)
	case *parser.ViewStmt:
		switch {
		case s.Persistence == parser.PersistTemp:
			return refuse("TEMPORARY or TEMP view not supported for CREATE VIEW")
		case s.Check != parser.ViewCheckNone:
			return refuse("WITH CHECK OPTION not supported for CREATE VIEW")
		}
	case *parser.CreateDomainStmt:
		return columnType(s.Type)
	case *parser.AlterDomainStmt:
		switch s.Kind {
		case parser.ADAddConstraint:
			return refuse("unsupported ALTER DOMAIN ADD CONSTRAINT statement")
		case parser.ADSetNotNull:
			return refuse("unsupported ALTER DOMAIN SET NOT NULL statement")
		}
	case *parser.CreateFunctionStmt:
		return createFunction(s)
	case *parser.AlterFunctionStmt:
		return unsupported("AlterFunction")
	case *parser.RenameStmt:
		if s.Object == parser.ObjectTypeName || s.Object == parser.ObjectCompositeAttribute {
			return refuse("unsupported object in RENAME statement")
		}
	case *parser.DropStmt:
		switch {
		case s.Object == parser.ObjectTypeName:
			return refuse("unsupported object in DROP statement")
		case s.Concurrently:
			return refuse("CONCURRENTLY not supported for DROP INDEX")
		}
	case *parser.AlterRoleSetStmt:
		if s.Set == nil || !strings.HasPrefix(s.Set.Name, "meridian.") { // how one leaves this mode for good
			return unsupported("AlterRoleSet")
		}
	case *parser.GrantStmt:
		return grant(s)
	}
	return nil
}

func grant(s *parser.GrantStmt) error {
	if s.Object == parser.ObjectDatabase {
		return refuse("unsupported object type in GRANT")
	}
	if s.Object == parser.ObjectSchema && s.Target == parser.GrantObjects {
		for _, o := range s.Objects {
			if len(o.Names) == 1 && (o.Names[0] == "public" || o.Names[0] == "sys") {
				return refuse("feature not supported on system entity")
			}
		}
	}
	return nil
}

func createFunction(s *parser.CreateFunctionStmt) error {
	if s.Procedure {
		return refuse("PROCEDURE is not supported")
	}
	for _, o := range s.Options {
		if c, ok := o.Arg.(*parser.Const); ok && o.Name == "language" && !strings.EqualFold(c.Str, "sql") {
			return refuse("CREATE FUNCTION with language %s not supported", c.Str)
		}
	}
	return nil
}

func transaction(s *parser.TransactionStmt) error {
	word := ""
	switch s.Kind {
	case parser.TransSavepoint:
		word = "SAVEPOINT"
	case parser.TransRollbackTo:
		word = "ROLLBACK TO"
	case parser.TransRelease:
		word = "RELEASE"
	case parser.TransPrepare:
		word = "PREPARE TRANSACTION"
	case parser.TransCommitPrepared:
		word = "COMMIT PREPARED"
	case parser.TransRollbackPrepared:
		word = "ROLLBACK PREPARED"
	default:
		return isolation(s.Modes.Isolation)
	}
	return refuse("unsupported transaction statement: %s", word)
}

func isolation(level string) error {
	if level == "" || strings.EqualFold(level, "repeatable read") {
		return nil
	}
	return refuse("Unsupported isolation level: %s", strings.ToUpper(level))
}

func call(s *parser.CallStmt) error {
	for _, a := range s.Call.Args {
		if _, ok := a.(*parser.SubLink); ok {
			return refuse("cannot use subquery in CALL argument")
		}
	}
	return nil
}

// inside looks for what is refused anywhere in a statement.
func inside(s parser.Statement) (err error) {
	parser.Walk(s, func(n parser.Node) bool {
		if err != nil {
			return false
		}
		switch n := n.(type) {
		case *parser.TableSample:
			err = refuse("TABLESAMPLE clause not supported")
		case *parser.LockingClause:
			if n.Strength != parser.LockForUpdate && n.Strength != parser.LockForKeyShare {
				err = refuse("locking clauses other than FOR UPDATE/FOR KEY SHARE are not supported")
			}
		case *parser.TypeCast:
			err = castType(n.Type)
		case *parser.FuncCall:
			err = function(n)
		}
		return err == nil
	})
	return err
}

// function refuses functions that DSQL does not have.
func function(f *parser.FuncCall) error {
	name := f.Name[len(f.Name)-1]
	switch name {
	case "wait_for_job":
		if len(f.Name) == 2 && f.Name[0] == "sys" {
			return failure.New(failure.WrongObjectType, "sys.wait_for_job(text) is a procedure").
				WithHint("To call a procedure, use CALL.")
		}
	case "set_config":
		if c := firstString(f); c != nil && !strings.HasPrefix(strings.ToLower(c.Str), "meridian.") {
			return notSettable(c.Str)
		}
	case "to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery":
		config := "english"
		if c := firstString(f); c != nil && len(f.Args) > 1 {
			config = c.Str
		}
		return failure.New(failure.UndefinedObject, "text search configuration \"%s\" does not exist", config)
	case "pg_backend_pid", "pg_table_size", "pg_advisory_lock", "pg_try_advisory_lock", "pg_advisory_unlock_all",
		"pg_advisory_unlock", "pg_advisory_xact_lock", "pg_try_advisory_xact_lock", "pg_advisory_lock_shared",
		"pg_advisory_unlock_shared", "pg_advisory_xact_lock_shared", "pg_try_advisory_lock_shared",
		"pg_try_advisory_xact_lock_shared":
		return refuse("function %s not supported", name)
	}
	return nil
}

func firstString(f *parser.FuncCall) *parser.Const {
	if len(f.Args) == 0 {
		return nil
	}
	a := f.Args[0]
	if t, ok := a.(*parser.TypeCast); ok {
		a = t.Arg
	}
	if c, ok := a.(*parser.Const); ok && c.Kind == parser.ConstString {
		return c
	}
	return nil
}
