package check

import (
	"testing"

	"tagma/pbft"
)

func TestN4_ABatchAtTheEndOfAnIntervalIsFollowedByACheckpoint(t *testing.T) {
	at := func(s *story) (pbft.Seq, *pbft.Body, pbft.CommitCert) {
		n := s.cfg.CheckpointInterval
		for seq := pbft.Seq(1); seq < n; seq++ {
			s.stepped(1, s.executing(seq, pbft.NullBody, s.committed(0, seq, pbft.NullDigest, 0, 1, 2))...)
		}
		return n, pbft.NullBody, s.committed(0, n, pbft.NullDigest, 0, 1, 2)
	}
	s := newStory(t, nil)
	s.stepped(1, s.executing(at(s))...)
	s.want("")
	s = newStory(t, nil)
	all := s.executing(at(s))
	s.stepped(1, all[:len(all)-1]...)
	s.want("I6")
}
