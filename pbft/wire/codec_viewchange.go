package wire

import "encoding/binary"

const (
	// minViewChange is the encoded size of a ViewChange whose lists are empty.
	minViewChange = 8 + 2 + lengthBytes + minStableCert + lengthBytes + signatureBytes
	// proposalBytes is the encoded size of a Proposal.
	proposalBytes = len(Digest{}) + signatureBytes
)

// sizeHint is the encoded size, or slightly more if certificates differ in size.
func (m *ViewChange) sizeHint() int {
	size := 2 + minViewChange + len(m.Suspects)*suspectBytes + len(m.Stable.Checkpoints)*endorsementBytes
	if len(m.Prepared) > 0 {
		size += len(m.Prepared) * (minPreparedCert + len(m.Prepared[0].Prepares)*endorsementBytes)
	}
	return size
}

func (m *NewView) sizeHint() int {
	size := 2 + 8 + 2*lengthBytes + signatureBytes + len(m.Proposals)*proposalBytes
	for i := range m.ViewChanges {
		size += m.ViewChanges[i].sizeHint()
	}
	return size
}

func appendViewChange(b []byte, m *ViewChange) []byte {
	return append(appendViewChangeContent(b, m), m.Sig[:]...)
}

// appendViewChangeContent appends everything but the signature.
func appendViewChangeContent(b []byte, m *ViewChange) []byte {
	b = appendU64(b, uint64(m.View))
	b = appendU16(b, uint16(m.Replica))
	b = appendCount(b, len(m.Suspects))
	for i := range m.Suspects {
		b = appendSuspect(b, &m.Suspects[i])
	}
	b = appendStableCert(b, &m.Stable)
	b = appendCount(b, len(m.Prepared))
	for i := range m.Prepared {
		b = appendPreparedCert(b, &m.Prepared[i])
	}
	return b
}

func readViewChange(r *reader) (m ViewChange) {
	m.View = View(r.u64())
	m.Replica = r.replica()
	m.Suspects = readAscending(r, "suspects", maxListedReplicas, suspectBytes, readSuspect,
		func(s *Suspect) uint16 { return uint16(s.Replica) })
	m.Stable = readStableCert(r)
	m.Prepared = readAscending(r, "prepared certificates", maxListedSeqs, minPreparedCert, readPreparedCert,
		func(c *PreparedCert) uint64 { return uint64(c.Seq) })
	m.Sig = r.signature()
	return m
}

func appendNewView(b []byte, m *NewView) []byte {
	return append(appendNewViewContent(b, m), m.Sig[:]...)
}

// NewViewIn returns the view of a frame that is a NewView, without decoding it; false for another frame.
func NewViewIn(frame []byte) (View, bool) {
	const head = 2 // version and type
	if len(frame) < head+8 || frame[0] != FormatVersion || Type(frame[1]) != TypeNewView {
		return 0, false
	}
	return View(binary.BigEndian.Uint64(frame[head:])), true
}

// appendNewViewContent appends everything but the signature.
func appendNewViewContent(b []byte, m *NewView) []byte {
	b = appendU64(b, uint64(m.View))
	b = appendCount(b, len(m.ViewChanges))
	for i := range m.ViewChanges {
		b = appendViewChange(b, &m.ViewChanges[i])
	}
	b = appendCount(b, len(m.Proposals))
	for i := range m.Proposals {
		b = append(b, m.Proposals[i].Digest[:]...)
		b = append(b, m.Proposals[i].Sig[:]...)
	}
	return b
}

func readNewView(r *reader) *NewView {
	m := &NewView{View: View(r.u64())}
	m.ViewChanges = readAscending(r, "view changes", maxListedReplicas, minViewChange, readViewChange,
		func(vc *ViewChange) uint16 { return uint16(vc.Replica) })
	if n := r.count("proposals", maxListedSeqs, proposalBytes); n > 0 {
		m.Proposals = make([]Proposal, n)
		for i := range m.Proposals {
			m.Proposals[i] = Proposal{Digest: r.digest(), Sig: r.signature()}
		}
	}
	m.Sig = r.signature()
	return m
}
