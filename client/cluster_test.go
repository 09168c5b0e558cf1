package client

import (
	"crypto/ed25519"
	"reflect"
	"strings"
	"testing"
	"time"

	"tagma/crypto"
	"tagma/internal/cluster"
)

// inMemory is a cluster that a program builds without a file.
func inMemory(t *testing.T) ClusterConfig {
	t.Helper()
	c := ClusterConfig{ID: [32]byte{7}, Epoch: 3, Machine: "auction", Settings: Settings{ViewTimeout: time.Second, MaxOps: 9}}
	for i := range 4 {
		c.Replicas = append(c.Replicas, Replica{
			Key: crypto.FromSeed([32]byte{byte(i + 1)}).Public(), Addresses: []string{"/ip4/10.0.0.1/tcp/700" + string(rune('0'+i))},
		})
	}
	c.Clients = []Registered{{Name: "alice", Key: crypto.FromSeed([32]byte{99}).Public()}}
	return c
}

func TestCluster_FileBytesAndMemoryAreOneCluster(t *testing.T) {
	made, err := NewCluster(inMemory(t))
	if err != nil {
		t.Fatal(err)
	}
	content, err := made.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseCluster(content)
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/cluster.toml"
	if err := made.file.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadCluster(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewCluster(parsed.Config())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Cluster{"parsed": parsed, "loaded": loaded, "made again": again} {
		if !reflect.DeepEqual(c.Config(), made.Config()) || c.file.Fingerprint() != made.file.Fingerprint() || c.Machine() != "auction" {
			t.Errorf("%s: %+v; want %+v", name, c.Config(), made.Config())
		}
	}
}

// A cluster that is made in memory can have every setting that a file can have. If a client could not set one, the
// replicas would refuse it.
func TestCluster_NoSettingIsLostInMemory(t *testing.T) {
	var p cluster.Protocol
	fields := reflect.ValueOf(&p).Elem()
	for i := range fields.NumField() {
		switch f := fields.Field(i); f.Interface().(type) {
		case int:
			f.SetInt(int64(i + 1))
		case cluster.Duration:
			f.Set(reflect.ValueOf(cluster.Duration{Duration: time.Duration(i + 1)}))
		case cluster.Durability:
			f.SetInt(int64(cluster.Optimistic))
		case cluster.FaultModel:
			f.SetInt(int64(cluster.CrashOnly))
		case bool:
			f.SetBool(true)
		default:
			t.Fatalf("settings of the type %s have no way into memory", f.Type())
		}
	}
	back, err := settingsOf(p).protocol()
	if err != nil || back != p {
		t.Errorf("%+v, %v; want %+v", back, err, p)
	}
	if n := reflect.TypeFor[Settings]().NumField(); n != fields.NumField() {
		t.Errorf("%d settings in memory, %d in the file", n, fields.NumField())
	}
}

func TestCluster_WhatCannotBeIsOneClearLine(t *testing.T) {
	for want, change := range map[string]func(*ClusterConfig){
		"id":          func(c *ClusterConfig) { c.ID = [32]byte{} },
		"machine":     func(c *ClusterConfig) { c.Machine = "no such name!" },
		"4":           func(c *ClusterConfig) { c.Replicas = c.Replicas[:3] },
		"durability":  func(c *ClusterConfig) { c.Settings.Durability = "hopeful" },
		"fault model": func(c *ClusterConfig) { c.Settings.FaultModel = "gremlins" },
		"max_ops":     func(c *ClusterConfig) { c.Settings.MaxOps = -1 },
		"addresses":   func(c *ClusterConfig) { c.Replicas[0].Addresses = nil },
	} {
		c := inMemory(t)
		change(&c)
		if made, err := NewCluster(c); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || made != nil {
			t.Errorf("%v, want a line with %q", err, want)
		}
	}
}

func TestKey_ReadsFilesBytesAndEd25519(t *testing.T) {
	private := crypto.FromSeed([32]byte{5})
	seed, dir := private.Seed(), t.TempDir()
	if err := crypto.WriteKey(dir+"/key", private); err != nil {
		t.Fatal(err)
	}
	fromFile, err := ReadKey(dir + "/key")
	if err != nil {
		t.Fatal(err)
	}
	fromKey, err := NewKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]*Key{"file": fromFile, "ed25519": fromKey} {
		sig, err := k.sign([]byte("message"))
		if err != nil || k.Public() != private.Public() || sig != private.Sign([]byte("message")) {
			t.Errorf("%s: another key, or %v", name, err)
		}
	}
	if _, err := ParseKey([]byte("no key"), nil); err == nil {
		t.Error("what is no key was taken for one")
	}
}
