package commit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"tagma/crypto"
	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// vouching is a prefix. With it, a test's query asks what a replica would attest.
type vouching struct{ inner statemachine.Versioned }

const vouchPrefix = "vouch:"

func (v vouching) Unwrap() statemachine.Machine { return v.inner }

func (v vouching) Apply(tx statemachine.Txn, op []byte) []byte { return v.inner.Apply(tx, op) }

func (v vouching) Query(r statemachine.Reader, op []byte) []byte {
	asked, is := bytes.CutPrefix(op, []byte(vouchPrefix))
	if !is {
		return v.inner.Query(r, op)
	}
	statement, vouches := v.inner.(interface {
		Attest(r statemachine.Reader, op []byte) ([]byte, bool)
	}).Attest(r, asked)
	if !vouches {
		return nil
	}
	return statement
}

// group is a cluster: one service, since all its correct replicas have the same state, and the keys of all replicas.
type group struct {
	t       testing.TB
	w       *world
	about   commit.Group
	private []*crypto.PrivateKey // nil with fake signatures
	machine statemachine.Versioned
	service *statemachine.Service
	store   *memstore.Store
	limits  statemachine.Limits
	offset  int64 // of its clock
}

// world is several clusters that know each other and share a clock.
type world struct {
	t      testing.TB
	fast   bool // fake signatures
	now    int64
	groups []*group
	nonce  uint64
}

const (
	second = int64(1e9)
	minute = 60 * second
	start  = int64(1_700_000_000) * second
)

var (
	admin = [32]byte{0xad}
	alice = [32]byte{0xa1}
	bob   = [32]byte{0xb0}
)

// newWorld makes clusters of four replicas that run these machines, named g0, g1 and so on, and registers them with each
// other.
func newWorld(t testing.TB, fast bool, machines ...string) *world {
	w := &world{t: t, fast: fast, now: start}
	for i, name := range machines {
		g := &group{t: t, w: w, store: memstore.New(), machine: map[string]statemachine.Versioned{
			"kv": kv.Machine{History: 50}, "bank": bank.Machine{},
		}[name]}
		g.about = commit.Group{ID: [32]byte{0x10 + byte(i)}, Name: "g" + string(rune('0'+i)), Machine: name, Epoch: 1}
		g.limits = statemachine.Limits{Cluster: g.about.ID, Administrators: [][32]byte{admin}, FirstVersion: 2}
		g.rekey(1)
		g.boot(0)
		w.groups = append(w.groups, g)
	}
	w.introduce()
	return w
}

