package crm_test

import (
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// tagNames returns the company's tags with their colours, by sort and id.
func tagNames(t *testing.T, w *crmtest.World) string {
	t.Helper()
	page, err := w.Tags(t.Context(), w.Owner, crm.TagQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, tag := range page.Items {
		list = append(list, tag.Name+tag.Color)
	}
	return strings.Join(list, " ")
}

// TestLabelsAreTags checks that a label of the account's phone is a tag of the
// company.
func TestLabelsAreTags(t *testing.T) {
	onOther := crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: whatsApp}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		if _, err := w.CreateTag(t.Context(), w.Owner, crm.TagInput{Name: crm.Value("Paid"), Color: crm.Value("#00ff00")}); err != nil {
			t.Fatal(err)
		}
		label := func(id, name, color string) crm.InboundBatch {
			return crm.InboundBatch{Labels: []crm.InboundLabel{{ID: id, Name: name, Color: color}}}
		}
		gone := func(id string) crm.InboundBatch {
			return crm.InboundBatch{Labels: []crm.InboundLabel{{ID: id, Deleted: true}}}
		}
		put := func(id, chat string, added bool) crm.InboundBatch {
			return crm.InboundBatch{Tags: []crm.InboundTag{{Chat: chatOf(chat), Label: id, Added: added}}}
		}
		const bea = "79990003344@c.us"
		for _, step := range []struct {
			name   string
			on     crm.Line
			news   crm.InboundBatch
			events string
			tags   string
		}{
			{"a label", onGr, label("1", "VIP", "#ff0000"), "companyTag", "Paid#00ff00 VIP#ff0000"},
			{"one that the company has as a tag", onGr, label("2", "Paid", ""), "", "Paid#00ff00 VIP#ff0000"},
			{"the same on another line", onOther, label("7", "VIP", ""), "", "Paid#00ff00 VIP#ff0000"},
			{"put on a chat that is new", onGr, put("1", anna, true), "chatTag", "Paid#00ff00 VIP#ff0000"},
			{"put on it again", onGr, put("1", anna, true), "", "Paid#00ff00 VIP#ff0000"},
			{"on another line's chat", onOther, put("7", anna, true), "chatTag", "Paid#00ff00 VIP#ff0000"},
			{"renamed where another line has it too", onGr, label("1", "Best", ""), "companyTag chatTag chatTag", "Paid#00ff00 VIP#ff0000 Best#ff0000"},
			{"renamed where no other has it", onGr, label("1", "Very best", "#0000ff"), "companyTag", "Paid#00ff00 VIP#ff0000 Very best#0000ff"},
			{"unknown, on a chat", onGr, put("9", bea, true), "companyTag chatTag", "Paid#00ff00 VIP#ff0000 Very best#0000ff Label 9#808080"},
			{"its name, later", onGr, label("9", "New", ""), "companyTag", "Paid#00ff00 VIP#ff0000 Very best#0000ff New#808080"},
			{"taken off", onGr, put("9", bea, false), "chatTag", "Paid#00ff00 VIP#ff0000 Very best#0000ff New#808080"},
			{"taken off a chat that we do not have", onGr, put("9", "79990009999", false), "", "Paid#00ff00 VIP#ff0000 Very best#0000ff New#808080"},
			{"deleted", onGr, gone("9"), "companyTag", "Paid#00ff00 VIP#ff0000 Very best#0000ff"},
			{"deleted while on a chat", onGr, gone("1"), "chatTag companyTag", "Paid#00ff00 VIP#ff0000"},
			{"deleted again", onGr, gone("1"), "", "Paid#00ff00 VIP#ff0000"},
			{"deleted, of a tag that was there before", onGr, gone("2"), "", "Paid#00ff00 VIP#ff0000"},
		} {
			got := happens(t, w, func() {
				if _, err := w.Ingest(t.Context(), step.on, step.news); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
			})
			if tags := tagNames(t, w); got != step.events || tags != step.tags {
				t.Errorf("%s: events %q, tags %q; want %q, %q", step.name, got, tags, step.events, step.tags)
			}
		}
	})
}
