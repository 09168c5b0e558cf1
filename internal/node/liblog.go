package node

import (
	"context"
	"log/slog"
	"sync"

	"tagma/network"
)

var libraryLog sync.Once

// routeLibraryLog sends what libp2p logs to the first node's logger, for the whole process: libp2p has one destination
// and would write to standard error.
func routeLibraryLog(log *slog.Logger) {
	libraryLog.Do(func() { network.SetLibraryLog(chatter{log.Handler()}) })
}

// chatter lowers everything to debug level: libp2p calls an error what a replica expects, such as a closed listener.
type chatter struct{ slog.Handler }

func (c chatter) Enabled(ctx context.Context, _ slog.Level) bool {
	return c.Handler.Enabled(ctx, slog.LevelDebug)
}

func (c chatter) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return c.Handler.Handle(ctx, r)
}

func (c chatter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return chatter{c.Handler.WithAttrs(attrs)}
}

func (c chatter) WithGroup(name string) slog.Handler { return chatter{c.Handler.WithGroup(name)} }
