package ddl

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/meridiandb/meridian/internal/sql/catalog"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func oidText(oid catalog.OID) string { return strconv.FormatUint(uint64(oid), 10) }

func itoa(n int) string { return strconv.Itoa(n) }
