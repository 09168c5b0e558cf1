package watch_test

import (
	"bytes"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tagma/internal/session"
	"tagma/internal/watch"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// truth is what the cluster executed: all changes by revision.
type truth struct {
	changes []statemachine.Change
	newest  uint64
}

// state is what one replica has executed of it, and still keeps.
type state struct {
	statemachine.Machine
	of             *truth
	newest, oldest uint64
}

func (s *state) Head(statemachine.Reader) (newest, oldest uint64, kept bool) {
	return s.newest, s.oldest, true
}

func (s *state) Changes(_ statemachine.Reader, after uint64) iter.Seq[statemachine.Change] {
	return func(yield func(statemachine.Change) bool) {
		for _, c := range s.of.changes {
			if c.Revision > after && c.Revision <= s.newest && !yield(c) {
				return
			}
		}
	}
}

// replica is a hub with the state of a replica, and the frames on their way between it and the client.
type replica struct {
	w     *world
	id    int
	state state
	hub   *watch.Hub[*link]
	link  *link
	lie   func(r *replica, m wire.Message) []wire.Message // nil: it is correct
	up    bool
	in    [][]byte
}

// link is a connection of the client to a replica.
type link struct {
	r   *replica
	out [][]byte
}

func (l *link) Send(frame []byte) bool {
	if len(l.out) >= 4 {
		return false
	}
	m, err := wire.Decode(frame)
	if err != nil {
		l.r.w.t.Fatal(err)
	}
	if l.r.lie == nil {
		l.out = append(l.out, frame)
		return true
	}
	for _, m := range l.r.lie(l.r, m) {
		l.out = append(l.out, wire.Encode(m))
	}
	return true
}

func (*link) Key() [32]byte { return [32]byte{1} }

// world is a session with a watch, and the replicas that it watches at. Everything happens in one goroutine, in an order
// that the seed decides.
type world struct {
	t        *testing.T
	random   *rand.Rand
	truth    truth
	replicas []*replica
	core     *session.Session
	now      time.Duration
	watches  []*watched

	unchecked bool // more replicas lie than are masked
}

type watched struct {
	*session.Watch
	start, end []byte
	after      uint64
	seen       []statemachine.Update
	upto       uint64
	ended      error
}

func newWorld(t *testing.T, n int, seed uint64) *world {
	w := &world{t: t, random: rand.New(rand.NewPCG(seed, 53)), truth: truth{newest: 1}}
	weak := (n-1)/3 + 1
	w.core = session.New(session.Config{
		Cluster: wire.Digest{1}, Replicas: n, Weak: weak, Limits: session.Limits{Window: 8, Ops: 8, OpBytes: 100, TotalBytes: 1000}.Choose(1, 0),
		Sign: func([]byte) (wire.Signature, error) { return wire.Signature{}, nil }, ID: 7,
		Fresh: func(above wire.Session) wire.Session { return above }, Host: w, Random: w.random,
	})
	for i := range n {
		r := &replica{w: w, id: i, state: state{of: &w.truth, newest: 1, oldest: 1}, up: true}
		r.hub = watch.New[*link](watch.Limits{All: 100, PerClient: 100}, func(look func(statemachine.Reader, statemachine.Followed)) error {
			look(nil, &r.state)
			return nil
		})
		r.link = &link{r: r}
		w.replicas = append(w.replicas, r)
	}
	return w
}

// Send implements session.Host.
func (w *world) Send(to int, frame []byte) bool {
	r := w.replicas[to]
	if r.up {
		r.in = append(r.in, frame)
	}
	return r.up
}

// Open implements session.Host.
func (w *world) Open([]byte) {}

// grow makes a revision of one change or several.
func (w *world) grow() {
	w.truth.newest++
	for i := range 1 + w.random.IntN(3)*w.random.IntN(2) {
		key := []byte{byte('a' + w.random.IntN(4)), byte('a' + w.random.IntN(26))}
		size := 1 + w.random.IntN(40)
		if w.random.IntN(40) == 0 {
			size = 90 << 10 // so that revisions have parts and windows fill
		}
		event := bytes.Repeat([]byte{byte(w.truth.newest), byte(i)}, size)
		w.truth.changes = append(w.truth.changes, statemachine.Change{Revision: w.truth.newest, Key: key, Event: event})
	}
}

func (w *world) watch(start, end string, after uint64) *watched {
	x := &watched{start: []byte(start), end: []byte(end), after: after, upto: after}
	var err error
	if x.Watch, err = w.core.Watch(w.now, x.start, x.end, after, func() {}); err != nil {
		w.t.Fatal(err)
	}
	w.watches = append(w.watches, x)
	return x
}

// step lets one thing happen.
func (w *world) step() {
	r := w.replicas[w.random.IntN(len(w.replicas))]
	switch d := w.random.IntN(100); {
	case d < 4:
		w.grow()
	case d < 20:
		r.state.newest = min(w.truth.newest, r.state.newest+uint64(w.random.IntN(4)))
		_, _ = r.hub.Step()
	case d < 35:
		_, _ = r.hub.Step()
		_, _ = r.hub.CatchUp()
	case d < 55 && len(r.in) > 0 && r.up:
		m, err := wire.Decode(r.in[0])
		if err != nil {
			w.t.Fatal(err)
		}
		r.in = r.in[1:]
		switch m := m.(type) {
		case *wire.Watch:
			r.hub.Watch(r.link, m)
		case *wire.WatchTaken:
			r.hub.Taken(r.link, m)
		}
	case d < 85 && len(r.link.out) > 0 && r.up:
		frame := r.link.out[0]
		r.link.out = r.link.out[1:]
		w.hear(r, frame)
	case d < 86:
		w.cut(r)
	case d < 88:
		r.hub.Progress()
	default:
		w.now += time.Duration(w.random.IntN(20)) * time.Millisecond
		w.core.Due(w.now)
	}
	w.take()
}

func (w *world) hear(r *replica, frame []byte) {
	if word, ok := session.Hear(frame); ok {
		w.core.Receive(w.now, r.id, word)
	}
}

// cut ends the link to a replica, and makes a new one if there was none.
func (w *world) cut(r *replica) {
	r.hub.Gone(r.link)
	r.link, r.in = &link{r: r}, nil
	if r.up = !r.up; r.up {
		w.hear(r, wire.Encode(&wire.Attached{Session: w.core.ID()}))
	}
}

func (w *world) take() {
	for _, x := range w.watches {
		updates, err := w.core.Take(w.now, x.Watch)
		if err != nil {
			x.ended = err
		}
		if len(updates) == 0 {
			continue
		}
		for _, u := range updates {
			if u.Revision <= x.upto {
				w.t.Fatalf("revision %d after %d", u.Revision, x.upto)
			}
			x.upto = u.Revision
			if len(u.Events) > 0 {
				x.seen = append(x.seen, u)
			}
		}
		if !w.unchecked {
			w.compare(x)
		}
	}
}

// compare checks that the watch saw exactly what was changed up to where it is.
func (w *world) compare(x *watched) {
	var want []statemachine.Update
	for _, c := range w.truth.changes {
		if c.Revision <= x.after || c.Revision > x.upto || bytes.Compare(c.Key, x.start) < 0 || len(x.end) > 0 && bytes.Compare(c.Key, x.end) >= 0 {
			continue
		}
		if n := len(want); n == 0 || want[n-1].Revision != c.Revision {
			want = append(want, statemachine.Update{Revision: c.Revision})
		}
		want[len(want)-1].Events = append(want[len(want)-1].Events, c.Event)
	}
	same := func(a, b statemachine.Update) bool {
		return a.Revision == b.Revision && slices.EqualFunc(a.Events, b.Events, bytes.Equal)
	}
	if !slices.EqualFunc(x.seen, want, same) {
		w.t.Fatalf("the watch of [%s, %s) after %d, at %d, saw %d revisions and not the %d that there are", x.start, x.end, x.after, x.upto, len(x.seen), len(want))
	}
}

// finish lets everything arrive, and checks that the watches are told everything.
func (w *world) finish() {
	for _, r := range w.replicas {
		if r.state.newest = w.truth.newest; !r.up {
			w.cut(r)
		}
	}
	for range 400 {
		w.round()
		done := true
		for _, x := range w.watches {
			done = done && (x.ended != nil || x.upto >= w.truth.newest)
		}
		if done {
			return
		}
	}
	for _, x := range w.watches {
		w.t.Errorf("the watch of [%s, %s) is at %d of %d, ended with %v", x.start, x.end, x.upto, w.truth.newest, x.ended)
	}
}

// round lets everything arrive that is on its way.
func (w *world) round() {
	for _, r := range w.replicas {
		for range 20 {
			for len(r.in) > 0 {
				m, _ := wire.Decode(r.in[0])
				r.in = r.in[1:]
				switch m := m.(type) {
				case *wire.Watch:
					r.hub.Watch(r.link, m)
				case *wire.WatchTaken:
					r.hub.Taken(r.link, m)
				}
			}
			_, _ = r.hub.Step()
			_, _ = r.hub.CatchUp()
			for len(r.link.out) > 0 {
				frame := r.link.out[0]
				r.link.out = r.link.out[1:]
				w.hear(r, frame)
				w.take()
			}
		}
		r.hub.Progress()
	}
	w.now += 50 * time.Millisecond
	w.core.Due(w.now)
}
