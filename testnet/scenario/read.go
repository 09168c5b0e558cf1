package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"tagma/internal/cluster"
	"tagma/internal/machines"
	"tagma/internal/strict"
)

// Error says why a scenario is refused: where, what is wrong, and how to correct it.
type Error = strict.Error

// maxFileBytes bounds what Read reads.
const maxFileBytes = 1 << 20

// Read reads and checks the file of a scenario. A file that is refused yields an *Error.
func Read(path string) (*Scenario, error) {
	text, err := strict.ReadFile(path, maxFileBytes)
	var refused *Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{File: path, Problem: "there is no such file; name a scenario, such as scenarios/equivocate.toml"}
	case errors.As(err, &refused):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("read a scenario: %w", err)
	}
	return Parse(path, text)
}

// ReadAll reads several files. No two of them may have the same name, because reports would not distinguish them.
func ReadAll(paths []string) ([]*Scenario, error) {
	var all []*Scenario
	first := map[string]string{}
	for _, path := range paths {
		s, err := Read(path)
		if err != nil {
			return nil, err
		}
		other, taken := first[s.Name]
		if taken && filepath.Clean(other) == filepath.Clean(path) {
			return nil, &Error{File: path, Problem: "the file is given twice; give it once"}
		}
		if taken {
			return nil, &Error{File: path, Line: s.nameLine, Key: "name", Problem: fmt.Sprintf(
				"%q is the name of %s too; give each scenario one of its own", s.Name, other)}
		}
		first[s.Name] = path
		all = append(all, s)
	}
	return all, nil
}

// Parse reads and checks the text of a scenario; file is what errors call it. Of several things that are wrong the error,
// an *Error, names the one that comes first in the text.
func Parse(file string, text []byte) (*Scenario, error) {
	d, err := strict.Parse(file, text)
	if err != nil {
		return nil, err
	}
	s := blank(file)
	s.nameLine = d.Line("name")
	if d.Has("cluster") {
		s.parseClusters(d)
	} else {
		s.parseOne(d)
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// blank is a scenario with the defaults of everything that a file need not say.
func blank(file string) *Scenario {
	return &Scenario{
		File: file, Replicas: 4, Machine: machines.KV, Model: cluster.Byzantine.String(), Seed: 1,
		Workload: Workload{Kind: KindNone, Clients: 8, ValueBytes: 100},
		Expect:   Expect{Safe: new(true)},
	}
}

// parseOne reads a scenario of one cluster.
func (s *Scenario) parseOne(d *strict.Document) {
	if d.Has("workload") {
		s.Workload.Kind = KindPut
	}
	whole := document{Scenario: s}
	s.types(d, &whole.Settings.Protocol)
	d.Into(&whole)
	s.take(&d.Table, &whole)
	if d.Err() == nil {
		s.check(d, &d.Table)
	}
}

// document is the whole file. It is read in this order: settings are first, because times may be multiples of the view
// timeout; tables that depend on the head of the file are last.
type document struct {
	Settings struct {
		cluster.Protocol
		FastReads bool `toml:"fast_reads"`
	} `toml:"settings"`
	*Scenario
	Malicious []*strict.Table `toml:"malicious"`
	Events    []*strict.Table `toml:"event"`
	Blocks    []*strict.Table `toml:"block"`
	Rules     []*strict.Table `toml:"rule"`
	Scripts   []*strict.Table `toml:"script"`
	Requests  []*strict.Table `toml:"request"`
}

// take makes the scenario of what the file says.
func (s *Scenario) take(d *strict.Table, whole *document) {
	if s.Name == "" {
		d.Refuse("name", "is missing; say in a few words what the scenario shows")
	}
	d.Word("machine", s.Machine, machines.Shipped.Names()...)
	d.Word("fault_model", s.Model, cluster.Byzantine.String(), cluster.CrashOnly.String())
	s.Settings = whole.Settings.Protocol
	s.Settings.FaultModel, _ = cluster.ParseFaultModel(s.Model) // another word is refused above
	settings := d.Below("settings")
	if whole.Settings.FastReads {
		settings.Refuse("fast_reads", "there are no fast reads; leave it out")
	}
	var refused *cluster.Error
	if err := s.Settings.FaultModel.CheckReplicas(s.Replicas); err != nil {
		d.Refuse("replicas", "%v", err)
	} else if err := s.Settings.Check(s.Replicas); errors.As(err, &refused) {
		settings.Refuse(refused.Key, "%s", refused.Problem)
	}
	s.takeWorkload(d.Below("workload"))
	for _, t := range whole.Malicious {
		s.takeAttacker(t)
	}
	for _, t := range whole.Events {
		s.takeEvent(t)
	}
	for _, t := range whole.Blocks {
		s.takeBlock(t)
	}
	s.Reseed(s.Seed)
	for _, t := range whole.Rules {
		s.takeRule(t)
	}
	for _, t := range whole.Scripts {
		s.takeScript(t)
	}
	for _, t := range whole.Requests {
		s.takeRequest(t)
	}
}

// takeWorkload refuses a workload that contradicts itself.
func (s *Scenario) takeWorkload(t *strict.Table) {
	w := &s.Workload
	if !t.Word("kind", w.Kind, KindPut, KindMixed, KindRegister, KindBank, KindNone) {
		return
	}
	switch {
	case w.Kind == KindNone && (t.Has("operations") || t.Has("rate") || w.Baseline):
		t.Refuse("kind", `"none" makes no operations; leave out operations, rate and baseline, or choose another kind`)
	case w.Kind == KindNone:
	case t.Has("operations") && t.Has("duration"):
		t.Refuse("duration", "operations are given too; a workload ends with the one or the other")
	case !t.Has("operations") && w.Duration == 0:
		t.Refuse("", "it has no end; write operations = 1000 or duration = \"5s\"")
	case w.Keys > 0 && w.Kind != KindPut:
		t.Refuse("keys", `%q has keys of its own; leave them out, or write kind = "put"`, w.Kind)
	case w.Kind == KindBank && s.Machine != machines.Bank:
		t.Refuse("kind", `"bank" needs machine = "bank"`)
	case w.Kind != KindBank && s.Machine == machines.Bank:
		t.Refuse("kind", `%q needs machine = "kv"; write kind = "bank"`, w.Kind)
	}
	if p := s.Settings.WithDefaults(); w.ValueBytes+64 > p.MaxOpBytes {
		t.Refuse("value_bytes", "%d do not fit settings.max_op_bytes = %d with their key", w.ValueBytes, p.MaxOpBytes)
	}
}
