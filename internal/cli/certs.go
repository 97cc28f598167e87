package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/meridiandb/meridian/internal/auth/certs"
	"github.com/meridiandb/meridian/internal/failure"
)

// certsCommands makes what nodes need to trust each other.
type certsCommands struct {
	Cluster     certsClusterCommand `cmd:"" help:"Make everything for a cluster at once: an authority, a folder for each node, a join token."`
	CreateCA    certsCACommand      `cmd:"" name:"create-ca" help:"Make a cluster's authority: ca.crt, which every node gets, and ca.key, which only you keep."`
	CreateNode  certsNodeCommand    `cmd:"" name:"create-node" help:"Make a node's folder with its certificate and key, signed by the authority."`
	CreateToken certsTokenCommand   `cmd:"" name:"create-token" help:"Make a join token: a secret that all nodes of a cluster share."`
	Show        certsShowCommand    `cmd:"" help:"Print what certificates say: cluster, node, hosts, how long they are good."`
}

// Help is shown by meridian certs --help.
func (certsCommands) Help() string {
	return `Nodes talk to each other with mutual TLS: each shows a certificate that the cluster's authority signed, and believes
only those. For a cluster of three nodes:

    meridian certs cluster --dir certs --nodes 3

Copy certs/node1 to the first machine, certs/node2 to the second, and so on, and start each node with its folder. Keep
certs/ca.key somewhere safe and off the machines: who has it can add nodes.

To add a fourth node later, where certs/ca.key is:

    meridian certs create-node node4 --dir certs

To exchange a certificate before it ends, run create-node again with --replace and copy the folder; the cluster goes on.`
}

type certsDir struct {
	Dir string `help:"Folder of the authority and the nodes' folders (default: ${default})." default:"./certs" placeholder:"DIR" env:"MERIDIAN_CERTS_DIR"`
}

type certsClusterCommand struct {
	certsDir
	Cluster string   `help:"The cluster's name (default: ${default})." default:"meridian" placeholder:"NAME"`
	Nodes   int      `help:"How many nodes; they are called node1, node2, … (default: ${default})." default:"3" placeholder:"N"`
	Host    []string `help:"Name or address under which SQL clients reach the nodes; may be given several times. localhost is always there." placeholder:"HOST"`
	Days    int      `help:"How long the nodes' certificates are good (default: ${default})." default:"730" placeholder:"N"`
}

type certsCACommand struct {
	certsDir
	Cluster string `help:"The cluster's name (default: ${default})." default:"meridian" placeholder:"NAME"`
	Days    int    `help:"How long the authority is good (default: ${default})." default:"3650" placeholder:"N"`
}

type certsNodeCommand struct {
	certsDir
	Name    string   `arg:"" help:"The node's name: lower-case letters, digits, dashes, dots."`
	Host    []string `help:"Name or address under which SQL clients reach the node; may be given several times. localhost is always there." placeholder:"HOST"`
	Days    int      `help:"How long the certificate is good (default: ${default})." default:"730" placeholder:"N"`
	Replace bool     `help:"Exchange a certificate that is there already."`
}

type certsTokenCommand struct {
	certsDir
	Print bool `help:"Print the token instead of writing it to DIR/join-token and the nodes' folders."`
}

type certsShowCommand struct {
	Files []string `arg:"" help:"Certificate files, or folders with .crt files."`
}

const aDay = 24 * time.Hour

// caDays is how long the authority of the cluster command is good.
const caDays = 3650

// Run makes a whole test or production cluster's files.
func (c *certsClusterCommand) Run(s *streams) error {
	if c.Nodes < 1 || c.Nodes > 1000 {
		return failure.New(failure.InvalidParameterValue, "--nodes must be between 1 and 1000")
	}
	if err := makeAuthority(c.Dir, c.Cluster, caDays); err != nil {
		return err
	}
	token, err := certs.NewToken()
	if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(c.Dir, certs.TokenFile), []byte(token.Reveal()+"\n"), true, false); err != nil {
		return err
	}
	for i := range c.Nodes {
		if err := makeNode(c.Dir, "node"+strconv.Itoa(i+1), c.Host, c.Days, false); err != nil {
			return err
		}
	}
	last := "node" + strconv.Itoa(c.Nodes)
	fmt.Fprintf(s.out, "Made the authority of cluster %s and %d node folders in %s.\n\n", c.Cluster, c.Nodes, c.Dir)
	fmt.Fprintf(s.out, "  nodes     %s … %s: copy each to its machine\n", filepath.Join(c.Dir, "node1"), filepath.Join(c.Dir, last))
	fmt.Fprintf(s.out, "  secret    %s: keep it off the machines; it signs new nodes\n", filepath.Join(c.Dir, "ca.key"))
	fmt.Fprintf(s.out, "  good for  %d days; meridian certs show %s\n", c.Days, c.Dir)
	return nil
}

