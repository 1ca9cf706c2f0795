package webhook_test

import (
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/webhook/storetest"
)

func TestMemoryStore(t *testing.T) {
	for _, c := range storetest.Cases {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &storetest.Memory{}
				c.Test(t, storetest.Subject{A: m, B: m, Pass: func(_ *testing.T, d time.Duration) { time.Sleep(d) }})
			})
		})
	}
}
