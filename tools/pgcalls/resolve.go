package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/meridiandb/meridian/internal/sql/builtin"
)

// resolveSetup defines what asks PostgreSQL which type an expression has, without running more than NULLs through it.
const resolveSetup = `
set client_encoding = 'UTF8'; set jit = off;
create function pg_temp.ask(q text) returns text language plpgsql as $f$
declare r text; h text;
begin execute 'select pg_typeof(' || q || ')::text' into r; return '=> ' || r;
exception when others then get stacked diagnostics h = pg_exception_hint;
return '=> !' || sqlstate || ' ' || sqlerrm || ' / ' || h; end $f$;
\pset format unaligned
\pset tuples_only on
`

func resolveTypes() []string {
	return strings.Fields(`unknown int2 int4 int8 float4 float8 numeric text varchar bpchar name date time timestamp
		timestamptz interval bool oid json jsonb _int4 _text uuid bytea regclass`)
}

// The standard hints of failed look-ups.
const (
	opHint   = "No operator matches the given name and argument types. You might need to add explicit type casts."
	prefixOp = "No operator matches the given name and argument type. You might need to add an explicit type cast."
	fnHint   = "No function matches the given name and argument types. You might need to add explicit type casts."
	opUnique = "Could not choose a best candidate operator. You might need to add explicit type casts."
	fnUnique = "Could not choose a best candidate function. You might need to add explicit type casts."
)

// question is one expression to resolve and how its failure is worded.
type question struct {
	expr, missing, ambiguous string
}

// resolve writes a file with the types (or errors) of operators and functions applied to all pairs of types. A line
// has the kind, the name, the left or only-argument marker, and one answer for each type in the order of the first
// line; - stands for the usual "does not exist" and ? for the usual "is not unique".
func resolve(file string, psql []string) error {
	types := resolveTypes()
	facts := builtin.Load()
	sql := func(t string) string { return facts.TypeName(facts.TypeByName(t).OID) }
	var questions []question
	var heads []string
	op := func(name, left string) {
		heads = append(heads, "op\t"+name+"\t"+left)
		for _, r := range types {
			text := sql(r)
			q := question{expr: name + " " + arg(r)}
			hint := prefixOp
			if left != "" {
				q.expr, text, hint = arg(left)+" "+q.expr, sql(left)+" "+name+" "+sql(r), opHint
			} else {
				text = name + " " + text
			}
			q.missing = "!42883 operator does not exist: " + text + " / " + hint
			q.ambiguous = "!42725 operator is not unique: " + text + " / " + opUnique
			questions = append(questions, q)
		}
	}
	fn := func(name, left string) {
		heads = append(heads, "fn\t"+name+"\t"+left)
		for _, r := range types {
			args, list := arg(r), sql(r)
			if left != "" {
				args, list = arg(left)+", "+args, sql(left)+", "+list
			}
			questions = append(questions, question{
				expr:      `"` + name + `"(` + args + ")",
				missing:   "!42883 function " + name + "(" + list + ") does not exist / " + fnHint,
				ambiguous: "!42725 function " + name + "(" + list + ") is not unique / " + fnUnique,
			})
		}
	}
	for _, name := range strings.Fields("+ - * / % = < || ~~ -> ->> & @> ~ ^ <<") {
		for _, l := range types {
			op(name, l)
		}
	}
	for _, name := range strings.Fields("- + ~ |/ @") {
		op(name, "")
	}
	for _, name := range strings.Fields(`length abs round trunc sign floor ceil upper md5 to_json to_hex char_length sum
		avg max min count array_agg json_agg bool_and stddev text int4 date numeric varchar to_timestamp unnest sqrt lower
		quote_literal pg_typeof bit_length octet_length reverse age jsonb_typeof bit_and string_agg nosuch timestamp`) {
		fn(name, "")
	}
	for _, name := range strings.Fields(`round mod power log substr to_char date_trunc array_append array_cat
		array_position string_agg concat left strpos extract date_part age timezone generate_series atan2 div encode
		array_remove format jsonb_extract_path position repeat`) {
		for _, l := range types {
			fn(name, l)
		}
	}
	return askAll(file, psql, types, heads, questions)
}

func arg(t string) string {
	if t == "unknown" {
		return "null"
	}
	return "null::" + t
}

func askAll(file string, psql, types, heads []string, questions []question) error {
	var script bytes.Buffer
	script.WriteString(resolveSetup)
	for _, q := range questions {
		fmt.Fprintf(&script, "select pg_temp.ask(%s);\n", quote(q.expr))
	}
	cmd := exec.Command("psql", append(psql, "-X", "-q", "-f", "-")...)
	cmd.Stdin, cmd.Stderr = &script, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(questions) {
		return fmt.Errorf("%d questions, %d answers", len(questions), len(answers))
	}
	var b bytes.Buffer
	b.WriteString(strings.Join(types, "\t") + "\n")
	for i, h := range heads {
		b.WriteString(h)
		for k := range types {
			n := i*len(types) + k
			a := strings.TrimPrefix(answers[n], "=> ")
			switch a {
			case questions[n].missing:
				a = "-"
			case questions[n].ambiguous:
				a = "?"
			}
			b.WriteString("\t" + a)
		}
		b.WriteByte('\n')
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
