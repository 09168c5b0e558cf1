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
		if RecordSeq(rec) != seq {
			continue
		}
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
		default: // it holds neither
		}
	}
	if s.cert == nil {
		return nil
	}
	body := s.body(s.cert.Digest)
	if body == nil {
		return nil
	}
	return &CertifiedBody{Seq: seq, Body: body, Cert: s.cert}
}
