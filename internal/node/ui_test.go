package node

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tagma/internal/trace"
	"tagma/pbft/wire"
)

// The page of a node shows the node's own events while somebody looks at it. Nothing can be changed on it.
func TestUI_ShowsThisReplicaWhileSomebodyLooks(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	b.startAll()
	b.until("all well", func(rs []Report) bool { return rs[1].Health == Healthy })
	n := b.nodes[1]
	if n.tap.Heard() {
		t.Error("events are made before anybody looks")
	}
	code, about := b.ask(1, "/ui/api/about")
	if code != http.StatusOK || !strings.Contains(about, `"mode":"node"`) || !strings.Contains(about, `"self":1`) || !strings.Contains(about, `"acts":[]`) {
		t.Errorf("%d %s", code, about)
	}
	if code, why := b.ask(1, "/ui/api/why"); code != http.StatusOK || !strings.Contains(why, `"causes":[]`) {
		t.Errorf("%d %s", code, why)
	}
	if code, page := b.ask(1, "/ui/"); code != http.StatusOK || !strings.Contains(page, "<") {
		t.Errorf("%d %s", code, page)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+n.Admin()+"/ui/api/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close() //nolint:errcheck // nothing was written
	l := b.load()
	l.put(20, 4)
	seen := map[string]bool{}
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	for !(seen["executed"] && seen["sent"] && seen["reports"]) && lines.Scan() {
		var line struct {
			Event, Frame string
			Replica      int
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Event != "" && line.Replica != 1 {
			t.Fatalf("%v, %s", err, lines.Text())
		}
		seen[line.Event+line.Frame] = true
	}
	if !seen["header"] || !seen["executed"] || !n.tap.Heard() {
		t.Errorf("seen were %v, heard: %t", seen, n.tap.Heard())
	}
	cancel()
	b.until("nobody listens any more", func([]Report) bool { return !n.tap.Heard() })
	// As short as the test.
	answer, err := http.Post("http://"+n.Admin()+"/ui/api/act", "application/json", strings.NewReader(`{"act":"kill","replicas":[1]}`)) //nolint:noctx
	if err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("an act: %v, %v", answer, err)
	}
	_ = answer.Body.Close()
	b.stopAll()
}

// While nobody listens, the messages that a replica sends are neither decoded nor copied.
func TestTrace_SendingCostsNothingWhereNobodyListens(t *testing.T) {
	nowhere := nowhere{}
	tap := trace.NewTap(1, 3, func() int64 { return 0 }, nil)
	out := &tappedTransport{Transport: nowhere, tap: tap, outside: 4}
	frame, reply := wire.Encode(&wire.Prepare{View: 1, Seq: 2}), &wire.Reply{}
	send := func() { out.Send(2, frame); out.Respond(reply) }
	if n := testing.AllocsPerRun(100, send); n > 0 {
		t.Errorf("sending allocates %v times", n)
	}
	heard := 0
	stop := tap.Listen(func(trace.Event) { heard++ })
	send()
	stop()
	send()
	if heard != 2 {
		t.Errorf("%d events were heard, want those of the time when somebody listened", heard)
	}
}

type nowhere struct{}

func (nowhere) Send(wire.ReplicaID, []byte) {}
func (nowhere) Respond(*wire.Reply)         {}
