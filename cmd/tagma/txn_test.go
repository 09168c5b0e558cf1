package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBadArguments_OfTransactionsBankAndPast(t *testing.T) {
	dir := makeCluster(t)
	file := filepath.Join(t.TempDir(), "swap.txn")
	if err := os.WriteFile(file, []byte("version a = 0\nput a 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]badInput{
		"no transaction":       {[]string{"txn", "nope"}, 2, "there is no nope"},
		"no file given":        {[]string{"txn"}, 2, "txn takes FILE"},
		"a fault in it":        {[]string{"txn", file}, 2, "swap.txn: line 2: "},
		"a directory":          {[]string{"txn", dir}, 2, "read the transaction"},
		"no bank command":      {[]string{"bank"}, 2, "tagma help bank"},
		"bank command typo":    {[]string{"bank", "opne"}, 2, "there is no command `tagma bank opne`"},
		"few bank arguments":   {[]string{"bank", "transfer", "a"}, 2, "bank transfer takes FROM and TO and AMOUNT, but 1 was given; see `tagma help bank transfer`"},
		"many amounts":         {[]string{"bank", "open", "a", "1", "2"}, 2, "bank open takes ACCOUNT and at most one AMOUNT, but 3 were given"},
		"no amount":            {[]string{"bank", "open", "a", "much"}, 2, `"much" is no amount`},
		"a negative amount":    {[]string{"bank", "transfer", "a", "b", "--", "-1"}, 2, `"-1" is no amount`},
		"another machine":      {[]string{"bank", "open", "a"}, 2, "the cluster runs the machine kv, and this command is for bank; use tagma put"},
		"limit of one key":     {[]string{"get", "k", "--limit", "3"}, 2, "add --prefix"},
		"a negative limit":     {[]string{"get", "k", "--prefix", "--limit", "-3"}, 2, "--limit"},
		"no sequence number":   {[]string{"get", "k", "--at", "then"}, 2, "--at"},
		"a machine nobody has": {[]string{"init", "--dir", t.TempDir(), "--machine", "abacus"}, 2, `use "kv" or "bank"`},
	} {
		t.Run(name, bad.check)
	}
}
