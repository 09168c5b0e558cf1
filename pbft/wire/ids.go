package wire

import "encoding/hex"

// View numbers a configuration with one primary. Views are consecutive and start at 0.
type View uint64

// Seq is a sequence number: the position of one batch in the total order. The first batch has 1; 0 is the
// initial state.
type Seq uint64

// Valid reports whether a batch may ever have this number.
func (s Seq) Valid() bool { return s <= MaxSeq }

// ReplicaID is a replica's index in Config.Members.
type ReplicaID uint16

// PublicKey is an ed25519 public key in its canonical encoding.
type PublicKey [32]byte

// Signature is an ed25519 signature.
type Signature [64]byte

// Digest is a SHA-256 hash.
type Digest [32]byte

// String returns the first eight hex digits: enough to tell two digests apart in a log line.
func (d Digest) String() string { return hex.EncodeToString(d[:4]) }

// String returns the first eight hex digits.
func (k PublicKey) String() string { return hex.EncodeToString(k[:4]) }

// Life identifies one unbroken memory of a replica: its journal and the file beside its key contain the same life
// (D8.2). A replica that may have forgotten what it signed begins a new life. The zero value stands for none.
type Life [16]byte

// String returns all hex digits.
func (l Life) String() string { return hex.EncodeToString(l[:]) }

// Session is the number a client chose for one of its sessions. A client's later sessions have higher numbers (C1).
type Session uint64

// SessionID names one session of one client.
type SessionID struct {
	Client  PublicKey
	Session Session
}

// RequestID identifies a client's request for ever: rule C2 executes at most one request with each.
type RequestID struct {
	Client  PublicKey
	Session Session
	T       uint64 // the request's number within the session, from 1
}

// Of is the session that a request belongs to.
func (id RequestID) Of() SessionID { return SessionID{id.Client, id.Session} }
