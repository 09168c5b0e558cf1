package byzantine

import (
	"fmt"
	"time"
)

// period reads a number of things a second, and returns how long lies between two of them; 0 if there are none.
func (v values) period(name string) (time.Duration, error) {
	n, err := v.number(name)
	if err != nil || n == 0 {
		return 0, err
	}
	if n > mostPerSecond {
		return 0, v.wrong(name, fmt.Sprintf("is above %d a second", mostPerSecond))
	}
	return time.Second / time.Duration(n), nil
}

// wrong is an error about a value that reads well and makes no sense.
func (v values) wrong(name, why string) error {
	return fmt.Errorf("%s: %s %s", name, v[name], why)
}
