package wire

import (
	"errors"
	"testing"
)

func TestE1_TwoStatementsForOnePlaceConvict(t *testing.T) {
	c := newWireCluster(4)
	for _, e := range c.evidence() {
		if err := e.Verify(&c.cfg, wireHolds); err != nil {
			t.Errorf("%v: %v", TypeOf(e.First), err)
		}
		e.First, e.Second = e.Second, e.First
		if err := e.Verify(&c.cfg, wireHolds); err != nil {
			t.Errorf("%v, the other way round: %v", TypeOf(e.First), err)
		}
	}
}

// Statements that a correct replica signs in normal operation are no evidence.
func TestE1_StatementsThatAgreeConvictNobody(t *testing.T) {
	c := newWireCluster(4)
	d, e := Digest{1}, Digest{2}
	vc := c.viewChange(5, 2, c.stableCert(10))
	again := wireClone(vc)
	again.Sig[0] ^= 1
	request := c.request(1, "op")
	for name, pair := range map[string][2]Message{
		"one vote twice":              {c.commit(2, 11, d, 2), c.commit(2, 11, d, 2)},
		"prepare and commit":          {c.prepare(1, 11, d, 2), c.commit(1, 11, e, 2)},
		"commits of two views":        {c.commit(2, 11, d, 2), c.commit(3, 11, e, 2)},
		"commits of two slots":        {c.commit(2, 11, d, 2), c.commit(2, 12, e, 2)},
		"prepares of two views":       {c.prepare(1, 11, d, 2), c.prepare(3, 11, e, 2)},
		"pre-prepares of two slots":   {c.prePrepare(2, 11, c.body()), c.prePrepare(2, 12, NullBody)},
		"two checkpoints":             {c.checkpoint(10, d, 2), c.checkpoint(20, e, 2)},
		"view changes of two views":   {vc, c.viewChange(6, 2, StableCert{})},
		"one view change, two seals":  {vc, again},
		"prepare, then a view change": {c.prepare(1, 11, d, 2), vc},
		"two suspects":                {&Suspect{View: 1, Replica: 2}, &Suspect{View: 2, Replica: 2}},
		"messages without sender":     {&Fetch{Seq: 1}, &Fetch{Seq: 2}},
		"requests":                    {request, request},
		"nothing":                     {nil, nil},
	} {
		proof := Evidence{Replica: 2, Kind: Equivocation, First: pair[0], Second: pair[1]}
		if err := proof.Verify(&c.cfg, func([]Claim) bool { return true }); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestE1_OnlyTheSignerIsConvicted(t *testing.T) {
	c := newWireCluster(4)
	for _, good := range c.evidence() {
		accused := good
		accused.Replica = (good.Replica + 1) % 4
		if err := accused.Verify(&c.cfg, wireHolds); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v against another replica: %v", TypeOf(good.First), err)
		}
		kind := good
		kind.Kind = "slander"
		if err := kind.Verify(&c.cfg, wireHolds); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v of an unknown kind: %v", TypeOf(good.First), err)
		}
		elsewhere := c.cfg
		elsewhere.Epoch++
		if err := good.Verify(&elsewhere, wireHolds); !errors.Is(err, ErrSignature) {
			t.Errorf("%v in another epoch: %v", TypeOf(good.First), err)
		}
	}
	stranger := Evidence{Replica: 4, Kind: Equivocation, First: &Commit{Replica: 4}, Second: &Commit{Replica: 4, Digest: Digest{1}}}
	if err := stranger.Verify(&c.cfg, wireHolds); !errors.Is(err, ErrUnknownMember) {
		t.Errorf("a stranger: %v", err)
	}
}

func TestE1_AForgedStatementConvictsNobody(t *testing.T) {
	c := newWireCluster(4)
	for _, e := range c.evidence() {
		b := e.Encode()
		for i := range b {
			b[i] ^= 0x10
			if forged, err := DecodeEvidence(b); err == nil {
				if err := forged.Verify(&c.cfg, wireHolds); err == nil {
					t.Fatalf("%v: byte %d of %d can be changed", TypeOf(e.First), i, len(b))
				}
			}
			b[i] ^= 0x10
		}
	}
}

// Two view changes convict their author even if the certificates in them are invalid.
func TestE1_NestedSignaturesNeedNotHold(t *testing.T) {
	c := newWireCluster(4)
	bad := c.viewChange(5, 2, c.stableCert(10))
	bad.Suspects[0].Sig[0] ^= 1
	c.sign(bad)
	proof := Evidence{Replica: 2, Kind: Equivocation, First: c.viewChange(5, 2, c.stableCert(10)), Second: bad}
	if err := proof.Verify(&c.cfg, wireHolds); err != nil {
		t.Error(err)
	}
}

func TestEvidence_LeavesBodiesOut(t *testing.T) {
	c := newWireCluster(4)
	first, second := c.prePrepare(2, 11, c.body()), c.prePrepare(2, 11, NullBody)
	e, err := DecodeEvidence(Evidence{Replica: 2, Kind: Equivocation, First: first, Second: second}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if e.First.(*PrePrepare).Body != nil || first.Body == nil {
		t.Error("the body is part of the evidence, or was taken from the message")
	}
	if err := e.Verify(&c.cfg, wireHolds); err != nil {
		t.Error(err)
	}
	whole := appendTyped([]byte{FormatVersion, evidenceEquivocation, 0, 2}, first)
	if _, err := DecodeEvidence(appendTyped(whole, second)); !errors.Is(err, ErrMalformed) {
		t.Errorf("evidence with a body: %v", err)
	}
	if _, err := DecodeEvidence(Evidence{Kind: "slander", First: first, Second: second}.Encode()); !errors.Is(err, ErrMalformed) {
		t.Errorf("evidence of an unknown kind: %v", err)
	}
}
