// Package transfer brings the state after one sequence number from other replicas, the donors, to a replica that fell
// behind, the receiver (X1 to X9).
//
// It owns the exchange of queries and answers and nothing else: no goroutine, clock, network or certificate, so that
// a node can run it beside its other work and a simulator can replay it. Queries and answers are bytes that the
// caller carries. The caller knows from which replica they come and which sequence number they are about. The package
// must not use a byte that is not verified up to the certified root (X3).
//
// # The exchange
//
// The receiver compares its own tree with the certified one from the root down, lowest hash first. It asks for the
// node at a path and sends the first two bytes of the digests of its own children there. The donor leaves out the
// children whose digests begin with these bytes. Of the others it gives those that are leaves as entries, as far as
// the answer has room, and the rest as digests. The receiver computes the node's digest, with its own digests in
// place of those left out, and compares it with the certified one. Then it skips the children that are equal, deletes
// its own keys below children that the node does not have, and asks for the other children in the same way. For a
// path at which the receiver has nothing, the donor sends a page: all entries below the path, if those are at most
// MaxPage and fit. A value longer than an answer is announced with its hash and then fetched in pieces.
//
//	item      asks for                                      answered by
//	path      what lies there; nothing is known             page, node, long
//	compare   the node there, but for what fits             node; page or long of a single entry
//	chunk     a piece of a long value                       chunk
//
// Any item except a query's first may also be answered by "later", which means that the answer is full and that the
// receiver has to ask again. So every answer of a correct donor answers at least one item.
//
// Two different digests may begin with the same bytes. If a node with left-out children does not verify, the receiver
// asks any donor for the node again, without prefixes. From the whole node it sees whether two digests begin with the
// same bytes. If not, it blames the donor that left the children out.
//
// # What a donor can do
//
// A donor can withhold, delay and lie. The receiver finds a lie when it verifies the answer, or when it has the whole
// node. All pieces of a long value come from the donor that announced the value, so a lie about it is found at the
// last piece. The receiver then blames the donor: it asks other donors instead, and does not ask this one again until
// the caller forgives it. A donor that does not answer in time counts as slow (Receiver.Expire). A donor that answers
// only a little of each question is asked for only as little, so that it does not delay the others.
//
// # Restart
//
// Every value that was written is the true one at its version. So an interrupted transfer needs no record of its
// progress: the next transfer, to the same or a newer root, compares what is there and fetches the rest (X4, X7).
//
// # Bounds
//
// A query has at most MaxItems items and MaxQuery bytes, an answer at most MaxAnswer bytes. Decoding allocates at
// most 50 times the input.
//
// Answering one query costs a donor at most this:
//
//   - it visits MaxItems × (MaxPage+1) leaves, and the nodes above them;
//   - it reads 16,384 values, which together have 4 MiB, not counting the last one;
//   - it writes an answer of 1 MiB.
//
// A donor's index takes SourceOptions.IndexBytes of memory. If the keys of the state do not fit into it, the index
// holds one window of the hash space at a time, and moving the window costs a scan of the state. A source moves it at
// most 16 + 8 × windows times.
//
// A receiver holds this, besides the snapshot of its tree:
//
//   - a queue of about maxQueue paths of 80 bytes each. If the queue is longer, the receiver asks each donor for only one
//     path at a time, which adds at most 15 paths for each of 64 levels;
//   - InFlight × MaxItems paths for each donor;
//   - maxLong values of at most Options.MaxValue bytes each;
//   - 64 Ki deletions of subtrees or keys. When there are so many, and once at the end, a scan of the stage finds their
//   - a batch of writes, which has 1 MiB or a single value.
package transfer
