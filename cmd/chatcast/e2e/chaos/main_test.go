// Package chaos runs a cluster of three nodes while everything around it breaks, and checks
// what was committed against what every client and receiver got. `make chaos` runs it for
// as long as one likes; an ordinary `go test` for some seconds.
//
// The faults are made out of a seed before the run, and printed, so that the same seed has
// the same schedule. What the machine makes of it differs from run to run.
package chaos

import (
	"flag"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

var (
	seedFlag = flag.Uint64("chaos.seed", 7, "the seed of the schedule; 0 is one by the clock")
	timeFlag = flag.Duration("chaos.time", time.Minute, "for how long there are faults")
	busFlag  = flag.String("chaos.bus", "postgres", "postgres or redis")
)

// patience is how long one waits for what must come.
var patience = testwait.Long

func TestMain(m *testing.M) { e2e.Main(m) }
