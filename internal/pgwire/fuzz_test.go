package pgwire

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/sql/session"
)

// scripted is a Backend and a Session that answers every query with one row and fails on the text "fail".
type scripted struct{ sink session.Sink }

func (s *scripted) Role(_ context.Context, name string) (Role, error) {
	return Role{Exists: name != "nobody", Login: true}, nil
}

func (s *scripted) Open(_ context.Context, _ session.Startup, sink session.Sink) (Session, error) {
	return &scripted{sink}, nil
}

func (s *scripted) Query(ctx context.Context, sql string) error {
	if sql == "fail" {
		return failure.New(failure.SyntaxError, "as asked").WithHint("ask for something else").At(3)
	}
	if sql == "wait" {
		<-ctx.Done()
		return ctx.Err()
	}
	if sql == "copy" {
		r, err := s.sink.CopyIn(1, false)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, r)
		if err != nil {
			return err
		}
		s.sink.CommandComplete("COPY " + string(rune('0'+n%10)))
		return nil
	}
	cols := []session.Column{{Name: "n", Type: datum.T(datum.OIDInt4), Len: 4}}
	s.sink.RowDescription(cols, nil)
	s.sink.BeginRows(cols, nil, nil)
	if err := s.sink.Row([]datum.Datum{datum.NewInt(42)}); err != nil {
		return err
	}
	s.sink.CommandComplete("SELECT 1")
	return nil
}

func (s *scripted) Parse(_ context.Context, _, sql string, _ []uint32) error {
	if sql == "fail" {
		return failure.New(failure.SyntaxError, "as asked")
	}
	return nil
}
func (s *scripted) Bind(context.Context, session.Bind) error           { return nil }
func (s *scripted) DescribeStatement(context.Context, string) error    { s.sink.NoData(); return nil }
func (s *scripted) DescribePortal(context.Context, string) error       { s.sink.NoData(); return nil }
func (s *scripted) Execute(ctx context.Context, _ string, _ int) error { return s.Query(ctx, "") }
func (s *scripted) CloseStatement(string) error                        { return nil }
func (s *scripted) ClosePortal(string) error                           { return nil }
func (s *scripted) Sync(context.Context) error                         { return nil }
func (s *scripted) Failed(error)                                       {}
func (s *scripted) Status() byte                                       { return 'I' }
func (s *scripted) IdleTimeout() (time.Duration, error)                { return 0, nil }
func (s *scripted) Greeting() []session.Parameter {
	return []session.Parameter{{Name: "a", Value: "b"}}
}
func (s *scripted) Close() {}

// connected starts serving a fresh connection and returns its client's end; done closes when the server has let go of it.
func connected(t testing.TB, srv *Server) (client net.Conn, done <-chan struct{}) {
	client, server := net.Pipe()
	c := srv.admit(t.Context(), server)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.serve()
		srv.forget(c)
		srv.wg.Done()
	}()
	return client, ended
}

// converse sends bytes to a fresh connection and returns everything that comes back.
func converse(t testing.TB, srv *Server, send []byte) []byte {
	client, done := connected(t, srv)
	go func() {
		_, _ = client.Write(send)
		_, _ = client.Write([]byte{'X', 0, 0, 0, 4}) // so that a well-behaved conversation ends
	}()
	_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
	out, err := io.ReadAll(client)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		// The server waits for the rest of a message: hang up.
		_ = client.Close()
	}
	_ = client.Close()
	<-done
	return out
}

func testServer() *Server {
	return NewServer(Config{Host: oshost.New(), Backend: &scripted{}, PlaintextAnywhere: true, TrustAnywhere: true, MaxMessageBytes: 1 << 16})
}

func hello(params ...string) []byte {
	body := binary.BigEndian.AppendUint32(nil, 3<<16)
	for _, p := range append(params, "") {
		body = append(append(body, p...), 0)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)
}

func message(kind byte, body string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4)), body...)
}

