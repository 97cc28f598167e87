package session

import (
	"fmt"
	"testing"
)

func TestNormalize(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"SELECT abalance FROM pgbench_accounts WHERE aid = 17;", "SELECT abalance FROM pgbench_accounts WHERE aid = $1; [17]"},
		{"UPDATE a SET b = b + -123 WHERE c = 3000000000", "UPDATE a SET b = b + -$1 WHERE c = $2 [123 3000000000]"},
		{"INSERT INTO h (a, b) VALUES (1, 2, CURRENT_TIMESTAMP)", "INSERT INTO h (a, b) VALUES ($1, $2, CURRENT_TIMESTAMP) [1 2]"},
		{"INSERT INTO h VALUES (1, 'it''s 5 = 5')", "INSERT INTO h VALUES ($1, $2) [1 it's 5 = 5]"},
		// Places where a parameter would mean something else, or nothing.
		{"SELECT a FROM t ORDER BY 1", ""},
		{"SELECT a FROM t WHERE b = 1 LIMIT 10", "SELECT a FROM t WHERE b = $1 LIMIT 10 [1]"},
		{"SELECT a::numeric(10,2) FROM t WHERE b = 1", ""},
		{"SELECT f(1, 2) FROM t", ""},
		{"SELECT a FROM t WHERE b = 1.5", ""},
		{"SELECT a FROM t WHERE b = 1e5", ""},
		{"SELECT a FROM t WHERE b = $1 AND c = 2", ""},
		{"SELECT a FROM t -- x = 1", ""},
		{"SELECT a FROM t /* = 1 */", ""},
		{"SELECT E'\\'' = 1", ""},
		{"SELECT a FROM t WHERE b = 1; DROP TABLE t", ""},
		{"SELECT \"a = 1\" FROM t", ""},
		{"UPDATE t SET a = 'x' WHERE b IN ('y', 'z') AND c <= '' AND d='u'", "UPDATE t SET a = $1 WHERE b IN ('y', 'z') AND c <= '' AND d=$2 [x u]"},
		{"SELECT a FROM t WHERE b = 'c\\d' AND e = 1", "SELECT a FROM t WHERE b = 'c\\d' AND e = $1 [1]"},
		{"SELECT a FROM t WHERE b = 'c'\n'd'", ""},
		{"SELECT date '2020-01-01' = 1", "SELECT date '2020-01-01' = $1 [1]"},
		{"SELECT date'2020-01-01' = 1", ""},
		{"CREATE TABLE t (a int DEFAULT = 1)", ""},
		{"SELECT a FROM t WHERE b = 'unterminated", ""},
		{"INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2 RETURNING (3)", "INSERT INTO t VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = $2 RETURNING (3) [1 2]"},
	} {
		var n normalized
		got := ""
		if n.normalize(tc.in) {
			got = string(n.text) + " ["
			for i, p := range n.params {
				if i > 0 {
					got += " "
				}
				if n.types[i] == 0 {
					got += p.Text()
				} else {
					got += fmt.Sprint(p.Int())
				}
			}
			got += "]"
		}
		if got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.in, got, tc.want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("SELECT a FROM t WHERE b = 1")
	f.Add("INSERT INTO t VALUES (1, 'x''y', -2);")
	f.Fuzz(func(t *testing.T, sql string) {
		var n normalized
		if n.normalize(sql) && len(n.params) == 0 {
			t.Errorf("%q: accepted without constants", sql)
		}
	})
}
