package main

import (
	"testing"

	"tagma/internal/command"
	"tagma/internal/machines"
)

func TestC7_SemanticsAreChosenByFlag(t *testing.T) {
	runCluster(t, machines.KV, nil)
	script(t, [][2]string{
		{"put k 1 --semantics exactly-once", "OK rev 2\n"},
		{"put k 2 --semantics at-most-once", "OK rev 3\n"},
		{"put k 3 --semantics at-least-once", "OK rev 4\n"},
		{"put k 4 --semantics best-effort", "sent\n"},
	})
	eventually(t, "what was sent by best effort is executed", func() bool { return must(t, "get", "k") == "4\n" })
	script(t, [][2]string{
		{"delete k --semantics best-effort --json", "{\n  \"sent\": true\n}\n"},
	})
	eventually(t, "the key is gone", func() bool { return tagma(t, "get", "k").code == command.Missing })
	badInput{[]string{"put", "k", "v", "--semantics", "twice"}, command.Unusable, "choose exactly-once"}.check(t)
	must(t, "put", "k", "5")
	script(t, [][2]string{
		{"get k --semantics exactly-once", "5\n"},
		{"get k --semantics at-most-once", "5\n"},
		{"get k --prefix --semantics at-least-once", "k\t5\n"},
	})
	for _, read := range [][]string{{"get", "k"}, {"bank", "balance", "a"}, {"bank", "history", "a"}, {"bank", "audit"}} {
		badInput{append(read, "--semantics", "best-effort"), command.Unusable, "a read waits for its result"}.check(t)
	}
}
