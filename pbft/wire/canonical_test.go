package wire

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"tagma/internal/alone"
)

// wireForms returns every sample as bytes, with its decoder. The decoder returns the encoding of what it has read, made
// only from the exported fields.
func wireForms() []wireForm {
	c := newWireCluster(4)
	var forms []wireForm
	for _, s := range c.samples() {
		forms = append(forms, wireForm{s.name, Encode(s.m), wireRecodeMessage})
	}
	for _, s := range c.records() {
		forms = append(forms, wireForm{"record " + s.name, EncodeRecord(s.r), wireRecodeRecord})
	}
	for _, e := range c.evidence() {
		forms = append(forms, wireForm{"evidence of " + TypeOf(e.First).String(), e.Encode(), wireRecodeEvidence})
	}
	return forms
}

type wireForm struct {
	name   string
	bytes  []byte
	recode func([]byte) ([]byte, error)
}

func wireRecodeMessage(b []byte) ([]byte, error) {
	m, err := Decode(b)
	if err != nil {
		return nil, err
	}
	if remembered := Encode(m); !bytes.Equal(remembered, b) {
		return nil, fmt.Errorf("what was remembered encodes to %x", remembered)
	}
	return Encode(wireClone(m)), nil
}

func wireRecodeRecord(b []byte) ([]byte, error) {
	r, err := DecodeRecord(b)
	if err != nil {
		return nil, err
	}
	return EncodeRecord(wireClone(r)), nil
}

func wireRecodeEvidence(b []byte) ([]byte, error) {
	e, err := DecodeEvidence(b)
	if err != nil {
		return nil, err
	}
	return wireClone(e).Encode(), nil
}

// canonical fails unless b is refused as malformed or is the one encoding of what it decodes to.
func (f *wireForm) canonical(t *testing.T, what string, b []byte) {
	t.Helper()
	got, err := f.recode(b)
	if err == nil && !bytes.Equal(got, b) {
		t.Fatalf("%s, %s: %x is taken for %x", f.name, what, b, got)
	}
	if err != nil && !errors.Is(err, ErrMalformed) {
		t.Fatalf("%s, %s: %v", f.name, what, err)
	}
}

func TestDecode_AValueHasOneEncoding(t *testing.T) {
	alone.Test(t)
	for _, f := range wireForms() {
		for i := range f.bytes {
			for _, flip := range []byte{0x01, 0x02, 0x80, 0xff} {
				b := bytes.Clone(f.bytes)
				b[i] ^= flip
				f.canonical(t, fmt.Sprintf("byte %d flipped by %#x", i, flip), b)
			}
			for _, extra := range []byte{0, 1} {
				b := append(append(bytes.Clone(f.bytes[:i]), extra), f.bytes[i:]...)
				f.canonical(t, fmt.Sprintf("a byte before %d", i), b)
			}
			f.canonical(t, fmt.Sprintf("without byte %d", i), append(bytes.Clone(f.bytes[:i]), f.bytes[i+1:]...))
		}
	}
}

func TestDecode_RefusesACutOrLengthenedEncoding(t *testing.T) {
	for _, f := range wireForms() {
		for i := range f.bytes {
			if _, err := f.recode(f.bytes[:i:i]); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%s cut to %d of %d bytes: %v", f.name, i, len(f.bytes), err)
			}
		}
		if _, err := f.recode(append(bytes.Clone(f.bytes), 0)); !errors.Is(err, ErrMalformed) {
			t.Fatalf("%s with a byte too many: %v", f.name, err)
		}
	}
}

func TestDecode_RefusesAnotherFormatVersion(t *testing.T) {
	for _, f := range wireForms() {
		for _, v := range []byte{0, 2, 0xff} {
			b := bytes.Clone(f.bytes)
			b[0] = v
			if _, err := f.recode(b); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%s with version %d: %v", f.name, v, err)
			}
		}
	}
}

