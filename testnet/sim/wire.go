package sim

import (
	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// packet is a frame on its way.
type packet struct {
	from    wire.ReplicaID // the sender, if it is a replica
	read    *decoded
	damaged bool       // the frame was damaged on its way
	event   port.Event // the core's event for this frame, once the frame is verified
}

// decoded is a decoded frame. All replicas that receive the same bytes share it.
type decoded struct {
	frame    []byte
	msg      wire.Message // nil if it cannot be read
	verified wire.Verified
	err      error
	checked  bool
	left     bool    // the monitor knows that the frame left
	packet   *packet // its last undamaged packet; packets to other replicas may be under way too
}

func decode(frame []byte) *decoded {
	m, err := wire.Decode(frame)
	if err != nil {
		return &decoded{frame: frame, err: err, checked: true}
	}
	return &decoded{frame: frame, msg: m}
}

// verify verifies the message once for all replicas that receive the same bytes.
func (w *World) verify(d *decoded) (wire.Verified, error) {
	if !d.checked {
		d.checked = true
		d.verified, d.err = wire.Verify(&w.cfg, d.msg, w.keys.holds)
	}
	return d.verified, d.err
}

// read decodes a frame. A frame that is sent to several replicas is decoded once.
func (w *World) read(frame []byte) *decoded {
	if len(frame) > 0 && len(w.sharedOf) == len(frame) && &w.sharedOf[0] == &frame[0] {
		return w.shared
	}
	w.shared, w.sharedOf = decode(frame), frame
	_, _ = w.tape.frames.Write(frame)
	return w.shared
}

// transmit puts a frame of one replica for another on the network.
func (w *World) transmit(from *node, to wire.ReplicaID, frame []byte) {
	d := w.read(frame)
	f := links.Frame{From: from.id, To: to, Message: d.msg, Bytes: frame}
	w.mark('s', int(from.id), uint64(len(frame)), uint64(to))
	if from.tap != nil {
		from.tap.Emit(&trace.Sent{To: int(to), Bytes: len(frame), Message: trace.Say(d.msg)})
	}
	w.deliver(w.links.Pass(w.now, f), from, d)
}

// Deliver schedules the arrival of frames whose delay the network has decided.
func (w *World) Deliver(out []links.Delivery) {
	for _, d := range out {
		w.deliver([]links.Delivery{d}, nil, nil)
	}
}

func (w *World) deliver(out []links.Delivery, from *node, d *decoded) {
	for _, o := range out {
		read := d
		damaged := read != nil && read.msg != nil && o.Message == nil
		if read == nil || damaged {
			read = decode(o.Bytes)
		}
		p := read.packet
		if p == nil || p.from != o.From || damaged {
			p = &packet{from: o.From, read: read, damaged: damaged}
			read.packet = p
		}
		for _, n := range w.byID[o.To] {
			if n.hears(o.From) && (from == nil || from.hears(o.To)) {
				w.at(w.now+o.After, n, func() { n.arrive(p) })
			}
		}
	}
}
