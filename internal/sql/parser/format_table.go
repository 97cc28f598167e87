package parser

// ddl prints the statements about tables, indexes, views and types, and says whether n is one.
func (p *printer) ddl(n Statement) bool {
	switch n := n.(type) {
	case *CreateTableStmt:
		p.createTable(n)
	case *CreateTableAsStmt:
		p.createTableAs(n)
	case *CreateIndexStmt:
		p.createIndex(n)
	case *AlterTableStmt:
		p.s("ALTER ", n.Object.String(), " ")
		p.opt(n.Async, "ASYNC ")
		p.opt(n.IfExists, "IF EXISTS ")
		p.tableExpr(n.Table)
		p.s(" ")
		list(p, n.Cmds, func(c *AlterTableCmd) { p.alterCmd(c) })
	case *RenameStmt:
		p.rename(n)
	case *AlterObjectSchemaStmt:
		p.alterHead(n.Object, n.IfExists, n.Relation, n.Target)
		p.s(" SET SCHEMA ")
		p.ident(n.NewSchema)
	case *AlterOwnerStmt:
		p.alterHead(n.Object, false, nil, n.Target)
		p.s(" OWNER TO ")
		p.role(n.Owner)
	case *AlterObjectDependsStmt:
		p.alterHead(n.Object, false, n.Relation, n.Target)
		p.s(pick(n.Remove, " NO", ""), " DEPENDS ON EXTENSION ")
		p.ident(n.Extension)
	case *AlterTableMoveAllStmt:
		p.s("ALTER ", n.Object.String(), " ALL IN TABLESPACE ")
		p.ident(n.Tablespace)
		if n.OwnedBy != nil {
			p.s(" OWNED BY ")
			p.roles(n.OwnedBy)
		}
		p.s(" SET TABLESPACE ")
		p.ident(n.New)
		p.opt(n.NoWait, " NOWAIT")
	case *DropStmt:
		p.s("DROP ", n.Object.String(), " ")
		p.opt(n.Concurrently, "CONCURRENTLY ")
		p.opt(n.IfExists, "IF EXISTS ")
		list(p, n.Objects, func(o *Object) { p.object(n.Object, o) })
		p.behavior(n.Behavior)
	case *ViewStmt:
		p.view(n)
	case *RefreshMatViewStmt:
		p.s("REFRESH MATERIALIZED VIEW ")
		p.opt(n.Concurrently, "CONCURRENTLY ")
		p.rel(&n.Relation)
		p.opt(n.WithNoData, " WITH NO DATA")
	case *CreateSchemaStmt:
		p.s("CREATE SCHEMA")
		p.opt(n.IfNotExists, " IF NOT EXISTS")
		if n.Name != "" {
			p.s(" ")
			p.ident(n.Name)
		}
		if n.Owner != nil {
			p.s(" AUTHORIZATION ")
			p.role(n.Owner)
		}
		for _, e := range n.Elements {
			p.s(" ")
			p.statement(e)
		}
	case *CreateSeqStmt:
		p.s("CREATE ", persistWord(n.Persistence), "SEQUENCE ")
		p.opt(n.IfNotExists, "IF NOT EXISTS ")
		p.rel(&n.Relation)
		p.sequenceOptions(" ", n.Options)
	case *AlterSeqStmt:
		p.s("ALTER SEQUENCE ")
		p.opt(n.IfExists, "IF EXISTS ")
		p.rel(&n.Relation)
		p.sequenceOptions(" ", n.Options)
	case *CreateDomainStmt:
		p.s("CREATE DOMAIN ")
		p.dotted(n.Name.Parts)
		p.s(" AS ")
		p.typeName(n.Type)
		p.collate(n.Collation)
		for _, c := range n.Constraints {
			p.s(" ")
			p.constraint(c)
		}
	case *AlterDomainStmt:
		p.alterDomain(n)
	case *TruncateStmt:
		p.s("TRUNCATE ")
		list(p, n.Tables, func(t *RangeVar) { p.tableExpr(t) })
		p.opt(n.RestartSeqs, " RESTART IDENTITY")
		p.behavior(n.Behavior)
	default:
		return p.types(n)
	}
	return true
}

func persistWord(k Persistence) string { return [...]string{"", "TEMPORARY ", "UNLOGGED "}[k] }

func (p *printer) behavior(b DropBehavior) { p.opt(b == DropCascade, " CASCADE") }

