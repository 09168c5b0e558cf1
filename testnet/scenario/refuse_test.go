package scenario

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/refused.txt anew")

// Each section of the golden file has a scenario and, in its last line, the error of Parse. To write the file anew, run
// go test ./testnet/scenario -run Refuses -update, and read the difference before you commit it.
func TestParse_RefusesInOneLineThatNamesTheMend(t *testing.T) {
	const file, answer = "testdata/refused.txt", "=> "
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n\n")
	for i, section := range sections {
		text, want, _ := strings.Cut(section, "\n"+answer)
		_, err := Parse("x.toml", []byte(text+"\n"))
		if err == nil {
			t.Errorf("accepted:\n%s", text)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is not one line", err)
		}
		if err.Error() != want && !*update {
			t.Errorf("%s\nsays  %s\nnot   %s", text, err, want)
		}
		sections[i] = text + "\n" + answer + err.Error()
	}
	if *update {
		write(t, file, strings.Join(sections, "\n\n")+"\n")
	}
}
