package app

import (
	"log/slog"
	"strings"
	"testing"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// TestTagsInMainNamespace checks that a change of a company's tags comes to the main namespace
// once, and that nothing else does that is of no line.
func TestTagsInMainNamespace(t *testing.T) {
	w, _ := roomsOf(t, testdb.Open(t, testdb.SQLiteURL(t)))
	e := instanceEvents{w.InstanceDirectory(), "https://chat.example", true, slog.New(slog.DiscardHandler)}
	ev := broadcasting.Event{
		Channel: channels.CompanyLinesName(crmtest.CompanyID), Name: crm.EventCompanyTag, Seq: 7,
		Data: `{"payload":{"data":[{"type":"edit","tag":{"id":3,"name":"VIP","color":"#64c4ff"}}],"meta":{"type":"companyTag","companyId":1}}}`,
	}
	got := e.Emits(ev)
	if len(got) != 1 || got[0].Name != "labels.edit" || !strings.Contains(string(got[0].Data), `"instance":"1229-WhatsApp"`) {
		t.Errorf("there comes %+v", got)
	}
	ev.Name = "employeeStatus"
	if got := e.Emits(ev); len(got) > 0 {
		t.Errorf("of no line there comes %+v", got)
	}
	ev.Name, ev.Channel = crm.EventCompanyTag, channels.CompanyLinesName(999)
	if got := e.Emits(ev); len(got) > 0 {
		t.Errorf("of a company without instances there comes %+v", got)
	}
}
