package kvtext

import (
	"bytes"
	"strings"
	"testing"

	"tagma/statemachine/kv"
)

func TestParseParts_ReadsOnePartForEachCluster(t *testing.T) {
	parts, err := ParseParts("# move the lock\n\n@east\nversion lock = 0\n\nput lock me\ndelete old\n\n@west\n# nothing is compared\n\nput log \"east locked\"\n")
	if err != nil || len(parts) != 2 || parts[0].Name != "east" || parts[1].Name != "west" {
		t.Fatalf("%+v, %v", parts, err)
	}
	east := kv.Part([]kv.Compare{kv.Version([]byte("lock"), kv.Equal, 0)}, kv.Put([]byte("lock"), []byte("me")), kv.Delete([]byte("old")))
	if west := kv.Part(nil, kv.Put([]byte("log"), []byte("east locked"))); !bytes.Equal(parts[0].Op, east) || !bytes.Equal(parts[1].Op, west) {
		t.Errorf("%x, %x", parts[0].Op, parts[1].Op)
	}
}

func TestParseParts_NamesTheLineThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                                            "two parts or more",
		"@east\n\nput a b":                            "two parts or more",
		"put a b\n@east":                              "line 1: it belongs to no cluster",
		"@east\n\nput a b\n@":                         "line 4: a part begins with @",
		"@east\n\nput a b\n@east\n\nput a b":          "line 4: there is a part for @east already",
		"@east\n\nput a b\n@west\n\nget a":            "line 4: this part has the operation get",
		"@east\n\nput a b\n@west\n\nput a":            "line 6: ",
		"@east\n\nput a b\n\nput a c\n@west\n":        "line 1: this part has operations for when a compare does not hold",
		"@a\n\nput a b\n@b\n\nput a b\n@a\n\nput x y": "line 7: there is a part for @a already",
	} {
		if parts, err := ParseParts(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want %q", text, parts, err, want)
		}
	}
}
