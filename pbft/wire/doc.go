// Package wire defines the messages that the protocol's participants exchange and the records that they write to their
// journals. It does not define what they do.
//
// It owns the messages and certificates, the records of the journal and the proofs of misbehaviour, each with its
// encoding, its digest, its signed strings, and the conditions under which it is valid. Check checks everything except
// signatures, Claims lists the signatures, and only a Verified message reaches a core (S2). It also owns the
// configuration on which all of this depends. It must not know the state of a replica, and must not hold a key.
//
// Whatever bytes a peer sends, decoding and checking end within the bounds of the configuration and never panic (S4).
// Encodings are canonical: a decoded value encodes to the same bytes. docs/wire.md describes the format for other
// languages.
//
//	messages.go, certificates.go, records.go, evidence.go   messages, certificates, records and evidence
//	ids.go, type.go, config.go                              numbers, members, types; sizes of quorums
//	codec*.go                                               bytes, one file for each family of messages
//	digest.go, signing.go, sign.go                          digests and signed strings (§5.2)
//	check*.go, claims.go, verify.go                         which messages are valid, and which signatures they need
//	reply.go                                                replies by digest (C5)
//	newview.go                                              what a NewView must say (V3, V4)
//	journal.go                                              what a journal's records mean together (X0)
//	format.go, describe.go                                  one line for people; descriptions for programs
package wire
