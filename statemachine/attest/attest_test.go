package attest_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"tagma/crypto"
	"tagma/statemachine/attest"
)

// world is a cluster whose keys the test holds.
type world struct {
	attest.Members
	private []*crypto.PrivateKey
}

func newWorld(n int, id byte) *world {
	w := &world{Members: attest.Members{ID: [32]byte{id}, Epoch: 3}}
	for i := range n {
		k := crypto.FromSeed([32]byte{id, byte(i), 1})
		w.private, w.Keys = append(w.private, k), append(w.Keys, k.Public())
	}
	return w
}

// certificate makes a certificate that is signed by the given replicas, in this order.
func (w *world) certificate(statement []byte, by ...int) *attest.Certificate {
	c := &attest.Certificate{Cluster: w.ID, Epoch: w.Epoch, Statement: statement}
	for _, i := range by {
		c.Signatures = append(c.Signatures, attest.Signature{Replica: i, Sig: w.private[i].Sign(attest.Bytes(w.ID, w.Epoch, i, statement))})
	}
	return c
}

var statement = attest.Machine("bank", []byte("prepared"))

func wantError(t *testing.T, c *attest.Certificate, w *world, need int, want error) {
	t.Helper()
	if err := c.Verify(w.Members, need); !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}

// TX5: signatures of Weak distinct members are enough: f+1, or a quorum if replicas only crash.
func TestTX5_WeakDistinctMembersSuffice(t *testing.T) {
	for _, c := range []struct {
		n     int
		crash bool
		weak  int
	}{{4, false, 2}, {6, false, 2}, {7, false, 3}, {3, true, 2}, {4, true, 3}, {5, true, 3}} {
		w := newWorld(c.n, 1)
		w.Crash = c.crash
		if got := w.Weak(); got != c.weak {
			t.Errorf("n = %d, crash %t: weak is %d, want %d", c.n, c.crash, got, c.weak)
		}
		var by []int
		for i := range c.weak {
			by = append(by, c.n-c.weak+i)
		}
		wantError(t, w.certificate(statement, by...), w, w.Weak(), nil)
		// F signatures, which liars can make.
		wantError(t, w.certificate(statement, by[1:]...), w, w.Weak(), attest.ErrTooFew)
	}
}

// TX5: no member counts twice, and only members count.
func TestTX5_SignersMustBeDistinctMembersInOrder(t *testing.T) {
	w, other := newWorld(4, 1), newWorld(4, 2)
	twice := w.certificate(statement, 1, 1)
	wantError(t, twice, w, 2, attest.ErrSigners)
	wantError(t, w.certificate(statement, 2, 1), w, 2, attest.ErrSigners)
	for _, replica := range []int{-1, 4, 65535, 1 << 20} {
		c := w.certificate(statement, 0, 1)
		c.Signatures[1].Replica = replica
		wantError(t, c, w, 2, attest.ErrSigners)
	}
	wantError(t, &attest.Certificate{Cluster: w.ID, Epoch: w.Epoch, Statement: statement}, w, 0, attest.ErrTooFew)

	// The same index, but the key of another cluster's member.
	foreign := w.certificate(statement, 0)
	foreign.Signatures = append(foreign.Signatures, attest.Signature{
		Replica: 1, Sig: other.private[1].Sign(attest.Bytes(w.ID, w.Epoch, 1, statement)),
	})
	wantError(t, foreign, w, 2, attest.ErrSignature)
	// A member's signature is listed under the number of another member.
	renamed := w.certificate(statement, 0, 1)
	renamed.Signatures[1].Replica = 2
	wantError(t, renamed, w, 2, attest.ErrSignature)
	// There are enough valid signatures, and one more that is invalid.
	surplus := w.certificate(statement, 0, 1, 2)
	surplus.Signatures[2].Sig[0] ^= 1
	wantError(t, surplus, w, 2, attest.ErrSignature)
}

// S1: the signature of a member whose key is of small order never counts, although the standard library would accept it.
func TestS1_AMemberOfSmallOrderSignsNothing(t *testing.T) {
	w := newWorld(4, 1)
	c := w.certificate(statement, 0, 1)
	w.Keys[1] = [32]byte{0: 1} // the neutral element: R = B·s, S = s holds for every message
	c.Signatures[1].Sig = [64]byte{0: 1}
	wantError(t, c, w, 2, attest.ErrSignature)
}

