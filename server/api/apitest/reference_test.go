package apitest_test

import (
	"testing"

	"chatcast/server/api/apitest"
)

// TestReferenceIsValid checks openapi.yaml, and the pages, against the OpenAPI
// specification, with all examples.
func TestReferenceIsValid(t *testing.T) {
	ref, err := apitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := ref.Doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestEvolutionReferenceIsValid does so for the dialect's.
func TestEvolutionReferenceIsValid(t *testing.T) {
	ref, err := apitest.LoadEvolution()
	if err != nil {
		t.Fatal(err)
	}
	if err := ref.Doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestMultiWAReferenceIsValid does so for that dialect's.
func TestMultiWAReferenceIsValid(t *testing.T) {
	ref, err := apitest.LoadMultiWA()
	if err != nil {
		t.Fatal(err)
	}
	if err := ref.Doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}
