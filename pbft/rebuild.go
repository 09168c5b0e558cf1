package pbft

// Rebuilds reports whether an encoded record is of use for handing its batch to another replica (X0): it holds a body
// or a commit certificate.
func Rebuilds(data []byte) bool {
	if len(data) < 3 || data[0] != FormatVersion {
		return false
	}
	switch data[1] {
	case recordAccepted, recordFetched, recordCertified, recordCommitted:
		return true
	case recordSent:
		return Type(data[2]) == TypePrePrepare
	default:
		return false
	}
}

// Rebuild puts together from the records of a sequence number what another replica needs to execute its batch; nil if
// they do not hold it.
func Rebuild(seq Seq, records []Record) *CertifiedBody {
	s := slot{seq: seq}
	for _, rec := range records {
		if RecordSeq(rec) == seq {
			s.gather(rec)
		}
	}
	if body := s.decided(); body != nil {
		return &CertifiedBody{Seq: seq, Body: body, Cert: s.cert}
	}
	return nil
}

// gather takes from a record of the slot what lets its batch be executed again: a body, a commit certificate.
func (s *slot) gather(rec Record) {
	switch rec := rec.(type) {
	case *Sent:
		if m, ok := rec.Msg.(*PrePrepare); ok && m.Body != nil {
			s.bodies = append(s.bodies, m.Body)
		}
	case *Accepted:
		s.bodies = append(s.bodies, rec.PrePrepare.Body)
	case *Fetched:
		s.bodies = append(s.bodies, rec.Body)
	case *Certified:
		s.cert, s.bodies = &rec.Cert, append(s.bodies, rec.Body)
	case *Committed:
		s.cert = &rec.Cert
	default: // it says nothing of what was executed
	}
}

// decided is the body of the batch that committed here; nil without it or without its certificate.
func (s *slot) decided() *Body {
	if s.cert == nil {
		return nil
	}
	return s.body(s.cert.Digest)
}
