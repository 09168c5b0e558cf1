package passphrase

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"tagma/crypto"
)

// The environment variables, in the order in which they are used.
const (
	Variable     = "TAGMA_PASSPHRASE"
	FileVariable = "TAGMA_PASSPHRASE_FILE"
)

// Limit is the longest passphrase in bytes.
const Limit = 1024

// The reasons for which no passphrase is available.
var (
	ErrNone     = errors.New("no passphrase: set " + Variable + " or " + FileVariable + ", or run this in a terminal, to be asked")
	ErrTooLong  = fmt.Errorf("passphrase longer than %d bytes", Limit)
	ErrEmpty    = errors.New("empty passphrase")
	ErrExposed  = errors.New("passphrase file that others can read")
	ErrMismatch = errors.New("the two passphrases differ; try again")
)

// finder looks for a passphrase. Tests replace its environment and terminal.
type finder struct {
	getenv func(string) string
	// prompt asks on the terminal; it fails with ErrNone if there is no terminal.
	prompt func(question string) ([]byte, error)
}

var system = finder{getenv: os.Getenv, prompt: promptTerminal}

// ReadKey reads the key file path, and finds the passphrase if the key is encrypted.
func ReadKey(path string) (*crypto.PrivateKey, error) { return system.readKey(path) }

// New finds the passphrase with which to encrypt the key for the file path. On a terminal it asks twice.
func New(path string) ([]byte, error) { return system.choose(path) }

func (f finder) readKey(path string) (*crypto.PrivateKey, error) {
	return crypto.ReadKeyWith(path, func() ([]byte, error) {
		found, err := f.given()
		if found != nil || err != nil {
			return found, err
		}
		return f.prompt("passphrase of " + path + ": ")
	})
}

func (f finder) choose(path string) ([]byte, error) {
	found, err := f.given()
	if found != nil || err != nil {
		return found, err
	}
	first, err := f.prompt("new passphrase for " + path + ": ")
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return nil, ErrEmpty
	}
	again, err := f.prompt("the same again: ")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if !bytes.Equal(first, again) {
		clear(first)
		return nil, ErrMismatch
	}
	return first, nil
}

// given returns the passphrase from the environment, or nil if there is none.
func (f finder) given() ([]byte, error) {
	if value := f.getenv(Variable); value != "" {
		return checked([]byte(value))
	}
	if path := f.getenv(FileVariable); path != "" {
		found, err := readFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the passphrase in %s, which %s names: %w", path, FileVariable, err)
		}
		return found, nil
	}
	return nil, nil
}

// readFile returns the content of a file, without the newline that editors put at its end. The file may be a pipe. Only
// its owner and its group may be able to read a regular file. The group is allowed because service managers use it to
// pass a secret to a user.
func readFile(path string) ([]byte, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // the file was only read
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o027 != 0 {
		return nil, fmt.Errorf("%w (mode %04o); mend it with: chmod 600 %s", ErrExposed, mode.Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(r, Limit+3)) // up to two more bytes for a newline
	if err != nil {
		return nil, err
	}
	return checked(bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r")))
}

func checked(found []byte) ([]byte, error) {
	switch {
	case len(found) == 0:
		return nil, ErrEmpty
	case len(found) > Limit:
		return nil, ErrTooLong
	}
	return found, nil
}
