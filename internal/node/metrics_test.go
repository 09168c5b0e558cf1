package node

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tagma/internal/replica"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

func TestMetrics_MoveAsRequestsExecute(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	b.startAll()
	l := b.load()
	before := b.scraped(0)
	l.put(20, 100)
	b.level(4)
	// A put returns when a quorum has replied. This replica may not have replied yet, so the test waits.
	var v map[string]float64
	b.until("this one replied", func([]Report) bool {
		v = b.scraped(0)
		return v["tagma_replies_total"] >= 20 && v["tagma_ready"] == 1
	})
	for name, atLeast := range map[string]float64{
		"tagma_operations_total": 20, "tagma_batch_requests_sum": 20, "tagma_executed": 8, "tagma_low_watermark": 8,
		"tagma_batch_seconds_count": 8, "tagma_journal_append_seconds_count": 8, "tagma_journal_records_total": 24,
		`tagma_phase_seconds_count{phase="prepare"}`: 8, `tagma_phase_seconds_count{phase="commit"}`: 8,
		`tagma_phase_seconds_count{phase="execute"}`: 8, `tagma_phase_seconds_count{phase="reply"}`: 8,
		"tagma_messages_received_total": 24, `tagma_peer_received_total{peer="1"}`: 8, `tagma_peer_sent_total{peer="2"}`: 8,
		`tagma_client_frames_total{what="received"}`: 20, `tagma_client_frames_total{what="sent"}`: 20,
	} {
		if v[name]-before[name] < atLeast {
			t.Errorf("%s rose from %v to %v, want by %v", name, before[name], v[name], atLeast)
		}
	}
	for name, want := range map[string]float64{
		"tagma_active": 1, "tagma_primary": oneIf(int(v["tagma_view"])%4 == 0), "tagma_diverged": 0, "tagma_clients": 1, "tagma_evidence_total": 0,
		`tagma_peer_connected{peer="3"}`: 1, `tagma_convicted{peer="1"}`: 0, `tagma_queue_capacity{queue="executor"}`: 37,
		"tagma_high_watermark": v["tagma_low_watermark"] + 32,
	} {
		if got, there := v[name]; !there || got != want {
			t.Errorf("%s = %v (%t), want %v", name, got, there, want)
		}
	}
	if v["tagma_journal_bytes"] < 256<<10 || v["tagma_store_bytes"] == 0 || v[`tagma_signatures_total{how="single"}`] == 0 {
		t.Errorf("journal %v, store %v bytes, %v signatures", v["tagma_journal_bytes"], v["tagma_store_bytes"],
			v[`tagma_signatures_total{how="single"}`])
	}
	if _, self := v[`tagma_peer_connected{peer="0"}`]; self {
		t.Error("a replica is its own peer")
	}
}

func TestMetrics_CountWhatIsRefused(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	b.startAll()
	w := b.asClient(b.fresh.Clients[0])
	// The frame that is not a message comes last, because it ends the link and so may take the frames after it along.
	for _, frame := range [][]byte{wire.Encode(&wire.Report{Document: []byte("{}")}), []byte("junk")} {
		// A quorum is connected, but replica 0 may not be in it.
		b.until("it is sent", func([]Report) bool { return w.send(0, frame) })
	}
	b.until("both are counted", func([]Report) bool {
		v := b.scraped(0)
		return v[`tagma_refused_total{link="client",why="malformed"}`] == 1 &&
			v[`tagma_refused_total{link="client",why="misplaced"}`] == 1
	})
}

func TestRefusals_EachErrorHasItsCause(t *testing.T) {
	t.Parallel()
	c := counters{peers: make([]byCause, 2)}
	r := &c.refusals
	for i, err := range []error{
		wire.ErrMalformed, wire.ErrSignature, wire.ErrUnknownMember, wire.ErrUnknownClient, wire.ErrInvalid, replica.ErrMisplaced,
		errors.New("something new"),
	} {
		c.addRefusal(linkKinds[i%2], []any{1, "a client"}[i%2], fmt.Errorf("wrapped: %w", err))
	}
	got := ""
	for i := range r {
		for k, c := range causes {
			got += fmt.Sprintf("%s=%d ", c, r[i][k].Load())
		}
	}
	const want = "malformed=1 signature=0 stranger=1 invalid=2 misplaced=0 malformed=0 signature=1 stranger=1 invalid=0 misplaced=1 "
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if peers := fmt.Sprint(c.refusedByPeer()); peers != "[{1 malformed 1} {1 stranger 1} {1 invalid 2}]" {
		t.Errorf("by peer: %s", peers)
	}
}

// documented finds the metrics that docs/metrics.md lists, as "type{labels}" by name.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `(tagma_[a-z_]+)` \\| ([a-z]+) \\| [^|]+ \\|([^|]*)\\| [^|]+ \\|$")
	label := regexp.MustCompile("(?:^|, |; )`([a-z]+)`(?::[^;]*)?")
	found := make(map[string]string)
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		if found[m[1]] != "" {
			t.Errorf("%s has two rows", m[1])
		}
		var labels []string
		for _, l := range label.FindAllStringSubmatch(strings.TrimSpace(m[3]), -1) {
			labels = append(labels, l[1])
		}
		slices.Sort(labels)
		found[m[1]] = m[2] + fmt.Sprint(labels)
	}
	return found
}

func TestMetrics_TheDocumentListsEveryOneAndNoOther(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.start(0)
	families, err := b.nodes[0].metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	listed := documented(t)
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "go_") || strings.HasPrefix(f.GetName(), "process_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		slices.Sort(labels)
		if is := strings.ToLower(f.GetType().String()) + fmt.Sprint(labels); listed[f.GetName()] != is {
			t.Errorf("%s is a %s; docs/metrics.md says %q", f.GetName(), is, listed[f.GetName()])
		}
		delete(listed, f.GetName())
	}
	for name := range listed {
		t.Errorf("docs/metrics.md lists %s, which is not registered", name)
	}
}

func TestMetrics_EveryReasonHasItsCounter(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../../pbft/port/effects.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, found := newMetrics(), 0
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if _, isImport := n.(*ast.ImportSpec); isImport || !ok {
			return !isImport
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		if found++; m.drops[port.Reason(text)] == nil {
			t.Errorf("no counter for %q: add it to port.Reasons", text)
		}
		return true
	})
	if found == 0 || found != len(m.drops) {
		t.Errorf("%d reasons in pbft, %d counters", found, len(m.drops))
	}
}
