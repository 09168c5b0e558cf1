package wire

import "testing"

func TestC5_OnlyLongResultsAreReplacedByTheirDigest(t *testing.T) {
	fits := [][]byte{make([]byte, 100), make([]byte, wholeResultBytes-100-2*lengthBytes)}
	whole := &Reply{Results: fits}
	if whole.Shorten(); whole.ResultDigest != nil || len(whole.Results) != 2 {
		t.Errorf("results of %d bytes are shortened", whole.resultBytes())
	}
	long := [][]byte{fits[0], append(fits[1], 0)}
	short := &Reply{Results: long}
	if short.Shorten(); short.ResultDigest == nil || *short.ResultDigest != DigestResults(long) || short.Results != nil {
		t.Errorf("one byte more gives %+v", short)
	}
	if short.Shorten(); *short.ResultDigest != DigestResults(long) {
		t.Error("shortened twice, it is another digest")
	}
}

func TestC5_ResultsAreComparedOneByOne(t *testing.T) {
	seen := map[Digest][][]byte{}
	for _, results := range [][][]byte{nil, {{}}, {{}, {}}, {[]byte("ab"), []byte("c")}, {[]byte("a"), []byte("bc")}, {[]byte("abc")}} {
		d := DigestResults(results)
		if other, taken := seen[d]; taken {
			t.Errorf("%q and %q have one digest", other, results)
		}
		seen[d] = results
	}
}

func TestC5_EveryReplicaIsDesignatedForSomeRequests(t *testing.T) {
	for _, n := range []int{4, 7, 10} {
		count := make([]int, n)
		for i := range 4096 {
			count[WholeReplier(hash(tagRequest, []byte{byte(i), byte(i >> 8)}), n)]++
		}
		for id, got := range count {
			if got < 4096/n/2 {
				t.Errorf("of 4096 requests replica %d of %d is to answer %d whole", id, n, got)
			}
		}
	}
}
