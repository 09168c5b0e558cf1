package wire

const (
	signatureBytes = len(Signature{})
	// emptyRequest is the encoded size of a request without operations.
	emptyRequest = len(PublicKey{}) + 8 + 8 + 8 + 1 + lengthBytes + signatureBytes
	// requestOverhead is the encoded size of a request with one empty operation.
	requestOverhead = emptyRequest + lengthBytes
)

// requestCache is what was computed when the request was signed or decoded. It is valid only for the request to which it
// points, with the signature at the end of raw. It is not valid for a copy of the request or for another signature.
type requestCache struct {
	of     *Request
	raw    []byte // the full encoding
	digest Digest
}

// bodyCache is what was computed for the body to which it points.
type bodyCache struct {
	of     *Body
	digest Digest
}

// Size is the encoded size in bytes.
func (r *Request) Size() int {
	size := emptyRequest
	for _, op := range r.Ops {
		size += lengthBytes + len(op)
	}
	return size
}

func (r *Request) cached() bool {
	c := &r.cache
	return c.of == r && Signature(c.raw[len(c.raw)-signatureBytes:]) == r.Sig
}

// remember caches a full encoding and its digest.
func (r *Request) remember(raw []byte) {
	r.cache = requestCache{of: r, raw: raw, digest: hash(tagRequest, raw[:len(raw)-signatureBytes])}
}

func appendRequest(b []byte, r *Request) []byte {
	if r.cached() {
		return append(b, r.cache.raw...)
	}
	return append(appendRequestContent(b, r), r.Sig[:]...)
}

// appendRequestContent appends everything but the signature.
func appendRequestContent(b []byte, r *Request) []byte {
	b = appendRequestID(b, &r.ID)
	b = appendU64(b, r.AckedBelow)
	b = appendBool(b, r.ReadOnly)
	return appendByteStrings(b, r.Ops)
}

func readRequest(r *reader) *Request {
	m := new(Request)
	readRequestInto(r, m)
	return m
}

func readRequestInto(r *reader, m *Request) {
	start := r.rest
	m.ID = readRequestID(r)
	m.AckedBelow = r.u64()
	m.ReadOnly = r.bool()
	m.Ops = r.byteStrings("operations")
	m.Sig = r.signature()
	if r.err == nil {
		m.remember(r.since(start))
	}
}

func appendRequestID(b []byte, id *RequestID) []byte {
	b = append(b, id.Client[:]...)
	b = appendU64(b, uint64(id.Session))
	return appendU64(b, id.T)
}

func readRequestID(r *reader) RequestID {
	return RequestID{Client: r.key(), Session: Session(r.u64()), T: r.u64()}
}

// RequestBytes is the encoded size of all requests; 0 for nil.
func (b *Body) RequestBytes() int {
	size := 0
	if b != nil {
		for _, r := range b.Requests {
			size += r.Size()
		}
	}
	return size
}

func appendBody(b []byte, body *Body) []byte {
	b = appendU64(b, uint64(body.Time))
	b = appendCount(b, len(body.Requests))
	for _, r := range body.Requests {
		b = appendRequest(b, r)
	}
	return b
}

func readBody(r *reader) *Body {
	start := r.rest
	body := &Body{Time: int64(r.u64())}
	if n := r.count("requests", maxBatchRequests, emptyRequest); n > 0 {
		requests := make([]Request, n) // one allocation, since all requests live as long as the frame
		body.Requests = make([]*Request, n)
		for i := range requests {
			readRequestInto(r, &requests[i])
			body.Requests[i] = &requests[i]
		}
	}
	if r.err == nil {
		body.cache = bodyCache{of: body, digest: hash(tagBatch, r.since(start))}
	}
	return body
}

func appendReply(b []byte, m *Reply) []byte {
	b = appendRequestID(b, &m.ID)
	b = append(b, m.Request[:]...)
	b = append(b, byte(m.Outcome))
	b = appendU64(b, uint64(m.Seq))
	b = appendBool(b, m.ResultDigest != nil)
	if m.ResultDigest != nil {
		b = append(b, m.ResultDigest[:]...)
	} else {
		b = appendByteStrings(b, m.Results)
	}
	b = appendU64(b, uint64(m.View))
	return appendU32(b, m.RetryAfterMillis)
}

func readReply(r *reader) *Reply {
	m := &Reply{ID: readRequestID(r), Request: r.digest(), Outcome: Outcome(r.u8()), Seq: Seq(r.u64())}
	if r.bool() {
		m.ResultDigest = new(r.digest())
	} else {
		m.Results = r.byteStrings("results")
	}
	m.View = View(r.u64())
	m.RetryAfterMillis = r.u32()
	return m
}

// How much memory a decoded request, and an operation, take in addition to their encoded bytes.
const (
	requestMemory   = 280
	operationMemory = 24
)

// Memory estimates how many bytes of memory a body takes.
func (b *Body) Memory() int {
	sum := b.RequestBytes()
	if b != nil {
		for _, r := range b.Requests {
			sum += requestMemory + operationMemory*len(r.Ops)
		}
	}
	return sum
}

func appendQuery(b []byte, m *Query) []byte {
	b = appendU64(b, m.Nonce)
	b = appendU64(b, uint64(m.At))
	return appendBytes(b, m.Op)
}

func readQuery(r *reader) *Query {
	return &Query{Nonce: r.u64(), At: Seq(r.u64()), Op: r.bytes("bytes of an operation")}
}

func appendQueryReply(b []byte, m *QueryReply) []byte {
	b = appendU64(b, m.Nonce)
	b = appendU64(b, uint64(m.At))
	b = append(b, byte(m.Outcome))
	return appendBytes(b, m.Result)
}

func readQueryReply(r *reader) *QueryReply {
	return &QueryReply{
		Nonce: r.u64(), At: Seq(r.u64()), Outcome: QueryOutcome(r.u8()), Result: r.bytes("bytes of a result"),
	}
}
