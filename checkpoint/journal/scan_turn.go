package journal

// readAnchor reads the anchor. The anchor was durable before the file got its name, so a zero sector in it is rot.
func (s *scan) readAnchor() error {
	s.last, s.next = 1, 1
	b, err := s.sector(1)
	if err != nil {
		return err
	}
	if isZero(b) {
		return s.rot(1, "a sector of the anchor is zero")
	}
	first, _, err := s.valid(1)
	if err != nil {
		return err
	}
	if first.kind != kindAnchor || first.turn != s.info.FirstTurn || first.index != 0 {
		return s.rot(1, "the anchor of turn %d must begin here", s.info.FirstTurn)
	}
	hole, err := s.readSectors(first, 1)
	if err != nil {
		return err
	}
	if hole != 0 {
		return s.rot(hole, "a sector of the anchor is zero")
	}
	return nil
}

// readTurn reads the turn at s.next. It returns false if no whole turn follows.
func (s *scan) readTurn() (bool, error) {
	written, err := s.firstWritten(s.next)
	if err != nil || written == 0 {
		return false, err
	}
	h, _, err := s.valid(written)
	if err != nil {
		return false, err
	}
	turn := s.info.LastTurn + 1
	switch {
	case h.kind == kindTurn && h.turn == turn && written-int64(h.index) == s.next:
	case written > s.next:
		return false, s.rot(s.next, "it is zero, but a later turn (%d) was written behind it at sector %d", h.turn, written)
	default:
		return false, s.rot(written, "it is sector %d of %s %d, but turn %d must begin here", h.index, h.kind, h.turn, turn)
	}
	hole, err := s.readSectors(h, written)
	if err != nil {
		return false, err
	}
	if hole == 0 {
		return true, nil
	}
	s.torn, s.hole = sectorsFor(int64(h.bytes)), hole
	behind, err := s.firstWritten(s.next + s.torn)
	if err != nil || behind == 0 {
		return false, err
	}
	if _, _, err := s.valid(behind); err != nil {
		return false, err
	}
	return false, s.rot(hole, "a sector of turn %d is zero, but sector %d was written later", turn, behind)
}

// firstWritten returns the first sector from i on, before the seal, that is not zero; 0 if there is none.
func (s *scan) firstWritten(i int64) (int64, error) {
	for ; i < s.sealAt(); i++ {
		b, err := s.sector(i)
		if err != nil {
			return 0, err
		}
		if !isZero(b) {
			return i, nil
		}
	}
	return 0, nil
}

// readSectors reads the turn that begins at s.next; first and written are the head and the number of its first sector that
// is not zero. If the turn is whole, its entries are added and s moves on behind it. If not, hole is its first zero sector.
func (s *scan) readSectors(first sector, written int64) (hole int64, err error) {
	end := s.next + sectorsFor(int64(first.bytes))
	if end > s.sealAt() {
		return 0, s.rot(written, "its turn would end behind the segment, at sector %d", end)
	}
	if written > s.next {
		hole = s.next
	}
	payload := make([]byte, 0, first.bytes)
	for i := written; i < end; i++ {
		b, err := s.sector(i)
		if err != nil {
			return 0, err
		}
		if isZero(b) {
			if hole == 0 {
				hole = i
			}
			continue
		}
		h, b, err := s.valid(i)
		if err != nil {
			return 0, err
		}
		want := first
		want.index = uint32(i - s.next)
		if wrong := h.differs(want); wrong != "" {
			return 0, s.rot(i, "%s", wrong)
		}
		rest := int(first.bytes) - int(want.index)*payloadBytes
		payload = append(payload, b[sectorHead:sectorHead+min(rest, payloadBytes)]...)
	}
	if hole != 0 {
		return hole, nil
	}
	return 0, s.take(first.turn, end, payload)
}

// take adds the entries of a whole turn.
func (s *scan) take(turn uint64, end int64, payload []byte) error {
	known := len(s.entries)
	entries, ok := parseEntries(s.entries, payload)
	if !ok {
		return s.rot(s.next, "the entries of turn %d do not fill it", turn)
	}
	s.entries = entries
	s.turns = append(s.turns, scannedTurn{at: s.next, entries: len(entries) - known})
	s.info.add(entries[known:])
	s.info.LastTurn = turn
	s.last, s.next = s.next, end
	return nil
}
