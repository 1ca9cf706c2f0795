package testwait

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]float64{"": 1, "1": 1, "2.5": 2.5, "1000": 1000} {
		if f, err := parse(text); err != nil || f != want {
			t.Errorf("%q: %v, %v", text, f, err)
		}
	}
	for _, text := range []string{"0", "0.9", "-1", "1001", "NaN", "Inf", "slow"} {
		if f, err := parse(text); err == nil {
			t.Errorf("%q: %v and no error", text, f)
		}
	}
}

func TestContextEndsAfterLong(t *testing.T) {
	began := time.Now()
	at, ok := Context(t).Deadline()
	if !ok || at.Before(began.Add(Long)) || at.After(time.Now().Add(Long)) {
		t.Fatalf("the deadline is %v after the start, %v; want %v", at.Sub(began), ok, Long)
	}
}
