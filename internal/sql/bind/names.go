package bind

import "github.com/meridiandb/meridian/internal/sql/parser"

// columnName derives the name of an output column from its expression, as PostgreSQL does.
func columnName(e parser.Expr) string {
	name, strength := figureName(e)
	if strength == 0 {
		return "?column?"
	}
	return name
}

// figureName returns a name and how good it is: 0 none, 1 a type's name or the like, 2 a real one.
func figureName(e parser.Expr) (string, int) {
	switch e := e.(type) {
	case *parser.ColumnRef:
		if !e.Star && len(e.Parts) > 0 {
			return e.Parts[len(e.Parts)-1], 2
		}
	case *parser.Indirection:
		for i := len(e.Elems) - 1; i >= 0; i-- {
			if e.Elems[i].Kind == parser.IndirField {
				return e.Elems[i].Name, 2
			}
		}
		return figureName(e.Arg)
	case *parser.FuncCall:
		return e.Name[len(e.Name)-1], 2
	case *parser.NullIfExpr:
		return "nullif", 2
	case *parser.TypeCast:
		if name, n := figureName(e.Arg); n > 1 {
			return name, n
		}
		return e.Type.Names[len(e.Type.Names)-1], 1
	case *parser.CollateExpr:
		return figureName(e.Arg)
	case *parser.GroupingFunc:
		return "grouping", 2
	case *parser.SubLink:
		return figureSubLink(e)
	case *parser.CaseExpr:
		if e.Else != nil {
			if name, n := figureName(e.Else); n > 1 {
				return name, n
			}
		}
		return "case", 1
	case *parser.ArrayExpr:
		return "array", 2
	case *parser.RowExpr:
		return "row", 2
	case *parser.CoalesceExpr:
		return "coalesce", 2
	case *parser.MinMaxExpr:
		if e.Least {
			return "least", 2
		}
		return "greatest", 2
	case *parser.SQLValueFunction:
		return sqlValueNames[e.Kind], 2
	case *parser.XMLExpr:
		return xmlNames[e.Op], 2
	}
	return "", 0
}

func figureSubLink(e *parser.SubLink) (string, int) {
	switch e.Kind {
	case parser.SubLinkExists:
		return "exists", 2
	case parser.SubLinkArray:
		return "array", 2
	case parser.SubLinkScalar:
		q := e.Query
		for q.Op != parser.SetOpNone {
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

var sqlValueNames = [...]string{
	parser.SVFCurrentDate: "current_date", parser.SVFCurrentTime: "current_time",
	parser.SVFCurrentTimestamp: "current_timestamp", parser.SVFLocaltime: "localtime",
	parser.SVFLocaltimestamp: "localtimestamp", parser.SVFCurrentRole: "current_role",
	parser.SVFCurrentUser: "current_user", parser.SVFUser: "user", parser.SVFSessionUser: "session_user",
	parser.SVFCurrentCatalog: "current_catalog", parser.SVFCurrentSchema: "current_schema",
}

var xmlNames = [...]string{
	parser.XMLConcat: "xmlconcat", parser.XMLElement: "xmlelement", parser.XMLForest: "xmlforest",
	parser.XMLParse: "xmlparse", parser.XMLPI: "xmlpi", parser.XMLRoot: "xmlroot",
	parser.XMLIsDocument: "?column?", parser.XMLSerialize: "xmlserialize",
}
