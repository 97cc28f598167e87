package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// Names of the files in a node's certificate folder.
const (
	AuthorityFile = "ca.crt"
	NodeFile      = "node.crt"
	NodeKeyFile   = "node.key"
	TokenFile     = "join-token"
)

// Authority signs the certificates of one cluster's nodes.
type Authority struct {
	cluster string
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
}

// goodName is what clusters and nodes may be called: part of a URI and of file names.
var goodName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

func checkName(what, name string) error {
	if goodName.MatchString(name) {
		return nil
	}
	return failure.New(failure.InvalidName, "%q is not a name for a %s", name, what).
		WithHint("Use at most 63 lower-case letters, digits, dashes and dots, beginning and ending with a letter or digit.")
}

// uri is the name in a certificate. An authority's has no node.
func uri(cluster, node string) *url.URL {
	u := &url.URL{Scheme: "meridian", Host: cluster, Path: "/"}
	if node != "" {
		u.Path = "/node/" + node
	}
	return u
}

// CreateAuthority makes the authority of a new cluster: its certificate, which every node gets, and its key, which stays off the
// nodes.
func CreateAuthority(now time.Time, cluster string, valid time.Duration) (certPEM, keyPEM []byte, err error) {
	if err := checkName("cluster", cluster); err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Meridian cluster " + cluster},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(valid),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		URIs:                  []*url.URL{uri(cluster, "")},
	}
	return sign(t, nil)
}

// sign makes a key and a certificate for it; without an authority it signs itself.
func sign(t *x509.Certificate, by *Authority) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, fmt.Errorf("making a serial number: %w", err)
	}
	parent, signer := t, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, fmt.Errorf("signing the certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding the key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}

// LoadAuthority reads what CreateAuthority made.
func LoadAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("loading the cluster's authority: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	cluster, node, err := Identity(pair.Leaf)
	if !ok || err != nil || node != "" || !pair.Leaf.IsCA {
		return nil, failure.New(failure.ConfigFileError, "this is not the certificate of a cluster's authority")
	}
	return &Authority{cluster, pair.Leaf, key}, nil
}

// Cluster returns the name of the authority's cluster.
func (a *Authority) Cluster() string { return a.cluster }

// Issue makes a node's certificate and key. The hosts are names and addresses that SQL clients may check; nodes among themselves go by
// the cluster and the node's name, wherever its address moves.
func (a *Authority) Issue(now time.Time, node string, hosts []string, valid time.Duration) (certPEM, keyPEM []byte, err error) {
	if err := checkName("node", node); err != nil {
		return nil, nil, err
	}
	until := now.Add(valid)
	if until.After(a.cert.NotAfter) {
		until = a.cert.NotAfter
	}
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: node, Organization: []string{"Meridian cluster " + a.cluster}},
		NotBefore:   now.Add(-time.Hour),
		NotAfter:    until,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:        []*url.URL{uri(a.cluster, node)},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	return sign(t, a)
}

// Identity returns the cluster and the node that a certificate names; node is "" for an authority.
func Identity(cert *x509.Certificate) (cluster, node string, err error) {
	for _, u := range cert.URIs {
		if u.Scheme != "meridian" {
			continue
		}
		node, named := strings.CutPrefix(u.Path, "/node/")
		if !named && u.Path != "/" || named && !goodName.MatchString(node) || !goodName.MatchString(u.Host) {
			break
		}
		if !named {
			node = ""
		}
		return u.Host, node, nil
	}
	return "", "", failure.New(failure.InvalidAuthorizationSpecification, "the certificate of %q does not name a Meridian cluster", cert.Subject.CommonName)
}

// Keys are a node's certificate, its key, and the authorities it believes. They can be replaced while connections are open; new ones
// use the new keys.
type Keys struct {
	now     func() time.Time
	current atomic.Pointer[material]
}

type material struct {
	cluster string
	node    string
	roots   *x509.CertPool
	pair    tls.Certificate
}

// NewKeys checks that the three belong together. The authorities' PEM may hold several certificates: to exchange an authority, every
// node first believes both.
func NewKeys(now func() time.Time, authoritiesPEM, certPEM, keyPEM []byte) (*Keys, error) {
	k := &Keys{now: now}
	return k, k.Replace(authoritiesPEM, certPEM, keyPEM)
}

