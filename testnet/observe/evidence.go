package observe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tagma/crypto"
	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/local"
	"tagma/testnet/report"
)

// Evidence gathers and verifies the proofs in the homes of correct replicas, with nothing but the cluster's public keys.
func Evidence(d *report.Document, c *local.Cluster, cfg *wire.Config, correct []int) error {
	verifier := crypto.NewVerifier(0, nil)
	for _, id := range correct {
		dir := filepath.Join(c.Home(id), node.EvidenceDir)
		files, err := os.ReadDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("list the evidence of replica %d: %w", id, err)
		}
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				return fmt.Errorf("read the evidence of replica %d: %w", id, err)
			}
			e, err := wire.DecodeEvidence(data)
			if err != nil {
				return fmt.Errorf("%s in the evidence of replica %d: %w", f.Name(), id, err)
			}
			proven := wire.VerifyEvidence(cfg, e, func(claims []wire.Claim) bool { return hold(verifier, claims) }) == nil
			d.AddProof(int(e.Replica), string(e.Kind), proven)
		}
	}
	return nil
}

func hold(v *crypto.Verifier, claims []wire.Claim) bool {
	converted := make([]crypto.Claim, len(claims))
	for i, c := range claims {
		converted[i] = crypto.Claim{Key: c.Signer, Message: c.Signed, Sig: c.Sig}
	}
	return v.Verify(converted)
}
