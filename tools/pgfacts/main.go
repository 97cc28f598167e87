// Command pgfacts writes the catalogue of a running PostgreSQL as tab-separated files for internal/sql/builtin to embed.
//
// Usage: pgfacts DIR [psql arguments]; for example
//
//	go run ./tools/pgfacts internal/sql/builtin/facts -h 127.0.0.1 -p 5432 -U postgres
//
// Every file starts with a line of column names and holds rows in COPY's text format, ordered by the first column.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// table is one file: its name and the query behind it.
type table struct{ name, query string }

func tables() []table {
	return []table{
		{"pg_type", `select oid, typname, typnamespace::oid nsp, typlen, typbyval, typtype, typcategory, typispreferred,
			typdelim, typrelid, typsubscript::oid, typelem, typarray, typinput::oid, typoutput::oid, typreceive::oid,
			typsend::oid, typmodin::oid, typmodout::oid, typanalyze::oid, typalign, typstorage, typnotnull, typbasetype,
			typtypmod, typndims, typcollation, typdefault from pg_type order by oid`},
		{"pg_proc", `select oid, proname, pronamespace::oid nsp, prolang, procost, prorows, provariadic,
			prosupport::oid, prokind, proleakproof, proisstrict, proretset, provolatile, proparallel, pronargdefaults,
			prorettype, proargtypes, proallargtypes, proargmodes, proargnames,
			pg_get_expr(proargdefaults, 0) defaults, prosrc from pg_proc order by oid`},
		{"pg_operator", `select oid, oprname, oprkind, oprcanmerge, oprcanhash, oprleft, oprright, oprresult, oprcom,
			oprnegate, oprcode::oid, oprrest::oid, oprjoin::oid from pg_operator order by oid`},
		{"pg_cast", `select oid, castsource, casttarget, castfunc, castcontext, castmethod from pg_cast order by oid`},
		{"pg_aggregate", `select aggfnoid::oid, aggkind, aggnumdirectargs, aggtransfn::oid, aggfinalfn::oid,
			aggcombinefn::oid, aggserialfn::oid, aggdeserialfn::oid, aggmtransfn::oid, aggminvtransfn::oid,
			aggmfinalfn::oid, aggfinalextra, aggmfinalextra, aggfinalmodify, aggmfinalmodify, aggsortop, aggtranstype,
			aggtransspace, aggmtranstype, aggmtransspace, agginitval, aggminitval from pg_aggregate order by 1`},
		{"pg_opclass", `select oid, opcmethod, opcname, opcfamily, opcintype, opcdefault, opckeytype
			from pg_opclass order by oid`},
		{"pg_opfamily", `select oid, opfmethod, opfname from pg_opfamily order by oid`},
		{"pg_amop", `select oid, amopfamily, amoplefttype, amoprighttype, amopstrategy, amoppurpose, amopopr, amopmethod,
			amopsortfamily from pg_amop order by oid`},
		{"pg_amproc", `select oid, amprocfamily, amproclefttype, amprocrighttype, amprocnum, amproc::oid
			from pg_amproc order by oid`},
		{"pg_collation", `select oid, collname, collprovider, collisdeterministic, collencoding, collcollate, collctype
			from pg_collation where oid < 13000 and collprovider <> 'i' order by oid`},
		{"pg_language", `select oid, lanname, lanispl, lanpltrusted, lanplcallfoid, laninline, lanvalidator
			from pg_language order by oid`},
		{"pg_am", `select oid, amname, amhandler::oid, amtype from pg_am where oid < 13000 order by oid`},
		{"pg_range", `select rngtypid, rngsubtype, rngmultitypid, rngcollation, rngsubopc, rngcanonical::oid,
			rngsubdiff::oid from pg_range order by 1`},
		{"pg_conversion", `select oid, conname, conforencoding, contoencoding, conproc::oid, condefault
			from pg_conversion order by oid`},
		{"pg_class", `select oid, relname, relnamespace, reltype, relkind, relnatts, relisshared
			from pg_class where relnamespace = 11 and relkind in ('r', 'v', 'i') and oid < 16384 order by oid`},
		{"pg_attribute", `select attrelid, attnum, attname, atttypid, atttypmod, attnotnull, attcollation
			from pg_attribute join pg_class c on c.oid = attrelid
			where relnamespace = 11 and relkind in ('r', 'v') and attnum > 0 and attrelid < 16384 order by 1, 2`},
		{"pg_index", `select indexrelid, indrelid, indnatts, indisunique, indisprimary, indkey, indcollation, indclass,
			indoption from pg_index where indrelid < 16384 and indrelid in
			(select oid from pg_class where relnamespace = 11) order by 1`},
		{"pg_views", `select schemaname || '.' || viewname as name, c.oid, definition from pg_views
			join pg_namespace n on nspname = schemaname join pg_class c on relname = viewname and relnamespace = n.oid
			where schemaname in ('pg_catalog', 'information_schema') order by c.oid`},
		{"pg_authid", `select oid, rolname from pg_authid where oid < 16384 and oid <> 10 order by oid`},
		{"pg_settings", `select name, setting, unit, category, short_desc, extra_desc, context, vartype, min_val,
			max_val, enumvals, boot_val from pg_settings order by name collate "C"`},
		{"pg_keywords", `select word, catcode, barelabel, catdesc, baredesc from pg_get_keywords() order by word collate "C"`},
		{"pg_description", `select objoid, classoid, objsubid, description from pg_description where objoid < 16384
			and classoid in ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass, 'pg_am'::regclass,
			'pg_language'::regclass, 'pg_namespace'::regclass, 'pg_cast'::regclass, 'pg_collation'::regclass)
			order by 1, 2, 3`},
	}
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: pgfacts DIR [psql arguments]")
		os.Exit(2)
	}
	for _, t := range tables() {
		if err := dump(os.Args[1], t, os.Args[2:]); err != nil {
			fmt.Fprintf(os.Stderr, "pgfacts: %s: %v\n", t.name, err)
			os.Exit(1)
		}
	}
}

// dump writes one table: the header from an empty COPY with HEADER, then the rows.
func dump(dir string, t table, psql []string) error {
	q := strings.Join(strings.Fields(t.query), " ")
	cmd := exec.Command("psql", append(psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c",
		"set client_encoding = UTF8", "-c", "copy ("+q+") to stdout with (format text, header true)")...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, t.name+".tsv"), out, 0o644)
}
