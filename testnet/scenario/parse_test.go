package scenario

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// example is a scenario with every kind of table.
const example = `name = "an equivocating primary is replaced"
about = "watch the view"
replicas = 4
machine = "kv"
seed = 7

[settings]
view_timeout = "500ms"
checkpoint_interval = 10
log_window = 20
fast_reads = false

[workload]
kind = "mixed"
clients = 4
operations = 2000
value_bytes = 100
rate = 0
baseline = true

[[malicious]]
replica = 0
behaviour = "equivocate"
phase = "pre-prepare"
from_seq = 5
from = "1s"
until = "20s"

[[event]]
at = "2s"
do = "pause"
targets = [1]
for = "2T"

[network]
delay = "1ms"
loss = 0.01

[[event]]
at = "5s"
do = "partition"
groups = [[0, 1], [2, 3]]

[[event]]
at = "6s"
do = "link"
from = [0]
to = [3]
delay = "5T"
loss = 0.3

[[event]]
after_operations = 500
do = "release"
name = "release-a"

[[event]]
at = "7s"
do = "isolate"
direction = "in"
targets = [2]
for = "100ms"
every = "300ms"
times = 3

[[rule]]
match = { type = "commit", view = 0, seq = "1..20", from = [1], to = [2] }
action = "hold"
until = "release-a"

[[script]]
at = "0s"
from = 0
to = [1, 2]
send = { type = "pre-prepare", view = 0, seq = 1, batch = ["c0:1 put k a"] }

[[script]]
at = "9s"
from = 0
to = [1]
[script.send]
type = "view-change"
view = 3
from_recorded = { prepared = ["0:1", "2:1"], stable = 10 }

[expect]
safe = true
acknowledged = "all"
max_view_changes = 1
max_final_view = 1
min_throughput_ratio = 0.9
commits_within = "3T"
max_latency = "4T"
evidence = [0]
digests_equal = true
order = ["c0:1 put k a"]
`

