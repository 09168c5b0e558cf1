package swarm

import (
	"fmt"
	"strings"

	"tagma/pbft"
	"tagma/testnet/byzantine"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// attackers gives faulty replicas their faults: a behaviour of the catalogue, a twin, or a bad disk.
func (d drawing) attackers(p *sim.Plan, bad []pbft.ReplicaID) {
	plot := len(bad) > 0 && d.one(10) // all of them conspire
	for _, id := range bad {
		switch {
		case plot:
			d.malice(p, id, d.colluding(bad))
		case d.one(8):
			p.Twins = append(p.Twins, sim.Twin{Replica: id, Peers: d.some(p.Replicas)})
		case d.one(5):
			d.badDisk(p, id)
		case d.one(3):
			d.forgets(p, id)
		case d.one(6): // what a replica that comes back meets
			d.malice(p, id, d.choice(pick(d, "outrun", "poison-transfer", "old-view-change"), p, id))
		case d.one(4): // what hides in small differences is looked for most
			d.malice(p, id, d.choice("mutate", p, id))
		default:
			all := byzantine.Catalogue()
			d.malice(p, id, d.choice(all[d.IntN(len(all))].Name, p, id))
		}
	}
}

func (d drawing) malice(p *sim.Plan, id pbft.ReplicaID, behaviour string) {
	m := sim.Malice{Replica: id, Behaviour: behaviour}
	if d.one(3) {
		m.From, m.Until = d.span(p)
	}
	p.Malicious = append(p.Malicious, m)
}

func (d drawing) badDisk(p *sim.Plan, id pbft.ReplicaID) {
	f := sim.Fault{
		Do:      pick(d, sim.TornTail, sim.LyingSync, sim.IOError, sim.DiskFull),
		Replica: id, Calls: 1 + d.IntN(50), Loss: pick(d, disk.Losses()...),
	}
	f.At, f.Until = d.span(p)
	p.Damaged = append(p.Damaged, id)
	p.Faults = append(p.Faults, f)
}

// forgets draws a way in which a replica loses what it signed, or its state (D8). It must come back.
func (d drawing) forgets(p *sim.Plan, id pbft.ReplicaID) {
	f := sim.Fault{
		Do:      pick(d, sim.Wiped, sim.Wiped, sim.WipedAgain, sim.BitRot, sim.RolledBack, sim.Unmounted, sim.StateLost),
		Replica: id, Loss: pick(d, disk.Losses()...),
	}
	f.At, f.Until = d.span(p)
	if f.Do == sim.Unmounted && d.one(2) {
		f.Calls = 1 + d.IntN(3000)
	}
	p.Forgetful = append(p.Forgetful, id)
	p.Faults = append(p.Faults, f)
}

func (d drawing) colluding(ids []pbft.ReplicaID) string {
	return fmt.Sprintf("collude,with=%s,from_seq=%d", joined(ids), 1+d.IntN(20))
}

func joined(ids []pbft.ReplicaID) string {
	var words []string
	for _, id := range ids {
		words = append(words, fmt.Sprint(id))
	}
	return strings.Join(words, "+")
}

// choice draws the parameters of a behaviour; about half of them keep their defaults.
func (d drawing) choice(name string, p *sim.Plan, id pbft.ReplicaID) string {
	for _, b := range byzantine.Catalogue() {
		if b.Name == name {
			return d.filled(name, b.Parameters, p, id)
		}
	}
	return name
}

func (d drawing) filled(name string, parameters []byzantine.Parameter, p *sim.Plan, id pbft.ReplicaID) string {
	text := name
	for _, parameter := range parameters {
		if parameter.Name != "with" && d.one(2) {
			continue
		}
		if v := d.value(name, parameter.Name, p, id); v != "" {
			text += "," + parameter.Name + "=" + v
		}
	}
	return text
}

// value draws one for a parameter; "" is its default.
func (d drawing) value(behaviour, parameter string, p *sim.Plan, id pbft.ReplicaID) string {
	switch parameter {
	case "seed":
		return fmt.Sprint(d.IntN(1000))
	case "from_seq":
		return fmt.Sprint(1 + d.IntN(30))
	case "probability":
		return fmt.Sprintf("%.2f", 0.02+0.6*d.Float64())
	case "types":
		return d.words(2, "pre-prepare", "prepare", "commit", "checkpoint", "suspect", "view-change", "new-view", "status", "reply",
			"body", "certified-body", "fetch", "request")
	case "target", "of":
		return fmt.Sprint(d.IntN(p.Replicas))
	case "to", "peers", "first", "second":
		if behaviour == "partial-client" && d.one(2) {
			return "one"
		}
		return joined(d.some(p.Replicas))
	case "with":
		return fmt.Sprint(id)
	}
	if words := settings[behaviour+" "+parameter]; len(words) > 0 {
		return pick(d, words...)
	}
	return pick(d, append(settings[parameter], "")...)
}

// words draws some, joined as a list of a parameter; none is the default.
func (d drawing) words(most int, from ...string) string {
	var some []string
	for _, i := range d.Perm(len(from))[:1+d.IntN(most)] {
		if _, is := pbft.ParseType(from[i]); is {
			some = append(some, from[i])
		}
	}
	return strings.Join(some, "+")
}

// settings are what a parameter may be set to, by its name, or by its behaviour's and its own.
var settings = map[string][]string{
	"bad-new-view how":          {"wrong-o", "duplicate", "foreign", "two", "none"},
	"forged-certificates how":   {"repeated", "mixed", "old-view"},
	"lying-checkpoint how":      {"wrong", "two", "far"},
	"lying-reply how":           {"result", "t", "view"},
	"lying-status how":          {"lacks", "ahead"},
	"lying-view-change how":     {"mixed", "empty", "stale"},
	"sequence-abuse how":        {"gap", "high", "above", "max", "twice", "invented"},
	"corrupt what":              {"signature", "digest", "reply"},
	"equivocate phase":          {"pre-prepare", "prepare", "commit"},
	"outrun how":                {"nulls", "withhold"},
	"outrun for":                {"1T", "4T", "8T", "0"},
	"poison-transfer how":       {"bad", "endless", "old", "stall", "other", "forged"},
	"mutate kinds":              {"view", "seq", "digest", "phase", "entry", "target", "view+seq", "seq+digest", "phase+view", "entry+view"},
	"clock-skew by":             {"1h", "-1h", "900ms", "-1500ms", "3s"},
	"clock-skew every":          {"0.5T", "2T"},
	"censor client":             {"first", "c0"},
	"client-flood valid":        {"10", "50", "100"},
	"client-flood invalid":      {"0", "50", "200"},
	"client-flood bytes":        {"0", "2000"},
	"malformed kinds":           {"entries", "nesting", "truncated", "trailing", "flipped", "noise", "extreme"},
	"malformed bytes":           {"256", "4096"},
	"malformed every":           {""}, // a number for replicas, a time for clients
	"absurd-sessions numbers":   {"highest", "rising", "falling", "mixed"},
	"client-equivocation split": {"halves", "primary", "each"},
	"partial-client signature":  {"good", "bad"},
	"delay":                     {"0.1T", "0.5T", "0.9T", "1.5T", "4T"},
	"every":                     {"0.1T", "0.3T", "1T"},
	"provoke":                   {"yes", "no"},
	"rate":                      {"1", "3", "8"},
	"views":                     {"2", "10", "1000"},
	"per_batch":                 {"1", "8"},
	"repeat":                    {"0.2T", "2T"},
}

// rogues are malicious clients: none most of the time, and never at rates that leave the others no processor.
func (d drawing) rogues(p *sim.Plan) {
	if !d.one(4) {
		return
	}
	all := byzantine.ClientBehaviours()
	b := all[d.IntN(len(all))]
	r := sim.Rogue{Behaviour: d.filled(b.Name, b.Parameters, p, 0)}
	if b.Name == "client-flood" {
		r.Behaviour = fmt.Sprintf("client-flood,valid=%s,invalid=%s", d.value(b.Name, "valid", p, 0), d.value(b.Name, "invalid", p, 0))
	}
	r.From, r.Until = d.span(p)
	p.Rogues = append(p.Rogues, r)
}
