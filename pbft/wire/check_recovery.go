package wire

import "fmt"

// maxHeldStatements bounds the statements in one HeldBy under any configuration; checkHeldBy is stricter.
const maxHeldStatements = HeldPerSlot*2*maxLogWindow + 3

// HeldPerSlot is how many statements of one replica a HeldBy may list for one sequence number: a pre-prepare, a prepare
// and a commit of the newest view, and those of the view in which the slot prepared.
const HeldPerSlot = 5

// maxFetchedSlots bounds how many batches one FetchSlots may ask for.
const maxFetchedSlots = 512

// MaxQuery and MaxAnswer bound the bytes in a FetchState and a Data.
const (
	MaxQuery  = 256 << 10
	MaxAnswer = 2 << 20
)

// checkRecovery checks the messages that belong to the recovery of a replica (D8, X).
func checkRecovery(cfg *Config, m Message) error {
	switch m := m.(type) {
	case *Held:
		return checkUpTo(m.Above)
	case *HeldBy:
		return checkHeldBy(cfg, m)
	case *Recover:
		return checkSeq(m.Until)
	case *FetchSlots:
		if m.Most == 0 || m.Most > maxFetchedSlots {
			return invalid("asks for %d batches; 1 to %d can be asked for", m.Most, maxFetchedSlots)
		}
		return checkSeq(m.From)
	case *Slots:
		if m.Next < m.From || m.Next-m.From > maxFetchedSlots {
			return invalid("batches from %d to %d", m.From, m.Next)
		}
		return checkSeq(m.From)
	case *FetchState:
		return checkFetchState(cfg, m)
	case *Data:
		return checkData(cfg, m)
	default:
		return invalid("not a message")
	}
}

func checkUpTo(s Seq) error {
	if s > MaxSeq {
		return invalid("sequence number %d is above %d", s, MaxSeq)
	}
	return nil
}

func checkFetchState(cfg *Config, m *FetchState) error {
	if len(m.Query) > MaxQuery {
		return invalid("a query of %d bytes; at most %d", len(m.Query), MaxQuery)
	}
	if m.Seq == 0 {
		if len(m.Query) > 0 {
			return invalid("a query for no checkpoint")
		}
		return nil
	}
	return checkCheckpointSeq(cfg, m.Seq)
}

func checkData(cfg *Config, m *Data) error {
	if len(m.Answer) > MaxAnswer {
		return invalid("an answer of %d bytes; at most %d", len(m.Answer), MaxAnswer)
	}
	if m.Offer != nil {
		if err := checkStableCert(cfg, m.Offer); err != nil {
			return err
		}
	}
	if m.Seq == 0 {
		if len(m.Answer) > 0 {
			return invalid("an answer about no checkpoint")
		}
		return nil
	}
	return checkCheckpointSeq(cfg, m.Seq)
}

// checkHeldBy requires that everything in the answer is proven: a faulty replica can leave things out, but not add any.
func checkHeldBy(cfg *Config, m *HeldBy) error {
	if err := checkMember(cfg, m.Of); err != nil {
		return err
	}
	if most := HeldPerSlot*2*int(cfg.LogWindow) + 3; len(m.Said) > most {
		return invalid("%d statements; at most %d", len(m.Said), most)
	}
	for i := range m.Said {
		if err := checkStatement(cfg, m.Of, &m.Said[i]); err != nil {
			return fmt.Errorf("statement %d: %w", i, err)
		}
	}
	if err := checkStableCert(cfg, &m.Stable); err != nil {
		return err
	}
	if m.Prepared != nil {
		if err := checkPreparedCert(cfg, m.Prepared); err != nil {
			return fmt.Errorf("prepared certificate: %w", err)
		}
	}
	if m.Commit != nil {
		if err := checkSeq(m.Commit.Seq); err != nil {
			return err
		}
		if err := checkSigners(cfg, m.Commit.Commits, cfg.Quorum()); err != nil {
			return fmt.Errorf("commit certificate: %w", err)
		}
	}
	if m.View == 0 {
		if len(m.Suspects) > 0 {
			return invalid("view 0 needs no justification")
		}
		return nil
	}
	return checkSuspects(cfg, m.View, m.Suspects)
}

// checkStatement checks a statement as if it were in the message of its own type.
func checkStatement(cfg *Config, by ReplicaID, s *Statement) error {
	switch s.Type {
	case TypePrePrepare:
		if cfg.Primary(s.View) != by {
			return invalid("replica %d is not the primary of view %d", by, s.View)
		}
		return checkSeq(s.Seq)
	case TypePrepare:
		return checkPrepare(cfg, s.View, s.Seq, by)
	case TypeCommit:
		return checkSeq(s.Seq)
	case TypeCheckpoint:
		if s.View != 0 {
			return invalid("a checkpoint of a view")
		}
		return checkCheckpointSeq(cfg, s.Seq)
	case TypeViewChange, TypeNewView:
		if s.Seq != 0 || s.View == 0 {
			return invalid("a %s for view %d at sequence number %d", s.Type, s.View, s.Seq)
		}
		if s.Type == TypeNewView && cfg.Primary(s.View) != by {
			return invalid("replica %d is not the primary of view %d", by, s.View)
		}
		return nil
	default:
		return invalid("a %s is no statement that is remembered", s.Type)
	}
}
