package kvtext

import (
	"encoding/base64"

	"tagma/statemachine/kv"
)

// Event is a change in JSON. The value is always base64; of a key that is not UTF-8 there is key_base64 instead of key.
type Event struct {
	Revision    uint64  `json:"rev"`
	Seq         uint64  `json:"seq"`
	Type        string  `json:"type"` // put or delete
	Key         *string `json:"key,omitempty"`
	KeyBase64   *string `json:"key_base64,omitempty"`
	ValueBase64 *string `json:"value_base64,omitempty"` // of a put
	Previous    *Pair   `json:"prev"`                   // null if the key did not exist before
}

// EventOf makes an Event of an event from the machine.
func EventOf(e *kv.Event) Event {
	out := Event{Revision: e.Revision, Seq: e.Seq, Type: e.Type.String()}
	out.Key, out.KeyBase64 = textOrBase64(e.Pair.Key)
	if e.Type == kv.EventPut {
		value := base64.StdEncoding.EncodeToString(e.Pair.Value)
		out.ValueBase64 = &value
	}
	if e.Previous != nil {
		previous := PairOf(e.Previous)
		out.Previous = &previous
	}
	return out
}
