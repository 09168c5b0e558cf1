package tidy

import (
	"os"
	"testing"
)

// rules are all rules of the package, by the name of what they keep.
var rules = map[string]func(*tree) []string{
	"import graph":   importGraph,
	"simulator":      simulatorLinks,
	"import table":   importTable,
	"names":          func(t *tree) []string { return protocolNames(t, mostNames) },
	"pure core":      corePurity,
	"package docs":   packageDocs,
	"file lengths":   func(t *tree) []string { return fileLengths(t, longFiles) },
	"small files":    func(t *tree) []string { return smallFiles(t, mostSmall) },
	"sizes":          func(t *tree) []string { return sizes(t, mostLines) },
	"comments":       comments,
	"sleeping tests": sleepingTests,
	"dependencies":   dependencies,
	"retired words":  retiredWords,
	"public types":   publicTypes,
}

func TestTree_KeepsEveryRule(t *testing.T) {
	tree, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for _, complaint := range rule(tree) {
				t.Error(complaint)
			}
		})
	}
}
