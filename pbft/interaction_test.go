package pbft

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"tagma/pbft/wire"
)

// This test runs the interactions in testdata/*.txt: each has commands to a cluster, and the expected output.
// docs/testing.md says how to read them. After every step the invariants are checked.
func TestInteractions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no interactions: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			datadriven.RunTest(t, file, new(interaction).run)
		})
	}
}

// interaction is a file's cluster.
type interaction struct {
	*cluster
	d        *datadriven.TestData
	asked    map[int]int // number of the last request, by client
	cuts     []selection
	oldDisks map[wire.ReplicaID]*copyOf
}

// commands are all commands that a file may contain.
var commands = map[string]func(*interaction){
	"cluster": (*interaction).begin,
	"request": (*interaction).request,
	"order":   (*interaction).order,
	"lie":     (*interaction).lie,
	"deliver": (*interaction).deliver,
	"drop":    (*interaction).drop,
	"cut":     (*interaction).cut,
	"heal":    func(in *interaction) { in.cuts = nil },
	"tick":    (*interaction).tick,
	"run":     (*interaction).runFor,
	"crash":   func(in *interaction) { in.each((*node).crash) },
	"restart": func(in *interaction) { in.each((*node).start) },
	"wipe":    func(in *interaction) { in.each((*node).wipe) },
	"copy":    func(in *interaction) { in.each(func(n *node) { in.oldDisks[n.id] = n.copyDisk() }) },
	"restore": func(in *interaction) { in.each(func(n *node) { n.restore(in.oldDisks[n.id]) }) },
	"show":    (*interaction).show,
}

func (in *interaction) run(t *testing.T, d *datadriven.TestData) string {
	command := commands[d.Cmd]
	if command == nil || in.cluster == nil && d.Cmd != "cluster" {
		d.Fatalf(t, "no such command here: %s", d.Cmd)
	}
	in.d = d
	if in.cluster != nil {
		in.t, in.trace.verbose, in.trace.only = t, d.HasArg("verbose"), in.ids("only")
	} else {
		in.cluster = &cluster{t: t}
	}
	command(in)
	in.trace.endRound("")
	if text := in.trace.take(); !d.HasArg("quiet") {
		return text
	}
	return ""
}

// number returns the number in an argument. If the file does not give it, the number is from the configuration.
func (in *interaction) number(key string, otherwise int) int {
	in.d.MaybeScanArgs(in.t, key, &otherwise)
	return otherwise
}

// values returns the values of an argument that may have several.
func (in *interaction) values(key string) []string {
	arg, _ := in.d.Arg(key)
	return arg.Vals
}

// ids returns the replicas that an argument names.
func (in *interaction) ids(key string) []wire.ReplicaID {
	var list []wire.ReplicaID
	for _, v := range in.values(key) {
		list = append(list, in.id(v))
	}
	return list
}

func (in *interaction) id(text string) wire.ReplicaID {
	id, err := strconv.Atoi(text)
	if err != nil || id < 0 || id >= len(in.nodes) {
		in.t.Fatalf("%s: no such replica", text)
	}
	return wire.ReplicaID(id)
}

// duration is the first argument.
func (in *interaction) duration() time.Duration {
	d, err := time.ParseDuration(in.d.CmdArgs[0].Key)
	if err != nil {
		in.t.Fatal(err)
	}
	return d
}

// each calls a function for the replicas that are given as arguments without a key.
func (in *interaction) each(do func(*node)) {
	for _, arg := range in.d.CmdArgs {
		do(in.nodes[in.id(arg.Key)])
	}
}

// begin makes the cluster: K = checkpoint, L = window; T is a second.
func (in *interaction) begin() {
	in.cluster = begin(in.t, in.number("replicas", 4), func(cfg *wire.Config) {
		cfg.CheckpointInterval = wire.Seq(in.number("checkpoint", int(cfg.CheckpointInterval)))
		cfg.LogWindow = wire.Seq(in.number("window", int(cfg.LogWindow)))
		cfg.MaxBatch = in.number("batch", cfg.MaxBatch)
		cfg.MaxPending = in.number("pending", cfg.MaxPending)
	})
	in.asked, in.cuts, in.oldDisks = map[int]int{}, nil, map[wire.ReplicaID]*copyOf{}
	in.asks = in.d.HasArg("asks")
	in.trace = newTrace(len(in.nodes))
	in.filter = func(p *packet) bool {
		return !slices.ContainsFunc(in.cuts, func(r selection) bool { return r.takes(p) })
	}
}

