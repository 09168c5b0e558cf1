package node

import "tagma/internal/replica"

// recoveryReadings are about a replica that comes back, and about what it gives to others that do.
var recoveryReadings = []reading{
	{
		"tagma_asking", "1 while the others have not told this replica whether it lacks something that it signed.", gauge, nil,
		truth(func(s *snapshot) bool { return s.inside.Asking }),
	},
	{
		"tagma_amnesia", "1 while this replica may have forgotten what it signed, and does nothing but ask.", gauge, nil,
		truth(func(s *snapshot) bool { return s.node.amnesiac.Load() != nil }),
	},
	{
		"tagma_silent", "1 while this replica does not vote because it had forgotten what it signed.", gauge, nil,
		truth(func(s *snapshot) bool { return s.inside.Silent }),
	},
	{
		"tagma_silent_until", "The checkpoint at which the silence of this life ends; 0 if nothing was forgotten.", gauge, nil,
		value(func(s *snapshot) uint64 { return uint64(s.inside.Until) }),
	},
	{
		"tagma_votes_from_view", "The first view in which this life votes; 0 if nothing was forgotten.", gauge, nil,
		value(func(s *snapshot) uint64 { return uint64(s.inside.Since) }),
	},
	{
		"tagma_transfer", "1 while the state is fetched from others.", gauge, nil,
		truth(func(s *snapshot) bool { return s.moved.Phase != replica.Idle }),
	},
	{
		"tagma_transfer_checkpoint", "The checkpoint whose state is fetched, or was last.", gauge, nil,
		value(func(s *snapshot) uint64 { return uint64(s.moved.Seq) }),
	},
	{
		"tagma_transfer_share", "Share of the state that was compared and is right, 0 to 1.", gauge, nil,
		func(s *snapshot, out emit) { out(s.moved.Share) },
	},
	{
		"tagma_transfer_donors", "Replicas that serve the checkpoint that is fetched.", gauge, nil,
		value(func(s *snapshot) int { return s.moved.Pinned }),
	},
	{"tagma_donor_pins", "Checkpoints that are held for others.", gauge, nil, value(func(s *snapshot) int { return s.given.Pins })},
	{
		"tagma_donor_index_bytes", "Memory that the indexes of those take.", gauge, nil,
		value(func(s *snapshot) int { return s.given.IndexBytes }),
	},
}
