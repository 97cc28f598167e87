package parser

import "strings"

// session prints the statements about transactions, settings, cursors and data transfer, and says whether n is one.
func (p *printer) session(n Statement) bool {
	switch n := n.(type) {
	case *TransactionStmt:
		p.transaction(n)
	case *VariableSetStmt:
		p.variableSet(n)
	case *VariableShowStmt:
		p.s("SHOW ")
		p.variable(n.Name)
	case *DiscardStmt:
		p.s("DISCARD ", n.Target)
	case *ExplainStmt:
		p.s("EXPLAIN ")
		if len(n.Options) > 0 {
			p.utilityOptions(n.Options)
			p.s(" ")
		}
		p.statement(n.Query)
	case *CopyStmt:
		p.copy(n)
	case *PrepareStmt:
		p.s("PREPARE ")
		p.ident(n.Name)
		if n.Types != nil {
			p.s(" (")
			list(p, n.Types, p.typeName)
			p.s(")")
		}
		p.s(" AS ")
		p.statement(n.Query)
	case *ExecuteStmt:
		p.s("EXECUTE ")
		p.ident(n.Name)
		if n.Args != nil {
			p.call("", n.Args...)
		}
	case *DeallocateStmt:
		p.s("DEALLOCATE ")
		p.wordOrAll(n.Name, n.All)
	case *DeclareCursorStmt:
		p.declareCursor(n)
	case *FetchStmt:
		p.fetch(n)
	case *ClosePortalStmt:
		p.s("CLOSE ")
		p.wordOrAll(n.Name, n.All)
	case *ListenStmt:
		p.s("LISTEN ")
		p.ident(n.Channel)
	case *UnlistenStmt:
		p.s("UNLISTEN ")
		if n.All {
			p.s("*")
		} else {
			p.ident(n.Channel)
		}
	case *NotifyStmt:
		p.s("NOTIFY ")
		p.ident(n.Channel)
		if n.HasPayload {
			p.s(", ")
			p.str(n.Payload)
		}
	case *LockStmt:
		p.s("LOCK TABLE ")
		list(p, n.Tables, func(t *RangeVar) { p.tableExpr(t) })
		p.s(" IN ", n.Mode, " MODE")
		p.opt(n.NoWait, " NOWAIT")
	case *ConstraintsSetStmt:
		p.s("SET CONSTRAINTS ")
		if n.Constraints == nil {
			p.s("ALL")
		} else {
			p.rels(n.Constraints)
		}
		p.s(pick(n.Deferred, " DEFERRED", " IMMEDIATE"))
	case *CallStmt:
		p.s("CALL ")
		p.funcCall(n.Call)
	case *DoStmt:
		p.s("DO")
		for _, o := range n.Options {
			p.opt(o.Name == "language", " LANGUAGE")
			p.s(" ")
			p.str(o.Arg.(*Const).Str)
		}
	default:
		return false
	}
	return true
}

func (p *printer) wordOrAll(name string, all bool) {
	if all {
		p.s("ALL")
		return
	}
	p.word(name)
}

func (p *printer) transaction(n *TransactionStmt) {
	p.s([...]string{TransBegin: "BEGIN", TransStart: "START TRANSACTION", TransCommit: "COMMIT",
		TransRollback: "ROLLBACK", TransSavepoint: "SAVEPOINT ", TransRelease: "RELEASE SAVEPOINT ",
		TransRollbackTo: "ROLLBACK TO SAVEPOINT ", TransPrepare: "PREPARE TRANSACTION ",
		TransCommitPrepared: "COMMIT PREPARED ", TransRollbackPrepared: "ROLLBACK PREPARED "}[n.Kind])
	switch n.Kind {
	case TransSavepoint, TransRelease, TransRollbackTo:
		p.ident(n.Name)
	case TransPrepare, TransCommitPrepared, TransRollbackPrepared:
		p.str(n.Name)
	}
	p.modes(n.Modes)
	p.opt(n.Chain, " AND CHAIN")
}

func (p *printer) modes(m TransactionModes) {
	sep := " "
	mode := func(cond bool, texts ...string) {
		if cond {
			p.s(sep)
			p.s(texts...)
			sep = ", "
		}
	}
	mode(m.Isolation != "", "ISOLATION LEVEL ", upper(m.Isolation))
	mode(m.ReadOnly, "READ ONLY")
	mode(m.ReadWrite, "READ WRITE")
	mode(m.Deferrable, "DEFERRABLE")
	mode(m.NotDeferrable, "NOT DEFERRABLE")
}

