package transfer

import (
	"cmp"
	"slices"
)

// span is a run of slots whose prefixes agree in the bits above shift+8; it must be sorted by the remaining bits.
type span struct{ from, to, shift int }

// smallSpan is the length up to which sorting a span by comparisons is faster than dividing it.
const smallSpan = 1024

// sortSome sorts the spans of todo until it has touched about most slots, and returns the spans that are left. It
// divides a span by one byte of the prefix at a time and touches each slot at most nine times, so that no choice of
// keys makes it slow.
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

// divide sorts the slots of a span by one byte of their prefix, and appends the spans of equal bytes to todo.
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
			// Swap the slot with the one at the place where its byte belongs.
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
