package node

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"tagma/checkpoint/backup"
	"tagma/checkpoint/journal"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/passphrase"
	"tagma/pbft/wire"
)

// Names in a home, besides config.toml.
const (
	KeyFile     = "key"
	LifeFile    = "life"
	JournalDir  = "journal"
	StateDir    = "state"
	EvidenceDir = "evidence"
	DivergedDir = "diverged"
)

// Formats are the versions of the formats that replicas write and send, by name.
func Formats() map[string]int {
	return map[string]int{
		"backup": backup.Version, "cluster_file": cluster.Format, "journal": journal.Version, "messages": wire.FormatVersion,
	}
}

// Home is the content of a replica's home directory: which replica it is and where its data are.
type Home struct {
	Dir      string
	Data     string // directory of journal, state and evidence
	Settings Settings
	Cluster  *cluster.File
	Config   wire.Config
	Key      *crypto.PrivateKey // nil until Open has read it
}

// ReadHome reads and checks a replica's home. It does not touch the data or read the private key, so it needs no passphrase.
func ReadHome(dir string) (*Home, error) {
	settings, err := loadSettings(dir)
	if err != nil {
		return nil, err
	}
	file, err := cluster.Load(within(dir, settings.Cluster))
	if err != nil {
		return nil, err
	}
	key, err := crypto.ReadPublic(filepath.Join(dir, KeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no key in %s: bring this replica's own key back; a new one belongs to no replica", dir)
	}
	if err != nil {
		return nil, err
	}
	self, member := file.Replica(key.Key)
	if !member {
		return nil, fmt.Errorf("the key in %s belongs to no replica of %s: take the key and the cluster file of one cluster",
			filepath.Join(dir, KeyFile), within(dir, settings.Cluster))
	}
	cfg, err := file.Config(self)
	if err != nil {
		return nil, err
	}
	return &Home{
		Dir: dir, Data: within(dir, settings.Data), Settings: settings, Cluster: file, Config: cfg,
	}, nil
}

// KeyError says that a replica's private key cannot be opened. It is an error of the configuration: the passphrase is
// missing or wrong, and every start without the right one fails.
type KeyError struct{ Err error }

// Error is one line with the file and what to do.
func (e *KeyError) Error() string { return e.Err.Error() }

// Unwrap returns the error of reading the key or of getting the passphrase.
func (e *KeyError) Unwrap() error { return e.Err }

// MachineError says that the cluster runs a machine that this program does not have. It is an error of the configuration.
type MachineError struct {
	Machine string   // the machine that the cluster file names
	Has     []string // the machines that the program has
}

// Error is one line that says what to do.
func (e *MachineError) Error() string {
	return fmt.Sprintf("the cluster runs the machine %q, and this program has %s; run its replicas with the program that has it",
		e.Machine, strings.Join(e.Has, " and "))
}

// openKey reads a home's private key. If the key is encrypted, it also gets the passphrase.
func openKey(dir string) (*crypto.PrivateKey, error) {
	key, err := passphrase.ReadKey(filepath.Join(dir, KeyFile))
	if err != nil {
		return nil, &KeyError{err}
	}
	return key, nil
}

// within resolves a path that may be relative to the home.
func within(home, path string) string {
	if path == "" {
		return home
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(home, path)
}

// listen lists the addresses on which to listen.
func (h *Home) listen() []string {
	if len(h.Settings.Listen) > 0 {
		return h.Settings.Listen
	}
	return h.Cluster.Replicas[h.Config.Self].Addresses
}

// path returns the path of something in the data directory.
func (h *Home) path(name string) string { return filepath.Join(h.Data, name) }
