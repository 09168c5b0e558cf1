// Package link attacks a cluster over real links, below the level of messages: with malformed frames, thousands of
// streams, and peers that never read. It also runs the malicious clients of package client over such links.
//
// An attacker has the key of a replica, the key of a client, or a key that no replica knows. It uses libp2p directly,
// because the network package would prevent it from breaking the rules. It counts what it did and how replicas reacted,
// and judges nothing.
package link
