package network

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// errMismatch ends a stream whose ends belong to different clusters or configurations.
var errMismatch = errors.New("the greetings differ")

// exchangeGreeting sends the own greeting and reads the peer's. Both ends do so before anything else; the caller has
// set a deadline.
func exchangeGreeting(stream io.ReadWriter, own []byte) (theirs []byte, err error) {
	if _, err := stream.Write(asFrame(own)); err != nil {
		return nil, fmt.Errorf("send the greeting: %w", err)
	}
	if theirs, err = readFrame(stream, maxGreeting); err != nil {
		return nil, fmt.Errorf("read the greeting: %w", err)
	}
	if !bytes.Equal(own, theirs) {
		return theirs, errMismatch
	}
	return theirs, nil
}

// greetings remembers what each member greeted with last, so that a wrong configuration is reported when it is new and
// not at each attempt to connect.
type greetings struct {
	own    []byte
	report func(replica int, theirs []byte)
	log    *slog.Logger

	mu    sync.Mutex
	wrong map[int][]byte
}

func newGreetings(own []byte, report func(int, []byte), log *slog.Logger) *greetings {
	return &greetings{own: bytes.Clone(own), report: report, log: log, wrong: make(map[int][]byte)}
}

// exchange greets a member and reports a mismatch that was not reported before.
func (g *greetings) exchange(stream io.ReadWriter, with remote) error {
	theirs, err := exchangeGreeting(stream, g.own)
	switch {
	case err == nil:
		g.mu.Lock()
		delete(g.wrong, with.index)
		g.mu.Unlock()
	case errors.Is(err, errMismatch) && g.isNews(with.index, theirs):
		g.log.Warn(fmt.Sprintf("%s belongs to another cluster or configuration (its greeting is %s, ours %s); "+
			"give every replica and client the same cluster file", with, abbreviate(theirs), abbreviate(g.own)))
		if g.report != nil {
			g.report(with.index, theirs)
		}
	}
	return err
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

// abbreviate shows enough of a greeting to tell two apart, whatever a peer put into it.
func abbreviate(greeting []byte) string {
	const shown = 16
	if len(greeting) <= shown {
		return fmt.Sprintf("%x", greeting)
	}
	return fmt.Sprintf("%x…%x", greeting[:shown/2], greeting[len(greeting)-shown/2:])
}
