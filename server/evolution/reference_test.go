package evolution_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"chatcast/server/api/apitest"
	"chatcast/server/evolution"
)

// documented holds every answer of a test against the reference.
func documented(t *testing.T, h http.Handler) http.Handler {
	return apitest.Documented(t, h, nil)
}

// TestReferenceHasTheRoutes compares the operations of the reference with the routes.
func TestReferenceHasTheRoutes(t *testing.T) {
	ref, err := apitest.LoadEvolution()
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	ids := map[string]bool{}
	for _, op := range ref.Operations {
		documented = append(documented, op.Method+" "+strings.ReplaceAll(op.Path, "{instance}", ":instance"))
		if ids[op.OperationID] || len(op.OperationID) > 30 {
			t.Errorf("the id %s of %s is not its own, or too long", op.OperationID, op)
		}
		ids[op.OperationID] = true
	}
	routes := append(evolution.Routes(), "GET /whatsapp", "GET /openapi/evolution.yaml")
	slices.Sort(documented)
	slices.Sort(routes)
	if !slices.Equal(documented, routes) {
		t.Errorf("the reference has\n%s\nthe routes are\n%s", strings.Join(documented, "\n"), strings.Join(routes, "\n"))
	}
}
