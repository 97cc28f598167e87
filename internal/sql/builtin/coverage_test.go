package builtin

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
)

var rewrite = flag.Bool("rewrite", false, "write docs/postgres-coverage.md anew")

const coverageFile = "../../../docs/postgres-coverage.md"

// unsupportedTypes are those of PostgreSQL's types that Meridian does not have; functions on them do not count.
const unsupportedTypes = `point lseg path box polygon line circle tsvector tsquery gtsvector xml money tid txid_snapshot
pg_snapshot aclitem refcursor pg_ndistinct pg_dependencies pg_mcv_list pg_brin_bloom_summary pg_brin_minmax_multi_summary
pg_ddl_command int4multirange int8multirange nummultirange datemultirange tsmultirange tstzmultirange
anymultirange anycompatiblemultirange anycompatiblerange regdictionary regconfig anyenum pg_lsn`

// groupOf sorts a function into a chapter of the manual, or "" when it is no function for users: input and output
// functions, support functions of indexes and aggregates, and what needs types that are not there.
func groupOf(f *Facts, fn *Func) string {
	bad := strings.Fields(unsupportedTypes)
	types := append(append([]OID{fn.Ret}, fn.Args...), fn.AllArgs...)
	for _, t := range types {
		ti := f.TypeByOID(t)
		name := strings.TrimPrefix(ti.Name, "_")
		if slices.Contains(bad, name) || name == "internal" || name == "cstring" || ti.Type == 'p' && slices.Contains(
			strings.Fields("trigger event_trigger language_handler fdw_handler index_am_handler table_am_handler tsm_handler"), name) {
			return ""
		}
	}
	switch {
	case fn.Schema != SchemaCatalog:
		return ""
	case strings.HasSuffix(fn.Name, "send"), strings.HasPrefix(fn.Prosrc, "hash"), strings.HasSuffix(fn.Name, "_hash"),
		strings.Contains(fn.Name, "hash_"), strings.Contains(fn.Name, "hashextended"), strings.HasPrefix(fn.Name, "in_range"),
		strings.HasSuffix(fn.Name, "_accum"), strings.Contains(fn.Name, "_accum_inv"), strings.HasSuffix(fn.Name, "_combine"),
		strings.HasPrefix(fn.Name, "binary_upgrade"), strings.HasSuffix(fn.Name, "validator"), strings.HasPrefix(fn.Name, "be_lo"),
		strings.HasPrefix(fn.Name, "lo_"), strings.HasPrefix(fn.Prosrc, "be_lo"), strings.HasPrefix(fn.Name, "pg_replication_origin"),
		strings.HasPrefix(fn.Name, "pg_logical"), strings.Contains(fn.Name, "replication_slot"), strings.HasPrefix(fn.Name, "brin_"),
		strings.HasPrefix(fn.Name, "gin_"), strings.HasPrefix(fn.Name, "float8_"), fn.Name == "int8_avg", fn.Name == "interval_avg",
		fn.Name == "int2int4_sum", strings.HasPrefix(fn.Name, "int8inc_"), fn.Name == "int8dec_any", fn.Name == "int2_sum",
		fn.Name == "int4_sum", fn.Name == "int8_sum", strings.HasSuffix(fn.Name, "transfn"), strings.HasPrefix(fn.Name, "ts_"),
		strings.HasPrefix(fn.Name, "xml_"), strings.HasPrefix(fn.Name, "record_image"), fn.Name == "btrecordimagecmp", strings.HasSuffix(fn.Name, "equalimage"), strings.HasPrefix(fn.Name, "pg_event_trigger"):
		return ""
	case fn.Kind == 'a':
		return "Aggregate functions"
	case fn.Kind == 'w':
		return "Window functions"
	case strings.HasPrefix(fn.Name, "pg_stat"), strings.HasPrefix(fn.Name, "pg_ls"), strings.HasPrefix(fn.Name, "pg_read"),
		strings.HasPrefix(fn.Name, "pg_wal"), strings.HasPrefix(fn.Name, "pg_control"), strings.HasPrefix(fn.Name, "pg_backup"):
		return "Server statistics, files and write-ahead log"
	case strings.HasPrefix(fn.Name, "pg_"), strings.HasPrefix(fn.Name, "has_"), strings.HasPrefix(fn.Name, "to_reg"),
		strings.Contains(fn.Name, "current_"), strings.HasPrefix(fn.Name, "inet_client"), strings.HasPrefix(fn.Name, "inet_server"):
		return "System information and administration"
	}
	for _, g := range []struct {
		name  string
		types []OID
	}{
		{"JSON", []OID{datum.OIDJSON, datum.OIDJSONB}},
		{"Arrays", []OID{datum.OIDAnyArray, oidAnyCompatibleArray, datum.OIDTextArray}},
		{"Ranges", []OID{datum.OIDAnyRange, datum.OIDInt4Range, datum.OIDInt8Range, datum.OIDNumRange, datum.OIDTsRange,
			datum.OIDTstzRange, datum.OIDDateRange}},
		{"Dates and times", []OID{datum.OIDDate, datum.OIDTime, datum.OIDTimeTZ, datum.OIDTimestamp, datum.OIDTimestampTZ,
			datum.OIDInterval}},
		{"Network addresses", []OID{datum.OIDInet, datum.OIDCidr, datum.OIDMacaddr, datum.OIDMacaddr8}},
		{"Byte and bit strings, uuid", []OID{datum.OIDBytea, datum.OIDBit, datum.OIDVarbit, datum.OIDUUID}},
		{"Character strings", []OID{datum.OIDText, datum.OIDBpchar, datum.OIDVarchar, datum.OIDName, datum.OIDQChar}},
		{"Numbers", []OID{datum.OIDInt2, datum.OIDInt4, datum.OIDInt8, datum.OIDFloat4, datum.OIDFloat8, datum.OIDNumeric,
			datum.OIDBool, datum.OIDOid}},
	} {
		for _, t := range types {
			if slices.Contains(g.types, t) {
				return g.name
			}
		}
	}
	return "Others"
}

