package pool

import "tagma/pbft/wire"

// mostStreaks is how many clients are remembered at least.
const mostStreaks = 4096

// streaks count how many requests of each client cost little since one cost much, up to trusted. They are kept when the
// client has no requests here. When there are too many, those are forgotten that did not change for longest.
type streaks struct{ young, old map[wire.PublicKey]int }

func (s *streaks) of(client wire.PublicKey) int {
	if n, known := s.young[client]; known {
		return n
	}
	return s.old[client]
}

// note counts one request that was executed.
func (s *streaks) note(client wire.PublicKey, light bool) {
	n := 0
	if light {
		n = min(s.of(client)+1, trusted)
	}
	if len(s.young) >= mostStreaks || s.young == nil {
		s.young, s.old = make(map[wire.PublicKey]int), s.young
	}
	s.young[client] = n
}
