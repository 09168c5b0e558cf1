package statemachine

import "encoding/binary"

// The first byte of every storage key says to which key space it belongs.
const (
	spaceApplication byte = 'a' // + the application's key
	spaceClient      byte = 'c' // + client: its floor and its held sessions
	spaceMeta        byte = 'm' // + name
	spaceSession     byte = 's' // + client + session number, big endian: its acknowledged numbers and cached replies
)

var (
	keyTime    = []byte{spaceMeta, 't', 'i', 'm', 'e'}
	keyVersion = append([]byte{spaceMeta}, "version"...) // of the application's state
)

func appendApplicationKey(dst, key []byte) []byte {
	return append(append(dst, spaceApplication), key...)
}

// StoredKey is the key under which the storage, and so the root of a checkpoint, has an application's key.
func StoredKey(key []byte) []byte { return appendApplicationKey(nil, key) }

// applicationEnd is the storage key at which a range over application keys ends. A nil end stands for the end of the
// application's key space.
func applicationEnd(end []byte) []byte {
	if end == nil {
		return []byte{spaceApplication + 1}
	}
	return appendApplicationKey(nil, end)
}

func clientKey(client [32]byte) []byte {
	return append([]byte{spaceClient}, client[:]...)
}

func sessionKey(client [32]byte, number uint64) []byte {
	k := make([]byte, 0, 1+32+8)
	k = append(append(k, spaceSession), client[:]...)
	return binary.BigEndian.AppendUint64(k, number)
}
