package ddl

import (
	"context"
	"math"
	"strconv"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// newSequence makes an ascending sequence of a type with everything at its default.
func newSequence(t datum.Type) *catalog.Sequence {
	_, hi := sequenceBounds(t.OID)
	return &catalog.Sequence{Type: t, Start: 1, Increment: 1, Min: 1, Max: hi, Cache: 1}
}

func sequenceBounds(t datum.OID) (lo, hi int64) {
	switch t {
	case datum.OIDInt2:
		return math.MinInt16, math.MaxInt16
	case datum.OIDInt4:
		return math.MinInt32, math.MaxInt32
	default:
		return math.MinInt64, math.MaxInt64
	}
}

func (e *Env) createSequence(ctx context.Context, s *parser.CreateSeqStmt) (Result, error) {
	res := Result{Tag: "CREATE SEQUENCE"}
	schema, temporary, err := e.relationSchema(ctx, &s.Relation, s.Persistence)
	if err != nil {
		return res, err
	}
	if e.snap().Relation(schema.OID, s.Relation.Name).Found() {
		if s.IfNotExists {
			e.notice(failure.DuplicateTable, "relation \"%s\" already exists, skipping", s.Relation.Name)
			return res, nil
		}
		return res, failure.New(failure.DuplicateTable, "relation \"%s\" already exists", s.Relation.Name)
	}
	t, err := e.newRelation(ctx, schema, s.Relation.Name, catalog.RelSequence)
	if err != nil {
		return res, err
	}
	if temporary {
		t.Persistence = 't'
	}
	t.Sequence = newSequence(datum.T(datum.OIDInt8))
	if err := e.sequenceOptions(t.Sequence, s.Options, true); err != nil {
		return res, err
	}
	addSequenceColumns(t)
	if err := e.ownedBy(ctx, t, s.Options); err != nil {
		return res, err
	}
	return res, e.put(ctx, t)
}

// addSequenceColumns gives a sequence the columns that SELECT * FROM it shows.
func addSequenceColumns(t *catalog.Table) {
	for i, c := range []catalog.Column{
		{Name: "last_value", Type: datum.T(datum.OIDInt8)},
		{Name: "log_cnt", Type: datum.T(datum.OIDInt8)},
		{Name: "is_called", Type: datum.T(datum.OIDBool)},
	} {
		c.ID, c.Attnum, c.NotNull = uint32(i+1), int16(i+1), true
		t.Columns = append(t.Columns, &c)
	}
	t.NextColumnID = 4
}

// sequenceNameOption takes SEQUENCE NAME out of an identity column's options.
func sequenceNameOption(options []*parser.DefElem) (string, []*parser.DefElem) {
	name := ""
	var rest []*parser.DefElem
	for _, o := range options {
		if q, ok := o.Arg.(*parser.QualifiedName); ok && o.Name == "sequence_name" {
			name = q.Parts[len(q.Parts)-1]
			continue
		}
		rest = append(rest, o)
	}
	return name, rest
}

// sequenceSet holds which options were written.
type sequenceSet struct {
	typ, min, max, start *parser.DefElem
	seen                 map[string]bool
}

// sequenceOptions applies options to a definition. fresh is CREATE: bounds and start that are not written follow from
// the direction and the type.
func (e *Env) sequenceOptions(d *catalog.Sequence, options []*parser.DefElem, fresh bool) error {
	set := sequenceSet{seen: map[string]bool{}}
	oldLo, oldHi := sequenceBounds(d.Type.OID)
	resetMin, resetMax := fresh, fresh
	for _, o := range options {
		if set.seen[o.Name] {
			return e.at(failure.New(failure.SyntaxError, "conflicting or redundant options"), o.Pos)
		}
		set.seen[o.Name] = true
		if err := e.sequenceOption(d, &set, o); err != nil {
			return err
		}
	}
	lo, hi := sequenceBounds(d.Type.OID)
	if set.typ != nil && !fresh {
		resetMax = resetMax || d.Max == oldHi
		resetMin = resetMin || d.Min == oldLo
	}
	if d.Increment == 0 {
		return failure.New(failure.InvalidParameterValue, "INCREMENT must not be zero")
	}
	if err := sequenceLimit(d, set.max, &d.Max, resetMax, map[bool]int64{true: hi, false: -1}[d.Increment > 0], "MAXVALUE"); err != nil {
		return err
	}
	if err := sequenceLimit(d, set.min, &d.Min, resetMin, map[bool]int64{true: 1, false: lo}[d.Increment > 0], "MINVALUE"); err != nil {
		return err
	}
	return sequenceCheck(d, &set, fresh)
}

func (e *Env) sequenceOption(d *catalog.Sequence, set *sequenceSet, o *parser.DefElem) error {
	var err error
	switch o.Name {
	case "as":
		n, _ := o.Arg.(*parser.TypeName)
		set.typ = o
		if d.Type, err = e.Engine.ResolveType(e.snap(), e.Path, n); err != nil {
			return err
		}
		switch d.Type.OID {
		case datum.OIDInt2, datum.OIDInt4, datum.OIDInt8:
		default:
			return failure.New(failure.InvalidParameterValue, "sequence type must be smallint, integer, or bigint")
		}
	case "increment":
		d.Increment, err = constInt(o)
	case "start":
		set.start = o
		d.Start, err = constInt(o)
	case "minvalue":
		set.min = o
	case "maxvalue":
		set.max = o
	case "cache":
		if d.Cache, err = constInt(o); err == nil && d.Cache <= 0 {
			err = failure.New(failure.InvalidParameterValue, "CACHE (%d) must be greater than zero", d.Cache)
		}
	case "cycle":
		c, _ := o.Arg.(*parser.Const)
		d.Cycle = c != nil && c.Bool
	case "restart", "owned_by":
		// Handled by the callers that know them.
	default:
		return e.at(failure.New(failure.SyntaxError, "option \"%s\" not recognized", o.Name), o.Pos)
	}
	return err
}

// sequenceLimit sets a bound: the written value, or the default when it is reset or NO was written.
func sequenceLimit(d *catalog.Sequence, o *parser.DefElem, at *int64, reset bool, def int64, word string) error {
	switch {
	case o != nil && o.Arg != nil:
		v, err := constInt(o)
		if err != nil {
			return err
		}
		*at = v
	case o != nil || reset:
		*at = def
	}
	lo, hi := sequenceBounds(d.Type.OID)
	if *at < lo || *at > hi {
		return failure.New(failure.InvalidParameterValue, "%s (%d) is out of range for sequence data type %s", word, *at,
			datum.FormatType(d.Type))
	}
	return nil
}

func sequenceCheck(d *catalog.Sequence, set *sequenceSet, fresh bool) error {
	if d.Min >= d.Max {
		return failure.New(failure.InvalidParameterValue, "MINVALUE (%d) must be less than MAXVALUE (%d)", d.Min, d.Max)
	}
	if fresh && set.start == nil {
		d.Start = d.Min
		if d.Increment < 0 {
			d.Start = d.Max
		}
	}
	if d.Start < d.Min {
		return failure.New(failure.InvalidParameterValue, "START value (%d) cannot be less than MINVALUE (%d)", d.Start, d.Min)
	}
	if d.Start > d.Max {
		return failure.New(failure.InvalidParameterValue, "START value (%d) cannot be greater than MAXVALUE (%d)", d.Start, d.Max)
	}
	return nil
}

// constInt reads a whole number option.
func constInt(o *parser.DefElem) (int64, error) {
	c, _ := o.Arg.(*parser.Const)
	if c == nil {
		return 0, failure.New(failure.SyntaxError, "%s requires a numeric value", o.Name)
	}
	switch c.Kind {
	case parser.ConstInteger:
		return int64(c.Int), nil
	case parser.ConstFloat:
		v, err := strconv.ParseInt(c.Str, 10, 64)
		if err != nil {
			return 0, failure.New(failure.NumericValueOutOfRange, "value \"%s\" is out of range for type bigint", c.Str)
		}
		return v, nil
	}
	return 0, failure.New(failure.SyntaxError, "%s requires a numeric value", o.Name)
}

// ownedBy carries out OWNED BY, when it was written.
func (e *Env) ownedBy(ctx context.Context, seq *catalog.Table, options []*parser.DefElem) error {
	for _, o := range options {
		q, ok := o.Arg.(*parser.QualifiedName)
		if o.Name != "owned_by" || !ok {
			continue
		}
		seq.Sequence.OwnedByTable, seq.Sequence.OwnedByColumn = 0, 0
		if len(q.Parts) == 1 {
			if q.Parts[0] == "none" {
				return nil
			}
			return failure.New(failure.SyntaxError, "invalid OWNED BY option").
				WithHint("Specify OWNED BY table.column or OWNED BY NONE.")
		}
		n := parser.RelationName{Name: q.Parts[len(q.Parts)-2]}
		if len(q.Parts) > 2 {
			n.Schema = q.Parts[len(q.Parts)-3]
		}
		r, err := e.relation(&n, false)
		if err != nil {
			return err
		}
		if r.Index != nil || r.Table.Kind == catalog.RelSequence {
			return failure.New(failure.WrongObjectType, "sequence cannot be owned by relation \"%s\"", n.Name)
		}
		if r.Table.Owner != seq.Owner {
			return failure.New(failure.ObjectNotInPrerequisiteState, "sequence must have same owner as table it is linked to")
		}
		if r.Table.Schema != seq.Schema {
			return failure.New(failure.ObjectNotInPrerequisiteState, "sequence must be in same schema as table it is linked to")
		}
		c, _ := r.Table.ColumnByName(q.Parts[len(q.Parts)-1])
		if c == nil {
			return failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", q.Parts[len(q.Parts)-1], n.Name)
		}
		seq.Sequence.OwnedByTable, seq.Sequence.OwnedByColumn = r.Table.OID, c.ID
		return e.Cat.Use(ctx, r.Table.OID)
	}
	return nil
}

func (e *Env) alterSequence(ctx context.Context, s *parser.AlterSeqStmt) (Result, error) {
	res := Result{Tag: "ALTER SEQUENCE"}
	r, err := e.relation(&s.Relation, s.IfExists)
	if err != nil || !r.Found() {
		return res, err
	}
	if r.Index != nil || r.Table.Kind != catalog.RelSequence {
		return res, failure.New(failure.WrongObjectType, "\"%s\" is not a sequence", s.Relation.Name)
	}
	if err := e.own(r); err != nil {
		return res, err
	}
	t := r.Table.Clone()
	if err := e.changeSequence(ctx, t, s.Options); err != nil {
		return res, err
	}
	if t.Sequence.Internal {
		for _, o := range s.Options {
			if o.Name == "owned_by" {
				return res, failure.New(failure.FeatureNotSupported, "cannot change ownership of identity sequence").
					WithDetail("Sequence \"%s\" is linked to table \"%s\".", t.Name, e.snap().TableByOID(t.Sequence.OwnedByTable).Name)
			}
		}
	}
	if err := e.ownedBy(ctx, t, s.Options); err != nil {
		return res, err
	}
	return res, e.put(ctx, t)
}

// changeSequence applies options to an existing sequence. RESTART, and anything else that makes present values wrong,
// gives it a fresh state under a new Data id, so that it comes and goes with the transaction.
func (e *Env) changeSequence(ctx context.Context, t *catalog.Table, options []*parser.DefElem) error {
	if err := e.sequenceOptions(t.Sequence, options, false); err != nil {
		return err
	}
	for _, o := range options {
		if o.Name != "restart" {
			continue
		}
		at := t.Sequence.Start
		if o.Arg != nil {
			var err error
			if at, err = constInt(o); err != nil {
				return err
			}
		}
		return e.restartSequence(ctx, t, at)
	}
	return nil
}

// restartSequence makes the next value of a sequence be at.
func (e *Env) restartSequence(ctx context.Context, t *catalog.Table, at int64) error {
	if at < t.Sequence.Min {
		return failure.New(failure.InvalidParameterValue, "RESTART value (%d) cannot be less than MINVALUE (%d)", at, t.Sequence.Min)
	}
	if at > t.Sequence.Max {
		return failure.New(failure.InvalidParameterValue, "RESTART value (%d) cannot be greater than MAXVALUE (%d)", at, t.Sequence.Max)
	}
	oid, err := e.newOID(ctx)
	if err != nil {
		return err
	}
	t.Data = keys.TableID(oid)
	t.Sequence.Restart = nil
	if at != t.Sequence.Start {
		t.Sequence.Restart = &at
	}
	return nil
}
