package refusals_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/channels/refusals"
)

// A flood of one kind is counted whole and logged in few lines, which tell what they
// leave out, and it does not keep the others out of the log.
func TestFloodIsCountedAndHardlyLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := refusals.New(slog.New(slog.NewTextHandler(&out, nil)))
		lines := func() (list []string) {
			list = strings.Split(strings.TrimSpace(out.String()), "\n")
			out.Reset()
			return list
		}
		for i := range 5000 {
			l.Add(t.Context(), refusals.SignIn, refusals.WrongPassword, "address", fmt.Sprint("192.0.2.", i%256))
		}
		if got := lines(); len(got) != 10 || !strings.Contains(got[9], `level=INFO msg=refused what=sign_in reason=wrong_password address=192.0.2.9`) {
			t.Errorf("of a flood there are %d lines:\n%s", len(got), strings.Join(got, "\n"))
		}
		l.Add(t.Context(), refusals.Publish, refusals.BadSignature, "app", "1")
		if got := lines(); len(got) != 1 || strings.Contains(got[0], "unlogged") {
			t.Errorf("another kind is logged as\n%s", strings.Join(got, "\n"))
		}
		time.Sleep(time.Minute)
		l.Add(t.Context(), refusals.SignIn, refusals.WrongPassword)
		l.Add(t.Context(), refusals.SignIn, refusals.WrongPassword)
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "unlogged=4990") {
			t.Errorf("a minute later there is\n%s", strings.Join(got, "\n"))
		}
		time.Sleep(time.Hour) // the bucket is full, and no fuller
		for range 100 {
			l.Add(t.Context(), refusals.SignIn, refusals.WrongPassword)
		}
		if got := lines(); len(got) != 10 {
			t.Errorf("after an hour there are %d lines", len(got))
		}
		if n := l.Counts()[refusals.Kind{What: refusals.SignIn, Reason: refusals.WrongPassword}]; n != 5102 {
			t.Errorf("%d are counted, want 5102", n)
		}
	})
}

// The number of kinds is fixed, whatever is added.
func TestKindsAreFixed(t *testing.T) {
	l := refusals.New(slog.New(slog.DiscardHandler))
	before := len(l.Counts())
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			l.Add(t.Context(), refusals.SignIn, refusals.Reason(fmt.Sprint("made up ", i)))
			l.Add(t.Context(), refusals.What(fmt.Sprint("made up ", i)), refusals.Denied)
		})
	}
	all.Wait()
	counts := l.Counts()
	if len(counts) != before {
		t.Errorf("there were %d kinds, now %d", before, len(counts))
	}
	if n := counts[refusals.Kind{What: refusals.SignIn, Reason: refusals.Other}]; n != 50 {
		t.Errorf("%d are counted as other, want 50", n)
	}
	var none *refusals.Log
	none.Add(t.Context(), refusals.SignIn, refusals.WrongPassword) // does nothing
	if none.Counts() != nil {
		t.Error("nothing counts something")
	}
}
