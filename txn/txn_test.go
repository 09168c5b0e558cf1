package txn_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/crypto"
	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
	"tagma/txn"
)

// memory is a session with a cluster of four replicas whose state is in memory.
type memory struct {
	mu      sync.Mutex
	t       *testing.T
	name    string
	inner   statemachine.Versioned
	service *statemachine.Service
	keys    []*crypto.PrivateKey
	members attest.Members
	down    bool
	skip    func(op []byte) bool // operations that are lost
}

var admin = [32]byte{0xad}

func newMemory(t *testing.T, id byte, name string) *memory {
	m := &memory{t: t, name: name, inner: map[string]statemachine.Versioned{"kv": kv.Machine{}, "bank": bank.Machine{}}[name]}
	m.members = attest.Members{ID: [32]byte{id}, Epoch: 1}
	for i := range 4 {
		k := crypto.FromSeed(sha256.Sum256([]byte{id, byte(i)}))
		m.keys, m.members.Keys = append(m.keys, k), append(m.members.Keys, k.Public())
	}
	s, err := statemachine.New(m, memstore.New(), statemachine.Limits{Cluster: m.members.ID, Administrators: [][32]byte{admin}, FirstVersion: 2})
	if err != nil {
		t.Fatal(err)
	}
	m.service = s
	return m
}

const vouch = "vouch:"

// memory is also a machine, so that a query can ask what it vouches for.
func (m *memory) Unwrap() statemachine.Machine { return m.inner }

func (m *memory) Apply(tx statemachine.Txn, op []byte) []byte { return m.inner.Apply(tx, op) }

func (m *memory) Query(r statemachine.Reader, op []byte) []byte {
	if asked, is := bytes.CutPrefix(op, []byte(vouch)); is {
		said, _ := commit.Attest(r, asked)
		return said
	}
	return m.inner.Query(r, op)
}

func (m *memory) Machine() string { return m.name }

func (m *memory) Members() attest.Members { return m.members }

func (m *memory) Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error) {
	return m.as(ctx, [32]byte{1}, op, readOnly)
}

func (m *memory) as(ctx context.Context, client [32]byte, op []byte, readOnly bool) (result []byte, seq uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down || m.skip != nil && m.skip(op) {
		return nil, 0, errors.New("no replica answers")
	}
	if ctx.Err() != nil {
		return nil, 0, ctx.Err()
	}
	seq = m.service.Executed() + 1
	replies, err := m.service.Apply(statemachine.Batch{Seq: seq, Time: time.Now().UnixNano(), Requests: []statemachine.Request{{
		Client: client, Session: 1, T: seq, AckedBelow: seq, ReadOnly: readOnly, Ops: [][]byte{op},
	}}})
	if err != nil {
		return nil, 0, err
	}
	return replies[0].Results[0], seq, nil
}

func (m *memory) Attest(_ context.Context, op []byte) (*attest.Certificate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	said, err := m.service.Query(append([]byte(vouch), op...), m.service.Executed())
	if err != nil || len(said) == 0 || m.down {
		return nil, errors.New("the replicas vouch for nothing")
	}
	c := &attest.Certificate{Cluster: m.members.ID, Epoch: 1, Statement: attest.Machine(m.name, said)}
	for _, i := range []int{0, 2} {
		c.Signatures = append(c.Signatures, attest.Signature{Replica: i, Sig: m.keys[i].Sign(attest.Bytes(c.Cluster, c.Epoch, i, c.Statement))})
	}
	return c, nil
}

