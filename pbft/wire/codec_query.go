package wire

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
