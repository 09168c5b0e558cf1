// Package crypto owns identities and signatures: ed25519 key pairs, the files they live in, the one rule by which
// every signature of the system is judged, and the pool that applies it to what many links bring.
//
// The rule (S1) is the cofactored equation of ZIP-215, for single and batched verification alike, over public keys
// that are canonically encoded and not of small order. The standard library verifies without the cofactor, and a batch
// cannot: a signature crafted with a torsion component would be good for one replica and bad for another. So nothing in
// this module may verify a signature except through a Verifier.
//
// What is signed is no concern of this package: it never builds, parses or interprets a message, and it imports nothing
// else of the module.
package crypto
