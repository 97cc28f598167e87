// Package e2e tests the real binary under real clients: psql, pgbench, sysbench, psycopg2, pgx, and kill -9. The tests
// are behind the build tag e2e; MERIDIAN_BINARY names the binary, and `make e2e` runs them.
package e2e
