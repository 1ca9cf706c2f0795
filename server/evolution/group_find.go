package evolution

import (
	"chatcast/server/evolution/shape"
)

func inviteCode(q *request) (answer, error) {
	at, err := q.groupOf()
	if err != nil {
		return answer{}, err
	}
	link, err := q.e.CRM.GroupLink(q.ctx, q.actor, at)
	if err != nil {
		return answer{}, err
	}
	return ok(struct {
		URL  string `json:"inviteUrl"`
		Code string `json:"inviteCode"`
	}{link.Link, inviteOfLink(link.Link)}), nil
}

func revokeInvite(q *request) (answer, error) {
	at, err := q.groupOf()
	if err != nil {
		return answer{}, err
	}
	link, err := q.e.CRM.RenewGroupLink(q.ctx, q.actor, at)
	if err != nil {
		return answer{}, err
	}
	return made(struct {
		Revoked bool   `json:"revoked"`
		Code    string `json:"inviteCode"`
	}{true, inviteOfLink(link.Link)}), nil
}

func inviteInfo(q *request) (answer, error) {
	code, err := q.inviteOf()
	if err != nil {
		return answer{}, err
	}
	g, err := q.e.CRM.GroupByLink(q.ctx, q.actor, q.line(), code)
	if err != nil {
		return answer{}, err
	}
	return ok(groupIn(g, false)), nil
}

func acceptInvite(q *request) (answer, error) {
	code, err := q.inviteOf()
	if err != nil {
		return answer{}, err
	}
	joined, err := q.e.CRM.JoinGroup(q.ctx, q.actor, q.line(), code)
	if err != nil {
		return answer{}, err
	}
	return ok(struct {
		Accepted bool   `json:"accepted"`
		Group    string `json:"groupJid"`
	}{true, joined.ID}), nil
}

func findGroup(q *request) (answer, error) {
	at, err := q.groupOf()
	if err != nil {
		return answer{}, err
	}
	g, err := q.e.CRM.Group(q.ctx, q.actor, at)
	if err != nil {
		return answer{}, err
	}
	return ok(q.withPicture(groupIn(g, true), at)), nil
}

func allGroups(q *request) (answer, error) {
	members := q.query("getParticipants")
	if members != "true" && members != "false" {
		return answer{}, bad("The getParticipants needs to be informed in the query", `ex: "getParticipants=true"`)
	}
	groups, err := q.e.CRM.Groups(q.ctx, q.actor, q.line(), members == "true")
	out := make([]groupObject, len(groups))
	for i := range groups {
		out[i] = groupIn(&groups[i], members == "true")
	}
	return ok(out), err
}

func groupMembers(q *request) (answer, error) {
	at, err := q.groupOf()
	if err != nil {
		return answer{}, err
	}
	g, err := q.e.CRM.Group(q.ctx, q.actor, at)
	if err != nil {
		return answer{}, err
	}
	out := struct {
		Members []namedParticipant `json:"participants"`
	}{[]namedParticipant{}}
	for _, m := range g.Members {
		named := namedParticipant{participant: memberIn(m), Name: m.Name}
		if m.Phone != nil {
			jid := shape.JID(*m.Phone + "@c.us")
			named.Phone = &jid
		}
		out.Members = append(out.Members, named)
	}
	return ok(out), nil
}
