package wire

func checkQuery(cfg *Config, m *Query) error {
	switch {
	case m.At > MaxSeq:
		return invalid("sequence number %d is above %d", m.At, MaxSeq)
	case len(m.Op) > cfg.MaxOpBytes:
		return invalid("an operation of %d bytes is above the limit of %d", len(m.Op), cfg.MaxOpBytes)
	}
	return nil
}

// checkQueryReply is what a client asks of the reply itself; whether it is the right one its sender's peers tell.
func checkQueryReply(cfg *Config, m *QueryReply) error {
	switch {
	case m.At > MaxSeq:
		return invalid("sequence number %d is above %d", m.At, MaxSeq)
	case m.Outcome < QueryAnswered || m.Outcome > QueryNotExecuted:
		return invalid("unknown outcome %d", m.Outcome)
	case m.Outcome != QueryAnswered && len(m.Result) > 0:
		return invalid("the result of a query that was not answered")
	case len(m.Result) > cfg.MaxResultBytes:
		return invalid("a result of %d bytes is above the limit of %d", len(m.Result), cfg.MaxResultBytes)
	}
	return nil
}
