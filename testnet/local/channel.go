package local

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// channel is the launcher's end of a controlled replica's process.
type channel struct {
	in    *os.File
	ended chan struct{} // listen has heard all

	mu      sync.Mutex
	number  uint64
	waiting map[uint64]chan answer // by order
	counts  Counts
	closed  bool
}

// writePatience is for a write that a reader takes in microseconds.
const writePatience = 2 * time.Second

// errGone says that a replica ended before it answered.
var errGone = errors.New("the process ended before it answered")

// openChannel begins a channel with the first line.
func openChannel(in *os.File, first setup) (*channel, error) {
	line, err := json.Marshal(first)
	if err != nil {
		return nil, err
	}
	if _, err := in.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("tell a replica what was ordered before: %w", err)
	}
	return &channel{in: in, ended: make(chan struct{}), waiting: make(map[uint64]chan answer)}, nil
}

// send writes an order. The channel it returns has one answer, or is closed when the process has ended.
func (ch *channel) send(o order) (<-chan answer, error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.closed {
		return nil, errGone
	}
	ch.number++
	o.Number = ch.number
	line, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	back := make(chan answer, 1)
	ch.waiting[o.Number] = back
	// A paused replica reads nothing, and a pipe holds 64 KiB: a run must not hang on it.
	_ = ch.in.SetWriteDeadline(time.Now().Add(writePatience)) // where a pipe has none, it blocks
	if _, err := ch.in.Write(append(line, '\n')); err != nil {
		delete(ch.waiting, o.Number)
		return nil, err
	}
	return back, nil
}

// listen takes answers until the process ends.
func (ch *channel) listen(out io.ReadCloser) {
	defer close(ch.ended)
	defer out.Close() //nolint:errcheck // it was only read
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		var a answer
		if err == nil && json.Unmarshal(line, &a) == nil {
			ch.take(a)
		}
		if err != nil {
			break
		}
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.closed = true
	for _, back := range ch.waiting {
		close(back)
	}
	clear(ch.waiting)
}

func (ch *channel) take(a answer) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.counts = a.Counts
	if back, asked := ch.waiting[a.Number]; asked {
		delete(ch.waiting, a.Number)
		back <- a
	}
}

func (ch *channel) last() Counts {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.counts
}

// end waits until all was heard of a process that has ended, and returns its last counts.
func (ch *channel) end() Counts {
	<-ch.ended
	return ch.last()
}
