// Package scram is the server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677) and PostgreSQL's form of the verifier that
// is kept instead of a password.
package scram

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Mechanism is the SASL name.
const Mechanism = "SCRAM-SHA-256"

// Iterations is the cost of new verifiers, PostgreSQL's default.
const Iterations = 4096

const maxIterations = 10_000_000

// ErrMalformed is returned for messages that do not follow the RFC; ErrRefused for a wrong proof.
var (
	ErrMalformed = errors.New("malformed SCRAM message")
	ErrRefused   = errors.New("SCRAM proof does not match")
)

// Verifier is what the server keeps: enough to check a password, not enough to use it elsewhere.
type Verifier struct {
	Iterations int
	Salt       []byte
	StoredKey  []byte
	ServerKey  []byte
}

// NewVerifier derives a verifier from a password. Salt must be random, 16 bytes.
func NewVerifier(password string, salt []byte, iterations int) (Verifier, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return Verifier{}, fmt.Errorf("deriving SCRAM key: %w", err)
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	return Verifier{Iterations: iterations, Salt: salt, StoredKey: stored[:], ServerKey: mac(salted, "Server Key")}, nil
}

// Encrypt makes the stored text for a password with fresh salt. A text that is a verifier already is kept, as
// PostgreSQL does.
func Encrypt(password string) (string, error) {
	if _, err := Parse(password); err == nil {
		return password, nil
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	v, err := NewVerifier(password, salt, Iterations)
	if err != nil {
		return "", err
	}
	return v.String(), nil
}

// String prints PostgreSQL's form: SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey.
func (v Verifier) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s$%d:%s$%s:%s", Mechanism, v.Iterations, b64(v.Salt), b64(v.StoredKey), b64(v.ServerKey))
}

// Parse reads the stored form.
func Parse(s string) (Verifier, error) {
	rest, ok := strings.CutPrefix(s, Mechanism+"$")
	if !ok {
		return Verifier{}, ErrMalformed
	}
	params, keyPart, ok1 := strings.Cut(rest, "$")
	iter, salt64, ok2 := strings.Cut(params, ":")
	stored64, server64, ok3 := strings.Cut(keyPart, ":")
	if !ok1 || !ok2 || !ok3 {
		return Verifier{}, ErrMalformed
	}
	n, err := strconv.Atoi(iter)
	if err != nil || n < 1 || n > maxIterations {
		return Verifier{}, ErrMalformed
	}
	v := Verifier{Iterations: n}
	for _, part := range []struct {
		text string
		into *[]byte
		size int
	}{{salt64, &v.Salt, 0}, {stored64, &v.StoredKey, sha256.Size}, {server64, &v.ServerKey, sha256.Size}} {
		b, err := base64.StdEncoding.DecodeString(part.text)
		if err != nil || (part.size != 0 && len(b) != part.size) || len(b) == 0 {
			return Verifier{}, ErrMalformed
		}
		*part.into = b
	}
	return v, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Exchange is one authentication: First, then Final.
type Exchange struct {
	verifier    Verifier
	nonce       string
	clientFirst string // without the GS2 header
	gs2         string
	serverFirst string
}

// NewExchange starts an exchange against a verifier. To answer alike for a role that does not exist, pass a verifier
// made from random bytes.
func NewExchange(v Verifier) *Exchange { return &Exchange{verifier: v} }

// First takes client-first-message and returns server-first-message.
func (x *Exchange) First(msg string) (string, error) {
	parts := strings.SplitN(msg, ",", 3)
	if len(parts) != 3 || (parts[0] != "n" && parts[0] != "y") {
		return "", ErrMalformed
	}
	x.gs2 = parts[0] + "," + parts[1] + ","
	x.clientFirst = parts[2]
	attrs := strings.Split(x.clientFirst, ",")
	if len(attrs) < 2 || !strings.HasPrefix(attrs[0], "n=") || !strings.HasPrefix(attrs[1], "r=") || len(attrs[1]) < 3 {
		return "", ErrMalformed
	}
	fresh := make([]byte, 18)
	if _, err := rand.Read(fresh); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	x.nonce = attrs[1][2:] + base64.StdEncoding.EncodeToString(fresh)
	x.serverFirst = fmt.Sprintf("r=%s,s=%s,i=%d", x.nonce,
		base64.StdEncoding.EncodeToString(x.verifier.Salt), x.verifier.Iterations)
	return x.serverFirst, nil
}

// Final takes client-final-message and returns server-final-message, or ErrRefused.
func (x *Exchange) Final(msg string) (string, error) {
	i := strings.LastIndex(msg, ",p=")
	if i < 0 {
		return "", ErrMalformed
	}
	withoutProof := msg[:i]
	proof, err := base64.StdEncoding.DecodeString(msg[i+3:])
	if err != nil || len(proof) != sha256.Size {
		return "", ErrMalformed
	}
	want := "c=" + base64.StdEncoding.EncodeToString([]byte(x.gs2)) + ",r=" + x.nonce
	if withoutProof != want {
		return "", ErrMalformed
	}
	auth := x.clientFirst + "," + x.serverFirst + "," + withoutProof
	key := mac(x.verifier.StoredKey, auth)
	subtle.XORBytes(key, key, proof)
	stored := sha256.Sum256(key)
	if subtle.ConstantTimeCompare(stored[:], x.verifier.StoredKey) != 1 {
		return "", ErrRefused
	}
	return "v=" + base64.StdEncoding.EncodeToString(mac(x.verifier.ServerKey, auth)), nil
}
