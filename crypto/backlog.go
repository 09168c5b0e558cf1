package crypto

// votesShare is how many signatures of votes are verified for each signature of a client, while both wait.
const votesShare = 3

// backlog holds the messages that wait for a worker and decides which are verified next. The pool's lock guards it.
type backlog struct {
	lines [classes]line
	// owed is the number of claims of votes that were verified while clients waited, less votesShare times the number
	// of claims of clients verified. When it reaches votesShare batches, the next batch is one of clients.
	owed int
}

// line is the queue of one class. Senders take turns, one message at a time, and so do the sources of one sender.
type line struct {
	trusted, suspects fifo[*Sender]
	aloneNext         bool // a suspect has a turn after every batch of trusted senders
}

// fifo is a queue.
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

// take returns the next batch. The backlog must not be empty.
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
	case class == Votes: // bounded, so that after one large certificate clients do not have many turns in a row
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

// take returns either messages of trusted senders, of at most batchLimit claims unless it is a single message, or one
// message of a suspect. It also returns the number of their claims. A message without claims counts as one claim.
func (l *line) take() (batch []*job, claims int) {
	if len(l.suspects) > 0 && (l.aloneNext || len(l.trusted) == 0) {
		l.aloneNext = false
		j := l.next(&l.suspects)
		return []*job{j}, max(1, len(j.claims))
	}
	l.aloneNext = true
	for len(l.trusted) > 0 {
		s := l.trusted[0]
		if s.alone > 0 { // the sender became a suspect while it waited
			l.suspects.push(l.trusted.pop())
			continue
		}
		size := max(1, len(s.ready[0].queue[0].claims))
		if len(batch) > 0 && claims+size > batchLimit {
			return batch, claims
		}
		batch, claims = append(batch, l.next(&l.trusted)), claims+size
	}
	if len(batch) == 0 { // all senders became suspects
		return l.take()
	}
	return batch, claims
}

// next takes one message of the first sender, and moves the sender to the end of the queue if it has more.
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
