package replica

import (
	"fmt"
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Core is what an attacker wraps. An attacker is itself a Core, so a driver can run it.
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

// Check returns an error if a choice is not possible in a cluster of this size, for example because it names a replica
// that does not exist.
func Check(c tamper.Choice, replicas int) error {
	_, err := New(c, &wire.Config{Members: make([]wire.PublicKey, replicas)}, nil, nil)
	return err
}

// New wraps a core in an attacker. The attacker signs its lies itself, because a driver signs only broadcasts. At most
// one Options may be given. If core is nil, New only checks the choice; then cfg may also be nil, and values that depend
// on it are not checked.
func New(c tamper.Choice, cfg *wire.Config, core Core, sign Sign, options ...Options) (Core, error) {
	made, err := tamper.Make(catalogue, "behaviour", c, cfg)
	if err != nil {
		return nil, err
	}
	h, lies := made.(hooks)
	if !lies {
		return core, nil // this behaviour attacks frames and links, so the core remains honest
	}
	l := h.common()
	l.cfg, l.core, l.sign = cfg, core, sign
	if len(options) > 0 {
		l.opt = options[0]
	}
	l.active = l.opt.When == nil
	if err := h.ready(); err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", c.Name, err)
	}
	return attacker{h}, nil
}
