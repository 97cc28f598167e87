// Command meridian is the whole database in one binary: see `meridian --help`.
package main

import (
	"os"

	"github.com/meridiandb/meridian/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
