package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/host/memhost"
)

var day = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func authority(t *testing.T, cluster string) (*Authority, []byte) {
	t.Helper()
	cert, key, err := CreateAuthority(day, cluster, 100*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	a, err := LoadAuthority(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return a, cert
}

func keys(t *testing.T, a *Authority, believes []byte, name string, now *time.Time) *Keys {
	t.Helper()
	cert, key, err := a.Issue(day, name, []string{"localhost", "127.0.0.1"}, 10*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	k, err := NewKeys(func() time.Time { return *now }, believes, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// meet lets two ends shake hands and returns what each thinks of it.
func meet(client, server *tls.Config) (clientErr, serverErr error) {
	a, b := net.Pipe()
	done := make(chan error, 1)
	go func() {
		s := tls.Server(b, server)
		err := s.Handshake()
		if err == nil {
			_, err = io.WriteString(s, "x")
		}
		b.Close()
		done <- err
	}()
	c := tls.Client(a, client)
	clientErr = c.Handshake()
	if clientErr == nil {
		_, clientErr = c.Read(make([]byte, 1)) // the server's refusal comes late in TLS 1.3
	}
	a.Close()
	return clientErr, <-done
}

func TestMutual(t *testing.T) {
	now := day
	a, pem := authority(t, "one")
	twin, twinPEM := authority(t, "one")
	other, otherPEM := authority(t, "two")
	x := keys(t, a, pem, "node1", &now)
	if x.Cluster() != "one" || x.Node() != "node1" || x.Expires() != day.Add(10*24*time.Hour) {
		t.Fatal(x.Cluster(), x.Node(), x.Expires())
	}
	none := x.Config()
	none.GetClientCertificate = nil
	both := append(append([]byte(nil), pem...), otherPEM...)
	for _, c := range []struct {
		name   string
		client *tls.Config
		ok     bool
	}{
		{"same cluster", keys(t, a, pem, "node2", &now).Config(), true},
		{"another authority", keys(t, twin, twinPEM, "node2", &now).Config(), false},
		{"another cluster", keys(t, other, otherPEM, "node2", &now).Config(), false},
		{"believes in both, is of the other", keys(t, other, both, "node2", &now).Config(), false},
		{"no certificate", none, false},
	} {
		ce, se := meet(c.client, x.Config())
		if (ce == nil && se == nil) != c.ok {
			t.Errorf("%s: %v, %v", c.name, ce, se)
		}
	}
	now = day.Add(11 * 24 * time.Hour)
	if ce, se := meet(x.Config(), x.Config()); ce == nil && se == nil {
		t.Error("an expired certificate was accepted")
	}
	// The files are exchanged under a running configuration.
	config := x.Config()
	cert, key, err := a.Issue(now, "node1", nil, 1000*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Replace(otherPEM, cert, key); err == nil {
		t.Error("a certificate of another authority was taken")
	}
	if err := x.Replace(pem, cert, key); err != nil {
		t.Fatal(err)
	}
	if ce, se := meet(config, config); ce != nil || se != nil {
		t.Error(ce, se)
	}
	if x.Expires().After(day.Add(100 * 24 * time.Hour)) {
		t.Error("it outlives its authority")
	}
}

func TestLoad(t *testing.T) {
	a, pem := authority(t, "one")
	cert, key, err := a.Issue(day, "n1", nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	fs := memhost.New()
	now := func() time.Time { return day }
	if _, err := Load(fs, "certs", now); err == nil {
		t.Fatal("nothing was there")
	}
	for name, b := range map[string][]byte{AuthorityFile: pem, NodeFile: cert, NodeKeyFile: key} {
		f, err := fs.Create("certs/" + name)
		if err == nil {
			_, err = f.Write(b)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	k, err := Load(fs, "certs", now)
	if err != nil || k.Node() != "n1" {
		t.Fatal(err)
	}
	if _, err := LoadAuthority(cert, key); err == nil {
		t.Error("a node's certificate is not an authority's")
	}
	for _, bad := range []string{"", "Upper", "a_b", "-a", "a/b", strings.Repeat("a", 64)} {
		if _, _, err := CreateAuthority(day, bad, time.Hour); err == nil {
			t.Errorf("%q is no name", bad)
		}
	}
}

func TestToken(t *testing.T) {
	one, err := NewToken()
	if err != nil {
		t.Fatal(err)
	}
	two, _ := NewToken()
	text := one.Reveal()
	back, err := ParseToken(" " + text + "\n")
	if err != nil || !back.Equal(one) || one.Equal(two) || len(text) != len(tokenPrefix)+40 {
		t.Fatal(text, back, err)
	}
	last := text[len(tokenPrefix):]
	for i := range last {
		c := byte('a')
		if last[i] == c {
			c = 'b'
		}
		if _, err := ParseToken(tokenPrefix + last[:i] + string(c) + last[i+1:]); err == nil {
			t.Errorf("character %d may be anything", i)
		}
	}
	for _, bad := range []string{"", tokenPrefix, last, text + "a"} {
		if _, err := ParseToken(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if shown := fmt.Sprintf("%s %v %#v %+v", one, one, one, one.LogValue()); strings.Contains(shown, last[:8]) {
		t.Error("the secret is shown:", shown)
	}
}

func FuzzToken(f *testing.F) {
	f.Add("mrdn-join-abc")
	f.Fuzz(func(t *testing.T, s string) {
		if tok, err := ParseToken(s); err == nil && tok.Reveal() != strings.TrimSpace(s) {
			t.Fatal(s, tok.Reveal())
		}
	})
}