// Replace exchanges everything, or nothing when it does not fit together.
func (k *Keys) Replace(authoritiesPEM, certPEM, keyPEM []byte) error {
	m := &material{roots: x509.NewCertPool()}
	if !m.roots.AppendCertsFromPEM(authoritiesPEM) {
		return failure.New(failure.ConfigFileError, "there is no certificate of an authority")
	}
	var err error
	if m.pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		return failure.New(failure.ConfigFileError, "the node's certificate and key cannot be used").WithDetail("%s", err.Error()).WithCause(err)
	}
	if m.cluster, m.node, err = Identity(m.pair.Leaf); err != nil {
		return err
	}
	if m.node == "" {
		return failure.New(failure.ConfigFileError, "a node cannot use the authority's own certificate")
	}
	if err := m.verify([]*x509.Certificate{m.pair.Leaf}, k.now(), x509.ExtKeyUsageServerAuth); err != nil {
		return failure.New(failure.ConfigFileError, "the node's own certificate would be refused").WithDetail("%s", err.Error()).WithCause(err)
	}
	k.current.Store(m)
	return nil
}

// Load reads the files of a node's certificate folder.
func Load(fs host.FS, dir string, now func() time.Time) (*Keys, error) {
	k := &Keys{now: now}
	return k, k.Reload(fs, dir)
}

// Reload reads the files again.
func (k *Keys) Reload(fs host.FS, dir string) error {
	var files [3][]byte
	for i, name := range [...]string{AuthorityFile, NodeFile, NodeKeyFile} {
		b, err := readFile(fs, dir+"/"+name)
		if err != nil {
			return failure.New(failure.ConfigFileError, "cannot read %s/%s", dir, name).WithDetail("%s", err.Error()).WithCause(err).
				WithHint("A node's certificate folder holds %s, %s and %s: see meridian certs create-node.", AuthorityFile, NodeFile, NodeKeyFile)
		}
		files[i] = b
	}
	return k.Replace(files[0], files[1], files[2])
}

// maxFile bounds the files that are read.
const maxFile = 1 << 20

func readFile(fs host.FS, path string) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > maxFile {
		return nil, errors.New("the file is too large for certificates")
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && size > 0 {
		return nil, err
	}
	return b, nil
}

// Cluster and Node return the names in the node's own certificate.
func (k *Keys) Cluster() string { return k.current.Load().cluster }

// Node returns the node's name.
func (k *Keys) Node() string { return k.current.Load().node }

// Expires returns when the node's certificate ends.
func (k *Keys) Expires() time.Time { return k.current.Load().pair.Leaf.NotAfter }

// verify checks a peer's chain and the cluster it names.
func (m *material) verify(chain []*x509.Certificate, now time.Time, usage x509.ExtKeyUsage) error {
	if len(chain) == 0 {
		return errors.New("no certificate was shown")
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: m.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}})
	if err != nil {
		var unknown x509.UnknownAuthorityError
		if errors.As(err, &unknown) {
			return fmt.Errorf("the certificate of %q was not signed by this cluster's authority", chain[0].Subject.CommonName)
		}
		return err
	}
	cluster, node, err := Identity(chain[0])
	switch {
	case err != nil:
		return err
	case cluster != m.cluster:
		return fmt.Errorf("the certificate is for a node of cluster %s, not of %s", cluster, m.cluster)
	case node == "":
		return errors.New("the certificate is not a node's")
	}
	return nil
}

// Config is the TLS configuration between nodes, for both ends: TLS 1.3, and both show certificates.
//
// The standard library's check compares host names, which for nodes say nothing: their addresses move, and what matters is that they are
// of this cluster. So it is switched off, and VerifyConnection, which no handshake goes around, checks chain, dates, usage and the
// cluster's name instead.
func (k *Keys) Config() *tls.Config {
	verify := func(usage x509.ExtKeyUsage) func(tls.ConnectionState) error {
		return func(s tls.ConnectionState) error { return k.current.Load().verify(s.PeerCertificates, k.now(), usage) }
	}
	server := &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Time:                   k.now,
		NextProtos:             []string{"meridian-rpc"},
		ClientAuth:             tls.RequireAnyClientCert,
		VerifyConnection:       verify(x509.ExtKeyUsageClientAuth),
		SessionTicketsDisabled: true,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &k.current.Load().pair, nil },
	}
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		Time:                 k.now,
		NextProtos:           []string{"meridian-rpc"},
		InsecureSkipVerify:   true, // VerifyConnection does more
		VerifyConnection:     verify(x509.ExtKeyUsageServerAuth),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &k.current.Load().pair, nil },
		GetConfigForClient:   func(*tls.ClientHelloInfo) (*tls.Config, error) { return server, nil },
		GetCertificate:       server.GetCertificate,
	}
}

// Parse returns the certificates in a PEM file, for showing them.
func Parse(certPEM []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for rest := bytes.TrimSpace(certPEM); len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("this is not a PEM file")
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}
