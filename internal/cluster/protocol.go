package cluster

import (
	"reflect"
	"strings"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// WithDefaults returns the parameters with every 0 replaced by the default.
func (p Protocol) WithDefaults() Protocol {
	c := p.core().WithDefaults()
	q := Protocol{
		ViewTimeout:        Duration{c.ViewTimeout},
		MaxViewTimeout:     Duration{c.MaxViewTimeout},
		ClockTolerance:     Duration{c.ClockTolerance},
		CheckpointInterval: int(c.CheckpointInterval),
		LogWindow:          int(c.LogWindow),
		MaxBatch:           c.MaxBatch,
		MaxBatchBytes:      c.MaxBatchBytes,
		MaxOps:             c.MaxOps,
		MaxOpBytes:         c.MaxOpBytes,
		MaxResultBytes:     c.MaxResultBytes,
		MaxPending:         c.MaxPending,
		MaxPerClient:       c.MaxPerClient,
		Window:             p.Window,
		Sessions:           p.Sessions,
	}
	if q.Window == 0 {
		q.Window = statemachine.DefaultWindow
	}
	if q.Sessions == 0 {
		q.Sessions = statemachine.DefaultSessions
	}
	return q
}

// Check reports the first parameter that is out of range or contradicts another one in a cluster of so many replicas. It
// is an *Error without a file, whose key is the parameter's name.
func (p Protocol) Check(replicas int) error {
	f := &File{Protocol: p}
	for i := range replicas {
		f.Replicas = append(f.Replicas, Replica{ID: i, Key: Key{0: 1, 1: byte(i), 2: byte(i >> 8)}}) // no two alike
	}
	if err := f.validateProtocol(); err != nil {
		err.Key = strings.TrimPrefix(err.Key, "protocol.")
		return err
	}
	return nil
}

// core is the protocol core's share of the parameters.
func (p Protocol) core() wire.Config {
	return wire.Config{
		CheckpointInterval: wire.Seq(p.CheckpointInterval),
		LogWindow:          wire.Seq(p.LogWindow),
		ViewTimeout:        p.ViewTimeout.Duration,
		MaxViewTimeout:     p.MaxViewTimeout.Duration,
		ClockTolerance:     p.ClockTolerance.Duration,
		MaxBatch:           p.MaxBatch,
		MaxBatchBytes:      p.MaxBatchBytes,
		MaxOps:             p.MaxOps,
		MaxOpBytes:         p.MaxOpBytes,
		MaxResultBytes:     p.MaxResultBytes,
		MaxPending:         p.MaxPending,
		MaxPerClient:       p.MaxPerClient,
	}
}

// setting is one parameter as a number: nanoseconds for a duration.
type setting struct {
	name  string
	value int64
}

// settings lists every parameter in the order of the struct. It is the order of the fingerprint, which must not change
// within a Format.
func (p Protocol) settings() (all []setting) {
	fields := reflect.ValueOf(p)
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("toml"), ",")
		switch f := fields.Field(i).Interface().(type) {
		case Duration:
			all = append(all, setting{name, int64(f.Duration)})
		case int:
			all = append(all, setting{name, int64(f)})
		default:
			panic("cluster: protocol." + name + " is of a type that no fingerprint holds")
		}
	}
	return all
}
