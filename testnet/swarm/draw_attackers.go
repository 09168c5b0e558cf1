package swarm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// attackers gives faulty replicas their faults: a behaviour of the catalogue, a twin, or a bad disk.
func (d *drawing) attackers(bad []wire.ReplicaID) {
	plot := len(bad) > 0 && d.one(10) // all attackers of the plan work together
	for _, id := range bad {
		switch {
		case plot:
			d.malice(id, fmt.Sprintf("collude,with=%s,from_seq=%d", joined(bad), 1+d.IntN(20)))
		case d.one(8):
			d.p.Twins = append(d.p.Twins, sim.Twin{Replica: id, Peers: d.some()})
		case d.one(5):
			d.p.Damaged = append(d.p.Damaged, id)
			d.disk(sim.Fault{Do: pick(d, sim.TornTail, sim.LyingSync, sim.IOError, sim.DiskFull), Replica: id, Calls: 1 + d.IntN(50)})
		case d.one(3): // the replica loses its votes or its state (D8), and must come back
			d.p.Forgetful = append(d.p.Forgetful, id)
			d.disk(sim.Fault{
				Do:      pick(d, sim.Wiped, sim.Wiped, sim.WipedAgain, sim.BitRot, sim.RolledBack, sim.Unmounted, sim.StateLost),
				Replica: id,
			})
		case d.one(6): // behaviours that a returning replica meets
			d.behave(id, pick(d, "outrun", "poison-transfer", "old-view-change"))
		case d.one(4): // behaviours whose lies differ little from the truth are drawn most often
			d.behave(id, "mutate")
		default:
			d.behave(id, pick(d, byzantine.Catalogue()...).Name)
		}
	}
}

// behave makes a replica malicious by a behaviour of the catalogue.
func (d *drawing) behave(id wire.ReplicaID, name string) {
	for _, b := range byzantine.Catalogue() {
		if b.Name == name {
			d.malice(id, d.filled(name, b.Parameters, id))
		}
	}
}

func (d *drawing) malice(id wire.ReplicaID, behaviour string) {
	m := sim.Malice{Replica: id, Behaviour: behaviour}
	if d.one(3) {
		m.From, m.Until = d.span()
	}
	d.p.Malicious = append(d.p.Malicious, m)
}

// disk draws when a disk fails, and what is lost then.
func (d *drawing) disk(f sim.Fault) {
	f.Loss = pick(d, disk.Losses()...)
	f.At, f.Until = d.span()
	if f.Do == sim.Unmounted && d.one(2) {
		f.Calls = 1 + d.IntN(3000)
	}
	d.p.Faults = append(d.p.Faults, f)
}

// spoilt replaces faults of the disk, drawn from a generator of its own, by faults of the state alone: the replica
// continues to run, and must have repaired its state at the end (K2).
func (d *drawing) spoilt() {
	d.Rand = rand.New(rand.NewPCG(d.p.Seed, 0x7370_6f69_6c74))
	for i := range d.p.Faults {
		f := &d.p.Faults[i]
		if !f.Do.OfDisk() || !d.one(3) {
			continue
		}
		*f = sim.Fault{Do: pick(d, sim.StateFlip, sim.StoreRot), At: f.At, Until: f.Until, Replica: f.Replica, Loss: f.Loss}
		if f.Do == sim.StoreRot && d.one(2) {
			f.Until = 0
		}
		if i := slices.Index(d.p.Damaged, f.Replica); i >= 0 {
			d.p.Damaged = slices.Delete(d.p.Damaged, i, i+1)
			d.p.Forgetful = append(d.p.Forgetful, f.Replica)
		}
	}
}

func joined[T any](list []T) string {
	words := make([]string, len(list))
	for i, one := range list {
		words[i] = fmt.Sprint(one)
	}
	return strings.Join(words, "+")
}

