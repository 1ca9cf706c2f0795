// Package access_test tries the whole matrix of rights: every operation of openapi.yaml and
// every channel of asyncapi.yaml, as every kind of person, on objects of their own, of
// another company, and on none. What is expected follows from x-access in the references
// alone. Operations, parameters and channels are enumerated, so a new one is tried as soon
// as it is documented, and is a failure without a right.
package access_test

import (
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m) }
