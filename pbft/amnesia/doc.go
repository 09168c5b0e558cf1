// Package amnesia runs in place of a replica that may have forgotten what it signed (D8.6).
//
// It owns the question to the other replicas and what follows from their answers: the sequence number above which, and
// the view from which on, a vote contradicts no forgotten one. It must not vote, execute or write.
package amnesia
