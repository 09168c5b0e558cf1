package node

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pelletier/go-toml/v2"

	"tagma/internal/strict"
	"tagma/network"
)

// ConfigFile is the name of the file with the local settings in a home.
const ConfigFile = "config.toml"

// Settings are the settings of this replica alone, as in HOME/config.toml. Relative paths are relative to the home.
type Settings struct {
	Cluster  string   `toml:"cluster" comment:"the cluster file, the same on every replica"`
	Listen   []string `toml:"listen" kind:"a list of texts, such as [\"/ip4/0.0.0.0/tcp/7000\"]" comment:"multiaddrs to listen on; empty: this replica's addresses in the cluster file"`
	Data     string   `toml:"data" comment:"where journal/, state/ and evidence/ go; empty: this directory"`
	LogLevel string   `toml:"log_level" comment:"debug, info, warn or error"`
	Admin    string   `toml:"admin" comment:"host:port of metrics, health and profiles over HTTP, without a password; empty: none"`

	MaxClients        int `toml:"max_clients" comment:"client connections at once"`
	MaxLinksPerClient int `toml:"max_links_per_client" comment:"connections at once under one client key"`
	MaxWatches        int `toml:"max_watches" comment:"watches at once; one client may have a quarter of them"`
	SegmentBytes      int `toml:"segment_bytes" comment:"size of a journal segment file in bytes"`
	ScrubBytes        int `toml:"scrub_bytes" comment:"bytes a second that are read to find damage to the state and the journal; 0: none"`
	ScrubPause        int `toml:"scrub_pause" comment:"seconds between two such passes"`
}

// Defaults of the settings.
const (
	DefaultClusterFile       = "../cluster.toml"
	DefaultLogLevel          = "info"
	DefaultMaxClients        = 1024
	DefaultMaxLinksPerClient = network.DefaultMaxLinksPerClient
	DefaultMaxWatches        = 16384
	DefaultSegmentBytes      = 16 << 20
	DefaultScrubBytes        = 4 << 20
	DefaultScrubPause        = 60
)

// minSegmentBytes is large enough for a segment's header, its seal and some turns.
const minSegmentBytes = 64 << 10

// The largest allowed settings of the search for damage: more bytes per second than a disk can read, and a pause of a
// month.
const (
	maxScrubBytes = 1 << 30
	maxScrubPause = 31 * 24 * 3600
)

// DefaultSettings are the settings of a new home.
func DefaultSettings() Settings {
	return Settings{
		Cluster: DefaultClusterFile, LogLevel: DefaultLogLevel,
		MaxClients: DefaultMaxClients, MaxLinksPerClient: DefaultMaxLinksPerClient, MaxWatches: DefaultMaxWatches,
		SegmentBytes: DefaultSegmentBytes,
		ScrubBytes:   DefaultScrubBytes, ScrubPause: DefaultScrubPause,
	}
}

// Save writes the settings to a new file in home.
func (s Settings) Save(home string) error {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(s); err != nil {
		return fmt.Errorf("encode %s: %w", ConfigFile, err)
	}
	path := filepath.Join(home, ConfigFile)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

// loadSettings reads HOME/config.toml. A setting that is missing has its default; an unknown one is refused.
func loadSettings(home string) (Settings, error) {
	path := filepath.Join(home, ConfigFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return Settings{}, fmt.Errorf("%s is not a replica's home: there is no %s in it; the command `init` makes homes", home, ConfigFile)
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	s := DefaultSettings()
	d, err := strict.Parse(path, data)
	if err != nil {
		return Settings{}, err
	}
	d.Into(&s)
	s.check(d)
	return s, d.Err()
}

func (s *Settings) check(d *strict.Document) {
	d.Word("log_level", s.LogLevel, "debug", "info", "warn", "error")
	if err := network.CheckListen(s.Listen); err != nil {
		d.Refuse("listen", "%v", err)
	}
	if err := checkAdmin(s.Admin); err != nil {
		d.Refuse("admin", "%v", err)
	}
	if s.MaxClients < 1 {
		d.Refuse("max_clients", "%d; it must be at least 1", s.MaxClients)
	}
	if s.MaxLinksPerClient < 1 {
		d.Refuse("max_links_per_client", "%d; it must be at least 1", s.MaxLinksPerClient)
	}
	if s.MaxWatches < 0 {
		d.Refuse("max_watches", "%d; it must be positive, or 0 for none", s.MaxWatches)
	}
	if s.SegmentBytes < minSegmentBytes {
		d.Refuse("segment_bytes", "%d; it must be at least %d", s.SegmentBytes, minSegmentBytes)
	}
	if s.ScrubBytes < 0 || s.ScrubBytes > maxScrubBytes {
		d.Refuse("scrub_bytes", "%d; it must be from 0 to %d", s.ScrubBytes, maxScrubBytes)
	}
	if s.ScrubPause < 0 || s.ScrubPause > maxScrubPause {
		d.Refuse("scrub_pause", "%d; it must be from 0 to %d", s.ScrubPause, maxScrubPause)
	}
	if s.Cluster == "" {
		d.Refuse("cluster", "is empty; name the cluster file")
	}
}
