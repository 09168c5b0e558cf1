package page

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// streamOf serves a hub and returns a function that reads the stream from its beginning.
func streamOf(t *testing.T, h *Hub) func() *bufio.Scanner {
	t.Helper()
	p := &Page{Stream: h.Stream, Looking: 4}
	s := httptest.NewServer(p.Handler())
	t.Cleanup(s.Close)
	return func() *bufio.Scanner {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/api/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return bufio.NewScanner(answer.Body)
	}
}

// read reads so many lines.
func read(t *testing.T, s *bufio.Scanner, lines int) (got []string) {
	t.Helper()
	for range lines {
		if !s.Scan() {
			t.Fatalf("the stream ends behind %q: %v", got, s.Err())
		}
		got = append(got, s.Text())
	}
	return got
}

func line(n int) []byte { return fmt.Appendf(nil, "{\"n\":%d}\n", n) }

// A page first gets the lines that were kept, and then new lines. If its connection breaks and it connects again, it
// gets the same again.
func TestHub_BeginsWithWhatIsKeptAndGoesOn(t *testing.T) {
	h := NewHub(Header(trace.Header{Engine: "processes", Replicas: 4}), 1<<20, time.Hour)
	open := streamOf(t, h)
	h.Put(line(1))
	h.Put(append(line(2), line(3)...))
	first := open()
	want := []string{`{"frame":"header","tagma_trace":1,"engine":"processes","replicas":4}`, `{"n":1}`, `{"n":2}`, `{"n":3}`, `{"frame":"kept"}`}
	if got := read(t, first, 5); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the stream begins with %q, want %q", got, want)
	}
	h.Put(line(4))
	if got := read(t, first, 1); got[0] != `{"n":4}` {
		t.Errorf("then comes %q", got)
	}
	again := open()
	if got := read(t, again, 6); got[4] != `{"n":4}` || got[5] != `{"frame":"kept"}` {
		t.Errorf("whoever asks again gets %q", got)
	}
	h.End()
	for _, s := range []*bufio.Scanner{first, again} {
		if got := read(t, s, 1); got[0] != `{"frame":"kept"}` {
			t.Errorf("the stream ends with %q", got)
		}
		if s.Scan() || s.Err() != nil {
			t.Errorf("behind the end comes %q, %v", s.Text(), s.Err())
		}
	}
	if got := read(t, open(), 6); got[5] != `{"frame":"kept"}` {
		t.Errorf("whoever comes behind the end gets %q", got)
	}
}

func TestHub_KeepsSoManyBytesAndForSoLong(t *testing.T) {
	h := NewHub(nil, 10*len(line(10)), time.Minute)
	now := time.Unix(0, 0)
	h.now = func() time.Time { return now }
	for i := range 90 {
		h.Put(line(10 + i))
	}
	kept, _, _, _ := h.after(0)
	if len(kept) != 10 || string(kept[0].text) != string(line(90)) || kept[0].before != 80 {
		t.Errorf("%d chunks are kept, the first is %q", len(kept), kept[0].text)
	}
	now = now.Add(time.Minute + time.Second)
	h.Put(line(1))
	if kept, _, _, _ := h.after(0); len(kept) != 1 || string(kept[0].text) != string(line(1)) {
		t.Errorf("%d chunks are kept a minute later", len(kept))
	}
	h.Put([]byte(strings.Repeat("x", 1000) + "\n")) // the newest chunk is kept even if it is too long
	if kept, _, _, _ := h.after(0); len(kept) != 1 {
		t.Errorf("%d chunks are kept", len(kept))
	}
}

// slow is a page that reads only when the test tells it to.
type slow struct {
	http.ResponseWriter
	reads chan struct{}
	got   []string
}

func (s *slow) Write(b []byte) (int, error) {
	<-s.reads
	s.got = append(s.got, strings.TrimSpace(string(b)))
	return len(b), nil
}

func (s *slow) FlushError() error { return nil }

