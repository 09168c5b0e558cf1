package journal

import (
	"fmt"
	"io"
)

// scan is the content of one segment file.
type scan struct {
	path    string
	file    io.ReaderAt
	header  header
	epoch   uint64
	info    Segment
	entries []Entry
	turns   []scannedTurn // the whole turns, the anchor first
	last    int64         // first sector of the last whole turn
	next    int64         // first sector after the last whole turn
	torn    int64         // sectors of the torn turn that begins at next; 0: no turn is torn
	hole    int64         // first zero sector of the torn turn
	sealed  bool

	window []byte // the sectors that were read last,
	at     int64  // and the number of the first of them
}

// scannedTurn says where a turn begins and how many entries it has.
type scannedTurn struct {
	at      int64
	entries int
}

const windowSectors = 512

// scanSegment reads one segment and checks every sector of it. Whether its torn turn or its missing seal is normal
// depends on the neighbouring segments (see chain.go).
func scanSegment(path string, f io.ReaderAt, size int64, name string) (*scan, error) {
	s := &scan{path: path, file: f}
	s.info = Segment{Name: name, Bytes: size}
	if size < minSectors*sectorBytes {
		return s, s.rot(size/sectorBytes, "the file ends here")
	}
	if err := s.readHeader(size); err != nil {
		return s, err
	}
	if err := s.readAnchor(); err != nil {
		return s, err
	}
	for {
		more, err := s.readTurn()
		if err != nil {
			return s, err
		}
		if !more {
			return s, s.readSeal()
		}
	}
}

func (s *scan) rot(sector int64, why string, args ...any) error {
	return &RotError{File: s.path, Sector: sector, Offset: sector * sectorBytes, Why: fmt.Sprintf(why, args...)}
}

// sector returns the bytes of sector i, valid until the next call. It is fast if sectors are asked for in rising order.
func (s *scan) sector(i int64) ([]byte, error) {
	if n := int64(len(s.window) / sectorBytes); i < s.at || i >= s.at+n {
		if s.window == nil {
			s.window = make([]byte, min(windowSectors*sectorBytes, s.info.Bytes))
		}
		s.window, s.at = s.window[:cap(s.window)], i
		n, err := s.file.ReadAt(s.window, i*sectorBytes)
		s.window = s.window[:n-n%sectorBytes]
		if len(s.window) == 0 {
			return nil, fmt.Errorf("read sector %d of %s: %w", i, s.path, err)
		}
	}
	b := s.window[(i-s.at)*sectorBytes:]
	return b[:sectorBytes:sectorBytes], nil
}

// sealAt is the number of the sector reserved for the seal.
func (s *scan) sealAt() int64 { return s.header.sectors - 1 }

// valid returns the head of sector i and checks that it is valid and belongs to this segment.
func (s *scan) valid(i int64) (sector, []byte, error) {
	b, err := s.sector(i)
	if err != nil {
		return sector{}, nil, err
	}
	h, wrong := parseSector(b)
	if wrong == "" {
		ours := h
		ours.epoch = s.epoch
		wrong = h.differs(ours)
	}
	if wrong != "" {
		return h, b, s.rot(i, "%s", wrong)
	}
	return h, b, nil
}

// readHeader reads sector 0, which describes the segment.
func (s *scan) readHeader(size int64) error {
	b, err := s.sector(0)
	if err != nil {
		return err
	}
	if isZero(b) {
		return s.rot(0, "the header is zero")
	}
	if checksumHolds(b) && b[4] != version {
		return fmt.Errorf("%s has journal format %d, this program reads %d: run the program that wrote it",
			s.path, b[4], version)
	}
	at, wrong := parseSector(b)
	if wrong != "" {
		return s.rot(0, "%s", wrong)
	}
	h, magic := parseHeader(b)
	switch {
	case !magic || at.kind != kindHeader || at.epoch == 0 || at.turn == 0:
		return s.rot(0, "it is no segment header")
	case segmentName(h.number) != s.info.Name:
		return s.rot(0, "it is the header of %s", segmentName(h.number))
	case h.sectors < minSectors || h.sectors > size/sectorBytes:
		return s.rot(size/sectorBytes, "the file ends here, it should have %d sectors", h.sectors)
	case h.sectors*sectorBytes != size:
		return s.rot(h.sectors, "the file should end here, it has %d bytes", size)
	}
	s.header, s.epoch = h, at.epoch
	s.info.Number, s.info.FirstTurn, s.info.LastTurn = h.number, at.turn, at.turn
	return nil
}

// readSeal reads the last sector: it is zero, or the seal, which says that a later segment exists.
func (s *scan) readSeal() error {
	i := s.sealAt()
	b, err := s.sector(i)
	if err != nil || isZero(b) {
		return err
	}
	h, _, err := s.valid(i)
	if err != nil {
		return err
	}
	if h.kind == kindSeal && h.turn > s.info.LastTurn+1 {
		return s.rot(max(s.hole, s.next), "it is zero, but the segment was closed behind turn %d", h.turn-1)
	}
	if want := (sector{kind: kindSeal, epoch: s.epoch, turn: s.info.LastTurn + 1}); h != want {
		return s.rot(i, "it is sector %d of %s %d, but the seal of turn %d must be here", h.index, h.kind, h.turn, want.turn)
	}
	s.sealed = true
	return nil
}
