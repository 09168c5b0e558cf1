package trace

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// samples has one event of each kind, with every field set.
func samples() []Event {
	d := Digest{0xab, 1}
	vote := Say(&wire.Prepare{View: 1, Seq: 2, Digest: wire.Digest(d), Replica: 3})
	return []Event{
		&Sent{To: 2, Bytes: 120, Message: vote},
		&Received{From: None, Message: Say(&wire.Request{ID: wire.RequestID{Session: 1, T: 7}})},
		&Refused{From: 2, Message: Say(nil), Why: "truncated"},
		&Dropped{Message: vote, Why: port.ReasonDuplicate},
		&Quarantined{From: None, For: 250_000},
		&Phase{Phase: Prepared, View: 1, Seq: 2, Digest: d, Requests: 4, Votes: 3, Quorum: 3},
		&Executed{Seq: 2, Requests: 4},
		&View{Step: AskedFor, View: 2, Cause: Timer, Suspects: []int{0, 3}},
		&Checkpoint{Step: Taken, Seq: 4, Digest: d},
		&Synced{Records: 5, Took: 210},
		&Transfer{Step: Moving, Seq: 8, Share: 0.5, Bytes: 4096},
		&Evidence{Against: 3, Proves: string(wire.Equivocation), First: vote, Second: vote},
		&Diverged{Seq: 4, Own: d, Stable: Digest{1}},
		&Split{Seq: 4, Votes: []Opinion{{0, d}, {1, Digest{1}}}},
		&Forgot{Said: "prepare v1 s2 ab010000", Witness: 1},
		&Process{Step: Started, View: 1, Seq: 2, Why: "a new life"},
		&Fault{Step: Fired, Does: "kill replica1"},
		&Request{Client: 1, Step: Answered, Number: 7, Seq: 2},
		&Lost{Events: 9},
	}
}

func stampAll(events []Event) []Event {
	clock := int64(0)
	out := make([]Event, 0, len(events))
	tap := NewTap(2, 3, func() int64 { clock += 1500; return clock }, func(e Event) { out = append(out, e) })
	for _, e := range events {
		tap.Emit(e)
	}
	return out
}

func fileOf(t *testing.T, events []Event) string {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, Header{Engine: Simulated, Replicas: 4, Seed: 7})
	for _, e := range events {
		w.Put(e)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func readAll(t *testing.T, r *Reader) (events []Event) {
	t.Helper()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

// Every kind of event is the same after it was written to a file and read again, and has the same description.
func TestFile_HoldsEveryKindOfEvent(t *testing.T) {
	events := stampAll(samples())
	if len(events) != len(Kinds()) {
		t.Fatalf("%d kinds of %d have a sample", len(events), len(Kinds()))
	}
	text := fileOf(t, events)
	r, err := NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Header{Trace: Version, Engine: Simulated, Replicas: 4, Seed: 7}); r.Header != want {
		t.Errorf("the header is %+v", r.Header)
	}
	got := readAll(t, r)
	if len(got) != len(events) {
		t.Fatalf("%d events of %d were read", len(got), len(events))
	}
	for i, e := range got {
		if Text(e, 0) != Text(events[i], 0) || reflect.TypeOf(e) != reflect.TypeOf(events[i]) || Of(e) != Of(events[i]) {
			t.Errorf("%q was read as %q", Text(events[i], 0), Text(e, 0))
		}
	}
	if again := fileOf(t, got); again != text {
		t.Errorf("what was read is written as\n%s\nand not as\n%s", again, text)
	}
}

// docs/trace.md lists each kind of event, and every field.
func TestFormat_IsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/trace.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range kinds {
		_, section, found := strings.Cut(string(doc), "| `"+e.Kind()+"` |")
		if !found {
			t.Errorf("docs/trace.md has no row for %s", e.Kind())
			continue
		}
		row, _, _ := strings.Cut(section, "\n")
		for f := range reflect.TypeOf(e).Elem().Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !strings.Contains(row, "`"+name) {
				t.Errorf("docs/trace.md does not say what %s of %s is", name, e.Kind())
			}
		}
	}
}

func TestReader_SkipsWhatANewerVersionHas(t *testing.T) {
	text := `{"tagma_trace":2,"engine":"sim","replicas":4,"colour":"red"}
{"at_us":1,"replica":0,"event":"dreamt","of":"sheep"}
{"at_us":2,"replica":0,"event":"executed","seq":1,"requests":1,"mood":"good"}
{"at_us":3,"replica":1,"event":"dreamt"}
`
	r, err := NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, r); len(got) != 1 || got[0].Kind() != "executed" || r.Unknown["dreamt"] != 2 {
		t.Errorf("%d events were read, and unknown are %v", len(got), r.Unknown)
	}
}

