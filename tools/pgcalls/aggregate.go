package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
)

// rowEnd parts the rows of an aggregate's input in the file.
const rowEnd = ";;"

// aggregates writes a file with the results of aggregates over a few sets of rows.
func aggregates(file string, psql []string) error {
	facts := builtin.Load()
	var script bytes.Buffer
	script.WriteString(setup)
	var lines []string
	for _, fn := range facts.Funcs() {
		if fn.Kind != 'a' || fn.Agg.Kind == 'h' {
			continue
		}
		sets := rowSets(facts, fn)
		if len(sets) == 0 {
			continue
		}
		lines = append(lines, header(facts, fn))
		for _, rows := range sets {
			fmt.Fprintf(&script, "select replace(replace(replace(pg_temp.try(%s), E'\\\\', E'\\\\\\\\'), E'\\n', E'\\\\n'), E'\\t', E'\\\\t');\n",
				quote(aggregateQuery(facts, fn, rows)))
			var fields []string
			for _, r := range rows {
				fields = append(fields, strings.Join(append(escapeAll(r), rowEnd), "\t"))
			}
			lines = append(lines, strings.Join(append(fields, ""), "\t"))
			if len(rows) == 0 {
				lines[len(lines)-1] = "\t"
			}
		}
	}
	cmd := exec.Command("psql", append(psql, "-X", "-q", "-f", "-")...)
	cmd.Stdin, cmd.Stderr = &script, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	return write(file, lines, out)
}

// direct gives the direct arguments of an ordered-set aggregate.
func direct(fn *builtin.Func) []string {
	if fn.Agg.NumDirect == 0 {
		return nil
	}
	if fn.Args[0] == datum.OIDFloat8Array {
		return []string{"'{0.25,0.5,1}'::float8[]"}
	}
	return []string{"0.4::float8"}
}

func aggregateQuery(facts *builtin.Facts, fn *builtin.Func, rows [][]string) string {
	var b strings.Builder
	args := fn.Args
	if fn.Agg.Kind == 'o' {
		args = args[fn.Agg.NumDirect:]
	}
	var cols, casts []string
	for i, a := range args {
		cols = append(cols, fmt.Sprintf("c%d", i))
		casts = append(casts, fmt.Sprintf("c%d::%s", i, facts.TypeName(concrete(a))))
	}
	call := strings.Join(casts, ", ")
	if len(args) == 0 {
		call = "*"
	}
	if fn.Agg.Kind == 'o' {
		call = fmt.Sprintf(`pg_catalog."%s"(%s) within group (order by %s)`, fn.Name, strings.Join(direct(fn), ", "), call)
	} else {
		call = fmt.Sprintf(`pg_catalog."%s"(%s)`, fn.Name, call)
	}
	fmt.Fprintf(&b, "select (%s)::text from (values ", call)
	n := len(cols)
	if n == 0 {
		cols, n = []string{"c0"}, 1
	}
	for i, r := range append(rows, nil) {
		if i > 0 {
			b.WriteString(", ")
		}
		vals := make([]string, n+1)
		vals[0] = fmt.Sprint(i)
		for k := range n {
			vals[k+1] = "null"
			if k < len(r) && r[k] != null {
				vals[k+1] = "E" + strings.ReplaceAll(quote(r[k]), `\`, `\\`)
			}
		}
		b.WriteString("(" + strings.Join(vals, ", ") + ")")
	}
	fmt.Fprintf(&b, ") v(n, %s) where n < %d", strings.Join(cols, ", "), len(rows))
	return b.String()
}

// rowSets makes the inputs: no rows, one, all samples, finite ones, and a mixture with NULLs.
func rowSets(facts *builtin.Facts, fn *builtin.Func) [][][]string {
	all := samples()
	all["_int4"] = []string{"{1,2}", "{3,4}", "{5,NULL}"}
	args := fn.Args
	if fn.Agg.Kind == 'o' {
		args = args[fn.Agg.NumDirect:]
	}
	var choices [][]string
	for _, a := range args {
		c := all[facts.TypeByOID(concrete(a)).Name]
		if len(c) == 0 {
			return nil
		}
		choices = append(choices, c)
	}
	row := func(i int) []string {
		r := []string{}
		for k, c := range choices {
			r = append(r, c[(i*(k+1)+k)%len(c)])
		}
		return r
	}
	var one, full, finite, mixed [][]string
	one = append(one, row(0))
	for i := range 10 {
		r := row(i)
		full = append(full, r)
		if !strings.Contains(strings.ToLower(strings.Join(r, " ")), "n") && !strings.Contains(strings.Join(r, " "), "e") {
			finite = append(finite, r)
		}
		nulls := append([]string(nil), r...)
		if len(nulls) > 0 && i%3 == 1 {
			nulls[0] = null
		}
		mixed = append(mixed, nulls)
	}
	return [][][]string{{}, one, full, finite, mixed}
}
