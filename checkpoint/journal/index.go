package journal

import "sync"

// maxPlaces bounds the places that are kept for one sequence number. The newest suffice, because anchors repeat what is
// still needed.
const maxPlaces = 8

// index knows where the entries of a sequence number are. The journal's owner fills it; other goroutines read it meanwhile.
type index struct {
	want    func(data []byte) bool // nil: nothing is indexed
	reading sync.Mutex             // held for the whole of a Read, so that only one file is open for reading

	mu       sync.Mutex // guards the fields below
	places   map[uint64][]place
	peak     int              // the most sequence numbers that places has held since it was made
	lowest   uint64           // lowest sequence number in places; 0: none
	segments []indexedSegment // the retained segments, oldest first
	closed   bool
}

// place is where one entry is. One is kept for every indexed entry, so it is small: maxSegmentBytes allows 32-bit numbers.
type place struct {
	segment uint64
	sector  uint32 // first sector of the entry's turn
	turn    uint32 // counted from the segment's anchor, which is turn 0
	offset  uint32 // of the entry, in the payload of the turn
	bytes   uint32 // of the entry's data
}

// indexedSegment is what the sectors of a segment are compared with.
type indexedSegment struct{ number, epoch, firstTurn uint64 }

// located is a place, with what the heads of its sectors must be.
type located struct {
	place
	head sector // without start, index and bytes
}

// extend adds a new segment after all others.
func (x *index) extend(s Segment, epoch uint64) {
	if x.want == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.segments = append(x.segments, indexedSegment{number: s.Number, epoch: epoch, firstTurn: s.FirstTurn})
	if x.places == nil {
		x.places = map[uint64][]place{}
	}
}

// add adds the entries of one durable turn of the newest segment, which begins at the given sector.
func (x *index) add(s *Segment, turn uint64, at int64, entries []Entry) {
	if x.want == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	p := place{segment: s.Number, sector: uint32(at), turn: uint32(turn - s.FirstTurn)}
	for i := range entries {
		seq := entries[i].Seq
		p.bytes = uint32(len(entries[i].Data))
		if seq > 0 && x.want(entries[i].Data) {
			x.places[seq] = newest(x.places[seq], p)
			if x.lowest == 0 || seq < x.lowest {
				x.lowest = seq
			}
		}
		p.offset += entryHead + p.bytes
	}
	x.peak = max(x.peak, len(x.places))
}

// newest appends a place, and drops the oldest one if there are too many.
func newest(held []place, p place) []place {
	if len(held) == maxPlaces {
		copy(held, held[1:])
		held[maxPlaces-1] = p
		return held
	}
	return append(held, p)
}

// drop forgets all segments before first. The owner calls it before it deletes their files, so that a reader who finds
// a file missing also finds that its segment is no longer retained.
func (x *index) drop(first uint64) {
	if x.want == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.segments) > 0 && x.segments[0].number < first {
		x.segments = x.segments[1:]
	}
	x.lowest = 0
	for seq, held := range x.places {
		n := 0
		for n < len(held) && held[n].segment < first {
			n++
		}
		if n == len(held) {
			delete(x.places, seq)
			continue
		}
		if n > 0 {
			x.places[seq] = held[:copy(held, held[n:])]
		}
		if x.lowest == 0 || seq < x.lowest {
			x.lowest = seq
		}
	}
	x.shrink()
}

// shrink copies the map when most of it is unused, because a Go map never frees memory by itself.
func (x *index) shrink() {
	if len(x.places) >= x.peak/4 {
		return
	}
	smaller := make(map[uint64][]place, len(x.places))
	for seq, held := range x.places {
		smaller[seq] = held
	}
	x.places, x.peak = smaller, len(smaller)
}

// find returns the places of seq, oldest first.
func (x *index) find(seq uint64) ([]located, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, ErrClosed
	}
	held := x.places[seq]
	if len(held) == 0 {
		return nil, nil
	}
	all := make([]located, len(held))
	for i, p := range held {
		s := x.segments[p.segment-x.segments[0].number]
		head := sector{kind: kindTurn, epoch: s.epoch, turn: s.firstTurn + uint64(p.turn)}
		if p.turn == 0 {
			head.kind = kindAnchor
		}
		all[i] = located{place: p, head: head}
	}
	return all, nil
}

// retains reports whether the segment has not been dropped.
func (x *index) retains(number uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.segments) > 0 && number >= x.segments[0].number
}

func (x *index) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed, x.places, x.lowest = true, nil, 0
}
