package parser

// alterWords are the commands of ALTER TABLE that are words, with a name after them or not.
var alterWords = map[AlterTableKind]string{
	ATValidateConstraint: "VALIDATE CONSTRAINT ", ATClusterOn: "CLUSTER ON ", ATSetWithoutCluster: "SET WITHOUT CLUSTER",
	ATSetLogged: "SET LOGGED", ATSetUnlogged: "SET UNLOGGED", ATSetWithoutOIDs: "SET WITHOUT OIDS",
	ATSetAccessMethod: "SET ACCESS METHOD ", ATSetTablespace: "SET TABLESPACE ",
	ATEnableTrigger: "ENABLE TRIGGER ", ATEnableAlwaysTrigger: "ENABLE ALWAYS TRIGGER ",
	ATEnableReplicaTrigger: "ENABLE REPLICA TRIGGER ", ATDisableTrigger: "DISABLE TRIGGER ",
	ATEnableRule: "ENABLE RULE ", ATEnableAlwaysRule: "ENABLE ALWAYS RULE ",
	ATEnableReplicaRule: "ENABLE REPLICA RULE ", ATDisableRule: "DISABLE RULE ", ATNotOf: "NOT OF",
	ATEnableRowSecurity: "ENABLE ROW LEVEL SECURITY", ATDisableRowSecurity: "DISABLE ROW LEVEL SECURITY",
	ATForceRowSecurity: "FORCE ROW LEVEL SECURITY", ATNoForceRowSecurity: "NO FORCE ROW LEVEL SECURITY",
}

// alterCmd prints a command of ALTER TABLE.
func (p *printer) alterCmd(c *AlterTableCmd) {
	if w, ok := alterWords[c.Kind]; ok {
		p.s(w, c.Word)
		if c.Name != "" {
			p.word(c.Name)
		}
		return
	}
	switch c.Kind {
	case ATAddColumn:
		p.s("ADD COLUMN ")
		p.opt(c.IfNotExists, "IF NOT EXISTS ")
		p.column(c.Column)
	case ATDropColumn:
		p.alterDrop("DROP COLUMN ", c)
	case ATDropConstraint:
		p.alterDrop("DROP CONSTRAINT ", c)
	case ATAddConstraint:
		p.s("ADD ")
		p.constraint(c.Constraint)
	case ATAlterConstraint:
		p.s("ALTER CONSTRAINT ")
		p.ident(c.Constraint.Name)
		p.attributes(c.Constraint)
	case ATSetOptions:
		p.s("SET ")
		p.relOptions(c.Options)
	case ATResetOptions:
		p.s("RESET ")
		p.relOptions(c.Options)
	case ATInherit:
		p.s("INHERIT ")
		p.rel(c.Relation)
	case ATNoInherit:
		p.s("NO INHERIT ")
		p.rel(c.Relation)
	case ATOf:
		p.s("OF ")
		p.dotted(c.Type.Names)
	case ATOwner:
		p.s("OWNER TO ")
		p.role(c.Owner)
	case ATReplicaIdentity:
		p.s("REPLICA IDENTITY ")
		if c.Word == "INDEX" {
			p.s("USING INDEX ")
			p.ident(c.Name)
		} else {
			p.s(c.Word)
		}
	case ATGenericOptions:
		p.genericOptions(c.Options)
	case ATAttachPartition:
		p.s("ATTACH PARTITION ")
		p.rel(c.Relation)
		p.bound(c.Bound)
	case ATDetachPartition:
		p.s("DETACH PARTITION ")
		p.rel(c.Relation)
		p.opt(c.Concurrently, " CONCURRENTLY")
	case ATDetachFinalize:
		p.s("DETACH PARTITION ")
		p.rel(c.Relation)
		p.s(" FINALIZE")
	case ATAddAttribute:
		p.s("ADD ATTRIBUTE ")
		p.column(c.Column)
		p.behavior(c.Behavior)
	case ATDropAttribute:
		p.alterDrop("DROP ATTRIBUTE ", c)
	case ATAlterAttributeType:
		p.s("ALTER ATTRIBUTE ")
		p.ident(c.Name)
		p.alterType(c)
		p.behavior(c.Behavior)
	default:
		p.alterColumn(c)
	}
}

