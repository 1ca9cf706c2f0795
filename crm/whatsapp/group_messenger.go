package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

var (
	_ crm.GroupMessenger = (*Messenger)(nil)
	_ crm.Configured     = (*Messenger)(nil)
)

// asked is what a question to WhatsApp needs.
type asked struct {
	*session
	ctx context.Context // ends with the connection, and when WhatsApp does not answer
	cli *whatsmeow.Client
}

// ask calls f with the connected client of a line, and turns WhatsApp's refusal into an
// error of the rules.
func (m *Messenger) ask(ctx context.Context, l crm.Line, f func(q asked) error) error {
	s, cli, err := m.online(ctx, l)
	if err != nil {
		return err
	}
	if cli == nil {
		return crm.Unavailable("no account is paired with this line")
	}
	s.mu.Lock()
	life, current := s.life, s.cli == cli
	s.mu.Unlock()
	if !current || life == nil {
		return errReconnecting
	}
	ctx, cancel := context.WithTimeout(ctx, m.times.answer)
	defer cancel()
	defer context.AfterFunc(life.closed, cancel)()
	return answerOf(f(asked{s, ctx, cli}))
}

func (m *Messenger) groups(ctx context.Context, l crm.Line, members bool) (all []crm.Group, err error) {
	return all, m.ask(ctx, l, func(q asked) error {
		found, err := q.cli.GetJoinedGroups(q.ctx)
		for _, info := range found {
			g := q.group(info)
			if !members {
				g.Members = nil
			}
			all = append(all, g)
		}
		return err
	})
}

func (m *Messenger) group(ctx context.Context, l crm.Line, id string) (g *crm.Group, err error) {
	return g, m.askGroup(ctx, l, id, func(q asked, j types.JID) error {
		info, err := q.cli.GetGroupInfo(q.ctx, j)
		if err == nil {
			found := q.group(info)
			g = &found
		}
		return err
	})
}

func (m *Messenger) askGroup(ctx context.Context, l crm.Line, id string, f func(q asked, j types.JID) error) error {
	j, err := jidOf(id)
	if err != nil || j.Server != types.GroupServer {
		return errNoGroup
	}
	return m.ask(ctx, l, func(q asked) error { return f(q, j) })
}

func (m *Messenger) groupLink(ctx context.Context, l crm.Line, id string, renew bool) (link string, err error) {
	return link, m.askGroup(ctx, l, id, func(q asked, j types.JID) (err error) {
		link, err = q.cli.GetGroupInviteLink(q.ctx, j, renew)
		if renew {
			q.groupNews.add(j)
		}
		return err
	})
}

func (m *Messenger) createGroup(ctx context.Context, l crm.Line, in crm.GroupInput) (made *crm.CreatedGroup, err error) {
	return made, m.ask(ctx, l, func(q asked) error {
		req := whatsmeow.ReqCreateGroup{Name: in.Name}
		people := make([]pair, len(in.Members))
		for i, id := range in.Members {
			j, err := jidOf(id)
			if err != nil {
				return err
			}
			people[i] = q.person(q.ctx, q.cli, j, types.EmptyJID)
			req.Participants = append(req.Participants, people[i].address(types.AddressingModeLID))
		}
		info, err := q.cli.CreateGroup(q.ctx, req)
		if err != nil {
			return err
		}
		defer q.groupNews.add(info.JID)
		q.keepGroup(info.JID, knownGroup{info.Name, info.AddressingMode, true, groupSetting(info.GroupEphemeral, time.Now())})
		made = &crm.CreatedGroup{Members: q.results(in.Members, people, info.Participants, codeNotAdded)}
		if in.Description != "" {
			if err := q.cli.SetGroupTopic(q.ctx, info.JID, "", "", in.Description); err != nil {
				q.log.Info("the description of a new group was not set", "error", err)
			} else {
				info.Topic = in.Description
			}
		}
		made.Group = q.group(info)
		return nil
	})
}

func (m *Messenger) changeGroup(ctx context.Context, l crm.Line, id string, ch crm.GroupChanges) error {
	return m.askGroup(ctx, l, id, func(q asked, j types.JID) error {
		defer q.groupNews.add(j)
		switch {
		case ch.Name.Set:
			err := q.cli.SetGroupName(q.ctx, j, ch.Name.Value)
			if err == nil {
				q.keepGroup(j, knownGroup{name: ch.Name.Value})
			}
			return err
		case ch.Description.Set:
			info, err := q.cli.GetGroupInfo(q.ctx, j) // its error is one of a group, unlike that of SetGroupTopic
			if err != nil || info.Topic == ch.Description.Value {
				return err
			}
			return q.cli.SetGroupTopic(q.ctx, j, info.TopicID, q.cli.GenerateMessageID(), ch.Description.Value)
		case ch.Announce.Set:
			return q.cli.SetGroupAnnounce(q.ctx, j, ch.Announce.Value)
		case ch.Locked.Set:
			return q.cli.SetGroupLocked(q.ctx, j, ch.Locked.Value)
		case ch.Ephemeral.Set:
			return q.cli.SetDisappearingTimer(q.ctx, j, time.Duration(ch.Ephemeral.Value)*time.Second, time.Time{})
		}
		return nil
	})
}

func (m *Messenger) changeMembers(ctx context.Context, l crm.Line, id string, what crm.MemberChange, ids []string) (results []crm.MemberResult, err error) {
	return results, m.askGroup(ctx, l, id, func(q asked, j types.JID) error {
		defer q.groupNews.add(j)
		info, err := q.cli.GetGroupInfo(q.ctx, j)
		if err != nil {
			return err
		}
		people := make([]pair, len(ids))
		var addresses []types.JID
		for i, id := range ids {
			named, err := jidOf(id)
			if err != nil {
				return err
			}
			people[i] = q.person(q.ctx, q.cli, named, types.EmptyJID)
			address := people[i].address(info.AddressingMode)
			for _, member := range info.Participants {
				if p := q.member(member); people[i].is(p) {
					address, people[i] = member.JID, p
				}
			}
			addresses = append(addresses, address)
		}
		changed, err := q.cli.UpdateGroupParticipants(q.ctx, j, addresses, whatsmeow.ParticipantChange(what))
		if err != nil {
			return err
		}
		results = q.results(ids, people, changed, codeNoAnswer)
		return nil
	})
}

func (m *Messenger) joinGroup(ctx context.Context, l crm.Line, code string) (joined *crm.JoinedGroup, err error) {
	return joined, m.ask(ctx, l, func(q asked) error {
		j, err := q.cli.JoinGroupWithLink(q.ctx, code)
		if err != nil {
			return err
		}
		defer q.groupNews.add(j)
		joined = &crm.JoinedGroup{ID: chatID(j), Pending: true}
		info, err := q.cli.GetGroupInfo(q.ctx, j)
		if err != nil { // not a member yet; or we do not know, which the next list tells
			q.log.Info("the group that was joined is not known yet", "error", err)
			return nil
		}
		q.keepGroup(j, knownGroup{info.Name, info.AddressingMode, true, groupSetting(info.GroupEphemeral, time.Now())})
		g := q.group(info)
		joined.Group, joined.Pending = &g, false
		return nil
	})
}

func (m *Messenger) leaveGroup(ctx context.Context, l crm.Line, id string) error {
	return m.askGroup(ctx, l, id, func(q asked, j types.JID) error {
		if _, err := q.cli.GetGroupInfo(q.ctx, j); err != nil { // WhatsApp lets one leave any group
			return err
		}
		defer q.groupNews.add(j)
		return q.cli.LeaveGroup(q.ctx, j)
	})
}
