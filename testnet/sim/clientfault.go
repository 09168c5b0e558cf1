package sim

import (
	"context"

	"tagma/internal/session"
	"tagma/internal/trace"
	"tagma/pbft/wire"
)

// clientStrike is a planned kill: it happens when a client has sent so many more frames with requests.
type clientStrike struct {
	requests int
	when     Moment // BeforeSend or AfterFirstSend
	fired    func()
}

// KillClient ends a client's program. What it has sent arrives; the outcome of the operations that it waited for is
// unknown. If requests > 0, the kill happens when so many more frames with requests were sent, either just before or
// just after the last of them. Fired, if not nil, is called then.
func (w *World) KillClient(client, requests int, when Moment, fired func()) {
	if c := w.running(client); c != nil {
		c.end(requests, when, fired)
	}
}

// end plans the kill of a program, or kills it now.
func (c *client) end(requests int, when Moment, fired func()) {
	if c.session == nil {
		return
	}
	c.strike = &clientStrike{requests: requests, when: when, fired: fired}
	if requests == 0 {
		c.hit(when)
		c.kill()
	}
}

// StartClient starts a client's program again, in a new session. A kill that still waits is cancelled.
func (w *World) StartClient(client int) {
	if c := w.running(client); c != nil {
		c.again()
	}
}

// again starts a program that was killed.
func (c *client) again() {
	c.strike = nil
	if c.session == nil {
		c.begin()
	}
}

// running returns a client of the workload. It returns nil if there is none, or if a malicious client has replaced it.
func (w *World) running(client int) *client {
	if client >= w.opt.Clients || w.clients[client].rogue != nil {
		return nil
	}
	return w.clients[client]
}

// kill ends the program.
func (c *client) kill() {
	c.w.own.Emit(&trace.Fault{Step: trace.Fired, Does: "client " + c.name() + " is killed"})
	c.session, c.waits, c.strike, c.struck, c.timer = nil, nil, nil, false, 0
	c.load.timers = map[uint64]*Operation{}
	for i := range c.links {
		c.links[i] = clientLink{}
	}
}

// giveUp ends the program's wait for an operation.
func (c *client) giveUp(o *Operation) {
	if !c.waitsFor(o) {
		return
	}
	c.do(func(s *session.Session) { _, _ = s.Abandon(c.w.now, o.call, context.DeadlineExceeded) })
	o.over()
}

// struckBefore reports whether the program was killed, or is killed now, before it sends a frame.
func (c *client) struckBefore(read *decoded) bool {
	if _, request := read.msg.(*wire.Request); request && c.strike != nil {
		c.strike.requests--
		c.hit(BeforeSend)
	}
	return c.struck
}

// struckAfter kills the program if the kill was planned for the request that was just sent.
func (c *client) struckAfter(read *decoded) {
	if _, request := read.msg.(*wire.Request); request && c.strike != nil {
		c.hit(AfterFirstSend)
	}
}

func (c *client) hit(when Moment) {
	if c.strike.requests > 0 || c.strike.when != when {
		return
	}
	if c.strike.fired != nil {
		c.strike.fired()
	}
	c.strike, c.struck = nil, true
}
