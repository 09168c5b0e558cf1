package cluster

import "fmt"

// Error is a cluster file that is refused: where, and how to mend it.
type Error struct {
	File    string // as it was named by the caller
	Line    int    // from 1; 0 when the problem is not in one line
	Key     string // such as protocol.log_window or replica[2].key; empty when the text is no TOML
	Problem string // what is wrong and how to mend it
}

// Error says it all in one line.
func (e *Error) Error() string {
	s := "cluster file " + e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" {
		s += ": " + e.Key
	}
	return s + ": " + e.Problem
}

func refuse(key, format string, args ...any) *Error {
	return &Error{Key: key, Problem: fmt.Sprintf(format, args...)}
}
