// Package pbft is the protocol of Castro and Liskov (Practical Byzantine Fault Tolerance, OSDI'99 and TOCS 2002), with
// signatures, as a pure state machine: events go in, effects come out.
//
// It owns what a replica believes and what it does on each event. What replicas say, with its bytes, digests and
// signatures, and what makes it valid, is package wire. It must not do anything itself: no I/O, clock, goroutine, channel,
// randomness, map order or key. A driver performs the effects in order, and nothing leaves the replica, and nothing is
// executed, before every earlier record is durable (D0). Whatever a peer sends, a Step never panics and never grows
// memory beyond the configuration; a panic here means that an invariant of our own is broken.
//
// # How to read it
//
// Start with port/events.go and port/effects.go, the two vocabularies, and wire/messages.go and wire/records.go.
// replica.go sends each event to its handler. A handler reads guard, then act: whyDropX gives the reason to ignore an
// input, and every ignored input says so by a Dropped effect. docs/protocol.md tells the whole as prose, and
// testdata/*.txt shows it message by message.
//
// # From the paper to the code
//
//	section of the paper                 file                                  test
//	§4.1 the client                      request.go, pool/pool.go              paper_client_test.go
//	§4.2 pre-prepare, prepare, commit    normal.go, msglog/slot.go             paper_normal_test.go
//	     batching, pipelining            normal.go                             paper_following_test.go (N5)
//	     execution in order              execute.go                            paper_normal_test.go (N4)
//	     watermarks h and H              msglog/window.go                      paper_checkpoint_test.go (§4.3)
//	§4.3 garbage collection              checkpoint.go, msglog/tally.go        paper_checkpoint_test.go
//	§4.4 view changes                    viewchange.go                         paper_viewchange_test.go
//	     O, null requests, new view      newview.go                            paper_newview_test.go
//	     timers                          timers.go                             rules_timers_test.go
//	§4.5 safety, liveness                wire/config.go (quorums), all of it   paper_correctness_test.go, random_test.go
//	§4.6 agreed time                     normal.go                             paper_normal_test.go (N1)
//	§5.2 signatures, no MACs             wire/signing.go, wire/claims.go       wire/signing_test.go
//	TOCS retransmission by status        retransmit.go                         paper_viewchange_test.go (V5)
//
// # What is not in the paper
//
// Rules have a letter and a number, such as V7, which comments cite and tests carry in their names. docs/rules.md has the
// sentence of each, a file that keeps it and a test of it.
//
// The invariants that must hold after every step of every schedule are in checker_test.go and checker_rules_test.go;
// control_test.go shows that the checker can fail. random_recovery_test.go takes memories away in random schedules.
package pbft
