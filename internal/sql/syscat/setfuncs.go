package syscat

import (
	"context"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// Rows computes a set-returning system function (builtin.Session.SystemRows). ok is false when it is none of this
// package's.
func (e *Env) Rows(_ context.Context, fn *builtin.Func, args []datum.Datum) (rows [][]datum.Datum, ok bool, err error) {
	switch fn.Name {
	case "aclexplode":
		return e.aclExplode(args[0]), true, nil
	case "pg_options_to_table":
		return optionsToTable(args[0]), true, nil
	case "pg_partition_ancestors", "pg_partition_tree":
		return nil, true, nil
	case "pg_get_publication_tables", "pg_available_extensions", "pg_available_extension_versions", "pg_lock_status",
		"pg_prepared_xact", "pg_stat_get_wal_senders", "pg_get_replication_slots", "pg_stat_get_progress_info",
		"pg_extension_update_paths", "pg_show_replication_origin_status":
		return nil, true, nil
	}
	return nil, false, nil
}

// aclExplode turns an access list into rows: grantor, grantee, privilege, grantable.
func (e *Env) aclExplode(acl datum.Datum) [][]datum.Datum {
	if acl.IsNull() {
		return nil
	}
	var out [][]datum.Datum
	for _, item := range acl.Array().Elems {
		grantee, rest, ok := strings.Cut(item.Text(), "=")
		letters, grantor, ok2 := strings.Cut(rest, "/")
		if !ok || !ok2 {
			continue
		}
		from, to := e.aclRole(grantor), e.aclRole(grantee)
		for i := 0; i < len(letters); i++ {
			word := privilegeLetter(letters[i])
			if word == "" {
				continue
			}
			option := i+1 < len(letters) && letters[i+1] == '*'
			out = append(out, []datum.Datum{dInt(from), dInt(to), dText(word), dBool(option)})
		}
	}
	return out
}

func (e *Env) aclRole(name string) catalog.OID {
	name = strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
	if r := e.Snapshot.Role(name); r != nil {
		return r.OID
	}
	return 0
}

func privilegeLetter(c byte) string {
	return map[byte]string{'a': "INSERT", 'r': "SELECT", 'w': "UPDATE", 'd': "DELETE", 'D': "TRUNCATE", 'x': "REFERENCES",
		't': "TRIGGER", 'X': "EXECUTE", 'U': "USAGE", 'C': "CREATE", 'T': "TEMPORARY", 'c': "CONNECT"}[c]
}

func optionsToTable(options datum.Datum) [][]datum.Datum {
	if options.IsNull() {
		return nil
	}
	var out [][]datum.Datum
	for _, o := range options.Array().Elems {
		name, value, ok := strings.Cut(o.Text(), "=")
		row := []datum.Datum{dText(name), datum.Null}
		if ok {
			row[1] = dText(value)
		}
		out = append(out, row)
	}
	return out
}
