package commit_test

import (
	"errors"
	"slices"
	"testing"

	"tagma/crypto"
	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
)

// TX5: a receipt counts if f+1 distinct members of the registered epoch signed it, in ascending order. It counts only
// for its own transaction, fact and cluster.
func TestTX5_ReceiptsThatProveNothing(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	other := w.transfer(east, "alice", west, "bob", 30)
	good := func() *attest.Certificate { return west.forged(x.ID(), commit.StatePrepared, 0, 1) }
	with := func(change func(*attest.Certificate)) *attest.Certificate {
		c := good()
		change(c)
		return c
	}
	for name, c := range map[string]*attest.Certificate{
		"f signatures":           west.forged(x.ID(), commit.StatePrepared, 0),
		"another transaction":    west.forged(other.ID(), commit.StatePrepared, 0, 1),
		"another fact":           west.forged(x.ID(), commit.StateCommitted, 0, 1),
		"the fact of no machine": west.sign(commit.Statement("kv", x.ID(), commit.StatePrepared), 0, 1),
		"a reply receipt":        west.sign(append([]byte{1}, commit.Statement("bank", x.ID(), commit.StatePrepared)[1:]...), 0, 1),
		"another cluster":        east.forged(x.ID(), commit.StatePrepared, 0, 1),
		"another cluster's keys": with(func(c *attest.Certificate) {
			*c = *east.forged(x.ID(), commit.StatePrepared, 0, 1)
			c.Cluster = west.about.ID
		}),
		"another epoch":      with(func(c *attest.Certificate) { c.Epoch++ }),
		"a broken signature": with(func(c *attest.Certificate) { c.Signatures[1].Sig[3] ^= 1 }),
		"a foreign signer":   with(func(c *attest.Certificate) { c.Signatures[1].Replica = 4 }),
		"renamed signers":    with(func(c *attest.Certificate) { c.Signatures[1].Replica = 2 }),
	} {
		if got := outcome(east.do(bob, commit.Decide(x, []*attest.Certificate{c}))); got != commit.Incomplete.Error() {
			t.Errorf("%s: %s", name, got)
		}
	}
	// A certificate with repeated or unsorted signers cannot even be decoded.
	for _, c := range []*attest.Certificate{west.forged(x.ID(), commit.StatePrepared, 1, 1), west.forged(x.ID(), commit.StatePrepared, 1, 0)} {
		east.expect(commit.Decide(x, []*attest.Certificate{c}), commit.Malformed.Error())
	}
	east.expect(commit.Decide(x, []*attest.Certificate{good()}), "committed")
}

// TX11, S1: a member of small order cannot be registered, and would sign nothing.
func TestTX11_SmallOrderSigners(t *testing.T) {
	w, east, west := banks(t)
	weak := west.about
	weak.Keys = slices.Clone(weak.Keys)
	weak.Keys[3], weak.Epoch = [32]byte{0: 1}, 2
	if err := commit.DecodeSet(east.do(admin, commit.SetGroup(&weak))); !errors.Is(err, commit.BadGroup) {
		t.Errorf("registered: %v", err)
	}
	verify := func(tx statemachine.Txn) bool { return tx.Verify(weak.Keys[3], []byte("any"), [64]byte{0: 1}) }
	if r := tryVerify(t, verify); r != "false" {
		t.Errorf("a signature under a key of small order holds: %s", r)
	}
	k := crypto.FromSeed([32]byte{9})
	if r := tryVerify(t, func(tx statemachine.Txn) bool { return tx.Verify(k.Public(), []byte("any"), k.Sign([]byte("any"))) }); r != "true" {
		t.Errorf("a good signature: %s", r)
	}
	// The number of signatures for each operation is bounded.
	if r := tryVerify(t, func(tx statemachine.Txn) bool {
		for range 513 {
			tx.Verify(weak.Keys[3], nil, [64]byte{})
		}
		return true
	}); r != statemachine.ResultTooLarge {
		t.Errorf("513 signatures: %q", r)
	}
	_ = w
}

type trying func(tx statemachine.Txn) bool

func (f trying) Apply(tx statemachine.Txn, _ []byte) []byte {
	if f(tx) {
		return []byte("true")
	}
	return []byte("false")
}

func (trying) Query(statemachine.Reader, []byte) []byte { return nil }

