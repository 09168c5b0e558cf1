// Package manual writes the manual pages of a program from its commands: their help, flags and examples. Only tests use
// it, so that no program links what writing a page needs; `make man` runs these tests.
package manual

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

var manTo = flag.String("man", "", "write the manual pages to this directory")

// Test fails unless every command of a program has a page with its description and all its flags. With the flag --man the
// pages are kept in its directory: `make man`.
func Test(t *testing.T, program func() *cobra.Command) {
	t.Helper()
	dir := *manTo
	if dir == "" {
		dir = t.TempDir()
	}
	if err := Write(program(), dir); err != nil {
		t.Fatal(err)
	}
	for _, lack := range Missing(program(), dir) {
		t.Error(lack)
	}
}

// Write writes a page of section 1 for every visible command of a program into a directory, which it makes. The date of
// the pages is SOURCE_DATE_EPOCH if that is set.
func Write(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the manual: %w", err)
	}
	root.DisableAutoGenTag = true
	asMarkdown(root)
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "Tagma", Manual: "Tagma"}, dir); err != nil {
		return fmt.Errorf("write the manual: %w", err)
	}
	return nil
}

// asMarkdown turns the texts of a command, and of those below it, into Markdown: special characters are escaped, and
// indented lines stay lines.
func asMarkdown(cmd *cobra.Command) {
	var text strings.Builder
	indented := false
	for line := range strings.Lines(cmd.Long) {
		switch is := strings.HasPrefix(line, "  "); {
		case is && !indented:
			text.WriteString("\n    " + line)
			indented = true
		case is:
			text.WriteString("    " + line)
		default:
			text.WriteString(signs.Replace(line))
			indented = false
		}
	}
	cmd.Long = text.String()
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = signs.Replace(f.Usage) })
	for _, c := range cmd.Commands() {
		asMarkdown(c)
	}
}

// signs are the characters that Markdown would interpret. Names of values keep their backquotes.
var signs = strings.NewReplacer(`\`, `\\`, "<", `\<`, "*", `\*`, "_", `\_`)

// bare removes the formatting that a page has and a help text has not, so that the two can be compared.
var bare = strings.NewReplacer(`\`, "", "`", "")

// Missing lists what is missing in a directory of pages. That can be the page of a command, or on a page a flag, a
// word of the command's description or a line of its examples.
func Missing(root *cobra.Command, dir string) (lacks []string) {
	page := strings.ReplaceAll(root.CommandPath(), " ", "-") + ".1"
	text, err := os.ReadFile(filepath.Join(dir, page))
	if err != nil {
		return []string{err.Error()}
	}
	plain := bare.Replace(string(text))
	for _, words := range append(append(strings.Fields(root.Long), root.Short), strings.Split(strings.TrimSpace(root.Example), "\n")...) {
		if !strings.Contains(plain, bare.Replace(words)) {
			lacks = append(lacks, page+": "+words)
		}
	}
	root.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && !strings.Contains(plain, "--"+f.Name) {
			lacks = append(lacks, page+": --"+f.Name)
		}
	})
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			lacks = append(lacks, Missing(c, dir)...)
		}
	}
	return lacks
}
