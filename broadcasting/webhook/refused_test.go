package webhook

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
)

// The transport of webhooks refuses each address of dialguard's table, and the attempt
// reports that.
func TestRefusedAddresses(t *testing.T) {
	text, err := os.ReadFile("../../channels/dialguard/testdata/addresses.txt")
	if err != nil {
		t.Fatal(err)
	}
	client, refused := &http.Client{Transport: newTransport(false)}, 0
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
			if got := attemptErrorOf(err, postTime); *got != (attemptError{reasonPrivate, privateTarget}) {
				t.Errorf("%s: %+v", address, got)
			}
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d addresses were refused", refused)
	}
}
