package page

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"tagma/internal/trace"
)

const ndjson = "application/x-ndjson"

// readPatience is how long a page may take to read what is sent to it. After that its connection is closed, and it must
// connect again.
const readPatience = 10 * time.Second

// Lines is a connection to a page, to which lines are written.
type Lines struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func newLines(w http.ResponseWriter) *Lines {
	w.Header().Set("Content-Type", ndjson)
	return &Lines{w, http.NewResponseController(w)}
}

// Write sends whole lines. The error says that the page has gone, or reads too slowly.
func (l *Lines) Write(lines []byte) error {
	_ = l.c.SetWriteDeadline(time.Now().Add(readPatience)) // an error means that this writer cannot have deadlines
	if _, err := l.w.Write(lines); err != nil {
		return err
	}
	return l.c.Flush()
}

// Hub keeps the last lines of events, within bounds, and gives them to every reader. A slow reader never makes Put wait.
// If a page reads so slowly that lines are dropped before it gets them, it gets a line that says how many are missing.
type Hub struct {
	header []byte
	bytes  int
	age    time.Duration
	now    func() time.Time

	mu     sync.Mutex
	kept   []chunk
	number uint64 // of the first chunk that is kept
	sum    int    // bytes that are kept
	lines  uint64 // put so far
	more   chan struct{}
	over   bool
}

// chunk is the lines of one call of Put.
type chunk struct {
	text   []byte
	at     time.Time
	before uint64 // lines that were put before it
}

// NewHub returns a hub. It begins each stream with the header, and keeps at most so many bytes, each for at most so
// long.
func NewHub(header []byte, bytes int, age time.Duration) *Hub {
	return &Hub{header: header, bytes: bytes, age: age, now: time.Now, more: make(chan struct{})}
}

// Put adds whole lines. The hub keeps the slice.
func (h *Hub) Put(lines []byte) {
	if len(lines) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	now := h.now()
	h.kept = append(h.kept, chunk{lines, now, h.lines})
	h.lines += uint64(bytes.Count(lines, []byte{'\n'}))
	h.sum += len(lines)
	gone := 0
	for gone < len(h.kept)-1 && (h.sum > h.bytes || now.Sub(h.kept[gone].at) > h.age) {
		h.sum -= len(h.kept[gone].text)
		gone++
	}
	if gone > 0 { // readers may still use the chunks that they were given, so the slice is copied
		h.kept, h.number = slices.Clone(h.kept[gone:]), h.number+uint64(gone)
	}
	close(h.more)
	h.more = make(chan struct{})
}

// End says that no more lines follow. Streams end when they have sent all lines.
func (h *Hub) End() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.over = true
		close(h.more)
	}
}

// after returns the kept chunks from a number on, the number of the first, and a channel that is closed when more come.
func (h *Hub) after(next uint64) (kept []chunk, number uint64, more <-chan struct{}, over bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if next < h.number {
		next = h.number
	}
	return h.kept[next-h.number:], next, h.more, h.over
}

// Stream writes the lines that are kept. Then it writes the line Kept, and then new lines as they come.
func (h *Hub) Stream(ctx context.Context, out *Lines) error {
	if err := out.Write(h.header); err != nil {
		return err
	}
	next, read := uint64(0), uint64(0)
	for live := false; ; live = true {
		kept, from, more, over := h.after(next)
		if len(kept) > 0 && live && kept[0].before > read {
			if err := out.Write(gap(kept[0].at, kept[0].before-read)); err != nil {
				return err
			}
		}
		for i, c := range kept {
			if err := out.Write(c.text); err != nil {
				return err
			}
			next, read = from+uint64(i)+1, c.before+uint64(bytes.Count(c.text, []byte{'\n'}))
		}
		// Kept is also written when the stream ends, so that a complete stream can be distinguished from one that was
		// cut off.
		if !live || over {
			if err := out.Write(Kept); err != nil {
				return err
			}
		}
		if over {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gap is the event that is sent to a slow reader in place of lines that it has missed.
func gap(at time.Time, lines uint64) []byte {
	e := &trace.Lost{Stamp: trace.Stamp{At: at.UnixMicro(), Replica: trace.None}, Events: lines}
	e.Event = e.Kind()
	text, _ := json.Marshal(e) // numbers can be written
	return append(text, '\n')
}
