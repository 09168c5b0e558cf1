//go:build !unix

package local

import "errors"

func refuseWrites() error { return errors.New("this system has no limit on what a process may write") }
