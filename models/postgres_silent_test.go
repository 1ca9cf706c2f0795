package models

import (
	"net"
	"strings"
	"testing"

	"chatcast/channels/testwait"
)

// TestSilentServer opens a database whose server accepts connections and says nothing.
func TestSilentServer(t *testing.T) {
	defer func(s string) { connectTimeout = s }(connectTimeout)
	connectTimeout = "1"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	store, err := Open(testwait.Context(t), "postgres://user:secret@"+l.Addr().String()+"/chatcast?sslmode=disable")
	if err == nil {
		_ = store.Close()
		t.Fatal("it is open")
	}
	if TroubleOf(err) != TroubleAway && TroubleOf(err) != TroubleSlow || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v, a trouble of the kind %q", err, TroubleOf(err))
	}
}

// TestConnectTimeout keeps what the administrator has set.
func TestConnectTimeout(t *testing.T) {
	t.Setenv("PGCONNECT_TIMEOUT", "")
	for given, want := range map[string]string{
		"postgres://host/db":                       "postgres://host/db?connect_timeout=10",
		"postgres://u:p%40@host/db?options=-c%20a": "postgres://u:p%40@host/db?options=-c%20a&connect_timeout=10",
		"postgres://host/db?connect_timeout=3":     "postgres://host/db?connect_timeout=3",
		"postgres://host/%zz":                      "postgres://host/%zz",
	} {
		if got := inTime(given); got != want {
			t.Errorf("%s becomes %s, want %s", given, got, want)
		}
	}
}
