package transfer

import (
	"cmp"
	"slices"
)

// span is a run of slots that agree in the bits above shift+8 of their prefix and are to be sorted by the rest.
type span struct{ from, to, shift int }

// smallSpan is the length up to which comparing sorts a span sooner than dividing it.
const smallSpan = 1024

// sortSome sorts the spans of todo until about most slots were touched, and returns what is left to do. A span is divided by
// one byte of the prefix at a time, so that no choice of keys makes it slow: a slot is touched at most nine times.
func sortSome(slots []slot, todo []span, most int) []span {
	for len(todo) > 0 && most > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		most -= s.to - s.from
		if s.to-s.from > smallSpan && s.shift >= 0 {
			todo = divide(slots, s, todo)
			continue
		}
		slices.SortFunc(slots[s.from:s.to], func(a, b slot) int { return cmp.Compare(a.prefix(), b.prefix()) })
	}
	return todo
}

// divide puts the slots of a span in order of one byte of their prefix, and appends the spans of equal bytes to todo.
func divide(slots []slot, s span, todo []span) []span {
	at := func(i int) int { return int(slots[i].prefix() >> s.shift & 255) }
	var next, end [256]int
	for i := s.from; i < s.to; i++ {
		end[at(i)]++
	}
	start := s.from
	for b := range end {
		next[b] = start
		start += end[b]
		end[b] = start
	}
	for b := range next {
		if next[b] < end[b] {
			todo = append(todo, span{from: next[b], to: end[b], shift: s.shift - 8})
		}
	}
	for b := range next {
		for next[b] < end[b] {
			// The slot goes where its byte belongs, and the one that lay there takes its place.
			home := at(next[b])
			if home == b {
				next[b]++
				continue
			}
			slots[next[b]], slots[next[home]] = slots[next[home]], slots[next[b]]
			next[home]++
		}
	}
	return todo
}