// alterHead prints ALTER KIND [IF EXISTS] name.
func (p *printer) alterHead(object ObjectType, ifExists bool, r *RangeVar, target *Object) {
	p.s("ALTER ", object.String(), " ")
	p.opt(ifExists, "IF EXISTS ")
	if r != nil {
		p.tableExpr(r)
		return
	}
	p.object(object, target)
}

func (p *printer) rename(n *RenameStmt) {
	of, sub := n.Object, ""
	switch n.Object {
	case ObjectColumn:
		of, sub = n.OfObject, "COLUMN "
	case ObjectTableConstraint:
		of, sub = n.OfObject, "CONSTRAINT "
	case ObjectCompositeAttribute:
		of, sub = ObjectTypeName, "ATTRIBUTE "
	case ObjectDomainConstraint:
		of, sub = ObjectDomain, "CONSTRAINT "
	case ObjectPolicy, ObjectRule, ObjectTrigger:
		p.s("ALTER ", n.Object.String(), " ")
		p.opt(n.IfExists, "IF EXISTS ")
		p.ident(n.SubName)
		p.s(" ON ")
		p.tableExpr(n.Relation)
		p.s(" RENAME TO ")
		p.ident(n.NewName)
		return
	}
	p.s("ALTER ", of.String(), " ")
	p.opt(n.Async, "ASYNC ")
	p.opt(n.IfExists, "IF EXISTS ")
	if n.Relation != nil {
		p.tableExpr(n.Relation)
	} else {
		p.object(of, n.Target)
	}
	p.s(" RENAME ", sub)
	if sub != "" {
		p.ident(n.SubName)
		p.s(" ")
	}
	p.s("TO ")
	p.ident(n.NewName)
	p.behavior(n.Behavior)
}

// object prints the name of an object as DROP, ALTER and COMMENT write it.
func (p *printer) object(t ObjectType, o *Object) {
	last := len(o.Names) - 1
	switch t {
	case ObjectTrigger, ObjectRule, ObjectPolicy, ObjectTableConstraint:
		p.ident(o.Names[last])
		p.s(" ON ")
		p.dotted(o.Names[:last])
		return
	case ObjectDomainConstraint:
		if o.Type != nil {
			p.ident(o.Names[0])
			p.s(" ON DOMAIN ")
			p.typeName(o.Type)
			return
		}
	case ObjectTypeName, ObjectDomain:
		if o.Type != nil {
			p.typeName(o.Type)
			return
		}
	case ObjectCast:
		p.s("(")
		p.typeName(o.Type)
		p.s(" AS ")
		p.typeName(o.Right)
		p.s(")")
		return
	case ObjectTransform:
		p.s("FOR ")
		p.typeName(o.Type)
		p.s(" LANGUAGE ")
		p.ident(o.Names[0])
		return
	case ObjectOperator:
		for _, s := range o.Names[:last] {
			p.ident(s)
			p.s(".")
		}
		p.s(o.Names[last], "(")
		list(p, o.Args, func(a *FunctionParam) {
			if a.Type == nil {
				p.s("NONE")
			} else {
				p.typeName(a.Type)
			}
		})
		p.s(")")
		return
	case ObjectLargeObject:
		p.s(o.Names[0])
		return
	}
	p.dotted(o.Names)
	if o.Using != "" {
		p.s(" USING ")
		p.ident(o.Using)
	}
	if o.HasArgs {
		p.signature(o)
	}
}

// signature prints a function's or aggregate's arguments.
func (p *printer) signature(o *Object) {
	p.s("(")
	p.opt(o.AggStar, "*")
	for i, a := range o.Args {
		switch {
		case i == o.AggOrdered:
			p.s(pick(i > 0, " ORDER BY ", "ORDER BY "))
		case i > 0:
			p.s(", ")
		}
		p.param(a)
	}
	p.s(")")
}

func (p *printer) createTable(n *CreateTableStmt) {
	p.s("CREATE ", persistWord(n.Persistence), pick(n.Server != "", "FOREIGN TABLE ", "TABLE "))
	p.opt(n.IfNotExists, "IF NOT EXISTS ")
	p.rel(&n.Relation)
	paren := true
	switch {
	case n.OfType != nil:
		p.s(" OF ")
		p.dotted(n.OfType.Names)
		paren = n.Elements != nil
	case n.PartitionOf != nil:
		p.s(" PARTITION OF ")
		p.rel(n.PartitionOf)
		paren = n.Elements != nil
	}
	if paren {
		p.s(" (")
		list(p, n.Elements, p.element)
		p.s(")")
	}
	p.bound(n.Bound)
	if n.Inherits != nil {
		p.s(" INHERITS (")
		p.rels(n.Inherits)
		p.s(")")
	}
	if s := n.PartitionBy; s != nil {
		p.s(" PARTITION BY ")
		p.ident(s.Strategy)
		p.s(" (")
		list(p, s.Elems, p.indexElem)
		p.s(")")
	}
	p.storage(n.AccessMethod, n.Options, n.OnCommit, n.Tablespace)
	if n.Server != "" {
		p.s(" SERVER ")
		p.ident(n.Server)
		p.genericOptions(n.FDWOptions)
	}
}

