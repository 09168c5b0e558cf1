package network

import (
	"errors"
	"io"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
)

// greetingClient is the stream of a client. It sends its greeting in two parts, and closes the stream when it has read
// the refusal.
type greetingClient struct {
	network.Stream
	parts  [][]byte
	closed bool
	read   int
}

func (c *greetingClient) CloseWrite() error {
	c.closed = true
	return nil
}

func (c *greetingClient) Read(b []byte) (int, error) {
	if len(c.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.parts[0])
	if c.parts[0] = c.parts[0][n:]; len(c.parts[0]) == 0 {
		c.parts = c.parts[1:]
	}
	c.read += n
	return n, nil
}

// A client that is refused while it sends its greeting gets the reason: the host reads the rest of the greeting, because
// unread bytes would reset the connection and the refusal would be lost. But it does not read without end.
func TestWaitForEnd_ReadsWhatTheClientSentMeanwhile(t *testing.T) {
	why := errors.New("no room")
	c := &greetingClient{parts: [][]byte{make([]byte, 100), make([]byte, 200)}}
	if err := waitForEnd(c, why); !errors.Is(err, why) || !c.closed || c.read != 300 {
		t.Errorf("%v, closed %t, read %d of 300 bytes", err, c.closed, c.read)
	}
	c = &greetingClient{parts: [][]byte{make([]byte, 10*maxUnread)}}
	if _ = waitForEnd(c, why); c.read > maxUnread {
		t.Errorf("%d bytes were read", c.read)
	}
}