func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// kinds lists the types of the messages in a server's answer, with the codes of errors.
func kinds(b []byte) string {
	var out []string
	for len(b) >= 5 {
		n := int(binary.BigEndian.Uint32(b[1:])) + 1
		if n > len(b) {
			return strings.Join(append(out, "cut"), " ")
		}
		word := string(b[0])
		if b[0] == 'E' {
			for _, f := range strings.Split(string(b[5:n]), "\x00") {
				if strings.HasPrefix(f, "C") {
					word += f[1:]
				}
			}
		}
		if b[0] == 'Z' {
			word += string(b[5])
		}
		out = append(out, word)
		b = b[n:]
	}
	return strings.Join(out, " ")
}

func TestConversations(t *testing.T) {
	user := hello("user", "u", "database", "d")
	const greeting = "R S K ZI"
	for _, tc := range []struct {
		name string
		send []byte
		want string
	}{
		{"query", join(user, message('Q', "select\x00")), greeting + " T D C ZI"},
		{"failing query", join(user, message('Q', "fail\x00"), message('Q', "select\x00")), greeting + " E42601 ZI T D C ZI"},
		{"extended", join(user, message('P', "\x00select\x00\x00\x00"), message('B', "\x00\x00\x00\x00\x00\x00\x00\x00"), message('E', "\x00\x00\x00\x00\x00"), message('S', "")),
			greeting + " 1 2 T D C ZI"},
		{"errors skip to sync", join(user, message('P', "\x00fail\x00\x00\x00"), message('E', "\x00\x00\x00\x00\x00"), message('S', ""), message('Q', "select\x00")),
			greeting + " E42601 ZI T D C ZI"},
		{"truncated bind", join(user, message('B', "\x00\x00\x00\xff"), message('S', "")), greeting + " E08P01 ZI"},
		{"too long", join(user, binary.BigEndian.AppendUint32([]byte{'Q'}, 1<<30)), greeting + " E08P01"},
		{"unknown message", join(user, message('!', "")), greeting + " E08P01"},
		{"newer protocol", join([]byte{0, 0, 0, 16, 0, 3, 0, 2}, []byte("user\x00u\x00\x00")), "v " + greeting},
		{"old protocol", []byte{0, 0, 0, 8, 0, 2, 0, 0}, "E0A000"},
		{"no user", hello("database", "d"), "E28000"},
		{"unknown role", hello("user", "nobody"), "E28000"},
		{"copy", join(user, message('Q', "copy\x00"), message('d', "abc"), message('d', "de"), message('c', "")), greeting + " G C ZI"},
		{"copy given up", join(user, message('Q', "copy\x00"), message('f', "no\x00")), greeting + " G E57014 ZI"},
		{"query during copy", join(user, message('Q', "copy\x00"), message('Q', "select\x00")), greeting + " G E08P01 ZI"},
		{"function call", join(user, message('F', "")), greeting + " E0A000 ZI"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := kinds(converse(t, testServer(), tc.send)); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// FuzzConversation sends arbitrary bytes after a startup packet: the server must neither panic nor hang.
func FuzzConversation(f *testing.F) {
	f.Add(message('Q', "select\x00"))
	f.Add(join(message('P', "\x00select\x00\x00\x00"), message('B', "\x00\x00\x00\x00\x00\x00\x00\x00"), message('S', "")))
	f.Add([]byte{'B', 0, 0, 0, 14, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff})
	srv := testServer()
	f.Fuzz(func(t *testing.T, b []byte) {
		if strings.Contains(string(b), "wait") {
			return
		}
		client, done := connected(t, srv)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_, _ = client.Write(join(hello("user", "u"), b))
		_ = client.Close()
		<-done
	})
}

// FuzzStartup sends arbitrary first bytes.
func FuzzStartup(f *testing.F) {
	f.Add(hello("user", "u"))
	f.Add([]byte{0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	srv := testServer()
	f.Fuzz(func(t *testing.T, b []byte) {
		client, done := connected(t, srv)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_, _ = client.Write(b)
		_ = client.Close()
		<-done
	})
}
