package bench

import (
	"fmt"
	"time"

	"tagma/statemachine/kv"
)

// Options describe one run.
type Options struct {
	Clients    int           // how many clients there are; each has one request under way
	Ops        int           // how many operations to measure; 0: as many as Duration allows
	Duration   time.Duration // length of the measurement, if Ops is 0
	Warmup     time.Duration // how long the same load runs before the measurement begins
	ValueBytes int           // bytes of a put's value
	Reads      int           // percentage of the requests that read; the others write
	Batch      int           // operations in a request
	Rate       float64       // operations due per second; 0: a closed loop
	// Number of different keys; puts use all keys one after the other in a scattered order, gets use a random one.
	Keys    int
	Timeout time.Duration // how long to wait for one request
	Seed    uint64        // determines values, keys and the choice between put and get
}

// Check returns which option makes no sense, by the name of its flag in `tagma bench`.
func (o *Options) Check() error {
	switch {
	case o.Clients < 1:
		return fmt.Errorf("--clients %d: at least 1 is needed", o.Clients)
	case o.Ops < 0:
		return fmt.Errorf("--ops %d: give a positive number, or a --duration instead", o.Ops)
	case o.Ops == 0 && o.Duration <= 0:
		return fmt.Errorf("--duration %s: give a positive time such as 10s, or a number of --ops instead", o.Duration)
	case o.Warmup < 0:
		return fmt.Errorf("--warmup %s: give a time such as 2s, or 0 for none", o.Warmup)
	case o.ValueBytes < 0 || o.ValueBytes > kv.MaxValueBytes:
		return fmt.Errorf("--value-bytes %d: a value has 0 to %d bytes", o.ValueBytes, kv.MaxValueBytes)
	case o.Reads < 0 || o.Reads > 100:
		return fmt.Errorf("--reads %d: it is a percentage, 0 to 100", o.Reads)
	case o.Batch < 1:
		return fmt.Errorf("--batch %d: a request has at least 1 operation", o.Batch)
	case o.Rate < 0:
		return fmt.Errorf("--rate %g: give operations per second, or 0 for a closed loop", o.Rate)
	case o.Keys < 1:
		return fmt.Errorf("--keys %d: at least 1 is needed", o.Keys)
	case o.Timeout <= 0:
		return fmt.Errorf("--timeout %s leaves no time; give a duration such as 10s", o.Timeout)
	}
	return nil
}
