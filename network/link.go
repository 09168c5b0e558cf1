package network

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/protocol"
)

// BulkBytes is the length from which on a frame between replicas is sent on the bulk stream.
const BulkBytes = 32 << 10

// lane is one of the two streams in each direction between two replicas.
type lane int

const (
	votes lane = iota // frames shorter than BulkBytes, which delay no others
	bulk              // frames of BulkBytes and more
	lanes
)

// laneOf is the lane that a protocol serves; laneProtocol is the inverse.
var laneOf = map[protocol.ID]lane{
	replicaProtocol: votes, bulkProtocol: bulk, replicaProtocol1: votes, bulkProtocol1: bulk,
}

var laneProtocol = [lanes]protocol.ID{votes: replicaProtocol, bulk: bulkProtocol}

// link is a replica's link with one other replica: in each lane, a stream on which it sends and one from which it reads.
type link struct {
	out [lanes]*outbound
	in  [lanes]inbound

	twins twins // which processes use the member's key
}

// newLink returns a link with a member; it does not run yet. The bulk lane logs its connections only at debug level,
// since both lanes lose their streams together unless one is stuck.
func (h *Host) newLink(to remote) *link {
	l := &link{}
	for i, proto := range laneProtocol {
		l.out[i] = &outbound{
			to: to, proto: proto, via: h.via, greet: h.greet, log: h.log, changed: h.changes.announce,
			maxFrame: h.cfg.MaxFrame, frames: h.cfg.QueueFrames, bytes: h.cfg.QueueBytes, chunk: chunkSize,
			met:  func(a about) { h.met(l, to, a) },
			wake: make(chan struct{}, 1),
		}
	}
	l.out[bulk].level, l.out[bulk].chunk = slog.LevelDebug, bulkChunk
	return l
}

// send queues a frame in the lane that its length decides.
func (l *link) send(frame []byte) {
	on := votes
	if len(frame) >= BulkBytes {
		on = bulk
	}
	l.out[on].send(frame)
}

// redial reconnects at once, because the member has connected to this host.
func (l *link) redial() {
	for _, out := range l.out {
		out.redial()
	}
}

func (l *link) connected() bool { return l.out[votes].connected() && l.out[bulk].connected() }

// met notes the process that was reached at a member's address, and what it said about this process.
func (h *Host) met(l *link, to remote, theirs about) {
	now := time.Now()
	l.twins.meet(theirs.process, now)
	h.sayTwice(l, to, now)
	if theirs.told == accepted {
		return
	}
	h.own.told(now)
	if h.own.news(now) {
		h.log.Error(fmt.Sprintf("another process runs under this replica's key, says %s; stop one of the two: to the others "+
			"both together are one faulty replica", to))
	}
}

func (h *Host) sayTwice(l *link, to remote, now time.Time) {
	if l.twins.news(now) {
		h.log.Warn(fmt.Sprintf("two processes run under the same key, that of %s; stop one of them", to))
	}
}

// Twice reports whether other replicas recently met another process under this replica's key.
func (h *Host) Twice() bool { return h.own.twice(time.Now()) }

// state combines the states of the two lanes. Since is the time of the last change among the lanes whose state is the
// same as the result.
func (l *link) state() PeerState {
	small, large := l.out[votes].state(), l.out[bulk].state()
	s := PeerState{
		Connected: small.Connected && large.Connected,
		Inbound:   l.in[votes].up() && l.in[bulk].up(),
		Traffic:   small.plus(large.Traffic),
		Bulk:      large.Traffic,
		LastError: cmp.Or(small.LastError, large.LastError),
		Twice:     l.twins.twice(time.Now()),
	}
	for _, one := range []PeerState{small, large} {
		if one.Connected == s.Connected && one.Since.After(s.Since) {
			s.Since = one.Since
		}
	}
	return s
}