func parse(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := Parse("x.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse_TakesEveryKeyOfTheContract(t *testing.T) {
	s := parse(t, example)
	const T = 500 * time.Millisecond
	if s.Name != "an equivocating primary is replaced" || s.About != "watch the view" || s.Replicas != 4 || s.Machine != "kv" || s.Seed != 7 {
		t.Errorf("%+v", s)
	}
	if s.ViewTimeout() != T || s.Settings.CheckpointInterval != 10 || s.Settings.LogWindow != 20 {
		t.Errorf("settings: %+v", s.Settings)
	}
	if want := (Workload{Kind: "mixed", Clients: 4, Operations: 2000, ValueBytes: 100, Baseline: true}); s.Workload != want {
		t.Errorf("workload: %+v", s.Workload)
	}
	if want := (links.Link{Delay: time.Millisecond, Loss: 0.01}); s.Network != want {
		t.Errorf("network: %+v", s.Network)
	}
	if m := s.Malicious[0]; m.Replica != 0 || m.Client != nil || m.Choice.String() != "equivocate,phase=pre-prepare,from_seq=5" ||
		m.From != time.Second || m.Until != 20*time.Second {
		t.Errorf("malicious: %+v", m)
	}
	r := s.Rules[0]
	want := links.Match{Types: links.Types{wire.TypeCommit}, View: new(wire.View(0)), SeqFrom: 1, SeqTo: 20, From: []wire.ReplicaID{1}, To: []wire.ReplicaID{2}}
	if !reflect.DeepEqual(r.Match, want) || r.Action != links.Hold || r.Name != "release-a" {
		t.Errorf("rule: %+v", r)
	}
	if p := s.Scripts[0].Send; p.Type != wire.TypePrePrepare || p.Seq != 1 || len(p.Batch) != 1 || p.Batch[0].String() != "c0:1 put k a" {
		t.Errorf("script: %+v", p)
	}
	if p := s.Scripts[1].Send; p.View != 3 || !slices.Equal(p.FromRecorded.Prepared, []Slot{{View: 0, Seq: 1}, {View: 2, Seq: 1}}) || p.FromRecorded.Stable != 10 {
		t.Errorf("script: %+v", p)
	}
	e := s.Expect
	if !*e.Safe || *e.Acknowledged != All || *e.MaxViewChanges != 1 || *e.MaxFinalView != 1 || *e.MinThroughputRatio != 0.9 ||
		*e.CommitsWithin != 3*T || *e.MaxLatency != 4*T || !slices.Equal(e.Evidence, []wire.ReplicaID{0}) || !*e.DigestsEqual || len(e.Order) != 1 {
		t.Errorf("expect: %+v", e)
	}
}

func TestParse_ARequestIsWhatItSays(t *testing.T) {
	const text = "name = \"x\"\n[workload]\nclients = 2\noperations = 10\n[[request]]\nclient = 2\nsession = 5\n" +
		"number = \"18446744073709551615\"\noperations = [\"put k a\", \"get k\"]\n"
	s := parse(t, text+"when = \"replica 2 executed 1\"\nto = [3, 1]\nsignature = \"of c1\"\nacked_below = 7\nanswer = [\"executed\", \"conflict\"]\n")
	r := s.Requests[0]
	if r.Client != 2 || r.Session != 5 || r.Number != 1<<64-1 || r.AckedBelow != 7 || len(r.Operations) != 2 || r.Operations[1].Kind != "get" ||
		!slices.Equal(r.To, []wire.ReplicaID{3, 1}) || *r.Signature.By != 1 || len(r.Answer) != 2 || len(s.Facts()) != 1 || !s.HasFaults() {
		t.Errorf("%+v", r)
	}
	if r := parse(t, text+"at = \"1s\"\n").Requests[0]; len(r.To) != 4 || r.Signature.Signature != "good" || r.At != time.Second || r.Answer != nil {
		t.Errorf("%+v", r)
	}
	f := s.Faultless()
	if f.Expect.Safe == nil || !*f.Expect.Safe {
		t.Error("a run without faults is not expected to be safe")
	}
	if len(f.Requests) > 0 {
		t.Error("the run without faults has requests")
	}
}

func TestParse_EventsAreExpanded(t *testing.T) {
	var got []string
	for _, e := range parse(t, example).Events {
		got = append(got, e.At.String()+" "+e.What())
	}
	want := []string{
		"2s pause replica1", "3s resume replica1", "5s partition [[0 1] [2 3]]", "6s link [0] to [3]", "0s release release-a",
		"7s isolate (deaf) replica2", "7.1s heal replica2", "7.3s isolate (deaf) replica2", "7.4s heal replica2",
		"7.6s isolate (deaf) replica2", "7.7s heal replica2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	s := parse(t, example)
	if link := s.Events[3].Link; link != (links.Link{Delay: 2500 * time.Millisecond, Loss: 0.3}) {
		t.Errorf("a link event changes what it names and nothing else: %+v", link)
	}
}

func TestCommands_SuitTheLinks(t *testing.T) {
	s := parse(t, example)
	p := links.New(s.Replicas, s.Network, nil)
	given := 0
	for _, e := range s.Events {
		if c, is := e.LinkCommand(); is {
			if _, err := p.Do(0, c); err != nil {
				t.Errorf("%s: %v", e.What(), err)
			}
			given++
		}
	}
	if _, err := p.Do(0, s.Rules[0].Command()); err != nil || given != 9 {
		t.Errorf("%d commands, %v", given, err)
	}
}

func TestWhyNot_ScriptsRunInTheSimulatorAlone(t *testing.T) {
	s := parse(t, example)
	if line, why := s.WhyNot(OnProcesses); line != 1+strings.Count(example[:strings.Index(example, "[[script]]")], "\n") || !strings.Contains(why, "--engine sim") {
		t.Errorf("line %d: %s", line, why)
	}
	if _, why := s.WhyNot(OnSim); why != "" {
		t.Error(why)
	}
	if _, why := parse(t, "name = \"x\"\n[workload]\noperations = 10\nkeys = 1000\n").WhyNot(OnSim); !strings.Contains(why, "--engine processes") {
		t.Errorf("keys in advance: %q", why)
	}
	if _, why := parse(t, "name = \"x\"\n").WhyNot(OnProcesses); why != "" {
		t.Error(why)
	}
}

func TestParse_AClientCanBeMalicious(t *testing.T) {
	s := parse(t, "name = \"x\"\n[[malicious]]\nclient = 2\nbehaviour = \"client-equivocation\"\n")
	if m := s.Malicious[0]; m.Client == nil || *m.Client != 2 || m.Who() != "c2" || len(s.Faulty()) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestParse_AParameterNamedLikeAKeyStandsApart(t *testing.T) {
	s := parse(t, "name = \"x\"\n[[malicious]]\nreplica = 2\nbehaviour = \"receive-omission\"\nfrom = \"1s\"\nparameters = { types = [\"commit\", \"prepare\"] }\n")
	if m := s.Malicious[0]; m.From != time.Second || m.Choice.Values["types"] != "commit+prepare" {
		t.Errorf("%+v", m)
	}
}

func TestParse_SomeBehavioursAreReplicasAndClients(t *testing.T) {
	s := parse(t, "name = \"x\"\n[[malicious]]\nreplica = 2\nbehaviour = \"malformed\"\n[[malicious]]\nclient = 1\nbehaviour = \"malformed\"\nevery = \"50ms\"\n")
	if a, b := s.Malicious[0], s.Malicious[1]; a.Who() != "replica2" || b.Who() != "c1" {
		t.Errorf("%+v %+v", a, b)
	}
}

func TestParse_ASafeFalseAllowsTooManyAttackers(t *testing.T) {
	text := "name = \"x\"\n[[malicious]]\nreplica = 0\nbehaviour = \"silent\"\n[[malicious]]\nreplica = 1\nbehaviour = \"silent\"\n"
	if _, err := Parse("x", []byte(text)); err == nil {
		t.Error("two of four are too many")
	}
	if got := parse(t, text+"[expect]\nsafe = false\n").Faulty(); !slices.Equal(got, []wire.ReplicaID{0, 1}) {
		t.Errorf("%v", got)
	}
}

func TestReadAll_RefusesTwoFilesWithOneName(t *testing.T) {
	dir := t.TempDir()
	paths := []string{dir + "/a.toml", dir + "/b.toml"}
	for _, p := range paths {
		write(t, p, "# a comment\nname = \"x\"\n")
	}
	_, err := ReadAll(paths)
	var refused *Error
	if !errors.As(err, &refused) || refused.Line != 2 || !strings.Contains(err.Error(), paths[0]) {
		t.Errorf("%v", err)
	}
	if all, err := ReadAll(paths[:1]); err != nil || len(all) != 1 {
		t.Errorf("%v", err)
	}
}

func TestRead_NamesAFileThatIsNotThere(t *testing.T) {
	if _, err := Read("nowhere.toml"); err == nil || !strings.Contains(err.Error(), "nowhere.toml") {
		t.Errorf("%v", err)
	}
}

// Whatever the bytes are, Parse refuses them in one line that names the file, or returns a scenario within the limits.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("name = \"x\"\nevent = [{ at = \"1s\", do = \"kill\", targets = [0, 9] }]\n"))
	f.Add([]byte("name = \"x\"\n[[rule]]\n[rule.match]\nseq = \"1..x\"\n"))
	f.Add([]byte("[[event]]\n[event.x]\n[[event.x.y]]\na.b = 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("x.toml", text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || !strings.HasPrefix(err.Error(), "x.toml") {
				t.Errorf("%q", err)
			}
			return
		}
		p := links.New(s.Replicas, s.Network, nil)
		for _, e := range s.Events[:min(len(s.Events), 10)] {
			for _, id := range e.Targets {
				if int(id) >= s.Replicas {
					t.Errorf("%s has an impossible target", e.What())
				}
			}
			if c, is := e.LinkCommand(); is {
				if _, err := p.Do(0, c); err != nil {
					t.Errorf("%s: %v", e.What(), err)
				}
			}
		}
	})
}
