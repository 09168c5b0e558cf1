package wire

import "crypto/sha256"

// Tags that distinguish what is hashed. No tag is the beginning of another one or of a signed statement.
const (
	tagRequest    = "tagma/request"
	tagBatch      = "tagma/batch"
	tagViewChange = "tagma/view-change"
	tagNewView    = "tagma/new-view"
	tagResults    = "tagma/results"
)

// hash is the SHA-256 of a tag, the format version and an encoding.
func hash(tag string, encoding []byte) (d Digest) {
	h := sha256.New()
	h.Write(append([]byte(tag), FormatVersion))
	h.Write(encoding)
	h.Sum(d[:0])
	return d
}

// Digest is the digest of everything except the signature. Two requests with the same ID are the same operation if and
// only if their digests are equal (C2). It is computed once, when the request is signed or decoded.
func (r *Request) Digest() Digest {
	if r.cached() {
		return r.cache.digest
	}
	return hash(tagRequest, appendRequestContent(make([]byte, 0, r.Size()), r))
}

// Digest is the batch digest: it covers the agreed time and every request with its signature, so that it covers everything
// that execution sees. The first call stores the result, so whoever builds a body must call Digest before sharing it.
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

// NullBody is the body for a sequence number for which nothing prepared (V3); its digest is NullDigest.
var (
	NullBody   = &Body{}
	NullDigest = NullBody.Digest()
)

// ContentDigest is the digest of everything except the own signature. The signature covers this digest, so that signing
// takes only a short string.
func (m *ViewChange) ContentDigest() Digest {
	return hash(tagViewChange, appendViewChangeContent(make([]byte, 0, m.sizeHint()), m))
}

// ContentDigest is the digest of everything except the own signature. The signature covers this digest, so that signing
// takes only a short string.
func (m *NewView) ContentDigest() Digest {
	return hash(tagNewView, appendNewViewContent(make([]byte, 0, m.sizeHint()), m))
}