func (p *printer) alterDrop(words string, c *AlterTableCmd) {
	p.s(words)
	p.opt(c.IfExists, "IF EXISTS ")
	p.ident(c.Name)
	p.behavior(c.Behavior)
}

func (p *printer) alterType(c *AlterTableCmd) {
	p.s(" TYPE ")
	p.typeName(c.Type)
	p.collate(c.Collation)
	if c.Expr != nil {
		p.s(" USING ")
		p.expr(c.Expr, precNone)
	}
}

// alterColumn prints the commands of ALTER COLUMN.
func (p *printer) alterColumn(c *AlterTableCmd) {
	p.s("ALTER COLUMN ")
	if c.Number > 0 {
		p.int(c.Number)
	} else {
		p.ident(c.Name)
	}
	switch c.Kind {
	case ATAlterColumnType:
		p.alterType(c)
	case ATSetDefault:
		p.s(" SET DEFAULT ")
		p.expr(c.Expr, precNone)
	case ATDropDefault:
		p.s(" DROP DEFAULT")
	case ATSetNotNull:
		p.s(" SET NOT NULL")
	case ATDropNotNull:
		p.s(" DROP NOT NULL")
	case ATDropExpression:
		p.s(" DROP EXPRESSION")
		p.opt(c.IfExists, " IF EXISTS")
	case ATSetStatistics:
		p.s(" SET STATISTICS ")
		p.int(c.Value)
	case ATSetStorage:
		p.s(" SET STORAGE ")
		p.ident(c.Word)
	case ATSetCompression:
		p.s(" SET COMPRESSION ")
		p.identOrDefault(c.Word)
	case ATSetColumnOptions:
		p.s(" SET ")
		p.relOptions(c.Options)
	case ATResetColumnOptions:
		p.s(" RESET ")
		p.relOptions(c.Options)
	case ATAlterColumnFDW:
		p.genericOptions(c.Options)
	case ATAddIdentity:
		p.s(" ADD ")
		p.constraint(c.Constraint)
	case ATDropIdentity:
		p.s(" DROP IDENTITY")
		p.opt(c.IfExists, " IF EXISTS")
	case ATSetIdentity:
		for _, o := range c.Options {
			switch o.Name {
			case "restart":
				p.s(" ")
				p.sequenceOption(o)
			case "generated":
				p.s(" SET GENERATED ", pick(o.Arg.(*Const).Bool, "ALWAYS", "BY DEFAULT"))
			default:
				p.s(" SET ")
				p.sequenceOption(o)
			}
		}
	}
}

// types prints the statements about types, functions, triggers and the like, and says whether n is one.
func (p *printer) types(n Statement) bool {
	switch n := n.(type) {
	case *CreateEnumStmt:
		p.s("CREATE TYPE ")
		p.dotted(n.Name.Parts)
		p.s(" AS ENUM (")
		list(p, n.Values, p.str)
		p.s(")")
	case *AlterEnumStmt:
		p.alterEnum(n)
	case *CompositeTypeStmt:
		p.s("CREATE TYPE ")
		p.dotted(n.Name.Parts)
		p.s(" AS ")
		p.columnDefs(n.Columns)
	case *CreateRangeStmt:
		p.s("CREATE TYPE ")
		p.dotted(n.Name.Parts)
		p.s(" AS RANGE ")
		p.relOptions(n.Options)
	case *DefineStmt:
		p.define(n)
	case *AlterTypeStmt:
		p.alterHead(n.Object, false, nil, n.Target)
		p.s(" SET (")
		list(p, n.Options, func(d *DefElem) {
			p.relOption(d)
			p.opt(d.Arg == nil && n.Object == ObjectOperator, " = NONE")
		})
		p.s(")")
	case *CreateFunctionStmt:
		p.function(n)
	case *ReturnStmt:
		p.s("RETURN ")
		p.expr(n.Value, precNone)
	case *AlterFunctionStmt:
		p.alterHead(n.Object, false, nil, n.Target)
		for _, o := range n.Options {
			p.s(" ")
			p.functionOption(o)
		}
	case *CreateTriggerStmt:
		p.trigger(n)
	case *RuleStmt:
		p.rule(n)
	case *PolicyStmt:
		p.policy(n)
	case *CreateStatsStmt:
		p.s("CREATE STATISTICS ")
		p.opt(n.IfNotExists, "IF NOT EXISTS ")
		p.dotted(n.Name.Parts)
		p.optNames(" ", n.Kinds)
		p.s(" ON ")
		list(p, n.Exprs, p.indexElem)
		p.from(" FROM ", n.From)
	case *AlterStatsStmt:
		p.s("ALTER STATISTICS ")
		p.opt(n.IfExists, "IF EXISTS ")
		p.dotted(n.Name.Parts)
		p.s(" SET STATISTICS ")
		p.int(n.Target)
	case *CreateCastStmt:
		p.s("CREATE CAST (")
		p.typeName(n.Source)
		p.s(" AS ")
		p.typeName(n.Target)
		switch {
		case n.InOut:
			p.s(") WITH INOUT")
		case n.Function == nil:
			p.s(") WITHOUT FUNCTION")
		default:
			p.s(") WITH FUNCTION ")
			p.object(ObjectFunction, n.Function)
		}
		p.s(pick(n.Context != "", " AS ", ""), n.Context)
	default:
		return false
	}
	return true
}

