// Package cluster_test runs the built program several times on one PostgreSQL, as its users
// do.
package cluster_test

import (
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m) }
