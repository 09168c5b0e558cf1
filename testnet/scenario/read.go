package scenario

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"tagma/internal/cluster"
	"tagma/internal/machines"
	"tagma/pbft/wire"
)

// maxFileBytes bounds what Read reads.
const maxFileBytes = 1 << 20

// Read reads and checks the file of a scenario. A file that is refused yields an *Error.
func Read(path string) (*Scenario, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer r.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(text) > maxFileBytes {
		return nil, &Error{File: path, Problem: fmt.Sprintf("has more than %d bytes; is it a scenario?", maxFileBytes)}
	}
	return Parse(path, text)
}

// unreadable says what to name instead of a file that cannot be read.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{File: path, Problem: "there is no such file; name a scenario, such as scenarios/equivocate.toml"}
	case errors.Is(err, syscall.EISDIR):
		return &Error{File: path, Problem: "this is a directory; name the files in it, such as " + filepath.Join(path, "*.toml")}
	}
	return fmt.Errorf("read a scenario: %w", err)
}

// ReadAll reads several files, no two of which may have one name: reports would not tell them apart.
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
			return nil, &Error{File: path, Line: s.nameLine, Problem: fmt.Sprintf(
				"name = %q is the name of %s too; give each scenario one of its own", s.Name, other)}
		}
		first[s.Name] = path
		all = append(all, s)
	}
	return all, nil
}

// Parse reads and checks the text of a scenario; file is what errors call it. Of several things that are wrong the error,
// an *Error, names the one that comes first in the text.
func Parse(file string, text []byte) (*Scenario, error) {
	d, tree, err := open(file, text)
	if err != nil {
		return nil, err
	}
	s := &Scenario{File: file, nameLine: d.lines["name"]}
	s.read(&table{document: d, values: tree})
	if len(d.wrong) == 0 {
		s.check(d)
	}
	if wrong := d.first(); wrong != nil {
		return nil, wrong
	}
	return s, nil
}

// Limits of what a scenario may ask for.
const (
	maxClients    = 1000
	maxOperations = 10_000_000
	maxValueBytes = 1 << 20
	maxRate       = 1e6
	maxRepeats    = 1000
)

// read takes the whole file.
func (s *Scenario) read(t *table) {
	s.Name, s.About = t.text("name"), t.text("about")
	if s.Name == "" {
		t.refuse(s.nameLine, "name is missing; say in a few words what the scenario shows")
	}
	s.Replicas = t.count("replicas", 4, -1<<31, 1<<31)
	if s.Replicas < 4 || s.Replicas > wire.MaxMembers {
		t.refuse(t.line("replicas"), "replicas = %d; a cluster that masks a fault has 4 to %d", s.Replicas, wire.MaxMembers)
		s.Replicas = 4
	}
	s.Machine = t.oneOf("machine", machines.KV, machines.Names()...)
	s.Seed = uint64(t.count("seed", 1, 0, 1<<62))
	s.Absent, _ = t.replicas("absent", s.Replicas)
	s.readSettings(t)
	t.t = s.ViewTimeout() // what is read from here on may count in it
	s.readWorkload(t)
	network, _ := t.below("network")
	s.Network = network.link(s.Network)
	network.done()
	s.readMalicious(t)
	for _, e := range t.tables("event") {
		s.readEvent(e)
	}
	for _, r := range t.tables("rule") {
		s.readRule(r)
	}
	for _, r := range t.tables("script") {
		s.readScript(r)
	}
	s.readExpect(t)
	t.done()
}

// readSettings takes any protocol parameter of cluster.toml.
func (s *Scenario) readSettings(t *table) {
	in, given := t.below("settings")
	if !given {
		return
	}
	s.Settings = in.protocol()
	if in.yes("fast_reads") {
		in.refuse(in.line("fast_reads"), "fast_reads = true: there are no fast reads; leave it out")
	}
	in.done()
	var refused *cluster.Error
	if err := s.Settings.Check(s.Replicas); errors.As(err, &refused) {
		in.refuse(in.line(refused.Key), "settings.%s: %s", refused.Key, refused.Problem)
	}
}

func (s *Scenario) readWorkload(t *table) {
	in, given := t.below("workload")
	w := &s.Workload
	w.Kind = in.oneOf("kind", KindPut, KindPut, KindMixed, KindRegister, KindBank, KindNone)
	w.Clients = in.count("clients", 8, 1, maxClients)
	w.Operations = in.count("operations", 0, 1, maxOperations)
	w.Duration = in.since("duration", 0)
	w.ValueBytes = in.count("value_bytes", 100, 1, maxValueBytes)
	w.Rate = in.number("rate", 0, maxRate)
	w.Baseline = in.yes("baseline")
	in.done()
	if !given {
		w.Kind = KindNone
	}
	s.checkWorkload(in)
}

// checkWorkload refuses what contradicts itself.
func (s *Scenario) checkWorkload(in *table) {
	w := &s.Workload
	switch {
	case w.Kind == KindNone && (in.has("operations") || in.has("rate") || w.Baseline):
		in.refuse(in.line("kind"), `kind = "none" makes no operations; leave out operations, rate and baseline, or choose another kind`)
	case w.Kind == KindNone:
	case in.has("operations") && in.has("duration"):
		in.refuse(in.line("duration"), "operations and duration are both given; a workload ends with the one or the other")
	case !in.has("operations") && w.Duration == 0:
		in.refuse(in.at(), "the workload has no end; write operations = 1000 or duration = \"5s\"")
	case w.Kind == KindBank && s.Machine != machines.Bank:
		in.refuse(in.line("kind"), `kind = "bank" needs machine = "bank"`)
	case w.Kind != KindBank && s.Machine == machines.Bank:
		in.refuse(in.line("kind"), `kind = %q needs machine = "kv"; write kind = "bank"`, w.Kind)
	}
	if p := s.Settings.WithDefaults(); w.ValueBytes+64 > p.MaxOpBytes {
		in.refuse(in.line("value_bytes"), "value_bytes = %d does not fit settings.max_op_bytes = %d with its key", w.ValueBytes, p.MaxOpBytes)
	}
}
