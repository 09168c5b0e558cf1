package network

import (
	"log/slog"

	"github.com/libp2p/go-libp2p/gologshim"
)

// SetLibraryLog sends libp2p's own log to handler, for the whole process. It must be called before anything else of this
// package, because libp2p keeps the first destination that it uses, by default standard error. Even an ordinary [Host.Close]
// may make libp2p log an error about its listener, so a program that shows its log to users needs a handler that filters.
func SetLibraryLog(handler slog.Handler) { gologshim.SetDefaultHandler(handler) }
