package wire

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestSignable_DiffersByClusterEpochAndType(t *testing.T) {
	d := Digest{0xd1}
	messages := []Message{
		&Request{}, &PrePrepare{View: 1, Seq: 1, Digest: d}, &Prepare{View: 1, Seq: 1, Digest: d, Replica: 1},
		&Commit{View: 1, Seq: 1, Digest: d, Replica: 1}, &Checkpoint{Seq: 1, Digest: d, Replica: 1},
		&Suspect{View: 1, Replica: 1}, &ViewChange{View: 1, Replica: 1}, &NewView{View: 1}, &Heartbeat{View: 1},
	}
	here := newWireCluster(4).cfg
	elsewhere, later := here, here
	elsewhere.Cluster[31]++
	later.Epoch++
	seen := map[string]string{}
	for _, cfg := range []struct {
		name string
		Config
	}{{"here", here}, {"another cluster", elsewhere}, {"another epoch", later}} {
		for _, m := range messages {
			name := fmt.Sprintf("%v %s", TypeOf(m), cfg.name)
			signed := string(Signable(&cfg.Config, m))
			if _, is := m.(*Request); is && cfg.Epoch == later.Epoch {
				if signed != string(Signable(&here, m)) {
					t.Error("M10: a request signed in one epoch is void in another")
				}
				continue
			}
			if other, twice := seen[signed]; twice {
				t.Errorf("%s and %s sign the same bytes", name, other)
			}
			seen[signed] = name
		}
	}
	if want := 3*len(messages) - 1; len(seen) != want {
		t.Errorf("%d signed strings, want %d", len(seen), want)
	}
}

func TestSignable_IsNilForWhatCarriesNoSignature(t *testing.T) {
	c := newWireCluster(4)
	for _, m := range []Message{&Reply{}, &Status{}, &Fetch{}, &CertifiedBody{Body: NullBody}, &StableNotice{}} {
		if b := Signable(&c.cfg, m); b != nil {
			t.Errorf("%v: %x", TypeOf(m), b)
		}
		if key, ok := Signer(&c.cfg, m); ok {
			t.Errorf("%v is signed by %v", TypeOf(m), key)
		}
		Sign(&c.cfg, m, func([]byte) Signature {
			t.Errorf("%v was signed", TypeOf(m))
			return Signature{}
		})
	}
}

func TestSigner_IsTheSenderOrThePrimary(t *testing.T) {
	c := newWireCluster(4)
	client := PublicKey{0xcc, 9}
	for _, s := range []struct {
		m    Message
		want PublicKey
	}{
		{&Request{ID: RequestID{Client: client}}, client},
		{&PrePrepare{View: 6}, c.cfg.Members[2]},
		{&Prepare{Replica: 3}, c.cfg.Members[3]},
		{&Commit{Replica: 3}, c.cfg.Members[3]},
		{&Checkpoint{Replica: 1}, c.cfg.Members[1]},
		{&Suspect{View: 2, Replica: 1}, c.cfg.Members[1]},
		{&ViewChange{View: 2, Replica: 0}, c.cfg.Members[0]},
		{&NewView{View: 7}, c.cfg.Members[3]},
		{&Heartbeat{View: 5}, c.cfg.Members[1]},
	} {
		if got, ok := Signer(&c.cfg, s.m); !ok || got != s.want {
			t.Errorf("%v: %v, %v, want %v", TypeOf(s.m), got, ok, s.want)
		}
	}
	if key, ok := Signer(&c.cfg, &Commit{Replica: 4}); ok {
		t.Errorf("a stranger's commit is signed by %v", key)
	}
}

// A NewView's proposals are pre-prepares of the primary: each signature is also valid for the PrePrepare with that view
// and sequence number (V6).
func TestSign_NewViewSignsItsProposalsAsPrePrepares(t *testing.T) {
	c := newWireCluster(4)
	nv := c.newView()
	if got := nv.MinStable(); got != 10 {
		t.Fatalf("min-s is %d, want 10", got)
	}
	for i, p := range nv.Proposals {
		pp := &PrePrepare{View: nv.View, Seq: Seq(11 + i), Digest: p.Digest, Sig: p.Sig}
		if _, err := Verify(&c.cfg, pp, wireHolds); err != nil {
			t.Errorf("proposal %d: %v", i, err)
		}
	}
}

