package webpost_test

import (
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"chatcast/channels/webpost"
)

// TestRefusedAddresses checks that the client refuses each address of dialguard's table, and
// that the error says so.
func TestRefusedAddresses(t *testing.T) {
	text, err := os.ReadFile("../dialguard/testdata/addresses.txt")
	if err != nil {
		t.Fatal(err)
	}
	client, refused := webpost.NewClient(time.Second, false), 0
	for line := range strings.Lines(string(text)) {
		address, ok := strings.CutPrefix(strings.TrimSpace(line), "refused ")
		if !ok {
			continue
		}
		target := url.URL{Scheme: "http", Host: net.JoinHostPort(address, "80")}
		resp, err := client.Post(target.String(), "application/json", nil)
		switch {
		case err == nil:
			resp.Body.Close()
			t.Errorf("%s was reached", address)
		case errors.Is(err, syscall.EAFNOSUPPORT): // this machine has no IPv6
		default:
			if got := webpost.ErrorOf(err, time.Second); *got != (webpost.Error{Reason: webpost.ReasonPrivate, Text: webpost.PrivateTarget}) {
				t.Errorf("%s: %+v", address, got)
			}
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d addresses were refused", refused)
	}
}
