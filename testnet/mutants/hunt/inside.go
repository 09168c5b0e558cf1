package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"tagma/testnet/explore"
	"tagma/testnet/mutants"
	"tagma/testnet/sim"
	"tagma/testnet/swarm"
)

// insideWord is the first argument of the program that hunts.
const insideWord = "inside"

// hunterResult is the result of a hunter.
type hunterResult struct {
	By      string `json:"by,omitempty"` // the invariant or rule; empty: nothing
	Finding string `json:"finding,omitempty"`
	Runs    uint64 `json:"runs"`           // seeds or searches that were run
	Seed    uint64 `json:"seed,omitempty"` // of the last run
	Plan    string `json:"plan,omitempty"`
}

// inside runs the hunter on the source from which this program was built, and prints a hunterResult.
func inside(args []string, stdout, stderr io.Writer) int {
	h, err := hunted(args, stderr)
	if err == nil {
		err = json.NewEncoder(stdout).Encode(h)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUnusable
	}
	return 0
}

func hunted(args []string, stderr io.Writer) (*hunterResult, error) {
	f := flag.NewFlagSet(insideWord, flag.ContinueOnError)
	f.SetOutput(stderr)
	if len(args) == 0 {
		return nil, fmt.Errorf("name a hunter: %s or %s", mutants.Sim, mutants.Explore)
	}
	switch mutants.Hunter(args[0]) {
	case mutants.Sim:
		return simulate(f, args[1:])
	case mutants.Explore:
		return search(f, args[1:])
	default:
		return nil, fmt.Errorf("there is no hunter %q", args[0])
	}
}

// Budget and memory of a simulation, unless a mutant's flags say otherwise.
const (
	defaultSeeds   = 300
	garbagePercent = 800
)

// simulate runs one seed after the other until an invariant is broken. With a plan, the seed only determines its random
// choices.
func simulate(f *flag.FlagSet, args []string) (*hunterResult, error) {
	seed := f.Uint64("seed", 1, "")
	seeds := f.Uint64("seeds", defaultSeeds, "")
	replicas := f.Int("replicas", 0, "")
	file := f.String("plan", "", "")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	debug.SetGCPercent(garbagePercent)
	h := &hunterResult{Plan: *file}
	for h.Seed = *seed; h.Runs < *seeds; h.Seed++ {
		h.Runs++
		p := swarm.Wide.Draw(h.Seed, *replicas)
		if *file != "" {
			text, err := os.ReadFile(filepath.Join("testnet/mutants/plans", *file))
			if err != nil {
				return nil, err
			}
			if p, err = sim.ParsePlan(text); err != nil {
				return nil, err
			}
			p.Seed = h.Seed
		}
		out, err := sim.Run(p)
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", h.Seed, err)
		}
		if v := out.Violation; v != nil {
			h.By, h.Finding = v.Invariant, v.What
			return h, nil
		}
		if l := out.Linearizable; !l.Held && l.Why != "" {
			h.By, h.Finding = "I4", l.Why
			return h, nil
		}
	}
	return h, nil
}

// search exhausts the explorer's bounds.
func search(f *flag.FlagSet, args []string) (*hunterResult, error) {
	o := explore.Defaults()
	o.Bind(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	h := &hunterResult{}
	for _, r := range explore.Search(context.Background(), o, func(explore.Run) {}).Runs {
		h.Runs++
		if r.Finding != nil {
			h.Finding = r.Finding.What
			h.By, _, _ = strings.Cut(h.Finding, ":")
		}
	}
	return h, nil
}
