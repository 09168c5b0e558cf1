package passphrase

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

var errInterrupted = errors.New("interrupted")

// promptTerminal asks on standard error and reads a line from standard input without echo.
func promptTerminal(question string) ([]byte, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return nil, ErrNone
	}
	state, err := term.GetState(in)
	if err != nil {
		return nil, fmt.Errorf("prepare the terminal: %w", err)
	}
	if _, err := fmt.Fprint(os.Stderr, question); err != nil {
		return nil, fmt.Errorf("ask for the passphrase: %w", err)
	}
	// If the program is ended here, the terminal's echo must be switched on again.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(in)
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		_, _ = fmt.Fprintln(os.Stderr) // the user's newline was not echoed
		if a.err != nil {
			return nil, fmt.Errorf("read the passphrase: %w", a.err)
		}
		return checked(a.text)
	case <-stop:
		_, _ = fmt.Fprintln(os.Stderr)
		return nil, errors.Join(errInterrupted, term.Restore(in, state))
	}
}
