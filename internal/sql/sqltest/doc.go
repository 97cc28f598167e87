// Package sqltest tests the SQL packages together, from text to rows, on the in-memory database of txntest and without a
// session: stories in testdata/*.txt, whose expected output was recorded from PostgreSQL wherever it has the
// statement.
package sqltest
