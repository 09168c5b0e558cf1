// Package transfer brings the state at one sequence number from other replicas, donors, to one that fell behind (X1
// to X9).
//
// It owns the exchange of queries and answers and nothing around it: no goroutine, clock, network or certificate, so
// that a node can run it beside its other work and a simulator can replay it. Queries and answers are bytes that the
// caller carries; whom they come from, and which sequence number they are about, the caller knows. It must not use a
// byte that is not verified up to the certified root (X3).
//
// # The exchange
//
// The receiver walks its own tree against the certified one from the root down, lowest hash first. It asks for the
// node at a path and says the first two bytes of the digests of its own children there. The donor leaves out the
// children that fit, gives those that are leaves as entries as far as the answer has room, and the others as digests.
// The receiver computes the node's digest, its own digests in place of those left out, and compares it with the
// certified one. Then it skips equal children, deletes its own keys below absent ones, and asks for the rest in the
// same way. Where it has nothing the donor sends a page, all entries below the path, if those are at most MaxPage and
// fit. A value longer than an answer is announced with its hash and then fetched in pieces.
//
//	item      asks for                                      answered by
//	path      what lies there; nothing is known             page, node, long
//	compare   the node there, but for what fits             node; page or long of a single entry
//	chunk     a piece of a long value                       chunk
//
// Any item but a query's first may also be answered by "later": the answer is full, ask again. So every answer brings
// at least one step, and one that does not is a lie.
//
// Two different digests may begin alike. A node from which children were left out, and which does not verify, is
// asked for again without prefixes, from any donor. Once it is known, whoever left out children with no two digests
// alike is blamed.
//
// # What a donor can do
//
// Withhold, delay and lie. A lie is seen in the answer itself, or when the node is known, or, for the pieces of a
// long value, which all come from the donor that announced it, at the last piece. The donor is then blamed: its
// questions go to others and it gets none until it is forgiven. One that does not answer in time is slow
// (Receiver.Expire). One that answers a little of each question is asked for as little, so that it holds up nobody
// else.
//
// # Restart
//
// Every value written is the true one at its version, so an interrupted transfer needs no record of where it was: the
// next one, to the same or a newer root, compares what is there and fetches the rest (X4, X7).
//
// # Bounds
//
// Of a query: MaxItems items, MaxQuery bytes. Of an answer: MaxAnswer bytes. Decoding allocates at most 50 times the
// input.
//
// Answering costs a donor, whatever the query: at most MaxItems × (MaxPage+1) leaves looked at, with the nodes above
// them; 16,384 values read, of 4 MiB together but for the last one; 1 MiB written. The index takes
// SourceOptions.IndexBytes; a state with more keys is scanned once for each window of the hash space that is asked
// for, at most 16 + 8 × windows times in the life of a source.
//
// A receiver holds, beside the tree's snapshot: a queue of about maxQueue paths of 80 bytes (from there on each donor
// is asked for one path at a time, which adds at most 15 for each of 64 levels); InFlight × MaxItems paths a donor;
// maxLong values of Options.MaxValue bytes; 64 Ki deletions of subtrees or keys, found by a scan of the stage for
// each 64 Ki and one at the end; and a batch of writes of 1 MiB or one value.
package transfer
