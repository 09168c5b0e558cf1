// Package transfer brings the state after one sequence number from other replicas, the donors, to a replica that fell
// behind, the receiver (X1 to X9).
//
// It owns the exchange of queries and answers and nothing else: no goroutine, clock, network or certificate, so that a
// node can run it beside its other work and a simulator can replay it. Queries and answers are bytes that the caller
// carries. The caller knows from which replica they come and which sequence number they are about. The package must not
// use a byte that is not verified up to the certified root (X3).
//
// # The exchange
//
// The receiver compares its own tree with the certified one from the root down, lowest hash first. It asks for the node at a
// path and sends the first two bytes of the digests of its own children there. The donor leaves out the children whose
// digests begin with these bytes. Of the others it gives those that are leaves as entries, as far as the answer has room,
// and the rest as digests. The receiver computes the node's digest, with its own digests in place of those left out, and
// compares it with the certified one. Then it skips equal children, deletes its own keys below absent ones, and asks for the
// rest in the same way. For a path at which the receiver has nothing, the donor sends a page: all entries below the path, if
// those are at most MaxPage and fit. A value longer than an answer is announced with its hash and then fetched in pieces.
//
//	item      asks for                                      answered by
//	path      what lies there; nothing is known             page, node, long
//	compare   the node there, but for what fits             node; page or long of a single entry
//	chunk     a piece of a long value                       chunk
//
// Any item except a query's first may also be answered by "later": the answer is full, ask again. So every answer makes
// progress by at least one item; one that does not cannot be from a correct donor.
//
// Two different digests may begin with the same bytes. If children were left out of a node and it does not verify, the
// receiver asks for it again without prefixes, from any donor. Once it has the node, it blames the donor that left
// children out although no two digests begin alike.
//
// # What a donor can do
//
// A donor can withhold, delay and lie. The receiver finds a lie in the answer itself, or once it has the node. All
// pieces of a long value come from the donor that announced it, so there it finds a lie at the last piece. It then
// blames the donor: other donors get its questions, and it gets none until it is forgiven. A donor that does not answer
// in time is slow (Receiver.Expire). A donor that answers only a little of each question is asked for only as little,
// so that it does not delay the others.
//
// # Restart
//
// Every value that was written is the true one at its version. So an interrupted transfer needs no record of its
// progress: the next transfer, to the same or a newer root, compares what is there and fetches the rest (X4, X7).
//
// # Bounds
//
// A query has at most MaxItems items and MaxQuery bytes, an answer at most MaxAnswer bytes. Decoding allocates at most
// 50 times the input.
//
// Whatever the query, answering it costs a donor at most: MaxItems × (MaxPage+1) leaves looked at, with the nodes above
// them; 16,384 values read, of 4 MiB together except for the last one; and 1 MiB written. The index takes
// SourceOptions.IndexBytes. A state with more keys than fit in is scanned once for each window of the hash space that
// receivers ask for, at most 16 + 8 × windows times in the life of a source.
//
// A receiver holds, in addition to the tree's snapshot: a queue of about maxQueue paths of 80 bytes (above that it asks
// each donor for only one path at a time, which adds at most 15 for each of 64 levels); InFlight × MaxItems paths for
// each donor; maxLong values of Options.MaxValue bytes; 64 Ki deletions of subtrees or keys, whose keys a scan of the
// stage finds whenever there are that many, and once at the end; and a batch of writes of 1 MiB or one value.
package transfer
