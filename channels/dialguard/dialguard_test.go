package dialguard

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestControl(t *testing.T) {
	text, err := os.ReadFile("testdata/addresses.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 2 || fields[0] == "#" {
			continue
		}
		seen[fields[0]]++
		network := "tcp4"
		if strings.Contains(fields[1], ":") {
			network = "tcp6"
		}
		for _, port := range []string{"80", "6001"} {
			err := Control(network, net.JoinHostPort(fields[1], port), nil)
			if refused := errors.Is(err, ErrNotPublic); refused != (fields[0] == "refused") || !refused && err != nil {
				t.Errorf("%s port %s: %v, want %s", fields[1], port, err, fields[0])
			}
		}
	}
	if seen["public"] < 8 || seen["refused"] < 45 {
		t.Errorf("the table has %v", seen)
	}
	for _, address := range []string{"", "nowhere", "localhost:80", "8.8.8.8", "8.8.8.8:http"} {
		if err := Control("tcp4", address, nil); !errors.Is(err, ErrNotPublic) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestTransport checks that a transport checks redirects, and ignores proxies.
func TestTransport(t *testing.T) {
	asked := 0
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(private.Close)
	t.Setenv("HTTP_PROXY", private.URL)
	t.Setenv("http_proxy", private.URL)
	get := func(transport http.RoundTripper, url string) error {
		resp, err := (&http.Client{Transport: transport}).Get(url)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}

	guarded := NewTransport(time.Minute, false)
	public := httptest.NewServer(http.RedirectHandler(private.URL, http.StatusFound))
	t.Cleanup(public.Close)
	guarded.RegisterProtocol("public", roundTrip(func(r *http.Request) (*http.Response, error) {
		return http.DefaultTransport.RoundTrip(httptest.NewRequest("GET", public.URL, nil).WithContext(r.Context()))
	}))
	for _, url := range []string{private.URL, strings.Replace(private.URL, "127.0.0.1", "localhost", 1), "public://anywhere/"} {
		if err := get(guarded, url); !errors.Is(err, ErrNotPublic) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if guarded.Proxy != nil || asked != 0 {
		t.Errorf("a private address or a proxy was asked %d times", asked)
	}
	open := NewTransport(time.Minute, true)
	t.Cleanup(open.CloseIdleConnections)
	if err := get(open, private.URL); err != nil || asked != 1 {
		t.Errorf("with leave: %v, asked %d times", err, asked)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
