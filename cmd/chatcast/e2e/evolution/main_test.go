// Package evolution holds tests of the dialect of Evolution API with the whole program and a
// stand-in of WhatsApp.
package evolution

import (
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m) }
