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
// Rules have a letter and a number; tests carry them in their names.
//
//	rule                                                    file                        test
//	D0–D4, D7 durable before it is sent; restarts           restart.go                  rules_durability_test.go
//	D5 what a start executes again from the journal alone   wire/journal.go             backlog_test.go
//	D9 the anchor at the head of a journal segment          anchor.go                   rules_durability_test.go
//	N1 agreed time; a pre-prepare from the future waits     normal.go                   paper_normal_test.go
//	N3 no vote without the body; bodies are fetched         execute.go                  paper_following_test.go
//	N7 commit certificates: follow in any view              execute.go, retransmit.go   paper_following_test.go
//	C3 requests keyed by name, relayed until ordered        request.go                  paper_client_test.go
//	C6 shares and turns; overflow is answered Busy          pool/pool.go, pool/load.go  paper_client_test.go
//	K1 h moves on a certificate; deletion waits             checkpoint.go               paper_checkpoint_test.go
//	K2 a diverged replica stops replying                    checkpoint.go               paper_checkpoint_test.go
//	V7 Suspect: nobody leaves a view alone                  suspect.go, timers.go       paper_viewchange_test.go
//	V9 no stall, at most four extra views                   all of it                   random_test.go, testdata/v9_*.txt
//	T1, T3 a timer for each request; monotonic clocks       timers.go                   rules_timers_test.go
//	S2–S4 verified before the core; bounded; never a panic  package wire                fuzz_step_test.go
//	E1 evidence of equivocation                             normal.go, wire/evidence.go wire/evidence_test.go
//	D8.4 what a replica signed, as others remember it       held.go                     d8_held_test.go
//	D8.5 the question of every start                        held.go                     d8_start_test.go
//	D8.6 from where on a replica that forgot may vote       amnesia/amnesiac.go         d8_amnesiac_test.go
//	D8.7, D8.8 its silence, and the end of it               silence.go                  d8_silence_test.go
//	D8.6, D8.7 what forks without them                      amnesia/amnesiac.go         d8_rare_test.go
//	D8.9 nulls in an idle cluster                           nulls.go                    d8_nulls_test.go
//	D8.10, D8.11 two view changes; who suspects what        viewchange.go, timers.go    d8_evidence_test.go
//	X0 following by asking for batches                      follow.go, follow/follow.go  x0_follow_test.go
//	X1, X6, X7, X9 the state comes from others              transfer.go, restart.go     x1_transfer_test.go
//	X8 what a replica does meanwhile                        transfer.go                 x8_voting_test.go
//
// The invariants that must hold after every step of every schedule are in checker_test.go and checker_rules_test.go;
// control_test.go shows that the checker can fail. random_recovery_test.go takes memories away in random schedules.
package pbft
