package tidy

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestImportGraph_AllowsItsEdges(t *testing.T) {
	wantComplaints(t, importGraph(of(t, map[string]string{
		"checkpoint/merkle/a.go":           `package merkle; import "tagma/checkpoint/journal"; import _ "tagma/statemachine"`,
		"client/a.go":                      `package client; import _ "tagma/internal/cluster"`,
		"testnet/local/a.go":               `package local; import _ "tagma/internal/node"; import _ "tagma/testnet/check"`,
		"cmd/tagma-testnet/a.go":           `package main; import _ "tagma/testnet/sim"`,
		"pbft/a_test.go":                   `package pbft; import _ "tagma/crypto"`,
		"internal/node/a.go":               `package node; import _ "tagma/checkpoint/journal"; import _ "example.org/tagma/x"`,
		"statemachine/kv/a.go":             `package kv; import _ "tagma/statemachine"`,
		"testnet/byzantine/replica/sub.go": `package replica; import _ "tagma/pbft"`,
	})))
}

func TestImportGraph_ComplainsOfEveryOtherEdge(t *testing.T) {
	for file, target := range map[string]string{
		"pbft/a.go":              "crypto",
		"crypto/a.go":            "pbft",
		"network/a.go":           "crypto",
		"statemachine/kv/a.go":   "checkpoint/journal",
		"checkpoint/store/a.go":  "pbft",
		"internal/cluster/a.go":  "pbft/driver",
		"pbft/driver/a.go":       "crypto",
		"internal/node/a.go":     "client",
		"client/a.go":            "internal/node",
		"testnet/byzantine/a.go": "network",
		"testnet/check/a.go":     "testnet/byzantine",
	} {
		tree := of(t, map[string]string{file: `package x; import _ "tagma/` + target + `"`})
		wantComplaints(t, importGraph(tree), file+":1: ")
	}
}

func TestImportGraph_OnlyTheTestnetImportsAttackers(t *testing.T) {
	for _, file := range []string{"cmd/tagma/a.go", "internal/node/a_test.go", "client/a_test.go", "pbft/a.go"} {
		tree := of(t, map[string]string{file: `package x; import _ "tagma/testnet/byzantine"`})
		wantComplaints(t, importGraph(tree), "nothing that ships")
	}
}

// The kit for tests of applications links attackers, so it counts as one of them.
func TestImportGraph_NothingThatShipsImportsTheKitForTests(t *testing.T) {
	for _, file := range []string{"cmd/tagma/a.go", "node/a_test.go", "client/a.go", "statemachine/kv/a_test.go"} {
		tree := of(t, map[string]string{file: `package x; import _ "tagma/tagmatest"`})
		wantComplaints(t, importGraph(tree), "nothing that ships")
	}
	wantComplaints(t, importGraph(of(t, map[string]string{"tagmatest/a.go": `package tagmatest; import _ "tagma/testnet/local"`})))
}

func TestImportGraph_ComplainsOfAPackageItDoesNotKnow(t *testing.T) {
	tree := of(t, map[string]string{"internal/util/a.go": "package util", "pbft/a.go": "package pbft"})
	wantComplaints(t, importGraph(tree), "internal/util: the package has no place")
}

func TestNames_OfTheProtocolAreCounted(t *testing.T) {
	tree := of(t, map[string]string{
		"internal/node/a.go":      `package node; import w "tagma/pbft/wire"; var a w.View; var b w.Seq; var c = w.Seq(1)`,
		"internal/node/a_test.go": `package node; import "tagma/pbft/wire"; var a wire.Digest`,
		"testnet/check/a.go":      `package check; import "tagma/pbft/wire"; var a wire.Epoch`,
		"pbft/a.go":               `package pbft; import "tagma/pbft/wire"; var a wire.Life`,
		"pbft/wire/a.go":          `package wire; type Seq int`,
	})
	wantComplaints(t, protocolNames(tree, map[string]int{"pbft/wire": 2}))
	wantComplaints(t, protocolNames(tree, map[string]int{"pbft/wire": 1}), "pbft/wire: packages that ship use 2 of its names, at most 1: Seq, View")
}

// Lists the names, with -v: this is the command that docs/architecture.md gives.
func TestNames_ThatThePackagesThatShipUse(t *testing.T) {
	tree, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	used := namesUsed(tree)
	for _, pkg := range slices.Sorted(maps.Keys(used)) {
		names := slices.Sorted(maps.Keys(used[pkg]))
		t.Logf("%s: %d of %d\n\t%s", pkg, len(names), mostNames[pkg], strings.Join(names, " "))
		if len(names) != mostNames[pkg] {
			t.Errorf("%s: %d names are used, mostNames in imports.go says %d", pkg, len(names), mostNames[pkg])
		}
	}
}
