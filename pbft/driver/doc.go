// Package driver performs a core's effects in order.
//
// It owns one rule: nothing leaves the replica and nothing is executed before every earlier record is durable (D0). A
// turn takes the events that have gathered, steps the core through them, makes all records durable with one sync, and
// only then sends messages and hands over batches for execution. What the core broadcasts comes back to it in the next
// turn, so that the replica's own vote counts only once it is durable.
//
// It tells observers what happens, in the terms of the protocol, so that no other code has to interpret events, effects
// and records.
//
// It has no goroutine, clock or randomness, so that node and simulator run the same code. It must not know what
// implements its ports.
package driver
