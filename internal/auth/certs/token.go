package certs

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"log/slog"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// Token is a join token: a secret that all nodes of a cluster share. It prints as a placeholder, so that no log shows it; Reveal gives
// the text.
//
// The text is "mrdn-join-", 32 characters of secret and 8 of checksum (base 32): a mistyped one is recognized before anybody is asked.
type Token struct{ secret [secretBytes]byte }

const (
	secretBytes   = 20
	checksumBytes = 5
	tokenPrefix   = "mrdn-join-"
)

func tokenEncoding() *base32.Encoding {
	return base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)
}

// NewToken makes a token.
func NewToken() (Token, error) {
	var t Token
	if _, err := rand.Read(t.secret[:]); err != nil {
		return Token{}, fmt.Errorf("making a token: %w", err)
	}
	return t, nil
}

func (t Token) checksum() []byte {
	sum := sha256.Sum256(append([]byte("meridian join token"), t.secret[:]...))
	return sum[:checksumBytes]
}

// ParseToken reads a token's text; space around it is ignored.
func ParseToken(text string) (Token, error) {
	var t Token
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), tokenPrefix)
	b, err := tokenEncoding().DecodeString(rest)
	if !ok || err != nil || len(rest) != 40 || len(b) != secretBytes+checksumBytes {
		return Token{}, badToken()
	}
	copy(t.secret[:], b)
	if subtle.ConstantTimeCompare(t.checksum(), b[secretBytes:]) != 1 {
		return Token{}, badToken()
	}
	return t, nil
}

func badToken() *failure.Error {
	return failure.New(failure.InvalidParameterValue, "this is not a join token, or it was copied incompletely").
		WithHint("meridian certs create-token makes one. It begins with %s.", tokenPrefix)
}

// Reveal returns the token's text, for the file or command line it is for.
func (t Token) Reveal() string {
	return tokenPrefix + tokenEncoding().EncodeToString(append(t.secret[:], t.checksum()...))
}

// Equal compares in constant time.
func (t Token) Equal(u Token) bool { return subtle.ConstantTimeCompare(t.secret[:], u.secret[:]) == 1 }

// String implements fmt.Stringer without the secret.
func (t Token) String() string { return tokenPrefix + "…" }

// GoString is String: %#v shows no secret either.
func (t Token) GoString() string { return t.String() }

// LogValue implements slog.LogValuer.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }
