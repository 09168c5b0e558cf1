package network

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the package when any test leaves a goroutine behind, libp2p's own included.
func TestMain(m *testing.M) {
	SetLibraryLog(slog.DiscardHandler)
	goleak.VerifyTestMain(m)
}
