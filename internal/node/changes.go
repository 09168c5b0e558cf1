package node

import (
	"log/slog"

	"tagma/pbft/port"
)

// changes tells in the log how a replica comes back after a start. It belongs to the loop's goroutine.
type changes struct {
	log *slog.Logger
	was *port.Inspection
}

// see compares the replica with how it was.
func (c *changes) see(in *port.Inspection) {
	was := c.was
	c.was = in
	if was == nil {
		if in.Silent {
			c.log.Warn("this replica is silent: it had forgotten what it signed", "until_checkpoint", uint64(in.Until),
				"votes_from_view", uint64(in.Since))
		}
		return
	}
	if was.Asking && !in.Asking {
		c.log.Info("the others have answered: this replica lacks nothing that it signed, as far as they know")
	}
	if was.Silent && !in.Silent {
		c.log.Info("the silence is over: this replica votes again from the view on", "checkpoint", uint64(in.Stable),
			"votes_from_view", uint64(in.Since), "view", uint64(in.View))
	}
}
