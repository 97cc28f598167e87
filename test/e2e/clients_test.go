//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/test/workload"
)

// client runs a program that nobody here wrote and returns what it printed.
func client(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed: `make test` installs it on Debian", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func pgEnv(s *workload.Server) []string {
	return []string{"PGHOST=127.0.0.1", "PGPORT=" + s.Port(), "PGUSER=postgres", "PGDATABASE=postgres"}
}

// TestPsql runs psql's own commands, whose queries nobody here wrote.
func TestPsql(t *testing.T) {
	s := server(t)
	run := func(args ...string) string {
		return client(t, pgEnv(s), "psql", append([]string{"-X", "-v", "ON_ERROR_STOP=1"}, args...)...)
	}
	run("-c", `CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL DEFAULT 'x', amount numeric(10,2) CHECK (amount > 0));
		CREATE INDEX t_name ON t (name); CREATE VIEW v AS SELECT id, name FROM t; CREATE SCHEMA other; CREATE SEQUENCE seq;
		CREATE TABLE child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t_id int REFERENCES t (id) ON DELETE CASCADE)`)
	for _, tc := range []struct {
		command string
		want    []string
	}{
		{`\d t`, []string{`Table "public.t"`, "numeric(10,2)", "'x'::text", `"t_pkey" PRIMARY KEY, btree (id)`, `"t_name" btree (name)`,
			"CHECK (amount > 0::numeric)", `TABLE "child" CONSTRAINT "child_t_id_fkey" FOREIGN KEY (t_id) REFERENCES t(id) ON DELETE CASCADE`}},
		{`\d child`, []string{"generated always as identity", "Foreign-key constraints"}},
		{`\d+ t`, []string{"Storage"}},
		{`\d`, []string{"child_id_seq", "sequence", "view"}},
		{`\dt`, []string{"child", "table", "postgres"}},
		{`\di`, []string{"t_name", "t_pkey"}},
		{`\dv`, []string{"v"}},
		{`\d v`, []string{`View "public.v"`}},
		{`\ds`, []string{"seq"}},
		{`\dn`, []string{"public", "other"}},
		{`\du`, []string{"admin", "postgres"}},
		{`\l`, []string{"postgres", "UTF8"}},
		{`\df now`, []string{"timestamp with time zone"}},
		{`\dT int*`, []string{"integer"}},
		{`\dp t`, []string{"Access privileges"}},
		{`\dx`, []string{"List of installed extensions"}},
		{`\conninfo`, []string{"connected to database"}},
		{`\d pg_class`, []string{"relname"}},
	} {
		out := run("-c", tc.command)
		for _, w := range tc.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s lacks %q:\n%s", tc.command, w, out)
			}
		}
	}
}

// TestPsqlCopy sends data in and out through psql's \copy.
func TestPsqlCopy(t *testing.T) {
	s := server(t)
	dir := t.TempDir()
	script := `CREATE TABLE c (id int PRIMARY KEY, s text, n numeric);
INSERT INTO c VALUES (1, E'tab\there', 1.50), (2, NULL, NULL), (3, 'quote " and , comma', 'NaN');
\copy c TO '` + dir + `/text'
\copy c TO '` + dir + `/csv' csv header
\copy c TO '` + dir + `/bin' binary
CREATE TABLE d (LIKE c);
\copy d FROM '` + dir + `/text'
\copy d FROM '` + dir + `/csv' csv header
\copy d FROM '` + dir + `/bin' binary
SELECT count(*) AS rows, count(DISTINCT (id, s, n)) AS different, count(s) AS texts FROM d;
`
	out := client(t, pgEnv(s), "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-A", "-t", "-c", "SELECT 1")
	cmd := exec.Command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1")
	cmd.Env = append(cmd.Environ(), pgEnv(s)...)
	cmd.Stdin = strings.NewReader(script)
	b, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(b), "9|3|6") {
		t.Errorf("copying there and back: %v\n%s%s", err, out, b)
	}
}

