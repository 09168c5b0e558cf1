package sim

import (
	"fmt"

	"tagma/checkpoint/store"
	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/testnet/sim/disk"
)

const journalDir = "journal"

// partSize is shorter than on a real disk, so that more values have several parts.
const partSize = 32 << 10

// drives hold what a replica has on its disks.
type drives struct {
	disk   *disk.Disk
	medium *medium
	life   string // content of the file life, which lies beside the key (D8.2)
}

func newDrives(life string) drives { return drives{disk.New(), newMedium(), life} }

// home describes a node's data to the shipped code.
func (n *node) home() *replica.Home {
	return &replica.Home{
		Config: n.cfg, Life: lifeFile{n}, FS: n.disk, Journal: journalDir, SegmentBytes: n.w.opt.SegmentBytes,
		Random: n.w.damage.Uint64, State: stateDir{n},
	}
}

// lifeFile is the file beside the key. It is on another disk than the data, so it is lost only with the key.
type lifeFile struct{ n *node }

func (f lifeFile) Read() (string, error) { return f.n.life, nil }

func (f lifeFile) Write(text string) error {
	f.n.disk.Settle() // what was synced earlier must become durable earlier
	f.n.life = text
	return nil
}

// stateDir gives the shipped code a node's medium.
type stateDir struct{ n *node }

func (d stateDir) Exists() (bool, error) { return d.n.medium.present().MaxVersion() > 0, nil }

func (d stateDir) Open() (replica.Store, error) {
	d.n.medium = d.n.medium.present()
	return d.open(d.n.medium), nil
}

func (d stateDir) open(m *medium) replica.Store {
	m.Discard(0) // a new process does not know yet which versions may be discarded
	return store.New(fmt.Sprintf("replica %d", d.n.id), m, partSize)
}

func (d stateDir) OpenNext() (replica.Store, error) {
	if d.n.medium = d.n.medium.present(); d.n.medium.next == nil {
		return nil, nil
	}
	return d.open(d.n.medium.next), nil
}

func (d stateDir) Settle(next bool) error {
	if next {
		d.n.medium = d.n.medium.next
	}
	d.n.medium.next = nil
	return nil
}

func (d stateDir) Aside() error {
	d.n.tap.Emit(&trace.Process{Step: trace.Noted, Why: fmt.Sprintf("its store up to %d is moved aside", d.n.medium.MaxVersion())})
	failure := d.n.medium.failure
	d.n.medium = newMedium()
	d.n.medium.failure = failure
	return nil
}
