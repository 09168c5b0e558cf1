package statemachine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// loadClients reads every client with its sessions. Every session that a client holds must have a record, and every
// record must belong to such a session.
func loadClients(view StorageView) (map[[32]byte]*client, error) {
	clients := make(map[[32]byte]*client)
	for e, err := range view.Scan([]byte{spaceClient}, []byte{spaceClient + 1}) {
		if err != nil {
			return nil, err
		}
		if len(e.Key) != 1+32 {
			return nil, fmt.Errorf("client key %x: %w", e.Key, errRecord)
		}
		key := [32]byte(e.Key[1:])
		c, err := decodeClient(key, e.Value)
		if err != nil {
			return nil, fmt.Errorf("client %x: %w", key, err)
		}
		clients[key] = c
	}
	return clients, loadSessions(view, clients)
}

func loadSessions(view StorageView, clients map[[32]byte]*client) error {
	missing := 0
	for _, c := range clients {
		missing += len(c.held)
	}
	for e, err := range view.Scan([]byte{spaceSession}, []byte{spaceSession + 1}) {
		if err != nil {
			return err
		}
		if len(e.Key) != 1+32+8 {
			return fmt.Errorf("session key %x: %w", e.Key, errRecord)
		}
		key, number := [32]byte(e.Key[1:33]), binary.BigEndian.Uint64(e.Key[33:])
		c := clients[key]
		if c == nil {
			return fmt.Errorf("session %d of client %x has no client record", number, key)
		}
		s := c.find(number)
		if s == nil {
			return fmt.Errorf("session %d of client %x is not held", number, key)
		}
		if err := s.decode(e.Value); err != nil {
			return fmt.Errorf("session %d of client %x: %w", number, key, err)
		}
		missing--
	}
	if missing != 0 {
		return fmt.Errorf("%d held sessions have no record", missing)
	}
	return nil
}

// timeAt reads the agreed time of a state. The result begun reports whether the state has one. That is so after the
// first batch that is not null.
func timeAt(above layer, view StorageView) (now int64, begun bool, err error) {
	w, found := above.get(keyTime)
	if !found {
		if w.Value, found, err = view.Get(keyTime); err != nil || !found {
			return 0, false, err
		}
	}
	if len(w.Value) != 8 {
		return 0, false, errors.New("the record of the agreed time is malformed")
	}
	return int64(binary.BigEndian.Uint64(w.Value)), true, nil
}

func encodeTime(ns int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(ns)) }

// emptyView is the state after sequence number 0.
type emptyView struct{}

func (emptyView) Get([]byte) ([]byte, bool, error) { return nil, false, nil }

func (emptyView) Scan(_, _ []byte) iter.Seq2[Entry, error] { return func(func(Entry, error) bool) {} }

func (emptyView) Walk(_, _ []byte, _ bool) iter.Seq2[Entry, error] { return emptyView{}.Scan(nil, nil) }

func (emptyView) Close() {}
