package statemachine

import (
	"bytes"
	"slices"
)

// written is the layer of finished batches that the storage does not hold yet, ascending by sequence number. Unlike an
// overlay it never changes, so queries can read it while the next batch executes.
type written []WriteSet

func (w written) get(key []byte) (Write, bool) {
	for _, set := range slices.Backward(w) {
		if i, found := slices.BinarySearchFunc(set.Writes, key, compareWrite); found {
			return set.Writes[i], true
		}
	}
	return Write{}, false
}

func (w written) seek(key []byte) (Write, bool) {
	var (
		lowest Write
		exists bool
	)
	for _, set := range slices.Backward(w) { // the newest set comes first, so that its value wins if several sets have the key
		i, _ := slices.BinarySearchFunc(set.Writes, key, compareWrite)
		if i < len(set.Writes) && (!exists || bytes.Compare(set.Writes[i].Key, lowest.Key) < 0) {
			lowest, exists = set.Writes[i], true
		}
	}
	return lowest, exists
}

func (w written) seekDown(below []byte) (highest Write, exists bool) {
	for _, set := range slices.Backward(w) { // the newest first, as in seek
		i, _ := slices.BinarySearchFunc(set.Writes, below, compareWrite)
		if i > 0 && (!exists || bytes.Compare(set.Writes[i-1].Key, highest.Key) > 0) {
			highest, exists = set.Writes[i-1], true
		}
	}
	return highest, exists
}

func compareWrite(w Write, key []byte) int { return bytes.Compare(w.Key, key) }
