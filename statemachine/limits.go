package statemachine

import "fmt"

// Defaults of the limits that a client has to know.
const (
	DefaultWindow   = 1024
	DefaultSessions = 256
)

// Limits are replicated configuration: every replica of a cluster must run with the same values, because they decide
// outcomes. A zero field takes its default.
type Limits struct {
	Window   uint64 // request numbers a session may have in use above its acknowledged ones (W of C2); default DefaultWindow
	Sessions int    // sessions held per client (S of C1); default DefaultSessions

	MaxResultBytes      int // results of one request together; default 1 MiB
	MaxReplyCacheBytes  int // cached replies of one session, before one more is refused; default 4 MiB
	MaxClientReplyBytes int // cached replies of all sessions of one client, likewise; default 16 MiB

	MaxKeyBytes   int // one application key; default 4 KiB
	MaxValueBytes int // one application value; default 1 MiB
	MaxWriteBytes int // keys and values that one operation writes; default 16 MiB

	MaxPassedKeys int // keys that the ranges of one request's operations pass; default 100,000
}

// withDefaults fills in what is zero and refuses what is negative.
func (l Limits) withDefaults() (Limits, error) {
	if l.Window == 0 {
		l.Window = DefaultWindow
	}
	for _, f := range []struct {
		name  string
		value *int
		def   int
	}{
		{"Sessions", &l.Sessions, DefaultSessions},
		{"MaxResultBytes", &l.MaxResultBytes, 1 << 20},
		{"MaxReplyCacheBytes", &l.MaxReplyCacheBytes, 4 << 20},
		{"MaxClientReplyBytes", &l.MaxClientReplyBytes, 16 << 20},
		{"MaxKeyBytes", &l.MaxKeyBytes, 4 << 10},
		{"MaxValueBytes", &l.MaxValueBytes, 1 << 20},
		{"MaxWriteBytes", &l.MaxWriteBytes, 16 << 20},
		{"MaxPassedKeys", &l.MaxPassedKeys, 100_000},
	} {
		if *f.value < 0 {
			return Limits{}, fmt.Errorf("replicated limit %s is %d; it must be positive, or 0 for %d",
				f.name, *f.value, f.def)
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	return l, nil
}
