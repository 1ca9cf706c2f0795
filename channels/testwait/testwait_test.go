package testwait

import (
	"testing"
	"testing/synctest"
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

// refusing records that a test was failed.
type refusing struct {
	testing.TB
	failed bool
}

func (r *refusing) Helper() {}
func (r *refusing) Fatalf(string, ...any) {
	r.failed = true
	panic(r)
}

func TestCountWaitsForTheNext(t *testing.T) {
	for name, c := range map[string]struct {
		each   time.Duration // how long one takes
		failed bool
	}{"slow": {Long - time.Second, false}, "stuck": {Long + time.Second, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, r := time.Now(), &refusing{TB: t}
				defer func() {
					if p := recover(); p != nil && p != r {
						panic(p)
					}
					if r.failed != c.failed {
						t.Errorf("failed is %v after %v", r.failed, time.Since(began))
					}
				}()
				Count(r, "bricks", 5, func() int { return int(time.Since(began) / c.each) })
			})
		})
	}
}
