// Package proof owns the documents that show somebody outside what a cluster did: the receipt of a reply, and a read that
// is proven from a stable checkpoint. A document holds everything but the members' keys, which the cluster file has, so
// it is verified offline. The third document, the certificate of a machine's statement, is package attest's own.
//
// Every document has a magic, a format version and one encoding. Each of its bytes is covered by a signature or a digest
// that is, so that no byte can be changed. Decoding accepts any bytes, and verifies nothing.
package proof
