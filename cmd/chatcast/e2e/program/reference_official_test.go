package program_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// validators is the folder of the official validators of OpenAPI and AsyncAPI.
const validators = "../../../../server/api/testdata/validators"

// faultsOf validates the references at these URLs with the OpenAPI Initiative's JSON Schemas
// of OpenAPI 3.1 and 3.0, Redocly's linter, and AsyncAPI's own parser. It returns the faults
// of each. One process validates all: it takes seconds to load.
func faultsOf(t *testing.T, urls ...string) (faults map[string]string) {
	t.Helper()
	if _, err := os.Stat(validators + "/node_modules/@asyncapi/parser/package.json"); err != nil {
		t.Fatalf("the validators are missing (make setup gets them): %v", err)
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"validate.mjs"}, urls...)...)
	cmd.Dir = validators
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the validators: %v\n%s", err, failed.String())
	}
	faults, ran := map[string]string{}, map[string]bool{}
	url := ""
	for line := range strings.Lines(string(out)) {
		switch text := strings.TrimSuffix(line, "\n"); {
		case slices.Contains(urls, text):
			url = text
		case strings.HasSuffix(text, " faults"):
			ran[url] = true
		default:
			faults[url] += line
		}
	}
	if len(ran) < len(urls) {
		t.Fatalf("not all validators ran:\n%s", out)
	}
	return faults
}

// TestReferencesAreSound checks with the official validators that the running program
// serves valid OpenAPI 3.1 and 3.0, and an AsyncAPI 3 that is valid without other files.
func TestReferencesAreSound(t *testing.T) {
	base := e2e.Start(t, e2e.Config(t)).Base
	for url, faults := range faultsOf(t, base+"/openapi.yaml", base+"/openapi-3.0.json", base+"/asyncapi.yaml") {
		t.Errorf("%s:\n%s", url, faults)
	}
}

// spoil is a fault that a test puts into a reference, and the expected message of the
// validators.
type spoil struct{ old, new, want string }

// TestValidatorsSeeFaults spoils the references: each validator finds its faults.
func TestValidatorsSeeFaults(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	cases := map[string]struct {
		file   string
		spoils []spoil
	}{
		"OpenAPI": {"/openapi.yaml", []spoil{
			{"operationId: signIn\n", "operationID: signIn\n", "openapi schema: #/paths/~1v1~1tokens/post"},
			{"Id: {type: integer,", "Id: {type: integr,", "openapi schema: #/components/schemas/Id"},
			{`"#/components/responses/TokenPairResponse"`, `"#/components/responses/Nothing"`, "openapi lint: no-unresolved-refs"},
			{"      summary: Sign in\n", "", "openapi lint: operation-summary"},
			{`example: {"cabinetUserId": 685`, `example: {"cabinetUserId": "x"`, "openapi lint: no-invalid-schema-examples"},
		}},
		"another version of OpenAPI": {"/openapi.yaml", []spoil{{"openapi: 3.1.0\n", "openapi: 3.0.3\n", "openapi schema: #/openapi"}}},
		"no YAML":                    {"/openapi.yaml", []spoil{{"openapi: 3.1.0\n", "openapi: 3.1.0\nopenapi: 3.1.0\n", "duplicated mapping key"}}},
		"AsyncAPI":                   {"/asyncapi.yaml", []spoil{{"action: receive", "action: shout", "asyncapi: asyncapi-document-resolved"}}},
		"OpenAPI 3.0": {"/openapi-3.0.json", []spoil{
			{`"type": "boolean",`, `"type": ["boolean", "null"],`, "openapi 3.0 schema: #/"},
			{`"#/components/responses/TokenPairResponse"`, `"#/components/responses/Nothing"`, "openapi 3.0 lint: no-unresolved-refs"},
		}},
		"another file of the server": {"/asyncapi.yaml", []spoil{{"#/components/messages/chatTag\"", "/schemas/chatTag.json\"", "asyncapi: invalid-ref"}}},
		"messages of another channel": {"/asyncapi.yaml", []spoil{{
			"#/channels/user/messages/quickResponse\"", "#/channels/company/messages/employeeStatus\"",
			"asyncapi: asyncapi3-operation-messages-from-referred-channel",
		}}},
	}
	urls := map[string]string{}
	for name, c := range cases {
		urls[name] = spoiled(t, p, c.file, c.spoils) + c.file
	}
	faults := faultsOf(t, slices.Collect(maps.Values(urls))...)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, s := range c.spoils {
				if found := faults[urls[name]]; !strings.Contains(found, s.want) {
					t.Errorf("not found: %s; the validators say\n%s", s.want, found)
				}
			}
		})
	}
}

// spoiled returns the address of a server that serves the program's references, one of
// them with faults.
func spoiled(t *testing.T, p *e2e.Running, file string, spoils []spoil) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		p.Components().Router.ServeHTTP(rec, r)
		text := rec.Body.String()
		if r.URL.Path == file {
			for _, s := range spoils {
				if !strings.Contains(text, s.old) {
					t.Errorf("%s has no %q to spoil", file, s.old)
				}
				text = strings.Replace(text, s.old, s.new, 1)
			}
		}
		w.WriteHeader(rec.Code)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
