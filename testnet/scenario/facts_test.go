package scenario

import "testing"

func TestFacts_AreThoseOfAllThatWaitForOneEachOnce(t *testing.T) {
	s, err := Parse("x.toml", []byte(`name = "x"
[[event]]
when = "replica 2  executed 1"
do = "kill"
targets = [1]
for = "1s"
[[rule]]
when = "replica 2 executed 1"
match = {}
action = "drop"
[[script]]
when = "any replica entered 1"
from = 1
to = [0]
send = { type = "suspect", view = 0 }
`))
	if err != nil {
		t.Fatal(err)
	}
	all := s.Facts()
	if len(all) != 2 || all[0].String() != "replica 2 executed 1" || all[1].String() != "any replica entered 1" {
		t.Errorf("%v", all)
	}
	if e := s.Events; len(e) != 2 || e[1].When == nil || e[1].Do != Restart {
		t.Errorf("%+v", e)
	}
}
