package tidy

import "testing"

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
		"internal/cluster/a.go":  "internal/driver",
		"internal/driver/a.go":   "crypto",
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
