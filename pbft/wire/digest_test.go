package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// wireSHA computes a digest as the definition says, independently of the code under test.
func wireSHA(tag string, parts ...[]byte) Digest {
	b := append([]byte(tag), FormatVersion)
	for _, p := range parts {
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

func TestRequestDigest_CoversEverythingButTheSignature(t *testing.T) {
	r := newWireCluster(4).request(3, "put k v", "")
	encoded := Encode(r)[2:]
	if got, want := r.Digest(), wireSHA("tagma/request", encoded[:len(encoded)-64]); got != want {
		t.Errorf("digest %x, want %x", got, want)
	}
	other := wireClone(r)
	other.Sig[5] ^= 1
	if other.Digest() != r.Digest() {
		t.Error("the signature changes the content digest")
	}
	for name, change := range map[string]func(*Request){
		"client":       func(r *Request) { r.ID.Client[31]++ },
		"session":      func(r *Request) { r.ID.Session++ },
		"number":       func(r *Request) { r.ID.T++ },
		"acked below":  func(r *Request) { r.AckedBelow-- },
		"read only":    func(r *Request) { r.ReadOnly = !r.ReadOnly },
		"an operation": func(r *Request) { r.Ops[0][0]++ },
		"one op more":  func(r *Request) { r.Ops = append(r.Ops, nil) },
		"ops moved":    func(r *Request) { r.Ops = [][]byte{nil, r.Ops[0]} },
	} {
		changed := wireClone(r)
		change(changed)
		if changed.Digest() == r.Digest() {
			t.Errorf("%s is outside the digest", name)
		}
	}
}

// The batch digest covers everything that execution sees, including the clients' signatures.
func TestBatchDigest_CoversTimeRequestsAndSignatures(t *testing.T) {
	c := newWireCluster(4)
	b := c.body()
	fields := binary.BigEndian.AppendUint64(nil, uint64(b.Time))
	fields = binary.BigEndian.AppendUint32(fields, 2)
	if got, want := b.Digest(), wireSHA("tagma/batch", fields, Encode(b.Requests[0])[2:], Encode(b.Requests[1])[2:]); got != want {
		t.Errorf("digest %x, want %x", got, want)
	}
	for name, change := range map[string]func(*Body){
		"the time":        func(b *Body) { b.Time++ },
		"the order":       func(b *Body) { b.Requests[0], b.Requests[1] = b.Requests[1], b.Requests[0] },
		"a signature":     func(b *Body) { b.Requests[1].Sig[63] ^= 1 },
		"an operation":    func(b *Body) { b.Requests[0].Ops[0][0] ^= 1 },
		"one request":     func(b *Body) { b.Requests = b.Requests[:1] },
		"a request twice": func(b *Body) { b.Requests = append(b.Requests, b.Requests[0]) },
	} {
		changed := wireClone(b)
		change(changed)
		if changed.Digest() == b.Digest() {
			t.Errorf("%s is outside the digest", name)
		}
	}
}

func TestNullDigest_IsThatOfTheEmptyBody(t *testing.T) {
	if want := wireSHA("tagma/batch", make([]byte, 12)); NullDigest != want || (&Body{}).Digest() != want {
		t.Errorf("null digest %x, want %x", NullDigest, want)
	}
	if !NullBody.IsNull() || (&Body{Time: 1}).IsNull() || newWireCluster(4).body().IsNull() {
		t.Error("null is the body without time and requests, and no other")
	}
}

func TestRemembered_DigestsAreThoseOfTheFields(t *testing.T) {
	c := newWireCluster(4)
	m, err := Decode(Encode(c.prePrepare(2, 11, c.body())))
	if err != nil {
		t.Fatal(err)
	}
	body := m.(*PrePrepare).Body
	if got, want := body.Digest(), wireClone(body).Digest(); got != want {
		t.Errorf("body: %x, want %x", got, want)
	}
	for i, r := range body.Requests {
		if !r.cached() {
			t.Errorf("request %d: nothing is remembered", i)
		}
		if got, want := r.Digest(), wireClone(r).Digest(); got != want {
			t.Errorf("request %d: %x, want %x", i, got, want)
		}
	}
}

func TestRemembered_NothingStaleAfterACopyOrANewSignature(t *testing.T) {
	c := newWireCluster(4)
	fresh := func(what string, r *Request) {
		t.Helper()
		if clone := wireClone(r); r.Digest() != clone.Digest() || string(Encode(r)) != string(Encode(clone)) {
			t.Errorf("%s: what is remembered is stale", what)
		}
	}
	r := c.request(3, "put k v")
	fresh("signed", r)

	changed := *r
	changed.AckedBelow = 1
	fresh("a changed copy", &changed)
	c.sign(&changed)
	fresh("the copy signed", &changed)

	r.Sig[0] ^= 1
	fresh("a spoiled signature", r)
	r.AckedBelow = 2
	c.sign(r)
	fresh("signed again", r)

	body := c.body()
	before := body.Digest()
	moved := *body
	moved.Time++
	if moved.Digest() == before {
		t.Error("a changed copy of a body has the digest of the original")
	}
}
