package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/operate"
)

// badInput is a command line that must fail with an error of one line.
type badInput struct {
	args []string
	code int
	says string // part of the line
}

func (b badInput) check(t *testing.T) {
	t.Helper()
	b.judge(t, tagma(t, b.args...))
}

func (b badInput) judge(t *testing.T, o outcome) {
	t.Helper()
	if o.code != b.code || o.stdout != "" || lines(o.stderr) != 1 || !strings.HasPrefix(o.stderr, "tagma: ") {
		t.Errorf("%v; want exit code %d and one line on stderr", o, b.code)
	}
	if !strings.Contains(o.stderr, b.says) {
		t.Errorf("%v; want it to say %q", o, b.says)
	}
}

func TestBadArguments_ExitWith2AndOneLine(t *testing.T) {
	dir := makeCluster(t)
	for name, bad := range map[string]badInput{
		"no command":       {[]string{}, 2, "tagma help"},
		"command typo":     {[]string{"stauts"}, 2, "did you mean status?"},
		"no such command":  {[]string{"xyzzy"}, 2, "`tagma help` lists"},
		"help typo":        {[]string{"help", "ptu"}, 2, "did you mean put?"},
		"root flag typo":   {[]string{"--versoin"}, 2, "did you mean --version?"},
		"flag typo":        {[]string{"get", "k", "--cluser", "x"}, 2, "did you mean --cluster?"},
		"dash argument":    {[]string{"put", "k", "-5"}, 2, "put -- in front"},
		"flag value":       {[]string{"get", "k", "--timeout", "soon"}, 2, "--timeout"},
		"flag no value":    {[]string{"get", "k", "--key"}, 2, "--key"},
		"no time":          {[]string{"get", "k", "--timeout", "0s"}, 2, "10s"},
		"few arguments":    {[]string{"put", "k"}, 2, "KEY and VALUE, but 1 was given"},
		"many arguments":   {[]string{"status", "now"}, 2, "no arguments, but \"now\""},
		"no directory":     {[]string{"init"}, 2, "--dir"},
		"few replicas":     {[]string{"init", "--dir", t.TempDir(), "--replicas", "3"}, 2, "at least 4"},
		"hosts":            {[]string{"init", "--dir", t.TempDir(), "--host", "a,b"}, 2, "one for each"},
		"ports":            {[]string{"init", "--dir", t.TempDir(), "--base-port", "65534"}, 2, "another base port"},
		"overwriting":      {[]string{"init", "--dir", dir}, 2, "nothing is overwritten"},
		"directory a file": {[]string{"init", "--dir", filepath.Join(dir, operate.ClusterFile)}, 2, "is no directory; name another one with --dir"},
		"no home given":    {[]string{"node"}, 2, "--home"},
		"a file as home":   {[]string{"node", "--home", filepath.Join(dir, operate.ClusterFile)}, 2, "is not a replica's home"},
		"no home there":    {[]string{"node", "--home", dir}, 2, "the command `init`"},
		"no cluster file":  {[]string{"get", "k", "--cluster", "nope.toml"}, 2, "--cluster"},
		"cluster file dir": {[]string{"get", "k", "--cluster", dir}, 2, filepath.Join(dir, operate.ClusterFile)},
		"settings":         {[]string{"status", "--cluster", filepath.Join(home(dir, 0), node.ConfigFile)}, 2, "is the settings of a replica and no cluster file; name the cluster's file, such as " + filepath.Join(dir, operate.ClusterFile)},
		"a home":           {[]string{"status", "--cluster", home(dir, 0)}, 2, "is the home of a replica and no cluster file"},
		"a key":            {[]string{"status", "--cluster", filepath.Join(dir, operate.ClientKey)}, 2, "is a key and no cluster file"},
		"cluster as key":   {[]string{"get", "k", "--key", filepath.Join(dir, operate.ClusterFile)}, 2, "not a tagma key file"},
		"hosts with space": {[]string{"init", "--dir", filepath.Join(dir, "x"), "--host", "a b"}, 2, `"a b" is no host; give an IP address or a DNS name`},
		"a host missing":   {[]string{"init", "--dir", filepath.Join(dir, "x"), "--host", "a,,b,c"}, 2, "a host without a name"},
		"a host of signs":  {[]string{"init", "--dir", filepath.Join(dir, "x"), "--host", "http://a/"}, 2, "is no host"},
		"replicas, few":    {[]string{"init", "--dir", filepath.Join(dir, "x"), "--replicas", "3"}, 2, "at least 4"},
		"replicas, many":   {[]string{"init", "--dir", filepath.Join(dir, "x"), "--replicas", "100000"}, 2, "at most 256"},
		"a long word":      {[]string{strings.Repeat("k", 2000)}, 2, "… (20"},
		"no key file":      {[]string{"get", "k", "--key", "nope"}, 2, "--key"},
		"replica's key":    {[]string{"get", "k", "--key", filepath.Join(home(dir, 0), "key")}, 2, "[[client]]"},
		"export since":     {[]string{"export", "--since", "monday.bak"}, 2, "with --in FILE"},
		"export what":      {[]string{"export", "--in", "nope.bak"}, 2, "there is no backup nope.bak"},
		"a disk of none":   {[]string{"backup", "--out", filepath.Join(dir, "x.bak"), "--home", t.TempDir()}, 1, "is its disk mounted?"},
		"no journal":       {[]string{"journal", "nope"}, 2, "there is no nope"},
		"not a segment":    {[]string{"journal", filepath.Join(dir, operate.ClusterFile)}, 2, ".segment"},
		"no evidence home": {[]string{"evidence", "nope"}, 2, "there is no nope"},
		"evidence file":    {[]string{"evidence", filepath.Join(dir, operate.ClusterFile)}, 2, "no directory"},
		"empty journal":    {[]string{"journal", home(dir, 0), "--summary"}, 1, "first start"},
	} {
		t.Run(name, bad.check)
	}
}

