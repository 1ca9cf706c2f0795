package evolution

import (
	"strings"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

type updated struct {
	Update string `json:"update"`
}

var success = updated{"success"}

// people returns people as the rules name them. A number that may be written in two ways is the
// one that the line knows, or else the likelier one.
func (q *request) people(numbers []string) ([]string, error) {
	ids := make([]string, len(numbers))
	for i, number := range numbers {
		jid, forms, valid := jidOf(number)
		if !valid {
			return nil, errNumber()
		}
		ids[i] = shape.ID(jid)
		if len(forms) == 0 {
			continue
		}
		known, err := q.e.CRM.KnownNumber(q.ctx, q.actor, q.line(), forms)
		if err != nil {
			return nil, err
		}
		if ids[i] = known; known == "" {
			ids[i] = forms[0]
		}
	}
	return ids, nil
}

func createGroup(q *request) (answer, error) {
	if err := q.mustHave(crm.KeyRead, crm.KeySend); err != nil { // before the address of the picture is asked
		return answer{}, err
	}
	members, err := q.people(texts(q.body, "participants"))
	if err != nil {
		return answer{}, err
	}
	in := crm.GroupInput{Name: text(q.body, "subject"), Description: text(q.body, "description"), Members: members, Promote: isTrue(q.body, "promoteParticipants")}
	if image := text(q.body, "profilePicture"); image != "" {
		if in.Picture, err = q.picture(image); err != nil {
			return answer{}, err
		}
	}
	group, err := q.e.CRM.CreateGroup(q.ctx, q.actor, q.line(), in)
	if err != nil {
		return answer{}, err
	}
	out := groupIn(&group.Group, true)
	if len(in.Picture) > 0 {
		out = q.withPicture(out, crm.ChatAddress{Line: q.line(), ChatID: group.Group.ID})
	}
	return made(out), nil
}

func groupPicture(q *request) (answer, error) {
	if err := q.mustHave(crm.KeyRead, crm.KeySend); err != nil {
		return answer{}, err
	}
	at, err := q.groupOf()
	if err != nil {
		return answer{}, err
	}
	image, err := q.picture(text(q.body, "image"))
	if err != nil {
		return answer{}, err
	}
	return made(success), q.e.CRM.SetGroupPicture(q.ctx, q.actor, at, image)
}

// changeGroup makes changes of a group.
func (q *request) changeGroup(ch crm.GroupChanges, done answer) (answer, error) {
	at, err := q.groupOf()
	if err == nil {
		_, err = q.e.CRM.ChangeGroup(q.ctx, q.actor, at, ch)
	}
	return done, err
}

func groupSubject(q *request) (answer, error) {
	return q.changeGroup(crm.GroupChanges{Name: crm.Value(text(q.body, "subject"))}, made(success))
}

func groupDescription(q *request) (answer, error) {
	return q.changeGroup(crm.GroupChanges{Description: crm.Value(text(q.body, "description"))}, made(success))
}

func groupSetting(q *request) (answer, error) {
	action, ch := text(q.body, "action"), crm.GroupChanges{}
	switch action {
	case "announcement", "not_announcement":
		ch.Announce = crm.Value(action == "announcement")
	default:
		ch.Locked = crm.Value(action == "locked")
	}
	return q.changeGroup(ch, made(struct {
		Setting string `json:"updateSetting"`
	}{action}))
}

func groupEphemeral(q *request) (answer, error) {
	return q.changeGroup(crm.GroupChanges{Ephemeral: crm.Value(whole(q.body, "expiration"))}, made(struct {
		Success bool `json:"success"`
	}{true}))
}

type memberUpdate struct {
	Status  string   `json:"status"`
	JID     string   `json:"jid"`
	Content struct{} `json:"content"`
}

func changeMembers(q *request) (answer, error) {
	at, err := q.groupOf()
	if err != nil {
		return answer{}, err
	}
	people, err := q.people(texts(q.body, "participants"))
	if err != nil {
		return answer{}, err
	}
	results, err := q.e.CRM.ChangeMembers(q.ctx, q.actor, at, crm.MemberChange(text(q.body, "action")), people)
	out := struct {
		Members []memberUpdate `json:"updateParticipants"`
	}{[]memberUpdate{}}
	for _, r := range results {
		status := itoa(int64(r.Status))
		if r.Status == 0 {
			status = "500"
		}
		out.Members = append(out.Members, memberUpdate{Status: status, JID: shape.JID(r.ID)})
	}
	return made(out), err
}

func leaveGroup(q *request) (answer, error) {
	at, err := q.groupOf()
	if err == nil {
		err = q.e.CRM.LeaveGroup(q.ctx, q.actor, at)
	}
	return ok(struct {
		Group string `json:"groupJid"`
		Leave bool   `json:"leave"`
	}{at.ChatID, true}), err
}

func sendInvite(q *request) (answer, error) {
	at, err := q.groupOf()
	if err != nil {
		return answer{}, err
	}
	link, err := q.e.CRM.GroupLink(q.ctx, q.actor, at)
	if err != nil {
		return answer{}, err
	}
	said := strings.Join([]string{text(q.body, "description"), link.Link}, "\n\n")
	for _, number := range texts(q.body, "numbers") {
		to, err := q.address(number)
		if err != nil {
			return answer{}, err
		}
		if _, err := q.e.CRM.Send(q.ctx, q.actor, q.chat(to), crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: said}}); err != nil {
			return answer{}, err
		}
	}
	return ok(struct {
		Send bool   `json:"send"`
		URL  string `json:"inviteUrl"`
	}{true, link.Link}), nil
}
