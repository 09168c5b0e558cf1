package tidy

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// dependencyDoc is the page whose table gives the reason for every direct dependency.
const dependencyDoc = "docs/dependencies.md"

var rowStart = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

// dependencies complains about a direct dependency without a reason, and about a reason without a dependency.
func dependencies(t *tree) []string {
	var direct, all []string
	for _, file := range []string{"go.mod", "tools/go.mod", "testnet/peers/go.mod", "client/oteltagma/go.mod"} {
		text, err := fs.ReadFile(t.root, file)
		if err != nil {
			return []string{fmt.Sprintf("read the dependencies: %v", err)}
		}
		required, tools := parseModFile(string(text))
		for name, indirect := range required {
			all = append(all, name)
			if !indirect && file != "tools/go.mod" && name != module {
				direct = append(direct, name)
			}
		}
		for _, tool := range tools {
			direct = append(direct, longestPrefix(tool, required))
		}
	}
	text, err := fs.ReadFile(t.root, dependencyDoc)
	if err != nil {
		return []string{fmt.Sprintf("read the reasons: %v", err)}
	}
	reasons := map[string]bool{}
	for _, row := range rowStart.FindAllStringSubmatch(string(text), -1) {
		reasons[row[1]] = true
	}
	var complaints []string
	for _, name := range direct {
		if !reasons[name] {
			complaints = append(complaints, fmt.Sprintf("go.mod requires %s, and %s does not say why", name, dependencyDoc))
		}
	}
	for _, name := range all {
		delete(reasons, name)
	}
	for name := range reasons {
		complaints = append(complaints, fmt.Sprintf("%s has a row for %s, which go.mod does not require", dependencyDoc, name))
	}
	return complaints
}

// parseModFile returns the required modules, whether they are indirect, and the packages of tools.
func parseModFile(text string) (required map[string]bool, tools []string) {
	required = map[string]bool{}
	block := ""
	for line := range strings.Lines(text) {
		code, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(code)
		switch {
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case len(words) == 0:
			continue
		case words[0] == ")":
			block = ""
			continue
		}
		verb := block
		if verb == "" {
			verb, words = words[0], words[1:]
		}
		switch {
		case verb == "require" && len(words) == 2:
			required[words[0]] = strings.TrimSpace(comment) == "indirect"
		case verb == "tool" && len(words) == 1:
			tools = append(tools, words[0])
		}
	}
	return required, tools
}

// longestPrefix returns the module that provides a package.
func longestPrefix(pkg string, modules map[string]bool) string {
	best := ""
	for name := range modules {
		if within(pkg, name) && len(name) > len(best) {
			best = name
		}
	}
	return best
}
