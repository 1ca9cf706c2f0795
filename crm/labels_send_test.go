package crm_test

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// toTell returns what the phone has to be told of labels, and tells it.
func toTell(t *testing.T, w *crmtest.World) string {
	t.Helper()
	changes, err := w.LabelChanges(t.Context(), onGr, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	var ids []int64
	for _, ch := range changes {
		ids = append(ids, ch.ID)
		switch {
		case ch.Gone:
		case ch.Deleted:
			told = append(told, ch.Label+" deleted")
		case ch.ChatID == "":
			told = append(told, fmt.Sprintf("%s is %s %d", ch.Label, ch.Name, ch.Color))
		default:
			told = append(told, fmt.Sprintf("%s on %s %v", ch.Label, strings.TrimSuffix(ch.ChatID, "@c.us"), ch.Labelled))
		}
	}
	if err := w.LabelsSent(t.Context(), onGr, ids); err != nil {
		t.Fatal(err)
	}
	return strings.Join(told, ", ")
}

// TestTagsAreLabels changes tags here and labels on the phone: the phone is told of what
// it does not know, and who changed a thing last is right.
func TestTagsAreLabels(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat := putChat(t, w, whatsApp, anna)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		tag := func(name, color string) int64 {
			t.Helper()
			data, err := w.CreateTag(t.Context(), w.Owner, crm.TagInput{Name: crm.Value(name), Color: crm.Value(color)})
			must(err)
			return data.ID
		}
		put := func(id int64) { _, err := w.TagChat(t.Context(), w.Operator, at(chat), crm.Value(id)); must(err) }
		take := func(id int64) { _, err := w.UntagChat(t.Context(), w.Operator, at(chat), id); must(err) }
		phone := func(label string, added bool, when int64) {
			ingest(t, w, crm.InboundBatch{Tags: []crm.InboundTag{{Chat: chatOf(anna), Label: label, Added: added, Time: &when}}})
		}
		has := func() (n int) {
			data, err := w.Chat(t.Context(), w.Reader, at(chat))
			must(err)
			return len(data.Tags)
		}
		vip := tag("VIP", "#f84747")
		put(vip)
		if got := toTell(t, w); got != "" {
			t.Errorf("without the setting: %s", got)
		}
		w.Tx(t, func(tx *models.Tx) error {
			return tx.PutLineSettings(&models.LineSettings{LicenseID: onGr.LicenseID, MessengerType: onGr.Messenger, Labels: true})
		})
		take(vip)
		now, old := w.Now().Unix(), w.Now().Unix()-60
		for _, step := range []struct {
			what string
			do   func()
			told string
			tags int
		}{
			{"nothing on a chat", func() {}, "", 0},
			{"a tag put on", func() { put(vip) }, "1000 is VIP 13, 1000 on 79990001122 true", 1},
			{"and off and on again", func() { take(vip); put(vip) }, "1000 on 79990001122 true", 1},
			{"renamed", func() {
				_, err := w.EditTag(t.Context(), w.Owner, vip, crm.TagInput{Name: crm.Value("Best")})
				must(err)
			}, "1000 is Best 13", 1},
			{"taken off on the phone", func() { phone("1000", false, now) }, "", 0},
			{"put on here after the phone took it off", func() { put(vip); phone("1000", false, old) }, "1000 on 79990001122 true", 1},
			{"taken off on the phone after it was put on here", func() { take(vip); put(vip); phone("1000", false, now) }, "", 0},
			{"a colour that WhatsApp cannot tell from the tag's", func() {
				ingest(t, w, crm.InboundBatch{Labels: []crm.InboundLabel{{ID: "1000", Name: "Best", Color: crm.LabelColor(13)}}})
			}, "", 0},
			{"another label of the phone", func() {
				ingest(t, w, crm.InboundBatch{Labels: []crm.InboundLabel{{ID: "7", Name: "Paid", Color: crm.LabelColor(1)}}})
			}, "", 0},
			{"deleted", func() { put(vip); must(w.DeleteTag(t.Context(), w.Owner, vip)) }, "1000 deleted", 0},
			{"more than there is room for", func() {
				for i := range 20 {
					put(tag(fmt.Sprint("T", i), "#000000"))
				}
			}, strings.TrimSuffix(strings.Join(func() (all []string) {
				for i := range 19 {
					all = append(all, fmt.Sprintf("%d is T%d 8, %d on 79990001122 true", 1000+i, i, 1000+i))
				}
				return all
			}(), ", "), ", "), 20},
		} {
			step.do()
			if got := toTell(t, w); got != step.told || has() != step.tags {
				t.Errorf("%s: told %q, and the chat has %d tags; want %q and %d", step.what, got, has(), step.told, step.tags)
			}
		}
		tags, err := w.Tags(t.Context(), w.Owner, crm.TagQuery{})
		if err != nil || len(tags.Items) < 2 || !strings.Contains(tagNames(t, w), "Paid#64c4ff") {
			t.Errorf("the tags are %+v, %v", tags.Items, err)
		}
	})
}

// TestLabelOfTheNewPhone pairs another account while a tag goes to the phone. When it turns
// out that its phone has a label of that name, it gets no second one.
func TestLabelOfTheNewPhone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		chat := putChat(t, w, whatsApp, anna)
		tag, err := w.CreateTag(t.Context(), w.Owner, crm.TagInput{Name: crm.Value("VIP"), Color: crm.Value("#f84747")})
		if err != nil {
			t.Fatal(err)
		}
		w.Tx(t, func(tx *models.Tx) error {
			return tx.PutLineSettings(&models.LineSettings{LicenseID: onGr.LicenseID, MessengerType: onGr.Messenger, Labels: true})
		})
		if _, err := w.TagChat(t.Context(), w.Operator, at(chat), crm.Value(tag.ID)); err != nil {
			t.Fatal(err)
		}
		setState(t, w, crm.LineState{State: crm.StateConnected, Device: text("79990000009:7@s.whatsapp.net"), Phone: text("79990000009")})
		ingest(t, w, crm.InboundBatch{History: true, Labels: []crm.InboundLabel{{ID: "3", Name: "VIP", Color: "#f84747"}}})
		if got := toTell(t, w); got != "1000 deleted, 3 on 79990001122 true" {
			t.Errorf("told %q", got)
		}
		if _, err := w.UntagChat(t.Context(), w.Operator, at(chat), tag.ID); err != nil {
			t.Fatal(err)
		}
		if got := toTell(t, w); got != "3 on 79990001122 false" {
			t.Errorf("told %q of the tag taken off", got)
		}
	})
}