// Put never waits for a reader. A reader that has missed lines is told how many.
func TestHub_TellsASlowReaderWhatItMissed(t *testing.T) {
	h := NewHub(line(0), 3*len(line(1)), time.Hour)
	s := &slow{ResponseWriter: httptest.NewRecorder(), reads: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Stream(ctx, newLines(s)) }()
	s.reads <- struct{}{} // the header
	s.reads <- struct{}{} // kept
	h.Put(line(1))
	s.reads <- struct{}{}
	h.Put(line(2)) // is taken, and held up
	for i := range 7 {
		h.Put(line(3 + i)) // this would not return if Put waited for the reader
	}
	h.End()
	for range 10 {
		select {
		case s.reads <- struct{}{}:
		case err := <-ended:
			if err != nil {
				t.Errorf("the stream ended: %v", err)
			}
			told, missed := strings.TrimSuffix(strings.Join(s.got[2:], " "), ` {"frame":"kept"}`), 0
			for _, text := range s.got {
				var e struct {
					Event  string
					Events int
				}
				if json.Unmarshal([]byte(text), &e) == nil && e.Event == "lost" {
					missed += e.Events
				}
			}
			if lines := strings.Count(told, `{"n":`); lines+missed != 9 || missed < 1 || !strings.HasSuffix(told, `{"n":7} {"n":8} {"n":9}`) {
				t.Errorf("%d lines were told as missed: %s", missed, told)
			}
			cancel()
			return
		}
	}
	t.Fatal("the stream does not end")
}

// If a page does not read at all, its stream is ended.
func TestLines_ThatAreNotReadEndTheStream(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close() //nolint:errcheck // nothing was written
	if err := near.SetWriteDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	s := &deaf{ResponseWriter: httptest.NewRecorder(), Conn: near}
	h := NewHub(line(0), 1<<20, time.Hour)
	if err := h.Stream(t.Context(), newLines(s)); !errors.Is(err, errDeaf) || time.Until(s.deadline) > readPatience || s.deadline.IsZero() {
		t.Errorf("the stream ends with %v, deadline %v", err, s.deadline)
	}
}

var errDeaf = errors.New("nobody reads")

type deaf struct {
	http.ResponseWriter
	net.Conn
	deadline time.Time
}

func (d *deaf) Write([]byte) (int, error)              { return 0, errDeaf }
func (d *deaf) SetWriteDeadline(until time.Time) error { d.deadline = until; return nil }

// Under load, some slots are shown with all their events, and the number of events that are left out is reported.
func TestGatherer_TakesOneOfSoManySlotsWhole(t *testing.T) {
	var g Gatherer
	tap := trace.NewTap(1, 3, func() int64 { return 7 }, g.Put)
	slots := func() map[wire.Seq]int {
		seen := map[wire.Seq]int{}
		for s := wire.Seq(1); s <= 12; s++ {
			tap.Emit(&trace.Sent{To: 2, Message: trace.Say(&wire.Prepare{Seq: s})})
			tap.PrePrepared(0, s, wire.Digest{}, 1)
			tap.Prepared(0, s, wire.Digest{}, 3)
			tap.Committed(0, s, wire.Digest{}, 3, 1)
			tap.Executed(s, 1)
		}
		tap.Entered(1, "suspect")
		tap.Emit(&trace.Sent{To: 2, Message: trace.Say(&wire.Suspect{View: 1})})
		tap.Snapshotted(7, wire.Digest{})
		b := g.Take(1000)
		always := 0
		for _, e := range b.Events {
			var in struct {
				Event   string
				Seq     wire.Seq
				Message struct {
					Type string
					Seq  wire.Seq
				}
			}
			if err := json.Unmarshal(e.Line, &in); err != nil || e.At != 7 {
				t.Fatal(err, e.At)
			}
			switch {
			case in.Event == "view" || in.Event == "checkpoint" || in.Message.Type == "suspect":
				always++
			default:
				seen[max(in.Seq, in.Message.Seq)]++
			}
		}
		if always != 3 || uint64(5*len(seen))+b.LeftOut != 60 {
			t.Errorf("%d of the 3 that are always told, %d slots, %d left out", always, len(seen), b.LeftOut)
		}
		return seen
	}
	if whole := slots(); len(whole) != 12 {
		t.Errorf("of 12 slots %d are shown", len(whole))
	}
	g.Every(4)
	some := slots()
	if len(some) != 3 || some[4] != 5 || some[8] != 5 || some[12] != 5 {
		t.Errorf("one of 4 slots is %v", some)
	}
	g.Every(0)
	if whole := slots(); len(whole) != 12 {
		t.Errorf("whole again of 12 slots %d are shown", len(whole))
	}
}

