package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// FuzzOpen: whatever a segment file holds, reading it does not panic, and every entry that it returns lies in sectors
// whose checksums hold. With fix set, the test corrects the checksums, so that the fuzzer also reaches the code that
// runs after they are checked.
func FuzzOpen(f *testing.F) {
	d, c := smallJournal(f)
	for _, s := range c {
		f.Add(d.bytesOf(s), false)
		f.Add(d.bytesOf(s), true)
	}
	torn := bytes.Clone(d.bytesOf(c[2]))
	clear(torn[c[2].last*sectorBytes : (c[2].last+1)*sectorBytes])
	f.Add(torn, false)
	f.Add(torn[:1000], true)
	f.Fuzz(func(t *testing.T, file []byte, fix bool) {
		if fix {
			file = bytes.Clone(file)
			for at := 0; at+sectorBytes <= len(file); at += sectorBytes {
				if b := file[at : at+sectorBytes]; !isZero(b) {
					binary.LittleEndian.PutUint32(b, checksum(b))
				}
			}
		}
		s, err := scanSegment("file", bytes.NewReader(file), int64(len(file)), segmentName(3))
		if err != nil && !errors.Is(err, ErrRot) && (len(file) < 5 || file[4] == version) {
			t.Fatalf("neither rot nor another format: %v", err)
		}
		if covered := coveredPayload(file, s.next); !bytes.HasPrefix(covered, payloadBytesOf(s.entries)) {
			t.Fatal("an entry comes from outside the checksums")
		}
	})
}

// coveredPayload joins the payloads of the sectors before next whose checksum holds, without the header.
func coveredPayload(file []byte, next int64) []byte {
	var all []byte
	for i := int64(1); i < next; i++ {
		if b := file[i*sectorBytes : (i+1)*sectorBytes]; checksumHolds(b) {
			rest := int(binary.LittleEndian.Uint32(b[28:])) - int(binary.LittleEndian.Uint32(b[24:]))*payloadBytes
			all = append(all, b[sectorHead:sectorHead+max(0, min(rest, payloadBytes))]...)
		}
	}
	return all
}

func payloadBytesOf(entries []Entry) []byte {
	var all []byte
	for _, e := range entries {
		all = binary.LittleEndian.AppendUint32(all, uint32(len(e.Data)))
		all = binary.LittleEndian.AppendUint64(all, e.Seq)
		all = append(all, e.Data...)
	}
	return all
}
