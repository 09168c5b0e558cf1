//go:build unix && !linux

package journal

import "os"

// syncData is a full sync, since this system has no cheaper one.
func syncData(f *os.File) error { return f.Sync() }
