package builtin

import "testing"

func TestRegexp(t *testing.T) {
	for _, c := range []struct{ s, p, want string }{
		{"abcd", "(a|ab)(c|bcd)(d*)", "[abcd ab c d]"},
		{"XY1234Z", "Y*([0-9]{1,3})", "[Y123 123]"},
		{"XY1234Z", "Y*?([0-9]{1,3})", "[Y1 1]"},
		{"abc01234xyz", "(.*)(\\d+)(.*)", "[abc01234xyz abc0123 4 xyz]"},
		{"abc01234xyz", "(.*?)(\\d+)(.*)", "[abc0 abc 0 ]"},
		{"abc01234xyz", "(?:(.*?)(\\d+)(.*)){1,1}", "[abc01234xyz abc 01234 xyz]"},
		{"foobar", "foo(?=bar)", "[foo]"},
		{"abab", "(ab)\\1", "[abab ab]"},
		{"a word here", "\\mw\\w*\\M", "[word]"},
		{"aaa", "(a*)(a*)", "[aaa aaa ]"},
	} {
		re, err := compileRegexp(c.p, reFlags{})
		if err != nil {
			t.Fatal(c.p, err)
		}
		loc, err := re.find(c.s, 0)
		got := "["
		for i := 0; i < len(loc); i += 2 {
			if i > 0 {
				got += " "
			}
			if loc[i] >= 0 {
				got += c.s[loc[i]:loc[i+1]]
			}
		}
		if got += "]"; got != c.want {
			t.Errorf("%s ~ %s: %s, want %s (%v)", c.s, c.p, got, c.want, err)
		}
	}
}
