package cli

// compatFlags choose whose rules sessions follow that do not choose for themselves.
type compatFlags struct {
	Compat string `help:"Whose rules new sessions follow: postgres, or dsql to refuse what Aurora DSQL refuses and hold its limits (default: ${default}). Sessions and roles change it with SET meridian.compat." enum:"postgres,dsql" default:"postgres" placeholder:"MODE" env:"MERIDIAN_COMPAT"`
}
