package check

import (
	"fmt"

	"tagma/pbft/wire"
)

// spoken is what a replica has signed in all its lives, as far as a recovery must lie above it (D8.6). A recovery may lie
// below an earlier one in whose life nothing was signed: others may have told less.
type spoken struct {
	seq   wire.Seq  // the highest sequence number of a statement
	view  wire.View // the lowest view of a recovery: above every view it voted in, and below none it asked for
	lives map[wire.Life]silence
}

// silence is what a recovery forbids (D8.7): any vote before a checkpoint at until is stable, and for ever those for
// views below since.
type silence struct {
	until wire.Seq
	since wire.View
}

// says notes a statement.
func (s *spoken) says(at place) {
	s.seq = max(s.seq, at.seq)
	switch at.kind {
	case wire.TypeCheckpoint:
	case wire.TypeViewChange:
		s.view = max(s.view, at.view)
	default:
		s.view = max(s.view, at.view+1)
	}
}

// recovers takes the record that a life begins with, and says what is wrong with it: a recovery lies above all that was
// said. A journal repeats the record in every anchor.
func (s *spoken) recovers(r *wire.Recovering) (silence, string) {
	now := silence{until: r.Until, since: r.View}
	before, again := s.lives[r.Life]
	var why string
	switch {
	case again && before != now:
		why = fmt.Sprintf("up to %d and since view %d, and said up to %d and since view %d", now.until, now.since, before.until, before.since)
	case again:
		return now, ""
	case now.until < s.seq:
		why = fmt.Sprintf("up to %d only, and signed a statement about %d", now.until, s.seq)
	case now.since < s.view:
		why = fmt.Sprintf("since view %d, and what it signed allows view %d at the earliest", now.since, s.view)
	}
	if s.lives == nil {
		s.lives = make(map[wire.Life]silence)
	}
	s.lives[r.Life] = now
	return now, why
}

// breaks says how a vote in a view, or for one, breaks the silence of a replica whose stable checkpoint is at h; "" if
// it does not.
func (q *silence) breaks(view wire.View, h wire.Seq) string {
	switch {
	case h < q.until:
		return fmt.Sprintf("at the stable checkpoint %d, and is to be silent up to %d", h, q.until)
	case view < q.since:
		return fmt.Sprintf("and may vote again since view %d", q.since)
	default:
		return ""
	}
}
