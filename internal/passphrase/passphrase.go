package passphrase

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"tagma/crypto"
)

// The environment variables that are looked at, the first one first.
const (
	Variable     = "TAGMA_PASSPHRASE"
	FileVariable = "TAGMA_PASSPHRASE_FILE"
)

// Limit is the longest passphrase in bytes.
const Limit = 1024

// Errors of a passphrase that is not to be had.
var (
	ErrNone     = errors.New("no passphrase: set " + Variable + " or " + FileVariable + ", or run this in a terminal, to be asked")
	ErrTooLong  = fmt.Errorf("passphrase longer than %d bytes", Limit)
	ErrEmpty    = errors.New("empty passphrase")
	ErrExposed  = errors.New("passphrase file that others can read")
	ErrMismatch = errors.New("the two passphrases differ; try again")
)

// finder looks for a passphrase; tests give it another environment and terminal.
type finder struct {
	getenv func(string) string
	// prompt asks on the terminal, or fails with ErrNone when there is none.
	prompt func(question string) ([]byte, error)
}

var system = finder{getenv: os.Getenv, prompt: promptTerminal}

// ReadKey reads the key file path, and finds the passphrase if the key is encrypted.
func ReadKey(path string) (*crypto.PrivateKey, error) { return system.readKey(path) }

// New finds the passphrase under which the key for the file path is to be sealed. On a terminal it is asked for twice.
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

// given returns the passphrase that the environment gives, or nil.
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

// readFile returns the content of a file without the newline that editors put at its end. The file may be a pipe; of a
// regular one at most the group may read it, since that is how service managers hand secrets to a user.
func readFile(path string) ([]byte, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // only read from
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o027 != 0 {
		return nil, fmt.Errorf("%w (mode %04o); mend it with: chmod 600 %s", ErrExposed, mode.Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(r, Limit+3)) // and a newline of two bytes
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
