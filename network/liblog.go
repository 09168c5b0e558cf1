package network

import (
	"log/slog"

	"github.com/libp2p/go-libp2p/gologshim"
)

// SetLibraryLog sends what libp2p itself logs to handler, for the whole process. Call it before anything else of this
// package: libp2p keeps the first destination it used, which by default is standard error. Even an ordinary [Host.Close]
// may make it log an error about its listener, so a program that shows its log to users wants a handler that filters.
func SetLibraryLog(handler slog.Handler) { gologshim.SetDefaultHandler(handler) }