// know registers each of two groups at the other.
func know(t *testing.T, all ...*memory) {
	for _, m := range all {
		for _, other := range all {
			if m != other {
				g := txn.Join("c"+string('0'+rune(other.members.ID[0])), other).About()
				result, _, err := m.as(t.Context(), admin, commit.SetGroup(&g), false)
				if err := errors.Join(err, commit.DecodeSet(result)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func (m *memory) open(account string, amount uint64) {
	if _, err := bank.NewClient(caller{m}).Open(m.t.Context(), account, amount); err != nil {
		m.t.Fatal(err)
	}
}

func (m *memory) balance(account string) uint64 {
	b, err := bank.NewClient(caller{m}).Balance(m.t.Context(), account)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

type caller struct{ *memory }

func (caller) QueryAt(context.Context, []byte, uint64) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// banks are two banks in memory, as groups.
func banks(t *testing.T) (a, b *memory, east, west *txn.Group) {
	a, b = newMemory(t, 1, "bank"), newMemory(t, 2, "bank")
	know(t, a, b)
	a.open("alice", 100)
	b.open("bob", 10)
	return a, b, txn.Join("east", a), txn.Join("west", b)
}

func transfer(east, west *txn.Group, amount uint64, payee string) *txn.Txn {
	return txn.New(east, west).
		Part(east, bank.Part(bank.Move{Account: "alice", Amount: amount, Group: west.ID(), Other: payee})).
		Part(west, bank.Part(bank.Move{Credit: true, Account: payee, Amount: amount, Group: east.ID(), Other: "alice"}))
}

func TestRun_CommitsInAllGroupsOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, east, west := banks(t)
		done, err := transfer(east, west, 30, "bob").Run(t.Context())
		if err != nil || len(done.Open) != 0 || a.balance("alice") != 70 || b.balance("bob") != 40 {
			t.Fatalf("%+v, %v; %d and %d", done, err, a.balance("alice"), b.balance("bob"))
		}
		// Anybody who has the coordinator's cluster file can verify the outcome with the receipt.
		about := east.About()
		tid, fact, ok := commit.FactOf(&about, done.Receipt)
		if err := done.Receipt.Verify(a.members, a.members.Weak()); err != nil || !ok || tid != done.TID || fact != commit.StateCommitted {
			t.Errorf("%v, %v, %t, %v", tid, fact, ok, err)
		}
		for payee, amount := range map[string]uint64{"nobody": 1, "bob": 71} {
			var aborted *txn.Aborted
			_, err = transfer(east, west, amount, payee).Run(t.Context())
			want := map[string]string{"nobody": "west refused its part (" + bank.NoRecipient.Error(), "bob": "east refused its part (" + bank.Insufficient.Error()}[payee]
			if !errors.As(err, &aborted) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %s", err, want)
			}
		}
		if a.balance("alice") != 70 || b.balance("bob") != 40 {
			t.Errorf("%d and %d", a.balance("alice"), b.balance("bob"))
		}
	})
}

// TX10: a client stops in the middle and does not know the outcome. Another client resolves the transaction, if
// necessary after the deadline.
func TestTX10_ResolveFindsOutWhatIsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		lost      byte // the type of an operation that is lost
		committed bool
	}{"the decision is lost": {3, true}, "nothing is prepared": {2, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b, east, west := banks(t)
				lose := func(op []byte) bool { return commit.Is(op) && op[2] == c.lost }
				a.skip, b.skip = lose, lose
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				var unknown *txn.Unknown
				if _, err := transfer(east, west, 30, "bob").Run(ctx); !errors.As(err, &unknown) || !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("%v", err)
				}
				a.skip, b.skip = nil, nil
				done, err := txn.Resolve(t.Context(), unknown.TID, west, east)
				switch {
				case c.committed && (err != nil || done.TID != unknown.TID || b.balance("bob") != 40):
					t.Errorf("%+v, %v", done, err)
				case !c.committed && !errors.Is(err, txn.ErrNoRecord):
					t.Errorf("%+v, %v", done, err)
				}
				again, err := txn.Resolve(t.Context(), unknown.TID, west, east)
				if c.committed && (err != nil || again.Receipt == nil) {
					t.Errorf("again: %+v, %v", again, err)
				}
			})
		})
	}
}

// TX6, TX10: the coordinator cannot order anything, so the other group waits. When the coordinator is back, the deadline
// has passed and the transaction is aborted.
func TestTX10_ACoordinatorThatIsDownBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, east, west := banks(t)
		a.skip = func(op []byte) bool { return commit.Is(op) && op[2] == 3 }
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		var unknown *txn.Unknown
		if _, err := transfer(east, west, 30, "bob").Deadline(10 * time.Second).Run(ctx); !errors.As(err, &unknown) {
			t.Fatalf("%v", err)
		}
		known := txn.Status(t.Context(), unknown.TID, east, west)
		if known[0].Record != nil || known[1].Record == nil || known[1].Record.State != commit.StatePrepared {
			t.Errorf("%+v", known)
		}
		a.skip = nil
		var aborted *txn.Aborted
		if _, err := txn.Resolve(t.Context(), unknown.TID, east, west); !errors.As(err, &aborted) || aborted.Group != "" {
			t.Errorf("%v", err)
		}
		if _, err := txn.Resolve(t.Context(), unknown.TID, east, west); !errors.As(err, &aborted) {
			t.Errorf("again: %v", err)
		}
		if h, err := b.service.Held(); err != nil || h.Transactions != 0 || a.balance("alice") != 100 {
			t.Errorf("%+v, %v", h, err)
		}
	})
}

func TestRun_RefusesWhatCannotBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, east, west := banks(t)
		stranger := txn.Join("north", newMemory(t, 3, "kv"))
		put := kv.Part(nil, kv.Put([]byte("k"), nil))
		for name, c := range map[string]struct {
			txn  *txn.Txn
			want string
		}{
			"no groups":     {txn.New(), "two to eight groups"},
			"one group":     {txn.New(east).Part(east, put), "two to eight groups"},
			"no part":       {txn.New(east, west).Part(east, put), "west has no part"},
			"two parts":     {txn.New(east, west).Part(east, put).Part(east, put), "two parts for east"},
			"foreign part":  {txn.New(east, west).Part(stranger, put), "New was not given"},
			"long deadline": {transfer(east, west, 1, "bob").Deadline(2 * time.Hour), "at most an hour"},
			"no deadline":   {transfer(east, west, 1, "bob").Deadline(0), "above 0"},
			"a stranger":    {txn.New(east, stranger).Part(east, put).Part(stranger, put), "does not know"},
		} {
			if _, err := c.txn.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
	})
}
