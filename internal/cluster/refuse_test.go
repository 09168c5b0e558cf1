package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// assertRefused checks that an error is one line that names the file, the key, and what to do.
func assertRefused(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted; want a refusal with %q", want)
	}
	var refused *Error
	if !errors.As(err, &refused) {
		t.Fatalf("%T %v, want an *Error", err, err)
	}
	line := err.Error()
	if strings.ContainsAny(line, "\n") {
		t.Errorf("%q has more than one line", line)
	}
	for _, w := range want {
		if !strings.Contains(line, w) {
			t.Errorf("%q does not say %q", line, w)
		}
	}
}

func TestParse_RefusesInconsistentContent(t *testing.T) {
	cases := []struct {
		name string
		mend func(*File)
		want []string
	}{
		{"format", func(f *File) { f.Format = 2 }, []string{": format: is 2", "format 1"}},
		{"zero id", func(f *File) { f.ID = Key{} }, []string{": id: "}},
		{"machine", func(f *File) { f.Machine = "an abacus" }, []string{": machine: ", "no name of a machine"}},
		{"a request refused twice", func(f *File) { f.Refused = []Key{{7}, {1}, {7}} }, []string{": refused_requests: 07", "there twice"}},
		{"too much refused", func(f *File) { f.Refused = make([]Key, 1025) }, []string{": refused_requests: 1025 given", "at most 1024"}},
		{"three replicas", func(f *File) { f.Replicas = f.Replicas[:3] }, []string{": replica: 3 given", "4 to 256"}},
		{"replica numbers", func(f *File) { f.Replicas[2].ID = 5 }, []string{": replica.id: replica 2 is missing"}},
		{"replica twice", func(f *File) { f.Replicas[2].ID = 1 }, []string{": replica.id: ", "from 0 to 3"}},
		{"no key", func(f *File) { f.Replicas[1].Key = Key{} }, []string{": replica[1].key: is missing"}},
		{"key off the curve", func(f *File) { f.Replicas[1].Key = Key{2} }, []string{": replica[1].key: ", "not a point"}},
		{"S1 key of small order", func(f *File) { f.Replicas[1].Key = Key{1} }, []string{": replica[1].key: ", "small order"}},
		{"S1 client key of small order", func(f *File) { f.Clients[1].Key = Key{1} }, []string{": client[1].key: ", "small order"}},
		{
			"S3 one key for two replicas", func(f *File) { f.Replicas[3].Key = f.Replicas[0].Key },
			[]string{": replica[3].key: ", "replica 0"},
		},
		{"one key for two clients", func(f *File) { f.Clients[1].Key = f.Clients[0].Key }, []string{": client[1].key: ", `"alice"`}},
		{"a replica as client", func(f *File) { f.Clients[1].Key = f.Replicas[2].Key }, []string{": client[1].key: ", "replica 2"}},
		{"no client name", func(f *File) { f.Clients[0].Name = "" }, []string{": client[0].name: "}},
		{"client name twice", func(f *File) { f.Clients[1].Name = "alice" }, []string{": client[1].name: ", "client[0]"}},
		{"no address", func(f *File) { f.Replicas[0].Addresses = nil }, []string{": replica[0].addresses: ", "/tcp/"}},
		{"no multiaddr", addr("10.0.0.1:7000"), []string{": replica[0].addresses[0]: ", "/ip4/10.0.0.1/tcp/7000"}},
		{"empty address", addr(""), []string{": replica[0].addresses[0]: "}},
		{"host only", addr("/ip4/10.0.0.1"), []string{": replica[0].addresses[0]: ", "/tcp/PORT"}},
		{"bare udp", addr("/ip4/10.0.0.1/udp/7000"), []string{": replica[0].addresses[0]: ", "quic-v1"}},
		{"websocket", addr("/ip4/10.0.0.1/tcp/7000/ws"), []string{": replica[0].addresses[0]: ", "not supported"}},
		{"every interface", addr("/ip4/0.0.0.0/tcp/7000"), []string{": replica[0].addresses[0]: ", "every interface"}},
		{"port 0", addr("/ip4/10.0.0.1/tcp/0"), []string{": replica[0].addresses[0]: ", "port 0"}},
		{"QUIC without its version", addr("/ip4/10.0.0.1/udp/7000/quic"), []string{": replica[0].addresses[0]: ", "quic-v1"}},
		{
			"address twice", func(f *File) { f.Replicas[1].Addresses = f.Replicas[0].Addresses },
			[]string{": replica[1].addresses[0]: ", "replica 0"},
		},
		{"negative parameter", func(f *File) { f.Protocol.MaxBatch = -1 }, []string{": protocol.max_batch: ", "negative"}},
		{"negative duration", func(f *File) { f.Protocol.ClockTolerance = Duration{-1} }, []string{": protocol.clock_tolerance: "}},
		{"log window", func(f *File) { f.Protocol.LogWindow = 100 }, []string{": protocol.log_window: ", "multiple"}},
		{"view timeout", func(f *File) { f.Protocol.ViewTimeout = Duration{time.Millisecond} }, []string{": protocol.view_timeout: ", "10ms"}},
		{"one operation above the batch", func(f *File) { f.Protocol.MaxBatchBytes = 1000 }, []string{": protocol.max_op_bytes: "}},
		{"window", func(f *File) { f.Protocol.Window = maxWindow + 1 }, []string{": protocol.window: ", "limit"}},
		{"operations", func(f *File) { f.Protocol.MaxOps = maxResultBytes }, []string{": protocol.max_ops: ", "limit"}},
		{
			"results", func(f *File) { f.Protocol.MaxResultBytes = maxResultBytes + 1 },
			[]string{": protocol.max_result_bytes: ", "limit"},
		},
		{"origin without a root", func(f *File) { f.Origin = Origin{Cluster: Key{1}, Seq: 128} }, []string{": origin: ", "incomplete"}},
		{
			"origin of its own", func(f *File) { f.Origin = Origin{Cluster: f.ID, Seq: 128, Root: Key{1}} },
			[]string{": origin.cluster: ", "own id"},
		},
		{"sessions", func(f *File) { f.Protocol.Sessions = maxSessions + 1 }, []string{": protocol.sessions: ", "limit"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := fresh(t).File
			c.mend(f)
			_, err := Parse("dir/cluster.toml", encode(t, f))
			assertRefused(t, err, append(c.want, "dir/cluster.toml")...)
		})
	}
}

