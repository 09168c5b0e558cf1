package check

import "testing"

func mustHold(t *testing.T, r Result, checked int) {
	t.Helper()
	if !r.Held || r.Why != "" || r.Checked != checked {
		t.Errorf("%+v; it should hold over %d facts", r, checked)
	}
}

func mustFail(t *testing.T, r Result) {
	t.Helper()
	if r.Held || r.Why == "" {
		t.Errorf("%+v; it should fail and say why", r)
	}
}

func TestI9_TheLastAcknowledgedWriteIsThere(t *testing.T) {
	writes := []Write{{"a", "1", true}, {"a", "2", true}, {"b", "1", true}, {"c", "1", false}}
	mustHold(t, Durable(writes, map[string]Found{"a": {"2", 2}, "b": {"1", 1}}), 3)
}

func TestI9_FailsForALostOrOldValue(t *testing.T) {
	writes := []Write{{"a", "1", true}, {"a", "2", true}}
	mustFail(t, Durable(writes, nil))
	mustFail(t, Durable(writes, map[string]Found{"a": {"1", 1}}))
	mustFail(t, Durable(writes, map[string]Found{"a": {"other", 2}}))
}

func TestI9_AnUnknownOutcomeMayHaveHappenedOrNot(t *testing.T) {
	writes := []Write{{"a", "1", true}, {"a", "2", false}}
	mustHold(t, Durable(writes, map[string]Found{"a": {"1", 1}}), 1)
	mustHold(t, Durable(writes, map[string]Found{"a": {"2", 2}}), 1)
	writes = append(writes, Write{"a", "3", true})
	mustFail(t, Durable(writes, map[string]Found{"a": {"2", 2}}))
}

func TestI3_EveryRequestHappensOnce(t *testing.T) {
	writes := []Write{{"a", "1", true}, {"b", "1", true}, {"b", "2", false}}
	mustHold(t, Once(writes, map[string]Found{"a": {"1", 1}, "b": {"2", 2}}), 3)
	mustHold(t, Once(writes, map[string]Found{"a": {"1", 1}, "b": {"1", 1}}), 3)
	mustFail(t, Once(writes, map[string]Found{"a": {"1", 2}}))
	mustFail(t, Once(writes, map[string]Found{"b": {"2", 3}}))
}

func TestI18_ARunMustBeReal(t *testing.T) {
	mustHold(t, Real(10, 10, []Planned{{What: "kill", Fired: true}}), 2)
	mustFail(t, Real(9, 10, nil))
	for late, timed := range map[bool]bool{false: false, true: true} {
		if got := Real(10, 10, []Planned{{What: "kill", Late: late}, {What: "heal", Late: true}}); got.Held || got.Timed != timed {
			t.Errorf("late %v: %+v", late, got)
		}
	}
	mustFail(t, Real(10, 10, []Planned{{What: "kill"}}))
}
