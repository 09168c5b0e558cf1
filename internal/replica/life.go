package replica

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"tagma/pbft/wire"
)

// Unborn is the content of HOME/life until the first start (D8.2).
const Unborn = "unborn"

// adopting precedes the life in the file while a journal of the first format is being given that life.
const adopting = "adopting "

// mark is the content of HOME/life.
type mark struct {
	missing  bool
	unborn   bool
	adopting bool
	life     wire.Life
}

func readMark(f LifeFile) (mark, error) {
	text, err := f.Read()
	if err != nil {
		return mark{}, err
	}
	text = strings.TrimSpace(text)
	m := mark{missing: text == "", unborn: text == Unborn}
	if m.missing || m.unborn {
		return m, nil
	}
	text, m.adopting = strings.CutPrefix(text, adopting)
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(m.life) {
		return mark{}, fmt.Errorf("the file life beside the key holds neither %q nor a life: bring it back from a copy, or remove it:"+
			" then this replica recovers from the others", Unborn)
	}
	copy(m.life[:], raw)
	return m, nil
}

// newLife draws a random life, never the zero one.
func (h *Home) newLife() (l wire.Life) {
	for l == (wire.Life{}) {
		binary.BigEndian.PutUint64(l[:8], h.Random())
		binary.BigEndian.PutUint64(l[8:], h.Random())
	}
	return l
}

// newNonce draws a random nonce that is not 0.
func (h *Home) newNonce() uint64 {
	for {
		if n := h.Random(); n != 0 {
			return n
		}
	}
}