func TestTX5_AnotherClusterEpochOrStatementIsRefused(t *testing.T) {
	w, other := newWorld(4, 1), newWorld(4, 2)
	wantError(t, other.certificate(statement, 0, 1), w, 2, attest.ErrForeign)
	later := newWorld(4, 1)
	later.Epoch++
	wantError(t, later.certificate(statement, 0, 1), w, 2, attest.ErrForeign)

	// The head cannot be changed, because the signatures cover it. The other cluster has members with the same keys.
	twin := newWorld(4, 1)
	twin.ID = other.ID
	c := twin.certificate(statement, 0, 1)
	c.Cluster = w.ID
	wantError(t, c, w, 2, attest.ErrSignature)
	c = later.certificate(statement, 0, 1)
	c.Epoch = w.Epoch
	wantError(t, c, w, 2, attest.ErrSignature)
	c = w.certificate(statement, 0, 1)
	c.Statement = attest.Machine("bank", []byte("refused!"))
	wantError(t, c, w, 2, attest.ErrSignature)
	wantError(t, w.certificate(nil, 0, 1), w, 2, attest.ErrMalformed)
	wantError(t, w.certificate(make([]byte, attest.MaxStatement+1), 0, 1), w, 2, attest.ErrMalformed)
}

// A certificate in which any byte was changed to any value is refused. So is one that was cut or made longer.
func TestTX5_EverySingleByteChangeIsRefused(t *testing.T) {
	w := newWorld(4, 1)
	whole := w.certificate(statement, 0, 2).Encode()
	holds := func(b []byte) bool {
		c, err := attest.Decode(b)
		return err == nil && c.Verify(w.Members, w.Weak()) == nil
	}
	if !holds(whole) {
		t.Fatal("the certificate itself does not hold")
	}
	for i := range whole {
		for _, x := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			changed := slices.Clone(whole)
			changed[i] ^= x
			if holds(changed) {
				t.Errorf("it holds with byte %d changed by %#x", i, x)
			}
		}
		if holds(whole[:i]) {
			t.Errorf("its first %d bytes hold", i)
		}
	}
	if holds(append(slices.Clone(whole), 0)) {
		t.Error("it holds with a byte behind it")
	}
}

func TestDecode_ReadsWhatEncodeWrites(t *testing.T) {
	w := newWorld(7, 1)
	for _, c := range []*attest.Certificate{
		w.certificate(statement), w.certificate([]byte{byte(attest.KindReply)}, 6), w.certificate(statement, 0, 1, 2, 3, 4, 5, 6),
		w.certificate(bytes.Repeat([]byte{7}, attest.MaxStatement), 1, 2),
	} {
		got, err := attest.Decode(c.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Encode(), c.Encode()) || !slices.Equal(got.Signatures, c.Signatures) || !bytes.Equal(got.Statement, c.Statement) {
			t.Errorf("%+v was read as %+v", c, got)
		}
	}
	for _, bad := range []*attest.Certificate{
		w.certificate(nil, 1), w.certificate(statement, 2, 1), w.certificate(statement, 2, 2),
		w.certificate(make([]byte, attest.MaxStatement+1), 1),
		{Statement: statement, Signatures: make([]attest.Signature, attest.MaxSignatures+1)},
	} {
		if _, err := attest.Decode(bad.Encode()); !errors.Is(err, attest.ErrMalformed) {
			t.Errorf("%v, want %v", err, attest.ErrMalformed)
		}
	}
}

func TestSaidBy_KnowsOnlyTheMachinesOwnStatements(t *testing.T) {
	if said, ok := attest.SaidBy("bank", statement); !ok || string(said) != "prepared" {
		t.Errorf("%q, %t", said, ok)
	}
	reply := slices.Clone(statement)
	reply[0] = byte(attest.KindReply)
	for _, s := range [][]byte{nil, {2}, {2, 9}, reply, attest.Machine("ban", []byte("kprepared")), attest.Machine("kv", nil)} {
		if said, ok := attest.SaidBy("bank", s); ok {
			t.Errorf("%q is taken for the bank's, which says %q", s, said)
		}
	}
}

// Whatever is decoded has exactly the encoding that it was read from, so equal certificates have equal bytes.
func FuzzDecode(f *testing.F) {
	w := newWorld(4, 1)
	f.Add(w.certificate(statement, 0, 1).Encode())
	f.Add(w.certificate([]byte{3}).Encode())
	f.Add([]byte(attest.Magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := attest.Decode(b)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Encode(), b) {
			t.Errorf("%x is read as the encoding of %+v", b, c)
		}
		if c.Verify(w.Members, w.Weak()) == nil && !bytes.Equal(c.Statement, statement) {
			t.Errorf("the members never signed %q", c.Statement)
		}
	})
}