func TestDecode_RefusesTypesThatDoNotExist(t *testing.T) {
	for n := range 256 {
		_, named := ParseType(Type(n).String())
		m, err := Decode([]byte{FormatVersion, byte(n)})
		if Type(n) != TypeInquire && (m != nil || !errors.Is(err, ErrMalformed)) {
			t.Errorf("type %d without fields: %v, %v", n, m, err)
		}
		long := append([]byte{FormatVersion, byte(n)}, make([]byte, 4096)...)
		if _, err := Decode(long); !named && !errors.Is(err, ErrMalformed) {
			t.Errorf("type %d: %v", n, err)
		}
	}
}

// These values encode to bytes that must be refused: lists that are out of order, and marks that do not exist.
func TestDecode_RefusesDisorder(t *testing.T) {
	c := newWireCluster(4)
	swap := func(list []Endorsement) { list[0], list[1] = list[1], list[0] }
	again := func(list []Endorsement) { list[1] = list[0] }
	vc := func() *ViewChange {
		return wireClone(c.viewChange(5, 2, c.stableCert(10), c.preparedCert(1, 11, NullBody), c.preparedCert(1, 12, NullBody)))
	}
	cases := map[string]func() Message{
		"commits swapped": func() Message {
			cert := c.commitCert(1, 1, NullDigest)
			swap(cert.Commits)
			return &CertifiedBody{Seq: 1, Body: NullBody, Cert: cert}
		},
		"S3: a committer twice": func() Message {
			cert := c.commitCert(1, 1, NullDigest)
			again(cert.Commits)
			return &CertifiedBody{Seq: 1, Body: NullBody, Cert: cert}
		},
		"checkpoints swapped":       func() Message { m := vc(); swap(m.Stable.Checkpoints); return m },
		"S3: a checkpoint twice":    func() Message { m := vc(); again(m.Stable.Checkpoints); return m },
		"prepares swapped":          func() Message { m := vc(); swap(m.Prepared[1].Prepares); return m },
		"S3: a preparer twice":      func() Message { m := vc(); again(m.Prepared[1].Prepares); return m },
		"suspects swapped":          func() Message { m := vc(); m.Suspects[0].Replica = 3; return m },
		"S3: a suspect twice":       func() Message { m := vc(); m.Suspects[1] = m.Suspects[0]; return m },
		"certificates out of order": func() Message { m := vc(); m.Prepared[0].Seq = 13; return m },
		"a certificate twice":       func() Message { m := vc(); m.Prepared[1] = m.Prepared[0]; return m },
		"S3: a view change twice": func() Message {
			m := wireClone(c.newView())
			m.ViewChanges[1] = m.ViewChanges[0]
			return m
		},
		"slots out of order":        func() Message { return &Status{Slots: []SlotStatus{{2, 1}, {1, 1}}} },
		"a slot twice":              func() Message { return &Status{Slots: []SlotStatus{{1, 1}, {1, 2}}} },
		"a slot lacks the unknown":  func() Message { return &Status{Slots: []SlotStatus{{1, lacksAll + 1}}} },
		"holders out of order":      func() Message { return &Status{ViewChanges: []ReplicaID{1, 0}} },
		"a holder twice":            func() Message { return &Status{ViewChanges: []ReplicaID{1, 1}} },
		"more signers than members": func() Message { return &StableNotice{StableCert{Checkpoints: wireSigners(MaxMembers + 1)}} },
	}
	for name, build := range cases {
		if m, err := Decode(Encode(build())); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: decoded %+v, %v", name, m, err)
		}
	}
}

func wireSigners(n int) []Endorsement {
	list := make([]Endorsement, n)
	for i := range list {
		list[i].Replica = ReplicaID(i)
	}
	return list
}

func TestDecodeRecord_RefusesASentMessageThatIsNoVote(t *testing.T) {
	for _, s := range newWireCluster(4).samples() {
		if !Durable(s.m) {
			if _, err := DecodeRecord(EncodeRecord(&Sent{s.m})); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", s.name, err)
			}
		}
	}
}
