package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/operate"
	"tagma/internal/passphrase"
)

// shownAs runs `tagma keys …` with --json.
func shownAs(t *testing.T, args ...string) operate.ShownKey {
	t.Helper()
	var s operate.ShownKey
	if err := json.Unmarshal([]byte(must(t, append(append([]string{"keys"}, args...), "--json")...)), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeys_NewThenShow(t *testing.T) {
	t.Setenv(passphrase.Variable, "secret")
	for _, encrypt := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "alice.key")
		args := []string{"new", "--out", path}
		if encrypt {
			args = append(args, "--encrypt")
		}
		made := shownAs(t, args...)
		if made.Encrypted != encrypt || made.Role != "" {
			t.Errorf("made %+v", made)
		}
		key, err := passphrase.ReadKey(path)
		if err != nil {
			t.Fatal(err)
		}
		if public := key.Public(); made.PublicKey != hex.EncodeToString(public[:]) {
			t.Errorf("the file holds %x, and %s was shown", public, made.PublicKey)
		}
		if shown := shownAs(t, "show", path); shown != made {
			t.Errorf("shown %+v, made %+v", shown, made)
		}
		if _, err := crypto.ReadKey(path); (err != nil) != encrypt {
			t.Errorf("encrypt %t: without a passphrase %v", encrypt, err)
		}
	}
}

func TestKeys_NewSaysHowToRegister(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alice.key")
	out := must(t, "keys", "new", "--out", path)
	block := out[strings.Index(out, "  [[client]]"):]
	dir := makeCluster(t)
	file := filepath.Join(dir, operate.ClusterFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, block...), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := shownAs(t, "show", path, "--cluster", file); s.Role != "client" || s.Client != "a name" {
		t.Errorf("after what it said was done: %+v", s)
	}
}

func TestKeys_ShowFindsTheKeyInTheCluster(t *testing.T) {
	dir := makeCluster(t)
	file := filepath.Join(dir, operate.ClusterFile)
	if s := shownAs(t, "show", filepath.Join(home(dir, 2), node.KeyFile), "--cluster", file); s.Role != "replica" || s.Replica == nil || *s.Replica != 2 {
		t.Errorf("replica 2's key: %+v", s)
	}
	if s := shownAs(t, "show", filepath.Join(dir, operate.ClientKey), "--cluster", file); s.Role != "client" || s.Client != "client" {
		t.Errorf("the client's key: %+v", s)
	}
	stranger := filepath.Join(dir, "stranger.key")
	must(t, "keys", "new", "--out", stranger)
	if s := shownAs(t, "show", stranger, "--cluster", file); s.Role != "unknown" {
		t.Errorf("a stranger's key: %+v", s)
	}
	if out := must(t, "keys", "show", stranger, "--cluster", file); !strings.Contains(out, "nobody in "+file) {
		t.Errorf("a stranger's key is shown as %q", out)
	}
}

func TestKeys_RegisterEntersTheKey(t *testing.T) {
	dir := makeCluster(t)
	file, path := filepath.Join(dir, operate.ClusterFile), filepath.Join(dir, "alice.key")
	if s := shownAs(t, "new", "--out", path, "--register", "alice", "--cluster", file); s.Role != "client" || s.Client != "alice" {
		t.Errorf("registered %+v", s)
	}
	loaded, err := cluster.Load(file)
	if err != nil || len(loaded.Clients) != 2 {
		t.Fatalf("the cluster file has %d clients (%v), want 2", len(loaded.Clients), err)
	}
	again := filepath.Join(dir, "other.key")
	badInput{[]string{"keys", "new", "--out", again, "--register", "alice", "--cluster", file}, command.Unusable, "another name"}.check(t)
	if _, err := os.Stat(again); !os.IsNotExist(err) {
		t.Errorf("a key was left that is not registered (%v)", err)
	}
}

