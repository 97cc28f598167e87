module github.com/meridiandb/meridian/tools/oracle

go 1.26

require (
	github.com/meridiandb/meridian v0.0.0
	github.com/pganalyze/pg_query_go/v6 v6.2.5
)

require google.golang.org/protobuf v1.36.11 // indirect

replace github.com/meridiandb/meridian => ../..
