package wire

import "testing"

// D8.13, M1: a cluster that began with another cluster's state accepts exactly that state without signatures.
func TestM1_OnlyTheConfigurationVouchesForTheOrigin(t *testing.T) {
	cfg := newWireCluster(4).cfg
	k := cfg.CheckpointInterval
	cfg.Origin = Mark{Seq: 4 * k, Digest: Digest{7}}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	signed := make([]Endorsement, cfg.Quorum())
	for i := range signed {
		signed[i].Replica = ReplicaID(i)
	}
	for name, c := range map[string]struct {
		cert StableCert
		good bool
	}{
		"the origin":                    {StableCert{Seq: 4 * k, Digest: Digest{7}}, true},
		"nothing":                       {StableCert{}, true},
		"another state there":           {StableCert{Seq: 4 * k, Digest: Digest{8}}, false},
		"another state there, signed":   {StableCert{Seq: 4 * k, Digest: Digest{8}, Checkpoints: signed}, false},
		"the origin with signatures":    {StableCert{Seq: 4 * k, Digest: Digest{7}, Checkpoints: signed}, false},
		"a later state, unsigned":       {StableCert{Seq: 5 * k, Digest: Digest{7}}, false},
		"a later state, signed":         {StableCert{Seq: 5 * k, Digest: Digest{8}, Checkpoints: signed}, true},
		"an earlier state, unsigned":    {StableCert{Seq: 3 * k, Digest: Digest{7}}, false},
		"an earlier state, signed":      {StableCert{Seq: 3 * k, Digest: Digest{7}, Checkpoints: signed}, false},
		"the empty state with a digest": {StableCert{Digest: Digest{7}}, false},
	} {
		if err := Check(&cfg, &StableNotice{Cert: c.cert}); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg.Origin.Seq++
	if cfg.Validate() == nil {
		t.Error("an origin between two checkpoints is accepted")
	}
}
