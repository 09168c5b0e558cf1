package node

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the tests fail if a stopped node leaves a goroutine running. Two goroutines of badger are excepted,
// which it leaves when it refuses a damaged directory.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/dgraph-io/badger/v4.(*DB).monitorCache"),
		goleak.IgnoreTopFunction("github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators"))
}
