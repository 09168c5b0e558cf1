// Package network carries frames between the replicas of one cluster, and between replicas and their clients.
//
// It owns the libp2p host (identity, allow-list, resource limits), the long-lived streams, the bounded queues in front
// of them, and reconnection. It does not know what a frame means, verifies no signature inside one, and promises no
// delivery: whoever needs a message to arrive sends it again. Keys are raw ed25519 bytes.
//
// # What a host is made of
//
// A host is libp2p's swarm with TCP under Noise and yamux, with QUIC, and nothing else. Relay, AutoNAT, hole punching,
// DHT, mDNS, ping and identify are not switched off but absent: members and addresses come from the configuration, so
// nobody has anything to discover, and a protocol that is not there cannot be attacked. The libp2p identity is the
// replica's own key, so the handshake proves who is at the other end, and the connection gater lets only members and
// registered clients in.
//
// # Addresses
//
// The addresses of a member are dialled in the order of its list, the next as soon as one fails or after a quarter of a
// second; the first connection wins, whatever its transport. DNS names are resolved at every attempt, and a name that is
// listened on stands for those of its addresses that are this machine's.
//
// # Streams
//
// Between replicas every host dials every other member and sends on the streams it opened; on streams opened by others
// it only reads. One direction per stream needs no rule about who dials, and no negotiation after both dialled at
// once: each replica alone is responsible for what it sends, and reconnects by itself. All of them usually share one
// connection. A client opens one stream to every replica and uses it in both directions; a client identity may hold
// several connections, each of which is a [ClientLink].
//
// A replica sends in two lanes, each a stream: frames of [BulkBytes] and more in one, all others in the other. A vote
// then waits for no body, neither in a queue nor while a reader is stuck on it. Length decides because length is what
// holds others up; the caller has nothing to get wrong. Order is kept within a lane only.
//
// A stream begins with both ends sending their greeting (cluster id and configuration fingerprint) as one frame. Only
// equal greetings are served. A second stream of the same member in a lane replaces the first, so that a restarted peer
// never waits for its own dead connection.
//
// # Frames and queues
//
// A frame is a big-endian uint32 length and that many bytes. The length is checked before anything is allocated, and
// memory grows only with the bytes that really arrive.
//
// Every stream has a queue bounded in frames and bytes that lives as long as the stream. Send never blocks: a frame
// that does not fit, or whose peer is not connected, is dropped and counted. Dropping the newest keeps the order of
// what is sent, and costs a retransmission only. When a stream ends, what was queued on it is dropped and counted too:
// a peer that comes back needs what is current, not what was current before. The writer flushes when its queue is
// empty, so that messages that wait together leave in one write.
//
// Reading is back-pressure: a frame is delivered on the goroutine of its stream, and while the handler does not return
// nothing more is read from that peer; no other peer notices.
//
// # Dead peers
//
// A frame that has begun must arrive, and a write must make progress, within a deadline. An idle stream may be silent
// for ever: yamux and QUIC probe the connection and close it when no answer comes.
package network
