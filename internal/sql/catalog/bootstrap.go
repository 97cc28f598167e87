package catalog

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// systemObjects are part of every Snapshot without being stored.
func systemObjects() []Descriptor {
	ds := []Descriptor{
		&Schema{OID: OIDPgCatalog, Name: "pg_catalog", Owner: OIDPostgres, Comment: "system catalog schema",
			ACL: systemSchemaACL()},
		&Schema{OID: OIDPgToast, Name: "pg_toast", Owner: OIDPostgres, Comment: "reserved schema for TOAST tables"},
		&Schema{OID: OIDInformationSchema, Name: "information_schema", Owner: OIDPostgres, ACL: systemSchemaACL()},
		&Schema{OID: OIDSys, Name: "sys", Owner: OIDPostgres, Comment: "Meridian's own views", ACL: systemSchemaACL()},
	}
	predefined := []struct {
		oid  OID
		name string
	}{
		{OIDDatabaseOwner, "pg_database_owner"}, {6181, "pg_read_all_data"}, {6182, "pg_write_all_data"}, {3373, "pg_monitor"},
		{3374, "pg_read_all_settings"}, {3375, "pg_read_all_stats"}, {3377, "pg_stat_scan_tables"},
		{4569, "pg_read_server_files"}, {4570, "pg_write_server_files"}, {4571, "pg_execute_server_program"},
		{4200, "pg_signal_backend"}, {4544, "pg_checkpoint"},
	}
	for _, p := range predefined {
		r := &Role{OID: p.oid, Name: p.name, Inherit: true, ConnLimit: -1}
		if p.name == "pg_monitor" {
			r.MemberOf = []RoleLink{{3374, OIDPostgres, false}, {3375, OIDPostgres, false}, {3377, OIDPostgres, false}}
		}
		ds = append(ds, r)
	}
	return ds
}

func systemSchemaACL() ACL {
	return ACL{
		{Grantee: OIDPostgres, Grantor: OIDPostgres, Privs: PrivAllSchema},
		{Grantee: 0, Grantor: OIDPostgres, Privs: PrivUsage},
	}
}

// firstObjects are stored when a cluster is made.
func firstObjects() []Descriptor {
	super := Role{Superuser: true, Inherit: true, CreateRole: true, CreateDB: true, Login: true, Replication: true,
		BypassRLS: true, ConnLimit: -1}
	admin, postgres := super, super
	admin.OID, admin.Name = OIDAdmin, "admin"
	postgres.OID, postgres.Name = OIDPostgres, "postgres"
	return []Descriptor{
		&Database{OID: OIDDatabase, Name: "postgres", Owner: OIDAdmin,
			Comment: "default administrative connection database"},
		&admin,
		&postgres,
		&Schema{OID: OIDPublic, Name: "public", Owner: OIDDatabaseOwner, Comment: "standard public schema", ACL: PublicSchemaACL()},
	}
}

// PublicSchemaACL is what schema public is made with.
func PublicSchemaACL() ACL {
	return ACL{
		{Grantee: OIDDatabaseOwner, Grantor: OIDDatabaseOwner, Privs: PrivAllSchema},
		{Grantee: 0, Grantor: OIDDatabaseOwner, Privs: PrivUsage},
	}
}

// Bootstrap stores the first objects (database postgres, roles admin and postgres, schema public) unless they are
// there. It may be called at every start, and by several nodes at once.
func Bootstrap(ctx context.Context, db txn.DB) error {
	for {
		err := bootstrapOnce(ctx, db)
		if !failure.Retryable(err) {
			return err
		}
	}
}

func bootstrapOnce(ctx context.Context, db txn.DB) error {
	tx := db.Begin(txn.Options{Internal: true})
	defer tx.Rollback()
	var v [1][]byte
	if err := tx.Get(ctx, []keys.Key{descriptorKey(KindDatabase, OIDDatabase)}, v[:]); err != nil {
		return err
	}
	if v[0] != nil {
		return nil
	}
	empty := newSnapshot(nil)
	t := &Txn{tx: tx, start: empty, cur: empty}
	for _, d := range firstObjects() {
		if err := t.Put(ctx, d); err != nil {
			return err
		}
	}
	_, err := tx.Commit(ctx)
	return err
}

// OIDs allocates object identifiers, cluster-wide unique, in blocks: those of a block that were not used when the
// node stops are lost. It is safe for concurrent use.
type OIDs struct {
	db txn.DB
	mu struct {
		sync.Mutex
		next, limit OID
	}
}

// oidBlock is how many OIDs a node takes at a time.
const oidBlock = 128

// NewOIDs makes an allocator.
func NewOIDs(db txn.DB) *OIDs { return &OIDs{db: db} }

// Next returns a fresh OID.
func (a *OIDs) Next(ctx context.Context) (OID, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.next == a.mu.limit {
		first, err := AdvanceCounter(ctx, a.db, "oid", int64(FirstUserOID), oidBlock)
		if err != nil {
			return 0, err
		}
		a.mu.next, a.mu.limit = OID(first), OID(first+oidBlock)
	}
	a.mu.next++
	return a.mu.next - 1, nil
}

// AdvanceCounter takes n numbers from a durable counter in a transaction of its own and returns the first. A counter
// that was never used starts at start.
func AdvanceCounter(ctx context.Context, db txn.DB, name string, start, n int64) (int64, error) {
	for {
		first, err := advanceOnce(ctx, db, name, start, n)
		if !failure.Retryable(err) {
			return first, err
		}
	}
}

func advanceOnce(ctx context.Context, db txn.DB, name string, start, n int64) (int64, error) {
	tx := db.Begin(txn.Options{Internal: true})
	defer tx.Rollback()
	key := CounterKey(name)
	var v [1][]byte
	if err := tx.Get(ctx, []keys.Key{key}, v[:]); err != nil {
		return 0, err
	}
	first := start
	if len(v[0]) == 8 {
		first = int64(binary.BigEndian.Uint64(v[0]))
	}
	next := binary.BigEndian.AppendUint64(nil, uint64(first+n))
	if err := tx.Write(ctx, txn.Write{Key: key, Value: next}); err != nil {
		return 0, err
	}
	_, err := tx.Commit(ctx)
	return first, err
}
