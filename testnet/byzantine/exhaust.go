package byzantine

import (
	"tagma/testnet/byzantine/tamper"
)

// exhaust holds what links are made of and gives nothing back (I14). Its core is honest; whoever runs it over real links
// does what tamper.Exhaustion says beside it.
var exhaust = tamper.Describe[tamper.Exhaustion](exhaustion, tamper.Byzantine,
	"opens streams by the thousand, begins frames and never ends them, reads nothing: on real processes only",
	"≥ 80 % of the throughput; connections, streams and memory of a peer stay bounded")

const exhaustion = "exhaust"

// LinksOnly reports whether a behaviour shows on real links only, so that the simulator cannot run it.
func LinksOnly(c Choice) bool { return c.Name == exhaustion }

// NewExhaustion returns what a behaviour of a replica or a client does to its links, nil if it is another behaviour.
func NewExhaustion(c Choice) (*tamper.Exhaustion, error) {
	if !LinksOnly(c) {
		return nil, nil
	}
	e := new(tamper.Exhaustion)
	return e, tamper.Bind(e, c, nil)
}
