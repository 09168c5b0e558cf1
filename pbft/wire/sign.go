package wire

// Sign fills in the message's own signature, and before it those of the sender's own statements inside: the proposals of
// a NewView. It does nothing for a type that carries no signature of its own. Signing is the last change to a message.
func Sign(cfg *Config, m Message, sign func([]byte) Signature) {
	switch m := m.(type) {
	case *Request:
		SignRequest(cfg.Cluster, m, sign)
	case *PrePrepare:
		m.Sig = sign(Signable(cfg, m))
	case *Prepare:
		m.Sig = sign(Signable(cfg, m))
	case *Commit:
		m.Sig = sign(Signable(cfg, m))
	case *Checkpoint:
		m.Sig = sign(Signable(cfg, m))
	case *Suspect:
		m.Sig = sign(Signable(cfg, m))
	case *ViewChange:
		m.Sig = sign(Signable(cfg, m))
	case *NewView:
		for i := range m.Proposals {
			p := &m.Proposals[i]
			p.Sig = sign(appendSignedProposal(nil, cfg, m.View, m.ProposalSeq(i), p.Digest))
		}
		m.Sig = sign(Signable(cfg, m))
	case *Heartbeat:
		m.Sig = sign(Signable(cfg, m))
	default: // the link authenticates it, or its signatures are others'
	}
}

// SignRequest signs a request for a cluster, which is valid in every epoch (M10). The cluster's id is all that a client
// needs of a Config.
func SignRequest(cluster Digest, r *Request, sign func([]byte) Signature) {
	raw := appendRequestContent(make([]byte, 0, r.Size()), r)
	content := hash(tagRequest, raw)
	r.Sig = sign(appendSignedRequest(make([]byte, 0, signedBytes), cluster, content))
	r.cache = requestCache{of: r, raw: append(raw, r.Sig[:]...), digest: content}
}
