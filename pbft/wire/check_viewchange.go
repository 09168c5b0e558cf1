package wire

import "fmt"

// checkSigners requires exactly want distinct members (S3); ascending order makes them distinct. More signers than a
// quorum would prove nothing more and would give the same certificate several encodings.
func checkSigners(cfg *Config, list []Endorsement, want int) error {
	if len(list) != want {
		return invalid("%d signers, not %d", len(list), want)
	}
	for i := range list {
		if err := checkMember(cfg, list[i].Replica); err != nil {
			return err
		}
		if i > 0 && list[i-1].Replica >= list[i].Replica {
			return invalid("signers out of order or repeated")
		}
	}
	return nil
}

// checkStableCert requires a quorum's statements, except for the state with which the cluster began. Only the
// configuration names that state, and no member signed anything at or below it.
func checkStableCert(cfg *Config, c *StableCert) error {
	begin := Mark{}
	if c.Seq > 0 {
		begin = cfg.Origin
	}
	switch {
	case c.Seq == begin.Seq && (c.Digest != begin.Digest || len(c.Checkpoints) > 0):
		return invalid("a stable certificate for the initial state")
	case c.Seq == begin.Seq:
		return nil
	case c.Seq < begin.Seq:
		return invalid("a stable certificate for %d, below the cluster's origin %d", c.Seq, begin.Seq)
	}
	if err := checkCheckpointSeq(cfg, c.Seq); err != nil {
		return fmt.Errorf("stable certificate: %w", err)
	}
	if err := checkSigners(cfg, c.Checkpoints, cfg.Quorum()); err != nil {
		return fmt.Errorf("stable certificate: %w", err)
	}
	return nil
}

// checkPreparedCert requires a pre-prepare, and Q−1 prepares by distinct backups (N2).
func checkPreparedCert(cfg *Config, c *PreparedCert) error {
	if err := checkSigners(cfg, c.Prepares, cfg.Prepares()); err != nil {
		return err
	}
	for i := range c.Prepares {
		if err := checkPrepare(cfg, c.View, c.Seq, c.Prepares[i].Replica); err != nil {
			return err
		}
	}
	return nil
}

// checkViewChange checks V2, and the justification of V7.
func checkViewChange(cfg *Config, m *ViewChange) error {
	if m.View == 0 {
		return invalid("nobody changes to view 0")
	}
	if err := checkMember(cfg, m.Replica); err != nil {
		return err
	}
	if err := checkSuspects(cfg, m.View, m.Suspects); err != nil {
		return err
	}
	if err := checkStableCert(cfg, &m.Stable); err != nil {
		return err
	}
	for i := range m.Prepared {
		c := &m.Prepared[i]
		switch {
		case c.View >= m.View:
			return invalid("prepared in view %d, which is not below view %d", c.View, m.View)
		case c.Seq <= m.Stable.Seq || c.Seq-m.Stable.Seq > cfg.LogWindow:
			return invalid("prepared at %d, outside the window above %d", c.Seq, m.Stable.Seq)
		case i > 0 && m.Prepared[i-1].Seq >= c.Seq:
			return invalid("prepared certificates out of order or repeated")
		}
		if err := checkPreparedCert(cfg, c); err != nil {
			return fmt.Errorf("prepared certificate for %d: %w", c.Seq, err)
		}
	}
	return nil
}

// checkSuspects checks the justification of a view (V7): f+1 distinct replicas suspect the view before it or a later one.
func checkSuspects(cfg *Config, v View, suspects []Suspect) error {
	if len(suspects) != cfg.Weak() {
		return invalid("justified by %d suspects, not %d", len(suspects), cfg.Weak())
	}
	for i := range suspects {
		s := &suspects[i]
		if err := checkMember(cfg, s.Replica); err != nil {
			return fmt.Errorf("suspect: %w", err)
		}
		if s.View < v-1 {
			return invalid("a suspect of view %d does not justify view %d", s.View, v)
		}
		if i > 0 && suspects[i-1].Replica >= s.Replica {
			return invalid("suspects out of order or repeated")
		}
	}
	return nil
}

// checkNewView requires Q valid view changes and as many proposals as follow from them. It does not check the digests in
// the proposals: the replica computes those itself (V4).
func checkNewView(cfg *Config, m *NewView) error {
	if m.View == 0 {
		return invalid("view 0 starts without one")
	}
	if len(m.ViewChanges) != cfg.Quorum() {
		return invalid("%d view changes, not %d", len(m.ViewChanges), cfg.Quorum())
	}
	last := Seq(0)
	for i := range m.ViewChanges {
		vc := &m.ViewChanges[i]
		if vc.View != m.View {
			return invalid("a view change to view %d for view %d", vc.View, m.View)
		}
		if i > 0 && m.ViewChanges[i-1].Replica >= vc.Replica {
			return invalid("view changes out of order or repeated")
		}
		if err := checkViewChange(cfg, vc); err != nil {
			return fmt.Errorf("view change of replica %d: %w", vc.Replica, err)
		}
		if n := len(vc.Prepared); n > 0 {
			last = max(last, vc.Prepared[n-1].Seq)
		}
	}
	want := Seq(0)
	if low := m.MinStable(); last > low {
		want = last - low
	}
	if Seq(len(m.Proposals)) != want || want > cfg.LogWindow {
		return invalid("%d proposals, not %d", len(m.Proposals), want)
	}
	return nil
}