func (p *printer) alterEnum(n *AlterEnumStmt) {
	p.s("ALTER TYPE ")
	p.dotted(n.Name.Parts)
	if n.HasOld {
		p.s(" RENAME VALUE ")
		p.str(n.OldValue)
		p.s(" TO ")
		p.str(n.NewValue)
		return
	}
	p.s(" ADD VALUE ")
	p.opt(n.IfNotExists, "IF NOT EXISTS ")
	p.str(n.NewValue)
	if n.HasNeighbor {
		p.s(pick(n.After, " AFTER ", " BEFORE "))
		p.str(n.Neighbor)
	}
}

func (p *printer) define(n *DefineStmt) {
	p.s("CREATE ")
	p.opt(n.Replace, "OR REPLACE ")
	p.s(n.Object.String(), " ")
	p.opt(n.IfNotExists, "IF NOT EXISTS ")
	if n.Object == ObjectOperator {
		last := len(n.Name.Parts) - 1
		for _, s := range n.Name.Parts[:last] {
			p.ident(s)
			p.s(".")
		}
		p.s(n.Name.Parts[last])
	} else {
		p.dotted(n.Name.Parts)
	}
	if n.Aggregate != nil {
		p.signature(n.Aggregate)
	}
	if n.From != nil {
		p.s(" FROM ")
		p.dotted(n.From)
	}
	if n.HasParens {
		p.s(" ")
		p.relOptions(n.Definition)
	}
}

func (p *printer) param(a *FunctionParam) {
	p.s([...]string{"", "IN ", "OUT ", "INOUT ", "VARIADIC ", ""}[a.Mode])
	if a.Name != "" {
		p.ident(a.Name)
		p.s(" ")
	}
	p.typeName(a.Type)
	if a.Default != nil {
		p.s(" DEFAULT ")
		p.expr(a.Default, precNone)
	}
}

func (p *printer) function(n *CreateFunctionStmt) {
	p.s("CREATE ")
	p.opt(n.Replace, "OR REPLACE ")
	p.s(pick(n.Procedure, "PROCEDURE ", "FUNCTION "))
	p.dotted(n.Name.Parts)
	var params, columns []*FunctionParam
	for _, a := range n.Params {
		if a.Mode == ParamTable {
			columns = append(columns, a)
		} else {
			params = append(params, a)
		}
	}
	p.s("(")
	list(p, params, p.param)
	p.s(")")
	if n.ReturnsTable {
		p.s(" RETURNS TABLE (")
		list(p, columns, p.param)
		p.s(")")
	} else if n.Returns != nil {
		p.s(" RETURNS ")
		p.typeName(n.Returns)
	}
	for _, o := range n.Options {
		p.s(" ")
		p.functionOption(o)
	}
	if n.Return != nil {
		p.s(" RETURN ")
		p.expr(n.Return, precNone)
	}
	if n.HasBody {
		p.s(" BEGIN ATOMIC")
		for _, s := range n.Body {
			p.s(" ")
			p.statement(s)
			p.s(";")
		}
		p.s(" END")
	}
}

