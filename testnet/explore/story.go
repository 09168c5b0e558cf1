package explore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tagma/pbft/wire"
)

// way lists the states on the way from the first state to a state, without the first one.
func (s *search) way(at int32) []int32 {
	var way []int32
	for ; at != 0; at = s.origins[at].from {
		way = append(way, at)
	}
	slices.Reverse(way)
	return way
}

// replay returns a text by which a state can be reached again. It names the Byzantine replica and, for each move, its
// replica and its index in choices.
func (s *search) replay(at int32) string {
	var moves []string
	for _, k := range s.way(at) {
		o := s.origins[k]
		moves = append(moves, fmt.Sprintf("%d.%d", s.ids[o.replica], o.move))
	}
	who := fmt.Sprint(byzantineOf(s.a.byzantine))
	if s.cast.amnesiac != nobody {
		who += fmt.Sprintf("/%d", s.cast.amnesiac)
	}
	return fmt.Sprintf("%s:%s", who, strings.Join(moves, ","))
}

// story describes how a state is reached, with a line for each move.
func (s *search) story(at int32) []string {
	who := fmt.Sprintf("r%d is Byzantine", s.a.byzantine)
	if s.a.byzantine == nobody {
		who = "nobody is Byzantine"
	}
	lines := []string{who + "; every client request reached every correct replica"}
	for _, k := range s.way(at) {
		o := s.origins[k]
		m := s.choices(s.states[o.from], int(o.replica))[o.move]
		lines = append(lines, s.tell(int(o.replica), s.states[o.from].local[o.replica], m))
	}
	return lines
}

// tell describes one move: what arrives, and what the replica sends because of it.
func (s *search) tell(i int, from int32, m move) string {
	ls := s.locals[i]
	line := fmt.Sprintf("r%d %s", ls.id, s.describe(m))
	if m.crash > 0 {
		line += fmt.Sprintf(", and crashes after %d durable records of it", m.crash)
	}
	var says []string
	n := ls.rebuild(from)
	n.says = func(to int, msg wire.Message) {
		if _, ok := s.a.spell(ls.id, msg); ok && to == everybody {
			if text := s.a.names.Message(msg); !slices.Contains(says, text) {
				says = append(says, text)
			}
		}
	}
	was := len(n.executed)
	ls.do(n, m)
	k := ls.next(from, m).to
	if !ls.all[k].silent {
		n.expire()
	}
	if len(n.executed) > was && m.crash == 0 && m.kind != restart {
		says = append(says, fmt.Sprintf("(executes up to #%d)", len(n.executed)))
	}
	if l := &ls.all[k]; l.asking {
		says = append(says, "(asks what it has forgotten)")
	} else if l.active {
		says = append(says, fmt.Sprintf("(active in v%d)", l.view))
	} else {
		says = append(says, fmt.Sprintf("(waits for v%d)", l.view))
	}
	return line + " → " + strings.Join(says, "; ")
}

func (s *search) describe(m move) string {
	switch m.kind {
	case deliver:
		var parts []string
		for _, k := range m.letters {
			if k != 0 {
				parts = append(parts, s.a.text(k))
			}
		}
		return "receives " + strings.Join(parts, " + ")
	case fetch:
		return fmt.Sprintf("fetches the body of %v at #%d", m.value, m.seq)
	case expire:
		return "sees its timers expire"
	case restart:
		return "crashes and restarts"
	case forget:
		return "loses all that it wrote"
	case stable:
		others := ""
		for _, j := range m.letters {
			if j != 0 {
				others += fmt.Sprintf(" with r%d,", s.ids[j])
			}
		}
		if others != "" {
			return fmt.Sprintf("orders,%s up to the checkpoint at %d", others, s.a.base)
		}
		return fmt.Sprintf("learns that the checkpoint at %d is stable, and is given its state", s.a.base)
	}
	panic("explore: a move of no kind")
}

// Replay makes the moves of a finding again. It returns their description, and the violation in the final state. The
// bounds must be those of the search that made the finding.
func Replay(o Options, text string) (*Finding, error) {
	who, rest, _ := strings.Cut(text, ":")
	c, err := parseCast(who)
	if err != nil {
		return nil, fmt.Errorf("%q does not begin with the Byzantine replica and a colon", text)
	}
	s := newSearch(o, c)
	at := s.begin()
	for step := range strings.SplitSeq(rest, ",") {
		if step == "" {
			continue
		}
		if at, err = s.again(at, step); err != nil {
			return nil, err
		}
	}
	f := &Finding{What: "nothing is wrong with the state that this leads to", Story: s.story(at), Replay: text}
	for i := range s.ids {
		if err := s.judge(s.states[at], i); err != nil {
			f.What = err.Error()
			return f, nil
		}
	}
	if _, err := s.continueFairly(at); err != nil {
		f.What = err.Error()
	}
	return f, nil
}

// again makes one move of a replay.
func (s *search) again(at int32, step string) (int32, error) {
	var id, m int
	if _, err := fmt.Sscanf(step, "%d.%d", &id, &m); err != nil {
		return at, fmt.Errorf("%q is not a replica and the number of its move, as in 2.0", step)
	}
	i := slices.Index(s.ids, wire.ReplicaID(id))
	if i < 0 {
		return at, fmt.Errorf("%q: r%d is no correct replica of this replay", step, id)
	}
	list := s.choices(s.states[at], i)
	if m < 0 || m >= len(list) {
		return at, fmt.Errorf("%q: r%d has %d moves there; were other bounds given than those of the finding?", step, id, len(list))
	}
	next, _ := s.after(s.states[at], i, list[m])
	k := int32(len(s.states))
	s.states, s.origins = append(s.states, next), append(s.origins, origin{at, uint8(i), uint16(m)})
	return k, nil
}

// parseCast reads which replica of a replay is Byzantine and, after a slash, which one forgets.
func parseCast(text string) (c cast, err error) {
	liar, amnesiac, both := strings.Cut(text, "/")
	if c.byzantine, c.amnesiac = nobody, nobody; liar != strconv.Itoa(Nobody) {
		c.byzantine, err = parseReplica(liar)
	}
	if err == nil && both {
		c.amnesiac, err = parseReplica(amnesiac)
	}
	return c, err
}

func parseReplica(text string) (wire.ReplicaID, error) {
	id, err := strconv.ParseUint(text, 10, 16)
	if err == nil && id >= replicas {
		err = strconv.ErrRange
	}
	return wire.ReplicaID(id), err
}
