package rpc

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/auth/certs"
	"github.com/meridiandb/meridian/internal/failure"
)

func testKeys(t *testing.T, a *certs.Authority, believes []byte, name string) *certs.Keys {
	t.Helper()
	cert, key, err := a.Issue(time.Now(), name, nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	k, err := certs.NewKeys(time.Now, believes, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestTLS talks with certificates, and refuses those of others with words that say why.
func TestTLS(t *testing.T) {
	var authorities [2]*certs.Authority
	var pems [2][]byte
	for i := range authorities {
		cert, key, err := certs.CreateAuthority(time.Now(), "one", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		pems[i] = cert
		if authorities[i], err = certs.LoadAuthority(cert, key); err != nil {
			t.Fatal(err)
		}
	}
	with := func(k *certs.Keys) func(*Config) {
		return func(c *Config) {
			c.TLS = k.Config()
			c.Authorize = func(id NodeID, cert *x509.Certificate) error {
				if id == 3 && cert.Subject.CommonName != "node3" {
					return errors.New("node 3 has another certificate")
				}
				return nil
			}
		}
	}
	ctx := context.Background()
	a := start(t, 1, with(testKeys(t, authorities[0], pems[0], "node1")))
	a.Handle(Control, echo)
	b := start(t, 2, with(testKeys(t, authorities[0], pems[0], "node2")))
	b.SetPeer(1, a.addr)
	for _, size := range []int{1, 1 << 20} {
		if got, err := b.Call(ctx, 1, Control, make([]byte, size)); err != nil || len(got) != size+2 {
			t.Fatal(len(got), err)
		}
	}
	for _, c := range []struct {
		self NodeID
		edit func(*Config)
		want string
	}{
		{2, with(testKeys(t, authorities[1], pems[1], "node2")), "was not signed by this cluster's authority"},
		{3, with(testKeys(t, authorities[0], pems[0], "node2")), "node 3 has another certificate"},
		{2, func(*Config) {}, "TLS settings"},
	} {
		x := start(t, c.self, c.edit, func(c *Config) { c.HandshakeTimeout = time.Second })
		x.SetPeer(1, a.addr)
		_, err := x.Call(ctx, 1, Control, nil)
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(failure.As(err).Detail, c.want) {
			t.Errorf("%v: %s, not %s", err, failure.As(err).Detail, c.want)
		}
	}
	plain := start(t, 4)
	b.SetPeer(4, plain.addr)
	if _, err := b.Call(ctx, 4, Control, nil); !errors.Is(err, ErrUnreachable) || !strings.Contains(failure.As(err).Detail, "TLS") {
		t.Error(err)
	}
}
