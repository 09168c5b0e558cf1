// Package pbft is the protocol of Castro and Liskov (Practical Byzantine Fault Tolerance, OSDI'99 and TOCS 2002), with
// signatures, as a pure state machine: events go in, effects come out.
//
// It owns what a replica believes and what it does on each event. Package wire holds the messages, their bytes, digests
// and signatures, and decides which are valid. Package pbft must not act itself: no I/O, clock, goroutine, channel,
// randomness, map order or key. A driver performs its effects in order; nothing leaves the replica, and nothing is
// executed, before every earlier record is durable (D0). Whatever a peer sends, Step never panics and never uses more
// memory than the configuration allows; a panic here means that an invariant of our own is broken.
//
// # How to read it
//
// Start with port/events.go and port/effects.go, which list all inputs and outputs, and wire/messages.go and
// wire/records.go. replica.go sends each event to its handler. A handler checks, then acts: a function whyDropX gives
// the reason to ignore an input, and a Dropped effect reports every input that is ignored. docs/protocol.md describes
// the protocol in prose, and testdata/*.txt shows it message by message.
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
// Rules have a letter and a number, such as V7; comments cite them and tests carry them in their names. docs/rules.md
// has each rule's sentence, a file that keeps it and a test of it.
//
// The invariants that must hold after every step of every schedule are in checker_test.go and checker_rules_test.go;
// control_test.go shows that the checker can fail. random_recovery_test.go makes replicas lose their memory in random
// schedules.
package pbft
