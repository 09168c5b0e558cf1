package node

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"

	"tagma/network"
)

// ConfigFile is the name of the local settings in a home.
const ConfigFile = "config.toml"

// Settings are what only this replica needs to know, as HOME/config.toml holds them. Relative paths start at the home.
type Settings struct {
	Cluster  string   `toml:"cluster" comment:"the cluster file, the same on every replica"`
	Listen   []string `toml:"listen" comment:"multiaddrs to listen on; empty: this replica's addresses in the cluster file"`
	Data     string   `toml:"data" comment:"where journal/, state/ and evidence/ go; empty: this directory"`
	LogLevel string   `toml:"log_level" comment:"debug, info, warn or error"`
	Admin    string   `toml:"admin" comment:"host:port of metrics, health and profiles over HTTP, without a password; empty: none"`

	MaxClients   int `toml:"max_clients" comment:"client connections at once"`
	SegmentBytes int `toml:"segment_bytes" comment:"size of a journal segment file in bytes"`
}

// Defaults of the settings.
const (
	DefaultClusterFile  = "../cluster.toml"
	DefaultLogLevel     = "info"
	DefaultMaxClients   = 1024
	DefaultSegmentBytes = 16 << 20
)

// minSegmentBytes keeps a segment large enough for its head, its seal and some turns.
const minSegmentBytes = 64 << 10

// DefaultSettings are the settings of a new home.
func DefaultSettings() Settings {
	return Settings{
		Cluster: DefaultClusterFile, LogLevel: DefaultLogLevel,
		MaxClients: DefaultMaxClients, SegmentBytes: DefaultSegmentBytes,
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

// loadSettings reads HOME/config.toml. What the file leaves out has its default; what it should not hold is refused.
func loadSettings(home string) (Settings, error) {
	path := filepath.Join(home, ConfigFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return Settings{}, fmt.Errorf("%s is not a replica's home: there is no %s in it; `tagma init` makes homes", home, ConfigFile)
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	s := DefaultSettings()
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&s); err != nil {
		return Settings{}, fmt.Errorf("%s: %s", path, explain(err))
	}
	return s, s.check(path)
}

func (s *Settings) check(path string) error {
	switch s.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		return fmt.Errorf("%s: log_level: %q is none of debug, info, warn and error", path, s.LogLevel)
	}
	if err := network.CheckListen(s.Listen); err != nil {
		return fmt.Errorf("%s: listen: %w", path, err)
	}
	if err := checkAdmin(s.Admin); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case s.MaxClients < 1:
		return fmt.Errorf("%s: max_clients: %d; it must be at least 1", path, s.MaxClients)
	case s.SegmentBytes < minSegmentBytes:
		return fmt.Errorf("%s: segment_bytes: %d; it must be at least %d", path, s.SegmentBytes, minSegmentBytes)
	case s.Cluster == "":
		return fmt.Errorf("%s: cluster: missing; name the cluster file", path)
	}
	return nil
}

// explain puts a decoding error into one line with its place.
func explain(err error) string {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := &unknown.Errors[0]
		line, _ := first.Position()
		return fmt.Sprintf("line %d: unknown setting %q; remove it or mend its name", line, strings.Join(first.Key(), "."))
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, _ := wrong.Position()
		problem := strings.TrimPrefix(wrong.Error(), "toml: ")
		key := strings.Join(wrong.Key(), ".")
		if want := wants[key]; want != "" && strings.Contains(problem, "cannot decode") {
			problem = "must be " + want
		}
		if key == "" { // the line is no TOML
			return fmt.Sprintf("line %d: %s", line, problem)
		}
		return fmt.Sprintf("line %d: %s: %s", line, key, problem)
	}
	return err.Error()
}

// wants is what each setting must be.
var wants = map[string]string{
	"cluster": "text in quotes", "data": "text in quotes", "log_level": "text in quotes", "admin": "text in quotes",
	"listen":      `a list of texts, such as ["/ip4/0.0.0.0/tcp/7000"]`,
	"max_clients": "a whole number", "segment_bytes": "a whole number",
}
