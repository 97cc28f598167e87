package pgwire

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/auth/scram"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/session"
)

// Request codes that stand where a startup packet has its version.
const (
	codeCancel = 1234<<16 | 5678
	codeSSL    = 1234<<16 | 5679
	codeGSS    = 1234<<16 | 5680
)

const maxStartupBytes = 10000

func fatal(code failure.Code, format string, args ...any) *failure.Error {
	return failure.New(code, format, args...).WithSeverity(failure.SeverityFatal)
}

// startup negotiates encryption and reads the startup packet. A nil result without error means that the connection has
// served its purpose (a cancel request).
func (c *conn) startup() (*session.Startup, error) {
	if first, err := c.in.br.Peek(1); err != nil {
		return nil, errTerminated
	} else if first[0] == 0x16 && c.srv.cfg.TLS != nil {
		if err := c.startTLS(); err != nil { // direct TLS, without asking first
			return nil, err
		}
	}
	for range 4 {
		code, body, err := c.startupPacket()
		if err != nil {
			return nil, err
		}
		switch code {
		case codeCancel:
			f := fields{b: body}
			pid, secret := f.int32(), f.int32()
			if f.end() == nil {
				c.srv.Cancel(pid, secret)
			}
			return nil, nil
		case codeGSS:
			if _, err := c.net.Write([]byte{'N'}); err != nil {
				return nil, errTerminated
			}
		case codeSSL:
			if err := c.answerSSL(); err != nil {
				return nil, err
			}
		default:
			return c.parseStartup(code, body)
		}
	}
	return nil, fatal(failure.ProtocolViolation, "too many encryption requests")
}

func (c *conn) startupPacket() (uint32, []byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(c.in.br, head[:]); err != nil {
		return 0, nil, errTerminated
	}
	n := int(int32(binary.BigEndian.Uint32(head[:]))) - 8
	if n < 0 || n > maxStartupBytes {
		return 0, nil, fatal(failure.ProtocolViolation, "invalid length of startup packet")
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(c.in.br, body); err != nil {
		return 0, nil, errTerminated
	}
	return binary.BigEndian.Uint32(head[4:]), body, nil
}

func (c *conn) answerSSL() error {
	if c.srv.cfg.TLS == nil || c.secure {
		if _, err := c.net.Write([]byte{'N'}); err != nil {
			return errTerminated
		}
		return nil
	}
	// Bytes that follow the request in clear text could be smuggled into the encrypted session (CVE-2021-23214).
	if c.in.br.Buffered() > 0 {
		return fatal(failure.ProtocolViolation, "received unencrypted data after SSL request").
			WithDetail("This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.")
	}
	if _, err := c.net.Write([]byte{'S'}); err != nil {
		return errTerminated
	}
	return c.startTLS()
}

func (c *conn) startTLS() error {
	t := tls.Server(bufferedConn{Conn: c.net, r: c.in.br}, c.srv.cfg.TLS)
	if err := t.Handshake(); err != nil {
		c.srv.cfg.Log.Debug("TLS handshake failed", "client", c.net.RemoteAddr().String(), "error", err)
		return errTerminated
	}
	c.secure = true
	c.use(t)
	return nil
}

// bufferedConn reads what a bufio.Reader has taken already before the connection itself.
type bufferedConn struct {
	net.Conn
	r io.Reader
}

func (b bufferedConn) Read(p []byte) (int, error) { return b.r.Read(p) }

// parseStartup reads the parameters, and offers the newest version it knows to a client with a newer one.
func (c *conn) parseStartup(version uint32, body []byte) (*session.Startup, error) {
	major, minor := version>>16, version&0xffff
	if major != 3 {
		return nil, fatal(failure.FeatureNotSupported, "unsupported frontend protocol %d.%d: server supports 3.0 to 3.0",
			major, minor)
	}
	s := &session.Startup{PID: c.pid, Secret: c.secret, TLS: c.secure, ClientAddr: c.net.RemoteAddr().String()}
	if h, p, err := net.SplitHostPort(s.ClientAddr); err == nil {
		s.ClientHost = h
		s.ClientPort, _ = strconv.Atoi(p)
	}
	var unknown []string
	f := fields{b: body}
	for {
		name := f.cstring()
		if f.bad || name == "" {
			break
		}
		value := f.cstring()
		switch {
		case name == "user":
			s.User = value
		case name == "database":
			s.Database = value
		case name == "replication" && value != "" && value != "false" && value != "off" && value != "0":
			return nil, fatal(failure.FeatureNotSupported, "replication connections are not supported")
		case name == "replication":
		case strings.HasPrefix(name, "_pq_."):
			unknown = append(unknown, name)
		case name == "options":
			s.Parameters = append(s.Parameters, parseOptions(value)...)
		default:
			s.Parameters = append(s.Parameters, session.Parameter{Name: name, Value: value})
		}
	}
	if f.end() != nil {
		return nil, fatal(failure.ProtocolViolation, "invalid startup packet layout: expected terminator as last byte")
	}
	if s.User == "" {
		return nil, fatal(failure.InvalidAuthorizationSpecification, "no PostgreSQL user name specified in startup packet")
	}
	if s.Database == "" {
		s.Database = s.User
	}
	if minor > 0 || len(unknown) > 0 {
		c.out.begin('v')
		c.out.int32(3 << 16)
		c.out.int32(int32(len(unknown)))
		for _, u := range unknown {
			c.out.str(u)
		}
		c.out.end()
	}
	return s, nil
}

// parseOptions reads the command-line form of settings: -c name=value and --name=value, with backslash escapes.
func parseOptions(s string) []session.Parameter {
	var words []string
	var w strings.Builder
	in := false
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '\\' && i+1 < len(s):
			i++
			w.WriteByte(s[i])
			in = true
		case ch == ' ' || ch == '\t' || ch == '\n':
			if in {
				words = append(words, w.String())
				w.Reset()
				in = false
			}
		default:
			w.WriteByte(ch)
			in = true
		}
	}
	if in {
		words = append(words, w.String())
	}
	var out []session.Parameter
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "-c" && i+1 < len(words):
			i++
			word = words[i]
		case strings.HasPrefix(word, "-c"):
			word = word[2:]
		case strings.HasPrefix(word, "--"):
			word = word[2:]
		default:
			continue
		}
		name, value, _ := strings.Cut(word, "=")
		out = append(out, session.Parameter{Name: strings.ReplaceAll(name, "-", "_"), Value: value})
	}
	return out
}

