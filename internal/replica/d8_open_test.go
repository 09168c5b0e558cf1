package replica

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"tagma/checkpoint/journal"
	"tagma/pbft/wire"
)

var (
	lifeL = wire.Life{0: 0xaa, 15: 1}
	lifeM = wire.Life{0: 0xbb, 15: 2}
)

// The contents that each of three places may have when a replica starts (D8.3): the life file, the journal and the
// store.
var (
	lifeFiles = map[string]string{
		"missing": "", "unborn": Unborn + "\n", "adopting": adopting + lifeL.String() + "\n", "L": lifeL.String() + "\n",
		"garbage": "unbornn",
	}
	journals = []string{"none", "first format", "L", "M", "rotten", "gap"}
	stores   = []string{"none", "at the mark", "ahead", "damaged"}
)

// verdicts are the expected results of a start. There is one row for each content of the life file, and one column for
// each journal, in the order of journals. The store is at the last checkpoint of the journal.
var verdicts = map[string][]string{
	"missing":  {"there is a state, but no journal", "adopted", "no file life", "no file life", "damaged", "missing"},
	"unborn":   {"there is a state, but no journal", "adopted", "adopted L", "adopted M", "damaged", "missing"},
	"adopting": {"there is a state, but no journal", "adopted L", "adopted L", "of another life", "damaged", "missing"},
	"L":        {"there is a state, but no journal", "is older than the file", "whole", "of another life", "damaged", "missing"},
}

// withoutStore is the expected result if there is neither a journal nor a store.
var withoutStore = map[string]string{
	"missing": "neither a journal", "unborn": "first", "adopting": "is its disk mounted", "L": "is its disk mounted",
}

func verdict(life string, journalAt int, store string) string {
	if life == "garbage" {
		return "error"
	}
	text := verdicts[life][journalAt]
	sound := text == "whole" || strings.HasPrefix(text, "adopted")
	switch {
	case journals[journalAt] == "none" && store == "none":
		return withoutStore[life]
	case sound && store == "ahead":
		return "an old copy of the journal"
	default:
		return text
	}
}

// lay writes a journal and a store into a home.
func (r *rig) lay(journalIs, storeIs string) {
	other := newMedium()
	root := fill(r.t, loaded(r.t, other), 8, 10)
	records := []wire.Record{ownMark(8, root), stableAt(8, root)}
	life := lifeL
	switch journalIs {
	case "none":
	case "first format":
		life = wire.Life{}
	case "M":
		life = lifeM
	default:
	}
	if journalIs != "none" {
		r.write(life, records...)
	}
	switch journalIs {
	case "rotten":
		r.spoil()
	case "gap":
		r.gap(life)
	default:
	}
	switch storeIs {
	case "at the mark":
		r.medium = other
	case "ahead":
		r.medium = other
		fill(r.t, loaded(r.t, other), 12, 10)
	case "damaged":
		r.medium, r.damaged = other, true
	default:
	}
	r.machine.calls, r.lives = 0, nil
}

// spoil damages a sector of the anchor.
func (r *rig) spoil() { r.machine.names[r.segments()[0]].data[600] ^= 1 }

func (r *rig) segments() []string {
	names, _ := r.machine.ReadDir("data/journal")
	for i := range names {
		names[i] = "data/journal/" + names[i]
	}
	return names
}

// gap begins two more segments and removes the first of them.
func (r *rig) gap(life wire.Life) {
	j, _, err := journal.Open("data/journal", r.home().journalOptions())
	if err != nil {
		r.t.Fatal(err)
	}
	head := &wire.Head{Cluster: r.cfg.Cluster, Self: r.cfg.Self, Active: true, Life: life}
	for range 2 {
		if err := j.Rotate(encode([]wire.Record{head})); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		r.t.Fatal(err)
	}
	delete(r.machine.names, r.segments()[1])
}

// D8.2, D8.3: for every combination of life file, journal and store, a start has the expected result. A start that is
// refused changes nothing.
func TestD8_3_WhatAStartMakesOfWhatItFinds(t *testing.T) {
	for life := range lifeFiles {
		for at, journalIs := range journals {
			for _, storeIs := range stores {
				t.Run(fmt.Sprintf("life %s, journal %s, store %s", life, journalIs, storeIs), func(t *testing.T) {
					r := newRig(t)
					r.lay(journalIs, storeIs)
					r.text = lifeFiles[life]
					r.mustBe(verdict(life, at, storeIs), storeIs)
				})
			}
		}
	}
}