func (p *printer) storage(method string, opts []*DefElem, commit OnCommitAction, space string) {
	if method != "" {
		p.s(" USING ")
		p.ident(method)
	}
	if opts != nil {
		p.s(" WITH ")
		p.relOptions(opts)
	}
	p.s([...]string{"", " ON COMMIT PRESERVE ROWS", " ON COMMIT DELETE ROWS", " ON COMMIT DROP"}[commit])
	if space != "" {
		p.s(" TABLESPACE ")
		p.ident(space)
	}
}

func (p *printer) createTableAs(n *CreateTableAsStmt) {
	p.s("CREATE ", persistWord(n.Persistence), pick(n.Materialized, "MATERIALIZED VIEW ", "TABLE "))
	p.opt(n.IfNotExists, "IF NOT EXISTS ")
	p.rel(&n.Relation)
	p.optNames(" ", n.Columns)
	p.storage(n.AccessMethod, n.Options, n.OnCommit, n.Tablespace)
	p.s(" AS ")
	p.statement(n.Query)
	p.opt(n.WithNoData, " WITH NO DATA")
}

// element prints an element of CREATE TABLE.
func (p *printer) element(e TableElement) {
	switch e := e.(type) {
	case *ColumnDef:
		p.column(e)
	case *Constraint:
		p.constraint(e)
	case *LikeClause:
		p.s("LIKE ")
		p.rel(&e.Relation)
		for _, o := range e.Options {
			p.s(pick(o.Exclude, " EXCLUDING ", " INCLUDING "), o.Name)
		}
	}
}

func (p *printer) column(c *ColumnDef) {
	p.ident(c.Name)
	if c.Type != nil {
		p.s(" ")
		p.typeName(c.Type)
	}
	if c.Compression != "" {
		p.s(" COMPRESSION ")
		p.identOrDefault(c.Compression)
	}
	p.genericOptions(c.FDWOptions)
	p.collate(c.Collation)
	for _, k := range c.Constraints {
		p.s(" ")
		p.constraint(k)
	}
}

func (p *printer) identOrDefault(s string) {
	if s == "default" {
		p.s("DEFAULT")
		return
	}
	p.ident(s)
}

// constraint prints a column or table constraint.
func (p *printer) constraint(c *Constraint) {
	if c.Name != "" {
		p.s("CONSTRAINT ")
		p.ident(c.Name)
		p.s(" ")
	}
	switch c.Kind {
	case ConstrNull:
		p.s("NULL")
	case ConstrNotNull:
		p.s("NOT NULL")
	case ConstrDefault:
		p.s("DEFAULT ")
		p.bExpr(c.Expr)
	case ConstrIdentity:
		p.s("GENERATED ", pick(c.Always, "ALWAYS", "BY DEFAULT"), " AS IDENTITY")
		if c.Sequence != nil {
			p.s(" (")
			p.sequenceOptions("", c.Sequence)
			p.s(")")
		}
	case ConstrGenerated:
		p.s("GENERATED ALWAYS AS (")
		p.expr(c.Expr, precNone)
		p.s(") STORED")
	case ConstrCheck:
		p.s("CHECK (")
		p.expr(c.Expr, precNone)
		p.s(")")
		p.opt(c.NoInherit, " NO INHERIT")
	case ConstrPrimary:
		p.s("PRIMARY KEY")
		p.indexConstraint(c)
	case ConstrUnique:
		p.s("UNIQUE")
		p.opt(c.NullsNotDist, " NULLS NOT DISTINCT")
		p.indexConstraint(c)
	case ConstrExclusion:
		p.exclude(c)
	case ConstrForeign:
		p.foreign(c)
	}
	p.attributes(c)
}

