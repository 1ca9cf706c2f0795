package crmtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
)

// GroupChange decodes the item of a chatGroup event, and returns it with one line that says
// what has changed, about whom, and who did it.
func GroupChange(t testing.TB, raw json.RawMessage) (item crm.ChatGroupItem, text string) {
	t.Helper()
	if err := json.Unmarshal(raw, &item); err != nil {
		t.Fatal(err)
	}
	text = item.Type
	for _, m := range item.Members {
		text += " " + strings.TrimSuffix(m.ID, "@c.us")
	}
	if item.By != nil {
		text += " by " + item.By.Name
	}
	if item.Edited != nil {
		text += fmt.Sprintf(" by %d", item.Edited.ID)
	}
	return item, text
}
