package server_test

import (
	"net/http"
	"testing"

	"chatcast/server"
)

func TestAcceptsGzip(t *testing.T) {
	for _, c := range []struct {
		accepts bool
		lines   []string
	}{
		{true, []string{"gzip"}},
		{true, []string{"gzip,deflate"}},
		{true, []string{"br, GZIP;q=0.5"}},
		{true, []string{"deflate, gzip ; q=1.0"}},
		{true, []string{"gzip;Q = 0.001"}},
		{true, []string{"*"}},
		{true, []string{"deflate, *;q=0.1"}},
		{true, []string{"*;q=0, gzip"}},
		{true, []string{"br", "gzip"}},
		{false, nil},
		{false, []string{""}},
		{false, []string{"br"}},
		{false, []string{"identity"}},
		{false, []string{"xgzip"}},
		{false, []string{"gzip;q=0"}},
		{false, []string{"gzip;q=0.000"}},
		{false, []string{"gzip;q=0, *"}},
		{false, []string{"*;q=1, gzip;q=0"}},
		{false, []string{"*;q=0"}},
		{false, []string{"gzip;q=many"}},
	} {
		if got := server.AcceptsGzip(http.Header{"Accept-Encoding": c.lines}); got != c.accepts {
			t.Errorf("%q: %t", c.lines, got)
		}
	}
}
