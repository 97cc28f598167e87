package cli

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meridiandb/meridian/internal/auth/certs"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// trustFlags say how processes prove to the cluster's nodes that they belong to it.
type trustFlags struct {
	Certs         string `group:"Cluster:" help:"Folder with the certificate that this process shows to other nodes, made by \"meridian certs\"." placeholder:"DIR" env:"MERIDIAN_CERTS"`
	InsecureNodes bool   `group:"Cluster:" help:"Let nodes talk to each other in plaintext and without certificates. Only for tests and private networks."`
	JoinToken     string `group:"Cluster:" help:"Secret that all nodes of the cluster share (default: that in the certificates' folder, if any)." placeholder:"TOKEN" env:"MERIDIAN_JOIN_TOKEN"`
}

// trust returns the TLS configuration, nil for plaintext, and the join token's text, which may be empty.
func (f *trustFlags) trust(h host.Host) (*tls.Config, string, error) {
	token := f.JoinToken
	if f.Certs == "" {
		if !f.InsecureNodes {
			return nil, "", failure.New(failure.InvalidParameterValue, "nodes need certificates to talk to each other").
				WithHint("Make them with \"meridian certs cluster\" and name a node's folder with --certs, or use --insecure-nodes on a private network.")
		}
		return nil, token, nil
	}
	keys, err := certs.Load(h.FS(), f.Certs, h.Now)
	if err != nil {
		return nil, "", err
	}
	if token == "" {
		text, err := os.ReadFile(filepath.Join(f.Certs, certs.TokenFile))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, "", err
		}
		token = string(text)
	}
	if token != "" {
		parsed, err := certs.ParseToken(token)
		if err != nil {
			return nil, "", err
		}
		token = parsed.Reveal()
	}
	return keys.Config(), token, nil
}
