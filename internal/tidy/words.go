package tidy

import (
	"go/ast"
	"slices"
	"strings"
	"unicode"
)

// retired are metaphors that the code once used, with the words that replace them. No identifier may contain one of them.
var retired = map[string]string{
	"seat": "wrapper", "tongue": "tamper", "voice": "tamper", "twist": "tamper", "corpse": "crashed", "deed": "action",
	"betray": "activate", "mourn": "record death", "hire": "start clients", "eye": "watcher", "blind": "stop watching",
	"bear": "cap load, or spawn",
}

// unambiguous are those metaphors that no comment about replicas needs either.
var unambiguous = []string{"tongue", "corpse", "betray", "mourn"}

// retiredWords complains about identifiers and comments that use a retired metaphor.
func retiredWords(t *tree) []string {
	var complaints []string
	for _, s := range t.sources {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if id, is := n.(*ast.Ident); is {
				for _, word := range wordsOf(id.Name) {
					if instead := retired[strings.TrimSuffix(word, "s")]; instead != "" {
						complaints = append(complaints, t.at(id.Pos(), "%s: say %s instead of %s", id.Name, instead, word))
					}
				}
			}
			return true
		})
		for _, group := range s.syntax.Comments {
			for _, word := range strings.FieldsFunc(strings.ToLower(group.Text()), func(r rune) bool { return !unicode.IsLetter(r) }) {
				if word = strings.TrimSuffix(word, "s"); slices.Contains(unambiguous, word) {
					complaints = append(complaints, t.at(group.Pos(), "say %s instead of %s", retired[word], word))
				}
			}
		}
	}
	return complaints
}

// wordsOf returns the words of an identifier in camel case, in lower case.
func wordsOf(name string) (words []string) {
	begin := 0
	for i, r := range name {
		if i > begin && (unicode.IsUpper(r) || r == '_') {
			words = append(words, strings.ToLower(name[begin:i]))
			begin = i
		}
	}
	return append(words, strings.ToLower(strings.TrimPrefix(name[begin:], "_")))
}
