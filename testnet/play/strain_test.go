package play

import (
	"testing"
	"time"
)

func TestUsage_WhatOthersTakeIsNeitherIdleNorOurs(t *testing.T) {
	then, now := usage{all: 10, busy: 1}, usage{all: 20, busy: 8}
	now.own = 2 // of 7 that the machine used
	if got := now.takenSince(then); got < 0.499 || got > 0.501 {
		t.Errorf("others took %v, want a half", got)
	}
	now.own = 8 // children that ended were counted late
	if got := now.takenSince(then); got != 0 {
		t.Errorf("others took %v, want none", got)
	}
	if got := now.takenSince(usage{}); got != 0 {
		t.Errorf("others took %v where the system did not tell", got)
	}
}

func TestUsage_AThreadThatWaitsForAProcessorLacksIt(t *testing.T) {
	then, now := usage{ran: 1, delayed: 1}, usage{ran: 2, delayed: 4}
	if got := now.lackedSince(then); got != 0.75 {
		t.Errorf("it ran for 1 s and waited for 3 s: %v", got)
	}
	if got := (usage{}).lackedSince(usage{}); got != 0 {
		t.Errorf("it lacked %v where the system did not tell", got)
	}
}

func TestStrain_StarvedByOthersByLongWaitsOrByWantOfAProcessor(t *testing.T) {
	for _, c := range []struct {
		Strain
		want bool
	}{
		{Strain{}, false},
		{Strain{Taken: mostTaken, Lacked: mostLacked, Waited: time.Second / 4}, false},
		{Strain{Taken: 0.5}, true},
		{Strain{Waited: time.Second}, true},
		{Strain{Lacked: 0.9}, true},
	} {
		if got := c.Starved(time.Second) != ""; got != c.want {
			t.Errorf("%+v: %v", c.Strain, got)
		}
	}
}
