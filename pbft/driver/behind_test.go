package driver

import (
	"slices"
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// hasty is a driver whose votes may be sent before they are durable.
func (s *script) hasty() *Driver {
	cfg := configOf(1, 4)
	cfg.Optimistic, cfg.LogWindow = true, 8
	return New(cfg, s, Ports{Journal: s, Signer: s, Transport: s, Machine: s, Observers: []Observer{s}, Unguarded: true})
}

// D8.14: the effects of a turn wait for the disk only if a start would need the records that the turn wrote.
func TestD8_14_WhatIsSyncedFirst(t *testing.T) {
	cast := func(m wire.Message) port.Effect { return port.Broadcast{Msg: m} }
	for _, c := range []struct {
		name    string
		effects []port.Effect
		want    string
	}{
		{"a prepare in the window", []port.Effect{cast(&wire.Prepare{Seq: 8, Replica: 1})}, "later"},
		{"a prepare above the durable window", []port.Effect{cast(&wire.Prepare{Seq: 9, Replica: 1})}, "append"},
		{"a pre-prepare above the durable window", []port.Effect{cast(&wire.PrePrepare{Seq: 9, Body: wire.NullBody})}, "append"},
		{
			"a commit above the window of a checkpoint that is not durable",
			[]port.Effect{port.Persist{Record: stable(4)}, cast(&wire.Commit{Seq: 9, Replica: 1})},
			"append",
		},
		{"a certificate", []port.Effect{port.Persist{Record: &wire.Prepared{Cert: wire.PreparedCert{Seq: 3}}}}, "later"},
		{"a stable checkpoint", []port.Effect{port.Persist{Record: stable(4)}}, "later"},
		{"the mark", []port.Effect{port.Persist{Record: &wire.Early{}}}, "append"},
		{"a checkpoint", []port.Effect{cast(&wire.Checkpoint{Seq: 4, Replica: 1})}, "append"},
		{"a view change", []port.Effect{cast(&wire.ViewChange{View: 1, Replica: 1})}, "append"},
		{"a new view", []port.Effect{cast(newView(1))}, "append"},
		{"a new view of another one", []port.Effect{port.Persist{Record: &wire.Activated{NewView: newView(1)}}}, "append"},
		{"a state that was given", []port.Effect{port.Persist{Record: &wire.Installed{}}}, "append"},
		{"the target of a transfer", []port.Effect{port.Persist{Record: stable(4)}, port.Transfer{}}, "append"},
		{"a batch two windows up", []port.Effect{port.Persist{Record: &wire.Prepared{}}, port.Execute{Seq: 16, Body: wire.NullBody}}, "later"},
		{"a batch beyond", []port.Effect{port.Persist{Record: &wire.Prepared{}}, port.Execute{Seq: 17, Body: wire.NullBody}}, "append"},
	} {
		s := &script{steps: [][]port.Effect{c.effects}}
		mustTurn(t, s.hasty(), port.Tick{})
		if len(s.did) == 0 || s.did[0] != c.want {
			t.Errorf("%s: %v, want first %s", c.name, s.did, c.want)
		}
	}
}

// D8.14: a sync makes all earlier records durable, too, so that votes may go a window above the checkpoint among them.
func TestD8_14_ASyncMovesTheWindow(t *testing.T) {
	s := &script{steps: [][]port.Effect{
		{port.Persist{Record: stable(4)}},
		{port.Broadcast{Msg: &wire.Checkpoint{Seq: 8, Replica: 1}}},
		{},
		{port.Broadcast{Msg: &wire.Prepare{Seq: 12, Replica: 1}}},
		{},
		{port.Broadcast{Msg: &wire.Prepare{Seq: 13, Replica: 1}}},
	}}
	d := s.hasty()
	for range 6 {
		mustTurn(t, d, port.Tick{})
	}
	wrote := slices.DeleteFunc(s.did, func(what string) bool { return what != "append" && what != "later" })
	if want := []string{"later", "append", "later", "append"}; !slices.Equal(wrote, want) {
		t.Errorf("wrote %v, want %v", wrote, want)
	}
}

// D8.14: a clean stop makes everything durable, including the core's last records, and no turn follows it.
func TestD8_14_CloseSyncsEverything(t *testing.T) {
	s := &script{steps: [][]port.Effect{
		{port.Note{Record: stable(4)}},
		{port.Persist{Record: &wire.Clean{}}},
	}}
	d := s.hasty()
	mustTurn(t, d, port.Tick{})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if last := s.heard[len(s.heard)-1]; last != port.Event(port.Stop{}) {
		t.Errorf("the core was told %v last", last)
	}
	if n := len(s.wrote); n == 0 || len(s.wrote[n-1]) != 2 || s.did[len(s.did)-1] != "append" {
		t.Errorf("wrote %v: %v", s.wrote, s.did)
	}
	if d.Turn([]port.Event{port.Tick{}}) == nil {
		t.Error("a turn follows")
	}
}

// D8.14: the guard refuses to sign a statement about a slot if the journal may lack a vote for that slot.
func TestD8_14_TheGuardKnowsWhatMayBeMissing(t *testing.T) {
	cfg := configOf(1, 4)
	log := []wire.Record{stable(8), &wire.Early{}}
	bar := 8 + cfg.LogWindow
	for _, m := range []wire.Message{
		&wire.PrePrepare{View: 1, Seq: bar}, &wire.Prepare{View: 1, Seq: 9, Replica: 1}, &wire.Commit{View: 1, Seq: bar, Replica: 1},
	} {
		if NewGuard(cfg, log).Admit(cfg, m) == nil {
			t.Errorf("signed %+v", m)
		}
		if err := NewGuard(cfg, append(log[:2:2], &wire.Clean{})).Admit(cfg, m); err != nil {
			t.Errorf("after a clean stop: %v", err)
		}
	}
	for _, m := range []wire.Message{&wire.Commit{View: 1, Seq: bar + 1, Replica: 1}, &wire.Checkpoint{Seq: bar, Replica: 1}} {
		if err := NewGuard(cfg, log).Admit(cfg, m); err != nil {
			t.Error(err)
		}
	}
}
