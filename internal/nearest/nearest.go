// Package nearest finds the word of which another one most likely is a misspelling, for errors that ask "did you mean …?".
//
// It compares spellings and does not know what the words mean.
package nearest

import "strings"

// To returns the candidate with the smallest edit distance to name, ignoring case; the first one if several have it. If
// more than one byte and more than a third of name's bytes differ, it returns a candidate that begins with name, or ""
// if there is none.
func To(name string, candidates []string) string {
	if name == "" {
		return ""
	}
	best, least := "", max(1, len(name)/3)+1
	given := strings.ToLower(name)
	for _, c := range candidates {
		if d := editDistance(given, strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	if best != "" {
		return best
	}
	for _, c := range candidates {
		if strings.HasPrefix(strings.ToLower(c), given) {
			return c
		}
	}
	return ""
}

// editDistance counts the insertions, deletions and substitutions of bytes and the swaps of neighbours that turn a into
// b, where no byte is edited twice (optimal string alignment).
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1) // rows[i][j] is the distance between the first i bytes of a and the first j of b
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			substituted := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				substituted++
			}
			rows[i][j] = min(substituted, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
