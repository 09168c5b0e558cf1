// Package links decides what becomes of a frame between two replicas: whether it arrives, when, how often and how
// damaged.
//
// The simulator asks it for every frame, and a replica process of the testnet asks it for every frame that it sends, so
// that a partition or a rule means the same on both. It has no clock, goroutine or randomness of its own: the time and
// a source of chance come with the call.
package links