func TestBadConfiguration_NamesFileAndMend(t *testing.T) {
	for name, bad := range map[string]struct {
		harm func(t *testing.T, dir string)
		args []string
		says string
	}{
		"client key exposed":  {chmod(operate.ClientKey, 0o644), []string{"get", "k"}, "chmod 600"},
		"client key damaged":  {replace(operate.ClientKey, "seed: ", "sead: "), []string{"get", "k"}, "line 3"},
		"replica key exposed": {chmod("replica0/key", 0o640), []string{"node", "--home", "replica0"}, "chmod 600"},
		"foreign replica key": {foreignKey, []string{"node", "--home", "replica0"}, "belongs to no replica"},
		"unknown setting":     {replace("replica0/config.toml", "listen =", "lisen ="), []string{"node", "--home", "replica0"}, "config.toml:4: lisen: unknown key; did you mean listen?"},
		"setting's type":      {replace("replica0/config.toml", "= 1024", "= 'many'"), []string{"node", "--home", "replica0"}, "config.toml:12: max_clients: must be a whole number\n"},
		"settings' text":      {replace("replica0/config.toml", "\nlisten", "\n= listen"), []string{"node", "--home", "replica0"}, "config.toml:4: invalid"},
		"listen nowhere":      {replace("replica0/config.toml", "listen = []", "listen = ['here']"), []string{"node", "--home", "replica0"}, "config.toml:4: listen: "},
		"listen on a path":    {replace("replica0/config.toml", "listen = []", "listen = ['/ip4/127.0.0.1/udp/1']"), []string{"node", "--home", "replica0"}, "no TCP or QUIC"},
		"no replica key":      {remove("replica0/key"), []string{"node", "--home", "replica0"}, "bring this replica's own key back"},
		"bad log level":       {replace("replica0/config.toml", "'info'", "'loud'"), []string{"node", "--home", "replica0"}, "loud"},
		"cluster file typo":   {replace(operate.ClusterFile, "\nepoch =", "\nepoc ="), []string{"status"}, "did you mean epoch?"},
		"cluster file text":   {replace(operate.ClusterFile, "[[replica]]", "[[replica]"), []string{"get", "k"}, operate.ClusterFile},
		"no checker's keys":   {replace("replica0/config.toml", "../cluster", "../gone"), []string{"evidence", "replica0", "--verify"}, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := makeCluster(t)
			if err := os.Mkdir(filepath.Join(home(dir, 0), node.EvidenceDir), 0o700); err != nil {
				t.Fatal(err)
			}
			bad.harm(t, dir)
			args := append([]string{}, bad.args...)
			for i, arg := range args {
				if arg == "replica0" {
					args[i] = filepath.Join(dir, arg)
				}
			}
			badInput{args, command.Unusable, bad.says}.check(t)
		})
	}
}

func chmod(name string, mode os.FileMode) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func replace(name, from, to string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), from, to, 1)
		if changed == string(text) {
			t.Fatalf("%s holds no %q: nothing was harmed", path, from)
		}
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func foreignKey(t *testing.T, dir string) {
	path := filepath.Join(dir, "replica0", node.KeyFile)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := crypto.WriteKey(path, crypto.FromSeed([32]byte{1})); err != nil {
		t.Fatal(err)
	}
}

func TestNode_ATakenPortIsOneLine(t *testing.T) {
	dir := makeCluster(t)
	file, err := cluster.Load(filepath.Join(dir, operate.ClusterFile))
	if err != nil {
		t.Fatal(err)
	}
	port := file.Replicas[0].Addresses[0][len("/ip4/127.0.0.1/tcp/"):]
	if _, err := strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }() // the test is over
	bad := badInput{[]string{"node", "--home", home(dir, 0)}, command.Failed, "the port is taken; stop the other process"}
	bad.judge(t, tagmaProcess(t, bad.args...))
}

func TestClient_AnotherClustersFileIsOneLine(t *testing.T) {
	dir := makeCluster(t)
	startNode(t, home(dir, 0))
	replace(operate.ClusterFile, "\nepoch = 0", "\nepoch = 1")(t, dir)
	badInput{[]string{"get", "k", "--timeout", "500ms"}, command.Failed, "has another cluster file (the greetings differ)"}.check(t)
	o := tagma(t, "status", "--timeout", "500ms")
	if o.code != command.Failed || lines(o.stderr) != 1 || !strings.Contains(o.stdout, "unreachable: has another cluster file") {
		t.Errorf("status with another cluster file: %v", o)
	}
}
