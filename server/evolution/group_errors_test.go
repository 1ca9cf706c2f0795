package evolution_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"chatcast/crm"
)

// groupRefusals are all routes of groups, with what each answers when the messenger refuses.
var groupRefusals = []struct {
	request, body string
	status        int
	text          string
}{
	{"POST /group/create/shop", `{"subject":"Team","participants":["79990001122"]}`, 500, "Error creating group"},
	{"POST /group/updateGroupPicture" + toTeam, `{"image":"/9j/4AAQSkZJRgABAQAAAQABAAD/2Q=="}`, 500, "Error update group picture"},
	{"POST /group/updateGroupSubject" + toTeam, `{"subject":"Friends"}`, 500, "Error updating group subject"},
	{"POST /group/updateGroupDescription" + toTeam, `{"description":"None"}`, 500, "Error updating group description"},
	{"GET /group/inviteCode" + toTeam, "", 404, "No invite code"},
	{"POST /group/revokeInviteCode" + toTeam, "", 404, "Revoke error"},
	{"POST /group/sendInvite" + toTeam, `{"description":"Join us","numbers":["79990001122"]}`, 404, "No send invite"},
	{"GET /group/inviteInfo/shop?inviteCode=AbCdEfGhIjKlMnOpQrStUv", "", 404, "No invite info"},
	{"GET /group/acceptInviteCode/shop?inviteCode=AbCdEfGhIjKlMnOpQrStUv", "", 404, "Accept invite error"},
	{"GET /group/findGroupInfos" + toTeam, "", 404, "Error fetching group"},
	{"GET /group/fetchAllGroups/shop?getParticipants=true", "", 404, "Error fetching group"},
	{"GET /group/participants" + toTeam, "", 404, "No participants"},
	{"POST /group/updateParticipant" + toTeam, `{"action":"add","participants":["79990001122"]}`, 400, "Error updating participants"},
	{"POST /group/updateSetting" + toTeam, `{"action":"locked"}`, 400, "Error updating setting"},
	{"POST /group/toggleEphemeral" + toTeam, `{"expiration":86400}`, 400, "Error updating setting"},
	{"DELETE /group/leaveGroup" + toTeam, "", 400, "Unable to leave the group"},
}

// TestGroupRefusals lets the messenger refuse each route of groups.
func TestGroupRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := &phone{Messenger: w.Messengers[""], refusal: &crm.Error{Code: crm.CodeConflict, Message: "no"}}
		w.Messengers["grWhatsApp"] = p
		tried := map[string]bool{}
		for _, c := range groupRefusals {
			texts, _ := json.Marshal([]string{c.text, "no"})
			w.want(w.line, c.request, c.body, c.status, `{"status":`+strconv.Itoa(c.status)+`,"error":"`+http.StatusText(c.status)+`","response":{"message":`+string(texts)+`}}`)
			tried[c.text] = true
		}
		if len(tried) != 14 { // two texts stand in two rows
			t.Errorf("%d texts were tried", len(tried))
		}
		p.refusal = &crm.Error{Code: crm.CodeThrottled, Message: "too much", RetryAfter: 7}
		w.want(w.line, "POST /group/create/shop", `{"subject":"Team","participants":["79990001122"]}`, 429, `{"status":429,"error":"Too Many Requests","response":{"message":["rate limit"]}}`)
	})
}

// TestGroupFields sends what the fields of groups cannot have, and leaves out the group or the code.
func TestGroupFields(t *testing.T) {
	w := onSQLite(t)
	w.Messengers["grWhatsApp"] = &phone{Messenger: w.Messengers[""]}
	wrong := func(property, message string) string {
		list, _ := json.Marshal([]struct {
			Property string `json:"property"`
			Message  string `json:"message"`
		}{{property, message}})
		return `{"status":400,"error":"Bad Request","response":{"message":` + string(list) + `}}`
	}
	const create = "POST /group/create/shop"
	for _, short := range []string{"351", "123456789", "", "+1 (23) 45"} {
		body, _ := json.Marshal(map[string]any{"subject": "Team", "participants": []string{"79990001122", short}})
		w.want(w.line, create, string(body), 400, wrong("participants[1]", `"participants" must be an array of numeric strings`))
	}
	w.want(w.line, create, `{"subject":"Team","participants":[]}`, 400, wrong("participants", "instance.participants does not meet minimum length of 1"))
	w.want(w.line, create, `{"subject":"Team","participants":["79990001122","79990001122"]}`, 400, wrong("participants", "instance.participants contains duplicate item"))
	w.want(w.line, create, `{"subject":"Team"}`, 400, wrong("participants", `instance requires property "participants"`))
	w.want(w.line, "POST /group/updateParticipant"+toTeam, `{"action":"ban","participants":["79990001122"]}`, 400, wrong("action", "instance.action is not one of enum values: add,remove,promote,demote"))
	w.want(w.line, "PUT /group/updateSetting"+toTeam, `{"action":"x"}`, 400, wrong("action", "instance.action is not one of enum values: announcement,not_announcement,locked,unlocked"))
	w.want(w.line, "POST /group/updateGroupPicture"+toTeam, `{"image":"***"}`, 400, badTexts("Profile picture must be url or base64"))
	for _, c := range groupRefusals {
		request, query, _ := strings.Cut(c.request, "?")
		switch {
		case query == "groupJid=120363000000000001":
			w.want(w.line, request, c.body, 400, badTexts("The group id needs to be informed in the query", `ex: "groupJid=120362@g.us"`))
			w.want(w.line, request+"?groupJid=a/b", c.body, 400, badTexts("The group id needs to be informed in the query", `ex: "groupJid=120362@g.us"`))
		case query == "inviteCode=AbCdEfGhIjKlMnOpQrStUv":
			w.want(w.line, request, c.body, 400, badTexts("The group invite code id needs to be informed in the query", `ex: "inviteCode=F1EX5QZxO181L3TMVP31gY"`))
		}
	}
}