// attributes prints DEFERRABLE and its kin.
func (p *printer) attributes(c *Constraint) {
	p.opt(c.Deferrable, " DEFERRABLE")
	p.opt(c.NotDeferrable, " NOT DEFERRABLE")
	p.opt(c.InitDeferred, " INITIALLY DEFERRED")
	p.opt(c.InitImmediate, " INITIALLY IMMEDIATE")
	p.opt(c.NotValid, " NOT VALID")
}

func (p *printer) indexConstraint(c *Constraint) {
	if c.IndexName != "" {
		p.s(" USING INDEX ")
		p.ident(c.IndexName)
		return
	}
	p.optNames(" ", c.Keys)
	p.indexStorage(c)
}

func (p *printer) indexStorage(c *Constraint) {
	p.optNames(" INCLUDE ", c.Including)
	if c.Options != nil {
		p.s(" WITH ")
		p.relOptions(c.Options)
	}
	if c.IndexSpace != "" {
		p.s(" USING INDEX TABLESPACE ")
		p.ident(c.IndexSpace)
	}
}

func (p *printer) exclude(c *Constraint) {
	p.s("EXCLUDE ")
	if c.AccessMethod != "" {
		p.s("USING ")
		p.ident(c.AccessMethod)
		p.s(" ")
	}
	p.s("(")
	list(p, c.Exclusions, func(e *ExclusionElem) {
		p.indexElem(e.Elem)
		p.s(" WITH ")
		p.operator(e.Schema, e.Op)
	})
	p.s(")")
	p.indexStorage(c)
	if c.Where != nil {
		p.s(" WHERE (")
		p.expr(c.Where, precNone)
		p.s(")")
	}
}

