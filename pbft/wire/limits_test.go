package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// wireAllocated returns how many bytes f reserves.
func wireAllocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// S4: whatever number a message contains where a count is expected, the decoder uses memory only in proportion to the
// bytes that are there.
func TestS4_AHugeCountReservesNothing(t *testing.T) {
	for _, f := range wireForms() {
		decode := func(b []byte) { _, _ = Decode(b) }
		switch {
		case strings.HasPrefix(f.name, "record"):
			decode = func(b []byte) { _, _ = DecodeRecord(b) }
		case strings.HasPrefix(f.name, "evidence"):
			decode = func(b []byte) { _, _ = DecodeEvidence(b) }
		}
		for _, huge := range []uint32{1 << 12, 1 << 20, 1<<32 - 1} {
			total := wireAllocated(func() {
				for i := 2; i+4 <= len(f.bytes); i++ {
					b := bytes.Clone(f.bytes)
					binary.BigEndian.PutUint32(b[i:], huge)
					decode(b)
				}
			})
			if mean, bound := total/uint64(len(f.bytes)), uint64(8*len(f.bytes)+4096); mean > bound {
				t.Errorf("%s of %d bytes with %d somewhere: %d bytes reserved, want at most %d",
					f.name, len(f.bytes), huge, mean, bound)
			}
		}
	}
}

// S4: the bytes that take most memory after decoding are empty operations in small requests.
func TestS4_MemoryIsInProportionToTheFrame(t *testing.T) {
	body := &Body{Time: 1}
	for range maxBatchRequests {
		body.Requests = append(body.Requests, &Request{Ops: make([][]byte, 100)})
	}
	b := Encode(&CertifiedBody{Body: body})
	got := wireAllocated(func() {
		if _, err := Decode(b); err != nil {
			t.Error(err)
		}
	})
	if got > uint64(8*len(b)) {
		t.Errorf("%d bytes reserved for a frame of %d", got, len(b))
	}
}

func TestS4_ListsHaveLimitsOfTheirOwn(t *testing.T) {
	b := &Body{Time: 1}
	for range maxBatchRequests + 1 {
		b.Requests = append(b.Requests, &Request{})
	}
	prepared := make([]PreparedCert, maxLogWindow+1)
	slots := make([]SlotStatus, 2*maxLogWindow+1)
	suspects := make([]Suspect, MaxMembers+1)
	viewChanges := make([]ViewChange, MaxMembers+1)
	holders := make([]ReplicaID, MaxMembers+1)
	for i := range prepared {
		prepared[i].Seq = Seq(i)
	}
	for i := range slots {
		slots[i].Seq = Seq(i)
	}
	for i := range suspects {
		suspects[i].Replica, viewChanges[i].Replica, holders[i] = ReplicaID(i), ReplicaID(i), ReplicaID(i)
	}
	cases := map[string]Message{
		"requests":     &PrePrepare{Body: b},
		"operations":   &Request{Ops: make([][]byte, maxListedOps+1)},
		"results":      &Reply{Results: make([][]byte, maxListedOps+1)},
		"certificates": &ViewChange{Prepared: prepared},
		"suspects":     &ViewChange{Suspects: suspects},
		"view changes": &NewView{ViewChanges: viewChanges},
		"proposals":    &NewView{Proposals: make([]Proposal, maxLogWindow+1)},
		"slots":        &Status{Slots: slots},
		"holders":      &Status{ViewChanges: holders},
		"signers":      &StableNotice{StableCert{Checkpoints: wireSigners(MaxMembers + 1)}},
	}
	for name, m := range cases {
		if _, err := Decode(Encode(m)); !errors.Is(err, ErrMalformed) {
			t.Errorf("one of the %s too many: %v", name, err)
		}
	}
}

// S4: bytes that would be valid if there were not too many of them.
func TestS4_AFrameAboveTheLimitIsNotRead(t *testing.T) {
	half := make([]byte, maxFrame/2)
	request := &Request{Ops: [][]byte{half, half}}
	prepared := make([]PreparedCert, 1000)
	for i := range prepared {
		prepared[i] = PreparedCert{Seq: Seq(i), Prepares: wireSigners(MaxMembers)}
	}
	vc := &ViewChange{Prepared: prepared}
	accepted := &Accepted{&PrePrepare{Body: &Body{Time: 1, Requests: []*Request{request}}}}
	for name, err := range map[string]error{
		"message":  wireErr(Decode(Encode(request))),
		"record":   wireErr(DecodeRecord(EncodeRecord(accepted))),
		"evidence": wireErr(DecodeEvidence(Evidence{Kind: Equivocation, First: vc, Second: vc}.Encode())),
	} {
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	request.Ops = [][]byte{half, half[emptyRequest+2*lengthBytes+2:]}
	if b := Encode(request); len(b) != maxFrame {
		t.Errorf("a frame of %d bytes, want %d", len(b), maxFrame)
	} else if err := wireErr(Decode(b)); err != nil {
		t.Errorf("a frame of the largest size: %v", err)
	}
}

func wireErr[A any](_ A, err error) error { return err }

func TestSize_IsTheEncodedSize(t *testing.T) {
	const head = 2
	for _, r := range []*Request{{}, {Ops: [][]byte{{}}}, {Ops: [][]byte{{1, 2, 3}, {}, {4}}}} {
		if got, want := r.Size(), len(Encode(r))-head; got != want {
			t.Errorf("%d operations: size %d, encoded %d", len(r.Ops), got, want)
		}
	}
	if got := (&Request{Ops: [][]byte{{}}}).Size(); got != requestOverhead {
		t.Errorf("one empty operation: size %d, overhead %d", got, requestOverhead)
	}
}

// The smallest sizes of list entries must not be too large: otherwise the decoder would refuse valid bytes.
func TestMinimalSizes_AreThoseOfEmptyValues(t *testing.T) {
	sizes := map[string][2]int{
		"request":       {emptyRequest, len(appendRequest(nil, &Request{}))},
		"endorsement":   {endorsementBytes, len(appendEndorsements(nil, make([]Endorsement, 1))) - lengthBytes},
		"suspect":       {suspectBytes, len(appendSuspect(nil, &Suspect{}))},
		"prepared cert": {minPreparedCert, len(appendPreparedCert(nil, &PreparedCert{}))},
		"stable cert":   {minStableCert, len(appendStableCert(nil, &StableCert{}))},
		"view change":   {minViewChange, len(appendViewChange(nil, &ViewChange{}))},
		"signed string": {signedBytes, len(appendSignedVote(nil, &newWireCluster(4).cfg, TypeCommit, 1, 1, Digest{}, 1))},
	}
	for name, s := range sizes {
		if s[0] != s[1] {
			t.Errorf("%s: %d, encoded %d", name, s[0], s[1])
		}
	}
	for _, s := range newWireCluster(4).samples() {
		if got, want := SizeHint(s.m), len(Encode(s.m)); got < want {
			t.Errorf("%s: %d bytes reserved for %d", s.name, got, want)
		}
	}
}
