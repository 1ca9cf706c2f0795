package evolution_test

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// inTeam returns a text of a member of a group, named by number and by hidden id.
func inTeam(id, name string, at int64) crm.InboundMessage {
	lid, team := "100200301@lid", "Team"
	m := says(id, "Hello, team", at)
	m.Chat = crm.InboundChat{ID: idOf(neighbours), Type: "group", Name: &team}
	m.FromUser = &crm.InboundUser{ID: idOf("79990003344@c.us"), Name: name, LID: &lid}
	return m
}

// TestFindContactsKindsAndPages lists people, members of groups and groups, in pages that go on from
// people to groups.
func TestFindContactsKindsAndPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.talk()
		w.ingest(inTeam("3A6C1F0E2B4D5A7C9E12", "", crmtest.Start-30))
		row := func(jid, name string, group, saved bool, kind, updated string) string {
			return fmt.Sprintf(`{"id":"%s","remoteJid":"%s","pushName":"%s","profilePicUrl":null,"createdAt":"2021-11-19T10:55:00.000Z","updatedAt":"%s","instanceId":"UUID","isGroup":%v,"isSaved":%v,"type":"%s"}`,
				jid, jid, name, updated, group, saved, kind)
		}
		const start, said = "2021-11-19T10:55:00.000Z", "2021-11-19T10:54:30.000Z"
		ann := row("79990001122@s.whatsapp.net", "Ann", false, true, "contact", start)
		member := row("79990003344@s.whatsapp.net", "", false, false, "group_member", start)
		team := row(neighbours, "Team", true, true, "group", said)
		all := []string{ann, member, team}
		const find = "POST /chat/findContacts/shop"
		w.want(w.line, find, `{}`, 200, "["+strings.Join(all, ",")+"]")
		for size := 1; size <= len(all); size++ {
			for page := 1; page <= len(all)+1; page++ {
				from, to := min((page-1)*size, len(all)), min(page*size, len(all))
				w.want(w.line, find, fmt.Sprintf(`{"page":%d,"offset":%d}`, page, size), 200, "["+strings.Join(all[from:to], ",")+"]")
				w.want(w.line, find, fmt.Sprintf(`{"skip":%d,"take":%d}`, from+1, size), 200, "["+strings.Join(all[min(from+1, len(all)):min(from+1+size, len(all))], ",")+"]")
			}
		}
		w.want(w.line, find, `{"where":{"remoteJid":"`+neighbours+`"}}`, 200, "["+team+"]")
		w.want(w.line, find, `{"where":{"id":"`+neighbours+`","pushName":"Others"}}`, 200, `[]`)
		w.want(w.line, find, `{"where":{"id":"120363000000000009@g.us"}}`, 200, `[]`)
		w.want(w.line, find, `{"where":{"pushName":"Team"}}`, 200, "["+team+"]")
		w.want(w.line, find, `{"page":1000000}`, 200, `[]`)
		w.want(w.strange, find, `{}`, 404, `{"status":404,"error":"Not Found","response":{"message":["The \"shop\" instance does not exist"]}}`)
	})
}

// TestNumbersWithHiddenIDs asks about people whose hidden ids are known: to the line, and to the
// messenger alone.
func TestNumbersWithHiddenIDs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := &arranging{Connector: w.Connect("grWhatsApp"), lid: "100200302@lid"}
		w.Messengers["grWhatsApp"] = m
		device, phone := "1:7@s.whatsapp.net", "79990000000"
		if err := w.SetLineState(t.Context(), onShop, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone}); err != nil {
			t.Fatal(err)
		}
		lid := "100200301@lid"
		known := says(hiID, "Hi", crmtest.Start-60)
		known.Chat.LID, known.FromUser.LID = &lid, &lid
		w.ingest(known)
		w.want(w.line, "POST /chat/whatsappNumbers/shop", `{"numbers":["79990001122","553188887777","351912000009","77@lid"]}`, 200,
			`[{"jid":"79990001122@s.whatsapp.net","exists":true,"number":"79990001122","name":"Ann","lid":"100200301@lid"},`+
				`{"jid":"553188887777@s.whatsapp.net","exists":true,"number":"553188887777","lid":"100200302@lid"},`+
				`{"jid":"351912000009@s.whatsapp.net","exists":false,"number":"351912000009"},{"jid":"77@lid","exists":true,"number":"77@lid","lid":"lid"}]`)
	})
}
