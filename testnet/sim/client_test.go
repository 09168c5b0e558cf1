package sim

import (
	"testing"
	"time"

	"tagma/client/session"
)

// An operation of a program that was killed as it sent is of unknown outcome: it was not executed when nothing left, and
// once when the frame was on its way.
func TestKillClient_WhatWasSentIsExecutedOnceAndWhatWasNotIsNot(t *testing.T) {
	for when, runs := range map[Moment]int{BeforeSend: 0, AfterFirstSend: 1} {
		w := mustNew(t, Options{Seed: 1, Config: small(), Clients: 2, Workload: Workload{Kind: Registers, Until: 4 * time.Second}})
		fired := false
		w.At(time.Second, func() { w.KillClient(0, 3, when, func() { fired = true }) })
		w.mustRun(t, 2*time.Second)
		var last *Operation
		for _, o := range w.History() {
			if o.Client == 0 {
				last = o
			}
		}
		if !fired || last.Known || len(last.runs) != runs {
			t.Errorf("moment %d: fired %t, known %t, executed %d times, want %d", when, fired, last.Known, len(last.runs), runs)
		}
		w.StartClient(0)
		w.mustRun(t, 4*time.Second)
		w.mustSettle(t, time.Second, 0, 1, 2, 3)
		if again := w.History()[len(w.History())-2:]; again[0].ID.Session != 2 && again[1].ID.Session != 2 {
			t.Errorf("moment %d: nothing was asked for in a second session", when)
		}
		if r := w.Linearizable(time.Minute); !r.Held || r.Checked == 0 {
			t.Errorf("I4: moment %d: %+v", when, r)
		}
	}
}

// Programs that share a key, of which the replicas hold one session, go on in fresh ones (C1), whatever their semantics.
func TestSharedKey_ProgramsThatExpireEachOthersSessionsGoOn(t *testing.T) {
	for _, semantics := range append(session.SemanticsNames(), MixedSemantics) {
		o := Options{Seed: 1, Config: small(), Clients: 2, Workload: Workload{
			Kind: Registers, Semantics: semantics, SharedKey: true, Think: 20 * time.Millisecond, From: time.Second, Until: 4 * time.Second,
		}}
		o.Limits.Sessions = 1
		w := mustNew(t, o)
		w.mustRun(t, 4*time.Second)
		sessions, known := map[any]bool{}, 0
		for _, o := range w.History() {
			sessions[o.ID.Session] = true
			if o.Known {
				known++
			}
		}
		if len(sessions) < 3 || known < 10 {
			t.Errorf("%s: %d sessions, %d outcomes are known", semantics, len(sessions), known)
		}
		if r := w.Linearizable(time.Minute); !r.Held || r.Checked == 0 {
			t.Errorf("I4: %s: %+v", semantics, r)
		}
	}
}
