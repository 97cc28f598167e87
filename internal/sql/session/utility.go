package session

import (
	"context"
	"sort"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/sql/setting"
	"github.com/meridiandb/meridian/internal/txn"
)

// done is the execution of a statement that has no rows.
func done(tag string, err error) (*execution, error) {
	if err != nil {
		return nil, err
	}
	return &execution{tag: tag, eof: true, kind: plan.KindInsert}, nil
}

// table is the execution of a statement whose rows are known.
func table(tag string, cols []Column, rows [][]datum.Datum) *execution {
	return &execution{kind: plan.KindSelect, tag: tag, cols: cols, batch: rows}
}

// utility runs a statement that is not planned. Statements that neither read nor write run without a transaction.
func (s *Session) utility(ctx context.Context, st *statement, params []datum.Datum) (*execution, error) {
	switch stmt := st.raw.Stmt.(type) {
	case *parser.TransactionStmt:
		return done(s.transactionStatement(ctx, stmt))
	case *parser.VariableSetStmt:
		return done(s.set(ctx, stmt))
	case *parser.VariableShowStmt:
		return s.show(stmt)
	case *parser.DiscardStmt:
		return done(s.discard(stmt))
	case *parser.PrepareStmt:
		return done("PREPARE", s.prepareSQL(ctx, stmt))
	case *parser.ExecuteStmt:
		return s.executeSQL(ctx, stmt)
	case *parser.DeallocateStmt:
		return done(s.deallocate(stmt))
	case *parser.DeclareCursorStmt:
		return done("DECLARE CURSOR", s.declare(ctx, stmt, params))
	case *parser.FetchStmt:
		return s.fetch(ctx, stmt)
	case *parser.ClosePortalStmt:
		return done(s.closeCursor(stmt))
	case *parser.ExplainStmt:
		return s.explain(ctx, stmt, params)
	case *parser.CopyStmt:
		return s.copy(ctx, stmt)
	case *parser.ConstraintsSetStmt:
		return done("SET CONSTRAINTS", s.setConstraints(ctx, stmt))
	case *parser.LockStmt:
		return done("LOCK TABLE", s.lockTable(ctx, stmt))
	case *parser.CheckPointStmt:
		return done("CHECKPOINT", nil)
	case *parser.CreateTableAsStmt:
		return s.createTableAs(ctx, stmt, params)
	case *parser.ListenStmt:
		return nil, failure.NotSupported("LISTEN")
	case *parser.NotifyStmt:
		return nil, failure.NotSupported("NOTIFY")
	case *parser.UnlistenStmt:
		return done("UNLISTEN", nil)
	case *parser.CallStmt:
		return s.call(ctx, stmt.Call)
	case *parser.DoStmt:
		return nil, failure.NotSupported("DO")
	case *parser.LoadStmt:
		return nil, failure.NotSupported("LOAD")
	}
	return s.schemaChange(ctx, st)
}

// utilityColumns gives the shape of a utility statement's rows without running it; nil when it has none.
func (s *Session) utilityColumns(ctx context.Context, st *statement) ([]Column, error) {
	text := func(names ...string) []Column {
		cols := make([]Column, len(names))
		for i, n := range names {
			cols[i] = Column{Name: n, Type: datum.T(datum.OIDText)}
		}
		return cols
	}
	switch stmt := st.raw.Stmt.(type) {
	case *parser.VariableShowStmt:
		if stmt.Name == "all" {
			return text("name", "setting", "description"), nil
		}
		name, _, err := s.settings.Show(stmt.Name)
		return text(name), err
	case *parser.ExplainStmt:
		return []Column{{Name: "QUERY PLAN", Type: explainType(stmt)}}, nil
	case *parser.ExecuteStmt:
		p, err := s.findPrepared(stmt.Name)
		if err != nil || p.empty {
			return nil, err
		}
		if err := s.analyse(ctx, &p.statement); err != nil {
			return nil, err
		}
		if p.plan != nil && !returnsRows(&p.statement) {
			return nil, nil
		}
		return p.cols, nil
	case *parser.FetchStmt:
		if stmt.Move {
			return nil, nil
		}
		c, err := s.findCursor(stmt.Cursor)
		if err != nil {
			return nil, err
		}
		return c.cols, nil
	case *parser.CreateIndexStmt:
		if stmt.Async {
			return text("job_id"), nil
		}
	case *parser.CallStmt:
		return []Column{{Name: "succeeded", Type: datum.T(datum.OIDBool)}}, nil
	case *parser.AlterTableStmt:
		if stmt.Async {
			return text("job_id"), nil
		}
	}
	return nil, nil
}

