package whatsapp

import (
	"cmp"
	"context"
	"time"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
)

// nameGroups ingests the names of the account's groups. It is called once for each
// connection.
func (s *session) nameGroups(ctx context.Context, cli *whatsmeow.Client) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	groups, err := cli.GetJoinedGroups(ctx)
	if err != nil {
		s.log.Info("the groups' names are not known", "error", err)
		return
	}
	var t crm.InboundBatch
	for _, g := range groups {
		s.keepGroup(g.JID, knownGroup{g.Name, g.AddressingMode, true, groupSetting(g.GroupEphemeral, time.Now())})
		if chat, ok := groupChat(g.JID, g.Name); ok {
			chat.Disappearing = groupSetting(g.GroupEphemeral, time.Now())
			t.Chats = append(t.Chats, chat)
		}
	}
	if len(t.Chats) > 0 {
		s.ingest(ctx, t)
	}
}

// knownGroup is what the session remembers of a group.
type knownGroup struct {
	name  string
	mode  types.AddressingMode // how members are named; empty: not known
	asked bool                 // WhatsApp was asked for both

	disappearing *crm.Disappearing // nil: not known
}

// groupName returns the name of a group, or nil when it is not known.
func (s *session) groupName(ctx context.Context, cli *whatsmeow.Client, j types.JID) *string {
	if chat, ok := groupChat(j, s.group(ctx, cli, j).name); ok {
		return chat.Name
	}
	return nil
}

// group returns what is known of a group. If that is not all, group asks WhatsApp once,
// before the group's first message, and waits at most 3 seconds.
func (s *session) group(ctx context.Context, cli *whatsmeow.Client, j types.JID) knownGroup {
	known := s.keepGroup(j, knownGroup{})
	if known.asked || known.name != "" && known.mode != "" && known.disappearing != nil {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	asked := knownGroup{asked: true}
	if g, err := cli.GetGroupInfo(ctx, j); err == nil {
		asked.name, asked.mode, asked.disappearing = g.Name, g.AddressingMode, groupSetting(g.GroupEphemeral, time.Now())
	}
	return s.keepGroup(j, asked)
}

// keepGroup remembers of a group what g tells, and returns what is known then.
func (s *session) keepGroup(j types.JID, g knownGroup) knownGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.groups[j]
	known = knownGroup{cmp.Or(g.name, known.name), cmp.Or(g.mode, known.mode), g.asked || known.asked, cmp.Or(g.disappearing, known.disappearing)}
	s.groups[j] = known
	return known
}

// outgoingTo returns a message to a chat that has no content yet. A group names all people
// in one way, by number or by hidden id; elsewhere people are named as the CRM knows them.
func (s *session) outgoingTo(ctx context.Context, cli *whatsmeow.Client, chat types.JID) outgoing {
	o := outgoing{chat: chat, self: ownID(cli, chat), now: time.Now().UnixMilli()}
	if chat.Server != types.GroupServer {
		return o
	}
	mode := s.group(ctx, cli, chat).mode
	if mode == types.AddressingModeLID {
		o.self = cli.Store.GetLID().ToNonAD()
	}
	o.naming = func(j types.JID) types.JID {
		p := s.person(ctx, cli, j, types.EmptyJID)
		switch {
		case mode == types.AddressingModeLID && !p.LID.IsEmpty():
			return p.LID
		case mode == types.AddressingModePN && !p.PN.IsEmpty():
			return p.PN
		}
		return j
	}
	return o
}

func (s *session) groupNamed(ctx context.Context, j types.JID, name string) (kept bool) {
	chat, ok := groupChat(j, name)
	s.keepGroup(j, knownGroup{name: name})
	return !ok || s.ingest(ctx, crm.InboundBatch{Chats: []crm.InboundChat{chat}})
}

func groupChat(j types.JID, name string) (crm.InboundChat, bool) {
	if name = content.Name(name); name == "" || j.Server != types.GroupServer {
		return crm.InboundChat{}, false
	}
	return crm.InboundChat{ID: content.ID(chatID(j)), Type: "group", Name: &name}, true
}
