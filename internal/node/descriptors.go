package node

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"tagma/network"
)

// How many open files are reserved for each purpose. Journal and store come first, because a replica that cannot open
// the next segment of its journal stops.
const (
	diskDescriptors  = 256 // journal, and a store of a few GiB
	leastClients     = 16
	adminConnections = 64
)

// spareDescriptors makes sure that connections never use up the open files that the disk needs. If the process may open
// only few files, it lowers the number of clients that are admitted. A limit of 0 stands for no limit.
func spareDescriptors(limit uint64, members int, s *Settings, log *slog.Logger) error {
	if limit == 0 {
		return nil
	}
	needed := func(clients int) uint64 {
		return diskDescriptors + adminConnections + uint64(network.Descriptors(members, clients))
	}
	if needed(leastClients) > limit {
		return fmt.Errorf("this process may open %d files, and a replica among %d needs %d; raise the limit (ulimit -n, or LimitNOFILE= of its unit)",
			limit, members, needed(leastClients))
	}
	asked := s.MaxClients
	for needed(s.MaxClients) > limit {
		s.MaxClients = max(leastClients, s.MaxClients-1-s.MaxClients/16)
	}
	if s.MaxClients < asked {
		log.Warn("the limit of open files is low, so there is room for fewer clients; raise it (ulimit -n, or LimitNOFILE= of its unit)",
			"limit", limit, "needed", needed(asked), "max_clients", s.MaxClients)
	}
	return nil
}

// openFilesLimit is how many files this process may have open; 0 if the system does not say. The Go runtime has already
// raised the limit as far as it may.
func openFilesLimit() uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return uint64(l.Cur)
}
