// Package testwait says how long tests wait for what must come. A test waits for an
// event, and its deadline is only for the day on which the event does not come: so it is
// generous, and it costs nothing while all is well. One factor stretches all deadlines.
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
// Without it the factor is 1, which is good for two cores with four busy loops beside the tests.
const Variable = "CHATCAST_TEST_SLOWNESS"

// Long is how long a test waits for something that comes at once on an idle machine.
var Long = Scaled(2 * time.Minute)

// Scaled stretches a deadline by the factor. It panics when the factor is not a number of at least 1.
func Scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * factor())
}

// Context returns the context of the test, which ends after Long.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Long)
	t.Cleanup(cancel)
	return ctx
}

// LeaveOut skips a test with -short, and says why. CI runs everything: there the test
// fails instead, so that nothing is left out unseen.
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