func TestReader_NamesTheLineThatIsWrong(t *testing.T) {
	head := `{"tagma_trace":1,"engine":"sim","replicas":4}` + "\n"
	for text, want := range map[string]string{
		"":                          "it is empty",
		"hello\n":                   "line 1: not the head of a trace",
		`{"a":1}` + "\n":            "line 1: not the head of a trace",
		head + "nonsense\n":         "line 2: not an event",
		head + `{"at_us":1}` + "\n": "line 2: not an event: it names no event",
		head + `{"at_us":1,"replica":0,"event":"executed","seq":"one"}`:         "line 2: not of kind executed",
		head + `{"at_us":1,"replica":0,"event":"checkpoint","digest":"zz"}`:     `"zz" is no digest`,
		head + `{"at_us":1,"replica":0,"event":"checkpoint","seq":3}` + "\n{\n": "line 3: not an event",
	} {
		r, err := NewReader(strings.NewReader(text))
		for err == nil {
			_, err = r.Next()
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is refused with %q, want %q", text, err, want)
		}
	}
}

// gate is a file whose writes wait until the test lets them through.
type gate struct {
	bytes.Buffer
	open   chan struct{}
	closed bool
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.open
	return g.Buffer.Write(b)
}

func (g *gate) Close() error { g.closed = true; return nil }

// A recorder that is too slow delays nobody. Events are left out, and the file says how many.
func TestRecorder_NeverWaitsAndCountsWhatItLost(t *testing.T) {
	const room, told = 8, 1000
	g := &gate{open: make(chan struct{})}
	r := newRecorder(g, Header{Replicas: 4}, room)
	tap := NewTap(0, 3, func() int64 { return 1 }, r.Put)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range told / 4 {
				tap.Emit(&Executed{Seq: 1})
			}
		})
	}
	wait.Wait() // this would not return if Put waited
	close(g.open)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	tap.Emit(&Executed{Seq: 2}) // after the end, the event goes to no listener

	read, err := NewReader(&g.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	kept, lost := 0, uint64(0)
	for _, e := range readAll(t, read) {
		if gap, is := e.(*Lost); is {
			lost += gap.Events
		} else {
			kept++
		}
	}
	if kept+int(lost) != told || kept > room+1 || lost == 0 || !g.closed {
		t.Errorf("%d events were kept and %d told as lost, of %d; closed %t", kept, lost, told, g.closed)
	}
}

// Merge combines the events of several processes in the order of time. It ignores a line that is incomplete because a
// process was killed.
func TestMerge_OrdersByTime(t *testing.T) {
	at := func(replica int, times ...int64) string {
		var all []Event
		for _, us := range times {
			all = append(all, &Executed{Stamp: Stamp{At: us, Replica: replica, Event: "executed"}, Seq: wire.Seq(us)})
		}
		return fileOf(t, all)
	}
	torn := at(1, 2, 5, 9)
	var out bytes.Buffer
	err := Merge(&out, Header{Engine: "processes", Replicas: 2}, []io.Reader{
		strings.NewReader(at(0, 1, 4, 6)), strings.NewReader(torn[:len(torn)-10]), strings.NewReader(""), strings.NewReader(at(2)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, e := range readAll(t, r) {
		got = append(got, Of(e).At)
	}
	if want := []int64{1, 2, 4, 5, 6}; !reflect.DeepEqual(got, want) || r.Header.Engine != "processes" {
		t.Errorf("the times are %v, want %v; header %+v", got, want, r.Header)
	}
	if err := Merge(io.Discard, Header{}, []io.Reader{strings.NewReader("no trace\n")}); err == nil {
		t.Error("what is no trace was merged")
	}
}

// A request can be followed: the request itself, its replies and the batches that contain it all name it by the number
// of its client, if that is known.
func TestMessage_NamesTheRequest(t *testing.T) {
	id := wire.RequestID{Client: wire.PublicKey{1}, Session: 5, T: 7}
	stranger := wire.RequestID{Client: wire.PublicKey{0xab, 0xcd, 0xef, 1}, Session: 5, T: 8}
	many := make([]*wire.Request, 40)
	for i := range many {
		many[i] = &wire.Request{ID: stranger}
	}
	many[0] = &wire.Request{ID: id}
	for want, m := range map[string]wire.Message{
		`"client":3,"number":7,`:                 &wire.Request{ID: id},
		`"seq":9,"client":3,"number":7,`:         &wire.Reply{ID: id, Seq: 9},
		`"client":"abcdef01","number":8,`:        &wire.Request{ID: stranger},
		`"requests":[{"client":3,"number":7},{"`: &wire.PrePrepare{Seq: 9, Body: &wire.Body{Requests: many}},
	} {
		var out []Event
		tap := NewTap(2, 3, func() int64 { return 1 }, func(e Event) { out = append(out, e) })
		tap.Name(func(k wire.PublicKey) (int, bool) { return 3, k == id.Client })
		tap.Emit(&Sent{To: 1, Message: Say(m)})
		text := fileOf(t, out)
		if !strings.Contains(text, want) || strings.Count(text, `"number"`) > mostRequests {
			t.Errorf("%T is written as\n%s\nwithout %s", m, text, want)
		}
		r, err := NewReader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if again := fileOf(t, readAll(t, r)); again != text {
			t.Errorf("what was read is written as\n%s\nand not as\n%s", again, text)
		}
	}
}
