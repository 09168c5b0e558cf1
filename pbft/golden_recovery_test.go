package pbft

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

// D8.6, D8.7, D8.9: a replica loses its disk in an idle cluster.
func TestGolden_ALostDisk(t *testing.T) {
	c := begin(t, 4)
	c.order(1)
	c.asks = true
	c.trace = &trace{at: c.now.Milliseconds(), only: new(wire.ReplicaID(3))}
	victim := c.nodes[3]
	victim.wipe()
	victim.start()
	c.until(2*time.Second, "it is whole", victim.whole)
	c.trace.comment("h has reached R: it is whole, and votes from view 1 on.")
	golden(t, c, "lost_disk", `# A replica loses its disk (D8.6, D8.7, D8.9). What r3 does, in a cluster that has executed one batch and is idle.
#
# It asks the three others what it signed: n-f whole others must answer. They prove that nothing above 1 was
# certified and that no view above 0 was justified, so R = 1 + L = 9 and V* = 1. It begins a new life with that, asks as every
# start does, and keeps still: it follows by certificates, signs checkpoints of what it executed, and asks the others for
# nulls up to the first checkpoint at or above R.
`)
}

// X1, X6, X8: a replica is away for longer than the others remember.
func TestGolden_LeftBehind(t *testing.T) {
	c := begin(t, 4)
	c.order(1)
	away := c.nodes[3]
	away.crash()
	c.order(40)
	c.trace = &trace{at: c.now.Milliseconds(), only: new(wire.ReplicaID(3))}
	away.start()
	c.until(2*time.Second, "it has the state and has followed", func() bool { return away.replica.handed == 41 })
	golden(t, c, "left_behind", `# A replica is away for longer than the others remember (X1, X6, X8). What r3 does.
#
# It comes back with its initial state; the others are at 41 and keep three windows. The certificate of their checkpoint,
# which answers its first status, shows that the ring has passed what it needs. The certificate is made durable, then the state
# is fetched beside the core. One record switches to it, and it follows from there.
`)
}
