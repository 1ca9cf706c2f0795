package whatsapp

import (
	"context"
	"strings"
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
		s.keepName(g.JID, g.Name)
		if chat, ok := groupChat(g.JID, g.Name); ok {
			t.Chats = append(t.Chats, chat)
		}
	}
	if len(t.Chats) > 0 {
		s.ingest(ctx, t)
	}
}

// groupName returns the name of a group, or nil when it is not known. If the name was
// not known when we connected, groupName asks WhatsApp once, before the group's first
// message is ingested, and waits at most 3 seconds.
func (s *session) groupName(ctx context.Context, cli *whatsmeow.Client, j types.JID) *string {
	s.mu.Lock()
	name, asked := s.groups[j]
	s.mu.Unlock()
	if !asked {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		if g, err := cli.GetGroupInfo(ctx, j); err == nil {
			name = g.Name
		}
		s.keepName(j, name)
	}
	if chat, ok := groupChat(j, name); ok {
		return chat.Name
	}
	return nil
}

func (s *session) keepName(j types.JID, name string) {
	s.mu.Lock()
	s.groups[j] = name
	s.mu.Unlock()
}

func (s *session) groupNamed(ctx context.Context, j types.JID, name string) (kept bool) {
	chat, ok := groupChat(j, name)
	s.keepName(j, name)
	return !ok || s.ingest(ctx, crm.InboundBatch{Chats: []crm.InboundChat{chat}})
}

func groupChat(j types.JID, name string) (crm.InboundChat, bool) {
	if name = content.Clip(strings.TrimSpace(name), content.MaxName); name == "" || j.Server != types.GroupServer {
		return crm.InboundChat{}, false
	}
	return crm.InboundChat{ID: content.ID(chatID(j)), Type: "group", Name: &name}, true
}
