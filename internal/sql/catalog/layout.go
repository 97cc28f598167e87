package catalog

import (
	"encoding/binary"

	"github.com/meridiandb/meridian/internal/keys"
)

// The system tables. Ids below FirstUserOID belong to Meridian and PostgreSQL's built-in objects, ids below 100 are
// tables of the store.
const (
	TableDescriptors keys.TableID = 1 // kind, oid → descriptor
	TableNames       keys.TableID = 2 // space, parent, name → oid
	TableCounters    keys.TableID = 3 // name → 8 bytes
	TableJobs        keys.TableID = 4 // job id → job
)

// FirstUserOID is the first OID of objects that users create.
const FirstUserOID OID = 16384

// OIDs of what is there from the start.
const (
	OIDPgCatalog         OID = 11
	OIDPgToast           OID = 99
	OIDPublic            OID = 2200
	OIDInformationSchema OID = 13207
	OIDSys               OID = 13999
	OIDPostgres          OID = 10 // the role
	OIDAdmin             OID = 9000
	OIDDatabaseOwner     OID = 6171 // the role
	OIDDatabase          OID = 5
)

// statsSchemaKey is written by ANALYZE: it moves SchemaTime, so that caches reload, and nobody checks it.
const statsSchemaKey keys.TableID = 1

func descriptorKey(k Kind, oid OID) keys.Key {
	b := keys.AppendPrefix(make([]byte, 0, keys.PrefixLen+5), TableDescriptors, keys.PrimaryIndex)
	b = append(b, byte(k))
	return binary.BigEndian.AppendUint32(b, uint32(oid))
}

func nameRowKey(n nameKey) keys.Key {
	b := keys.AppendPrefix(make([]byte, 0, keys.PrefixLen+5+len(n.name)), TableNames, keys.PrimaryIndex)
	b = append(b, byte(n.space))
	b = binary.BigEndian.AppendUint32(b, uint32(n.parent))
	return append(b, n.name...)
}

// CounterKey is the key of a named counter row.
func CounterKey(name string) keys.Key {
	return append(keys.AppendPrefix(nil, TableCounters, keys.PrimaryIndex), name...)
}
