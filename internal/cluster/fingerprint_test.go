package cluster

import (
	"bytes"
	"encoding/hex"
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
		"origin seq":    func(f *File) { f.Origin.Seq = 128 },
		"origin root":   func(f *File) { f.Origin = Origin{Seq: 128, Root: Key{1}} },
		"origin":        func(f *File) { f.Origin = Origin{Seq: 128, Cluster: Key{1}} },
		"client less":   func(f *File) { f.Clients = f.Clients[:1] },
		"admin":         func(f *File) { f.Clients[0].Role = Administrator },
		"another admin": func(f *File) { f.Clients[1].Role = Administrator },
	}
	protocol := reflect.TypeFor[Protocol]()
	for i := range protocol.NumField() {
		changes["protocol."+protocol.Field(i).Name] = func(f *File) {
			field := reflect.ValueOf(&f.Protocol).Elem().Field(i)
			if d, ok := field.Addr().Interface().(*Duration); ok {
				d.Duration = 12345678
				return
			}
			if field.Kind() == reflect.Bool {
				field.SetBool(true)
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

// The fingerprint contains the parameters with these names and in this order. Another name or order would need
// another Format.
func TestSettings_AreEveryProtocolParameterInTheOrderOfTheFingerprint(t *testing.T) {
	want := strings.Fields(`view_timeout max_view_timeout clock_tolerance checkpoint_interval log_window max_batch
		max_batch_bytes max_ops max_op_bytes max_result_bytes max_pending max_per_client window sessions
		max_request_cost max_batch_cost rules history durability first_version fault_model
		history_revisions history_age history_all`)
	var names []string
	for _, s := range (Protocol{}).WithDefaults().settings() {
		names = append(names, s.name)
		newer := []string{
			"max_request_cost", "max_batch_cost", "rules", "history", "durability", "first_version", "fault_model",
			"history_revisions", "history_age", "history_all",
		}
		if later := slices.Contains(newer, s.name); (s.value == 0) != later {
			t.Errorf("%s is %d by default", s.name, s.value)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

// A file that was made before there were budgets and rules of execution has neither. Its fingerprint does not change,
// so replicas of both releases accept each other's greetings, and execute old batches with the same results. A new
// cluster has budgets and rules.
func TestFingerprint_OfAnOlderFileIsWhatItWas(t *testing.T) {
	f := fresh(t).File
	if f.Protocol.Rules != statemachine.NewestRules {
		t.Errorf("a new cluster has the rules %d", f.Protocol.Rules)
	}
	if p := f.Protocol; p.MaxRequestCost != statemachine.DefaultMaxRequestCost || p.MaxBatchCost != statemachine.DefaultMaxBatchCost {
		t.Errorf("a new cluster has the budgets %d and %d", p.MaxRequestCost, p.MaxBatchCost)
	}
	f = &File{ID: Key{1}, Machine: "kv"}
	if l := f.Protocol.WithDefaults().Limits(); l.MaxRequestCost != 0 || l.MaxBatchCost != 0 || l.Rules != 0 || f.Protocol.History != 0 || l.FirstVersion != 0 {
		t.Errorf("an older file has the limits %+v", l)
	}
	const before = "99810f17f680c6534d06dfe0fc3e1c0671bdcbf606468de8247d43733dd7017d"
	if print := f.Fingerprint(); hex.EncodeToString(print[:]) != before {
		t.Errorf("the fingerprint of an older file is %x, was %s", print, before)
	}
}

// The greeting between replicas depends on the list of refused requests, but not on its order. The greeting of
// clients does not depend on that list.
func TestPeerGreeting_HoldsTheRefusedRequests(t *testing.T) {
	f := fresh(t).File
	plain := f.Greeting()
	if !bytes.Equal(f.PeerGreeting(), plain) || f.Limits().Refused != nil {
		t.Error("a file without a list has one")
	}
	greetings := map[string]string{string(plain): "none"}
	for name, list := range map[string][]Key{"one": {{1}}, "another": {{2}}, "two": {{2}, {1}}} {
		f.Refused = list
		greeting := f.PeerGreeting()
		if other, twice := greetings[string(greeting)]; twice {
			t.Errorf("%s greets like %s", name, other)
		}
		greetings[string(greeting)] = name
		if !bytes.Equal(f.Greeting(), plain) || !f.OtherRefused(plain) || len(f.Limits().Refused) != len(list) {
			t.Errorf("%s: its clients would have to know, or its replicas do not tell", name)
		}
	}
	two := f.PeerGreeting()
	f.Refused = []Key{{2}, {1}}
	reordered := f.PeerGreeting()
	if f.Refused = []Key{{1}, {2}}; !bytes.Equal(f.PeerGreeting(), reordered) {
		t.Error("the order counts")
	}
	f.Epoch++
	if f.OtherRefused(plain) || f.OtherRefused(two) || f.OtherRefused(nil) {
		t.Error("another configuration counts as another list")
	}
}

// F5: if only the fault model in a file is changed, it is another cluster, in signatures, journals and greetings.
func TestF5_TheFaultModelIsPartOfTheIdentity(t *testing.T) {
	f, other := fresh(t).File, fresh(t).File
	other.Protocol.FaultModel = CrashOnly
	one, err := f.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	two, err := other.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	if f.ID != other.ID || one.Cluster == two.Cluster || f.Fingerprint() == other.Fingerprint() {
		t.Errorf("ids %v and %v, digests %v and %v", f.ID, other.ID, one.Cluster, two.Cluster)
	}
	if one.Cluster != wire.Digest(f.ID) {
		t.Error("the digest of a cluster that masks liars is no longer its id")
	}
	if two.Crash == one.Crash || two.Quorum() != 3 || two.F() != 0 {
		t.Errorf("%+v", two)
	}
}
