package datum

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// OIDJSONPath is the type jsonpath, whose values are kept as texts in the form that PathNode's Append prints.
const OIDJSONPath OID = 4072

// PathKind is the kind of a PathNode.
type PathKind uint8

// The kinds of a path's nodes.
const (
	PathRoot       PathKind = iota // $
	PathCurrent                    // @
	PathVariable                   // $name: Text
	PathLast                       // last, in subscripts
	PathNull                       // literals
	PathBool                       // Bool
	PathNumber                     // Num
	PathString                     // Text
	PathKey                        // .key: Text
	PathAnyKey                     // .*
	PathAnyElement                 // [*]
	PathSubscript                  // [a, b to c]: Args are From, To pairs, To nil for a single index
	PathAny                        // .** with bounds Min and Max
	PathMethod                     // .type() and the like: Text; datetime's template is Args[0]
	PathFilter                     // ?(Args[0])
	PathBinary                     // arithmetic or comparison Text of Args[0] and Args[1]; && and || too
	PathUnary                      // + or - of Args[0]
	PathNot                        // !Args[0]
	PathIsUnknown                  // (Args[0]) is unknown
	PathExists                     // exists(Args[0])
	PathStartsWith                 // Args[0] starts with Args[1]
	PathLikeRegex                  // Args[0] like_regex Text flag Flags
)

// PathUnbounded is last as a bound of .**.
const PathUnbounded = 1<<31 - 1

// PathNode is a node of a jsonpath. Next is the accessor that follows it, nil at the end of a chain.
type PathNode struct {
	Kind     PathKind
	Text     string
	Flags    string
	Bool     bool
	Num      *apd.Decimal
	Min, Max int
	Args     []*PathNode
	Next     *PathNode
}

// JSONPath is a parsed path.
type JSONPath struct {
	Strict bool
	Expr   *PathNode
}

// Append appends the path in PostgreSQL's normal form.
func (p *JSONPath) Append(b []byte) []byte {
	if p.Strict {
		b = append(b, "strict "...)
	}
	return p.Expr.append(b, false, true)
}

func pathPriority(n *PathNode) int {
	switch n.Kind {
	case PathBinary:
		switch n.Text {
		case "||":
			return 0
		case "&&":
			return 1
		case "==", "!=", "<", ">", "<=", ">=":
			return 2
		case "+", "-":
			return 3
		}
		return 4
	case PathStartsWith:
		return 2
	case PathUnary:
		return 5
	}
	return 6
}

func (n *PathNode) append(b []byte, inKey, brackets bool) []byte {
	switch n.Kind {
	case PathRoot:
		b = append(b, '$')
	case PathCurrent:
		b = append(b, '@')
	case PathVariable:
		b = AppendJSONString(append(b, '$'), n.Text)
	case PathLast:
		b = append(b, "last"...)
	case PathNull:
		b = append(b, "null"...)
	case PathBool:
		b = strconv.AppendBool(b, n.Bool)
	case PathNumber:
		if n.Next != nil {
			b = append(b, '(')
		}
		b = AppendNumeric(b, n.Num)
		if n.Next != nil {
			b = append(b, ')')
		}
	case PathString:
		b = AppendJSONString(b, n.Text)
	case PathKey:
		if inKey {
			b = append(b, '.')
		}
		b = AppendJSONString(b, n.Text)
	case PathAnyKey:
		if inKey {
			b = append(b, '.')
		}
		b = append(b, '*')
	case PathAnyElement:
		b = append(b, "[*]"...)
	case PathSubscript:
		b = append(b, '[')
		for i := 0; i < len(n.Args); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = n.Args[i].append(b, false, false)
			if n.Args[i+1] != nil {
				b = n.Args[i+1].append(append(b, " to "...), false, false)
			}
		}
		b = append(b, ']')
	case PathAny:
		b = n.appendAny(b, inKey)
	default:
		b = n.appendExpr(b, brackets)
	}
	if n.Next != nil {
		b = n.Next.append(b, true, true)
	}
	return b
}

func (n *PathNode) appendAny(b []byte, inKey bool) []byte {
	if inKey {
		b = append(b, '.')
	}
	bound := func(v int) string {
		if v == PathUnbounded {
			return "last"
		}
		return strconv.Itoa(v)
	}
	switch {
	case n.Min == 0 && n.Max == PathUnbounded:
		return append(b, "**"...)
	case n.Min == n.Max:
		return append(b, "**{"+bound(n.Min)+"}"...)
	}
	return append(b, "**{"+bound(n.Min)+" to "+bound(n.Max)+"}"...)
}

func (n *PathNode) appendExpr(b []byte, brackets bool) []byte {
	open := func() {
		if brackets {
			b = append(b, '(')
		}
	}
	shut := func() {
		if brackets {
			b = append(b, ')')
		}
	}
	side := func(a *PathNode) { b = a.append(b, false, pathPriority(a) <= pathPriority(n)) }
	switch n.Kind {
	case PathMethod:
		b = append(b, "."+n.Text+"("...)
		if len(n.Args) > 0 {
			b = n.Args[0].append(b, false, false)
		}
		b = append(b, ')')
	case PathFilter:
		b = n.Args[0].append(append(b, "?("...), false, false)
		b = append(b, ')')
	case PathBinary:
		open()
		side(n.Args[0])
		b = append(b, " "+n.Text+" "...)
		side(n.Args[1])
		shut()
	case PathUnary:
		open()
		b = append(b, n.Text...)
		side(n.Args[0])
		shut()
	case PathNot:
		b = n.Args[0].append(append(b, "!("...), false, false)
		b = append(b, ')')
	case PathIsUnknown:
		b = n.Args[0].append(append(b, '('), false, false)
		b = append(b, ") is unknown"...)
	case PathExists:
		b = n.Args[0].append(append(b, "exists ("...), false, false)
		b = append(b, ')')
	case PathStartsWith:
		open()
		side(n.Args[0])
		b = append(b, " starts with "...)
		side(n.Args[1])
		shut()
	case PathLikeRegex:
		open()
		side(n.Args[0])
		b = AppendJSONString(append(b, " like_regex "...), n.Text)
		if n.Flags != "" {
			b = append(b, " flag \""+n.Flags+"\""...)
		}
		shut()
	}
	return b
}

// canonicalFlags puts regular expression flags in the order in which they print.
func canonicalFlags(s string) string {
	var out strings.Builder
	for _, c := range "isxmq" {
		if strings.ContainsRune(s, c) {
			out.WriteRune(c)
		}
	}
	return out.String()
}
