package journal

import "encoding/binary"

// Entry is one record. The journal does not interpret its data.
type Entry struct {
	// Seq decides when the entry may be deleted: Truncate must be called with at least this number. With 0 any call may
	// delete it, because every anchor repeats its content.
	Seq  uint64
	Data []byte
}

const entryHead = 12 // length and Seq

// payloadOf returns the payload size of a turn.
func payloadOf(entries []Entry) int64 {
	n := int64(0)
	for i := range entries {
		n += entryHead + int64(len(entries[i].Data))
	}
	return n
}

// sectorWriter spreads a payload over the sectors of a turn.
type sectorWriter struct {
	buf []byte // whole sectors
	at  int    // where in buf the next payload byte goes
}

func (w *sectorWriter) write(p []byte) {
	for len(p) > 0 {
		if w.at%sectorBytes == 0 {
			w.at += sectorHead
		}
		n := copy(w.buf[w.at:w.at+sectorBytes-w.at%sectorBytes], p)
		w.at += n
		p = p[n:]
	}
}

// appendTurn appends the sectors of one turn to buf. It sets the bytes and index of their heads.
func appendTurn(buf []byte, head sector, entries []Entry) []byte {
	payload := payloadOf(entries)
	start, size := len(buf), int(sectorsFor(payload))*sectorBytes
	buf = growBy(buf, size)
	w := sectorWriter{buf: buf[start:]}
	var eh [entryHead]byte
	for i := range entries {
		binary.LittleEndian.PutUint32(eh[:], uint32(len(entries[i].Data)))
		binary.LittleEndian.PutUint64(eh[4:], entries[i].Seq)
		w.write(eh[:])
		w.write(entries[i].Data)
	}
	if payload == 0 {
		w.at = sectorHead
	}
	clear(w.buf[w.at:])
	head.bytes = uint32(payload)
	for i := 0; i < size/sectorBytes; i++ {
		head.index = uint32(i)
		head.seal(w.buf[i*sectorBytes:])
	}
	return buf
}

// growBy lengthens buf by n bytes without clearing them.
func growBy(buf []byte, n int) []byte {
	if need := len(buf) + n; need > cap(buf) {
		bigger := make([]byte, len(buf), need+need/4)
		copy(bigger, buf)
		buf = bigger
	}
	return buf[:len(buf)+n]
}

// parseEntries splits the payload of a turn into entries, which share its memory. It returns false if the lengths do
// not add up.
func parseEntries(to []Entry, payload []byte) ([]Entry, bool) {
	for len(payload) > 0 {
		if len(payload) < entryHead {
			return to, false
		}
		n := uint64(binary.LittleEndian.Uint32(payload))
		seq := binary.LittleEndian.Uint64(payload[4:])
		payload = payload[entryHead:]
		if n > uint64(len(payload)) {
			return to, false
		}
		to = append(to, Entry{Seq: seq, Data: payload[:n:n]})
		payload = payload[n:]
	}
	return to, true
}
