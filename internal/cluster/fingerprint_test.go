package cluster

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

func TestFingerprint_ChangesWithEverythingThatChangesBehaviour(t *testing.T) {
	changes := map[string]func(*File){
		"id":            func(f *File) { f.ID[31]++ },
		"epoch":         func(f *File) { f.Epoch++ },
		"machine":       func(f *File) { f.Machine = "bank" },
		"replica key":   func(f *File) { f.Replicas[2].Key[0]++ },
		"replica order": func(f *File) { f.Replicas[0].Key, f.Replicas[1].Key = f.Replicas[1].Key, f.Replicas[0].Key },
		"one less":      func(f *File) { f.Replicas = f.Replicas[:3] },
		"client key":    func(f *File) { f.Clients[0].Key[0]++ },
		"client less":   func(f *File) { f.Clients = f.Clients[:1] },
	}
	protocol := reflect.TypeFor[Protocol]()
	for i := range protocol.NumField() {
		changes["protocol."+protocol.Field(i).Name] = func(f *File) {
			field := reflect.ValueOf(&f.Protocol).Elem().Field(i)
			if d, ok := field.Addr().Interface().(*Duration); ok {
				d.Duration = 12345678
				return
			}
			field.SetInt(12345678)
		}
	}
	before := fresh(t).File.Fingerprint()
	seen := map[[32]byte]string{before: "nothing"}
	for what, change := range changes {
		f := fresh(t).File
		change(f)
		print := f.Fingerprint()
		if other, twice := seen[print]; twice {
			t.Errorf("changing %s gives the same fingerprint as changing %s", what, other)
		}
		seen[print] = what
	}
}

func TestFingerprint_IgnoresWhatMayDiffer(t *testing.T) {
	before := fresh(t).File.Fingerprint()
	for what, change := range map[string]func(*File){
		"addresses":       func(f *File) { f.Replicas[0].Addresses = []string{"/ip4/10.0.0.9/tcp/1"} },
		"a client's name": func(f *File) { f.Clients[0].Name = "carol" },
		"client order":    func(f *File) { f.Clients[0], f.Clients[1] = f.Clients[1], f.Clients[0] },
		"a default written out": func(f *File) {
			f.Protocol.LogWindow, f.Protocol.Window = wire.DefaultLogWindow, statemachine.DefaultWindow
		},
	} {
		f := fresh(t).File
		change(f)
		if f.Fingerprint() != before {
			t.Errorf("%s: the fingerprint changed", what)
		}
	}
}

// The fingerprint holds them in this order: another one, or another name, would need another Format.
func TestSettings_AreEveryProtocolParameterInTheOrderOfTheFingerprint(t *testing.T) {
	want := strings.Fields(`view_timeout max_view_timeout clock_tolerance checkpoint_interval log_window max_batch
		max_batch_bytes max_ops max_op_bytes max_result_bytes max_pending max_per_client window sessions`)
	var names []string
	for _, s := range (Protocol{}).WithDefaults().settings() {
		names = append(names, s.name)
		if s.value == 0 {
			t.Errorf("%s has no default", s.name)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}
