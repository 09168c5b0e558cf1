// Package msglog is a replica's message log (§4.2, §4.3): what it has heard and said of each sequence number between the
// watermarks, of each checkpoint, and the highest statements of every replica.
//
// It owns the room that this takes, a ring of slots and arrays by replica, and what can be read off it by counting. It must
// not decide anything: what a replica does about a quorum is package pbft. It is not safe for concurrent use.
package msglog
