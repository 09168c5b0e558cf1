// Package crypto owns identities and signatures: ed25519 key pairs, key files, the one rule by which every signature
// in the system is verified, and the pool that applies it to the messages from many links.
//
// The rule (S1) is the cofactored equation of ZIP-215, for single and batched verification alike, over public keys
// that are canonically encoded and not of small order. The standard library verifies without the cofactor, but a
// batch can only be verified with it. If both equations were used, a signature with a torsion component could be
// valid for one replica and invalid for another. So nothing in this module may verify a signature except through a
// Verifier.
//
// The package never builds, parses or interprets the messages that are signed, and imports nothing else of the
// module.
package crypto
