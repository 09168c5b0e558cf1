package proof

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"tagma/pbft/wire"
	"tagma/statemachine/attest"
)

// ErrMalformed says that bytes are not the encoding of a document.
var ErrMalformed = errors.New("it is no document in the format of this release")

// Members returns the members of a cluster in the form in which certificates are checked.
func Members(cfg *wire.Config) attest.Members {
	m := attest.Members{ID: cfg.Cluster, Epoch: cfg.Epoch, Crash: cfg.Crash, Keys: make([][32]byte, cfg.N())}
	for i, key := range cfg.Members {
		m.Keys[i] = key
	}
	return m
}

// VerifyCertificate is attest.Certificate.Verify with the caller's way to verify signatures. Need 0 stands for as many
// signatures as make a statement believable.
func VerifyCertificate(c *attest.Certificate, members attest.Members, need int, holds func([]wire.Claim) bool) error {
	if need == 0 {
		need = members.Weak()
	}
	if err := c.Check(members, need); err != nil {
		return err
	}
	claims := make([]wire.Claim, len(c.Signatures))
	for i, claim := range c.Claims(members) {
		claims[i] = wire.Claim{Signer: claim.Key, Signed: claim.Message, Sig: claim.Sig}
	}
	if !holds(claims) {
		return attest.ErrSignature
	}
	return nil
}

// Reply is what replicas say about a request in a statement of kind reply. It depends on the agreed state alone, so all
// correct replicas say the same (C2).
type Reply struct {
	ID      wire.RequestID
	Request wire.Digest // of the request's content
	Outcome wire.Outcome
	Seq     wire.Seq
	Results wire.Digest
}

// replyBytes is the size of every statement about a reply.
const replyBytes = 1 + 32 + 8 + 8 + 32 + 1 + 8 + 32

// StatementOf returns the statement about a reply.
func StatementOf(r *wire.Reply) []byte {
	b := append(make([]byte, 0, replyBytes), byte(attest.KindReply))
	b = append(b, r.ID.Client[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.ID.Session))
	b = binary.BigEndian.AppendUint64(b, r.ID.T)
	b = append(append(b, r.Request[:]...), byte(r.Outcome))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Seq))
	results := r.Digest()
	return append(b, results[:]...)
}

// ReplyIn reads a statement about a reply; false if it is of another kind.
func ReplyIn(statement []byte) (r Reply, ok bool) {
	if len(statement) != replyBytes || attest.KindOf(statement) != attest.KindReply {
		return Reply{}, false
	}
	b := statement[1:]
	r.ID.Client = [32]byte(b)
	r.ID.Session = wire.Session(binary.BigEndian.Uint64(b[32:]))
	r.ID.T = binary.BigEndian.Uint64(b[40:])
	r.Request = [32]byte(b[48:])
	r.Outcome = wire.Outcome(b[80])
	r.Seq = wire.Seq(binary.BigEndian.Uint64(b[81:]))
	r.Results = [32]byte(b[89:])
	return r, true
}

// Receipt shows what became of a request.
type Receipt struct {
	Certificate *attest.Certificate // of a statement about the reply
	Request     []byte              // the frame of the request with its client's signature; empty: only its digest is shown
	Results     [][]byte
}

const (
	receiptMagic = "tagmarct"
	readMagic    = "tagmaprf"
	version      = 1
	mostResults  = 1 << 20
)

// Encode returns the receipt in bytes: magic, version, certificate and request, each behind its length, and the results
// behind their number, each behind its length.
func (r *Receipt) Encode() []byte {
	b := append([]byte(receiptMagic), version)
	b = appendBytes(appendBytes(b, r.Certificate.Encode()), r.Request)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Results)))
	for _, result := range r.Results {
		b = appendBytes(b, result)
	}
	return b
}

// IsReceipt reports whether bytes begin like a receipt.
func IsReceipt(b []byte) bool { return bytes.HasPrefix(b, []byte(receiptMagic)) }

// DecodeReceipt reads an encoded receipt. It shares memory with b.
func DecodeReceipt(b []byte) (*Receipt, error) {
	d, err := begin(b, receiptMagic)
	if err != nil {
		return nil, err
	}
	r := new(Receipt)
	certificate := d.bytes()
	r.Request = d.bytes()
	n := d.uint32()
	if uint64(n) > min(mostResults, uint64(len(d.rest)/4)) {
		return nil, ErrMalformed
	}
	for range n {
		r.Results = append(r.Results, d.bytes())
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	if r.Certificate, err = attest.Decode(certificate); err != nil {
		return nil, fmt.Errorf("its certificate: %w", err)
	}
	return r, nil
}

// Verify checks that at least need members signed the reply, 0 standing for as many as make it believable; that the
// request, if it is shown, is the one that the reply answers, and that its client signed it; and that the results are
// those of the reply. It returns the request; nil if the receipt does not show it.
func (r *Receipt) Verify(cfg *wire.Config, need int, holds func([]wire.Claim) bool) (Reply, *wire.Request, error) {
	reply, is := ReplyIn(r.Certificate.Statement)
	if !is {
		return Reply{}, nil, errors.New("its certificate is about something else than a reply")
	}
	if err := VerifyCertificate(r.Certificate, Members(cfg), need, holds); err != nil {
		return Reply{}, nil, err
	}
	if wire.DigestResults(r.Results) != reply.Results {
		return Reply{}, nil, errors.New("its results are not those that the members signed")
	}
	if len(r.Request) == 0 {
		return reply, nil, nil
	}
	m, err := wire.Decode(r.Request)
	if err != nil {
		return Reply{}, nil, fmt.Errorf("its request cannot be read: %w", err)
	}
	request, is := m.(*wire.Request)
	if !is || request.ID != reply.ID || request.Digest() != reply.Request {
		return Reply{}, nil, errors.New("its request is not the one that the members answered")
	}
	if !holds(wire.Claims(cfg, request)) {
		return Reply{}, nil, errors.New("the client's signature under its request does not hold")
	}
	return reply, request, nil
}

func appendBytes(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// document reads a document from the front. After the first malformed read every later read is empty.
type document struct {
	rest []byte
	bad  bool
}

// begin checks magic and version.
func begin(b []byte, magic string) (*document, error) {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok || len(rest) == 0 || len(b) > math.MaxInt32 {
		return nil, ErrMalformed
	}
	if rest[0] != version {
		return nil, fmt.Errorf("%w: it has version %d, this release knows %d", ErrMalformed, rest[0], version)
	}
	return &document{rest: rest[1:]}, nil
}

func (d *document) take(n int) []byte {
	if d.bad || n > len(d.rest) {
		d.bad, d.rest = true, nil
		return nil
	}
	taken := d.rest[:n:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *document) uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *document) bytes() []byte { return d.take(int(d.uint32())) }

func (d *document) end() error {
	if d.bad || len(d.rest) > 0 {
		return ErrMalformed
	}
	return nil
}
