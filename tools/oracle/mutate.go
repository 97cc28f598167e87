package main

import (
	"math/rand/v2"
	"regexp"
	"strings"
)

// tokens cuts a statement into tokens, roughly: what matters is that variants are made of whole ones.
var tokens = regexp.MustCompile(`(?i)[eubxn]?&?'(?:[^'\\]|''|\\.)*'|u?&?"(?:[^"]|"")*"|\$\$.*?\$\$|\$\w+|[a-z_]\w*|[0-9.]+(?:e[0-9+-]+)?|::|[<>=!]+|[^\sa-z0-9]`)

// mutate makes n variants of every statement: a token dropped, doubled, replaced by one of another statement, two
// swapped, one added, or the end cut off.
func mutate(stmts []string, n int, seed uint64) []string {
	rng := rand.New(rand.NewPCG(seed, seed))
	var all []string
	var cut [][]string
	for _, s := range stmts {
		t := tokens.FindAllString(s, -1)
		cut = append(cut, t)
		all = append(all, t...)
	}
	var out []string
	for _, t := range cut {
		for range n {
			v := append([]string(nil), t...)
			i := rng.IntN(len(v))
			other := all[rng.IntN(len(all))]
			switch rng.IntN(6) {
			case 0:
				v = append(v[:i], v[i+1:]...)
			case 1:
				v = append(v[:i+1], append([]string{v[i]}, v[i+1:]...)...)
			case 2:
				v[i] = other
			case 3:
				j := rng.IntN(len(v))
				v[i], v[j] = v[j], v[i]
			case 4:
				v = append(v[:i+1], append([]string{other}, v[i+1:]...)...)
			case 5:
				v = v[:i]
			}
			out = append(out, strings.Join(v, " "))
		}
	}
	return out
}
