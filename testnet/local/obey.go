package local

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/driver"
	"tagma/internal/node"
	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/link"
	malicious "tagma/testnet/byzantine/replica"
)

// obedient is the replica's end of its process: what it is ordered to do. Its exported methods are called by net/rpc.
type obedient struct {
	home   *node.Home
	unable error        // why it could not begin
	skew   atomic.Int64 // of the wall clock, nanoseconds
	links  *hostile
	trace  string // as in Setup
	only   []string

	mu         sync.Mutex // of what follows
	behaviours []behaviour
}

// behaviour is one way to misbehave.
type behaviour struct {
	choice byzantine.Choice
	on     bool
	gate   *gate         // nil until there is a core
	raw    *link.Dormant // nil where it is about messages alone
}

// wake lets a behaviour loose, or puts it to sleep.
func (b *behaviour) wake(on bool) error {
	if b.on = on; b.gate != nil {
		b.gate.open.Store(on)
	}
	return b.raw.Wake(on)
}

// Begin takes what was ordered before the replica starts.
func (o *obedient) Begin(s *Setup, _ *Counts) error {
	if o.unable = o.begin(s); o.unable != nil {
		o.links = nil
	}
	return o.unable
}

func (o *obedient) begin(s *Setup) error {
	o.skew.Store(int64(s.Skew))
	o.trace, o.only = s.Trace, s.Only
	o.links = newHostile(o.home.Config.Self, o.home.Config.N(), s)
	for _, text := range s.Behaviours {
		choice, err := byzantine.ParseChoice(text)
		if err != nil {
			return err
		}
		b := behaviour{choice: choice}
		if link.OnLinks(choice) {
			key, err := crypto.ReadKey(filepath.Join(o.home.Dir, node.KeyFile))
			if err != nil {
				return fmt.Errorf("behaviour %s: %w", choice.Name, err)
			}
			b.raw = link.NewDormant(link.Options{File: o.home.Cluster, Key: key, Choice: choice})
		}
		o.behaviours = append(o.behaviours, b)
	}
	for _, i := range s.On {
		if err := o.behaviours[i].wake(true); err != nil {
			return err
		}
	}
	for _, c := range s.Commands {
		if err := o.links.do(c); err != nil {
			return err
		}
	}
	return nil
}

// options puts what can be controlled around a node.
func (o *obedient) options(opt *node.Options) {
	opt.Wall = func() time.Time { return time.Now().Add(time.Duration(o.skew.Load())) }
	opt.Transport = func(under driver.Transport) driver.Transport { return o.links.around(under) }
	if len(o.behaviours) == 0 {
		return
	}
	opt.Replace = func(cfg *wire.Config, core *pbft.Replica, sign func([]byte) wire.Signature) driver.Core {
		o.mu.Lock()
		defer o.mu.Unlock()
		outermost := malicious.Core(core)
		var all []*gate
		for i := range o.behaviours { // one around the other
			b := &o.behaviours[i]
			before := b.gate
			var err error
			if b.gate, err = newGate(b.choice, cfg, outermost, sign, malicious.Options{Client: clientOf(o.home.Cluster)}); err != nil {
				panic(err) // Create has judged it
			}
			if b.gate.open.Store(b.on); before != nil { // a replica that began a new life goes on counting
				b.gate.lies.Store(before.lies.Load())
			}
			outermost = b.gate
			all = append(all, b.gate)
		}
		o.links.spoiledBy(all)
		return outermost
	}
}

// Obey carries out an order.
func (o *obedient) Obey(next *Order, _ *Counts) error {
	switch {
	case next.Links != nil:
		return o.links.do(*next.Links)
	case next.Switch != nil:
		o.mu.Lock()
		defer o.mu.Unlock()
		if i := next.Switch.Behaviour; i < 0 || i >= len(o.behaviours) {
			return fmt.Errorf("there is no behaviour %d", i)
		}
		return o.behaviours[next.Switch.Behaviour].wake(next.Switch.On)
	case next.Clock != 0:
		o.skew.Add(int64(next.Clock))
		return nil
	case next.DiskFull:
		return refuseWrites()
	default:
		return errors.New("the order is empty")
	}
}

// Count tells what has become of orders so far.
func (o *obedient) Count(_ int, counts *Counts) error {
	counts.Frames = o.links.fired()
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.behaviours {
		b := &o.behaviours[i]
		n := int(b.raw.Acts())
		if b.gate != nil {
			n += int(b.gate.lies.Load())
		}
		counts.Lies = append(counts.Lies, n)
	}
	return nil
}

// clientOf resolves c0, c1, … to the keys that Cluster.ClientKey names by number.
func clientOf(file *cluster.File) func(name string) (wire.PublicKey, bool) {
	return func(name string) (wire.PublicKey, bool) {
		digits, _ := strings.CutPrefix(name, "c")
		i, err := strconv.Atoi(digits)
		if err != nil || digits == name {
			return wire.PublicKey{}, false
		}
		for _, c := range file.Clients {
			if c.Name == clientName(i) {
				return c.Key.Public(), true
			}
		}
		return wire.PublicKey{}, false
	}
}
