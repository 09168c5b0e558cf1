// Package quote shows in errors what somebody gave, shortened if it is long: a key may have thousands of bytes.
package quote

import (
	"fmt"
	"strconv"
)

const most = 60

// Short is s as a Go string. Of a long one it is the beginning, and how long it is.
func Short[T ~string | ~[]byte](s T) string {
	if len(s) <= most {
		return strconv.Quote(string(s))
	}
	return strconv.Quote(string(s[:most])) + fmt.Sprintf("… (%d bytes)", len(s))
}
