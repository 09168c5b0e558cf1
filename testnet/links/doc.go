// Package links decides what happens to a frame between two replicas: whether it arrives, when, how often, and whether
// it is damaged.
//
// The simulator asks it for every frame, and a replica process of the testnet asks it for every frame that it sends, so
// that a partition or a rule means the same on both. It has no clock, goroutine or randomness of its own: the time and a
// source of chance come with the call. A Policy is for one goroutine; whoever shares it puts a lock around it.
//
// What changes the links is a Command: plain data, applied by Policy.Do, that a launcher can write to a replica process
// as JSON. Commands applied in the same order make the same state, so a process that was started again is given all of
// them once more.
package links
