// Package quote quotes users' input in errors, shortened if it is long: a key may have thousands of bytes.
package quote

import (
	"fmt"
	"strconv"
)

const most = 60

// Short returns s as a Go string literal. If s is long, it returns the beginning of s, with the length of s.
func Short[T ~string | ~[]byte](s T) string {
	if len(s) <= most {
		return strconv.Quote(string(s))
	}
	return strconv.Quote(string(s[:most])) + fmt.Sprintf("… (%d bytes)", len(s))
}
