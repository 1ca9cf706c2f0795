package evolution_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"chatcast/server/evolution"
)

// TestWrongTypes gives each field of each route values of all types, while the others are as they
// should be. Nothing may fail inside the server: a failure that Evolution answers with 500 says why.
func TestWrongTypes(t *testing.T) {
	w := onSQLite(t)
	values := []string{ // null and "" count as absent
		`true`, `0`, `-1`, `1.5`, `1e308`, `123456789012345678901234567890`, `"x"`, `"\u0000"`, `[]`, `[null]`, `[{}]`, `{}`, `{"key":{"id":{}}}`,
		`"` + strings.Repeat("9", 3000) + `"`, `"a@b@c"`, `":@lid"`,
	}
	tried := 0
	for _, rt := range evolution.RoutesWithFields() {
		path := strings.Replace(rt.Path, ":instance", shop, 1)
		for _, name := range slices.Sorted(maps.Keys(rt.Fields)) {
			for _, value := range values {
				body := map[string]json.RawMessage{}
				for other, right := range rt.Fields {
					body[other] = json.RawMessage(right)
				}
				body[name] = json.RawMessage(value)
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				status, answer, _ := w.request(w.line, rt.Method+" "+path, string(text))
				tried++
				if status >= 500 && status != 501 && !strings.Contains(answer, `"message":[`) {
					t.Errorf("%s %s %.200s: %d %s", rt.Method, path, text, status, answer)
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d bodies were tried", tried)
	}
}
