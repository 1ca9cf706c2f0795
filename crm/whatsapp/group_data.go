package whatsapp

import (
	"context"
	"errors"
	"strconv"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/media"
)

var (
	errReconnecting = crm.Unavailable("the connection to WhatsApp is being renewed: try again")
	errNoGroup      = &crm.Error{Code: crm.CodeNotFound, Message: "group not found: the account is not in it"}
)

// group returns a group in the form of the rules.
func (q asked) group(info *types.GroupInfo) crm.Group {
	g := crm.Group{
		ID: chatID(info.JID), Name: content.Name(info.Name), Description: groupTopic(info.Topic),
		Announce: info.IsAnnounce, Locked: info.IsLocked, Ephemeral: int64(info.DisappearingTimer), Members: []crm.GroupMember{},
	}
	if !info.GroupCreated.IsZero() {
		g.CreatedAt = info.GroupCreated.Unix()
	}
	if owner := q.person(q.ctx, q.cli, info.OwnerJID, info.OwnerPN); owner.id() != "" {
		id := owner.id()
		g.OwnerID = &id
	}
	q.describe(&g, info)
	own := self(q.cli)
	for _, member := range info.Participants {
		if member.Error != 0 { // of a new group: this person is not in it
			continue
		}
		p := q.member(member)
		if p.id() == "" { // no person
			continue
		}
		g.Admin = g.Admin || member.IsAdmin && p.is(own)
		g.Members = append(g.Members, crm.GroupMember{ID: p.id(), LID: hiddenOf(p), Phone: phoneOf(p.PN), Role: roleOf(member), Self: p.is(own)})
	}
	g.Size = max(len(g.Members), info.ParticipantCount)
	return g
}

// describe adds where a group belongs, and who named it.
func (q asked) describe(g *crm.Group, info *types.GroupInfo) {
	g.Community, g.Announcements = info.IsParent, info.IsDefaultSubGroup
	if parent := chatID(info.LinkedParentJID); parent != "" {
		g.CommunityID = &parent
	}
	if g.Description != "" {
		g.DescriptionID = content.Clip(info.TopicID, maxTopicID)
	}
	if !info.NameSetAt.IsZero() {
		g.NameAt = info.NameSetAt.Unix()
	}
	if by := q.person(q.ctx, q.cli, info.NameSetBy, info.NameSetByPN); by.id() != "" {
		id := by.id()
		g.NameBy = &id
	}
}

// maxTopicID is more than WhatsApp's ids of descriptions have.
const maxTopicID = 128

// maxTopic is more than WhatsApp allows.
const maxTopic = 4096

func groupTopic(topic string) string { return content.Clip(topic, maxTopic) }

func roleOf(member types.GroupParticipant) string {
	switch {
	case member.IsSuperAdmin:
		return crm.MemberOwner
	case member.IsAdmin:
		return crm.MemberAdmin
	}
	return crm.MemberOrdinary
}

func hiddenOf(p pair) *string {
	if p.LID.IsEmpty() {
		return nil
	}
	id := chatID(p.LID)
	return &id
}

// member returns the ids of a member.
func (q asked) member(m types.GroupParticipant) pair {
	other := m.PhoneNumber
	if m.JID.Server != types.HiddenUserServer {
		other = m.LID
	}
	return q.person(q.ctx, q.cli, m.JID, other)
}

// is reports whether two pairs are one person.
func (p pair) is(other pair) bool {
	return !p.PN.IsEmpty() && p.PN == other.PN || !p.LID.IsEmpty() && p.LID == other.LID
}

// address returns the id by which a group names the person, or the only one that is known.
func (p pair) address(mode types.AddressingMode) types.JID {
	if p.PN.IsEmpty() || mode == types.AddressingModeLID && !p.LID.IsEmpty() {
		return p.LID
	}
	return p.PN
}

// Codes of people who were not added to a group, or not changed in it, besides those of
// messages.
const (
	codeNotAdded  = "not_added"
	codeNoAnswer  = "not_changed" // WhatsApp does not say why
	codeInvite    = "invitation_required"
	codeInGroup   = "already_member"
	codeNotFound  = "not_found"
	codeLeft      = "left_recently"
	codeGroupFull = "group_full"
	codeBlocked   = "blocked"
)

// results returns what happened to each person. missing is the code for people whom
// WhatsApp's answer does not name.
func (q asked) results(ids []string, people []pair, answers []types.GroupParticipant, missing string) []crm.MemberResult {
	results := make([]crm.MemberResult, len(ids))
	for i, id := range ids {
		results[i] = crm.MemberResult{ID: id, Error: &crm.SendError{Code: missing, Message: "WhatsApp did not do it"}}
		for _, answer := range answers {
			if people[i].is(q.member(answer)) {
				results[i].Status, results[i].Error = memberOutcome(answer.Error)
			}
		}
	}
	return results
}

// memberOutcome explains WhatsApp's code for one person.
func memberOutcome(code int) (status int, problem *crm.SendError) {
	switch code {
	case 0, 200:
		return 200, nil
	case 401:
		return code, &crm.SendError{Code: codeBlocked, Message: "this person has blocked the account"}
	case 403:
		return code, &crm.SendError{Code: codeInvite, Message: "this person lets nobody add them: send them the group's link"}
	case 404:
		return code, &crm.SendError{Code: codeNotFound, Message: "this person is not on WhatsApp, or not in the group"}
	case 408:
		return code, &crm.SendError{Code: codeLeft, Message: "this person has left the group a short while ago: send them the group's link"}
	case 409:
		return code, &crm.SendError{Code: codeInGroup, Message: "this person is in the group already"}
	case 419, 500:
		return code, &crm.SendError{Code: codeGroupFull, Message: "the group has no place left"}
	}
	return code, &crm.SendError{Code: codeRejected, Message: "WhatsApp refused it (" + strconv.Itoa(code) + ")"}
}

// answerOf turns WhatsApp's refusal of a question into an error of the rules.
func answerOf(err error) error {
	var known *crm.Error
	var refusal *whatsmeow.IQError
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, whatsmeow.ErrGroupNotFound), errors.Is(err, whatsmeow.ErrNotInGroup):
		return errNoGroup
	case errors.Is(err, whatsmeow.ErrInvalidImageFormat), errors.Is(err, media.ErrNoPicture):
		return crm.Invalid("picture", "cannot be shown as a picture")
	case errors.Is(err, whatsmeow.ErrInviteLinkInvalid), errors.Is(err, whatsmeow.ErrInviteLinkRevoked):
		return crm.Invalid("link", "is not valid, or not any more")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, whatsmeow.ErrIQTimedOut):
		return crm.Unavailable("WhatsApp did not answer in time")
	case !errors.As(err, &refusal):
		return errReconnecting
	}
	switch refusal.Code {
	case 401, 403, 405, 423:
		return &crm.Error{Code: crm.CodeConflict, Message: "WhatsApp does not let the account do this: perhaps it is no admin of the group"}
	case 404, 410:
		return errNoGroup
	case 419:
		return &crm.Error{Code: crm.CodeConflict, Message: "WhatsApp's limit is reached"}
	case 429:
		return &crm.Error{Code: crm.CodeThrottled, Message: "WhatsApp asks to do this more slowly", RetryAfter: 60}
	case 500, 503:
		return crm.Unavailable("WhatsApp could not do it now")
	}
	return &crm.Error{Code: crm.CodeConflict, Message: "WhatsApp refused it (" + strconv.Itoa(refusal.Code) + ")"}
}
