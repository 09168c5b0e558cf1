package wire

// What a NewView must contain, given the view changes in it (V3, V4).

// Choose is the central rule of the view change (V3): for each sequence number above the highest stable checkpoint in V,
// up to the highest prepared one, it returns the digest that prepared in the highest view, or null if none prepared.
func Choose(v []ViewChange) []Digest {
	minS, maxS := Seq(0), Seq(0)
	for i := range v {
		minS = max(minS, v[i].Stable.Seq)
		if p := v[i].Prepared; len(p) > 0 {
			maxS = max(maxS, p[len(p)-1].Seq)
		}
	}
	if maxS <= minS {
		return nil
	}
	best := make([]*PreparedCert, maxS-minS)
	for i := range v {
		for j := range v[i].Prepared {
			p := &v[i].Prepared[j]
			if p.Seq <= minS {
				continue
			}
			if b := &best[p.Seq-minS-1]; *b == nil || (*b).View < p.View {
				*b = p
			}
		}
	}
	digests := make([]Digest, len(best))
	for i, p := range best {
		if digests[i] = NullDigest; p != nil {
			digests[i] = p.Digest
		}
	}
	return digests
}

// Follows reports whether O is exactly what follows from V (V4).
func (m *NewView) Follows() bool {
	want := Choose(m.ViewChanges)
	if len(want) != len(m.Proposals) {
		return false
	}
	for i := range want {
		if m.Proposals[i].Digest != want[i] {
			return false
		}
	}
	return true
}

// MinStable is min-s: the highest stable sequence number in V (V3).
func (m *NewView) MinStable() Seq {
	var s Seq
	for i := range m.ViewChanges {
		s = max(s, m.ViewChanges[i].Stable.Seq)
	}
	return s
}

// ProposalSeq is the sequence number of entry i of O, which begins right above min-s.
func (m *NewView) ProposalSeq(i int) Seq { return m.MinStable() + 1 + Seq(i) }

// HighestStable is the stable certificate above which O begins (V3).
func (m *NewView) HighestStable() StableCert {
	best := &m.ViewChanges[0].Stable
	for i := range m.ViewChanges {
		if s := &m.ViewChanges[i].Stable; s.Seq > best.Seq {
			best = s
		}
	}
	return *best
}
