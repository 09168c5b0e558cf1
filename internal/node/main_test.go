package node

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the package when a node that was stopped leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