func (r *rig) mustBe(want, storeIs string) {
	r.t.Helper()
	before, text, state := r.machine.copy("data"), r.text, r.medium
	d, err := r.start()
	var lost *Amnesia
	switch want {
	case "error":
		if err == nil || errors.As(err, &lost) || !strings.Contains(err.Error(), "bring it back") {
			r.t.Fatalf("started with %v, want an error of the file", err)
		}
	case "first", "whole", "adopted", "adopted L", "adopted M":
		if err != nil {
			r.t.Fatal(err)
		}
		r.mustGoOn(d, want, storeIs)
		return
	default:
		if !errors.As(err, &lost) || !strings.Contains(lost.Why, want) {
			r.t.Fatalf("started with %v, want an amnesia: %s", err, want)
		}
	}
	if d != nil || r.machine.calls != 0 || r.text != text || r.medium != state || r.aside != 0 ||
		!reflect.DeepEqual(before, r.machine.copy("data")) {
		r.t.Errorf("something was written: %d calls, life %q, %d stores aside", r.machine.calls, r.text, r.aside)
	}
	if len(r.machine.locked) > 0 {
		r.t.Error("the journal stays locked")
	}
}

func (r *rig) mustGoOn(d *Disk, want, storeIs string) {
	r.t.Helper()
	if want == "first" {
		if !d.First || len(r.segments()) != 0 || r.text != lifeFiles["unborn"] {
			r.t.Errorf("a first start wrote before its first vote: life %q, journal %q", r.text, r.segments())
		}
		return
	}
	named := d.Log.Life() // if this start gave the journal its life, the journal had none when it was read
	if s := d.Votes.Segments(); want == "adopted" && len(s) < 2 {
		r.t.Error("the journal of the first format got no anchor with its life")
	}
	if named == (wire.Life{}) {
		named = r.reread()
	}
	if got := strings.TrimSpace(r.text); got != named.String() || d.First {
		r.t.Errorf("the file says %q, the journal %v", got, named)
	}
	if want == "adopted L" && named != lifeL || want == "adopted M" && named != lifeM {
		r.t.Errorf("goes on in life %v, want %s", named, want)
	}
	wantAside := map[string]int{"damaged": 1}[storeIs]
	wantAt := map[string]wire.Seq{"at the mark": 8}[storeIs]
	if r.aside != wantAside || d.Applied.Seq != wantAt {
		r.t.Errorf("%d stores aside, want %d; goes on from %d, want %d", r.aside, wantAside, d.Applied.Seq, wantAt)
	}
	if left := d.Replica.Inspect().LeftBehind; left != (wantAt == 0) {
		r.t.Errorf("waits for the state: %v, goes on from %d (X1)", left, wantAt)
	}
}

// reread returns the life of the journal as the next start reads it.
func (r *rig) reread() wire.Life {
	r.t.Helper()
	if err := r.booted.Close(); err != nil {
		r.t.Fatal(err)
	}
	found, err := journal.Peek("data/journal", r.home().journalOptions())
	if err != nil {
		r.t.Fatal(err)
	}
	log, err := decode(found)
	if err != nil {
		r.t.Fatal(err)
	}
	return wire.Log(log).Life()
}

// D8.3: a start that continues repairs a torn tail and removes unfinished files. Any other start leaves them as they
// are.
func TestD8_3_AnAmnesiacMendsNothing(t *testing.T) {
	for storeIs, text := range map[string]string{"at the mark": lifeL.String(), "none": lifeM.String(), "ahead": lifeL.String()} {
		wantsMending := storeIs == "at the mark"
		r := newRig(t)
		r.lay("L", storeIs)
		r.text = text
		r.tear()
		r.machine.calls = 0
		_, err := r.start()
		if (err == nil) != wantsMending || (r.machine.calls > 0) != wantsMending {
			t.Errorf("life %s: started with %v after %d writes", text, err, r.machine.calls)
		}
	}
}

// tear removes the second half of the last turn of the journal.
func (r *rig) tear() {
	j, _, err := journal.Open("data/journal", r.home().journalOptions())
	if err != nil {
		r.t.Fatal(err)
	}
	path := r.segments()[0]
	used := 0
	for i, b := range r.machine.names[path].data {
		if b != 0 {
			used = i
		}
	}
	if err := j.Append([]journal.Entry{{Seq: 9, Data: make([]byte, 2000)}}); err != nil {
		r.t.Fatal(err)
	}
	clear(r.machine.names[path].data[used/512*512+2*512:])
	if err := j.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// D8.3: if disks of two replicas were exchanged, the start returns an error, but not an Amnesia, because nothing is
// lost.
func TestD8_3_AnotherReplicasJournalIsRefused(t *testing.T) {
	for name, change := range map[string]func(*wire.Config){
		"another replica": func(c *wire.Config) { c.Self = 2 },
		"another cluster": func(c *wire.Config) { c.Cluster = wire.Digest{8} },
	} {
		r := newRig(t)
		r.lay("L", "at the mark")
		r.text = lifeL.String()
		change(&r.cfg)
		if _, err := r.start(); !errors.Is(err, wire.ErrForeignJournal) || errors.As(err, new(*Amnesia)) || r.machine.calls > 0 {
			t.Errorf("%s: started with %v after %d writes", name, err, r.machine.calls)
		}
	}
}
