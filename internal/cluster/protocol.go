package cluster

import (
	"cmp"
	"reflect"
	"strings"

	"tagma/internal/machines"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// WithDefaults returns the parameters with every 0 replaced by the default.
func (p Protocol) WithDefaults() Protocol {
	c := p.Core().WithDefaults()
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
		MaxRequestCost:     p.MaxRequestCost,
		MaxBatchCost:       p.MaxBatchCost,
		Rules:              p.Rules,
		History:            p.History,
		Durability:         p.Durability,
		FirstVersion:       p.FirstVersion,
		FaultModel:         p.FaultModel,
		HistoryRevisions:   p.HistoryRevisions,
		HistoryAge:         p.HistoryAge,
		HistoryAll:         p.HistoryAll,
	}
	if q.Window == 0 {
		q.Window = statemachine.DefaultWindow
	}
	if q.Sessions == 0 {
		q.Sessions = statemachine.DefaultSessions
	}
	return q
}

// Limits are the state machine's limits among the parameters.
func (p Protocol) Limits() statemachine.Limits {
	return statemachine.Limits{
		Window: uint64(p.Window), Sessions: p.Sessions, MaxResultBytes: p.MaxResultBytes,
		MaxRequestCost: p.MaxRequestCost, MaxBatchCost: p.MaxBatchCost, Rules: p.Rules,
		FirstVersion: p.FirstVersion,
	}
}

// ofNewCluster returns the parameters with the budgets and the rules of execution of a new cluster.
func (p Protocol) ofNewCluster() Protocol {
	p.MaxRequestCost = cmp.Or(p.MaxRequestCost, statemachine.DefaultMaxRequestCost)
	p.MaxBatchCost = cmp.Or(p.MaxBatchCost, statemachine.DefaultMaxBatchCost)
	p.Rules = cmp.Or(p.Rules, statemachine.NewestRules)
	return p
}

// Check returns the first parameter that is out of range or contradicts another one in a cluster of so many replicas,
// as an *Error without a file and with the parameter's name as key.
func (p Protocol) Check(replicas int) error {
	f := &File{Protocol: p}
	for i := range replicas {
		f.Replicas = append(f.Replicas, Replica{ID: i, Key: Key{0: 1, 1: byte(i), 2: byte(i >> 8)}}) // all different
	}
	if err := f.validateProtocol(); err != nil {
		err.Key = strings.TrimPrefix(err.Key, "protocol.")
		return err
	}
	return nil
}

// Kept is the history among the parameters.
func (p Protocol) Kept() machines.History {
	return machines.History{Batches: p.History, Revisions: p.HistoryRevisions, Age: p.HistoryAge.Duration, All: p.HistoryAll}
}

// Core is the protocol core's configuration among the parameters.
func (p Protocol) Core() wire.Config {
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
		Optimistic:         p.Durability == Optimistic,
		Crash:              p.FaultModel == CrashOnly,
	}
}

// setting is one parameter as a number: nanoseconds for a duration.
type setting struct {
	name  string
	value int64
}

// settings lists every parameter in the order of the struct, which is also their order in the fingerprint and so must
// not change within a Format.
func (p Protocol) settings() (all []setting) {
	fields := reflect.ValueOf(p)
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("toml"), ",")
		switch f := fields.Field(i).Interface().(type) {
		case Duration:
			all = append(all, setting{name, int64(f.Duration)})
		case Durability:
			all = append(all, setting{name, int64(f)})
		case FaultModel:
			all = append(all, setting{name, int64(f)})
		case int:
			all = append(all, setting{name, int64(f)})
		case bool:
			set := int64(0)
			if f {
				set = 1
			}
			all = append(all, setting{name, set})
		default:
			panic("cluster: protocol." + name + " is of a type that no fingerprint holds")
		}
	}
	return all
}
