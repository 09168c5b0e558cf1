// Package pool holds the requests that a replica knows and that were not executed: by name, age and client (C3, C6, T1),
// and how much of them a replica admits.
//
// It owns the room that they take and the turns that clients take. It must not decide what is proposed, relayed or answered.
// It is not safe for concurrent use.
package pool