func TestVerify_AcceptsEveryTypeInClustersOfAnySize(t *testing.T) {
	for n := 4; n <= 10; n++ {
		c := newWireCluster(n)
		for _, s := range c.samples() {
			m, err := Decode(Encode(s.m))
			if err != nil {
				t.Fatalf("n=%d, %s: %v", n, s.name, err)
			}
			if _, err := Verify(&c.cfg, m, wireHolds); err != nil {
				t.Errorf("n=%d, %s: %v", n, s.name, err)
			}
		}
	}
}

func TestClaims_CountEverySignature(t *testing.T) {
	c := newWireCluster(4)
	want := map[string]int{
		"request": 1, "pre-prepare": 3, "pre-prepare of the null request": 1, "pre-prepare without body": 1, "prepare": 1,
		"commit": 1, "checkpoint": 1, "suspect": 1, "heartbeat": 1, "view-change": 1 + 2 + 3 + 2*3,
		"view-change of a fresh replica": 1 + 2, "new-view": 1 + 2 + (3 + 2*3) + (3 + 3 + 3) + (3 + 3), "reply": 0, "reply busy": 0,
		"status": 0, "fetch": 0, "certified-body": 3, "certified-body without certificate": 0, "stable-notice": 3,
		"held-by": 6 + 3 + 3 + 3 + 2, "data with an offer": 3,
	}
	for _, s := range c.samples() {
		if got := len(Claims(&c.cfg, s.m)); got != want[s.name] {
			t.Errorf("%s: %d claims, want %d", s.name, got, want[s.name])
		}
	}
}

// saidByTheLink lists the bytes of a sample that no signature covers, so that only the link shows who wrote them. These
// are the nonce that an answer repeats, whether its sender remembers everything, and the view that it claims to be
// justified. (A view that is too high is refused.)
func saidByTheLink(m Message, i int) bool {
	held, ok := m.(*HeldBy)
	if !ok {
		return false
	}
	const nonce, whole = 2, 2 + 8 + 2
	view := len(Encode(m)) - len(held.Suspects)*suspectBytes - lengthBytes - 8
	return i >= nonce && i < nonce+8 || i == whole || i >= view && i < view+8
}

// If a message is proven by signatures, no other bit of it can be changed: each bit is under a signature, part of a
// signature, or must fit to such bits in Check.
func TestClaims_NoBitIsOutsideTheSignatures(t *testing.T) {
	c := newWireCluster(4)
	for _, s := range c.samples() {
		if len(Claims(&c.cfg, s.m)) == 0 {
			continue
		}
		for i := range Encode(s.m) {
			for _, flip := range []byte{0x01, 0x80} {
				b := bytes.Clone(Encode(s.m))
				b[i] ^= flip
				m, err := Decode(b)
				if err != nil {
					continue
				}
				if _, err := Verify(&c.cfg, m, wireHolds); err == nil && !saidByTheLink(s.m, i) {
					t.Fatalf("%s: byte %d of %d can be changed", s.name, i, len(b))
				}
			}
		}
	}
}

func TestVerify_TellsASignatureFromARule(t *testing.T) {
	c := newWireCluster(4)
	m := c.commit(2, 11, Digest{1}, 3)
	m.Sig[0] ^= 1
	if _, err := Verify(&c.cfg, m, wireHolds); !errors.Is(err, ErrSignature) {
		t.Errorf("a spoiled signature: %v", err)
	}
	m.Replica = 4
	if _, err := Verify(&c.cfg, m, wireHolds); !errors.Is(err, ErrUnknownMember) {
		t.Errorf("a stranger: %v", err)
	}
}

// For a message that was not checked, Claims gives no member's key to the signature of a stranger.
func TestClaims_OfAStrangerHaveNoMembersKey(t *testing.T) {
	c := newWireCluster(4)
	cert := StableCert{Seq: 10, Checkpoints: []Endorsement{{Replica: 4}}}
	for _, m := range []Message{&Commit{Replica: 65535}, &StableNotice{cert}, &ViewChange{Replica: 9, Stable: cert}} {
		for _, claim := range Claims(&c.cfg, m) {
			if claim.Signer != (PublicKey{}) {
				t.Errorf("%v: signer %v", TypeOf(m), claim.Signer)
			}
		}
	}
}
