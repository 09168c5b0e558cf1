package replica

import (
	"testing"
	"time"

	"tagma/checkpoint/transfer"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// testHost is a Host that keeps jobs and messages until the test takes them.
type testHost struct {
	now    time.Duration
	events []port.Event
	sent   []letter
	jobs   []func() func()
	flush  time.Duration
}

type letter struct {
	to wire.ReplicaID
	m  wire.Message
}

func (h *testHost) Beside(job func() func())               { h.jobs = append(h.jobs, job) }
func (h *testHost) FlushAfter(d time.Duration)             { h.flush = d }
func (h *testHost) Now() time.Duration                     { return h.now }
func (h *testHost) Report(ev port.Event)                   { h.events = append(h.events, ev) }
func (h *testHost) Send(to wire.ReplicaID, m wire.Message) { h.sent = append(h.sent, letter{to, m}) }

// settle runs the jobs that were begun.
func (h *testHost) settle() {
	jobs := h.jobs
	h.jobs = nil
	for _, job := range jobs {
		job()()
	}
}

// count is how many events of a type were reported.
func count[E port.Event](h *testHost) (n int) {
	for _, ev := range h.events {
		if _, is := ev.(E); is {
			n++
		}
	}
	return n
}

// world is a cluster in which replica 0 fetches a state from the others. Each step of time is a sixteenth of a view
// timeout.
type world struct {
	t        testing.TB
	cfg      wire.Config
	host     *testHost
	store    *testStore
	mover    *Mover
	donors   []*scripted // by replica; nil: down
	onItsWay []answerOf
	cut      bool // nothing arrives anywhere
	rate     int  // how many messages a donor handles in a step; 0: all
	deaf     bool // the core takes nothing
	core     wire.StableCert
	whole    wire.Seq // the checkpoint that was switched to
	seen     int      // events
	each     func()   // called before each step, if it is not nil
}

type answerOf struct {
	from wire.ReplicaID
	m    *wire.Data
}

// scripted is a donor whose answers a test can replace.
type scripted struct {
	*Donor
	store *testStore
	in    []letter
	out   []*wire.Data
	// returns what is sent instead of the answer to a question; nil: the real answers are sent
	spoil func(m *wire.FetchState, out []*wire.Data) []*wire.Data
	asked map[wire.Seq]int // questions about each checkpoint
}

// newWorld makes n replicas whose state has this many keys. All replicas but replica 0 serve checkpoint 8, and replica 0
// is told of that checkpoint.
func newWorld(t testing.TB, n, keys int) *world {
	w := &world{t: t, cfg: testConfig(n), host: &testHost{now: time.Hour}, store: loaded(t, newMedium())}
	w.mover = newMover(&w.cfg, w.host, w.store, 0)
	w.donors = make([]*scripted, n)
	for id := 1; id < n; id++ {
		s := &scripted{store: loaded(t, newMedium()), asked: map[wire.Seq]int{}}
		cfg := w.cfg
		cfg.Self = wire.ReplicaID(id)
		s.Donor = NewDonor(&cfg, s.store, &Votes{}, func(_ wire.ReplicaID, m wire.Message) { s.out = append(s.out, m.(*wire.Data)) })
		w.donors[id] = s
	}
	w.checkpoint(8, keys)
	w.tell(w.donors[1].offers[0])
	return w
}

// checkpoint makes donors take a checkpoint and offer it. It takes the given donors, or all if none are given.
func (w *world) checkpoint(seq wire.Seq, keys int, ids ...wire.ReplicaID) {
	w.t.Helper()
	if len(ids) == 0 {
		for id := 1; id < len(w.donors); id++ {
			ids = append(ids, wire.ReplicaID(id))
		}
	}
	for _, id := range ids {
		if d := w.donors[id]; d != nil {
			d.Offer(cert(seq, fill(w.t, d.store, uint64(seq), keys)))
		}
	}
}

// tell gives the mover a target, as the core does once the target's record is durable.
func (w *world) tell(c wire.StableCert) {
	w.t.Helper()
	if c.Seq > w.core.Seq {
		w.core = c
	}
	if err := w.mover.want(port.Transfer{Target: w.core}, w.mover.position); err != nil {
		w.t.Fatal(err)
	}
}

// step lets a sixteenth of a view timeout pass. Messages are delivered, and jobs end.
func (w *world) step() {
	w.t.Helper()
	if w.each != nil {
		w.each()
	}
	w.host.now += w.cfg.ViewTimeout / 16
	w.host.settle()
	w.deliver()
	w.mover.Tick(w.host.now)
	for _, d := range w.donors {
		if d != nil {
			d.Tick(w.host.now)
		}
	}
	w.react()
	if w.mover.failed != nil {
		w.t.Fatal(w.mover.failed)
	}
}

// deliver delivers the messages that were sent in the previous step.
func (w *world) deliver() {
	arriving, sent := w.onItsWay, w.host.sent
	w.onItsWay, w.host.sent = nil, nil
	if w.cut {
		return
	}
	for _, l := range sent {
		if d := w.donors[l.to]; d != nil {
			d.in = append(d.in, l)
		}
	}
	for _, d := range w.donors {
		for n := 0; d != nil && len(d.in) > 0 && (n < w.rate || w.rate == 0); n++ {
			l := d.in[0]
			d.in = d.in[1:]
			w.ask(d, l)
		}
	}
	for _, a := range arriving {
		w.mover.Data(a.from, wire.Own(a.m), w.host.now)
	}
}

func (w *world) ask(d *scripted, l letter) {
	m := l.m.(*wire.FetchState)
	d.asked[m.Seq]++
	d.Ask(0, m, w.host.now)
	for d.Step(w.host.now) {
		continue
	}
	out := d.out
	d.out = nil
	if d.spoil != nil {
		out = d.spoil(m, out)
	}
	for _, data := range out {
		w.onItsWay = append(w.onItsWay, answerOf{l.to, data})
	}
}

// react handles the mover's reports as the core does.
func (w *world) react() {
	w.t.Helper()
	for ; w.seen < len(w.host.events) && !w.deaf; w.seen++ {
		switch e := w.host.events[w.seen].(type) {
		case port.Received:
			w.tell(e.Msg.Message().(*wire.StableNotice).Cert)
		case port.Transferred:
			root, err := w.mover.Adopt(e.Cert.Seq)
			if err != nil || root != e.Cert.Digest || w.store.root(w.t, uint64(e.Cert.Seq)) != root {
				w.t.Fatalf("the switch to %d: %v; the root is right: %v", e.Cert.Seq, err, root == e.Cert.Digest)
			}
			w.whole = e.Cert.Seq
		default:
		}
	}
}

// until lets time pass until a condition holds, and returns how many view timeouts that took. The test fails if it takes
// more than the given number.
func (w *world) until(timeouts int, what string, holds func() bool) float64 {
	w.t.Helper()
	began := w.host.now
	for !holds() {
		if w.host.now-began > time.Duration(timeouts)*w.cfg.ViewTimeout {
			w.t.Fatalf("not within %d timeouts: %s; the mover is %q with %+v", timeouts, what, w.mover.phase, w.mover.Progress())
		}
		w.step()
	}
	return float64(w.host.now-began) / float64(w.cfg.ViewTimeout)
}

func (w *world) untilWhole(timeouts int, at wire.Seq) float64 {
	w.t.Helper()
	return w.until(timeouts, "the state is whole", func() bool { return w.whole >= at })
}

// spoiled replaces a donor's answers to queries.
func spoiled(change func(d *wire.Data) *wire.Data) func(*wire.FetchState, []*wire.Data) []*wire.Data {
	return func(_ *wire.FetchState, out []*wire.Data) (kept []*wire.Data) {
		for _, d := range out {
			if len(d.Answer) > 0 {
				d = change(d)
			}
			if d != nil {
				kept = append(kept, d)
			}
		}
		return kept
	}
}

// bad returns the answer with a changed last byte, which belongs to a value or a digest.
func bad(d *wire.Data) *wire.Data {
	answer := append([]byte(nil), d.Answer...)
	answer[len(answer)-1] ^= 1
	return &wire.Data{Seq: d.Seq, Answer: answer}
}

// query returns a question for the root of a state.
func query(id uint32) []byte {
	return (&transfer.Query{ID: id, Items: []transfer.Item{{Kind: transfer.AskPath}}}).Encode()
}
