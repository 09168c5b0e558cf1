package node

import (
	"context"
	"log/slog"
	"sync"

	"tagma/network"
)

var libraryLog sync.Once

// routeLibraryLog sends the messages that libp2p logs in the whole process to the first node's logger. libp2p has only
// one destination, which otherwise is standard error.
func routeLibraryLog(log *slog.Logger) {
	libraryLog.Do(func() { network.SetLibraryLog(chatter{log.Handler()}) })
}

// chatter changes all messages to debug level, because libp2p logs normal events, such as a closed listener, as errors.
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
