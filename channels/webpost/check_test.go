package webpost_test

import (
	"os"
	"strings"
	"testing"

	"chatcast/channels/webpost"
)

// TestCheck checks that URLs with each address of dialguard's table are judged as when they are
// dialled, and that names are resolved.
func TestCheck(t *testing.T) {
	text, err := os.ReadFile("../dialguard/testdata/addresses.txt")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) != 2 || words[0] != "refused" && words[0] != "public" {
			continue
		}
		kind, address := words[0], words[1]
		host := address
		if strings.Contains(address, ":") {
			host = "[" + strings.ReplaceAll(address, "%", "%25") + "]"
		}
		failure := webpost.Check(t.Context(), "https://"+host+"/hook")
		if (failure != nil) != (kind == "refused") {
			t.Errorf("%s: %v, want it to be %s", address, failure, kind)
		}
		if failure != nil {
			refused++
			if failure.Reason != webpost.ReasonPrivate {
				t.Errorf("%s: %+v", address, failure)
			}
		}
	}
	if refused < 20 {
		t.Errorf("only %d addresses were refused", refused)
	}
	if webpost.Check(t.Context(), "http://localhost:8080/hook") == nil {
		t.Error("localhost is good")
	}
	if failure := webpost.Check(t.Context(), "http://no-such-host.invalid/hook"); failure != nil {
		t.Errorf("a name that cannot be resolved: %v", failure)
	}
}
