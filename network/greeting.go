package network

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"unicode"
)

// The reasons for which a stream ends before it carries frames.
var (
	errMismatch = errors.New("the greetings differ")
	errTwice    = errors.New("another process under the same key is connected to it; stop one of the two")
)

// refusal is the beginning of what a replica sends, instead of its greeting, to a client for which it has no room. The
// reason follows.
const refusal = "tagma has no room: "

// noRoomError is the reason that a client received in such a refusal.
type noRoomError struct{ why string }

func (e *noRoomError) Error() string { return "has no room for this client: " + e.why }

// exchangeGreeting sends this host's greeting and reads the peer's. Both ends do so before anything else. The caller
// must have set a deadline.
func exchangeGreeting(stream io.ReadWriter, own []byte) (theirs []byte, err error) {
	if _, err := stream.Write(asFrame(own)); err != nil {
		return nil, fmt.Errorf("send the greeting: %w", err)
	}
	return readGreeting(stream, own)
}

func readGreeting(stream io.Reader, own []byte) (theirs []byte, err error) {
	if theirs, err = readFrame(stream, maxGreeting); err != nil {
		return nil, fmt.Errorf("read the greeting: %w", err)
	}
	if why, refused := strings.CutPrefix(string(theirs), refusal); refused {
		return theirs, &noRoomError{printable(why)}
	}
	if !bytes.Equal(own, theirs) {
		return theirs, errMismatch
	}
	return theirs, nil
}

// printable replaces every character that one line of a terminal cannot show.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// greetings remembers each member's last wrong greeting, so that a wrong configuration is reported once and not at
// every attempt to connect.
type greetings struct {
	own    []byte
	self   processID
	differ func(theirs []byte) string // nil: the usual words
	report func(replica int, theirs []byte)
	log    *slog.Logger

	mu    sync.Mutex
	wrong map[int][]byte
}

func newGreetings(own []byte, differ func([]byte) string, report func(int, []byte), log *slog.Logger) *greetings {
	return &greetings{
		own: bytes.Clone(own), self: newProcessID(), differ: differ, report: report, log: log, wrong: make(map[int][]byte),
	}
}

// mismatch is the error for a greeting that differs. It says how the replica differs, if that is known.
type mismatch struct{ how string }

func (m *mismatch) Error() string { return m.how }

// Is makes errors.Is find errMismatch in every mismatch.
func (m *mismatch) Is(target error) bool { return target == errMismatch }

// exchange exchanges greetings with a member by version 1 of the protocol, and reports a mismatch that was not reported
// before.
func (g *greetings) exchange(stream io.ReadWriter, with remote) error {
	theirs, err := exchangeGreeting(stream, g.own)
	return g.judge(with, theirs, err)
}

// open sends the greeting to a member that this host has dialled, by version 2 of the protocol, and returns what the
// member said about its process.
func (g *greetings) open(stream io.ReadWriter, with remote) (about, error) {
	if _, err := stream.Write(asFrame(g.with(accepted))); err != nil {
		return about{}, fmt.Errorf("send the greeting: %w", err)
	}
	return g.read(stream, with)
}

// answer exchanges greetings with a member that has dialled this host, by version 2 of the protocol. The function admit
// decides what the member is told about its process.
func (g *greetings) answer(stream io.ReadWriter, with remote, admit func(processID) verdict) error {
	theirs, err := g.read(stream, with)
	told := accepted
	if err == nil {
		told = admit(theirs.process)
	}
	if _, failed := stream.Write(asFrame(g.with(told))); failed != nil && err == nil {
		return fmt.Errorf("send the greeting: %w", failed)
	}
	if err == nil && told == refusedTwin {
		return errTwice
	}
	return err
}

// about follows the cluster's greeting in version 2 of the protocol.
type about struct {
	process processID
	told    verdict
}

func (g *greetings) with(told verdict) []byte {
	return append(append(bytes.Clone(g.own), g.self[:]...), byte(told))
}

func (g *greetings) read(stream io.Reader, with remote) (a about, err error) {
	theirs, err := readFrame(stream, maxGreeting+aboutBytes)
	if err != nil {
		return a, fmt.Errorf("read the greeting: %w", err)
	}
	if cut := len(theirs) - aboutBytes; cut >= 0 {
		a.told = verdict(theirs[len(theirs)-1])
		copy(a.process[:], theirs[cut:])
		theirs = theirs[:cut]
	}
	if !bytes.Equal(g.own, theirs) {
		err = errMismatch
	}
	return a, g.judge(with, theirs, err)
}

func (g *greetings) judge(with remote, theirs []byte, err error) error {
	switch {
	case err == nil:
		g.mu.Lock()
		delete(g.wrong, with.index)
		g.mu.Unlock()
	case errors.Is(err, errMismatch) && g.isNews(with.index, theirs):
		how := g.how(theirs)
		if how == "" {
			how = fmt.Sprintf("belongs to another cluster or configuration (its greeting is %s, ours %s); "+
				"give every replica and client the same cluster file", abbreviate(theirs), abbreviate(g.own))
		}
		g.log.Warn(fmt.Sprintf("%s %s", with, how))
		if g.report != nil {
			g.report(with.index, theirs)
		}
	}
	if how := g.how(theirs); errors.Is(err, errMismatch) && how != "" {
		return &mismatch{how}
	}
	return err
}

// how says in which respect another replica's greeting differs, or returns "" if Differ has no text for it.
func (g *greetings) how(theirs []byte) string {
	if g.differ == nil {
		return ""
	}
	return g.differ(theirs)
}

func (g *greetings) isNews(replica int, theirs []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	last, known := g.wrong[replica]
	if known && bytes.Equal(last, theirs) {
		return false
	}
	g.wrong[replica] = theirs
	return true
}

// abbreviate returns enough of a greeting to tell two apart, however long a greeting the peer sent.
func abbreviate(greeting []byte) string {
	const shown = 16
	if len(greeting) <= shown {
		return fmt.Sprintf("%x", greeting)
	}
	return fmt.Sprintf("%x…%x", greeting[:shown/2], greeting[len(greeting)-shown/2:])
}
