// Package attest owns attestations: statements about executed, committed state that the replicas of a cluster sign when
// they are asked to, outside the order. Signatures of enough distinct members make a certificate. Everybody who knows
// the members' keys can verify it alone, such as another cluster (TX5), or a third party with a cluster file.
//
// A signature covers the cluster, its epoch, the replica and the whole statement, so that none of them can be exchanged.
// The package knows how statements begin and not what machines say in them. It contacts nobody and reads no clock.
package attest

import (
	"encoding/binary"
	"errors"
	"fmt"

	"tagma/crypto"
)

// domain begins the bytes that a replica signs. No other signed string of the system can begin in the same way, because
// it has a format version where this one has a slash.
const domain = "tagma/attest"

// Version is the format of statements, of what replicas sign, and of encoded certificates.
const Version = 1

// Kind is the first byte of a statement. It says who composed the rest.
type Kind byte

// The kinds of statements.
const (
	KindReply   Kind = 1 // a replica's reply to a client's request
	KindMachine Kind = 2 // what a machine vouches for: its name, then its own bytes
	KindWatch   Kind = 3 // reserved for the changes of a stretch of the order
)

// Bounds of what Decode accepts and Verify considers.
const (
	MaxStatement  = 64 << 10 // bytes of a statement
	MaxSignatures = 256      // as many as a cluster can have members
)

// The reasons for which a certificate proves nothing. Errors of Decode and Verify wrap one of these.
var (
	ErrMalformed = errors.New("it is no certificate in the format of this release")
	ErrForeign   = errors.New("it was made by another cluster, or in another epoch of it")
	ErrTooFew    = errors.New("too few members signed it")
	ErrSigners   = errors.New("its signers are not distinct members in ascending order")
	ErrSignature = errors.New("a signature in it does not hold")
)

// Bytes returns what a replica signs to attest a statement. Replica is its index among the members, at most 65,535.
func Bytes(cluster [32]byte, epoch uint64, replica int, statement []byte) []byte {
	b := make([]byte, 0, len(domain)+1+32+8+2+len(statement))
	b = append(append(append(b, domain...), Version), cluster[:]...)
	b = binary.BigEndian.AppendUint64(b, epoch)
	b = binary.BigEndian.AppendUint16(b, uint16(replica))
	return append(b, statement...) // the rest, whatever its length; all before it has a fixed one
}

// Machine returns the statement in which a machine vouches for something. The name has at most 255 bytes; what is longer
// is cut off, and SaidBy then does not find the name.
func Machine(name string, said []byte) []byte {
	name = name[:min(len(name), 255)]
	b := append(make([]byte, 0, 2+len(name)+len(said)), byte(KindMachine), byte(len(name)))
	return append(append(b, name...), said...)
}

// SaidBy returns what the machine called name vouches for in a statement; false if it is another machine's or no
// machine's statement. The slice shares memory with the statement.
func SaidBy(name string, statement []byte) (said []byte, ok bool) {
	if KindOf(statement) != KindMachine || len(statement) < 2 {
		return nil, false
	}
	end := 2 + int(statement[1])
	if len(statement) < end || string(statement[2:end]) != name {
		return nil, false
	}
	return statement[end:], true
}

// KindOf is the kind of a statement, 0 if it is empty.
func KindOf(statement []byte) Kind {
	if len(statement) == 0 {
		return 0
	}
	return Kind(statement[0])
}

// Members are the replicas of one cluster in one epoch, as a cluster file or a registry of clusters names them.
type Members struct {
	ID    [32]byte // the cluster
	Epoch uint64
	Keys  [][32]byte // by replica
	Crash bool       // replicas only crash: nobody lies, and any two quorums share a member
}

// F is how many lying members the cluster masks: ⌊(n−1)/3⌋, or none if replicas only crash (F1).
func (m *Members) F() int {
	if m.Crash {
		return 0
	}
	return (len(m.Keys) - 1) / 3
}

// Quorum is the number of members such that any two sets of that size share a correct one.
func (m *Members) Quorum() int { return (len(m.Keys) + m.F() + 2) / 2 }

// Weak is how many members must have signed a statement before it is believed. That is f+1, of which at least one is
// correct. If replicas only crash it is a quorum, so that a member that has the statement survives all crashes (TX5).
func (m *Members) Weak() int {
	if m.Crash {
		return m.Quorum()
	}
	return m.F() + 1
}

// Signature is one replica's signature under a statement.
type Signature struct {
	Replica int // index among the members
	Sig     [64]byte
}

// Certificate is a statement with the signatures of members.
type Certificate struct {
	Cluster    [32]byte
	Epoch      uint64
	Statement  []byte
	Signatures []Signature // strictly ascending by replica
}

