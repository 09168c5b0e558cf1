package inspect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/replica"
	"tagma/internal/terminal"
	"tagma/pbft/wire"
)

// evidenceAt finds the directory of evidence: that of a home, or path itself if the files are there.
func evidenceAt(path string) (string, error) {
	if files, _ := filepath.Glob(filepath.Join(path, "replica*-*")); len(files) > 0 {
		return path, nil
	}
	return dataPath(path, node.EvidenceDir)
}

// Check is what is needed to verify evidence: only the keys of a cluster.
type Check struct {
	cfg   wire.Config
	holds func([]wire.Claim) bool
}

// CheckWith makes a Check with the keys in a cluster file.
func CheckWith(file *cluster.File) (*Check, error) {
	cfg, err := file.Config(0)
	if err != nil {
		return nil, command.NotUsable(err)
	}
	return &Check{cfg, replica.Holds(crypto.NewVerifier(0, nil))}, nil
}

// NewCheck makes a Check with the keys in a cluster file; "" stands for the file that a home names.
func NewCheck(home, clusterFile string) (*Check, error) {
	var file *cluster.File
	if clusterFile == "" {
		h, err := node.ReadHome(home)
		if err != nil {
			return nil, command.NotUsable(fmt.Errorf("find the cluster's keys (or name them with --cluster FILE): %w", err))
		}
		file = h.Cluster
	} else {
		var err error
		if file, err = cluster.Load(clusterFile); err != nil {
			return nil, command.NotUsable(err)
		}
	}
	return CheckWith(file)
}

// Evidence is what a replica stores about others' misbehaviour and about its own wrong states. Its JSON is what `tagma
// evidence --json` prints.
type Evidence struct {
	Dir   string  `json:"dir"`
	Found []Proof `json:"evidence"`
}

// Proof is one file of evidence.
type Proof struct {
	File     string `json:"file"`
	Replica  int    `json:"replica"` // the accused replica
	Kind     string `json:"kind,omitempty"`
	About    string `json:"about,omitempty"`
	Verified bool   `json:"verified"` // also false if it was not checked
	Error    string `json:"error,omitempty"`
	// For a state that was wrong and was repaired: how many keys of the store differed, and the first of them.
	Differing int      `json:"differing,omitempty"`
	Keys      [][]byte `json:"keys_base64,omitempty"`
}

// ReadEvidence lists the evidence of a home, or of a copy of its directory, and checks it unless check is nil. It
// returns an error only if the path cannot be read. What is wrong with a file is in its Proof.
func ReadEvidence(path string, check *Check) (*Evidence, error) {
	dir, err := evidenceAt(path)
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list the evidence: %w", err)
	}
	e := &Evidence{Dir: dir, Found: []Proof{}}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), node.UnfinishedSuffix) {
			e.Found = append(e.Found, readProof(filepath.Join(dir, f.Name()), check))
		}
	}
	wrong, err := readDivergences(filepath.Join(filepath.Dir(dir), node.DivergedDir), check)
	e.Found = append(e.Found, wrong...)
	return e, err
}

// Single is a single file of evidence. Its JSON is what `tagma verify --json` prints for it.
type Single struct {
	Kind  string `json:"kind"` // always "evidence", which distinguishes it from other files that can be verified
	Proof Proof  `json:"proof"`
}

// ReadSingle reads and checks one file of evidence. It returns nil if the file is not evidence.
func ReadSingle(path string, check *Check) *Single {
	p := readProof(path, check)
	if p.Replica < 0 {
		p = readDivergence(path, check)
	}
	if p.Replica < 0 {
		return nil
	}
	p.File = path
	return &Single{"evidence", p}
}

// Print writes what is proven, for people. Err must be nil.
func (s *Single) Print(w io.Writer) error {
	return terminal.Say(w, "%s holds: proof against replica %d, %s: %s\n", terminal.Printable(s.Proof.File), s.Proof.Replica,
		s.Proof.Kind, s.Proof.About)
}

