package socketio

import (
	"testing"

	"chatcast/channels/testwait"
)

func TestMain(m *testing.M) { testwait.Main(m) }
