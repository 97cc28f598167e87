package bind

import "github.com/meridiandb/meridian/internal/failure"

// Place is the clause that an expression stands in: it decides what may be used there.
type Place uint8

// The places.
const (
	PlaceOther Place = iota
	PlaceSelectTarget
	PlaceJoinOn
	PlaceFromSubselect
	PlaceFromFunction
	PlaceWhere
	PlaceHaving
	PlaceFilter
	PlaceWindowPartition
	PlaceWindowOrder
	PlaceWindowFrame
	PlaceInsertTarget
	PlaceUpdateSource
	PlaceGroupBy
	PlaceOrderBy
	PlaceDistinctOn
	PlaceLimit
	PlaceOffset
	PlaceReturning
	PlaceValues
	PlaceMergeWhen
	PlaceCheck
	PlaceDomainCheck
	PlaceDefault
	PlaceIndexExpr
	PlaceIndexPredicate
	PlaceGenerated
	PlaceExecuteParam
	PlaceCallArgument
	PlaceCopyWhere
	PlaceAlterUsing
)

type placeInfo struct {
	name string // "argument of NAME must be …"
	// many names the place in "… are not allowed in MANY"; one in "cannot use subquery in ONE". noAgg, noWindow and noSet
	// say what is refused.
	many, one              string
	noAgg, noWindow, noSet bool
}

var places = [...]placeInfo{
	PlaceOther:           {name: "expression", many: "expression", noAgg: true, noWindow: true, noSet: true},
	PlaceSelectTarget:    {name: "SELECT", many: "SELECT"},
	PlaceJoinOn:          {name: "JOIN/ON", many: "JOIN conditions", noAgg: true, noWindow: true, noSet: true},
	PlaceFromSubselect:   {name: "sub-SELECT in FROM", many: "FROM clause of their own query level", noAgg: true, noWindow: true},
	PlaceFromFunction:    {name: "function in FROM", many: "functions in FROM", noAgg: true, noWindow: true},
	PlaceWhere:           {name: "WHERE", many: "WHERE", noAgg: true, noWindow: true, noSet: true},
	PlaceHaving:          {name: "HAVING", many: "HAVING", noWindow: true, noSet: true},
	PlaceFilter:          {name: "FILTER", many: "FILTER", noAgg: true, noWindow: true, noSet: true},
	PlaceWindowPartition: {name: "window PARTITION BY", many: "window definitions", noWindow: true, noSet: true},
	PlaceWindowOrder:     {name: "window ORDER BY", many: "window definitions", noWindow: true, noSet: true},
	PlaceWindowFrame:     {name: "window frame", many: "window definitions", noWindow: true, noSet: true},
	PlaceInsertTarget:    {name: "INSERT", many: "INSERT", noAgg: true, noWindow: true},
	PlaceUpdateSource:    {name: "UPDATE", many: "UPDATE", noAgg: true, noWindow: true, noSet: true},
	PlaceGroupBy:         {name: "GROUP BY", many: "GROUP BY", noAgg: true, noWindow: true},
	PlaceOrderBy:         {name: "ORDER BY", many: "ORDER BY"},
	PlaceDistinctOn:      {name: "DISTINCT ON", many: "DISTINCT ON"},
	PlaceLimit:           {name: "LIMIT", many: "LIMIT", noAgg: true, noWindow: true, noSet: true},
	PlaceOffset:          {name: "OFFSET", many: "OFFSET", noAgg: true, noWindow: true, noSet: true},
	PlaceReturning:       {name: "RETURNING", many: "RETURNING", noAgg: true, noWindow: true, noSet: true},
	PlaceValues:          {name: "VALUES", many: "VALUES", noAgg: true, noWindow: true, noSet: true},
	PlaceMergeWhen:       {name: "MERGE WHEN", many: "MERGE WHEN conditions", noAgg: true, noWindow: true, noSet: true},
	PlaceCheck:           {name: "CHECK", many: "check constraints", one: "check constraint", noAgg: true, noWindow: true, noSet: true},
	PlaceDomainCheck:     {name: "CHECK", many: "check constraints", one: "check constraint", noAgg: true, noWindow: true, noSet: true},
	PlaceDefault:         {name: "DEFAULT", many: "DEFAULT expressions", one: "DEFAULT expression", noAgg: true, noWindow: true, noSet: true},
	PlaceIndexExpr:       {name: "index expression", many: "index expressions", one: "index expression", noAgg: true, noWindow: true, noSet: true},
	PlaceIndexPredicate:  {name: "index predicate", many: "index predicates", one: "index predicate", noAgg: true, noWindow: true, noSet: true},
	PlaceGenerated:       {name: "GENERATED AS", many: "column generation expressions", one: "column generation expression", noAgg: true, noWindow: true, noSet: true},
	PlaceExecuteParam:    {name: "EXECUTE", many: "EXECUTE parameters", one: "EXECUTE parameter", noAgg: true, noWindow: true, noSet: true},
	PlaceCallArgument:    {name: "CALL", many: "CALL arguments", one: "CALL argument", noAgg: true, noWindow: true, noSet: true},
	PlaceCopyWhere:       {name: "WHERE", many: "COPY FROM WHERE conditions", one: "COPY FROM WHERE condition", noAgg: true, noWindow: true, noSet: true},
	PlaceAlterUsing:      {name: "USING", many: "transform expressions", one: "transform expression", noAgg: true, noWindow: true, noSet: true},
}

// boolContext is the construct's name in "argument of … must be type boolean".
func (p Place) boolContext() string {
	if p == PlaceIndexPredicate {
		return "WHERE"
	}
	return places[p].name
}

// in binds with another place and restores the old one.
func (s *scope) in(p Place, f func()) {
	old := s.kind
	s.kind = p
	f()
	s.kind = old
}

func (b *binder) checkSubquery(s *scope, pos int) {
	if one := places[s.kind].one; one != "" {
		b.fail(pos, failure.FeatureNotSupported, "cannot use subquery in %s", one)
	}
}

func (b *binder) checkSet(s *scope, pos int) {
	p := places[s.kind]
	if p.noSet {
		b.fail(pos, failure.FeatureNotSupported, "set-returning functions are not allowed in %s", p.many)
	}
	if s.q != nil {
		s.q.hasSet, s.q.setPos = true, pos
	}
}
