package wire

import "fmt"

func checkRequest(cfg *Config, r *Request) error {
	if err := checkContent(cfg, r); err != nil {
		return err
	}
	return checkClient(cfg, r)
}

func checkClient(cfg *Config, r *Request) error {
	if cfg.Client != nil && !cfg.Client(r.ID.Client) {
		return fmt.Errorf("%v: %w", r.ID.Client, ErrUnknownClient)
	}
	return nil
}

// checkContent compares a request with the limits of the configuration (S4).
func checkContent(cfg *Config, r *Request) error {
	switch {
	case r.ID.T == 0:
		return invalid("requests are numbered from 1")
	case r.AckedBelow > r.ID.T:
		return invalid("request %d acknowledges the reply to itself", r.ID.T)
	case len(r.Ops) == 0:
		return invalid("no operation")
	case len(r.Ops) > cfg.MaxOps:
		return invalid("%d operations are above the limit of %d", len(r.Ops), cfg.MaxOps)
	case r.Size() > cfg.MaxBatchBytes:
		return invalid("%d bytes do not fit a batch of %d", r.Size(), cfg.MaxBatchBytes)
	}
	for _, op := range r.Ops {
		if len(op) > cfg.MaxOpBytes {
			return invalid("an operation of %d bytes is above the limit of %d", len(op), cfg.MaxOpBytes)
		}
	}
	return nil
}

// checkBody does not check that the clients are registered. Replicas check that before they vote, so a certificate for
// the body shows it.
// A body without requests that has a time is not the null: an application that waits for that time needs it (T5).
func checkBody(cfg *Config, b *Body) error {
	if len(b.Requests) > cfg.MaxBatch {
		return invalid("%d requests are above the limit of %d", len(b.Requests), cfg.MaxBatch)
	}
	if b.Time < 0 || b.Time == 0 && len(b.Requests) > 0 {
		return invalid("%d requests at time %d", len(b.Requests), b.Time)
	}
	size := 0
	for i, r := range b.Requests {
		if r == nil {
			return invalid("request %d of the body is missing", i)
		}
		if err := checkContent(cfg, r); err != nil {
			return fmt.Errorf("request %d of the body: %w", i, err)
		}
		size += r.Size()
	}
	if size > cfg.MaxBatchBytes {
		return invalid("requests of %d bytes are above the limit of %d", size, cfg.MaxBatchBytes)
	}
	return nil
}

func checkCertifiedBody(cfg *Config, m *CertifiedBody) error {
	if err := checkSeq(m.Seq); err != nil {
		return err
	}
	if m.Body == nil {
		return invalid("no body")
	}
	if err := checkBody(cfg, m.Body); err != nil || m.Cert == nil {
		return err
	}
	if m.Cert.Seq != m.Seq {
		return invalid("a certificate for sequence number %d beside the body of %d", m.Cert.Seq, m.Seq)
	}
	if err := checkSigners(cfg, m.Cert.Commits, cfg.Quorum()); err != nil {
		return fmt.Errorf("commit certificate: %w", err)
	}
	return checkDigest(m.Body, m.Cert.Digest)
}

// checkReply checks a reply by itself. Whether it is the right reply is decided by comparison with those of other
// replicas (C4).
func checkReply(cfg *Config, m *Reply) error {
	switch {
	case m.ID.T == 0:
		return invalid("requests are numbered from 1")
	case m.Outcome < OutcomeExecuted || m.Outcome > OutcomeRefused:
		return invalid("unknown outcome %d", m.Outcome)
	case m.Outcome == OutcomeBusy && m.Seq != 0:
		return invalid("busy, yet executed at %d", m.Seq)
	case m.Outcome == OutcomeExecuted && m.Seq == 0:
		return invalid("executed, yet at no sequence number")
	case m.Outcome != OutcomeBusy && m.RetryAfterMillis != 0:
		return invalid("a retry hint beside a final outcome")
	case m.Outcome != OutcomeExecuted && len(m.Results) > 0:
		return invalid("results of a request that was not executed")
	case m.Outcome != OutcomeExecuted && m.ResultDigest != nil:
		return invalid("a digest of results of a request that was not executed")
	case m.ResultDigest != nil && len(m.Results) > 0:
		return invalid("results beside their digest")
	case m.Outcome == OutcomeExecuted && len(m.Results) == 0 && m.ResultDigest == nil:
		return invalid("executed without a result")
	case len(m.Results) > cfg.MaxOps:
		return invalid("%d results are above the limit of %d", len(m.Results), cfg.MaxOps)
	}
	for _, res := range m.Results {
		if len(res) > cfg.MaxResultBytes {
			return invalid("a result of %d bytes is above the limit of %d", len(res), cfg.MaxResultBytes)
		}
	}
	return nil
}

func checkQuery(cfg *Config, m *Query) error {
	switch {
	case m.At > MaxSeq:
		return invalid("sequence number %d is above %d", m.At, MaxSeq)
	case len(m.Op) > cfg.MaxOpBytes:
		return invalid("an operation of %d bytes is above the limit of %d", len(m.Op), cfg.MaxOpBytes)
	}
	return nil
}

// checkQueryReply checks a reply to a query by itself. Whether it is right is decided by comparison with those of other
// replicas.
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