// coverage renders the page.
func coverage() string {
	f := Load()
	type count struct {
		done, asked, all int
		missing          []string
	}
	groups := map[string]*count{}
	total := count{}
	for _, fn := range f.Funcs() {
		g := groupOf(f, fn)
		if g == "" {
			continue
		}
		c := groups[g]
		if c == nil {
			c = &count{}
			groups[g] = c
		}
		c.all++
		total.all++
		switch {
		case fn.System:
			c.asked++
			total.asked++
		case fn.Implemented():
			c.done++
			total.done++
		default:
			c.missing = append(c.missing, fn.Name)
		}
	}
	names := make([]string, 0, len(groups))
	for n := range groups {
		names = append(names, n)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString("# PostgreSQL's functions in Meridian\n\nWritten by `go test ./internal/sql/builtin -run TestCoverage -rewrite`. " +
		"It counts the rows of PostgreSQL 15's\n`pg_proc` that are for users and concern types that Meridian has. " +
		"A function without implementation resolves as\nin PostgreSQL and answers 0A000 when it is called.\n\n" +
		"A function of the middle column asks the session and its catalogue, which answer 0A000 for what they do not know.\n\n" +
		"| Group | implemented here | asked of the session | of |\n|---|--:|--:|--:|\n")
	for _, n := range names {
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", n, groups[n].done, groups[n].asked, groups[n].all)
	}
	fmt.Fprintf(&b, "| **All** | **%d** | **%d** | **%d** |\n\n", total.done, total.asked, total.all)
	b.WriteString(wrap("Not there at all: "+strings.Join(strings.Fields(unsupportedTypes), ", ")+
		", and the functions on these types.") + "\n\n## Missing\n")
	for _, n := range names {
		m := groups[n].missing
		if len(m) == 0 {
			continue
		}
		slices.Sort(m)
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", n, wrap(strings.Join(slices.Compact(m), ", ")))
	}
	return b.String()
}

func wrap(s string) string {
	var b strings.Builder
	width := 0
	for i, w := range strings.Fields(s) {
		if i > 0 {
			if width+len(w)+1 > 118 {
				b.WriteByte('\n')
				width = 0
			} else {
				b.WriteByte(' ')
				width++
			}
		}
		b.WriteString(w)
		width += len(w)
	}
	return b.String()
}

func TestCoverage(t *testing.T) {
	page := coverage()
	if *rewrite {
		if err := os.WriteFile(coverageFile, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(coverageFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Error("docs/postgres-coverage.md is out of date: run this test with -rewrite")
	}
}
