package rescue

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/store"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// ErrRuns says that the replica whose disk is to be read is running.
var ErrRuns = errors.New("its node is running; leave out --home, so that the cluster gives the backup, or stop the node first")

// Disk says where the data are of a replica that is not running. They are only read, because the replica may be started
// again, and then needs the record of what it signed (D8.3).
type Disk struct {
	Cluster        *cluster.File
	Journal, State string // directories
	Scratch        string // directory for a copy of the state, which need not exist; the caller must remove it
}

// Still is a state that was found on the disk of a replica that is not running.
type Still struct {
	Store *store.Store // at the checkpoint; the caller must close it
	Cert  wire.StableCert
	// Reach is the highest sequence number about which the journal says anything. Batches above the checkpoint are not
	// in the state, even if they were acknowledged.
	Reach uint64
}

// Read finds the state after the newest stable checkpoint on the disk: the journal has a certificate in which a quorum
// of the cluster signed its root, and the entries in the store have that root. Neither the certificate nor the entries
// are enough alone.
func (d *Disk) Read() (*Still, error) {
	stores, err := d.open()
	if err != nil {
		return nil, err
	}
	log, err := d.log()
	if err != nil {
		return nil, errors.Join(err, closeAll(stores))
	}
	cfg, certs, err := d.certified(log)
	if err != nil {
		return nil, errors.Join(err, closeAll(stores))
	}
	for _, cert := range certs {
		for i, st := range stores {
			root, err := st.Load(uint64(cert.Seq))
			switch {
			case errors.Is(err, store.ErrDamaged):
			case err != nil:
				return nil, errors.Join(err, closeAll(stores))
			case wire.Digest(root) == cert.Digest:
				err := closeAll(slices.Delete(stores, i, i+1))
				return &Still{Store: st, Cert: cert, Reach: uint64(log.Reach(&cfg))}, err
			}
		}
	}
	err = fmt.Errorf("the state in %s has the root of none of the %d stable checkpoints in %s: it is damaged; take the backup from"+
		" another replica's disk", d.State, len(certs), d.Journal)
	return nil, errors.Join(err, closeAll(stores))
}

// open opens a copy of each generation of the state, because a crash may have left a second one (K2).
func (d *Disk) open() (stores []*store.Store, err error) {
	here, next, err := store.Generations(d.State)
	if err == nil && !here && !next {
		err = fmt.Errorf("there is no state in %s; is its disk mounted?", d.State)
	}
	if err != nil {
		return nil, err
	}
	to := filepath.Join(d.Scratch, "state")
	if here {
		stores, err = openCopy(stores, d.State, to)
	}
	if next && err == nil {
		stores, err = openCopy(stores, store.Next(d.State), store.Next(to))
	}
	if err != nil {
		return nil, errors.Join(err, closeAll(stores))
	}
	return stores, nil
}

// openCopy copies a store and adds it if the copy can be opened. A store that cannot be opened is reported and left out.
func openCopy(stores []*store.Store, from, to string) ([]*store.Store, error) {
	err := store.Copy(from, to)
	if errors.Is(err, store.ErrLocked) {
		return stores, ErrRuns
	}
	if err != nil {
		return stores, err
	}
	st, err := store.Open(to, store.Options{})
	switch {
	case errors.Is(err, store.ErrDamaged):
		return stores, nil
	case err != nil:
		return stores, err
	}
	return append(stores, st), nil
}

func closeAll(stores []*store.Store) (err error) {
	for _, st := range stores {
		err = errors.Join(err, st.Close())
	}
	return err
}

// log returns the content of the journal. A missing journal counts as empty: the origin of a cluster needs no
// certificate, so a disk without a journal can still give that state.
func (d *Disk) log() (log wire.Log, err error) {
	found, err := journal.Peek(d.Journal, journal.Options{})
	switch {
	case errors.Is(err, journal.ErrInUse):
		return nil, ErrRuns
	case errors.Is(err, journal.ErrEmpty):
		return nil, nil
	case err != nil:
		return nil, err
	}
	for i, e := range found {
		rec, err := wire.DecodeRecord(e.Data)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the journal in %s: %w", i, d.Journal, err)
		}
		log = append(log, rec)
	}
	return log, nil
}

// certified lists the stable checkpoints for which the journal holds a certificate, and the cluster's origin, newest
// first. Every certificate is verified, because a disk is not trusted more than a peer.
func (d *Disk) certified(log wire.Log) (cfg wire.Config, certs []wire.StableCert, err error) {
	if cfg, err = d.Cluster.Config(0); err != nil {
		return cfg, nil, err
	}
	holds := replica.Holds(crypto.NewVerifier(0, nil))
	known := map[wire.Mark]bool{}
	var refused error
	for _, cert := range log.Certificates(&cfg) {
		mark := wire.Mark{Seq: cert.Seq, Digest: cert.Digest}
		if known[mark] {
			continue
		}
		if err := cert.Verify(&cfg, holds); err != nil {
			refused = fmt.Errorf("%s: the certificate of %d does not hold in this cluster: %w", d.Journal, cert.Seq, err)
			continue
		}
		known[mark] = true
		certs = append(certs, cert)
	}
	switch {
	case len(certs) > 0:
	case refused != nil:
		return cfg, nil, refused
	case len(log) == 0:
		return cfg, nil, fmt.Errorf("there is no journal in %s, which would certify the state: %w", d.Journal, fs.ErrNotExist)
	default:
		return cfg, nil, fmt.Errorf("no checkpoint has become stable in %s: there is nothing to back up but what its batches say;"+
			" start the replicas again", d.Journal)
	}
	slices.SortStableFunc(certs, func(a, b wire.StableCert) int { return cmp.Compare(b.Seq, a.Seq) })
	return cfg, certs, nil
}
