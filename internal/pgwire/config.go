package pgwire

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/sql/session"
)

// Session is what the server needs of a SQL session. One goroutine uses it, except Cancel.
type Session interface {
	// Query runs a simple-protocol string; all errors are sent by the caller.
	Query(ctx context.Context, sql string) error
	Parse(ctx context.Context, name, sql string, paramTypes []uint32) error
	Bind(ctx context.Context, b session.Bind) error
	DescribeStatement(ctx context.Context, name string) error
	DescribePortal(ctx context.Context, name string) error
	Execute(ctx context.Context, portal string, maxRows int) error
	CloseStatement(name string) error
	ClosePortal(name string) error
	// Sync ends the implicit transaction of an extended-protocol batch.
	Sync(ctx context.Context) error
	// Failed tells the session that the error is about to be sent, and lets it complete the fields.
	Failed(err error)
	// Status is the transaction status of ReadyForQuery: I, T or E.
	Status() byte
	// IdleTimeout is how long the client may stay silent now, 0 without limit, and the error it then gets.
	IdleTimeout() (time.Duration, error)
	// Greeting lists the parameters to report after authentication.
	Greeting() []session.Parameter
	Close()
}

// Role is what authentication needs to know of a role.
type Role struct {
	Exists, Login bool
	// Verifier is the SCRAM verifier, empty for a role without a password.
	Verifier string
}

// Backend opens sessions.
type Backend interface {
	Role(ctx context.Context, name string) (Role, error)
	Open(ctx context.Context, s session.Startup, sink session.Sink) (Session, error)
}

// Config of the SQL port. Zero values mean the defaults in parentheses.
type Config struct {
	Host    host.Host
	Log     *slog.Logger
	Backend Backend
	// TLS is served to clients that ask for it; nil refuses.
	TLS *tls.Config
	// PlaintextAnywhere lets clients connect without TLS from other machines.
	PlaintextAnywhere bool
	// TrustAnywhere lets roles without a password in from other machines. Loopback is always trusted for them.
	TrustAnywhere bool
	// MaxConnections bounds the number of sessions (10000).
	MaxConnections int
	// MaxMessageBytes bounds one message (256 MiB).
	MaxMessageBytes int
	// AuthTimeout bounds the time from connect to the end of authentication (60 s).
	AuthTimeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.MaxConnections == 0 {
		c.MaxConnections = 10000
	}
	if c.MaxMessageBytes == 0 {
		c.MaxMessageBytes = 256 << 20
	}
	if c.AuthTimeout == 0 {
		c.AuthTimeout = time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