// Err returns why the file proves nothing, or nil if it proves what it claims.
func (s *Single) Err() error {
	if s.Proof.Error == "" {
		return nil
	}
	return fmt.Errorf("%s is evidence against replica %d and proves nothing: %s", terminal.Printable(s.Proof.File), s.Proof.Replica,
		terminal.Printable(command.OneLine(s.Proof.Error)))
}

// Diverged is the kind of evidence that a replica keeps about its own wrong state.
const Diverged = "diverged"

// readDivergences reads what a replica stored about its own wrong states.
func readDivergences(dir string, check *Check) (found []Proof, err error) {
	files, err := node.DivergenceFiles(dir)
	for _, path := range files {
		found = append(found, readDivergence(path, check))
	}
	return found, err
}

func readDivergence(path string, check *Check) Proof {
	entry := Proof{File: filepath.Base(path), Replica: -1, Kind: Diverged}
	d, err := node.ReadDivergence(path)
	if err == nil && len(d.Certificate) == 0 {
		err = errors.New("it has no certificate")
	}
	if err == nil {
		entry.Replica, entry.Differing, entry.Keys = d.Replica, d.Differing, d.Keys
		entry.About = aboutState(d)
		if check != nil {
			err = d.Verify(&check.cfg, check.holds)
			entry.Verified = err == nil
		}
	}
	if err != nil {
		entry.Error = err.Error()
	}
	return entry
}

func readProof(path string, check *Check) Proof {
	entry := Proof{File: filepath.Base(path), Replica: -1}
	data, err := readAtMost(path, wire.MaxEvidence)
	if err != nil {
		entry.Error = err.Error()
		return entry
	}
	e, err := wire.DecodeEvidence(data)
	if err != nil {
		entry.Error = err.Error()
		return entry
	}
	entry.Replica, entry.Kind = int(e.Replica), string(e.Kind)
	entry.About = e.About()
	if check != nil {
		if err := e.Verify(&check.cfg, check.holds); err != nil {
			entry.Error = err.Error()
		} else {
			entry.Verified = true
		}
	}
	return entry
}

// readAtMost reads a file, but not more bytes than a valid file can have.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	return data, errors.Join(err, f.Close())
}

// aboutState says in a few words what was wrong with a state.
func aboutState(d *node.Divergence) string {
	text := fmt.Sprintf("own state after %d: %.12s and not %.12s", d.Checkpoint, terminal.Printable(d.Own), terminal.Printable(d.Stable))
	if d.RepairedAt == 0 {
		return text + "; not repaired yet"
	}
	text += fmt.Sprintf("; repaired at %d, %s differed:", d.RepairedAt, terminal.Count(d.Differing, "key"))
	for _, key := range d.Keys {
		text += fmt.Sprintf(" %.40q", key)
	}
	return text
}

// Print writes one line for each file, for people.
func (e *Evidence) Print(w io.Writer) error {
	if len(e.Found) == 0 {
		return terminal.Say(w, "no evidence in %s\n", e.Dir)
	}
	table := [][]string{{"REPLICA", "KIND", "ABOUT", "VERIFIED", "FILE"}}
	for _, p := range e.Found {
		replica, verdict := fmt.Sprint(p.Replica), "not checked"
		switch {
		case p.Error != "":
			verdict = "no: " + terminal.Printable(command.OneLine(p.Error))
		case p.Verified:
			verdict = "yes"
		}
		if p.Replica < 0 {
			replica = "-"
		}
		table = append(table, []string{replica, p.Kind, p.About, verdict, terminal.Printable(p.File)})
	}
	return terminal.Table(w, table)
}

// Err returns which files prove nothing, or nil if there are none.
func (e *Evidence) Err() error {
	bad, first := 0, ""
	for _, p := range e.Found {
		if p.Error == "" {
			continue
		}
		if bad++; first == "" {
			first = terminal.Printable(p.File) + ": " + terminal.Printable(command.OneLine(p.Error))
		}
	}
	if bad == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d files of evidence prove nothing (%s)", bad, len(e.Found), first)
}
