package crypto

// votesShare is how many votes are verified for one claim of a client while both wait.
const votesShare = 3

// backlog holds the messages that wait for a worker, and decides which are verified next. The pool's lock guards it.
type backlog struct {
	lines [classes]line
	// owed is how many claims of votes were verified while clients waited, less votesShare times what clients got.
	owed int
}

// line is one class: senders that take turns, message by message, as the sources of each do among themselves.
type line struct {
	trusted, suspects fifo[*Sender]
	aloneNext         bool // a suspect's turn comes after every batch of the trusted
}

// fifo is a queue of those who have something waiting.
type fifo[T any] []T

func (f *fifo[T]) push(e T) { *f = append(*f, e) }

func (f *fifo[T]) pop() T {
	var none T
	e := (*f)[0]
	(*f)[0], *f = none, (*f)[1:]
	return e
}

func (b *backlog) add(j *job) {
	s, from := j.source, j.source.from
	s.queue.push(j)
	if len(s.queue) == 1 {
		from.ready.push(s)
	}
	if !from.listed {
		from.listed = true
		b.lines[from.class].push(from)
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

func (l *line) push(s *Sender) {
	if s.alone > 0 {
		l.suspects.push(s)
	} else {
		l.trusted.push(s)
	}
}

// take returns messages of trusted senders, at most batchLimit claims or one message, or one message of a suspect. It also
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
		size := max(1, len(s.ready[0].queue[0].claims))
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

// next takes one message of the first sender, and puts the sender behind the others.
func (l *line) next(from *fifo[*Sender]) *job {
	s := from.pop()
	source := s.ready.pop()
	j := source.queue.pop()
	if len(source.queue) > 0 {
		s.ready.push(source)
	}
	if s.listed = len(s.ready) > 0; s.listed {
		l.push(s)
	}
	return j
}
