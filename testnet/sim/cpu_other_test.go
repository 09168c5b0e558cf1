//go:build !unix

package sim

import "time"

var began = time.Now()

func processorTime() time.Duration { return time.Since(began) }
