package check

import (
	"testing"

	"tagma/pbft/wire"
)

func TestN4_ABatchAtTheEndOfAnIntervalIsFollowedByACheckpoint(t *testing.T) {
	at := func(s *story) (wire.Seq, *wire.Body, wire.CommitCert) {
		n := s.cfg.CheckpointInterval
		for seq := wire.Seq(1); seq < n; seq++ {
			s.stepped(1, s.executing(seq, wire.NullBody, s.committed(0, seq, wire.NullDigest, 0, 1, 2))...)
		}
		return n, wire.NullBody, s.committed(0, n, wire.NullDigest, 0, 1, 2)
	}
	s := newStory(t, nil)
	s.stepped(1, s.executing(at(s))...)
	s.want("")
	s = newStory(t, nil)
	all := s.executing(at(s))
	s.stepped(1, all[:len(all)-1]...)
	s.want("I6")
}
