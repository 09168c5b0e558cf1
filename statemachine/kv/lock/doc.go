// Package lock builds sessions, mutexes and elections on the leases of the key-value machine.
//
// What is promised: of all who ask for one name, at most one holds its mutex at a time, as the cluster sees it, through up
// to f lying or crashed replicas. They get it in the order in which their requests were ordered. A holder that crashes or
// loses touch gives it up when its session's lease ends.
//
// What no lock service can promise: that a holder stops in time. A program may be paused right after it looked whether it
// still holds the mutex, and go on when another one holds it. So whatever a holder changes should depend on its fence: a
// number that rises from holder to holder. In the same cluster a transaction does that with Mutex.Held as a compare. Other
// services must refuse fences below the highest one that they saw.
//
// A session ends for its owner no later than for the cluster: it counts from before a keep-alive was sent, by the process's
// own monotonic clock, and the cluster adds a margin for a primary whose clock is ahead (see package kv). A clock that runs
// slow by more than that margin breaks this; the fence does not depend on clocks.
package lock
