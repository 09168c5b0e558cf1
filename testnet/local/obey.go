package local

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"tagma/internal/driver"
	"tagma/internal/node"
	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/assault"
	"tagma/testnet/byzantine"
)

// obedient is the controlled side of a replica's process: it carries out orders that come in as lines and writes answers.
type obedient struct {
	choices []byzantine.Choice
	setup   setup
	client  func(string) (wire.PublicKey, bool)
	skew    atomic.Int64 // of the wall clock, nanoseconds

	mu    sync.Mutex // of what follows, and of out
	out   io.Writer
	links *hostile
	gates []*gate
	raw   []*assault.Dormant // by behaviour; nil where it is about messages alone
	told  Counts
}

// countsEvery is how old counts may get before they are told without having been asked for.
const countsEvery = 50 * time.Millisecond

// newObedient reads the first line of orders.
func newObedient(in *bufio.Reader, out io.Writer, choices []byzantine.Choice) (*obedient, error) {
	o := &obedient{choices: choices, out: out}
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &o.setup)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was ordered before the start: %w", err)
	}
	o.skew.Store(int64(o.setup.Skew))
	return o, nil
}

// options puts what can be controlled around a node.
func (o *obedient) options(opt *node.Options) {
	opt.Wall = func() time.Time { return time.Now().Add(time.Duration(o.skew.Load())) }
	opt.Transport = func(under driver.Transport) driver.Transport { return o.links.around(under) }
	if len(o.choices) == 0 {
		return
	}
	opt.Replace = func(cfg *wire.Config, core *pbft.Replica, sign func([]byte) wire.Signature) driver.Core {
		outermost, all, err := gates(o.choices, cfg, core, sign, byzantine.Options{Client: o.client})
		if err != nil {
			panic(err) // ParseChoice has judged them
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.gates = all
		for _, i := range o.setup.On {
			o.gates[i].open.Store(true)
		}
		o.links.spoiledBy(all)
		return outermost
	}
}

// place says which replica this is, and repeats to it what was ordered before it started.
func (o *obedient) place(home *node.Home) error {
	o.client = clientOf(home.Cluster)
	o.links = newHostile(home.Config.Self, home.Config.N(), &o.setup)
	for _, c := range o.choices {
		b, err := beside(home, c)
		if err != nil {
			return err
		}
		o.raw = append(o.raw, b)
	}
	for _, i := range o.setup.On {
		if err := o.raw[i].Wake(true); err != nil {
			return err
		}
	}
	for _, c := range o.setup.Commands {
		if err := o.links.do(c); err != nil {
			return err
		}
	}
	return nil
}

// obey carries out orders until there are no more.
func (o *obedient) obey(in *bufio.Reader) {
	done := make(chan struct{})
	var teller sync.WaitGroup
	teller.Go(func() { o.keepTelling(done) })
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		var next order
		a := answer{}
		if err := json.Unmarshal(line, &next); err != nil {
			a.Error = err.Error()
		} else if err := o.carryOut(next); err != nil {
			a.Error = err.Error()
		}
		a.Number = next.Number
		o.tell(a)
	}
	close(done)
	teller.Wait()
}

func (o *obedient) carryOut(next order) error {
	switch {
	case next.Links != nil:
		return o.links.do(*next.Links)
	case next.Switch != nil:
		o.mu.Lock()
		defer o.mu.Unlock()
		if i := next.Switch.Behaviour; i < 0 || i >= len(o.gates) {
			return fmt.Errorf("there is no behaviour %d", i)
		}
		o.gates[next.Switch.Behaviour].open.Store(next.Switch.On)
		return o.raw[next.Switch.Behaviour].Wake(next.Switch.On)
	case next.Clock != 0:
		o.skew.Add(int64(next.Clock))
		return nil
	case next.DiskFull:
		return refuseWrites()
	default:
		return errors.New("the order is empty")
	}
}

// keepTelling writes counts when they have changed.
func (o *obedient) keepTelling(done <-chan struct{}) {
	ticker := time.NewTicker(countsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			o.tell(answer{})
		}
	}
}

// tell writes an answer with the counts. One that answers nothing is written only if the counts are news.
func (o *obedient) tell(a answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a.Counts.Frames = o.links.fired()
	for i, g := range o.gates {
		a.Counts.Lies = append(a.Counts.Lies, int(g.lies.Load())+int(o.raw[i].Acts()))
	}
	if a.Number == 0 && a.Error == "" && reflect.DeepEqual(a.Counts, o.told) {
		return
	}
	o.told = a.Counts
	line, err := json.Marshal(a)
	if err != nil {
		return // plain data: it cannot fail
	}
	_, _ = o.out.Write(append(line, '\n')) // a launcher that is gone needs no answer: the end of the orders ends us
}