func TestKeys_MistakesAreOneLine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	must(t, "keys", "new", "--out", path)
	for name, bad := range map[string]badInput{
		"no command":     {[]string{"keys"}, 2, "new, show and encrypt"},
		"typo":           {[]string{"keys", "shwo"}, 2, "new, show and encrypt"},
		"no file given":  {[]string{"keys", "show"}, 2, "FILE"},
		"no such file":   {[]string{"keys", "show", filepath.Join(dir, "absent")}, 2, "tagma keys new"},
		"overwriting":    {[]string{"keys", "new", "--out", path}, 2, "no key is overwritten"},
		"no passphrase":  {[]string{"keys", "new", "--encrypt", "--out", filepath.Join(dir, "new")}, 2, passphrase.FileVariable},
		"no register":    {[]string{"keys", "new", "--cluster", "c", "--out", filepath.Join(dir, "new")}, 2, "--register"},
		"no cluster":     {[]string{"keys", "new", "--register", "a", "--cluster", "absent", "--out", filepath.Join(dir, "new")}, 2, "absent"},
		"no directory":   {[]string{"keys", "new", "--out", filepath.Join(dir, "no", "key")}, 1, "no such file"},
		"encrypt what":   {[]string{"keys", "encrypt", filepath.Join(dir, "absent")}, 2, "absent"},
		"encrypt how":    {[]string{"keys", "encrypt", path}, 2, passphrase.FileVariable},
		"show, no where": {[]string{"keys", "show", path, "--cluster", "absent"}, 2, "absent"},
	} {
		t.Run(name, bad.check)
	}
}

func TestKeys_EncryptShowsTheKeyAsJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	made := shownAs(t, "new", "--out", path)
	t.Setenv(passphrase.Variable, "secret")
	made.Encrypted = true
	if now := shownAs(t, "encrypt", path); now != made {
		t.Errorf("encrypted %+v, want %+v", now, made)
	}
}

// sealed makes a cluster in which the key of the client and that of replica 0 are encrypted with the passphrase
// "secret".
func sealed(t *testing.T) (dir string) {
	t.Helper()
	dir = makeCluster(t)
	t.Setenv(passphrase.Variable, "secret")
	for _, path := range []string{filepath.Join(dir, operate.ClientKey), filepath.Join(home(dir, 0), node.KeyFile)} {
		must(t, "keys", "encrypt", path)
		badInput{[]string{"keys", "encrypt", path}, command.Unusable, "already"}.check(t)
		if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
			t.Errorf("beside the key is %v (%v)", left, err)
		}
	}
	t.Setenv(passphrase.Variable, "")
	return dir
}

func TestKeys_NodeAndClientUseEncryptedKeys(t *testing.T) {
	dir := sealed(t)
	badInput{[]string{"node", "--home", home(dir, 0)}, command.Unusable, passphrase.FileVariable}.check(t)
	badInput{[]string{"get", "k", "--timeout", "500ms"}, command.Unusable, passphrase.FileVariable}.check(t)
	t.Setenv(passphrase.FileVariable, filepath.Join(dir, "absent"))
	badInput{[]string{"get", "k", "--timeout", "500ms"}, command.Unusable, "absent, which TAGMA_PASSPHRASE_FILE names"}.check(t)
	t.Setenv(passphrase.Variable, "Secret")
	badInput{[]string{"node", "--home", home(dir, 0)}, command.Unusable, "wrong passphrase"}.check(t)
	badInput{[]string{"get", "k", "--timeout", "500ms"}, command.Unusable, "wrong passphrase"}.check(t)
	t.Setenv(passphrase.Variable, "secret")
	for i := range 3 { // three replicas are enough to answer, and one of them has an encrypted key
		startNode(t, home(dir, i))
	}
	must(t, "put", "k", "v")
	if out := must(t, "get", "k"); out != "v\n" {
		t.Errorf("it reads %q", out)
	}
}

// A key is only in the user's copy of the cluster file, so the replicas refuse it. The error tells the user why.
func TestKeys_AKeyTheReplicasDoNotKnowIsOneLine(t *testing.T) {
	dir := makeCluster(t)
	startNode(t, home(dir, 0))
	copied, path := filepath.Join(dir, "copy.toml"), filepath.Join(dir, "alice.key")
	text, err := os.ReadFile(filepath.Join(dir, operate.ClusterFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "keys", "new", "--out", path, "--register", "alice", "--cluster", copied)
	badInput{
		[]string{"get", "k", "--timeout", "500ms", "--cluster", copied, "--key", path}, command.Failed, "does it list this key?",
	}.check(t)
}
