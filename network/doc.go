// Package network carries frames between the replicas of one cluster, and between replicas and their clients.
//
// It owns the libp2p host (identity, allow-list, resource limits), the long-lived streams, the bounded queues in front
// of them, and reconnection. It does not know what a frame means, verifies no signature inside one, and does not promise
// delivery: a sender that needs its message to arrive must send it again. Keys are raw ed25519 bytes.
//
// # What a host is made of
//
// A host is libp2p's swarm with TCP under Noise and yamux, with QUIC, and nothing else. Relay, AutoNAT, hole punching,
// DHT, mDNS, ping and identify are absent, not only switched off. They are not needed, because members and addresses
// come from the configuration. And a protocol that is absent cannot be attacked. The libp2p identity is the replica's
// own key, so the handshake proves who is at the other end, and the connection gater admits only members and registered
// clients.
//
// # Addresses
//
// A member's addresses are dialled in the order of its list, each one a quarter of a second after the one before, or as
// soon as that one fails. The first connection wins, whatever its transport. DNS names are resolved for every attempt to
// connect. A name to listen on stands for those of its addresses that belong to this machine.
//
// # Streams
//
// Every replica dials every other one and sends on the streams that it opened itself; from streams that others opened it
// only reads. So no rule is needed about which of two replicas dials, and it does no harm if both dial at once: each
// replica opens, and opens again, the streams on which it sends. All these streams usually share one connection. A
// client opens one stream to every replica and uses it in both directions. A client key may have several connections,
// each of which is a [ClientLink].
//
// A replica sends in two lanes, each with its own stream: one for frames of [BulkBytes] and more, one for all shorter
// frames. So a vote never waits behind a body, neither in a queue nor while the reader is still busy with the body. The
// length alone decides the lane, because it is long frames that delay others. So a caller cannot choose the wrong lane.
// Order is kept only within a lane.
//
// A stream begins with both ends sending their greeting (cluster id and configuration fingerprint) as one frame. Only
// equal greetings are served. A member's second stream in a lane replaces its first one, so that a restarted replica
// never has to wait until the old process's connection is noticed to be dead.
//
// # Frames and queues
//
// A frame is a big-endian uint32 length and that many bytes. The length is checked before anything is allocated, and
// memory grows only with the bytes that really arrive.
//
// Every stream has a queue, bounded in frames and bytes, that lives as long as the stream. Send never blocks: a frame
// that does not fit, or whose peer is not connected, is dropped and counted. Dropping the newest frame keeps the order
// of the others and costs only a retransmission. When a stream ends, its queued frames are also dropped and counted: a
// peer that comes back needs current messages, not old ones. The writer flushes when its queue is empty, so that waiting
// messages leave together in one write.
//
// Reading applies back-pressure: a frame is delivered on the goroutine of its stream, and until the handler returns
// nothing more is read from that stream. No other peer is affected.
//
// # Dead peers
//
// A frame that has begun must arrive, and a write must make progress, within a deadline. An idle stream may be silent
// for ever: yamux and QUIC probe the connection and close it if no answer comes.
package network
