package tidy

import (
	"strings"
	"testing"
)

func TestSimulatorLinks_ComplainsOfARealNetworkAndOfALookAlike(t *testing.T) {
	files := map[string]string{
		"testnet/sim/a.go":      "package sim\nimport _ \"tagma/internal/node\"\nimport _ \"tagma/" + strings.Join(shipped, "\"\nimport _ \"tagma/") + `"`,
		"testnet/sim/a_test.go": `package sim; import _ "tagma/network"`,
		"internal/node/a.go":    `package node; import _ "tagma/crypto"`,
		"network/a.go":          `package network; import _ "github.com/libp2p/go-libp2p"`,
	}
	wantComplaints(t, simulatorLinks(of(t, files)))
	files["internal/node/a.go"] = `package node; import _ "tagma/network"`
	wantComplaints(t, simulatorLinks(of(t, files)), "testnet/sim links network, which imports github.com/libp2p/go-libp2p")
	files["internal/node/a.go"] = "package node"
	files["testnet/sim/a.go"] = strings.Replace(files["testnet/sim/a.go"], "tagma/internal/replica", "tagma/testnet/disk", 1)
	wantComplaints(t, simulatorLinks(of(t, files)), "does not run internal/replica")
}