func tryVerify(t *testing.T, f trying) string {
	s, err := statemachine.New(f, newWorld(t, true).store(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	replies, err := s.Apply(statemachine.Batch{Seq: 1, Time: 1, Requests: []statemachine.Request{{Session: 1, T: 1, Ops: [][]byte{{1}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(replies[0].Results[0])
}

// TX2: only administrators register groups, and an epoch never goes back.
func TestTX2_TheRegistryIsTheAdministrators(t *testing.T) {
	w, east, west := banks(t)
	if err := commit.DecodeSet(east.do(alice, commit.SetGroup(&west.about))); !errors.Is(err, commit.NotAdministrator) {
		t.Errorf("an ordinary client: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*commit.Group)
		want   error
	}{
		"itself":       {func(g *commit.Group) { *g = east.about }, commit.BadGroup},
		"no name":      {func(g *commit.Group) { g.Name = "" }, commit.BadGroup},
		"a bad name":   {func(g *commit.Group) { g.Name = "a b" }, commit.BadGroup},
		"three liars":  {func(g *commit.Group) { g.Keys = g.Keys[:3] }, commit.BadGroup},
		"a twin":       {func(g *commit.Group) { g.Keys = append(g.Keys[:3:3], g.Keys[0]) }, commit.BadGroup},
		"a name twice": {func(g *commit.Group) { g.ID[5] = 1 }, commit.NameTaken},
		"three, crash": {func(g *commit.Group) { g.Keys, g.Crash = g.Keys[:3], true }, nil},
	} {
		g := west.about
		c.change(&g)
		if err := commit.DecodeSet(east.do(admin, commit.SetGroup(&g))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	west.rekey(3)
	w.introduce()
	old := west.about
	old.Epoch = 2
	if err := commit.DecodeSet(east.do(admin, commit.SetGroup(&old))); !errors.Is(err, commit.OldEpoch) {
		t.Errorf("an older epoch: %v", err)
	}
	all, err := commit.DecodeGroups(east.ask(commit.ReadGroups()))
	if err != nil || len(all) != 1 || all[0].Epoch != 3 || all[0].Name != "g1" {
		t.Errorf("%+v, %v", all, err)
	}
}

// TX2: after a rotation, former members cannot vouch for anything. The new members vouch for what the state says.
func TestTX2_RotatedOutKeysAreRefused(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	west.do(alice, commit.Prepare(x))
	old := west.receipt(x.ID())
	west.rekey(2)
	w.introduce()
	east.expect(commit.Decide(x, []*attest.Certificate{old}), commit.Incomplete.Error())
	renamed := *old
	renamed.Epoch = 2
	east.expect(commit.Decide(x, []*attest.Certificate{&renamed}), commit.Incomplete.Error())
	// Members that remain sign again in the next epoch.
	old = west.receipt(x.ID())
	west.about.Epoch = 3
	w.introduce()
	east.expect(commit.Decide(x, []*attest.Certificate{old}), commit.Incomplete.Error())
	east.expect(commit.Decide(x, []*attest.Certificate{west.receipt(x.ID())}), "committed")
}

// TX5: a receipt of a group in the crash-fault mode needs a quorum.
func TestTX5_ACrashModeGroupNeedsAQuorum(t *testing.T) {
	w, east, west := banks(t)
	west.about.Crash, west.about.Epoch = true, 2 // four replicas, three are a quorum
	w.introduce()
	x := w.transfer(east, "alice", west, "bob", 30)
	west.do(alice, commit.Prepare(x))
	east.expect(commit.Decide(x, []*attest.Certificate{west.forged(x.ID(), commit.StatePrepared, 0, 1)}), commit.Incomplete.Error())
	east.expect(commit.Decide(x, []*attest.Certificate{west.forged(x.ID(), commit.StatePrepared, 0, 1, 2)}), "committed")
}

// TX5: a receipt has no sequence number: its bytes are the same before and after a restart, a transfer and the end.
func TestTX5_AFactHasTheSameBytesWheneverItIsSigned(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	if west.statement(x.ID()) != nil {
		t.Error("vouched for without a record")
	}
	west.do(alice, commit.Prepare(x))
	first := string(west.statement(x.ID()))
	west.open("carol", 1)
	west.restart()
	w.carry(x)
	if again := string(west.statement(x.ID())); again != first || first != string(commit.Statement("bank", x.ID(), commit.StatePrepared)) {
		t.Errorf("%x, then %x", first, again)
	}
	if got := east.statement(x.ID()); string(got) != string(commit.Statement("bank", x.ID(), commit.StateCommitted)) {
		t.Errorf("the coordinator vouches for %x", got)
	}
}

// TX12: replicas that signed both facts of a contradicting pair are convicted, and no others.
func TestTX12_BothFactsConvict(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	fact := func(f commit.State, by ...int) *attest.Certificate { return west.forged(x.ID(), f, by...) }
	broken := fact(commit.StateRefused, 0, 2)
	broken.Signatures[1].Sig[0] ^= 1
	for name, c := range map[string]struct {
		a, b *attest.Certificate
		want []int
	}{
		"prepared and refused":   {fact(commit.StatePrepared, 0, 1, 2), fact(commit.StateRefused, 2, 3), []int{2}},
		"committed and aborted":  {fact(commit.StateAborted, 0, 1), fact(commit.StateCommitted, 0, 1), []int{0, 1}},
		"nobody both":            {fact(commit.StatePrepared, 0, 1), fact(commit.StateRefused, 2, 3), nil},
		"the same":               {fact(commit.StatePrepared, 0, 1), fact(commit.StatePrepared, 0, 1), nil},
		"prepared and committed": {fact(commit.StatePrepared, 0, 1), fact(commit.StateCommitted, 0, 1), nil},
		"refused and aborted":    {fact(commit.StateRefused, 0, 1), fact(commit.StateAborted, 0, 1), nil},
		"another transaction":    {fact(commit.StatePrepared, 0, 1), west.forged(commit.TID{1}, commit.StateRefused, 0, 1), nil},
		"another cluster":        {fact(commit.StatePrepared, 0, 1), east.forged(x.ID(), commit.StateRefused, 0, 1), nil},
		"a broken signature":     {fact(commit.StatePrepared, 0, 2), broken, []int{0}},
	} {
		if got := commit.Contradiction(&west.about, c.a, c.b); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
