package client

import (
	"bytes"
	"crypto/ed25519"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/crypto"
	"tagma/internal/proof"
	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/statemachine/attest"
)

const (
	testSession wire.Session = 7
	oneWay                   = 2 * time.Millisecond
)

// The bounds of docs/client.md.
const (
	firstTimeout = 250 * time.Millisecond
	minTimeout   = 50 * time.Millisecond
	maxTimeout   = 2 * time.Second
	slowPace     = 5 * time.Second
	hedgeLeast   = 20 * time.Millisecond
	wholeGrace   = 5 * time.Millisecond
	passAfter    = 2 * time.Second
	lostAfter    = 30 * time.Second
	mostAlone    = 64 // requests of several operations
)

// fake is a cluster of four replicas behind the session's host. A request that reaches the primary, directly or
// through a backup, is executed; every replica then answers as its behaviour says. If the request is sent again, only
// the replica that receives it answers.
type fake struct {
	t   *testing.T
	cfg wire.Config
	key *crypto.PrivateKey
	s   *shell
	of  session.Config

	mu        sync.Mutex
	view      wire.View
	down      []bool // by replica: it has no link
	deaf      []bool // by replica: it does not relay requests to the primary
	answer    []func(right wire.Reply) []wire.Reply
	lag       []time.Duration
	execute   func(op []byte, readOnly bool) []byte // nil: the result says what was executed
	sent      []sending
	attached  []wire.Session
	held      [4]wire.Attached // by replica: the sessions of the key that it reports to hold
	turnsAway int              // how many requests the primary still refuses
	old       bool             // no replica gives hints
	executed  map[wire.RequestID]wire.Seq
	kept      map[wire.RequestID][][]byte // results
	acked     uint64                      // replicas dropped the replies to all lower numbers
	digests   map[wire.RequestID]wire.Digest
	vouches   [4]func(*wire.Attestation) // by replica: changes its attestations; nil: honest
	asks      [4]int                     // by replica: how often it was asked to attest
}

// sending is one frame that the client sent.
type sending struct {
	to      int
	at      time.Time
	frame   []byte
	request *wire.Request
}

func honest(right wire.Reply) []wire.Reply { return []wire.Reply{right} }
func silent(wire.Reply) []wire.Reply       { return nil }

// does returns the behaviour of a replica that answers with a changed reply.
func does(change func(*wire.Reply)) func(wire.Reply) []wire.Reply {
	return func(right wire.Reply) []wire.Reply {
		change(&right)
		return []wire.Reply{right}
	}
}

func busy(r *wire.Reply) {
	r.Outcome, r.Seq, r.Results, r.RetryAfterMillis = wire.OutcomeBusy, 0, nil, 100
}

func final(o wire.Outcome) func(wire.Reply) []wire.Reply {
	return does(func(r *wire.Reply) { r.Outcome, r.Seq, r.Results = o, 0, nil })
}

// withCluster runs a test against a fake cluster in virtual time. The test fails if goroutines remain at its end.
func withCluster(t *testing.T, test func(*testing.T, *fake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var running sync.WaitGroup
		running.Go(f.s.run)
		test(t, f)
		f.s.close()
		running.Wait()
		synctest.Wait()
	})
}

func newFake(t *testing.T) *fake {
	key := crypto.FromSeed([32]byte{99})
	f := &fake{
		t: t, key: key, executed: map[wire.RequestID]wire.Seq{}, digests: map[wire.RequestID]wire.Digest{}, kept: map[wire.RequestID][][]byte{},
		down: make([]bool, 4), deaf: make([]bool, 4), lag: make([]time.Duration, 4),
	}
	f.cfg = wire.Config{Cluster: wire.Digest{1}, Epoch: 3}.WithDefaults()
	for i := range 4 {
		f.cfg.Members = append(f.cfg.Members, crypto.FromSeed([32]byte{byte(i + 1)}).Public())
		f.answer = append(f.answer, honest)
	}
	f.of = session.Config{
		Cluster: f.cfg.Cluster, Replicas: 4, Weak: 2, Limits: limits(4).Choose(1, 0), Protocol: &f.cfg, Holds: holds,
		Client: key.Public(), Sign: func(b []byte) (wire.Signature, error) { return key.Sign(b), nil }, ID: testSession,
		Fresh: func(above wire.Session) wire.Session { return above }, Host: f, Random: rand.New(rand.NewPCG(1, 2)), NoHedging: true,
	}
	f.s = newShell(f.of, ExactlyOnce)
	f.hints()
	return f
}

func limits(window uint64) session.Limits {
	return session.Limits{Window: window, Ops: 8, OpBytes: 100, TotalBytes: 1000}
}

func (f *fake) limits() session.Limits { return f.of.Limits }

// remake begins another session, before the test has sent a request.
func (f *fake) remake(change func(*session.Config)) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	change(&f.of)
	f.s.core, f.s.packs = session.New(f.of), f.of.Limits.Pack > 1
	f.hints()
}

