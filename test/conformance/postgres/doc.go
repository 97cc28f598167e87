// Package postgres compares Meridian with PostgreSQL statement by statement. scripts/*.sql hold what users type, grouped
// by topic; beside each of them stands what PostgreSQL answers (*.out), so that the comparison needs no PostgreSQL.
//
// The test is behind the build tag e2e and runs the binary that MERIDIAN_BINARY names, a fresh server for each script:
//
//	MERIDIAN_BINARY=$PWD/meridian go test -tags e2e ./test/conformance/postgres
//
// With -rewrite it runs the scripts on the PostgreSQL server that -oracle names, each in a fresh database, and records
// the answers. What may differ is listed, with its reason, in differences.txt; an entry there that does not differ any
// more fails the test.
//
// A message of a script ends with a line that ends with a semicolon, or is all that stands between the lines "--{" and
// "--}". After COPY ... FROM STDIN come its data up to a line "\.". A line "--bind a | b" before a message sends it with
// the extended protocol and these parameters ("NULL" is null). "--session NAME" goes on in another connection, as the
// role after the name, if one follows it. Rows are compared in order only where the message says ORDER BY, and rows of
// EXPLAIN not at all.
package postgres
