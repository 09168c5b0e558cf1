package commit

import (
	"bytes"

	"tagma/crypto"
	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/codec"
)

// Group is another cluster as an administrator registered it (TX2). Receipts count only if exactly this epoch's members
// signed them.
type Group struct {
	ID      [32]byte // the digest that is under every signature of the cluster
	Name    string   // for people, such as west; in one registry no two groups have the same
	Machine string   // the name with which its machine signs statements: kv.MachineName or bank.MachineName
	Epoch   uint64
	Crash   bool       // its replicas only crash, and none of them lies
	Keys    [][32]byte // public keys by replica
}

// Members are the group's members in the form in which certificates are checked.
func (g *Group) Members() attest.Members {
	return attest.Members{ID: g.ID, Epoch: g.Epoch, Keys: g.Keys, Crash: g.Crash}
}

// Check returns BadGroup if the group cannot be registered.
func (g *Group) Check() error {
	least := 4
	if g.Crash {
		least = 3
	}
	if !visible(g.Name) || !visible(g.Machine) || len(g.Keys) < least || len(g.Keys) > MaxMembers {
		return BadGroup
	}
	known := map[[32]byte]bool{}
	for _, key := range g.Keys {
		if known[key] || crypto.CheckPublic(key) != nil {
			return BadGroup
		}
		known[key] = true
	}
	return nil
}

// visible reports whether a name has 1 to MaxName visible ASCII characters.
func visible(name string) bool {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= MaxName
}

const groupVersion = 1

func appendGroup(b []byte, g *Group) []byte {
	b = append(append(b, groupVersion), g.ID[:]...)
	b = codec.AppendString(codec.AppendString(b, g.Name), g.Machine)
	b = codec.AppendBool(codec.AppendUint(b, g.Epoch), g.Crash)
	b = codec.AppendLen(b, len(g.Keys))
	for _, key := range g.Keys {
		b = append(b, key[:]...)
	}
	return b
}

func readGroup(r *codec.Reader) (g Group) {
	if r.Uint(8) != groupVersion {
		r.Fail()
	}
	g = Group{ID: array32(r), Name: r.String(), Machine: r.String(), Epoch: r.Uint(64), Crash: r.Bool()}
	n := r.Len(32)
	if n > MaxMembers {
		r.Fail()
		return g
	}
	for range n {
		g.Keys = append(g.Keys, array32(r))
	}
	return g
}

// GroupOf returns the registered group of this identity.
func GroupOf(r statemachine.Reader, id [32]byte) (g Group, found bool) {
	b, found := r.Get(groupKey(id))
	if !found {
		return Group{}, false
	}
	c := codec.NewReader(b)
	g = readGroup(c)
	if c.End() != nil {
		panic("commit: the record of a group is malformed")
	}
	return g, true
}

// groups lists all registered groups, ascending by identity. Their encodings are those of the records.
func groups(r statemachine.Reader) (all [][]byte) {
	start := key(spaceGroup)
	for _, b := range r.Range(start, end(spaceGroup)) {
		all = append(all, bytes.Clone(b))
	}
	return all
}

// setGroup registers a group, or replaces one (TX2). An epoch never goes back, so that members who left do not return.
func setGroup(tx statemachine.Txn, g *Group) []byte {
	switch {
	case !tx.Administrator(tx.Client()):
		return refusal(NotAdministrator)
	case g.Check() != nil || g.ID == tx.Cluster():
		return refusal(BadGroup)
	}
	n := 0
	for _, b := range groups(tx) {
		other := readGroup(codec.NewReader(b))
		switch {
		case other.ID == g.ID && other.Epoch > g.Epoch:
			return refusal(OldEpoch)
		case other.ID != g.ID && other.Name == g.Name:
			return refusal(NameTaken)
		case other.ID != g.ID:
			n++
		}
	}
	if n >= MaxGroups {
		return refusal(TooManyGroups)
	}
	tx.Put(groupKey(g.ID), appendGroup(nil, g))
	return begin(opSetGroup)
}
