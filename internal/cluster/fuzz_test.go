package cluster

import (
	"reflect"
	"strings"
	"testing"
)

// For any bytes, Parse either returns an error of one line, or a file that is the same after it is written and parsed
// again.
func FuzzParse(f *testing.F) {
	f.Add(encode(f, fresh(f).File))
	f.Add([]byte("format = 1\n[protocol]\nview_timout = \"1s\"\n"))
	f.Add([]byte("replica = [{id = 1, zz = 3}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("c", data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is not one line", err)
			}
			return
		}
		again, err := Parse("c", encode(t, file))
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if again.Fingerprint() != file.Fingerprint() || !reflect.DeepEqual(again.Members(), file.Members()) {
			t.Error("written and read again, the file is another one")
		}
		if _, err := file.Config(0); err != nil {
			t.Errorf("an accepted file gives no configuration: %v", err)
		}
	})
}
