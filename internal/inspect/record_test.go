package inspect

import (
	"strings"
	"testing"

	"tagma/pbft/wire"
)

// The records of a replica's recovery are printed, too.
func TestJournal_ShowsARecovery(t *testing.T) {
	life := wire.Life{0xfe}
	for want, r := range map[string]wire.Record{
		"recovering: silent below s62, never in a view below v3":  &wire.Recovering{Life: life, Until: 62, View: 3},
		"silent until that sequence number, votes from that view": &wire.Recovering{Life: life, Until: 62, View: 3},
		", life " + life.String():                                 &wire.Head{Life: life},
		"installed s40 ab000000 ":                                 &wire.Installed{Cert: wire.StableCert{Seq: 40, Digest: wire.Digest{0xab}}},
		"said by replica 1":                                       &wire.Witness{Replica: 1, Said: wire.Statement{Type: wire.TypeCheckpoint, Seq: 8}},
	} {
		e, err := describe(wire.EncodeRecord(r))
		if err != nil || !strings.Contains(e.line(), want) {
			t.Errorf("%q, %v does not show %q", e.line(), err, want)
		}
	}
}
