// Package quote quotes users' input in errors, shortened if it is long: a key may have thousands of bytes.
package quote

import (
	"fmt"
	"strconv"
)

const most = 60

// Short is s as a Go string. If s is long, it is the beginning of s, and its length.
func Short[T ~string | ~[]byte](s T) string {
	if len(s) <= most {
		return strconv.Quote(string(s))
	}
	return strconv.Quote(string(s[:most])) + fmt.Sprintf("… (%d bytes)", len(s))
}
