// Package msglog is a replica's message log (§4.2, §4.3): the messages that it received and sent for each sequence
// number between the watermarks and for each checkpoint, and the highest statements of every replica.
//
// It owns the memory for these, a ring of slots and arrays indexed by replica, and answers questions by counting them. It
// must not decide anything: package pbft decides what a replica does about a quorum. It is not safe for concurrent use.
package msglog
