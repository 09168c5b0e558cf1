package sim

import (
	"testing"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
)

// If a client's program is killed while it sends, the outcome is unknown. If no frame has left, the operation is not
// executed. If the frame is on its way, it is executed once.
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
		if again := w.History()[len(w.History())-2:]; again[0].ID.Session == last.ID.Session && again[1].ID.Session == last.ID.Session {
			t.Errorf("moment %d: nothing was asked for in a second session", when)
		}
		if r := w.Linearizable(time.Minute); !r.Held || r.Checked == 0 {
			t.Errorf("I4: moment %d: %+v", when, r)
		}
	}
}

// C1: programs share a key for which replicas hold only one session. They continue in new sessions, with any semantics.
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

// C1: programs set their clocks forward and back between their sessions, and replicas hold two of these sessions. No
// session may expire. One replica lies: it reports that it holds no session, or one with a very high number.
func TestC1_ClocksThatGoBackExpireNothing(t *testing.T) {
	for liar := range wire.ReplicaID(2) {
		o := Options{Seed: 1, Config: small(), Clients: 3, Workload: Workload{
			Kind: Registers, Churn: 2, Skew: 24 * time.Hour, Think: 20 * time.Millisecond, Until: 4 * time.Second,
		}}
		o.Limits.Sessions = 2
		choice, err := byzantine.ParseChoice("corrupt")
		if err != nil {
			t.Fatal(err)
		}
		o.Malicious = []Malicious{{Replica: liar, Choice: choice}}
		w := mustNew(t, o)
		w.mustRun(t, 4*time.Second)
		w.mustSettle(t, 20*time.Second, 3)
		sessions := map[any]bool{}
		for _, o := range w.History() {
			sessions[o.ID.Session] = true
			if !o.Known {
				t.Errorf("liar %d: what became of request %v is not known", liar, o.ID)
			}
		}
		if len(sessions) < 20 {
			t.Errorf("liar %d: only %d sessions", liar, len(sessions))
		}
	}
}

// C2, C7: a request that is refused because the session's reply cache is full is sent under another number. No copy of
// the refused request is executed. Links lose answers and double requests, and the client waits for every operation.
func TestC2_WhatIsRefusedIsNeverExecuted(t *testing.T) {
	refused := 0
	for seed := range uint64(4) {
		o := Options{Seed: seed, Config: small(), Clients: 3, Workload: Workload{
			Kind: Registers, Outstanding: 12, InFlight: 8, Pack: 1, Think: 5 * time.Millisecond, Until: 3 * time.Second,
		}, Reach: &links.Link{Delay: time.Millisecond, Jitter: 60 * time.Millisecond, Loss: 0.2}}
		o.Limits.MaxReplyCacheBytes = 200
		w := mustNew(t, o)
		w.mustRun(t, 3*time.Second)
		w.mustSettle(t, 60*time.Second, 0, 1, 2, 3)
		for _, o := range w.History() {
			if o.Requests > 1 {
				refused++
			}
		}
		if r := w.Linearizable(time.Minute); !r.Held || r.Checked == 0 {
			t.Errorf("I4: seed %d: %+v", seed, r)
		}
	}
	if refused < 20 {
		t.Errorf("only %d operations went out under several numbers", refused)
	}
}