// introduce registers every group at every other one, as it is now.
func (w *world) introduce() {
	for _, g := range w.groups {
		for _, other := range w.groups {
			if g != other {
				w.must(commit.DecodeSet(g.do(admin, commit.SetGroup(&other.about))))
			}
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// rekey replaces the members of the group by new ones.
func (g *group) rekey(epoch uint64) {
	g.about.Epoch, g.about.Keys, g.private = epoch, nil, nil
	for i := range 4 {
		k := crypto.FromSeed(sha256.Sum256([]byte{g.about.ID[0], byte(epoch), byte(i)}))
		g.private, g.about.Keys = append(g.private, k), append(g.about.Keys, k.Public())
	}
}

// boot starts a service at a state of the store.
func (g *group) boot(at uint64) {
	s, err := statemachine.New(vouching{g.machine}, g.store, g.limits)
	g.w.must(err)
	s.ObservePanics(func(p statemachine.Panic) {
		g.t.Errorf("%s: operation %x panicked: %v\n%s", g.about.Name, p.Op, p.Value, p.Stack)
	})
	if g.w.fast {
		s.VerifyWith(func(key [32]byte, message []byte, sig [64]byte) bool { return fake(key, message) == sig })
	}
	if at > 0 {
		g.w.must(s.Load(at))
	}
	g.service = s
}

// restart stands for a stop of all replicas, or for a transfer of the state to new ones: only what was written remains.
func (g *group) restart() {
	g.w.must(g.service.Flush())
	g.service.Close()
	g.boot(g.service.Executed())
}

func fake(key [32]byte, message []byte) (sig [64]byte) {
	h := sha256.Sum256(append(key[:], message...))
	copy(sig[:], h[:])
	return sig
}

func (g *group) time() int64 { return g.w.now + g.offset }

// do executes one operation in a batch of its own.
func (g *group) do(client [32]byte, op []byte) []byte {
	seq := g.service.Executed() + 1
	replies, err := g.service.Apply(statemachine.Batch{Seq: seq, Time: g.time(), Requests: []statemachine.Request{{
		Client: client, Session: 1, T: seq, AckedBelow: seq, Digest: sha256.Sum256(op), Ops: [][]byte{op},
	}}})
	g.w.must(err)
	if seq%64 == 0 {
		g.w.must(g.service.Flush())
	}
	return replies[0].Results[0]
}

func (g *group) ask(op []byte) []byte {
	result, err := g.service.Query(op, g.service.Executed())
	g.w.must(err)
	return result
}

// statement returns what a correct replica vouches for about a transaction now, or nil if it vouches for nothing.
func (g *group) statement(tid commit.TID) []byte {
	said := g.ask(append([]byte(vouchPrefix), commit.ReadRecord(tid)...))
	if len(said) == 0 {
		return nil
	}
	return said
}

// sign makes a certificate of any statement by any members, as liars can with their own keys.
func (g *group) sign(statement []byte, by ...int) *attest.Certificate {
	c := &attest.Certificate{Cluster: g.about.ID, Epoch: g.about.Epoch, Statement: statement}
	for _, i := range by {
		b := attest.Bytes(c.Cluster, c.Epoch, i, statement)
		s := attest.Signature{Replica: i}
		if g.w.fast {
			s.Sig = fake(g.about.Keys[i], b)
		} else {
			s.Sig = g.private[i].Sign(b)
		}
		c.Signatures = append(c.Signatures, s)
	}
	return c
}

// receipt returns what a driver collects from correct replicas, or nil if they vouch for nothing.
func (g *group) receipt(tid commit.TID) *attest.Certificate {
	if s := g.statement(tid); s != nil {
		return g.sign(s, 1, 3)
	}
	return nil
}

// forged makes a certificate of any fact, signed by any members.
func (g *group) forged(tid commit.TID, fact commit.State, by ...int) *attest.Certificate {
	return g.sign(commit.Statement(g.about.Machine, tid, fact), by...)
}

// transaction makes a transaction of the given parts, in the order of the groups. The first of the groups is the
// coordinator.
func (w *world) transaction(parts map[*group][]byte, coordinator *group, within int64) *commit.Transaction {
	w.nonce++
	t := &commit.Transaction{Coordinator: coordinator.about.ID, Deadline: w.now + within}
	binary.BigEndian.PutUint64(t.Nonce[:], w.nonce)
	for _, g := range w.groups {
		if op, has := parts[g]; has {
			t.Parts = append(t.Parts, commit.Part{Group: g.about.ID, Op: op})
		}
	}
	return t
}

// transfer is a transaction that moves an amount from an account of one bank to one of another. The payer coordinates.
func (w *world) transfer(from *group, payer string, to *group, payee string, amount uint64) *commit.Transaction {
	return w.transaction(map[*group][]byte{
		from: bank.Part(bank.Move{Account: payer, Amount: amount, Group: to.about.ID, Other: payee}),
		to:   bank.Part(bank.Move{Credit: true, Account: payee, Amount: amount, Group: from.about.ID, Other: payer}),
	}, from, minute)
}

// outcome returns the state in a result, or its error as text.
func outcome(result []byte) string {
	o, err := commit.DecodeOutcome(result)
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), " by transaction")
		return text
	}
	return o.State.String()
}

func (g *group) expect(op []byte, want string) {
	g.t.Helper()
	if got := outcome(g.do(alice, op)); got != want {
		g.t.Errorf("%s: %s, want %s", g.about.Name, got, want)
	}
}

