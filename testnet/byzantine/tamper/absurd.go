package tamper

import (
	"math"
	"reflect"

	"tagma/pbft/wire"
)

// spoiled are the types that a malformer makes messages of. Of those that bear no signature it makes the ones that a cluster
// refuses between replicas, or answers: others would be believed.
var spoiled = []wire.Message{
	&wire.Request{}, &wire.PrePrepare{}, &wire.Prepare{}, &wire.Commit{}, &wire.Checkpoint{}, &wire.Suspect{}, &wire.ViewChange{},
	&wire.NewView{}, &wire.Heartbeat{}, &wire.CertifiedBody{}, &wire.StableNotice{}, &wire.Query{}, &wire.Reply{}, &wire.Report{},
	&wire.Status{},
}

// message returns a message of any of these types, full of absurd numbers and without a signature that holds.
func (m *Malformer) message() wire.Message {
	made := reflect.New(reflect.TypeOf(spoiled[m.dice.IntN(len(spoiled))]).Elem())
	m.fill(made.Elem())
	if s, is := made.Interface().(*wire.Status); is { // one that keeps to the rules would be believed
		s.Helper = math.MaxUint16
	}
	return made.Interface().(wire.Message)
}

// fill gives every exported field below a value that may be absurd.
func (m *Malformer) fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				m.fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		switch v.Interface().(type) {
		case *wire.Body, *wire.Request: // never missing
		default:
			if m.chance(2) {
				return
			}
		}
		v.Set(reflect.New(v.Type().Elem()))
		m.fill(v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(make([]byte, m.dice.IntN(64)))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), m.dice.IntN(4), 4))
		for i := range v.Len() {
			m.fill(v.Index(i))
		}
	case reflect.Array:
		if _, signature := v.Interface().(wire.Signature); !signature {
			for i := range v.Len() {
				v.Index(i).SetUint(uint64(m.dice.IntN(256)))
			}
		}
	case reflect.Bool:
		v.SetBool(m.chance(2))
	case reflect.Int64:
		v.SetInt(int64(m.number()))
	case reflect.Uint16: // mostly a replica that there is
		if v.SetUint(uint64(m.dice.IntN(4))); m.chance(2) {
			v.SetUint(uint64(uint16(m.number())))
		}
	default:
		v.SetUint(m.number())
	}
}

// number is mostly an end of the range or next to it.
func (m *Malformer) number() uint64 {
	ends := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, math.MaxInt64, math.MaxInt64 + 1, 1 << 62, 1<<62 + 1}
	if m.chance(4) {
		return m.dice.Uint64()
	}
	return ends[m.dice.IntN(len(ends))]
}
