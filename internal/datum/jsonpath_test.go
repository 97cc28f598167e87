package datum

import "testing"

func TestJSONPathForms(t *testing.T) {
	for in, want := range map[string]string{
		`$.a[*] ? (@.b > 1 && !(@ == 2) || @.c like_regex "^a" flag "si")`: `$."a"[*]?(@."b" > 1 && !(@ == 2) || @."c" like_regex "^a" flag "is")`,
		`strict $.a.b[0 to last].type().**{2 to 3}`:                        `strict $."a"."b"[0 to last].type().**{2 to 3}`,
		`(1+2*$.x) * 3`:                    `((1 + 2 * $."x") * 3)`,
		`-$.a`:                             `(-$."a")`,
		`$.* ? ((@ > 1) is unknown)`:       `$.*?((@ > 1) is unknown)`,
		`$ ? (@ starts with "a")`:          `$?(@ starts with "a")`,
		`exists($.a)`:                      `exists ($."a")`,
		`$.a.datetime("HH24")`:             `$."a".datetime("HH24")`,
		`$var.x`:                           `$"var"."x"`,
		`$.a + 1 == 2`:                     `($."a" + 1 == 2)`,
		`(1).type()`:                       `(1).type()`,
		`$.a[last, 1 to 2]`:                `$."a"[last,1 to 2]`,
		`($.a + 1).abs()`:                  `($."a" + 1).abs()`,
		`-(1+2).x`:                         `(-(1 + 2)."x")`,
		`$.a <> 3`:                         `($."a" != 3)`,
		`lax $."a b".**.c`:                 `$."a b".**."c"`,
		`$ ? (@.a > 1 && @.b < 2).x[0][*]`: `$?(@."a" > 1 && @."b" < 2)."x"[0][*]`,
	} {
		d, err := ParseText(T(OIDJSONPath), in, nil)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if d.Text() != want {
			t.Errorf("%s: got %s, want %s", in, d.Text(), want)
		}
		if again, err := ParseText(T(OIDJSONPath), d.Text(), nil); err != nil || again.Text() != want {
			t.Errorf("%s comes back as %s: %v", want, again.Text(), err)
		}
	}
	for _, in := range []string{`$.`, `$.a[`, `foo`, ``, `$ ? (@ > )`, `$.a.nosuch()`, `last`, `@`, `$ ? (1)`, `1.e`, `"abc`, `$ && $`} {
		if _, err := ParseText(T(OIDJSONPath), in, nil); err == nil {
			t.Errorf("%s is accepted", in)
		}
	}
}

func FuzzJSONPath(f *testing.F) {
	f.Add(`$.a[*] ? (@.b > 1).type()`)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseJSONPath(s)
		if err != nil {
			return
		}
		text := string(p.Append(nil))
		again, err := ParseJSONPath(text)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", s, text, err)
		}
		if got := string(again.Append(nil)); got != text {
			t.Fatalf("%q, then %q", text, got)
		}
	})
}
