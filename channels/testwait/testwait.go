// Package testwait sets how long tests wait. A test waits for an event, and its deadline
// serves only when the event does not come: so the deadline is generous, and costs
// nothing while all is well. One factor stretches all deadlines.
//
// The package is for tests alone and imports nothing of ours. It stands below channels,
// which the tests of every room may import.
package testwait

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Variable is the environment variable that holds the factor, a number of at least 1.
// The default is 1, which suffices for two cores with four busy loops beside the tests.
const Variable = "CHATCAST_TEST_SLOWNESS"

// Long is the deadline for events that come at once on an idle machine.
var Long = Scaled(2 * time.Minute)

// Scaled stretches a deadline by the factor. It panics if the factor is not a number of
// at least 1.
func Scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * factor())
}

// Context returns a context derived from the test's, which ends after Long.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Long)
	t.Cleanup(cancel)
	return ctx
}

// Count waits until count returns at least want. The deadline is that of the next one:
// Count fails the test when the number has not grown for Long, however many are missing.
func Count(t testing.TB, what string, want int, count func() int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	most, grown := -1, time.Now()
	for {
		n := count()
		if n >= want {
			return
		}
		if n > most {
			most, grown = n, time.Now()
		}
		if time.Since(grown) > Long {
			t.Fatalf("%s: %d of %d, and no more for %v", what, n, want, Long)
		}
		<-tick.C
	}
}

// LeaveOut skips a test under -short and logs why. CI runs every test: there the test
// fails instead, so that no test is left out unseen.
func LeaveOut(t testing.TB, why string) {
	t.Helper()
	switch {
	case !testing.Short():
	case os.Getenv("CI") == "true":
		t.Fatalf("%s, so -short leaves it out: CI must not use -short", why)
	default:
		t.Skipf("%s: left out with -short", why)
	}
}

var factor = sync.OnceValue(func() float64 {
	f, err := parse(os.Getenv(Variable))
	if err != nil {
		panic(err)
	}
	return f
})

func parse(text string) (float64, error) {
	if text == "" {
		return 1, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 1 && f <= 1000) {
		return 0, fmt.Errorf("%s is %q: it must be a number from 1 to 1000", Variable, text)
	}
	return f, nil
}
