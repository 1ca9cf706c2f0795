package evolution_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
)

const neighbours = "120363000000000001@g.us"

// phone is a connector whose account is in one group.
type phone struct {
	crm.Messenger
	made    crm.GroupInput
	changes []string
	refusal error
}

func (p *phone) group() *crm.Group {
	ann, lid := "79990001122", "100200301@lid"
	owner := ann + "@c.us"
	return &crm.Group{ID: neighbours, Name: "Team", Description: "Our street", DescriptionID: "D1", OwnerID: &owner, CreatedAt: 1771900000, Size: 2, Announce: true, NameAt: 1772000000, NameBy: &owner,
		Members: []crm.GroupMember{{ID: owner, LID: &lid, Phone: &ann, Role: crm.MemberOwner}, {ID: "100200302@lid", Role: crm.MemberOrdinary}}}
}

func (p *phone) Groups(_ context.Context, _ crm.Line, members bool) ([]crm.Group, error) {
	g := *p.group()
	if !members {
		g.Members = nil
	}
	return []crm.Group{g}, p.refusal
}

func (p *phone) Group(_ context.Context, _ crm.Line, id string) (*crm.Group, error) {
	if id != neighbours {
		return nil, &crm.Error{Code: crm.CodeNotFound, Message: "group not found"}
	}
	return p.group(), p.refusal
}

func (p *phone) GroupByLink(context.Context, crm.Line, string) (*crm.Group, error) {
	return p.group(), p.refusal
}

func (p *phone) GroupPicture(context.Context, crm.Line, string) (string, error) {
	return "https://pps.whatsapp.net/v/1.jpg", p.refusal
}

func (p *phone) GroupLink(_ context.Context, _ crm.Line, _ string, renew bool) (string, error) {
	code := "AbCdEfGhIjKlMnOpQrStUv"
	if renew {
		code = "ZbCdEfGhIjKlMnOpQrStUv"
	}
	return "https://chat.whatsapp.com/" + code, p.refusal
}

func (p *phone) CreateGroup(_ context.Context, _ crm.Line, in crm.GroupInput) (*crm.CreatedGroup, error) {
	p.made = in
	return &crm.CreatedGroup{Group: *p.group(), Members: []crm.MemberResult{}}, p.refusal
}

func (p *phone) ChangeGroup(_ context.Context, _ crm.Line, _ string, ch crm.GroupChanges) error {
	p.changes = append(p.changes, fmt.Sprint(ch.Name.Value, ch.Description.Value, ch.Announce, ch.Locked, ch.Ephemeral.Value))
	return p.refusal
}

func (p *phone) ChangeMembers(_ context.Context, _ crm.Line, _ string, what crm.MemberChange, people []string) ([]crm.MemberResult, error) {
	results := []crm.MemberResult{{ID: people[0], Status: 200}}
	for _, id := range people[1:] {
		results = append(results, crm.MemberResult{ID: id, Status: 403, Error: &crm.SendError{Code: "invitation_required", Message: "no"}})
	}
	p.changes = append(p.changes, string(what))
	return results, p.refusal
}

func (p *phone) SetGroupPicture(_ context.Context, _ crm.Line, _ string, picture []byte) (string, error) {
	p.changes = append(p.changes, fmt.Sprint(len(picture)))
	return "1", p.refusal
}

func (p *phone) JoinGroup(context.Context, crm.Line, string) (*crm.JoinedGroup, error) {
	return &crm.JoinedGroup{ID: neighbours, Group: p.group()}, p.refusal
}

func (p *phone) LeaveGroup(context.Context, crm.Line, string) error { return p.refusal }

var _ crm.GroupMessenger = (*phone)(nil)

const (
	teamBare = `{"id":"120363000000000001@g.us","subject":"Team","subjectOwner":"79990001122@s.whatsapp.net","subjectTime":1772000000,"pictureUrl":PICTURE,"size":2,` +
		`"creation":1771900000,"owner":"79990001122@s.whatsapp.net","desc":"Our street","descId":"D1","restrict":false,"announce":true,MEMBERS` +
		`"isCommunity":false,"isCommunityAnnounce":false,"linkedParent":null}`
	teamMembers = `"participants":[{"id":"79990001122@s.whatsapp.net","lid":"100200301@lid","admin":"superadmin"},{"id":"100200302@lid","admin":null}],`
	toTeam      = "/shop?groupJid=120363000000000001"
)

func team(picture, members string) string {
	return strings.NewReplacer("PICTURE", picture, "MEMBERS", members).Replace(teamBare)
}

// badTexts returns the answer to a request that is refused with these texts.
func badTexts(texts ...string) string {
	list, _ := json.Marshal(texts)
	return `{"status":400,"error":"Bad Request","response":{"message":` + string(list) + `}}`
}

