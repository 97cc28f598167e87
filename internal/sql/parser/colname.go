package parser

// ColumnName derives the name of an output column from its expression, as PostgreSQL does.
func ColumnName(e Expr) string {
	name, strength := figureName(e)
	if strength == 0 {
		return "?column?"
	}
	return name
}

// figureName returns a name and how good it is: 0 none, 1 a type's name or the like, 2 a real one.
func figureName(e Expr) (string, int) {
	switch e := e.(type) {
	case *ColumnRef:
		if !e.Star && len(e.Parts) > 0 {
			return e.Parts[len(e.Parts)-1], 2
		}
	case *Indirection:
		for i := len(e.Elems) - 1; i >= 0; i-- {
			if e.Elems[i].Kind == IndirField {
				return e.Elems[i].Name, 2
			}
		}
		return figureName(e.Arg)
	case *FuncCall:
		return e.Name[len(e.Name)-1], 2
	case *NullIfExpr:
		return "nullif", 2
	case *TypeCast:
		if name, n := figureName(e.Arg); n > 1 {
			return name, n
		}
		return e.Type.Names[len(e.Type.Names)-1], 1
	case *CollateExpr:
		return figureName(e.Arg)
	case *GroupingFunc:
		return "grouping", 2
	case *SubLink:
		return figureSubLink(e)
	case *CaseExpr:
		if e.Else != nil {
			if name, n := figureName(e.Else); n > 1 {
				return name, n
			}
		}
		return "case", 1
	case *ArrayExpr:
		return "array", 2
	case *RowExpr:
		return "row", 2
	case *CoalesceExpr:
		return "coalesce", 2
	case *MinMaxExpr:
		if e.Least {
			return "least", 2
		}
		return "greatest", 2
	case *SQLValueFunction:
		return outputValueNames[e.Kind], 2
	case *XMLExpr:
		return outputXMLNames[e.Op], 2
	}
	return "", 0
}

func figureSubLink(e *SubLink) (string, int) {
	switch e.Kind {
	case SubLinkExists:
		return "exists", 2
	case SubLinkArray:
		return "array", 2
	case SubLinkScalar:
		q := e.Query
		for q.Op != SetOpNone {
			q = q.Left
		}
		if len(q.Targets) > 0 {
			if t := q.Targets[0]; t.Name != "" {
				return t.Name, 2
			}
			return figureName(q.Targets[0].Value)
		}
	}
	return "", 0
}

var outputValueNames = [...]string{
	SVFCurrentDate: "current_date", SVFCurrentTime: "current_time",
	SVFCurrentTimestamp: "current_timestamp", SVFLocaltime: "localtime",
	SVFLocaltimestamp: "localtimestamp", SVFCurrentRole: "current_role",
	SVFCurrentUser: "current_user", SVFUser: "user", SVFSessionUser: "session_user",
	SVFCurrentCatalog: "current_catalog", SVFCurrentSchema: "current_schema",
}

var outputXMLNames = [...]string{
	XMLConcat: "xmlconcat", XMLElement: "xmlelement", XMLForest: "xmlforest",
	XMLParse: "xmlparse", XMLPI: "xmlpi", XMLRoot: "xmlroot",
	XMLIsDocument: "?column?", XMLSerialize: "xmlserialize",
}
