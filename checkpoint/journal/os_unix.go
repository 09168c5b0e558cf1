//go:build unix && !linux

package journal

import "os"

// syncData is the full sync where the system has no cheaper one.
func syncData(f *os.File) error { return f.Sync() }