// TestGroups calls every route of groups, in both verbs, with its exact answer.
func TestGroups(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := &phone{Messenger: w.Messengers[""]}
		if p.Messenger == nil {
			p.Messenger = w.Messengers["grWhatsApp"]
		}
		w.Messengers["grWhatsApp"] = p
		const picture = `"https://pps.whatsapp.net/v/1.jpg"`
		w.want(w.line, "POST /group/create/shop", `{"subject":"Team","participants":["+7 999 000-11-22","100200302@lid"],"description":"Our street","promoteParticipants":true}`, 201, team("null", teamMembers))
		if p.made.Name != "Team" || strings.Join(p.made.Members, " ") != "79990001122@c.us 100200302@lid" {
			t.Errorf("made with %+v", p.made)
		}
		w.want(w.line, "GET /group/findGroupInfos"+toTeam, "", 200, team(picture, teamMembers))
		w.want(w.line, "GET /group/fetchAllGroups/shop?getParticipants=false", "", 200, "["+team("null", "")+"]")
		w.want(w.line, "GET /group/fetchAllGroups/shop?getParticipants=true", "", 200, "["+team("null", teamMembers)+"]")
		w.want(w.line, "GET /group/participants"+toTeam, "", 200, `{"participants":[{"id":"79990001122@s.whatsapp.net","lid":"100200301@lid","admin":"superadmin","name":"","imgUrl":null,"phoneNumber":"79990001122@s.whatsapp.net"},`+
			`{"id":"100200302@lid","admin":null,"name":"","imgUrl":null}]}`)
		w.want(w.line, "GET /group/inviteCode"+toTeam, "", 200, `{"inviteUrl":"https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv","inviteCode":"AbCdEfGhIjKlMnOpQrStUv"}`)
		w.want(w.line, "GET /group/inviteInfo/shop?inviteCode=https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv", "", 200, team("null", ""))
		w.want(w.line, "GET /group/acceptInviteCode/shop?inviteCode=AbCdEfGhIjKlMnOpQrStUv", "", 200, `{"accepted":true,"groupJid":"120363000000000001@g.us"}`)
		w.want(w.line, "POST /group/sendInvite"+toTeam, `{"description":"Join us","numbers":["79990001122"]}`, 200, `{"send":true,"inviteUrl":"https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv"}`)
		if sent := w.Events(t, crm.EventMessage); len(sent) != 1 || !strings.Contains(sent[0].Data, `"text":"Join us\n\nhttps://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv"`) {
			t.Errorf("sent is %+v", sent)
		}
		for _, verb := range []string{"POST", "PUT"} {
			w.want(w.line, verb+" /group/updateGroupSubject"+toTeam, `{"subject":"Friends"}`, 201, `{"update":"success"}`)
			w.want(w.line, verb+" /group/updateGroupDescription/shop", `{"groupJid":"120363000000000001@g.us","description":"None"}`, 201, `{"update":"success"}`)
			w.want(w.line, verb+" /group/updateGroupPicture"+toTeam, `{"image":"data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD/2Q=="}`, 201, `{"update":"success"}`)
			w.want(w.line, verb+" /group/revokeInviteCode"+toTeam, "", 201, `{"revoked":true,"inviteCode":"ZbCdEfGhIjKlMnOpQrStUv"}`)
			w.want(w.line, verb+" /group/updateParticipant"+toTeam, `{"action":"add","participants":["79990001122","79990003344"]}`, 201,
				`{"updateParticipants":[{"status":"200","jid":"79990001122@s.whatsapp.net","content":{}},{"status":"403","jid":"79990003344@s.whatsapp.net","content":{}}]}`)
			w.want(w.line, verb+" /group/updateSetting"+toTeam, `{"action":"locked"}`, 201, `{"updateSetting":"locked"}`)
			w.want(w.line, verb+" /group/toggleEphemeral"+toTeam, `{"expiration":86400}`, 201, `{"success":true}`)
		}
		w.want(w.line, "DELETE /group/leaveGroup"+toTeam, "", 200, `{"groupJid":"120363000000000001@g.us","leave":true}`)

		w.want(w.line, "GET /group/findGroupInfos/shop", "", 400, `{"status":400,"error":"Bad Request","response":{"message":["The group id needs to be informed in the query","ex: \"groupJid=120362@g.us\""]}}`)
		w.want(w.line, "GET /group/findGroupInfos/shop?groupJid=120363000000000009@g.us", "", 404, `{"status":404,"error":"Not Found","response":{"message":["Error fetching group","group not found"]}}`)
		w.want(w.line, "GET /group/fetchAllGroups/shop?getParticipants=", "", 400, badTexts("The getParticipants needs to be informed in the query", `ex: "getParticipants=true"`))
		w.want(w.line, "GET /group/inviteInfo/shop?inviteCode=none", "", 400, badTexts("The group invite code id needs to be informed in the query", `ex: "inviteCode=F1EX5QZxO181L3TMVP31gY"`))
		w.want(w.line, "POST /group/create/shop", `{"participants":["79990001122"]}`, 400, `{"status":400,"error":"Bad Request","response":{"message":[{"property":"subject","message":"instance requires property \"subject\""}]}}`)
		w.want(w.line, "POST /group/toggleEphemeral"+toTeam, `{"expiration":5}`, 400, badTexts("Error updating setting", "ephemeral must be 0, 86400, 604800 or 7776000 seconds"))
		w.want(w.strange, "GET /group/findGroupInfos"+toTeam, "", 404, `{"status":404,"error":"Not Found","response":{"message":["The \"shop\" instance does not exist"]}}`)
		p.refusal = &crm.Error{Code: crm.CodeConflict, Message: "no"}
		w.want(w.line, "POST /group/create/shop", `{"subject":"Team","participants":["79990001122"]}`, 500, `{"status":500,"error":"Internal Server Error","response":{"message":["Error creating group","no"]}}`)
		w.want(w.line, "GET /group/inviteCode"+toTeam, "", 404, `{"status":404,"error":"Not Found","response":{"message":["No invite code","no"]}}`)
		w.want(w.line, "DELETE /group/leaveGroup"+toTeam, "", 400, badTexts("Unable to leave the group", "no"))
	})
}