// Whatever the load is, a followed client's requests are shown, with all events of their batches.
func TestGatherer_FollowsAClient(t *testing.T) {
	var g Gatherer
	tap := trace.NewTap(1, 3, func() int64 { return 7 }, g.Put)
	tap.Name(func(k wire.PublicKey) (int, bool) { return int(k[0]), true })
	g.Every(1 << 20)
	told := func(follow int) int {
		g.Follow(follow)
		for client := range byte(3) {
			id := wire.RequestID{Client: wire.PublicKey{client}, T: 5}
			seq := wire.Seq(100 + int(client))
			tap.Emit(&trace.Request{Client: int(client), Step: trace.Asked, Number: 5})
			tap.Received(port.Source{Client: true}, &wire.Request{ID: id})
			tap.Received(port.Source{}, &wire.PrePrepare{Seq: seq, Body: &wire.Body{Requests: []*wire.Request{{ID: id}}}})
			tap.Prepared(0, seq, wire.Digest{}, 3)
			tap.Emit(&trace.Sent{To: trace.None, Message: trace.Say(&wire.Reply{ID: id, Seq: seq})})
		}
		return len(g.Take(1000).Events)
	}
	if n := told(trace.None); n != 0 {
		t.Errorf("%d events are told where nobody is followed", n)
	}
	if n := told(1); n != 5 {
		t.Errorf("%d events of client 1 are told, want 5", n)
	}
}

// However seldom events are fetched, memory is bounded, and the number of dropped events is reported.
func TestGatherer_IsBounded(t *testing.T) {
	var g Gatherer
	tap := trace.NewTap(1, 3, func() int64 { return 7 }, g.Put)
	const more = 100
	for range room + more {
		tap.Entered(1, "suspect")
	}
	b := g.Take(2 * room)
	last := string(b.Events[len(b.Events)-1].Line)
	if len(b.Events) != room+1 || !strings.Contains(last, `"event":"lost","events":100`) {
		t.Errorf("%d events, the last is %s", len(b.Events), last)
	}
	tap.Entered(2, "suspect")
	tap.Entered(3, "suspect")
	if b := g.Take(1); len(b.Events) != 1 || b.Events[0].At != 7 {
		t.Errorf("%d events", len(b.Events))
	}
	if b := g.Take(5); len(b.Events) != 1 || !strings.Contains(string(b.Events[0].Line), `"view":3`) {
		t.Errorf("%d events", len(b.Events))
	}
}

// Under load, fewer and fewer slots are shown, halved each time. When the load is over, all are shown again. Small
// changes of the load change nothing.
func TestSampled_FollowsTheLoad(t *testing.T) {
	every := uint64(1)
	for _, step := range []struct {
		lines float64
		want  uint64
	}{{100, 1}, {6000, 1}, {6001, 2}, {9000, 2}, {5500, 2}, {50000, 16}, {90000, 16}, {30000, 8}, {4500, 8}, {3900, 1}, {0, 1}} {
		if every = Sampled(every, step.lines, 6000); every != step.want {
			t.Fatalf("with %v lines a second one of %d slots is shown, want %d", step.lines, every, step.want)
		}
	}
}
