package network

import (
	"errors"
	"io"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
)

// greetingClient is a client's stream: its greeting comes in two parts, and it hangs up when it has read the refusal.
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

// A client that is refused while it sends its greeting learns why: the host reads the rest, since unread bytes would
// reset the connection and lose the refusal. But it does not read for ever.
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