func (g *group) balance(account string) uint64 {
	r, err := bank.DecodeBalance(g.ask(bank.Balance(account)))
	g.w.must(err)
	return r.Balance
}

func (g *group) open(account string, amount uint64) {
	_, err := bank.DecodeOpen(g.do(alice, bank.Open(account, amount)))
	g.w.must(err)
}

func (g *group) get(key string) string {
	r, err := kv.DecodeGet(g.ask(kv.Get([]byte(key))))
	g.w.must(err)
	if r.Pair == nil {
		return ""
	}
	return string(r.Pair.Value)
}

func (g *group) put(key, value string) error {
	_, err := kv.DecodePut(g.do(bob, kv.Put([]byte(key), []byte(value))))
	return err
}

func (g *group) pending() commit.Pending {
	p, err := commit.DecodePending(g.ask(commit.ReadPending(commit.TID{}, 0)))
	g.w.must(err)
	return p
}

// settled fails the test if anything is still held by a transaction.
func (w *world) settled() {
	w.t.Helper()
	for _, g := range w.groups {
		if p := g.pending(); p.Open != 0 || p.Locks != 0 || len(p.Records) != 0 {
			w.t.Errorf("%s still has %d open transactions and %d locks", g.about.Name, p.Open, p.Locks)
		}
		if g.about.Machine != "bank" {
			continue
		}
		l, err := bank.DecodeLedgers(g.ask(bank.Ledgers()))
		w.must(err)
		for _, x := range l.Ledgers {
			if x.Held != 0 || l.Reserved != 0 {
				w.t.Errorf("%s still holds back %d and reserves %d", g.about.Name, x.Held, l.Reserved)
			}
		}
	}
}

// money returns the money in all banks, plus what one bank has sent and another has not received.
func (w *world) money() (sum uint64) {
	w.t.Helper()
	all := map[[32]byte]bank.LedgersResult{}
	for _, g := range w.groups {
		if g.about.Machine == "bank" {
			l, err := bank.DecodeLedgers(g.ask(bank.Ledgers()))
			w.must(err)
			a, err := bank.DecodeAudit(g.ask(bank.Audit()))
			w.must(err)
			if a.Sum != a.Supply || a.Supply != l.Supply {
				w.t.Fatalf("%s: the balances sum up to %d, and the supply is %d", g.about.Name, a.Sum, a.Supply)
			}
			all[g.about.ID], sum = l, sum+l.Supply
		}
	}
	for _, f := range bank.CrossAudit(all, all) {
		if !f.Sound() {
			w.t.Fatalf("%d arrived of %d", f.Received, f.Sent)
		}
	}
	for _, l := range all {
		for _, x := range l.Ledgers {
			sum += x.Sent - x.Received // summed over all banks, this is the amount in flight
		}
	}
	return sum
}

// carry completes a transaction, as any client may. After the deadline it needs no receipts.
func (w *world) carry(t *commit.Transaction) commit.State {
	w.t.Helper()
	var receipts []*attest.Certificate
	for _, g := range w.groups {
		if t.Part(g.about.ID) >= 0 && g.about.ID != t.Coordinator {
			if c := g.receipt(t.ID()); c != nil {
				receipts = append(receipts, c)
			}
		}
	}
	i := slices.IndexFunc(w.groups, func(g *group) bool { return g.about.ID == t.Coordinator })
	coordinator := w.groups[i]
	o, err := commit.DecodeOutcome(coordinator.do(bob, commit.Decide(t, receipts)))
	if err != nil {
		return commit.StateNone
	}
	for _, g := range w.groups {
		if t.Part(g.about.ID) >= 0 && g != coordinator {
			g.do(bob, commit.Finish(t.ID(), coordinator.receipt(t.ID())))
		}
	}
	return o.State
}

// store is an empty storage.
func (*world) store() *memstore.Store { return memstore.New() }
