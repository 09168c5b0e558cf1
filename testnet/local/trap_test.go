package local

import (
	"runtime"
	"slices"
	"testing"

	"tagma/internal/trace"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// ports notes what a trap lets through.
type ports struct{ did []string }

func (p *ports) Append(turn []wire.Record, _ func() []wire.Record) error {
	p.did = append(p.did, "append")
	return nil
}

func (p *ports) Later([]wire.Record, func() []wire.Record) error {
	p.did = append(p.did, "later")
	return nil
}
func (*ports) Truncate(wire.Seq, func() []wire.Record) error        { return nil }
func (p *ports) Do(port.Effect)                                     { p.did = append(p.did, "do") }
func (*ports) Lookup(*wire.Request) (reply *wire.Reply, known bool) { return nil, false }

// A replica ends exactly at its moment: what must be durable at that moment is durable, and nothing follows it.
func TestTrap_EndsAtItsMoment(t *testing.T) {
	sent := func(m wire.Message) []wire.Record {
		return []wire.Record{&wire.Prepared{}, &wire.Sent{Msg: m}}
	}
	for name, c := range map[string]struct {
		moment *Moment
		does   func(driver.Ports, *trap)
		want   []string
		ends   bool
	}{
		"nothing is waited for": {nil, func(p driver.Ports, _ *trap) { _ = p.Journal.Append(sent(&wire.Commit{}), nil) }, []string{"append"}, false},
		"another type": {
			&Moment{When: BeforeSend, Type: wire.TypeCommit},
			func(p driver.Ports, _ *trap) { _ = p.Journal.Append(sent(&wire.Prepare{}), nil) },
			[]string{"append"},
			false,
		},
		"before it is sent": {
			&Moment{When: BeforeSend, Type: wire.TypeCommit},
			func(p driver.Ports, _ *trap) { _ = p.Journal.Append(sent(&wire.Commit{}), nil) },
			[]string{"append"},
			true,
		},
		"before it is sent, where that may come before it is durable": {
			&Moment{When: BeforeSend, Type: wire.TypeCommit},
			func(p driver.Ports, _ *trap) { _ = p.Journal.Later(sent(&wire.Commit{}), nil) },
			[]string{"append"},
			true,
		},
		"a batch below": {
			&Moment{When: BeforeExecute, Seq: 5}, func(p driver.Ports, _ *trap) { p.Machine.Do(port.Execute{Seq: 4}) }, []string{"do"}, false,
		},
		"before the machine has it": {
			&Moment{When: BeforeExecute, Seq: 5}, func(p driver.Ports, _ *trap) { p.Machine.Do(port.Execute{Seq: 6}) }, []string{"append"}, true,
		},
		"other work": {
			&Moment{When: BeforeExecute, Seq: 5}, func(p driver.Ports, _ *trap) { p.Machine.Do(port.Snapshot{Seq: 6}) }, []string{"do"}, false,
		},
		"before the core knows": {
			&Moment{When: AfterExecute, Seq: 5}, func(_ driver.Ports, tr *trap) { tr.hear(&trace.Executed{Seq: 5}) }, nil, true,
		},
		"another batch": {
			&Moment{When: AfterExecute, Seq: 5}, func(_ driver.Ports, tr *trap) { tr.hear(&trace.Executed{Seq: 4}) }, nil, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			under, ended, over := new(ports), false, make(chan struct{})
			tr := &trap{end: func() { ended = true; runtime.Goexit() }}
			p := tr.around(driver.Ports{Journal: under, Machine: under})
			tr.set.Store(c.moment)
			go func() {
				defer close(over)
				c.does(p, tr)
			}()
			<-over
			if ended != c.ends || !slices.Equal(under.did, c.want) {
				t.Errorf("ended: %t, did %q; want %t, %q", ended, under.did, c.ends, c.want)
			}
		})
	}
}