// TestPgbench runs its three scripts in its three query modes.
func TestPgbench(t *testing.T) {
	s := server(t)
	client(t, pgEnv(s), "pgbench", "-i", "-q", "-s", "1")
	for _, script := range []string{"select-only", "simple-update", "tpcb-like"} {
		for _, mode := range []string{"simple", "extended", "prepared"} {
			out := client(t, pgEnv(s), "pgbench", "-n", "-b", script, "-M", mode, "-c", "4", "-j", "2", "-t", "50", "--max-tries=1000")
			if !strings.Contains(out, "number of transactions actually processed: 200/200") {
				t.Errorf("pgbench %s %s:\n%s", script, mode, out)
			}
		}
	}
	sums := client(t, pgEnv(s), "psql", "-X", "-A", "-t", "-c",
		`SELECT (SELECT sum(abalance) FROM pgbench_accounts) - (SELECT sum(delta) FROM pgbench_history),
		        (SELECT sum(bbalance) FROM pgbench_branches) - (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT count(*) FROM pgbench_history)`)
	if strings.TrimSpace(sums) != "0|0|1200" {
		t.Errorf("pgbench's books do not balance: %s", sums)
	}
}

// TestSysbench runs the oltp scripts of sysbench's PostgreSQL driver.
func TestSysbench(t *testing.T) {
	s := server(t)
	args := func(test, command string) []string {
		return []string{"--db-driver=pgsql", "--pgsql-host=127.0.0.1", "--pgsql-port=" + s.Port(), "--pgsql-user=postgres",
			"--pgsql-db=postgres", "--tables=2", "--table-size=1000", "--threads=4", "--events=100", "--time=60", test, command}
	}
	client(t, nil, "sysbench", args("oltp_read_write", "prepare")...)
	for _, test := range []string{"oltp_point_select", "oltp_read_only", "oltp_read_write", "oltp_insert", "oltp_update_index",
		"oltp_update_non_index", "oltp_delete", "oltp_write_only"} {
		out := client(t, nil, "sysbench", args(test, "run")...)
		if !strings.Contains(out, "total number of events:              100") {
			t.Errorf("sysbench %s:\n%s", test, out)
		}
	}
	client(t, nil, "sysbench", args("oltp_read_write", "cleanup")...)
}

// TestPsycopg2 runs a small application on psycopg2.
func TestPsycopg2(t *testing.T) {
	if exec.Command("/usr/bin/python3", "-c", "import psycopg2").Run() != nil {
		t.Skip("python3-psycopg2 is not installed: `make test` installs it on Debian")
	}
	s := server(t)
	out := client(t, pgEnv(s), "/usr/bin/python3", "-c", `
import psycopg2, decimal, datetime, psycopg2.extras
c = psycopg2.connect("")
cur = c.cursor()
cur.execute("create table p (id serial primary key, n numeric, t timestamptz, j jsonb, a int[])")
cur.execute("insert into p (n, t, j) values (%s, %s, %s) returning id", (decimal.Decimal("1.50"), datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), psycopg2.extras.Json({"b": 1, "a": [True, None]})))
assert cur.fetchone() == (1,)
c.commit()
cur.execute("select n, t, j from p")
n, ts, j = cur.fetchone()
assert n == decimal.Decimal("1.50") and ts.year == 2026 and j == {"a": [True, None], "b": 1}, (n, ts, j)
try:
    cur.execute("insert into p (id) values (1)")
    raise SystemExit("a duplicate key was accepted")
except psycopg2.errors.UniqueViolation as e:
    assert e.diag.constraint_name == "p_pkey"
c.rollback()
with c.cursor("named") as named:
    named.execute("select g from generate_series(1, 5000) g")
    assert sum(r[0] for r in named) == 12502500
c.commit()
print("fine")
`)
	if !strings.Contains(out, "fine") {
		t.Error(out)
	}
}
