package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tagma/internal/nearest"
	"tagma/pbft/wire"
)

// longest bounds every time: far above what a run takes, and far below what overflows.
const longest = 24 * time.Hour

// time reads a duration such as "200ms", or a multiple of the view timeout such as "3T".
func (t *table) time(key string, fallback time.Duration) time.Duration {
	v, has := t.get(key)
	if !has {
		return fallback
	}
	text, ok := v.(string)
	d, err := parseTime(text, t.t)
	if !ok || err != nil || d < -longest || d > longest {
		t.mistyped(key, `a time in quotes such as "200ms", or a multiple of the view timeout such as "3T"`)
		return fallback
	}
	return d
}

// since reads a time that is not negative.
func (t *table) since(key string, fallback time.Duration) time.Duration {
	d := t.time(key, fallback)
	if d < 0 {
		t.refuse(t.line(key), "%s = %v is negative; times count from the beginning of the workload", key, d)
		return fallback
	}
	return d
}

func parseTime(text string, timeout time.Duration) (time.Duration, error) {
	factor, relative := strings.CutSuffix(text, "T")
	if !relative {
		return time.ParseDuration(text)
	}
	f, err := strconv.ParseFloat(factor, 64)
	if err == nil && !(f >= -1e6 && f <= 1e6) {
		err = strconv.ErrRange
	}
	return time.Duration(f * float64(timeout)), err
}

// oneOf reads a word, with a suggestion for what is none of them.
func (t *table) oneOf(key, fallback string, words ...string) string {
	word := typed(t, key, "text in quotes", fallback)
	if word == "" && fallback == "" || slices.Contains(words, word) {
		return word
	}
	t.refuse(t.line(key), "%s = %q is not known;%s there is %s", key, word, meant(word, words), strings.Join(words, ", "))
	return fallback
}

func meant(word string, words []string) string {
	if near := nearest.To(word, words); near != "" {
		return fmt.Sprintf(" did you mean %s?", near)
	}
	return ""
}

// list reads a list and calls each with its elements, which report whether they are what they should be.
func (t *table) list(key, want string, each func(v any) bool) (given bool) {
	v, given := t.get(key)
	if !given {
		return false
	}
	elements, ok := v.([]any)
	if !ok {
		t.mistyped(key, want)
		return true
	}
	for _, e := range elements {
		if !each(e) {
			t.mistyped(key, want)
			return true
		}
	}
	return true
}

func (t *table) texts(key, want string) (out []string, given bool) {
	given = t.list(key, want, func(v any) bool {
		s, ok := v.(string)
		out = append(out, s)
		return ok
	})
	return out, given
}

// replicas reads a list of replica numbers, none twice, all below n.
func (t *table) replicas(key string, n int) (out []wire.ReplicaID, given bool) {
	given = t.list(key, "a list of replica numbers, such as [0, 1]", func(v any) bool {
		id, ok := v.(int64)
		if ok {
			out = t.member(key, id, n, out)
		}
		return ok
	})
	return out, given
}

// member adds a replica to a list after it was checked.
func (t *table) member(key string, id int64, n int, list []wire.ReplicaID) []wire.ReplicaID {
	switch {
	case id < 0 || id >= int64(n):
		t.refuse(t.line(key), "%s: there is no replica %d; there are 0 to %d", key, id, n-1)
	case slices.Contains(list, wire.ReplicaID(id)):
		t.refuse(t.line(key), "%s: replica %d is there twice; name it once", key, id)
	default:
		return append(list, wire.ReplicaID(id))
	}
	return list
}