func (p *printer) foreign(c *Constraint) {
	if c.FKColumns != nil {
		p.optNames("FOREIGN KEY ", c.FKColumns)
		p.s(" ")
	}
	if c.Ref == nil {
		return
	}
	p.s("REFERENCES ")
	p.rel(c.Ref)
	p.optNames(" ", c.RefColumns)
	p.opt(c.Match == FKMatchFull, " MATCH FULL")
	actions := [...]string{"", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"}
	if c.OnUpdate != FKNoAction {
		p.s(" ON UPDATE ", actions[c.OnUpdate])
	}
	if c.OnDelete != FKNoAction {
		p.s(" ON DELETE ", actions[c.OnDelete])
		p.optNames(" ", c.OnDeleteColumn)
	}
}

func (p *printer) bound(b *PartitionBound) {
	if b == nil {
		return
	}
	switch b.Kind {
	case PartBoundDefault:
		p.s(" DEFAULT")
	case PartBoundList:
		p.call(" FOR VALUES IN ", b.List...)
	case PartBoundRange:
		p.call(" FOR VALUES FROM ", b.List...)
		p.call(" TO ", b.To...)
	case PartBoundHash:
		p.s(" FOR VALUES WITH (MODULUS ")
		p.int(b.Modulus)
		p.s(", REMAINDER ")
		p.int(b.Remainder)
		p.s(")")
	}
}

func (p *printer) indexElem(e *IndexElem) {
	if e.Name != "" {
		p.ident(e.Name)
	} else {
		p.indexExpr(e.Expr)
	}
	p.collate(e.Collation)
	if e.OpClass != nil {
		p.s(" ")
		// NULLS FIRST would be an ordering.
		if len(e.OpClass) == 1 {
			p.word(e.OpClass[0])
		} else {
			p.dotted(e.OpClass)
		}
		if e.OpOptions != nil {
			p.s(" ")
			p.relOptions(e.OpOptions)
		}
	}
	p.sortDir(e.Dir)
	p.sortNulls(e.Nulls)
}

// indexExpr prints an expression of an index: a call as it is, anything else in parentheses.
func (p *printer) indexExpr(e Expr) {
	if f, ok := e.(*FuncCall); ok && !f.SQLSyntax && !f.WithinGroup && f.Filter == nil && f.Over == nil {
		p.funcCall(f)
		return
	}
	p.s("(")
	p.expr(e, precNone)
	p.s(")")
}

func (p *printer) createIndex(n *CreateIndexStmt) {
	p.s("CREATE ", pick(n.Unique, "UNIQUE INDEX ", "INDEX "))
	p.opt(n.Async, "ASYNC ")
	p.opt(n.Concurrently, "CONCURRENTLY ")
	p.opt(n.IfNotExists, "IF NOT EXISTS ")
	if n.Name != "" {
		if n.Name == "async" {
			p.s(`"async" `)
		} else {
			p.ident(n.Name)
			p.s(" ")
		}
	}
	p.s("ON ")
	p.tableExpr(n.Table)
	if n.AccessMethod != "" {
		p.s(" USING ")
		p.ident(n.AccessMethod)
	}
	p.s(" (")
	list(p, n.Keys, p.indexElem)
	p.s(")")
	if n.Include != nil {
		p.s(" INCLUDE (")
		list(p, n.Include, p.indexElem)
		p.s(")")
	}
	p.opt(n.NullsNotDist, " NULLS NOT DISTINCT")
	p.opt(n.NullsDistinct, " NULLS DISTINCT")
	p.storage("", n.Options, OnCommitNone, n.Tablespace)
	p.where(n.Where)
}

func (p *printer) view(n *ViewStmt) {
	p.s("CREATE ")
	p.opt(n.Replace, "OR REPLACE ")
	p.s(persistWord(n.Persistence))
	p.opt(n.Recursive, "RECURSIVE ")
	p.s("VIEW ")
	p.rel(&n.Relation)
	p.optNames(" ", n.Columns)
	if n.Options != nil {
		p.s(" WITH ")
		p.relOptions(n.Options)
	}
	p.s(" AS ")
	p.query(n.Query)
	p.s([...]string{"", " WITH LOCAL CHECK OPTION", " WITH CASCADED CHECK OPTION"}[n.Check])
}

func (p *printer) alterDomain(n *AlterDomainStmt) {
	p.s("ALTER DOMAIN ")
	p.dotted(n.Domain.Parts)
	switch n.Kind {
	case ADSetDefault:
		p.s(" SET DEFAULT ")
		p.expr(n.Expr, precNone)
	case ADDropDefault:
		p.s(" DROP DEFAULT")
	case ADSetNotNull:
		p.s(" SET NOT NULL")
	case ADDropNotNull:
		p.s(" DROP NOT NULL")
	case ADAddConstraint:
		p.s(" ADD ")
		p.constraint(n.Constraint)
	case ADDropConstraint:
		p.s(" DROP CONSTRAINT ")
		p.opt(n.IfExists, "IF EXISTS ")
		p.ident(n.Name)
		p.behavior(n.Behavior)
	case ADValidateConstraint:
		p.s(" VALIDATE CONSTRAINT ")
		p.ident(n.Name)
	}
}

// relOptions prints (namespace.name = value, …).
func (p *printer) relOptions(opts []*DefElem) {
	p.s("(")
	list(p, opts, p.relOption)
	p.s(")")
}

func (p *printer) relOption(d *DefElem) {
	if d.Namespace != "" {
		p.ident(d.Namespace)
		p.s(".")
	}
	p.ident(d.Name)
	if d.Arg != nil {
		p.s(" = ")
		p.defArg(d.Arg)
	}
}

func (p *printer) defArg(n Node) {
	if q, ok := n.(*QualifiedName); ok {
		last := len(q.Parts) - 1
		if last == 0 {
			p.s(q.Parts[0])
		} else {
			p.operator(q.Parts[:last], q.Parts[last])
		}
		return
	}
	p.node(n)
}

// genericOptions prints OPTIONS (verb name 'value', …).
func (p *printer) genericOptions(opts []*DefElem) {
	if opts == nil {
		return
	}
	p.s(" OPTIONS (")
	list(p, opts, func(d *DefElem) {
		p.s([...]string{"", "SET ", "ADD ", "DROP "}[d.Action])
		p.ident(d.Name)
		if d.Arg != nil {
			p.s(" ")
			p.node(d.Arg)
		}
	})
	p.s(")")
}

// sequenceOptions prints the options of a sequence, each after before or a space.
func (p *printer) sequenceOptions(before string, opts []*DefElem) {
	for i, d := range opts {
		p.s(pick(i == 0, before, " "))
		p.sequenceOption(d)
	}
}

func (p *printer) sequenceOption(d *DefElem) {
	words := map[string]string{"as": "AS", "cache": "CACHE", "increment": "INCREMENT BY", "start": "START WITH",
		"restart": "RESTART", "minvalue": "MINVALUE", "maxvalue": "MAXVALUE", "owned_by": "OWNED BY",
		"sequence_name": "SEQUENCE NAME"}
	switch {
	case d.Name == "cycle":
		p.s(pick(d.Arg.(*Const).Bool, "CYCLE", "NO CYCLE"))
		return
	case d.Arg == nil && d.Name != "restart":
		p.s("NO ")
	}
	p.s(words[d.Name])
	if d.Arg != nil {
		p.s(" ")
		p.node(d.Arg)
	}
}
