package wire

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

// Remains is what the records of a sequence number hold of its batch: bodies, and a commit certificate.
type Remains struct {
	bodies []*Body
	cert   *CommitCert
}

// Gather takes from a record what lets the batch be executed again.
func (r *Remains) Gather(rec Record) {
	switch rec := rec.(type) {
	case *Sent:
		if m, ok := rec.Msg.(*PrePrepare); ok && m.Body != nil {
			r.bodies = append(r.bodies, m.Body)
		}
	case *Accepted:
		r.bodies = append(r.bodies, rec.PrePrepare.Body)
	case *Fetched:
		r.bodies = append(r.bodies, rec.Body)
	case *Certified:
		r.cert, r.bodies = &rec.Cert, append(r.bodies, rec.Body)
	case *Committed:
		r.cert = &rec.Cert
	default: // it says nothing of what was executed
	}
}

// Decided is the body of the batch that committed; nil without it or without its certificate.
func (r *Remains) Decided() *Body {
	if r.cert == nil {
		return nil
	}
	if r.cert.Digest == NullDigest {
		return NullBody
	}
	for _, b := range r.bodies {
		if b.Digest() == r.cert.Digest {
			return b
		}
	}
	return nil
}

// Rebuild puts together from the records of a sequence number what another replica needs to execute its batch; nil if
// they do not hold it.
func Rebuild(seq Seq, records []Record) *CertifiedBody {
	var found Remains
	for _, rec := range records {
		if RecordSeq(rec) == seq {
			found.Gather(rec)
		}
	}
	if body := found.Decided(); body != nil {
		return &CertifiedBody{Seq: seq, Body: body, Cert: found.cert}
	}
	return nil
}
