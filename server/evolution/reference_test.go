package evolution_test

import (
	"net/http"
	"testing"
)

func documented(_ *testing.T, h http.Handler) http.Handler { return h }
