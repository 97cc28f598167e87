package catalog

import (
	"context"
	"encoding/binary"
	"maps"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// Txn is the catalogue as one transaction sees it: the Snapshot at its start with its own changes. It is used by one
// goroutine at a time, like the txn.Txn under it.
type Txn struct {
	tx      txn.Txn
	start   *Snapshot
	cur     *Snapshot
	changes uint64
}

// Mark is a state to which RollbackTo returns, for savepoints and failed statements.
type Mark struct{ s *Snapshot }

// Begin opens the catalogue for a transaction, taking its snapshot.
func (c *Cache) Begin(ctx context.Context, tx txn.Txn) (*Txn, error) {
	s, err := c.At(ctx, tx)
	if err != nil {
		return nil, err
	}
	return &Txn{tx: tx, start: s, cur: s}, nil
}

// Snapshot returns the descriptors as the transaction sees them now.
func (t *Txn) Snapshot() *Snapshot { return t.cur }

// Start returns the descriptors as they were before the transaction's own changes.
func (t *Txn) Start() *Snapshot { return t.start }

// Store returns the transaction that the changes are written to.
func (t *Txn) Store() txn.Txn { return t.tx }

// Changed says whether the transaction has changed the schema.
func (t *Txn) Changed() bool { return t.cur != t.start }

// OwnData says that the transaction has made what the table's rows lie under: nobody else knows of it.
func (t *Txn) OwnData(x *Table) bool {
	if t.cur == t.start {
		return false
	}
	old := t.start.TableByOID(x.OID)
	return old == nil || old.Data != x.Data
}

// Mark returns the present state; take it together with the txn.Txn's own Mark.
func (t *Txn) Mark() Mark { return Mark{t.cur} }

// RollbackTo forgets every change since the mark; the caller rolls the txn.Txn back to its mark too.
func (t *Txn) RollbackTo(m Mark) { t.cur = m.s }

// Put creates or replaces a descriptor: it writes the row, the names and the schema key. The descriptor must not be
// changed afterwards.
func (t *Txn) Put(ctx context.Context, d Descriptor) error {
	invariant.Check(d.ObjectID() != 0, "descriptor without an OID")
	value, err := Encode(d)
	if err != nil {
		return err
	}
	old := t.cur.object(d.DescriptorKind(), d.ObjectID())
	held := map[nameKey]bool{}
	var ws []txn.Write
	if old != nil {
		for _, n := range old.names() {
			held[n] = true
		}
	}
	for _, n := range d.names() {
		if held[n] {
			delete(held, n)
			continue
		}
		if by := t.cur.holder(n); by != 0 && by != d.ObjectID() {
			return duplicateName(n)
		}
		v := binary.BigEndian.AppendUint32(nil, uint32(d.ObjectID()))
		ws = append(ws, txn.Write{Key: nameRowKey(n), Value: v, Identity: true})
	}
	for n := range held {
		ws = append(ws, txn.Write{Key: nameRowKey(n), Delete: true, Identity: true})
	}
	ws = append(ws,
		txn.Write{Key: descriptorKey(d.DescriptorKind(), d.ObjectID()), Value: value, Identity: old == nil},
		txn.Write{Key: schemaKeyOf(d), Schema: true})
	if err := t.tx.Write(ctx, ws...); err != nil {
		return err
	}
	next := t.layer()
	if old != nil {
		next.remove(old)
	}
	next.add(d)
	t.cur = next
	return nil
}

// Delete removes a descriptor, its names, and writes the schema key.
func (t *Txn) Delete(ctx context.Context, d Descriptor) error {
	old := t.cur.object(d.DescriptorKind(), d.ObjectID())
	invariant.Check(old != nil, "descriptor %d to delete is not there", d.ObjectID())
	ws := []txn.Write{
		{Key: descriptorKey(d.DescriptorKind(), d.ObjectID()), Delete: true, Identity: true},
		{Key: schemaKeyOf(d), Schema: true},
	}
	for _, n := range old.names() {
		ws = append(ws, txn.Write{Key: nameRowKey(n), Delete: true, Identity: true})
	}
	if err := t.tx.Write(ctx, ws...); err != nil {
		return err
	}
	next := t.layer()
	next.remove(old)
	t.cur = next
	return nil
}

// Use adds schema keys to what the commit validates: the objects stay as they are until then.
func (t *Txn) Use(ctx context.Context, oids ...OID) error {
	cs := make([]txn.Check, 0, len(oids))
	for _, oid := range oids {
		if oid < FirstUserOID && oid != OIDPublic {
			continue
		}
		cs = append(cs, txn.Check{Key: SchemaKey(oid), Mode: txn.CheckSchema})
	}
	if len(cs) == 0 {
		return nil
	}
	return t.tx.Check(ctx, cs...)
}

// layer returns a fresh changed Snapshot over the start, a copy of the present one.
func (t *Txn) layer() *Snapshot {
	t.changes++
	next := newSnapshot(t.start)
	next.version = Version{Time: t.start.version.Time, Local: t.changes}
	if t.cur != t.start {
		maps.Copy(next.objects, t.cur.objects)
		maps.Copy(next.holders, t.cur.holders)
		maps.Copy(next.parts, t.cur.parts)
	}
	return next
}

func schemaKeyOf(d Descriptor) keys.Key {
	if d.DescriptorKind() == KindStats {
		return keys.SchemaKey(statsSchemaKey)
	}
	return SchemaKey(d.ObjectID())
}

func duplicateName(n nameKey) error {
	switch n.space {
	case spaceSchema:
		return failure.New(failure.DuplicateSchema, "schema \"%s\" already exists", n.name)
	case spaceRelation:
		return failure.New(failure.DuplicateTable, "relation \"%s\" already exists", n.name)
	case spaceType:
		return failure.New(failure.DuplicateObject, "type \"%s\" already exists", n.name)
	case spaceRole:
		return failure.New(failure.DuplicateObject, "role \"%s\" already exists", n.name)
	case spaceDatabase:
		return failure.New(failure.DuplicateDatabase, "database \"%s\" already exists", n.name)
	default:
		return failure.New(failure.DuplicateFunction, "function already exists with same argument types")
	}
}

// Overlay lays a descriptor over the transaction's view without writing it: for passing states inside one statement,
// such as the two sides of a table rewrite. Undo it with RollbackTo.
func (t *Txn) Overlay(d Descriptor) {
	next := t.layer()
	if old := t.cur.object(d.DescriptorKind(), d.ObjectID()); old != nil {
		next.remove(old)
	}
	next.add(d)
	t.cur = next
}
