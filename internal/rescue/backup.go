package rescue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"tagma/checkpoint/store"
	"tagma/client"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/reach"
	"tagma/internal/replica"
	"tagma/internal/terminal"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Backup describes a backup to be taken of a running cluster, or of the disk of a replica that is not running.
type Backup struct {
	File  *cluster.File
	Key   *crypto.PrivateKey // of a client that may take backups; not needed for a disk
	Disk  *Disk              // nil: the state comes from the running cluster
	Since *Chain             // the backups to which this one adds; nil: a whole backup
	Out   string             // the file to write, which must not exist

	// Progress is called with the present step, the share of it that is done, and a text with details. It may be nil.
	Progress func(what string, share float64, text string)
}

// Liar is a replica whose answers were not part of the certified state.
type Liar struct {
	Replica int    `json:"replica"`
	Why     string `json:"why"`
}

// Made describes a backup that was taken and verified. Its JSON is what `tagma backup --json` prints.
type Made struct {
	File    string      `json:"file"`
	Seq     uint64      `json:"seq"`
	Root    cluster.Key `json:"root"`
	Since   uint64      `json:"since,omitempty"`
	Keys    int         `json:"keys"`
	Records int         `json:"records"`
	Bytes   int64       `json:"bytes"`
	Signers []int       `json:"signers"`
	Liars   []Liar      `json:"liars"`
	// For a backup of a disk, JournalReach is the highest sequence number about which the journal says anything.
	JournalReach uint64 `json:"journal_reach,omitempty"`
}

// Take takes the backup, reads it again and verifies it. It removes its temporary files.
func (b *Backup) Take(ctx context.Context) (_ *Made, err error) {
	if b.Progress == nil {
		b.Progress = func(string, float64, string) {}
	}
	dir, err := os.MkdirTemp(filepath.Dir(b.Out), ".tagma-backup-*") // on the same file system as the backup
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	judge, err := OfCluster(b.File)
	if err != nil {
		return nil, err
	}
	st, err := Unpack(b.Since, filepath.Join(dir, "fetched"), judge, b.sharing("reading the earlier backup"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	var before statemachine.StorageView
	if b.Since != nil {
		if before, err = st.View(b.Since.Last().Seq); err != nil {
			return nil, err
		}
		defer before.Close()
	}
	if b.Disk != nil {
		b.Disk.Scratch = filepath.Join(dir, "disk")
		return b.read(before)
	}
	return b.fetch(ctx, st, before)
}

// sharing returns a Progress for work of which only the share is known.
func (b *Backup) sharing(what string) func(float64) {
	return func(share float64) { b.Progress(what, share, terminal.Percent(share)) }
}

// read takes the state from a disk.
func (b *Backup) read(before statemachine.StorageView) (_ *Made, err error) {
	b.Progress("reading the disk", 0, b.Disk.State)
	still, err := b.Disk.Read()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, still.Store.Close()) }()
	if seq := uint64(still.Cert.Seq); b.Since != nil && b.Since.Last().Seq >= seq {
		return nil, fmt.Errorf("the newest checkpoint on this disk is %d, and the backup that it was to add to is of %d already: take"+
			" another replica's disk", seq, b.Since.Last().Seq)
	}
	made, err := b.save(still.Store, still.Cert, before)
	if err == nil {
		made.JournalReach = still.Reach
	}
	return made, err
}

// fetch takes the state from replicas.
func (b *Backup) fetch(ctx context.Context, st *store.Store, before statemachine.StorageView) (*Made, error) {
	least, err := b.reach(ctx)
	if err != nil {
		return nil, err
	}
	liars := []Liar{}
	cert, err := Take(ctx, Taking{
		File: b.File, Key: b.Key, Store: st, Least: least,
		Progress: func(p replica.Progress) {
			b.Progress("fetching", p.Share, terminal.Percent(p.Share)+", "+terminal.Bytes(int64(p.Bytes)))
		},
		Liar: func(replica int, why error) { liars = append(liars, Liar{replica, terminal.Printable(why.Error())}) },
	})
	if err != nil {
		return nil, err
	}
	made, err := b.save(st, cert, before)
	if err == nil {
		made.Liars = liars
	}
	return made, err
}

// reach makes the cluster take a checkpoint that includes everything acknowledged so far, by sending ordered reads. It
// returns the lowest sequence number that the checkpoint may have.
func (b *Backup) reach(ctx context.Context) (least uint64, err error) {
	c, err := reach.Dial(ctx, b.File, b.Key)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	cfg, err := b.File.Config(0)
	if err != nil {
		return 0, err
	}
	interval, target := uint64(cfg.CheckpointInterval), uint64(1)
	for at := uint64(0); at < target; {
		r, err := c.Do(ctx, nil, client.ReadOnly())
		if err != nil {
			return 0, err
		}
		if at = r.Seq; least == 0 {
			least, target = at, (at+interval-1)/interval*interval
		}
		b.Progress("waiting for a checkpoint", float64(at%interval)/float64(interval), fmt.Sprintf("at %d of %d", at, target))
	}
	return least, nil
}

// save writes the content of a store as a backup, and verifies it as `tagma verify` does.
func (b *Backup) save(st *store.Store, cert wire.StableCert, before statemachine.StorageView) (*Made, error) {
	view, err := st.View(uint64(cert.Seq))
	if err != nil {
		return nil, err
	}
	defer view.Close()
	b.Progress("writing", 0, b.Out)
	records, err := Save(b.Out, b.File, cert, b.Since, before, view)
	if err != nil {
		return nil, err
	}
	var earlier []string
	if b.Since != nil {
		earlier = slices.Clone(b.Since.Paths)
		slices.Reverse(earlier)
	}
	chain, err := Find(b.Out, earlier...)
	if err != nil {
		return nil, err
	}
	report, err := Verify(chain, b.File, b.sharing("verifying"))
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(b.Out)
	if err != nil {
		return nil, err
	}
	return &Made{
		File: b.Out, Seq: report.Seq, Root: report.Root, Since: chain.Last().Since, Keys: report.Keys, Records: records,
		Bytes: info.Size(), Signers: report.Signers, Liars: []Liar{},
	}, nil
}

// Print writes for people what was made.
func (m *Made) Print(w io.Writer) error {
	text := fmt.Sprintf("%s: the state after %d, %s, %s, %s\n", m.File, m.Seq, terminal.Count(m.Keys, "key"), terminal.Bytes(m.Bytes),
		vouchedBy(m.Signers))
	if m.Since > 0 {
		text += fmt.Sprintf("it holds %s since %d, and needs the backups before it\n", terminal.Count(m.Records, "change"), m.Since)
	}
	if m.JournalReach > m.Seq {
		text += fmt.Sprintf("the journal on this disk goes on to %d; what was acknowledged above %d is not in the backup\n", m.JournalReach, m.Seq)
	}
	for _, l := range m.Liars {
		text += fmt.Sprintf("replica %d gave what is not the state, and was left out: %s\n", l.Replica, l.Why)
	}
	_, err := io.WriteString(w, text)
	return err
}