// Run makes an authority.
func (c *certsCACommand) Run(s *streams) error {
	if err := makeAuthority(c.Dir, c.Cluster, c.Days); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Made the authority of cluster %s: %s for all nodes, %s for you alone.\n", c.Cluster,
		filepath.Join(c.Dir, certs.AuthorityFile), filepath.Join(c.Dir, "ca.key"))
	fmt.Fprintf(s.out, "Next: meridian certs create-node NAME --dir %s\n", c.Dir)
	return nil
}

// Run makes a node's folder.
func (c *certsNodeCommand) Run(s *streams) error {
	if err := makeNode(c.Dir, c.Name, c.Host, c.Days, c.Replace); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Made %s: copy it to the node's machine.\n", filepath.Join(c.Dir, c.Name))
	return nil
}

// Run makes a token.
func (c *certsTokenCommand) Run(s *streams) error {
	token, err := certs.NewToken()
	if err != nil {
		return err
	}
	if c.Print {
		fmt.Fprintln(s.out, token.Reveal())
		return nil
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	text := []byte(token.Reveal() + "\n")
	folders, err := filepath.Glob(filepath.Join(c.Dir, "*", certs.NodeFile))
	if err != nil {
		return err
	}
	targets := []string{filepath.Join(c.Dir, certs.TokenFile)}
	for _, f := range folders {
		targets = append(targets, filepath.Join(filepath.Dir(f), certs.TokenFile))
	}
	for _, f := range targets {
		if err := writeNew(f, text, true, true); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.out, "Made a join token: %s\n", strings.Join(targets, ", "))
	return nil
}

func makeAuthority(dir, cluster string, days int) error {
	cert, key, err := certs.CreateAuthority(time.Now(), cluster, time.Duration(days)*aDay)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, "ca.key"), key, true, false); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, certs.AuthorityFile), cert, false, false)
}

func makeNode(dir, name string, hosts []string, days int, replace bool) error {
	caCert, err := os.ReadFile(filepath.Join(dir, certs.AuthorityFile))
	if err == nil {
		var caKey []byte
		if caKey, err = os.ReadFile(filepath.Join(dir, "ca.key")); err == nil {
			return issueNode(dir, name, hosts, days, replace, caCert, caKey)
		}
	}
	return failure.New(failure.ConfigFileError, "there is no authority in %s", dir).WithDetail("%s", err.Error()).
		WithHint("Run it where ca.crt and ca.key are, or make them with meridian certs create-ca --dir %s.", dir).WithCause(err)
}

func issueNode(dir, name string, hosts []string, days int, replace bool, caCert, caKey []byte) error {
	a, err := certs.LoadAuthority(caCert, caKey)
	if err != nil {
		return err
	}
	hosts = append([]string{"localhost", "127.0.0.1", "::1", name}, hosts...)
	cert, key, err := a.Issue(time.Now(), name, hosts, time.Duration(days)*aDay)
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := writeNew(filepath.Join(folder, certs.NodeKeyFile), key, true, replace); err != nil {
		return err
	}
	if err := writeNew(filepath.Join(folder, certs.NodeFile), cert, false, replace); err != nil {
		return err
	}
	if err := writeNew(filepath.Join(folder, certs.AuthorityFile), caCert, false, true); err != nil {
		return err
	}
	token, err := os.ReadFile(filepath.Join(dir, certs.TokenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return writeNew(filepath.Join(folder, certs.TokenFile), token, true, true)
}

// writeNew writes a file that must not be there yet, unless it may be replaced. Secrets are for the owner alone.
func writeNew(name string, b []byte, secret, replace bool) error {
	mode := os.FileMode(0o644)
	if secret {
		mode = 0o600
	}
	if !replace {
		if _, err := os.Lstat(name); err == nil {
			return failure.New(failure.DuplicateFile, "%s is there already and stays as it is", name).
				WithHint("Choose another --dir; a node's certificate is exchanged with meridian certs create-node NAME --replace.")
		}
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Run prints certificates.
func (c *certsShowCommand) Run(s *streams) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FILE\tCLUSTER\tNODE\tGOOD UNTIL\tHOSTS")
	for _, name := range c.Files {
		files := []string{name}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			files = nil
			err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() && strings.HasSuffix(path, ".crt") {
					files = append(files, path)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		for _, f := range files {
			if err := showCertificates(w, f, time.Now()); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

func showCertificates(w io.Writer, file string, now time.Time) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	list, err := certs.Parse(b)
	if err != nil {
		return failure.New(failure.ConfigFileError, "%s: %s", file, err)
	}
	for _, cert := range list {
		cluster, node, err := certs.Identity(cert)
		switch {
		case err != nil:
			cluster, node = "-", cert.Subject.CommonName
		case node == "":
			node = "(authority)"
		}
		var hosts []string
		for _, ip := range cert.IPAddresses {
			hosts = append(hosts, ip.String())
		}
		until := cert.NotAfter.Format(time.DateOnly)
		if now.After(cert.NotAfter) {
			until += " (over)"
		} else if left := cert.NotAfter.Sub(now); left < 30*aDay {
			until += fmt.Sprintf(" (%d days left)", left/aDay)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", file, cluster, node, until, strings.Join(append(cert.DNSNames, hosts...), " "))
	}
	return nil
}
