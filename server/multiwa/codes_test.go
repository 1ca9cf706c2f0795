package multiwa

import (
	"testing"

	"chatcast/server"
)

// TestCloseCodes checks the codes and texts of all reasons for which a socket is closed.
func TestCloseCodes(t *testing.T) {
	for _, c := range []struct {
		reason server.Reason
		code   int
		text   string
	}{
		{server.Silent, 4002, "No pong was received in time"},
		{server.SlowConsumer, 4008, "The connection is too slow for what is sent on it"},
		{server.Stopping, 1012, "The server restarts, please come back"},
		{server.Moved, 1012, "The server stops, and another one takes over"},
		{server.AddressFull, 1013, "Too many connections from this address"},
		{server.Internal, 1011, "internal"},
	} {
		if got := new(socket).Disconnect(c.reason); got.Code != c.code || got.Message != c.text {
			t.Errorf("%s: %+v", c.reason, got)
		}
	}
	for _, c := range []struct {
		closing closing
		code    int
		text    string
	}{
		{closeRevoked, 4001, "The API key was revoked"}, {closeCutOff, 1012, "The server was cut off from the others, please come back"},
		{closeTrouble, 1011, "Internal error"},
	} {
		if got := c.closing.disconnect(); got.Code != c.code || got.Message != c.text {
			t.Errorf("%+v: %+v", c.closing, got)
		}
	}
}
