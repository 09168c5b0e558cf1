package wire

// signedTag begins every signed string, so that a signature of this system never means anything in another one.
const signedTag = "tagma"

// signedBytes is the size of the longest signed string.
const signedBytes = len(signedTag) + 1 + len(Digest{}) + 8 + 1 + statementBytes + 2

// appendSignedHead begins a signed string: nothing signed for one cluster, epoch or type is valid in another.
func appendSignedHead(b []byte, cluster Digest, epoch uint64, t Type) []byte {
	b = append(append(b, signedTag...), FormatVersion)
	b = append(b, cluster[:]...)
	b = appendU64(b, epoch)
	return append(b, byte(t))
}

// appendSignedVote appends the signed string of a pre-prepare, prepare or commit.
func appendSignedVote(b []byte, cfg *Config, t Type, v View, s Seq, d Digest, by ReplicaID) []byte {
	b = appendSignedHead(b, cfg.Cluster, cfg.Epoch, t)
	return appendU16(appendStatement(b, v, s, d), uint16(by))
}

func appendSignedProposal(b []byte, cfg *Config, v View, s Seq, d Digest) []byte {
	return appendSignedVote(b, cfg, TypePrePrepare, v, s, d, cfg.Primary(v))
}

func appendSignedCheckpoint(b []byte, cfg *Config, s Seq, d Digest, by ReplicaID) []byte {
	b = appendSignedHead(b, cfg.Cluster, cfg.Epoch, TypeCheckpoint)
	b = appendU64(b, uint64(s))
	return appendU16(append(b, d[:]...), uint16(by))
}

// appendSignedView appends the signed string of a message that is about a view alone.
func appendSignedView(b []byte, cfg *Config, t Type, v View, by ReplicaID) []byte {
	b = appendSignedHead(b, cfg.Cluster, cfg.Epoch, t)
	return appendU16(appendU64(b, uint64(v)), uint16(by))
}

// appendSignedContent appends the signed string of a message that is too large to sign as it is.
func appendSignedContent(b []byte, cfg *Config, t Type, v View, by ReplicaID, content Digest) []byte {
	return append(appendSignedView(b, cfg, t, v, by), content[:]...)
}

// appendSignedStatement appends the signed string of a statement, the same as that of the message it was made in.
func appendSignedStatement(b []byte, cfg *Config, s *Statement, by ReplicaID) []byte {
	switch s.Type {
	case TypeCheckpoint:
		return appendSignedCheckpoint(b, cfg, s.Seq, s.Digest, by)
	case TypeViewChange, TypeNewView:
		return appendSignedContent(b, cfg, s.Type, s.View, by, s.Digest)
	default:
		return appendSignedVote(b, cfg, s.Type, s.View, s.Seq, s.Digest, by)
	}
}

// SaidIn is the statement under a message's own signature; it returns false for types of which a replica may sign
// several messages that differ.
func SaidIn(m Message) (Statement, bool) {
	switch m := m.(type) {
	case *PrePrepare:
		return Statement{TypePrePrepare, m.View, m.Seq, m.Digest, m.Sig}, true
	case *Prepare:
		return Statement{TypePrepare, m.View, m.Seq, m.Digest, m.Sig}, true
	case *Commit:
		return Statement{TypeCommit, m.View, m.Seq, m.Digest, m.Sig}, true
	case *Checkpoint:
		return Statement{TypeCheckpoint, 0, m.Seq, m.Digest, m.Sig}, true
	case *ViewChange:
		return Statement{TypeViewChange, m.View, 0, m.ContentDigest(), m.Sig}, true
	case *NewView:
		return Statement{TypeNewView, m.View, 0, m.ContentDigest(), m.Sig}, true
	default:
		return Statement{}, false
	}
}

// appendSignedRequest appends the signed string of a request. It names the cluster and no epoch (M10): zero stands in the
// epoch's place, so that a request stays valid when members change.
func appendSignedRequest(b []byte, cluster, content Digest) []byte {
	return append(appendSignedHead(b, cluster, 0, TypeRequest), content[:]...)
}

// Signable returns the bytes under the message's own signature: domain tag, format version, cluster, epoch, type, and
// the fields that the signature covers, the sender among them. It is nil for a type that carries no signature of its own.
func Signable(cfg *Config, m Message) []byte {
	if b := appendSignable(make([]byte, 0, signedBytes), cfg, m); len(b) > 0 {
		return b
	}
	return nil
}

// AppendSignable appends to dst what Signable returns.
func AppendSignable(dst []byte, cfg *Config, m Message) []byte { return appendSignable(dst, cfg, m) }

func appendSignable(b []byte, cfg *Config, m Message) []byte {
	switch m := m.(type) {
	case *Request:
		return appendSignedRequest(b, cfg.Cluster, m.Digest())
	case *PrePrepare:
		return appendSignedProposal(b, cfg, m.View, m.Seq, m.Digest)
	case *Prepare:
		return appendSignedVote(b, cfg, TypePrepare, m.View, m.Seq, m.Digest, m.Replica)
	case *Commit:
		return appendSignedVote(b, cfg, TypeCommit, m.View, m.Seq, m.Digest, m.Replica)
	case *Checkpoint:
		return appendSignedCheckpoint(b, cfg, m.Seq, m.Digest, m.Replica)
	case *Suspect:
		return appendSignedView(b, cfg, TypeSuspect, m.View, m.Replica)
	case *ViewChange:
		return appendSignedContent(b, cfg, TypeViewChange, m.View, m.Replica, m.ContentDigest())
	case *NewView:
		return appendSignedContent(b, cfg, TypeNewView, m.View, cfg.Primary(m.View), m.ContentDigest())
	case *Heartbeat:
		return appendSignedView(b, cfg, TypeHeartbeat, m.View, cfg.Primary(m.View))
	default:
		return b
	}
}

// Signer returns the key that a message's own signature must be by. It is false for a type that carries none, and for a
// sender who is not a member.
func Signer(cfg *Config, m Message) (PublicKey, bool) {
	if r, ok := m.(*Request); ok {
		return r.ID.Client, true
	}
	id, ok := Sender(cfg, m)
	if !ok || int(id) >= cfg.N() {
		return PublicKey{}, false
	}
	return cfg.Members[id], true
}

// Sender returns the replica that a signed message is by, the primary where the view implies it. It is false for a
// request and for a type that carries no signature of its own.
func Sender(cfg *Config, m Message) (ReplicaID, bool) {
	switch m := m.(type) {
	case *PrePrepare:
		return cfg.Primary(m.View), true
	case *Prepare:
		return m.Replica, true
	case *Commit:
		return m.Replica, true
	case *Checkpoint:
		return m.Replica, true
	case *Suspect:
		return m.Replica, true
	case *ViewChange:
		return m.Replica, true
	case *NewView:
		return cfg.Primary(m.View), true
	case *Heartbeat:
		return cfg.Primary(m.View), true
	default:
		return 0, false
	}
}
