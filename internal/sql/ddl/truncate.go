package ddl

import (
	"context"
	"slices"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// truncate empties tables by giving them a fresh Data id: its cost does not depend on their size. A job clears the old
// rows away.
func (e *Env) truncate(ctx context.Context, s *parser.TruncateStmt) (Result, error) {
	res := Result{Tag: "TRUNCATE TABLE"}
	var list []*catalog.Table
	for _, v := range s.Tables {
		r, err := e.relation(&v.Relation, false)
		if err != nil {
			return res, err
		}
		if r.Index != nil || r.Table.Kind != catalog.RelTable {
			return res, failure.New(failure.WrongObjectType, "\"%s\" is not a table", r.Name())
		}
		if !slices.ContainsFunc(list, func(t *catalog.Table) bool { return t.OID == r.Table.OID }) {
			list = append(list, r.Table)
		}
	}
	for i := 0; i < len(list); i++ {
		t := list[i]
		if t.OID < catalog.FirstUserOID {
			return res, failure.New(failure.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", t.Name)
		}
		if err := e.snap().CheckTable(e.User, t, catalog.PrivTruncate); err != nil {
			return res, err
		}
		for _, in := range t.Inbound {
			if slices.ContainsFunc(list, func(o *catalog.Table) bool { return o.OID == in.Table }) {
				continue
			}
			child := e.snap().TableByOID(in.Table)
			if s.Behavior != parser.DropCascade {
				return res, failure.New(failure.FeatureNotSupported, "cannot truncate a table referenced in a foreign key constraint").
					WithDetail("Table \"%s\" references \"%s\".", child.Name, t.Name).
					WithHint("Truncate table \"%s\" at the same time, or use TRUNCATE ... CASCADE.", child.Name)
			}
			e.notice(failure.SuccessfulCompletion, "truncate cascades to table \"%s\"", child.Name)
			list = append(list, child)
		}
	}
	for _, t := range list {
		if err := e.truncateTable(ctx, t, s.RestartSeqs); err != nil {
			return res, err
		}
	}
	return res, nil
}

func (e *Env) truncateTable(ctx context.Context, t *catalog.Table, restart bool) error {
	if err := e.dropData(ctx, t); err != nil {
		return err
	}
	data, err := e.newOID(ctx)
	if err != nil {
		return err
	}
	c := t.Clone()
	c.Data = keys.TableID(data)
	for _, x := range c.Indexes {
		// An index of no rows is complete.
		if x.State == catalog.IndexWriteOnly && !x.Failed {
			x.State, x.Job = catalog.IndexPublic, ""
		}
	}
	if err := e.put(ctx, c); err != nil || !restart {
		return err
	}
	for o := range e.snap().Tables() {
		if o.Sequence == nil || o.Sequence.OwnedByTable != t.OID {
			continue
		}
		if !e.snap().Member(e.User, o.Owner) {
			return catalog.NotOwner("sequence", o.Name)
		}
		seq := o.Clone()
		if err := e.restartSequence(ctx, seq, seq.Sequence.Start); err != nil {
			return err
		}
		if err := e.put(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}
