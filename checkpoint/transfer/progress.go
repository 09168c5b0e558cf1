package transfer

// Progress says how far a transfer has come.
type Progress struct {
	Compared uint64 // subtrees that were found equal, and keys of the certified state that were compared one by one
	Fetched  uint64 // keys that were received and verified
	Written  uint64 // keys set
	Deleted  uint64 // keys deleted
	Bytes    uint64 // bytes of answers
	Late     uint64 // of them, those that another donor had been asked for meanwhile
	// Share is the part of the hash space that was compared and fetched, 0 to 1. It never falls, and it is 1 exactly
	// when nothing is left to ask for.
	Share float64
}

// Progress returns how far the transfer has come.
func (r *Receiver) Progress() Progress {
	p := r.progress
	p.Share = r.share.float()
	return p
}

// share is the settled part of the hash space as a number in base 16: digit d counts subtrees at depth d.
type share [maxDepth + 1]uint8

// settle adds a subtree at this depth.
func (r *Receiver) settle(depth int) {
	for ; depth > 0; depth-- {
		if r.share[depth]++; r.share[depth] < 16 {
			return
		}
		r.share[depth] = 0
	}
	r.share[0]++
}

func (s *share) complete() bool { return s[0] > 0 }

// float converts the share to a float64. It leaves out the digits that a float64 cannot hold exactly, so that a larger
// share never gives a smaller number.
func (s *share) float() float64 {
	const exact = 13
	sum, unit := float64(s[0]), 1.0
	for d := 1; d <= exact; d++ {
		unit /= 16
		sum += unit * float64(s[d])
	}
	return sum
}
