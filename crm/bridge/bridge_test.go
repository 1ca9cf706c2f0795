package bridge_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"chatcast/crm"
	"chatcast/crm/bridge"
)

func TestMessageIDs(t *testing.T) {
	for messenger, form := range map[string]string{
		"grWhatsApp": `^"3EB0[0-9A-F]{18}"$`,
		"WhatsApp":   `^"3EB0[0-9A-F]{18}"$`,
		"telegram":   `^[4-9][0-9]{15}$`, // a JSON number
		"myOwn":      `^[4-9][0-9]{15}$`,
	} {
		seen := map[string]bool{}
		for range 1000 {
			id := bridge.Messenger{}.MessageID(crm.Line{LicenseID: 1, Messenger: messenger})
			b, err := json.Marshal(crm.MakeID(messenger, id))
			if err != nil || !regexp.MustCompile(form).Match(b) {
				t.Fatalf("%s: %s, %v; want %s", messenger, b, err, form)
			}
			if seen[id] {
				t.Fatalf("%s: %s twice", messenger, id)
			}
			seen[id] = true
		}
	}
}
