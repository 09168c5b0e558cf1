package page

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"tagma/internal/page"
	"tagma/testnet/local"
)

func TestMain(m *testing.M) {
	local.RunIfReplica()
	os.Exit(m.Run())
}

// live runs a cluster of four replicas with a page, and opens the page.
func live(t *testing.T) (*browser, *Live, *local.Cluster) {
	t.Helper()
	c, err := local.Create(Options(local.Options{Dir: t.TempDir(), Replicas: 4}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	l := NewLive(c, "a test")
	t.Cleanup(l.Close)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return browse(t, l.Page()), l, c
}

// seen is a line of a stream, with the fields that tests read.
type seen struct {
	Frame, Event, Step, What string
	At                       int64 `json:"at_us"`
	Replica, Against         int
	Seq                      uint64
	Reports                  []*struct{ Replica int }
}

// stream reads a stream until a line meets a condition.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
}

func (b *browser) stream() *stream {
	b.t.Helper()
	status, body := b.ask("stream", nil)
	if status != http.StatusOK {
		b.t.Fatal(status)
	}
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, longestLine)
	return &stream{b.t, lines}
}

func (s *stream) until(what string, is func(seen) bool) seen {
	s.t.Helper()
	for s.lines.Scan() {
		var line seen
		if err := json.Unmarshal(s.lines.Bytes(), &line); err != nil {
			s.t.Fatalf("%s: %v", s.lines.Text(), err)
		}
		if is(line) {
			return line
		}
	}
	s.t.Fatalf("the stream ends before %s: %v", what, s.lines.Err())
	return seen{}
}

// act performs an action that must succeed, and returns its result.
func (b *browser) act(text string) (out answer) {
	b.t.Helper()
	status, said := b.tries(text)
	for status == http.StatusGatewayTimeout { // on a slow machine a view change may take longer than the page waits
		status, said = b.tries(text)
	}
	if status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", text, status, said)
	}
	if err := json.Unmarshal([]byte(said), &page.Done{Result: &out}); err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b *browser) tries(text string) (status int, said string) {
	b.t.Helper()
	status, body := b.ask("act", json.RawMessage(text))
	all, err := io.ReadAll(body)
	if err != nil {
		b.t.Fatal(err)
	}
	return status, string(all)
}

// Each action of a page changes the cluster as it says, and the stream shows the action and its effects.
func TestLive_ActsHappenAndAreSeen(t *testing.T) {
	t.Parallel()
	b, _, c := live(t)
	s := b.stream()
	started := map[int]bool{}
	s.until("all replicas started", func(l seen) bool {
		if l.Event == "process" && l.Step == "started" {
			started[l.Replica] = true
		}
		return len(started) == 4
	})
	if got := b.act(`{"act":"put","key":"greeting","value":"hello"}`); got.Seq == 0 || len(got.Vouched) < 2 || got.Number == 0 {
		t.Errorf("put: %+v", got)
	}
	got := b.act(`{"act":"get","key":"greeting"}`)
	if got.Value == nil || *got.Value != "hello" || !got.Found || len(got.Vouched) < 2 {
		t.Errorf("get: %+v", got)
	}
	s.until("the slot that read it is executed", func(l seen) bool { return l.Event == "executed" && l.Seq == got.Seq })
	if got := b.act(`{"act":"get","key":"none"}`); got.Found || got.Value != nil {
		t.Errorf("get of nothing: %+v", got)
	}
	s.until("all replicas report", func(l seen) bool { return l.Frame == "reports" && len(l.Reports) == 4 && l.Reports[3] != nil })

	pid := c.Pid(0)
	b.act(`{"act":"malicious","replica":0,"behaviour":"equivocate","parameters":{"phase":"pre-prepare","to":""}}`)
	b.act(`{"act":"load","clients":4,"rate":200}`)
	s.until("evidence against replica 0", func(l seen) bool { return l.Event == "evidence" && l.Against == 0 })
	s.until("the next view", func(l seen) bool { return l.Event == "view" && l.Step == "entered" })
	if c.Pid(0) != pid {
		t.Error("the replica was restarted to make it malicious")
	}
	b.act(`{"act":"honest","replica":0}`)
	b.act(`{"act":"load"}`)
	b.act(`{"act":"put","key":"greeting","value":"again"}`)

	b.act(`{"act":"wipe","replicas":[2]}`)
	s.until("the wiped replica starts", func(l seen) bool { return l.Event == "process" && l.Replica == 2 && l.Step == "started" })
	if got := b.act(`{"act":"get","key":"greeting"}`); got.Value == nil || *got.Value != "again" {
		t.Errorf("get: %+v", got)
	}
	b.act(`{"act":"pause","replicas":[3]}`)
	s.until("the pause", func(l seen) bool { return l.Event == "process" && l.Replica == 3 && l.Step == "paused" })
	b.act(`{"act":"partition","groups":[[0],[1,2,3]]}`)
	b.act(`{"act":"link","from":1,"to":2,"both":true,"delay_ms":1,"loss":0.1}`)
	b.act(`{"act":"clock","replicas":[1],"by_ms":-5000}`)
	b.act(`{"act":"kill","replicas":[1]}`)
	s.until("one replica does not run", func(l seen) bool { return l.Frame == "reports" && l.Reports[1] == nil && l.Reports[0] != nil })
	b.act(`{"act":"heal"}`)
	s.until("the healing", func(l seen) bool {
		return l.Event == "fault" && l.Step == "healed" && strings.Contains(l.What, "everything")
	})
	if got := b.act(`{"act":"put","key":"greeting","value":"healed"}`); got.Seq == 0 {
		t.Errorf("put: %+v", got)
	}
	var why Why
	if b.get("why", &why); why.Cluster == "" {
		t.Errorf("%+v", why)
	}
	// A page that is opened later sees the earlier events in the same order as the first page. On a slow machine, lines
	// of different replicas may be seconds apart.
	again, events, met := b.stream(), 0, 0
	milestones := []func(l seen) bool{
		func(l seen) bool { return l.Event == "evidence" && l.Against == 0 },
		func(l seen) bool { return l.Event == "view" && l.Step == "entered" },
		func(l seen) bool { return l.Event == "process" && l.Replica == 2 && l.Step == "started" },
		func(l seen) bool { return l.Event == "process" && l.Replica == 3 && l.Step == "paused" },
		func(l seen) bool {
			return l.Event == "fault" && l.Step == "healed" && strings.Contains(l.What, "everything")
		},
	}
	again.until("the end of what is kept", func(l seen) bool {
		if l.Event != "" {
			events++
		}
		if met < len(milestones) && milestones[met](l) {
			met++
		}
		return l.Frame == "kept"
	})
	if events < 200 || met < len(milestones) {
		t.Errorf("only %d events are kept, and %d of %d milestones in their order", events, met, len(milestones))
	}
}

