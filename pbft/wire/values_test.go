package wire

import (
	"math/rand"
	"reflect"
	"testing"
)

// wireClone returns a deep copy of the exported fields, like a message that was newly built, without cached encodings.
func wireClone[T any](v T) T {
	return wireCloneValue(reflect.ValueOf(&v).Elem()).Interface().(T)
}

func wireCloneValue(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(wireCloneValue(v.Elem()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(wireCloneValue(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(wireCloneValue(v.Index(i)))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(wireCloneValue(v.Field(i)))
			}
		}
	default:
		out.Set(v)
	}
	return out
}

func wireEqual(a, b any) bool { return reflect.DeepEqual(wireClone(a), wireClone(b)) }

// wireRandom fills every exported field of v, at all depths, with random values that have an encoding.
func wireRandom(rng *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rng.Intn(2) == 1)
	case reflect.Int64:
		v.SetInt(int64(rng.Uint64()))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rng.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Array:
		for i := range v.Len() {
			wireRandom(rng, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				wireRandom(rng, v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		wireRandom(rng, v.Elem())
	case reflect.Slice:
		// A list may be empty, but an operation may not.
		if n := rng.Intn(4); n > 0 || v.Type().Elem().Kind() == reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				wireRandom(rng, v.Index(i))
				wireOrder(v.Index(i).Addr().Interface(), i)
			}
		}
	}
	if s, ok := v.Addr().Interface().(*SlotStatus); ok {
		s.Lacks &= lacksAll
	}
	wireOptional(rng, v.Addr().Interface())
}

// wireOptional sometimes leaves out fields that may be absent.
func wireOptional(rng *rand.Rand, v any) {
	absent := rng.Intn(3) == 0
	switch v := v.(type) {
	case *PrePrepare:
		if absent {
			v.Body = nil
		}
	case *CertifiedBody:
		if absent {
			v.Cert = nil
		}
	case *HeldBy:
		if absent {
			v.Prepared, v.Commit = nil, nil
		}
	case *Data:
		if absent {
			v.Offer = nil
		}
	case *ChangeItem:
		if len(v.Events) > 0 {
			v.Digest = Digest{}
		}
	case *Reply:
		if absent {
			v.ResultDigest = nil
		} else {
			v.Results = nil
		}
	}
}

// wireOrder gives entry i of a list a key that is above those of the entries before it.
func wireOrder(entry any, i int) {
	switch e := entry.(type) {
	case *Endorsement:
		e.Replica = ReplicaID(i<<8) | e.Replica&0xff
	case *Suspect:
		e.Replica = ReplicaID(i<<8) | e.Replica&0xff
	case *ViewChange:
		e.Replica = ReplicaID(i<<8) | e.Replica&0xff
	case *ReplicaID:
		*e = ReplicaID(i<<8) | *e&0xff
	case *PreparedCert:
		e.Seq = Seq(i)<<60 | e.Seq>>4
	case *SlotStatus:
		e.Seq = Seq(i)<<60 | e.Seq>>4
	case *Taken:
		e.ID = uint64(i)<<60 | e.ID>>4
	case *uint64:
		*e = uint64(i)<<60 | *e>>4
	}
}

func TestDecode_ReturnsWhatWasEncoded(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for _, s := range newWireCluster(4).samples() {
		for round := range 50 {
			m := s.m
			if round > 0 {
				m = reflect.New(reflect.TypeOf(s.m).Elem()).Interface().(Message)
				wireRandom(rng, reflect.ValueOf(m).Elem())
			}
			b := Encode(m)
			got, err := Decode(b)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if !wireEqual(got, m) {
				t.Fatalf("%s: decoded\n%+v from\n%+v", s.name, got, m)
			}
			if appended := AppendEncode([]byte("ab"), got); string(appended) != "ab"+string(b) {
				t.Fatalf("%s: what was decoded encodes otherwise", s.name)
			}
		}
	}
}

func TestDecodeRecord_ReturnsWhatWasEncoded(t *testing.T) {
	rng := rand.New(rand.NewSource(2))
	for _, s := range newWireCluster(4).records() {
		for round := range 50 {
			r := s.r
			if sent, ok := r.(*Sent); ok && round > 0 {
				m := reflect.New(reflect.TypeOf(sent.Msg).Elem()).Interface().(Message)
				wireRandom(rng, reflect.ValueOf(m).Elem())
				r = &Sent{Msg: m}
			} else if round > 0 {
				r = reflect.New(reflect.TypeOf(s.r).Elem()).Interface().(Record)
				wireRandom(rng, reflect.ValueOf(r).Elem())
			}
			got, err := DecodeRecord(EncodeRecord(r))
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if !wireEqual(got, r) {
				t.Fatalf("%s: decoded\n%+v from\n%+v", s.name, got, r)
			}
		}
	}
}

func TestDecodeEvidence_ReturnsWhatWasEncoded(t *testing.T) {
	for _, e := range newWireCluster(4).evidence() {
		got, err := DecodeEvidence(e.Encode())
		if err != nil {
			t.Fatalf("%v: %v", TypeOf(e.First), err)
		}
		if !wireEqual(got, e) {
			t.Fatalf("decoded\n%+v from\n%+v", got, e)
		}
	}
}

func TestRecordSeq_IsTheSlotOfTheRecord(t *testing.T) {
	for _, s := range newWireCluster(4).records() {
		if got := RecordSeq(s.r); got != s.seq {
			t.Errorf("%s: %d, want %d", s.name, got, s.seq)
		}
	}
}

func TestType_NamesAreTheInterfaceContract(t *testing.T) {
	want := map[Type]string{
		1: "request", 2: "pre-prepare", 3: "prepare", 4: "commit", 5: "checkpoint", 6: "suspect", 7: "view-change",
		8: "new-view", 9: "heartbeat", 10: "reply", 11: "status", 13: "certified-body", 14: "fetch", 16: "stable-notice",
		17: "inquire", 18: "report", 19: "query", 20: "query-reply", 21: "attach",
		15: "data", 22: "held", 23: "held-by", 24: "recover", 25: "fetch-slots", 26: "slots", 27: "fetch-state",
		28: "attached", 29: "attest", 30: "attestation", 31: "prove", 32: "proof",
		40: "watch", 41: "watch-taken", 42: "changes", 43: "progress",
	}
	for number, name := range want {
		if number.String() != name {
			t.Errorf("type %d is called %q, want %q", number, number, name)
		}
		if got, ok := ParseType(name); !ok || got != number {
			t.Errorf("ParseType(%q) = %d, %v", name, got, ok)
		}
	}
	seen := map[Type]bool{}
	for _, s := range newWireCluster(4).samples() {
		seen[TypeOf(s.m)] = true
	}
	if len(seen) != len(want) {
		t.Errorf("samples of %d types, want %d", len(seen), len(want))
	}
	for _, name := range []string{"", "body"} {
		if got, ok := ParseType(name); ok {
			t.Errorf("ParseType(%q) = %d", name, got)
		}
	}
	if got := Type(12).String(); got != "type(12)" {
		t.Errorf("type 12 is called %q", got)
	}
	if got := TypeOf(nil); got != 0 {
		t.Errorf("nil is a %v", got)
	}
}
