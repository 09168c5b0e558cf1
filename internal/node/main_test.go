package node

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the package when a node that was stopped leaves a goroutine behind. Badger leaves two of its own when it
// refuses a damaged directory.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/dgraph-io/badger/v4.(*DB).monitorCache"),
		goleak.IgnoreTopFunction("github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators"))
}
