package rescue

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"tagma/checkpoint/backup"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/replica"
	"tagma/internal/terminal"
	"tagma/pbft/wire"
)

// Chain is a list of backups that add to each other, a whole one first. The last one is the wanted one.
type Chain struct {
	Paths []string
	Heads []backup.Head
	bytes int64
}

// Last is the head of the wanted backup.
func (c *Chain) Last() *backup.Head { return &c.Heads[len(c.Heads)-1] }

// Find reads the heads of a backup and of those that it adds to. It expects these beside the backup, under the names in
// the heads, unless other paths are given, newest first.
func Find(path string, others ...string) (*Chain, error) {
	c := &Chain{}
	for {
		head, size, err := readHead(path)
		if err != nil {
			return nil, err
		}
		if n := len(c.Heads); n > 0 {
			if err := c.Heads[n-1].Follows(head.Seq, head.Root); err != nil {
				return nil, fmt.Errorf("%s: %s is not the backup that it adds to: that is of the state after %d", c.Paths[n-1], path,
					c.Heads[n-1].Since)
			}
		}
		c.Paths, c.Heads, c.bytes = append(c.Paths, path), append(c.Heads, head), c.bytes+size
		switch {
		case head.Whole():
			slices.Reverse(c.Paths)
			slices.Reverse(c.Heads)
			return c, nil
		case len(others) > 0:
			path, others = others[0], others[1:]
		default:
			next := filepath.Join(filepath.Dir(path), filepath.Base(head.Before))
			if _, err := os.Stat(next); errors.Is(err, os.ErrNotExist) {
				return nil, fmt.Errorf("%s adds to the backup %s, which is not beside it: put it there, or name it with --since", path, head.Before)
			}
			path = next
		}
	}
}

func readHead(path string) (backup.Head, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return backup.Head{}, 0, err
	}
	defer func() { _ = file.Close() }() // the file was only read
	info, err := file.Stat()
	if err != nil {
		return backup.Head{}, 0, err
	}
	if info.IsDir() {
		return backup.Head{}, 0, fmt.Errorf("%s is a directory; name the file of a backup", path)
	}
	r, err := backup.NewReader(file)
	if err != nil {
		return backup.Head{}, 0, fmt.Errorf("%s: %w", path, err)
	}
	return r.Head, info.Size(), nil
}

// Report describes a verified backup. Its JSON is what `tagma verify --json` prints.
type Report struct {
	Kind    string      `json:"kind"`
	Files   []string    `json:"files"` // of the chain, the whole backup first
	Cluster cluster.Key `json:"cluster"`
	Machine string      `json:"machine"`
	Seq     uint64      `json:"seq"`
	Root    cluster.Key `json:"root"`
	Keys    int         `json:"keys"`
	Records []int       `json:"records"` // number of records, by file
	Signers []int       `json:"signers"` // replicas that signed the root; none for the cluster's origin
	Origin  bool        `json:"origin"`  // the state is the cluster's origin
}

// Print writes for people what was verified.
func (r *Report) Print(w io.Writer) error {
	last := len(r.Files) - 1
	text := fmt.Sprintf("%s holds: a backup of the state after %d, %s, %s\n", r.Files[last], r.Seq, terminal.Count(r.Keys, "key"),
		vouchedBy(r.Signers))
	for i, path := range r.Files[:last] {
		text += fmt.Sprintf("with %s, %s\n", path, terminal.Count(r.Records[i], "record"))
	}
	_, err := fmt.Fprintf(w, "%sroot %s\n", text, r.Root)
	return err
}

// vouchedBy returns a text that says which replicas signed a state.
func vouchedBy(signers []int) string {
	if len(signers) == 0 {
		return "the state that the cluster began with"
	}
	return "signed by replicas " + terminal.Numbers(signers)
}

// Judge returns a function that checks a backup's head: that the backup is of this cluster, and that a quorum of the
// cluster's members signed the root.
func Judge(file *cluster.File) (func(*backup.Head) (wire.StableCert, error), error) {
	cfg, err := file.Config(0)
	if err != nil {
		return nil, err
	}
	holds := replica.Holds(crypto.NewVerifier(0, nil))
	return func(h *backup.Head) (cert wire.StableCert, err error) {
		if h.Cluster != cfg.Cluster || h.Epoch != cfg.Epoch {
			return cert, fmt.Errorf("it is of the cluster %x, and the cluster file is of %x: give the file of its cluster with --cluster",
				h.Cluster[:8], cfg.Cluster[:8])
		}
		if h.Machine != file.Machine {
			return cert, fmt.Errorf("it is a state of the machine %q, and the cluster runs %q", h.Machine, file.Machine)
		}
		if cert, err = wire.ReadProof(&cfg, h.Proof, holds); err != nil {
			return cert, err
		}
		if uint64(cert.Seq) != h.Seq || cert.Digest != h.Root {
			return cert, errors.New("its certificate is of another state")
		}
		return cert, nil
	}, nil
}

// Verify checks a chain against the cluster's keys: checksums, certificates, and the root over all entries. It needs
// nothing else. Progress, if not nil, is called with the share that was read.
func Verify(c *Chain, file *cluster.File, progress func(share float64)) (*Report, error) {
	judge, err := Judge(file)
	if err != nil {
		return nil, err
	}
	last := c.Last()
	out := &Report{
		Kind: "backup", Files: c.Paths, Cluster: last.Cluster, Machine: last.Machine, Seq: last.Seq, Root: last.Root, Signers: []int{},
	}
	chain, meter := backup.NewChain(), &meter{of: c.bytes, tell: progress}
	for i, path := range c.Paths {
		err := read(path, meter, func(r *backup.Reader) error {
			cert, err := judge(&r.Head)
			if err != nil {
				return err
			}
			if i == len(c.Paths)-1 {
				for _, e := range cert.Checkpoints {
					out.Signers = append(out.Signers, int(e.Replica))
				}
			}
			err = chain.Add(r)
			out.Records = append(out.Records, r.Count())
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	out.Keys, out.Origin = chain.Keys(), len(out.Signers) == 0
	return out, nil
}

// read opens a backup and calls use; errors name the file.
func read(path string, m *meter, use func(*backup.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // the file was only read
	m.file = file
	r, err := backup.NewReader(m)
	if err == nil {
		err = use(r)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// meter reports how much of a chain's files was read.
type meter struct {
	file     io.Reader
	done, of int64
	tell     func(float64)
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.file.Read(p)
	m.done += int64(n)
	if m.tell != nil && m.of > 0 {
		m.tell(min(float64(m.done)/float64(m.of), 1))
	}
	return n, err
}
