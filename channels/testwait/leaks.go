package testwait

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Main runs the tests of a package, fails when one left a goroutine behind, and exits.
func Main(m *testing.M, options ...goleak.Option) {
	code := m.Run()
	if code == 0 {
		if err := Leaks(options...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Leaks waits for the goroutines of the tests to end, and returns an error that names
// those that do not. It waits long, because a library's goroutine may have a timeout of
// its own, such as whatsmeow's 75 s for an answer.
func Leaks(options ...goleak.Option) (err error) {
	for deadline := time.Now().Add(Long); ; {
		if err = goleak.Find(options...); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
