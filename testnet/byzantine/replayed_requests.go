package byzantine

import "tagma/pbft"

// replayedRequests is a primary that orders again what clients once signed (C1, C2).
var replayedRequests = Behaviour{
	Name:    "replayed-requests",
	Model:   Byzantine,
	Summary: "as primary puts recorded requests of old and evicted sessions into its batches once more",
	Bound:   "no session is evicted, and nothing runs twice",
	Parameters: []Parameter{
		{"per_batch", "4", "how many old requests each batch gets"},
		{"from_seq", "2", "it begins when it first proposes this sequence number"},
	},
	build: newReplayer,
}

type replayer struct {
	honest
	seat
	onset
	perBatch uint64
	old      []*pbft.Request // the oldest that it heard of: their sessions are evicted first
	names    map[pbft.RequestID]bool
	next     int
}

func newReplayer(v values, at seat) (Core, error) {
	r := &replayer{seat: at, names: make(map[pbft.RequestID]bool)}
	var err error
	if r.perBatch, err = v.number("per_batch"); err != nil {
		return nil, err
	}
	r.perBatch = min(r.perBatch, 1<<10)
	if r.from, err = v.seq("from_seq"); err != nil {
		return nil, err
	}
	return at.speaks(r), nil
}

func (r *replayer) before(ev pbft.Event, _ bool) []pbft.Effect {
	if e, ok := ev.(pbft.Received); ok {
		switch m := e.Msg.Message().(type) {
		case *pbft.Request:
			r.keep(m)
		case *pbft.PrePrepare:
			if m.Body != nil {
				for _, req := range m.Body.Requests {
					r.keep(req)
				}
			}
		default: // holds no requests
		}
	}
	return nil
}

func (r *replayer) keep(m *pbft.Request) {
	if len(r.old) < mostRecorded && !r.names[m.ID] {
		r.names[m.ID] = true
		r.old = append(r.old, m)
	}
}

func (r *replayer) speak(m pbft.Message) []pbft.Message {
	p, ok := m.(*pbft.PrePrepare)
	if !ok || p.Body == nil || !r.mine(p) || !r.reached(p.Seq) || len(r.old) == 0 {
		return r.honest.speak(m)
	}
	var again []*pbft.Request
	for range min(r.perBatch, uint64(len(r.old))) {
		again = append(again, r.old[r.next%len(r.old)])
		r.next++
	}
	return []pbft.Message{withRequests(r.cfg, p, again)}
}