// request makes a client send operations, one request each, to the primary or to the replicas in the argument to. If a
// number is given, an earlier request is sent again.
func (in *interaction) request() {
	client := in.number("client", 0)
	to := in.ids("to")
	if to == nil {
		to = []wire.ReplicaID{in.nodes[0].cfg.Primary(in.highestView())}
	}
	for _, op := range in.values("op") {
		number := in.number("number", in.asked[client]+1)
		in.asked[client] = max(in.asked[client], number)
		in.submit(in.cluster.request(client, uint64(number), op), to...)
	}
}

// order makes the cluster order requests of client 0 one by one, and prints nothing about it.
func (in *interaction) order() {
	for range in.number("count", 1) {
		in.asked[0]++
		in.submit(in.cluster.request(0, uint64(in.asked[0]), fmt.Sprint("op", in.asked[0])), in.nodes[0].cfg.Primary(in.highestView()))
		in.settle()
	}
	in.trace.forget()
}

// lie makes the primary of view 0 faulty. It signs a batch of one request for a sequence number and sends it to some
// replicas.
func (in *interaction) lie() {
	in.nodes[0].faulty = true
	in.asked[0]++
	b := &wire.Body{Time: 1, Requests: []*wire.Request{in.cluster.request(0, uint64(in.asked[0]), in.values("op")[0])}}
	for _, to := range in.ids("to") {
		in.put(0, to, in.sign(0, &wire.PrePrepare{Seq: wire.Seq(in.number("seq", 0)), Digest: b.Digest(), Body: b}))
	}
}

// selection selects some of the messages between replicas. A field that is not set selects all.
type selection struct {
	from, to []wire.ReplicaID
	types    []string
}

func (r selection) takes(p *packet) bool {
	return (r.from == nil || slices.Contains(r.from, p.from)) && (r.to == nil || slices.Contains(r.to, p.to)) &&
		(r.types == nil || slices.Contains(r.types, wire.TypeOf(p.msg).String()))
}

// selected is what the arguments from, to and type name.
func (in *interaction) selected() selection {
	return selection{from: in.ids("from"), to: in.ids("to"), types: in.values("type")}
}

// off removes the selected messages from the wire and returns them.
func (in *interaction) off(r selection) []packet {
	var taken, left []packet
	for _, p := range in.wire {
		if r.takes(&p) {
			taken = append(taken, p)
		} else {
			left = append(left, p)
		}
	}
	in.wire = left
	return taken
}

// deliver delivers the selected messages on the wire, or all. It also delivers the messages that are sent because of
// them, round by round.
func (in *interaction) deliver() {
	if in.d.HasArg("all") {
		in.rounds("")
		return
	}
	for _, p := range in.off(in.selected()) {
		in.receive(p)
	}
}

func (in *interaction) rounds(title string) {
	for len(in.wire) > 0 {
		for _, p := range in.off(selection{}) {
			in.receive(p)
		}
		if in.trace.endRound(title) {
			title = "then"
		}
	}
}

// drop removes the selected messages from the wire.
func (in *interaction) drop() {
	for _, p := range in.off(in.selected()) {
		in.trace.say(in.nodes[p.to], "loses %s", in.trace.message(p.msg))
	}
}

// cut drops the selected messages when they are sent, until the command heal.
func (in *interaction) cut() { in.cuts = append(in.cuts, in.selected()) }

// tick lets time pass at once, and delivers nothing.
func (in *interaction) tick() { in.clock(in.duration()) }

// runFor lets time pass in steps of 10 ms, and delivers all messages after each step. If several steps give the same
// output, it is printed once.
func (in *interaction) runFor() {
	before := in.trace.take()
	last := ""
	var again []string
	for end := in.now + in.duration(); in.now < end; {
		in.clock(10 * time.Millisecond)
		title := ""
		if in.trace.endRound("") {
			title = "then"
		}
		in.rounds(title)
		step, at := in.trace.take(), fmt.Sprintf("%dms", in.now.Milliseconds())
		switch {
		case step == "":
		case step == last:
			again = append(again, at)
		default:
			before += theSame(again) + "at " + at + "\n" + step
			last, again = step, nil
		}
	}
	in.trace.finished.WriteString(before + theSame(again))
}

func theSame(at []string) string {
	if at == nil {
		return ""
	}
	return "at " + strings.Join(at, " ") + ": the same\n"
}
