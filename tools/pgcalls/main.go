// Command pgcalls asks a running PostgreSQL what thousands of function calls answer and writes the answers to a file
// that the tests of internal/sql/builtin compare with.
//
// Usage: pgcalls DIR [psql arguments]. It writes calls.txt, resolve.txt and aggregates.txt in DIR. The database must allow creating a temporary function.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
)

// callsPerFunction bounds the calls made of one function.
const callsPerFunction = 14

const setup = `
set client_encoding = 'UTF8'; set timezone = 'America/Los_Angeles'; set datestyle = 'ISO, MDY';
set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 1; set jit = off;
create function pg_temp.try(q text) returns text language plpgsql as $f$
declare r text;
begin execute q into r; return '=> ' || coalesce(r, '\N');
exception when others then return '=> !' || sqlstate || ' ' || sqlerrm; end $f$;
\pset format unaligned
\pset tuples_only on
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: pgcalls DIR [psql arguments]")
		os.Exit(2)
	}
	err := run(os.Args[1]+"/calls.txt", os.Args[2:])
	if err == nil {
		err = resolve(os.Args[1]+"/resolve.txt", os.Args[2:])
	}
	if err == nil {
		err = aggregates(os.Args[1]+"/aggregates.txt", os.Args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgcalls:", err)
		os.Exit(1)
	}
}

func run(file string, psql []string) error {
	facts := builtin.Load()
	var script bytes.Buffer
	script.WriteString(setup)
	var lines []string // as in the file; those that end in a tab get their answers
	for _, fn := range facts.Funcs() {
		combos := calls(facts, fn)
		if len(combos) == 0 {
			continue
		}
		lines = append(lines, header(facts, fn))
		for _, args := range combos {
			fmt.Fprintf(&script, "select replace(replace(replace(pg_temp.try(%s), E'\\\\', E'\\\\\\\\'), E'\\n', E'\\\\n'), E'\\t', E'\\\\t');\n",
				quote(query(facts, fn, args)))
			lines = append(lines, strings.Join(escapeAll(args), "\t")+"\t")
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

func write(file string, lines []string, answers []byte) error {
	var out bytes.Buffer
	in := bufio.NewScanner(bytes.NewReader(answers))
	in.Buffer(make([]byte, 1<<20), 1<<26)
	for _, l := range lines {
		out.WriteString(l)
		if strings.HasSuffix(l, "\t") {
			if !in.Scan() {
				return fmt.Errorf("too few answers, at %q", l)
			}
			out.WriteString(strings.Replace(in.Text(), `=> \\N`, `=> \N`, 1))
		}
		out.WriteByte('\n')
	}
	if in.Scan() {
		return fmt.Errorf("too many answers: %q", in.Text())
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}

func header(facts *builtin.Facts, fn *builtin.Func) string {
	return fmt.Sprintf("@%d %s", fn.OID, facts.Signature(fn))
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func escapeAll(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`).Replace(a)
		if a == null {
			out[i] = `\N`
		}
	}
	return out
}

// null stands for NULL among arguments.
const null = "\x00"

func query(facts *builtin.Facts, fn *builtin.Func, args []string) string {
	var b strings.Builder
	call := func() {
		fmt.Fprintf(&b, `pg_catalog."%s"(`, fn.Name)
		for i, a := range args {
			if i > 0 {
				b.WriteString(", ")
			}
			if fn.Variadic != 0 && i == len(args)-1 {
				b.WriteString("variadic ")
			}
			if a == null {
				b.WriteString("null")
			} else {
				b.WriteString("E" + strings.ReplaceAll(quote(a), `\`, `\\`))
			}
			b.WriteString("::" + facts.TypeName(concrete(fn.Args[i])))
		}
		b.WriteString(")")
	}
	if fn.RetSet {
		b.WriteString("select string_agg(coalesce(x::text, '\\N'), '|') from (select ")
		call()
		b.WriteString(" as x) s")
		return b.String()
	}
	b.WriteString("select (")
	call()
	b.WriteString(")::text")
	return b.String()
}

// concrete replaces the polymorphic types.
func concrete(t datum.OID) datum.OID {
	switch t {
	case datum.OIDAnyElement, datum.OIDAnyNonArray, datum.OIDAny, 5077, 5079:
		return datum.OIDInt4
	case datum.OIDAnyArray, 5078:
		return datum.OIDInt4Array
	case datum.OIDAnyRange:
		return datum.OIDInt4Range
	}
	return t
}

// calls returns the argument lists to try a function with, none for functions that are no pure computation.
func calls(facts *builtin.Facts, fn *builtin.Func) [][]string {
	if fn.Kind != 'f' || fn.Schema != builtin.SchemaCatalog || fn.Volatility == 'v' || excluded(fn) {
		return nil
	}
	samples := samples()
	var choices [][]string
	for i, a := range fn.Args {
		c := special(fn, i)
		if c == nil {
			c = samples[facts.TypeByOID(concrete(a)).Name]
		}
		if len(c) == 0 {
			return nil
		}
		choices = append(choices, c)
	}
	total := 1
	for _, c := range choices {
		if total *= len(c); total > 1<<20 {
			break
		}
	}
	limit := callsPerFunction
	if len(fn.Args) > 1 && fn.Args[1] == datum.OIDJSONPath { // a language of its own
		limit *= 10
	}
	n := min(total, limit)
	var out [][]string
	seen := map[string]bool{}
	for k, salt := 0, 0; k < n && salt < 20*n; salt++ {
		args := make([]string, len(choices))
		x := salt
		if total > n { // spread over the combinations
			x = salt * 2654435761 % 1000003
		}
		for i, c := range choices {
			args[i] = c[x%len(c)]
			x = x/len(c) + salt
		}
		key := strings.Join(args, "\x01")
		if !seen[key] {
			seen[key] = true
			out = append(out, args)
			k++
		}
	}
	if !fn.Strict && len(choices) > 0 {
		for i := range choices {
			args := make([]string, len(choices))
			for j := range args {
				args[j] = choices[j][0]
			}
			args[i] = null
			out = append(out, args)
		}
	}
	return out
}
