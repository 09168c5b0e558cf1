package pool

import "tagma/pbft/wire"

// mostStreaks is how many clients are remembered at least.
const mostStreaks = 4096

// streaks counts, for each client, the cheap requests since the last costly one, up to trusted. A count stays when the
// client has no requests here. When there are too many counts, those that did not change for longest are forgotten.
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
