package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// badgerLog passes badger's log on, and keeps the first error. Badger only logs some failures that must stop us: a value
// log that could not be synced, a table left out at Open because its checksum is wrong, a memtable it cannot flush.
type badgerLog struct {
	to    *slog.Logger
	first atomic.Pointer[error]
}

// failure returns the first error that badger logged, or nil.
func (l *badgerLog) failure() error {
	if err := l.first.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *badgerLog) Errorf(format string, args ...any) {
	err := errors.New(oneLine(format, args))
	l.first.CompareAndSwap(nil, &err)
	l.log(slog.LevelError, format, args)
}

func (l *badgerLog) Warningf(format string, args ...any) { l.log(slog.LevelWarn, format, args) }
func (l *badgerLog) Infof(format string, args ...any)    { l.log(slog.LevelDebug, format, args) }
func (l *badgerLog) Debugf(string, ...any)               {}

func (l *badgerLog) log(level slog.Level, format string, args []any) {
	if l.to != nil && l.to.Enabled(context.Background(), level) {
		l.to.Log(context.Background(), level, "badger: "+oneLine(format, args))
	}
}

func oneLine(format string, args []any) string {
	return strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
}