// filled draws the parameters of a behaviour; about half of them keep their defaults.
func (d *drawing) filled(name string, parameters []byzantine.Parameter, id wire.ReplicaID) string {
	text := name
	for _, parameter := range parameters {
		if parameter.Name != "with" && (!d.s.wide || d.one(2)) {
			continue
		}
		if v := d.value(name, parameter, id); v != "" {
			text += "," + parameter.Name + "=" + v
		}
	}
	return text
}

// value draws a value for a parameter; "" stands for the default.
func (d *drawing) value(behaviour string, of byzantine.Parameter, id wire.ReplicaID) string {
	switch of.Name {
	case "seed":
		return fmt.Sprint(d.IntN(1000))
	case "from_seq":
		return fmt.Sprint(1 + d.IntN(30))
	case "probability":
		return fmt.Sprintf("%.2f", 0.02+0.6*d.Float64())
	case "types":
		var some []string
		for _, i := range d.Perm(len(saidTypes))[:1+d.IntN(2)] {
			some = append(some, saidTypes[i])
		}
		return strings.Join(some, "+")
	case "target", "of":
		return fmt.Sprint(d.IntN(d.p.Replicas))
	case "to", "peers", "first", "second":
		if behaviour == "partial-client" && d.one(2) {
			return "one"
		}
		return joined(d.some())
	case "with":
		return fmt.Sprint(id)
	}
	words := settings[behaviour+" "+of.Name]
	if len(words) == 0 {
		words = of.Words
	}
	if len(words) > 0 {
		return pick(d, words...)
	}
	return pick(d, append(settings[of.Name], "")...)
}

// saidTypes are the types of messages to which a behaviour may be restricted.
var saidTypes = []string{
	"pre-prepare", "prepare", "commit", "checkpoint", "suspect", "view-change", "new-view", "status", "reply", "heartbeat",
	"certified-body", "fetch", "request",
}

// settings lists values to draw for a parameter, under its name alone or under "behaviour parameter", which comes first. A
// parameter that is one of several words has no entry here, unless fewer of its words are to be drawn.
var settings = map[string][]string{
	"outrun for":            {"1T", "4T", "8T", "0"},
	"mutate kinds":          {"view", "seq", "digest", "phase", "entry", "target", "view+seq", "seq+digest", "phase+view", "entry+view"},
	"clock-skew by":         {"1h", "-1h", "900ms", "-1500ms", "3s"},
	"clock-skew every":      {"0.5T", "2T"},
	"censor client":         {"first", "c0"},
	"client-flood valid":    {"10", "50", "100"},
	"client-flood invalid":  {"0", "50", "200"},
	"client-flood bytes":    {"0", "2000"},
	"burst-client requests": {"10", "60", "200"},
	"heavy-client parallel": {"4", "32"},
	"heavy-client keys":     {"50", "300"},
	"heavy-client ops":      {"1", "50"},
	"heavy-client how":      {"counts"}, // the clients of a plan have no other kind of burden
	"empty-client parallel": {"4", "64"},
	"empty-client ops":      {"1", "256"},
	"greedy-fetch rate":     {"1", "2"},
	"malformed bytes":       {"256", "4096"},
	"malformed every":       {""}, // a number for replicas, a time for clients
	"delay":                 {"0.1T", "0.5T", "0.9T", "1.5T", "4T"},
	"every":                 {"0.1T", "0.3T", "1T"},
	"provoke":               {"yes", "no"},
	"rate":                  {"1", "3", "8"},
	"views":                 {"2", "10", "1000"},
	"per_batch":             {"1", "8"},
	"repeat":                {"0.2T", "2T"},
}

// rogue draws a malicious client. Its rates leave the other clients enough of the processor.
func (d *drawing) rogue() {
	b := pick(d, byzantine.ClientBehaviours()...)
	r := sim.Rogue{Behaviour: d.filled(b.Name, b.Parameters, 0)}
	if b.Name == "client-flood" {
		r.Behaviour = fmt.Sprintf("client-flood,valid=%s,invalid=%s", pick(d, settings["client-flood valid"]...), pick(d, settings["client-flood invalid"]...))
	}
	r.From, r.Until = d.span()
	d.p.Rogues = append(d.p.Rogues, r)
}