// set runs SET and RESET.
func (s *Session) set(ctx context.Context, stmt *parser.VariableSetStmt) (string, error) {
	o := setting.Options{Local: stmt.Local, Superuser: s.settings.Bool("is_superuser")}
	if stmt.Local && s.t.block != inBlock {
		s.warn(failure.NoActiveSQLTransaction, "SET LOCAL can only be used in transaction blocks")
	}
	switch stmt.Kind {
	case parser.SetTransaction:
		if s.t.block != inBlock {
			s.warn(failure.NoActiveSQLTransaction, "SET TRANSACTION can only be used in transaction blocks")
		}
		if s.t.tx != nil && stmt.Modes.Isolation != "" && s.t.statements > 0 {
			return "", failure.New(failure.ActiveSQLTransaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query")
		}
		return "SET", s.setModes(stmt.Modes)
	case parser.SetSessionChar:
		return "SET", s.setCharacteristics(stmt.Modes, o)
	case parser.SetSnapshot:
		return "", failure.NotSupported("SET TRANSACTION SNAPSHOT")
	case parser.SetResetAll:
		s.settings.ResetAll()
		return "RESET", nil
	case parser.SetReset, parser.SetDefault:
		tag := "RESET"
		if stmt.Kind == parser.SetDefault {
			tag = "SET"
		}
		if stmt.Name == "role" || stmt.Name == "session_authorization" {
			return tag, s.setRole(ctx, stmt.Name, "none", o)
		}
		return tag, s.settings.Reset(stmt.Name, o)
	case parser.SetCurrent:
		return "", failure.NotSupported("SET ... FROM CURRENT outside of functions")
	}
	value, err := s.setValue(stmt)
	if err != nil {
		return "", err
	}
	return "SET", s.assign(ctx, stmt.Name, value, o)
}

// setValue joins the arguments of SET as PostgreSQL does.
func (s *Session) setValue(stmt *parser.VariableSetStmt) (string, error) {
	words := make([]string, 0, len(stmt.Args))
	list := s.settings.IsList(stmt.Name)
	if len(stmt.Args) > 1 && !list {
		return "", failure.New(failure.InvalidParameterValue, "SET %s takes only one argument", stmt.Name)
	}
	for _, a := range stmt.Args {
		word, isInterval, err := constText(a)
		if err != nil {
			return "", err
		}
		if isInterval {
			return s.intervalZone(word)
		}
		if s.settings.IsQuoted(stmt.Name) {
			word = quoteListWord(word)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", "), nil
}

// quoteListWord quotes a list element that would not be read back as it is.
func quoteListWord(w string) string {
	for i := 0; i < len(w); i++ {
		c := w[i]
		if c >= 'a' && c <= 'z' || c == '_' || c >= '0' && c <= '9' && i > 0 {
			continue
		}
		return `"` + strings.ReplaceAll(w, `"`, `""`) + `"`
	}
	if w == "" {
		return `""`
	}
	return w
}

// constText prints an argument of SET.
func constText(e parser.Expr) (text string, interval bool, err error) {
	switch e := e.(type) {
	case *parser.Const:
		return constString(e), false, nil
	case *parser.TypeCast:
		text, _, err = constText(e.Arg)
		return text, true, err
	}
	return "", false, failure.New(failure.SyntaxError, "SET takes constants only")
}

// intervalZone turns SET TIME ZONE INTERVAL '…' into an offset.
func (s *Session) intervalZone(text string) (string, error) {
	d, err := datum.ParseText(datum.T(datum.OIDInterval), text, s.datumEnv())
	if err != nil {
		return "", err
	}
	iv := d.Interval()
	for _, bad := range []struct {
		is   bool
		what string
	}{{iv.Months != 0, "months"}, {iv.Days != 0, "days"}} {
		if bad.is {
			return "", failure.New(failure.InvalidParameterValue, "invalid value for parameter \"TimeZone\": \"INTERVAL '%s'\"",
				datum.Text(datum.T(datum.OIDInterval), d, s.datumEnv())).WithDetail("Cannot specify %s in time zone interval.", bad.what)
		}
	}
	return setting.OffsetZone(int(iv.Micros / 1_000_000)), nil
}

// assign changes a parameter, giving meaning to the ones that stand for more than a value.
func (s *Session) assign(ctx context.Context, name, value string, o setting.Options) error {
	switch strings.ToLower(name) {
	case "transaction_isolation":
		return s.setLevel(value)
	case "default_transaction_isolation":
		if _, err := isolation(value); err != nil {
			return err
		}
	case "transaction_read_only":
		on := value == "on" || value == "true" || value == "1"
		return s.setModes(parser.TransactionModes{ReadOnly: on, ReadWrite: !on})
	case "role", "session_authorization":
		return s.setRole(ctx, strings.ToLower(name), value, o)
	}
	return s.settings.Assign(name, value, o)
}

// setRole changes current_user, when the session's user may become the role.
func (s *Session) setRole(ctx context.Context, what, role string, o setting.Options) error {
	if err := s.begun(ctx); err != nil {
		return err
	}
	snap := s.t.cat.Snapshot()
	target := role
	if role == "none" || role == "default" {
		target = s.startup.User
		role = "none"
	}
	d := snap.Role(target)
	if d == nil {
		return failure.New(failure.UndefinedObject, "role \"%s\" does not exist", target)
	}
	me := snap.Role(s.startup.User)
	if me == nil || !snap.MayBecome(me.OID, d.OID) {
		if what == "role" {
			return failure.New(failure.InsufficientPrivilege, "permission denied to set role \"%s\"", target)
		}
		return failure.New(failure.InsufficientPrivilege, "permission denied to set session authorization")
	}
	superuser := "off"
	if d.Superuser {
		superuser = "on"
	}
	o.Force = true
	if err := s.settings.Assign("is_superuser", superuser, o); err != nil {
		return err
	}
	if what == "role" {
		return s.settings.Assign("role", role, o)
	}
	return s.settings.Assign("session_authorization", target, o)
}

// currentUser follows SET ROLE and SET SESSION AUTHORIZATION through their parameters, which roll back by themselves.
func (s *Session) currentUser() string {
	if s.envAt == s.settings.Version()+1 {
		return s.user
	}
	s.sessionUser, _ = s.settings.Get("session_authorization")
	s.user = s.sessionUser
	if role, _ := s.settings.Get("role"); role != "none" && role != "" {
		s.user = role
	}
	return s.user
}

func (s *Session) setCharacteristics(m parser.TransactionModes, o setting.Options) error {
	if m.Isolation != "" {
		if err := s.assign(context.Background(), "default_transaction_isolation", m.Isolation, o); err != nil {
			return err
		}
	}
	pairs := []struct {
		set   bool
		name  string
		value string
	}{{m.ReadOnly, "default_transaction_read_only", "on"}, {m.ReadWrite, "default_transaction_read_only", "off"},
		{m.Deferrable, "default_transaction_deferrable", "on"}, {m.NotDeferrable, "default_transaction_deferrable", "off"}}
	for _, p := range pairs {
		if p.set {
			if err := s.settings.Assign(p.name, p.value, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// assignTransaction changes a parameter that ends with the transaction.
func (s *Session) assignTransaction(name, value string) {
	if s.settings.Assign(name, value, setting.Options{Local: true, Force: true}) == nil {
		s.changedTransactionSettings = true
	}
}

// resetTransactionSettings is what remains to do after the end of a transaction with modes of its own: the parameters
// were local and have gone back by themselves.
func (s *Session) resetTransactionSettings() { s.changedTransactionSettings = false }

// show runs SHOW.
func (s *Session) show(stmt *parser.VariableShowStmt) (*execution, error) {
	text := datum.T(datum.OIDText)
	if stmt.Name == "all" {
		cols := []Column{{Name: "name", Type: text}, {Name: "setting", Type: text}, {Name: "description", Type: text}}
		var rows [][]datum.Datum
		for _, r := range s.settings.Rows() {
			rows = append(rows, []datum.Datum{datum.NewText(r.Def.Name), datum.NewText(r.Def.Show(r.Setting)), datum.NewText(r.Def.Category)})
		}
		return table("SHOW", cols, rows), nil
	}
	name, value, err := s.settings.Show(stmt.Name)
	if err != nil {
		return nil, err
	}
	if v, ok := s.strictShow(name); ok {
		value = v
	}
	switch name {
	case "transaction_isolation":
		value = "repeatable read"
		if s.t.modes.serializable || !s.t.modes.leveled && s.serializableByDefault() {
			value = "serializable"
		}
	case "transaction_read_only":
		if s.t.modes.readOnly || (s.t.block != inBlock && s.settings.Bool("default_transaction_read_only")) {
			value = "on"
		}
	}
	return table("SHOW", []Column{{Name: name, Type: text}}, [][]datum.Datum{{datum.NewText(value)}}), nil
}

// discard runs DISCARD.
func (s *Session) discard(stmt *parser.DiscardStmt) (string, error) {
	switch stmt.Target {
	case "ALL":
		if s.t.block == inBlock || s.t.block == implicit {
			return "", failure.New(failure.ActiveSQLTransaction, "DISCARD ALL cannot run inside a transaction block")
		}
		for name, p := range s.portals {
			if p.cursor != nil {
				p.close()
				delete(s.portals, name)
			}
		}
		s.settings.ResetAll()
		o := setting.Options{Force: true}
		if err := s.settings.Assign("session_authorization", s.startup.User, o); err != nil {
			return "", err
		}
		if err := s.settings.Assign("role", "none", o); err != nil {
			return "", err
		}
		clear(s.prepared)
		s.plans.clear()
		s.sequences = sequenceState{}
		s.advisory = s.releaseAdvisory(s.advisory, 0)
		s.closeTemporary()
	case "TEMP", "TEMPORARY":
		if s.temporary {
			if err := s.begun(s.ctx); err != nil {
				return "", err
			}
			if err := s.superDDL(s.ctx).DropTemporary(s.ctx, s.temp); err != nil {
				return "", err
			}
		}
	case "PLANS":
		s.plans.clear()
	case "SEQUENCES":
		s.sequences = sequenceState{}
	}
	return "DISCARD " + stmt.Target, nil
}

// prepareSQL runs PREPARE.
func (s *Session) prepareSQL(ctx context.Context, stmt *parser.PrepareStmt) error {
	if _, exists := s.prepared[stmt.Name]; exists {
		return failure.New(failure.DuplicatePstatement, "prepared statement \"%s\" already exists", stmt.Name)
	}
	if !plannable(stmt.Query) {
		return failure.New(failure.SyntaxError, "utility statements cannot be prepared")
	}
	if err := s.begun(ctx); err != nil {
		return err
	}
	p := &prepared{name: stmt.Name, bySQL: true, prepared: s.engine.now()}
	p.sql = s.sql
	p.raw = parser.RawStmt{Stmt: stmt.Query}
	for _, t := range stmt.Types {
		typ, err := s.resolveType(t)
		if err != nil {
			return err
		}
		p.oids = append(p.oids, typ.OID)
	}
	if err := s.analyse(ctx, &p.statement); err != nil {
		return err
	}
	s.prepared[stmt.Name] = p
	return nil
}

// executeSQL runs EXECUTE.
func (s *Session) executeSQL(ctx context.Context, stmt *parser.ExecuteStmt) (*execution, error) {
	p, err := s.findPrepared(stmt.Name)
	if err != nil {
		return nil, err
	}
	if p.empty || !plannable(p.raw.Stmt) {
		return nil, failure.NotSupported("EXECUTE of a statement prepared through the protocol that is not a query")
	}
	text := s.sql
	s.sql = p.sql
	if err := s.prepare(ctx, &p.statement); err != nil {
		return nil, err
	}
	s.sql = text
	if len(stmt.Args) != len(p.plan.Params) {
		return nil, failure.New(failure.SyntaxError, "wrong number of parameters for prepared statement \"%s\"", stmt.Name).
			WithDetail("Expected %d parameters but got %d.", len(p.plan.Params), len(stmt.Args))
	}
	params := make([]datum.Datum, len(stmt.Args))
	for i, a := range stmt.Args {
		if params[i], err = s.evalExpr(ctx, a, p.plan.Params[i]); err != nil {
			return nil, err
		}
	}
	return s.openPlan(ctx, &p.statement, params)
}

func (s *Session) deallocate(stmt *parser.DeallocateStmt) (string, error) {
	if stmt.All || stmt.Name == "" {
		clear(s.prepared)
		return "DEALLOCATE ALL", nil
	}
	if _, err := s.findPrepared(stmt.Name); err != nil {
		return "", err
	}
	delete(s.prepared, stmt.Name)
	return "DEALLOCATE", nil
}

// setConstraints runs SET CONSTRAINTS; constraints made immediate are checked at once.
func (s *Session) setConstraints(ctx context.Context, stmt *parser.ConstraintsSetStmt) error {
	if err := s.begun(ctx); err != nil {
		return err
	}
	env, err := s.execEnv(ctx, nil)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(stmt.Constraints))
	for _, n := range stmt.Constraints {
		parts := n.Parts()
		name := parts[len(parts)-1]
		if err := deferrable(s.t.cat.Snapshot(), name, stmt.Deferred); err != nil {
			return err
		}
		names = append(names, name)
	}
	sort.Strings(names)
	return s.t.state.SetConstraints(ctx, env, names, stmt.Deferred)
}

// deferrable makes sure that there are constraints of a name and that they can be deferred.
func deferrable(snap *catalog.Snapshot, name string, deferred bool) error {
	found := false
	for t := range snap.Tables() {
		for _, f := range t.ForeignKeys {
			if f.Name != name {
				continue
			}
			if found = true; !f.Deferrable {
				return failure.New(failure.WrongObjectType, "constraint \"%s\" is not deferrable", name)
			}
		}
		for _, x := range t.Indexes {
			if x.Name != name || x.Constraint == 0 {
				continue
			}
			if found = true; !x.Deferrable {
				return failure.New(failure.WrongObjectType, "constraint \"%s\" is not deferrable", name)
			}
			if deferred {
				return failure.NotSupported("deferring unique constraint \"%s\" to the end of the transaction", name).
					WithHint("It is checked at the end of each statement.")
			}
		}
		if !found && t.HasConstraint(name) {
			return failure.New(failure.WrongObjectType, "constraint \"%s\" is not deferrable", name)
		}
	}
	if !found {
		return failure.New(failure.UndefinedObject, "constraint \"%s\" does not exist", name)
	}
	return nil
}

// lockTable runs LOCK TABLE. Nobody waits for a lock here: a transaction that commits makes those fail that began before
// and conflict with it. In the weak modes, which ordinary statements take in PostgreSQL, the commit makes sure that the
// table's schema is still the same. Those from SHARE UPDATE EXCLUSIVE on conflict besides with each other, as in
// PostgreSQL, by a key that stands for the table; they do not keep out statements that lock nothing.
func (s *Session) lockTable(ctx context.Context, stmt *parser.LockStmt) error {
	if s.t.block != inBlock {
		return noBlock("LOCK TABLE")
	}
	if err := s.begun(ctx); err != nil {
		return err
	}
	snap := s.t.cat.Snapshot()
	for _, v := range stmt.Tables {
		n := v.Relation
		rel, err := snap.Resolve(s.path(), n.Catalog, n.Schema, n.Name)
		if err != nil {
			return err
		}
		t := rel.Table
		if rel.Index != nil || t.Kind != catalog.RelTable && t.Kind != catalog.RelView {
			return failure.New(failure.WrongObjectType, "\"%s\" is not a table or view", n.Name)
		}
		if err := lockPrivilege(snap, s.userOID(), t, stmt.Mode); err != nil {
			return err
		}
		if err := s.t.cat.Use(ctx, t.OID); err != nil {
			return err
		}
		if mode, strong := lockMode(stmt.Mode); strong && !s.t.modes.readOnly {
			if err := s.t.tx.Check(ctx, txn.Check{Key: append(catalog.SchemaKey(t.OID), "lock"...), Mode: mode}); err != nil {
				return err
			}
		}
	}
	return nil
}

// lockMode is what the commit checks of the key of a table that is locked in a mode.
func lockMode(mode string) (m txn.CheckMode, strong bool) {
	switch mode {
	case "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE":
		return 0, false
	case "SHARE":
		return txn.CheckShare, true
	}
	return txn.CheckUpdate, true
}

// lockPrivilege wants one of the privileges that a mode of LOCK TABLE can be taken with.
func lockPrivilege(snap *catalog.Snapshot, user catalog.OID, t *catalog.Table, mode string) error {
	enough := []catalog.Privilege{catalog.PrivUpdate, catalog.PrivDelete, catalog.PrivTruncate}
	switch mode {
	case "ACCESS SHARE":
		enough = append(enough, catalog.PrivSelect)
	case "ROW EXCLUSIVE":
		enough = append(enough, catalog.PrivInsert)
	}
	for _, p := range enough {
		if snap.HasTable(user, t, p) {
			return nil
		}
	}
	return snap.CheckTable(user, t, enough[len(enough)-1])
}