func TestLive_RefusesWhatCannotBeDone(t *testing.T) {
	t.Parallel()
	b, _, c := live(t)
	c.Kill(3)
	for text, want := range map[string]string{
		`{"act":"dance"}`:                                   `400 "bad" there is no act "dance"`,
		`{"act":"kill"}`:                                    `400 "bad" name at least one replica`,
		`{"act":"kill","replicas":[4]}`:                     `400 "bad" replicas [4]: name some of 0 to 3`,
		`{"act":"kill","replicas":[1,1]}`:                   `400 "bad" replicas [1 1]: name some of 0 to 3, each once`,
		`{"act":"kill","replicas":[3]}`:                     `409 "state" replica 3 does not run; start it first`,
		`{"act":"start","replicas":[0]}`:                    `409 "state" replica 0 runs already`,
		`{"act":"wipe"}`:                                    `400 "bad" name at least one replica`,
		`{"act":"wipe","replicas":[-1]}`:                    `400 "bad" replicas [-1]: name some`,
		`{"act":"malicious","replica":1,"behaviour":"lie"}`: `400 "bad" replica 1 cannot be malicious`,
		`{"act":"malicious","replica":1,"behaviour":"silent","parameters":{"to":"9"}}`: `400 "bad" replica 1 cannot be malicious`,
		`{"act":"honest"}`:                          `400 "bad" name at least one replica`,
		`{"act":"partition","groups":[[0,1],[1]]}`:  `400 "bad" groups [[0 1] [1]]`,
		`{"act":"link","from":1,"to":1}`:            `400 "bad" a link is from one replica to another`,
		`{"act":"link","from":1,"to":7}`:            `400 "bad" there is no replica 7`,
		`{"act":"link","from":1,"to":2,"loss":1.5}`: `400 "bad" loss = 1.5`,
		`{"act":"clock","replicas":[1]}`:            `400 "bad" a clock jumps by`,
		`{"act":"load","clients":1000,"rate":1}`:    `400 "bad" load is of 0 to 64 clients`,
		`{"act":"put"}`:                             `400 "bad" name a key`,
		`{"act":"card","name":"none"}`:              `400 "bad" there is no card "none"`,
	} {
		status, said := b.tries(text)
		var document struct{ Error, Code string }
		if err := json.Unmarshal([]byte(said), &document); err != nil {
			t.Fatal(said, err)
		}
		if got := fmt.Sprintf("%d %q %s", status, document.Code, document.Error); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if status, _ := b.ask("card/crash", nil); status != http.StatusNotFound {
		t.Errorf("a card that was not shown: %d", status)
	}
}

// A load can be started and ended, and its operations are counted.
func TestLive_LoadIsCounted(t *testing.T) {
	t.Parallel()
	b, l, _ := live(t)
	s := b.stream()
	b.act(`{"act":"load","clients":2,"rate":50}`)
	numbers := map[string]bool{}
	s.until("answers of both clients", func(l seen) bool {
		if l.Event == "request" {
			numbers[l.Step] = true
		}
		return numbers["asked"] && numbers["answered"]
	})
	s.until("the counts", func(line seen) bool {
		at := l.clients.loaded()
		return line.Frame == "load" && at.Acknowledged > 10 && at.Submitted >= at.Acknowledged
	})
	b.act(`{"act":"load"}`)
	if at := l.clients.loaded(); at.InFlight != 0 || at.Submitted != at.Acknowledged+at.Failed {
		t.Errorf("behind the end of the load: %+v", at)
	}
}

// A card is demonstrated in a cluster of its own. The page can then show its trace.
func TestLive_CardsAreShown(t *testing.T) {
	t.Parallel()
	b, _, _ := live(t)
	var about page.About
	if b.get("about", &about); len(about.Cards) == 0 || len(about.Questions) < 8 || len(about.Acts) != len(acts) || about.Behaviours == nil {
		t.Errorf("%d cards, %d questions, acts %v", len(about.Cards), len(about.Questions), about.Acts)
	}
	status, said := b.tries(`{"act":"card","name":"crash"}`)
	if status != http.StatusOK || !strings.Contains(said, `"shown":true`) || !strings.Contains(said, `"trace":"api/card/crash"`) {
		t.Fatalf("%d %s", status, said)
	}
	_, body := b.ask("card/crash", nil)
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, longestLine)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), `{"tagma_trace":1,`) || !lines.Scan() {
		t.Errorf("the trace begins with %s", lines.Text())
	}
}