// Send implements session.Host.
func (f *fake) Send(to int, frame []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down[to] {
		return false
	}
	message, err := wire.Decode(frame)
	if err != nil {
		f.t.Errorf("the client sent what does not decode: %v", err)
		return true
	}
	if attach, ok := message.(*wire.Attach); ok {
		f.attach(to, attach)
		return true
	}
	if attest, ok := message.(*wire.Attest); ok {
		f.vouch(to, attest)
		return true
	}
	r, ok := message.(*wire.Request)
	if !ok {
		f.t.Errorf("the client sent %+v", message)
		return true
	}
	f.checkValid(r)
	f.sent = append(f.sent, sending{to, time.Now(), bytes.Clone(frame), r})
	f.arrived(to, r)
	return true
}

// Open implements session.Host.
func (f *fake) Open(frame []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	message, err := wire.Decode(frame)
	attach, ok := message.(*wire.Attach)
	if err != nil || !ok {
		f.t.Errorf("the client opens its links with %+v, %v", message, err)
		return
	}
	f.attached = append(f.attached, attach.Session)
	for to := range f.cfg.Members {
		f.attach(to, attach)
	}
}

// attach sends a replica's hint, which names the sessions of the key that it holds, unless the replica is down.
func (f *fake) attach(to int, m *wire.Attach) {
	if f.down[to] || f.old {
		return
	}
	hint := f.held[to]
	hint.Session = m.Session
	time.AfterFunc(2*oneWay, func() { f.s.FromReplica(to, wire.Encode(&hint)) })
}

// hints sends the hints of all replicas to the first session, without delay.
func (f *fake) hints() {
	for i, hint := range f.held {
		hint.Session = testSession
		if word, ok := session.HearMessage(&hint); ok && !f.old {
			f.s.core.Receive(0, i, word)
		}
	}
}

func (f *fake) checkValid(r *wire.Request) {
	if err := wire.Check(&f.cfg, r); err != nil {
		f.t.Errorf("request %d is not well formed: %v", r.ID.T, err)
	}
	for _, c := range wire.Claims(&f.cfg, r) {
		if !ed25519.Verify(c.Signer[:], c.Signed, c.Sig[:]) {
			f.t.Errorf("request %d has a bad signature", r.ID.T)
		}
	}
}

func (f *fake) arrived(to int, r *wire.Request) {
	if seq, known := f.executed[r.ID]; known {
		f.reply(to, r, seq)
		return
	}
	primary := int(f.cfg.Primary(f.view))
	if to == primary && f.turnsAway > 0 {
		f.turnsAway--
		right := wire.Reply{ID: r.ID, Request: r.Digest(), View: f.view}
		busy(&right)
		time.AfterFunc(2*oneWay, func() { f.s.FromReplica(to, wire.Encode(&right)) })
		return
	}
	if f.down[primary] || to != primary && f.deaf[to] {
		return
	}
	seq := wire.Seq(len(f.executed) + 1)
	f.executed[r.ID], f.digests[r.ID] = seq, r.Digest()
	f.acked = max(f.acked, r.AckedBelow)
	for i := range 4 {
		f.reply(i, r, seq)
	}
}

func (f *fake) reply(from int, r *wire.Request, seq wire.Seq) {
	right := wire.Reply{ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: seq, View: f.view}
	right.Results = f.results(r)
	for i, m := range f.answer[from](right) {
		frame := wire.Encode(&m)
		time.AfterFunc(2*oneWay+f.lag[from]+time.Duration(i), func() { f.s.FromReplica(from, frame) })
	}
}

// results returns the results of a request. They are the same whenever they are asked for.
func (f *fake) results(r *wire.Request) (results [][]byte) {
	if kept, ok := f.kept[r.ID]; ok {
		return kept
	}
	for _, op := range r.Ops {
		if f.execute != nil {
			results = append(results, f.execute(op, r.ReadOnly))
		} else {
			results = append(results, append([]byte("did "), op...))
		}
	}
	f.kept[r.ID] = results
	return results
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// sendings of request number t.
func (f *fake) sendings(t uint64) []sending {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.sent), func(s sending) bool { return s.request.ID.T != t })
}

func recipients(all []sending) (to []int) {
	for _, s := range all {
		to = append(to, s.to)
	}
	return to
}

// vouch answers a question for the attestation of a reply.
func (f *fake) vouch(to int, m *wire.Attest) {
	f.asks[to]++
	id := wire.RequestID{Client: f.key.Public(), Session: m.Session, T: m.T}
	seq, executed := f.executed[id]
	a := &wire.Attestation{Nonce: m.Nonce, Outcome: wire.NothingAttested}
	switch {
	case m.T < f.acked:
		a.Outcome = wire.NoLongerHeld
	case executed:
		reply := &wire.Reply{ID: id, Request: f.digests[id], Outcome: wire.OutcomeExecuted, Seq: seq, Results: f.kept[id]}
		f.sign(to, a, proof.StatementOf(reply))
		if m.Results {
			a.Results = reply.Results
		}
	}
	if change := f.vouches[to]; change != nil {
		change(a)
	}
	if a.Outcome == 0 {
		return
	}
	frame := wire.Encode(a)
	time.AfterFunc(2*oneWay, func() { f.s.FromReplica(to, frame) })
}

// sign signs a statement as a replica.
func (f *fake) sign(as int, a *wire.Attestation, statement []byte) {
	a.Outcome, a.Statement = wire.Attested, statement
	a.Sig = crypto.FromSeed([32]byte{byte(as + 1)}).Sign(attest.Bytes(f.cfg.Cluster, f.cfg.Epoch, as, statement))
}
