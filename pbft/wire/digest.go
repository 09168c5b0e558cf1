package wire

import "crypto/sha256"

// What a hash is over. No tag is the beginning of another one, and none begins like a signed statement.
const (
	tagRequest    = "tagma/request"
	tagBatch      = "tagma/batch"
	tagViewChange = "tagma/view-change"
	tagNewView    = "tagma/new-view"
	tagResults    = "tagma/results"
)

// hash is SHA-256 over a tag, the format version and an encoding.
func hash(tag string, encoding []byte) (d Digest) {
	h := sha256.New()
	h.Write(append([]byte(tag), FormatVersion))
	h.Write(encoding)
	h.Sum(d[:0])
	return d
}

// Digest is the content digest: everything but the signature. Two requests under one ID are the same operation iff
// their digests are equal (C2). It is computed once when the request is signed or decoded.
func (r *Request) Digest() Digest {
	if r.cached() {
		return r.cache.digest
	}
	return hash(tagRequest, appendRequestContent(make([]byte, 0, r.Size()), r))
}

// Digest is the batch digest: the agreed time and every request with its signature, so that nothing which execution
// sees is outside it. The first call remembers it, so whoever builds a body calls Digest before sharing the body.
func (b *Body) Digest() Digest {
	if b.cache.of != b {
		h := sha256.New()
		h.Write(append([]byte(tagBatch), FormatVersion))
		h.Write(appendCount(appendU64(nil, uint64(b.Time)), len(b.Requests)))
		for _, r := range b.Requests {
			if r.cached() {
				h.Write(r.cache.raw)
			} else {
				h.Write(appendRequest(make([]byte, 0, r.Size()), r))
			}
		}
		b.cache.of = b
		h.Sum(b.cache.digest[:0])
	}
	return b.cache.digest
}

// IsNull reports whether the body is the null request (§4.4).
func (b *Body) IsNull() bool { return b.Time == 0 && len(b.Requests) == 0 }

// NullBody fills a sequence number for which nothing prepared (V3); its digest is NullDigest.
var (
	NullBody   = &Body{}
	NullDigest = NullBody.Digest()
)

// ContentDigest stands for everything but the own signature in what is signed, so that signing costs one short string.
func (m *ViewChange) ContentDigest() Digest {
	return hash(tagViewChange, appendViewChangeContent(make([]byte, 0, m.sizeHint()), m))
}

// ContentDigest stands for everything but the own signature in what is signed.
func (m *NewView) ContentDigest() Digest {
	return hash(tagNewView, appendNewViewContent(make([]byte, 0, m.sizeHint()), m))
}