// Check makes every check of Verify except that of the signatures, for a caller that verifies Claims itself. Need is how
// many signatures the certificate must have; it is at least 1.
func (c *Certificate) Check(members Members, need int) error {
	switch {
	case c.Cluster != members.ID || c.Epoch != members.Epoch:
		return ErrForeign
	case KindOf(c.Statement) == 0 || len(c.Statement) > MaxStatement || len(c.Signatures) > MaxSignatures:
		return ErrMalformed
	case len(c.Signatures) < max(need, 1):
		return fmt.Errorf("%w: %d of at least %d", ErrTooFew, len(c.Signatures), need)
	}
	for i, s := range c.Signatures {
		if s.Replica < 0 || s.Replica >= len(members.Keys) || i > 0 && s.Replica <= c.Signatures[i-1].Replica {
			return fmt.Errorf("%w: replica %d at place %d of %d, in a cluster of %d", ErrSigners, s.Replica, i, len(c.Signatures), len(members.Keys))
		}
	}
	return nil
}

// Claims lists the signatures with their keys and the signed bytes. The certificate must have passed Check.
func (c *Certificate) Claims(members Members) []crypto.Claim {
	claims := make([]crypto.Claim, len(c.Signatures))
	for i, s := range c.Signatures {
		claims[i] = crypto.Claim{Key: members.Keys[s.Replica], Message: Bytes(c.Cluster, c.Epoch, s.Replica, c.Statement), Sig: s.Sig}
	}
	return claims
}

// Verify returns nil if at least need distinct members signed the statement, and every other listed member did, too. For
// a statement to be believed, need must be Members.Weak. All signatures are verified by the one rule (S1), under which
// keys of small order sign nothing. If there are more signatures than needed and one of them is invalid, the certificate
// is refused. So no byte of a certificate can be changed.
func (c *Certificate) Verify(members Members, need int) error {
	if err := c.Check(members, need); err != nil {
		return err
	}
	if !crypto.NewVerifier(0, nil).Verify(c.Claims(members)) {
		return ErrSignature
	}
	return nil
}

// Magic begins every encoded certificate, and so every file that holds one.
const Magic = "tagmaatt"

// Encode returns the certificate in bytes: magic, format version, cluster, epoch, the length of the statement and the
// statement, and the number of signatures and the signatures. Integers are big-endian and of fixed width; every
// certificate has one encoding.
func (c *Certificate) Encode() []byte {
	b := make([]byte, 0, len(Magic)+1+32+8+4+len(c.Statement)+2+len(c.Signatures)*signatureBytes)
	b = append(append(append(b, Magic...), Version), c.Cluster[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Epoch)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(c.Statement))), c.Statement...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(c.Signatures)))
	for _, s := range c.Signatures {
		b = append(binary.BigEndian.AppendUint16(b, uint16(s.Replica)), s.Sig[:]...)
	}
	return b
}

// signatureBytes is the size of one encoded signature.
const signatureBytes = 2 + 64

// Decode reads an encoded certificate. It accepts exactly what Encode returns for a certificate within the bounds, with
// distinct signers in ascending order. It never panics, and the certificate shares no memory with b. Nothing is verified.
func Decode(b []byte) (*Certificate, error) {
	const head = len(Magic) + 1 + 32 + 8 + 4
	if len(b) < head || string(b[:len(Magic)]) != Magic {
		return nil, ErrMalformed
	}
	if v := b[len(Magic)]; v != Version {
		return nil, fmt.Errorf("%w: it has version %d, this release knows %d", ErrMalformed, v, Version)
	}
	c := &Certificate{Cluster: [32]byte(b[len(Magic)+1:]), Epoch: binary.BigEndian.Uint64(b[head-12:])}
	size, rest := uint64(binary.BigEndian.Uint32(b[head-4:])), b[head:]
	if size == 0 || size > MaxStatement || size+2 > uint64(len(rest)) {
		return nil, fmt.Errorf("%w: its statement does not fit", ErrMalformed)
	}
	c.Statement = append([]byte(nil), rest[:size]...)
	n := int(binary.BigEndian.Uint16(rest[size:]))
	if rest = rest[size+2:]; n > MaxSignatures || len(rest) != n*signatureBytes {
		return nil, fmt.Errorf("%w: its signatures do not fit", ErrMalformed)
	}
	for i := range n {
		s := Signature{Replica: int(binary.BigEndian.Uint16(rest)), Sig: [64]byte(rest[2:])}
		if i > 0 && s.Replica <= c.Signatures[i-1].Replica {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, ErrSigners)
		}
		c.Signatures, rest = append(c.Signatures, s), rest[signatureBytes:]
	}
	return c, nil
}