// variable prints a setting's name, dot by dot.
func (p *printer) variable(name string) {
	if name == "all" {
		p.s("ALL")
		return
	}
	p.dotted(strings.Split(name, "."))
}

func (p *printer) variableSet(n *VariableSetStmt) {
	switch n.Kind {
	case SetReset, SetResetAll:
		p.s("RESET ")
		if n.Kind == SetResetAll {
			p.s("ALL")
		} else {
			p.variable(n.Name)
		}
		return
	}
	p.s("SET ")
	p.opt(n.Local, "LOCAL ")
	p.variableRest(n)
}

// variableRest prints what comes after SET [LOCAL].
func (p *printer) variableRest(n *VariableSetStmt) {
	switch n.Kind {
	case SetTransaction:
		p.s("TRANSACTION")
		p.modes(n.Modes)
		return
	case SetSessionChar:
		p.s("SESSION CHARACTERISTICS AS TRANSACTION")
		p.modes(n.Modes)
		return
	case SetSnapshot:
		p.s("TRANSACTION SNAPSHOT ")
		p.exprs(n.Args)
		return
	}
	if len(n.Args) == 1 {
		if c, ok := n.Args[0].(*TypeCast); ok {
			p.s("TIME ZONE ")
			p.typedLiteral(c)
			return
		}
	}
	p.variable(n.Name)
	switch n.Kind {
	case SetDefault:
		p.s(" TO DEFAULT")
	case SetCurrent:
		p.s(" FROM CURRENT")
	default:
		p.s(" = ")
		p.exprs(n.Args)
	}
}

// utilityOptions prints (name value, …).
func (p *printer) utilityOptions(opts []*DefElem) {
	p.s("(")
	list(p, opts, func(d *DefElem) {
		if d.Name == "analyze" {
			p.s("analyze")
		} else if identIsSafe(d.Name, catTypeFunc) {
			p.s(d.Name)
		} else {
			p.word(d.Name)
		}
		if d.Arg != nil {
			p.s(" ")
			p.node(d.Arg)
		}
	})
	p.s(")")
}

func (p *printer) copy(n *CopyStmt) {
	p.s("COPY ")
	if n.Relation != nil {
		p.rel(n.Relation)
		p.optNames(" ", n.Columns)
	} else {
		p.s("(")
		p.statement(n.Query)
		p.s(")")
	}
	p.s(pick(n.From, " FROM ", " TO "))
	p.opt(n.Program, "PROGRAM ")
	if n.HasFile {
		p.str(n.Filename)
	} else {
		p.s(pick(n.From, "STDIN", "STDOUT"))
	}
	if len(n.Options) > 0 {
		p.s(" WITH (")
		list(p, n.Options, func(d *DefElem) {
			p.ident(d.Name)
			if d.Arg == nil {
				return
			}
			p.s(" ")
			if l, ok := d.Arg.(*NameList); ok {
				p.s("(")
				list(p, l.Names, p.str)
				p.s(")")
				return
			}
			p.node(d.Arg)
		})
		p.s(")")
	}
	p.where(n.Where)
}

func (p *printer) declareCursor(n *DeclareCursorStmt) {
	p.s("DECLARE ")
	p.ident(n.Name)
	for _, o := range [...]struct {
		bit  CursorOption
		text string
	}{{CursorBinary, " BINARY"}, {CursorInsensitive, " INSENSITIVE"}, {CursorAsensitive, " ASENSITIVE"},
		{CursorScroll, " SCROLL"}, {CursorNoScroll, " NO SCROLL"}} {
		p.opt(n.Options&o.bit != 0, o.text)
	}
	p.s(" CURSOR")
	p.opt(n.Options&CursorHold != 0, " WITH HOLD")
	p.s(" FOR ")
	p.query(n.Query)
}

func (p *printer) fetch(n *FetchStmt) {
	p.s(pick(n.Move, "MOVE ", "FETCH "))
	p.s([...]string{"FORWARD ", "BACKWARD ", "ABSOLUTE ", "RELATIVE "}[n.Direction])
	if n.Count == FetchAll {
		p.s("ALL")
	} else {
		p.int(int(n.Count))
	}
	p.s(" FROM ")
	p.ident(n.Cursor)
}
