package catalog_test

import (
	"context"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/txn"
	"github.com/meridiandb/meridian/internal/txn/txntest"
)

type world struct {
	*testing.T
	ctx   context.Context
	db    txn.DB
	cache *catalog.Cache
	oids  *catalog.OIDs
}

func open(t *testing.T) *world {
	db := txntest.New()
	w := &world{t, t.Context(), db, catalog.NewCache(nil), catalog.NewOIDs(db)}
	w.must(catalog.Bootstrap(w.ctx, db))
	w.must(catalog.Bootstrap(w.ctx, db)) // a second start changes nothing
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) begin() *catalog.Txn {
	w.Helper()
	c, err := w.cache.Begin(w.ctx, w.db.Begin(txn.Options{}))
	w.must(err)
	return c
}

func (w *world) commit(c *catalog.Txn) error {
	_, err := c.Store().Commit(w.ctx)
	return err
}

func (w *world) table(name string) *catalog.Table {
	w.Helper()
	oid, err := w.oids.Next(w.ctx)
	w.must(err)
	return &catalog.Table{OID: oid, Schema: catalog.OIDPublic, Name: name, Kind: catalog.RelTable, Owner: catalog.OIDAdmin,
		Columns: []*catalog.Column{{ID: 1, Attnum: 1, Name: "a", Type: datum.T(datum.OIDInt4), Missing: datum.NewText("x"), HasMissing: true}}}
}

func (w *world) find(c *catalog.Txn, name string) *catalog.Table {
	p := c.Snapshot().Path([]string{"$user", "public"}, "admin")
	return c.Snapshot().Find(p, "", name).Table
}

func TestChangesAreSeenInsideAndAfterCommit(t *testing.T) {
	w := open(t)
	c := w.begin()
	w.must(c.Put(w.ctx, w.table("t")))
	if w.find(c, "t") == nil || w.find(w.begin(), "t") != nil {
		t.Fatal("a table must be seen by its own transaction alone")
	}
	if !c.Snapshot().Changed() || c.Start().Changed() {
		t.Fatal("changed snapshots must say so")
	}
	w.must(w.commit(c))
	got := w.find(w.begin(), "t")
	if got == nil || got.Columns[0].Missing.Text() != "x" {
		t.Fatalf("after the commit: %+v", got)
	}
}

func TestUnchangedDescriptorsAreReused(t *testing.T) {
	w := open(t)
	c := w.begin()
	w.must(c.Put(w.ctx, w.table("t")))
	w.must(w.commit(c))
	before := w.find(w.begin(), "t")
	if again := w.begin(); again.Snapshot() != w.begin().Snapshot() {
		t.Fatal("transactions at one schema time must share a snapshot")
	}
	c = w.begin()
	w.must(c.Put(w.ctx, w.table("u")))
	w.must(w.commit(c))
	if w.find(w.begin(), "t") != before {
		t.Fatal("an unchanged descriptor was decoded again")
	}
}

func TestSavepoints(t *testing.T) {
	w := open(t)
	c := w.begin()
	w.must(c.Put(w.ctx, w.table("t")))
	store, mark := c.Store().Mark(), c.Mark()
	w.must(c.Put(w.ctx, w.table("u")))
	c.Store().RollbackTo(store)
	c.RollbackTo(mark)
	if w.find(c, "u") != nil || w.find(c, "t") == nil {
		t.Fatal("rolling back must forget u and keep t")
	}
	w.must(w.commit(c))
	if c = w.begin(); w.find(c, "u") != nil || w.find(c, "t") == nil {
		t.Fatal("the commit must have t alone")
	}
}

func TestNamesAreUnique(t *testing.T) {
	w := open(t)
	a, b := w.begin(), w.begin()
	w.must(a.Put(w.ctx, w.table("t")))
	if err := a.Put(w.ctx, w.table("t")); failure.CodeOf(err) != failure.DuplicateTable {
		t.Fatalf("the same name twice in a transaction: %v", err)
	}
	w.must(b.Put(w.ctx, w.table("t")))
	w.must(w.commit(a))
	if err := w.commit(b); !failure.Retryable(err) {
		t.Fatalf("the same name in two transactions: %v", err)
	}
}

func TestUsersOfATableConflictWithItsChange(t *testing.T) {
	w := open(t)
	c := w.begin()
	w.must(c.Put(w.ctx, w.table("t")))
	w.must(w.commit(c))
	user, other := w.begin(), w.begin()
	tab := w.find(user, "t")
	w.must(user.Use(w.ctx, tab.OID))
	w.must(user.Store().Write(w.ctx, txn.Write{Key: append(catalog.SchemaKey(1), 'r'), Value: []byte{1}}))
	w.must(other.Delete(w.ctx, tab))
	w.must(w.commit(other))
	if err := w.commit(user); !failure.Retryable(err) {
		t.Fatalf("a user of a dropped table committed: %v", err)
	}
	if w.find(w.begin(), "t") != nil {
		t.Fatal("the table is still there")
	}
}

func TestRename(t *testing.T) {
	w := open(t)
	c := w.begin()
	tab := w.table("t")
	w.must(c.Put(w.ctx, tab))
	u := tab.Clone()
	u.Name = "u"
	w.must(c.Put(w.ctx, u))
	w.must(c.Put(w.ctx, w.table("t")))
	w.must(w.commit(c))
	c = w.begin()
	if w.find(c, "u") == nil || w.find(c, "t") == nil || w.find(c, "u").OID != tab.OID {
		t.Fatal("after a rename both names must be found")
	}
}

func TestPrivileges(t *testing.T) {
	w := open(t)
	c := w.begin()
	group := &catalog.Role{OID: 20001, Name: "g", Inherit: true}
	user := &catalog.Role{OID: 20002, Name: "u", Inherit: true, MemberOf: []catalog.RoleLink{{Role: 20001}}}
	tab := w.table("t")
	tab.ACL = catalog.DefaultACLFor(catalog.OIDAdmin, catalog.PrivAllTable, 0).Grant(20001, catalog.OIDAdmin, catalog.PrivSelect, false)
	for _, d := range []catalog.Descriptor{group, user, tab} {
		w.must(c.Put(w.ctx, d))
	}
	s := c.Snapshot()
	if !s.HasTable(20002, tab, catalog.PrivSelect) || s.HasTable(20002, tab, catalog.PrivInsert) || !s.HasTable(catalog.OIDAdmin, tab, catalog.PrivInsert) {
		t.Fatal("privileges come through membership, and superusers have all")
	}
	err := s.CheckTable(20002, tab, catalog.PrivInsert)
	if err == nil || err.Error() != "permission denied for table t (SQLSTATE 42501)" {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := catalog.Encode(&catalog.Schema{OID: 1, Name: "s"})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := catalog.Decode(b); err == nil && d == nil {
			t.Fatal("neither a descriptor nor an error")
		}
	})
}
