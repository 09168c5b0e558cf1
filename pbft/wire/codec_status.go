package wire

// slotStatusBytes is the encoded size of a SlotStatus.
const slotStatusBytes = 8 + 1

const lacksAll = LacksProposal | LacksPrepares | LacksCommits

func appendStatus(b []byte, m *Status) []byte {
	b = appendU64(b, uint64(m.View))
	b = appendBool(b, m.Active)
	b = appendU64(b, uint64(m.Executed))
	b = appendU64(b, uint64(m.Stable))
	b = appendU64(b, uint64(m.Wall))
	b = appendU16(b, uint16(m.Helper))
	b = appendCount(b, len(m.ViewChanges))
	for _, id := range m.ViewChanges {
		b = appendU16(b, uint16(id))
	}
	b = appendCount(b, len(m.Slots))
	for _, s := range m.Slots {
		b = append(appendU64(b, uint64(s.Seq)), byte(s.Lacks))
	}
	return b
}

func readStatus(r *reader) *Status {
	return &Status{
		View:     View(r.u64()),
		Active:   r.bool(),
		Executed: Seq(r.u64()),
		Stable:   Seq(r.u64()),
		Wall:     int64(r.u64()),
		Helper:   r.replica(),
		ViewChanges: readAscending(r, "view changes", maxListedReplicas, 2, (*reader).replica,
			func(id *ReplicaID) uint16 { return uint16(*id) }),
		Slots: readAscending(r, "slots", maxListedSlots, slotStatusBytes, readSlotStatus,
			func(s *SlotStatus) uint64 { return uint64(s.Seq) }),
	}
}

func readSlotStatus(r *reader) SlotStatus {
	s := SlotStatus{Seq: Seq(r.u64()), Lacks: Lacks(r.u8())}
	if s.Lacks > lacksAll {
		r.fail("slot %d lacks %#x", s.Seq, uint8(s.Lacks))
	}
	return s
}

func appendCertifiedBody(b []byte, m *CertifiedBody) []byte {
	b = appendU64(b, uint64(m.Seq))
	b = appendBody(b, m.Body)
	b = appendBool(b, m.Cert != nil)
	if m.Cert == nil {
		return b
	}
	return appendCommitCert(b, m.Cert)
}

func readCertifiedBody(r *reader) *CertifiedBody {
	m := &CertifiedBody{Seq: Seq(r.u64()), Body: readBody(r)}
	if r.bool() {
		m.Cert = new(readCommitCert(r))
	}
	return m
}
