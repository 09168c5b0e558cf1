package replica

import (
	"fmt"
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Core is what an attacker wraps, and also how the attacker looks to a driver.
type Core interface {
	port.Actor
	// Anchor returns the records that a journal segment begins with (D9).
	Anchor() []wire.Record
}

// Sign signs with the attacker's own key.
type Sign = tamper.Sign

// catalogue is sorted by name.
var catalogue = []tamper.Behaviour{
	badNewView, bankedSuspect, censor, clockSkew, collude, corrupt, crash, early, equivocate, exhaust, forgedCertificates, greedyFetch, lyingCheckpoint,
	lyingReply, lyingStatus, lyingViewChange, malformed, mutate, oldViewChange, outrun, poisonTransfer, receiveOmission, replay,
	replayedRequests, sendOmission, sequenceAbuse, silent, slow, slowBackup, slowPrimary, tinyOperations, twins, viewChangeStorm,
}

// Catalogue lists all behaviours of replicas by name.
func Catalogue() []tamper.Behaviour { return slices.Clone(catalogue) }

// Check reports whether a choice suits a cluster of so many replicas: whether those that it names are in it.
func Check(c tamper.Choice, replicas int) error {
	_, err := New(c, &wire.Config{Members: make([]wire.PublicKey, replicas)}, nil, nil)
	return err
}

// New puts an attacker around a core. The attacker signs its lies, since a driver signs only what is broadcast. At most one
// Options is given. Without a core, New only checks the choice; cfg may then be nil, and what needs it is not checked.
func New(c tamper.Choice, cfg *wire.Config, core Core, sign Sign, options ...Options) (Core, error) {
	made, err := tamper.Make(catalogue, "behaviour", c, cfg)
	if err != nil {
		return nil, err
	}
	h, lies := made.(hooks)
	if !lies {
		return core, nil // this behaviour acts on frames and links
	}
	l := h.common()
	l.cfg, l.core, l.sign = cfg, core, sign
	if len(options) > 0 {
		l.opt = options[0]
	}
	l.awake = l.opt.When == nil
	if err := h.ready(); err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", c.Name, err)
	}
	return attacker{h}, nil
}
