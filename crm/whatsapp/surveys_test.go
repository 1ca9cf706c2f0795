package whatsapp

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestSurveysAreRare checks that connections which drop again and again ask WhatsApp about
// the account a few times only, and that one which lasts asks when it may.
func TestSurveysAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times surveyTimes
		asked, began := 0, time.Now()
		for time.Since(began) < surveysFor-time.Minute {
			dropped, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			if times.await(dropped) == nil {
				asked++
			}
			<-dropped.Done()
			cancel()
		}
		if asked != surveys {
			t.Errorf("asked %d times", asked)
		}
		if err := times.await(t.Context()); err != nil || time.Since(began) != surveysFor {
			t.Errorf("asked again after %s, %v", time.Since(began), err)
		}
	})
}
