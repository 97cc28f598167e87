package setting

// strictDef is the parameter that says whose rules a session follows: PostgreSQL's, or Aurora DSQL's with all that DSQL
// refuses.
func strictDef(srv Server) Def {
	boot := srv.Compat
	if boot == "" {
		boot = CompatPostgres
	}
	return enum(CompatName, boot, "Version and Platform Compatibility / Other Platforms and Clients", CompatPostgres, CompatDSQL)
}

// The parameter meridian.compat and its values.
const (
	CompatName     = "meridian.compat"
	CompatPostgres = "postgres"
	CompatDSQL     = "dsql"
)