func (p *printer) functionOption(d *DefElem) {
	flag := func(yes, no string) { p.s(pick(d.Arg.(*Const).Bool, yes, no)) }
	switch d.Name {
	case "as":
		p.s("AS ")
		list(p, d.Arg.(*NameList).Names, p.str)
	case "language":
		p.s("LANGUAGE ")
		p.node(d.Arg)
	case "transform":
		p.s("TRANSFORM ")
		list(p, d.Arg.(*TypeList).Types, func(t *TypeName) {
			p.s("FOR TYPE ")
			p.typeName(t)
		})
	case "window":
		p.s("WINDOW")
	case "strict":
		flag("STRICT", "CALLED ON NULL INPUT")
	case "security":
		flag("SECURITY DEFINER", "SECURITY INVOKER")
	case "leakproof":
		flag("LEAKPROOF", "NOT LEAKPROOF")
	case "volatility":
		p.s(upper(d.Arg.(*Const).Str))
	case "parallel":
		p.s("PARALLEL ")
		p.ident(d.Arg.(*Const).Str)
	case "set":
		p.variableSet(d.Arg.(*VariableSetStmt))
	default:
		p.s(upper(d.Name), " ")
		p.node(d.Arg)
	}
}

func (p *printer) trigger(n *CreateTriggerStmt) {
	p.s("CREATE ")
	p.opt(n.Replace, "OR REPLACE ")
	p.opt(n.Constraint, "CONSTRAINT ")
	p.s("TRIGGER ")
	p.ident(n.Name)
	p.s(" ", n.Timing, " ")
	for i, e := range n.Events {
		p.opt(i > 0, " OR ")
		p.s(e)
		if e == "UPDATE" && n.UpdateColumns != nil {
			p.s(" OF ")
			p.names(n.UpdateColumns)
		}
	}
	p.s(" ON ")
	p.rel(&n.Relation)
	if n.Ref != nil {
		p.s(" FROM ")
		p.rel(n.Ref)
	}
	p.opt(n.Deferrable, " DEFERRABLE")
	p.opt(n.InitDeferred, " INITIALLY DEFERRED")
	if n.Transitions != nil {
		p.s(" REFERENCING")
		for _, t := range n.Transitions {
			p.s(pick(t.New, " NEW ", " OLD "), pick(t.Table, "TABLE ", "ROW "), "AS ")
			p.ident(t.Name)
		}
	}
	if n.ForEach {
		p.s(" FOR EACH ", pick(n.Row, "ROW", "STATEMENT"))
	}
	if n.When != nil {
		p.s(" WHEN (")
		p.expr(n.When, precNone)
		p.s(")")
	}
	p.s(" EXECUTE FUNCTION ")
	p.dotted(n.Function)
	p.s("(")
	list(p, n.Args, p.str)
	p.s(")")
}

func (p *printer) rule(n *RuleStmt) {
	p.s("CREATE ")
	p.opt(n.Replace, "OR REPLACE ")
	p.s("RULE ")
	p.ident(n.Name)
	p.s(" AS ON ", n.Event, " TO ")
	p.rel(&n.Relation)
	p.where(n.Where)
	p.s(" DO ")
	p.opt(n.Instead, "INSTEAD ")
	p.opt(n.Also, "ALSO ")
	switch len(n.Actions) {
	case 0:
		p.s("NOTHING")
	case 1:
		p.statement(n.Actions[0])
	default:
		p.s("(")
		for i, a := range n.Actions {
			p.opt(i > 0, "; ")
			p.statement(a)
		}
		p.s(")")
	}
}

func (p *printer) policy(n *PolicyStmt) {
	p.s(pick(n.Alter, "ALTER POLICY ", "CREATE POLICY "))
	p.ident(n.Name)
	p.s(" ON ")
	p.rel(&n.Relation)
	p.s(pick(n.Permissive != "", " AS ", ""), upper(n.Permissive))
	p.s(pick(n.Command != "", " FOR ", ""), upper(n.Command))
	if n.Roles != nil {
		p.s(" TO ")
		p.roles(n.Roles)
	}
	if n.Using != nil {
		p.s(" USING (")
		p.expr(n.Using, precNone)
		p.s(")")
	}
	if n.Check != nil {
		p.s(" WITH CHECK (")
		p.expr(n.Check, precNone)
		p.s(")")
	}
}
