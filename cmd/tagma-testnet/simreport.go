package main

import (
	"fmt"
	"io"
	"slices"

	"tagma/testnet/sim"
)

// simReport is what --json prints of a run.
type simReport struct {
	Seed             uint64     `json:"seed"`
	Hash             string     `json:"trace_hash"`
	Replicas         int        `json:"replicas"`
	Faulty           int        `json:"faulty"`
	SimulatedSeconds float64    `json:"simulated_seconds"`
	RealSeconds      float64    `json:"real_seconds"`
	FaultsPlanned    int        `json:"faults_planned"`
	FaultsFired      int        `json:"faults_fired"`
	Counts           sim.Counts `json:"counts"`
	Held             bool       `json:"held"`
	Violation        string     `json:"violation,omitempty"`
	Plan             *sim.Plan  `json:"plan,omitempty"`
	Replay           string     `json:"replay,omitempty"`
}

func (r *simReport) print(stdout io.Writer, out *sim.Outcome) error {
	verdict := "ok  "
	if !r.Held {
		verdict = "FAIL"
	}
	text := fmt.Sprintf("%s seed %d  trace %s  %d replicas, %d of them faulty; %.1f s in %.2f s; %d acknowledged, %d views entered,"+
		" %d of %d faults fired\n", verdict, r.Seed, r.Hash, r.Replicas, r.Faulty, r.SimulatedSeconds, r.RealSeconds,
		r.Counts.Acknowledged, r.Counts.Entered, r.FaultsFired, r.FaultsPlanned)
	if !r.Held {
		for _, l := range slices.Concat([]string{"", "the last of what happened:"}, out.Trace) {
			text += l + "\n"
		}
		text += fmt.Sprintf("\nthe plan:\n%s\n\n%s\nagain: %s\n", r.Plan, r.Violation, r.Replay)
	}
	_, err := io.WriteString(stdout, text)
	return err
}
