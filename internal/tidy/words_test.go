package tidy

import "testing"

func TestRetiredWords_AreFoundInIdentifiersAndComments(t *testing.T) {
	tree := of(t, map[string]string{
		"a/kind.go":    `package a; func mournReplica() {}`,
		"a/field.go":   `package a; type x struct{ openEyes int }`,
		"a/comment.go": "package a\n\n// The corpse starts again.\n",
		"a/inside.go":  `package a; func indeed() {}; type Seating int; var believed, weird int`,
		"a/words.go":   "package a\n\n// Its eyes bear no signature, and the deed is done.\n",
	})
	wantComplaints(t, retiredWords(tree), "a/kind.go", "a/field.go", "a/comment.go")
}