// loopback says whether the peer is on this machine.
func (c *conn) loopback() bool {
	switch a := c.net.RemoteAddr().(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	default:
		return false
	}
}

// authenticate checks who the client is: roles with a password prove it by SCRAM-SHA-256, roles without one are
// trusted on this machine.
func (c *conn) authenticate(ctx context.Context, s *session.Startup) error {
	if !c.secure && !c.loopback() && !c.srv.cfg.PlaintextAnywhere {
		return fatal(failure.InvalidAuthorizationSpecification, "connection from %q requires encryption", s.ClientHost).
			WithHint("Connect with sslmode=require, or start the server with --allow-plaintext.")
	}
	role, err := c.srv.cfg.Backend.Role(ctx, s.User)
	if err != nil {
		return err
	}
	switch {
	case role.Verifier != "":
		if err := c.scram(s.User, role.Verifier); err != nil {
			return err
		}
	case !role.Exists:
		return fatal(failure.InvalidAuthorizationSpecification, "role %q does not exist", s.User)
	case !c.loopback() && !c.srv.cfg.TrustAnywhere:
		return fatal(failure.InvalidAuthorizationSpecification,
			"role %q has no password and may connect from this machine only", s.User).
			WithHint("Give it one: ALTER ROLE %s PASSWORD '...'.", s.User)
	}
	if !role.Login {
		return fatal(failure.InvalidAuthorizationSpecification, "role %q is not permitted to log in", s.User)
	}
	c.out.begin('R')
	c.out.int32(0)
	c.out.end()
	return nil
}

// scram runs the SASL exchange.
func (c *conn) scram(user, stored string) error {
	refused := fatal(failure.InvalidPassword, "password authentication failed for user %q", user)
	v, err := scram.Parse(stored)
	if err != nil {
		v = scram.Verifier{Iterations: scram.Iterations, Salt: make([]byte, 16), StoredKey: make([]byte, 32), ServerKey: make([]byte, 32)}
		if _, err := rand.Read(v.StoredKey); err != nil {
			return fmt.Errorf("reading randomness: %w", err)
		}
	}
	c.out.begin('R')
	c.out.int32(10)
	c.out.str(scram.Mechanism)
	c.out.byte(0)
	c.out.end()
	body, err := c.saslMessage()
	if err != nil {
		return err
	}
	f := fields{b: body}
	mechanism := f.cstring()
	first := f.take(int(f.int32()))
	if f.end() != nil || mechanism != scram.Mechanism {
		return fatal(failure.ProtocolViolation, "client selected an invalid SASL authentication mechanism")
	}
	x := scram.NewExchange(v)
	reply, err := x.First(string(first))
	if err != nil {
		return fatal(failure.ProtocolViolation, "malformed SCRAM message")
	}
	c.sasl(11, reply)
	if body, err = c.saslMessage(); err != nil {
		return err
	}
	if reply, err = x.Final(string(body)); err != nil {
		return refused
	}
	c.sasl(12, reply)
	return nil
}

func (c *conn) sasl(code int32, text string) {
	c.out.begin('R')
	c.out.int32(code)
	c.out.bytes([]byte(text))
	c.out.end()
}

func (c *conn) saslMessage() ([]byte, error) {
	if err := c.out.flush(); err != nil {
		return nil, errTerminated
	}
	kind, body, err := c.in.next()
	if err != nil {
		return nil, errTerminated
	}
	if kind != 'p' {
		return nil, fatal(failure.ProtocolViolation, "expected SASL response, got message type %d", kind)
	}
	if len(body) > 65535 {
		return nil, fatal(failure.ProtocolViolation, "invalid message length")
	}
	return body, nil
}
