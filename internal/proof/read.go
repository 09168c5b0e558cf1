package proof

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"tagma/checkpoint/merkle"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Read shows what an application key held in the state of a stable checkpoint (K1), or that it held nothing.
type Read struct {
	Key   []byte // the application's key
	Found bool
	Value []byte      // only if Found
	Path  merkle.Path // from the root of the checkpoint's tree
	Cert  []byte      // the stable certificate, as wire.StableCert.Proof encodes it
}

// Encode returns the read in bytes: magic, version, key, found, value, certificate, path, and the SHA-256 of all before it.
// Key, value and certificate are behind their lengths.
//
// The path to an empty place proves the absence of every key whose place it is, so a key could be changed into another one
// that is absent, too. That would be true, and yet not what was asked; the checksum shows that somebody changed it.
func (r *Read) Encode() []byte {
	b := append([]byte(readMagic), version)
	b = appendBytes(b, r.Key)
	if r.Found {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = appendBytes(appendBytes(b, r.Value), r.Cert)
	b = r.Path.Append(b)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// IsRead reports whether bytes begin like a proven read.
func IsRead(b []byte) bool { return bytes.HasPrefix(b, []byte(readMagic)) }

// DecodeRead reads an encoded read. It shares memory with b.
func DecodeRead(b []byte) (*Read, error) {
	whole := len(b) - sha256.Size
	d, err := begin(b[:max(whole, 0)], readMagic)
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(b[:whole]) != [32]byte(b[whole:]) {
		return nil, fmt.Errorf("%w: its checksum does not match", ErrMalformed)
	}
	r := &Read{Key: d.bytes()}
	flag := d.take(1)
	r.Value, r.Cert = d.bytes(), d.bytes()
	if d.bad || flag[0] > 1 || flag[0] == 0 && len(r.Value) > 0 {
		return nil, ErrMalformed
	}
	r.Found = flag[0] == 1
	if r.Path, d.rest, err = merkle.ReadPath(d.rest); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return r, d.end()
}

// Verify checks the path to the root of the checkpoint, and that a quorum of the members signed that root. It returns the
// checkpoint's sequence number.
func (r *Read) Verify(cfg *wire.Config, holds func([]wire.Claim) bool) (wire.Seq, error) {
	key, value := sha256.Sum256(statemachine.StoredKey(r.Key)), (*[32]byte)(nil)
	if r.Found {
		value = new(sha256.Sum256(r.Value))
	}
	root, err := r.Path.Root(key, value)
	if err != nil {
		return 0, err
	}
	cert, err := wire.ReadProof(cfg, r.Cert, holds)
	switch {
	case err != nil:
		return 0, err
	case len(cert.Checkpoints) == 0: // the beginning of the cluster, which nobody signed
		return 0, errors.New("its certificate has no signatures")
	case cert.Digest != root:
		return 0, errors.New("its path does not lead to the root of the checkpoint that the members signed")
	}
	return cert.Seq, nil
}
