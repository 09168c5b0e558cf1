package crypto

// votesShare is how many votes are verified for one claim of a client while both wait.
const votesShare = 3

// backlog holds the messages that wait for a worker, and decides which are verified next. The pool's lock guards it.
type backlog struct {
	lines [classes]line
	// owed is how many claims of votes were verified while clients waited, less votesShare times what clients got.
	owed int
}

// line is one class: sources that take turns, message by message.
type line struct {
	trusted, suspects fifo
	aloneNext         bool // a suspect's turn comes after every batch of the trusted
}

// fifo is a queue of sources that have something waiting.
type fifo []*Source

func (f *fifo) push(s *Source) { *f = append(*f, s) }

func (f *fifo) pop() *Source {
	s := (*f)[0]
	(*f)[0], *f = nil, (*f)[1:]
	return s
}

func (b *backlog) add(j *job) {
	s := j.source
	s.queue = append(s.queue, j)
	if !s.listed {
		s.listed = true
		b.lines[s.class].push(s)
	}
}

func (b *backlog) empty() bool { return b.lines[Votes].empty() && b.lines[Clients].empty() }

// take returns the next batch; there must be one.
func (b *backlog) take() []*job {
	both := !b.lines[Votes].empty() && !b.lines[Clients].empty()
	class := Votes
	if b.lines[Votes].empty() || both && b.owed >= votesShare*batchLimit {
		class = Clients
	}
	batch, claims := b.lines[class].take()
	switch {
	case !both:
		b.owed = 0
	case class == Votes: // bounded: one large certificate must not give clients a long run
		b.owed = min(b.owed+claims, 2*votesShare*batchLimit)
	default:
		b.owed -= votesShare * claims
	}
	return batch
}

func (l *line) empty() bool { return len(l.trusted)+len(l.suspects) == 0 }

func (l *line) push(s *Source) {
	if s.alone > 0 {
		l.suspects.push(s)
	} else {
		l.trusted.push(s)
	}
}

// take returns messages of trusted sources, at most batchLimit claims or one message, or one message of a suspect. It also
// counts them in claims, a message without any as one.
func (l *line) take() (batch []*job, claims int) {
	if len(l.suspects) > 0 && (l.aloneNext || len(l.trusted) == 0) {
		l.aloneNext = false
		j := l.next(&l.suspects)
		return []*job{j}, max(1, len(j.claims))
	}
	l.aloneNext = true
	for len(l.trusted) > 0 {
		s := l.trusted[0]
		if s.alone > 0 { // it was found out while it waited
			l.suspects.push(l.trusted.pop())
			continue
		}
		size := max(1, len(s.queue[0].claims))
		if len(batch) > 0 && claims+size > batchLimit {
			return batch, claims
		}
		batch, claims = append(batch, l.next(&l.trusted)), claims+size
	}
	if len(batch) == 0 { // all were found out, so there are suspects
		return l.take()
	}
	return batch, claims
}

// next takes one message of the first source and puts the source behind the others.
func (l *line) next(from *fifo) *job {
	s := from.pop()
	j := s.queue[0]
	s.queue[0], s.queue = nil, s.queue[1:]
	if len(s.queue) == 0 {
		s.listed = false
	} else {
		l.push(s)
	}
	return j
}
