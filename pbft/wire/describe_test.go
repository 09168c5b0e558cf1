package wire

import (
	"reflect"
	"strings"
	"testing"
)

// named returns the field of a message that has this name and type T, or nil if there is none.
func named[T any](m any, name string) *T {
	if f := reflect.ValueOf(m).Elem().FieldByName(name); f.IsValid() {
		at, _ := f.Addr().Interface().(*T)
		return at
	}
	return nil
}

// The description of every message has its view, sequence number, digest and request if the message has them. This also
// holds for types that are added later.
func TestDescribe_NamesEveryPlaceThatAMessageNames(t *testing.T) {
	for _, s := range newWireCluster(4).samples() {
		d := Describe(s.m)
		of := any(s.m)
		if notice, is := s.m.(*StableNotice); is {
			of = &notice.Cert
		}
		if view := named[View](of, "View"); view != d.View {
			t.Errorf("%s: its view is %v, and %v is said", d.Type, view, d.View)
		}
		if seq := named[Seq](of, "Seq"); seq != d.Seq {
			t.Errorf("%s: its sequence number is %v, and %v is said", d.Type, seq, d.Seq)
		}
		if digest := named[Digest](of, "Digest"); digest != d.Digest {
			t.Errorf("%s: its digest is %v, and %v is said", d.Type, digest, d.Digest)
		}
		if id := named[RequestID](of, "ID"); id != d.Request {
			t.Errorf("%s: its request is %v, and %v is said", d.Type, id, d.Request)
		}
		if d.Type != TypeOf(s.m).String() || d.Text() != Format(s.m) {
			t.Errorf("%s: described as %q %q", TypeOf(s.m), d.Type, d.Text())
		}
	}
}

func TestReadRecord_SaysWhatAnOperatorWantsToKnow(t *testing.T) {
	life := Life{0xfe}
	batch := &Body{Time: 3, Requests: []*Request{{Ops: [][]byte{{1}}}}}
	for want, r := range map[string]Record{
		"recovering| silent until that sequence number, votes from that view, life " + life.String(): &Recovering{Life: life, Until: 62, View: 3},
		"head| replica 2, epoch 0, cluster 00000000, active, life " + life.String():                  &Head{Self: 2, Active: true, Life: life},
		"head| replica 0, epoch 0, cluster 00000000, changing views":                                 &Head{},
		"installed|certificate a state that others gave":                                             &Installed{Cert: StableCert{Seq: 40, Digest: Digest{0xab}}},
		"witness|checkpoint said by replica 1":                                                       &Witness{Replica: 1, Said: Statement{Type: TypeCheckpoint, Seq: 8}},
		"fetched|body null request":                                                                  &Fetched{Seq: 1, Body: NullBody},
		"accepted|pre-prepare 1 request":                                                             &Accepted{PrePrepare: &PrePrepare{Seq: 1, Digest: batch.Digest(), Body: batch}},
		"sent|view-change stable 0, 0 prepared above it":                                             &Sent{Msg: &ViewChange{View: 1}},
		"sent|prepare ": &Sent{Msg: &Prepare{View: 1, Seq: 2}},
		"void| own states that were given up; the present one is wrong": &Void{Until: 7, Wrong: true},
	} {
		d, err := ReadRecord(EncodeRecord(r))
		if got := d.Kind + "|" + d.Type + " " + d.Note; err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
		if d.Text() != FormatRecord(r) {
			t.Errorf("%s: %q, want %q", want, d.Text(), FormatRecord(r))
		}
	}
	if _, err := ReadRecord([]byte{FormatVersion, 0xee}); err == nil {
		t.Error("what is no record is described")
	}
}

func TestEvidence_SaysWhatTheStatementsContradictEachOtherOn(t *testing.T) {
	votes := Equivocated(1, &Prepare{View: 1, Seq: 2, Digest: Digest{0xaa}}, &Prepare{View: 1, Seq: 2, Digest: Digest{0xbb}})
	if got := votes.About(); got != "prepare view 1 seq 2: digests aa0000000000 and bb0000000000" {
		t.Error(got)
	}
	views := Equivocated(1, &ViewChange{View: 4}, &ViewChange{View: 4, Stable: StableCert{Seq: 8}})
	if got := views.About(); !strings.HasSuffix(got, "view 4: two different ones") {
		t.Error(got)
	}
}
