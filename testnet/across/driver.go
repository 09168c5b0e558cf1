package across

import (
	"errors"
	"math/rand/v2"
	"time"

	shipped "tagma/internal/driver"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
)

// driver drives one transaction after the other.
type driver struct {
	*Load
	p     Program
	fate  int  // the driver dies at this step from here; 0: it does not
	quick bool // it dies when it has sent the operation, not before
}

// next begins the next transaction.
func (d *driver) next() {
	d.Load.next(d.p, func(m *Made) {
		if m == nil {
			d.running--
			return
		}
		over := func() { d.host.After(d.think(), d.next) }
		switch m.Shape {
		case Honest:
			d.carry(m.T, false, over)
		case Dies: // at any of its steps, of which it has two or three for each group
			if d.fate, d.quick = d.opt.DieAt, d.random.IntN(2) == 0; d.fate == 0 {
				d.fate = 1 + d.random.IntN(3*len(m.parts)+1)
			}
			d.carry(m.T, false, over)
		default:
			d.lie(m, over)
		}
	})
}

// step counts what the driver does, and reports whether it lives to do it.
func (d *driver) step() bool {
	if d.fate == 0 {
		return true
	}
	if d.fate--; d.fate > 0 {
		return true
	}
	d.died++
	d.p.Kill(d.quick)
	d.revive()
	return d.quick
}

// revive starts the program again some time after it was killed. It knows nothing of what it did before.
func (d *driver) revive() {
	d.host.After(d.think()+2*retry, func() {
		d.fate = 0
		d.p.Kill(false)
		d.host.After(retry, func() {
			d.p.Start()
			d.host.After(retry, d.next)
		})
	})
}

// retry is how long a driver waits before it tries the same again.
const retry = 50 * time.Millisecond

// Errors of actions, for the shipped driver.
var (
	errUnanswered = errors.New("nobody answered in time")
	errUnvouched  = errors.New("too few replicas vouched for anything in time")
)

// carry has the shipped driver carry a transaction to its end: one of its own or, to resolve it, another one's.
func (d *driver) carry(t *commit.Transaction, resolve bool, done func()) {
	groups := make([]commit.Group, len(d.groups))
	for i := range d.groups {
		groups[i] = d.groups[i].Group
	}
	core, err := shipped.New(shipped.Config{
		Transaction: t, Groups: groups, Resolve: resolve, Random: rand.New(rand.NewPCG(d.random.Uint64(), 0)),
	})
	if err != nil {
		d.trouble = err.Error()
		done()
		return
	}
	c := &carrying{d: d, core: core, done: done, life: d.p.Life()}
	if !d.settling { // whoever drives many transactions gives one up that does not end, as if he had died
		d.host.After(d.opt.GiveUp, func() {
			if !c.over && d.p.Life() == c.life {
				c.over = true
				done()
			}
		})
	}
	d.under[c] = true
	c.do(core.Begin(c.now()))
}

// carrying hosts a shipped driver.
type carrying struct {
	d    *driver
	core *shipped.Driver
	done func()
	life int
	over bool
	wake int64
}

func (c *carrying) now() int64 { return c.d.host.Wall().UnixNano() }

// do carries out the actions, and sets the driver's clock.
func (c *carrying) do(actions []shipped.Action) {
	if c.over {
		return
	}
	for _, a := range actions {
		if !c.d.step() {
			c.over = true
			return
		}
		group := c.d.group(a.Group)
		switch a.Do {
		case shipped.Attest:
			c.d.p.Attest(group, a.Op, func(got *attest.Certificate) {
				err := errUnvouched
				if got != nil {
					err, c.d.old[group] = nil, got
				}
				c.do(c.core.Attested(c.now(), a.Group, got, err))
			})
		default:
			c.d.send(group, a.Op, func(result []byte) {
				err := errUnanswered
				if result != nil {
					err = nil
				}
				c.do(c.core.Executed(c.now(), a.Group, result, err))
			})
		}
	}
	if c.over {
		return
	}
	if c.core.Ended() {
		c.over = true
		delete(c.d.under, c)
		if m := c.d.byTID[c.core.TID()]; m != nil {
			m.ended = true
		}
		c.done()
		return
	}
	if at := c.core.Wake(); at > 0 && at != c.wake {
		c.wake = at
		c.d.host.After(max(0, time.Duration(at-c.now()))+time.Microsecond, func() {
			if !c.over && c.wake == at && c.d.p.Life() == c.life {
				c.wake = 0
				c.do(c.core.Tick(c.now()))
			}
		})
	}
}

// send has a group execute an operation, and keeps it for those who replay.
func (l *Load) send(p Program, group int, op []byte, done func(result []byte)) {
	l.seen = append(l.seen, op)
	p.Do(group, op, done)
}

func (d *driver) send(group int, op []byte, done func(result []byte)) {
	d.Load.send(d.p, group, op, done)
}

// group is the number of a group, by its identity.
func (l *Load) group(id [32]byte) int {
	for i := range l.groups {
		if l.groups[i].ID == id {
			return i
		}
	}
	return -1
}