func addr(a string) func(*File) {
	return func(f *File) { f.Replicas[0].Addresses = []string{a} }
}

func TestParse_RefusesWhatIsNoClusterFileWithItsLine(t *testing.T) {
	cases := []struct {
		name, text string
		want       []string
	}{
		{"no TOML", "format = 1\nnonsense\n", []string{"c:2: "}},
		{"key twice", "format = 1\nformat = 1\n", []string{"c:2: format: "}},
		{
			"misspelt key", "format = 1\n[protocol]\nview_timout = \"1s\"\n",
			[]string{"c:3: protocol.view_timout: ", "did you mean view_timeout?"},
		},
		{"misspelt table", "\n[protocal]\nwindow = 1\n", []string{"c:2: protocal: ", "did you mean protocol?"}},
		{"misspelt key of a replica", "[[replica]]\nadresses = []\n", []string{"c:2: replica.adresses: ", "did you mean addresses?"}},
		{"unknown key", "colour = 'red'\n", []string{"c:1: colour: unknown key; there is format, id, "}},
		{"unknown key in an inline table", "replica = [{id = 1, zzzzz = 3}]\n", []string{"c:1: replica.zzzzz: unknown key; there is id, key, addresses"}},
		{"duration without unit", "[protocol]\nview_timeout = 5\n", []string{"c:2: protocol.view_timeout: must be a duration in quotes"}},
		{"no duration", "[protocol]\nview_timeout = 'soon'\n", []string{"c:2: protocol.view_timeout: ", `"soon"`, `"250ms"`}},
		{"no durability", "[protocol]\ndurability = 'hopeful'\n", []string{"c:2: protocol.durability: ", `"hopeful"`, `"pessimistic" or "optimistic"`}},
		{"number for a durability", "[protocol]\ndurability = 1\n", []string{"c:2: protocol.durability: must be \"pessimistic\" or"}},
		{"text for a number", "format = 'one'\n", []string{"c:1: format: must be a whole number"}},
		{"fraction", "[protocol]\nmax_ops = 1.5\n", []string{"c:2: protocol.max_ops: must be a whole number"}},
		{"truth for a number", "epoch = true\n", []string{"c:1: epoch: must be a whole number"}},
		{"number for text", "machine = 3\n", []string{"c:1: machine: must be text in quotes"}},
		{"number for a key", "id = 3\n", []string{"c:1: id: must be 64 hex digits in quotes"}},
		{"number for a replica's key", "[[replica]]\nkey = 3\n", []string{"c:2: replica.key: must be 64 hex digits in quotes"}},
		{"short key", "id = 'abcd'\n", []string{"c:1: id: must have 64 hex digits, not 4"}},
		{"no hex", "id = '" + strings.Repeat("x", 64) + "'\n", []string{"c:1: id: must have hex digits only"}},
		{"text for a list", "[[replica]]\naddresses = 'x'\n", []string{"c:2: replica.addresses: must be a list of texts"}},
		{"number for a table", "protocol = 3\n", []string{"c:1: protocol: must be a table"}},
		{"negative epoch", "epoch = -1\n", []string{"c:1: epoch: "}},
		{"a value of a table in order", "format = 1\nid = '" + strings.Repeat("0", 64) + "'\n", []string{"c:2: id: is missing or zero"}},
		{"empty", "", []string{"c: format: "}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("c", []byte(c.text))
			assertRefused(t, err, c.want...)
		})
	}
}

func TestLoad_RefusesAbsentAndHugeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cluster.toml")
	if _, err := Load(path); err == nil || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "the command `init`") {
		t.Errorf("an absent file gives %v", err)
	}
	if err := os.WriteFile(path, make([]byte, maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	assertRefused(t, err, path, "more than")
}

func TestInit_RefusesWhatCannotWork(t *testing.T) {
	for name, o := range map[string]InitOptions{
		"three replicas":     {Replicas: 3, BasePort: 7000},
		"no replicas":        {BasePort: 7000},
		"hosts and replicas": {Replicas: 4, BasePort: 7000, Hosts: []string{"a", "b"}},
		"no port":            {Replicas: 4},
		"ports run out":      {Replicas: 4, BasePort: 65533},
		"bad host":           {Replicas: 4, BasePort: 7000, Hosts: []string{"a/b"}},
		"client twice":       {Replicas: 4, BasePort: 7000, Clients: []string{"a", "a"}},
	} {
		if _, err := Init(o); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line", name, err)
		}
	}
}

func TestProtocolCheck_JudgesTheParametersAlone(t *testing.T) {
	if err := (Protocol{CheckpointInterval: 10, LogWindow: 20}).Check(4); err != nil {
		t.Error(err)
	}
	for key, p := range map[string]Protocol{
		"log_window":   {CheckpointInterval: 10, LogWindow: 25},
		"view_timeout": {ViewTimeout: Duration{-time.Second}},
		"sessions":     {Sessions: maxSessions + 1},
	} {
		var refused *Error
		if err := p.Check(7); !errors.As(err, &refused) || refused.Key != key {
			t.Errorf("%s: %v", key, err)
		}
	}
}
