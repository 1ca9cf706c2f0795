package whatsapp

import (
	"cmp"
	"context"
	"slices"
	"time"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
)

// groupsAtOnce is how many groups are ingested in one transaction.
const groupsAtOnce = 50

// listGroups ingests what the account's groups are now. It is called once for each
// connection, and waits until what happened before it has been told: that names who did it.
func (s *session) listGroups(ctx context.Context, cli *whatsmeow.Client) {
	if !s.awaitCaughtUp(ctx, cli) {
		return
	}
	seen := s.groupNews.seen()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	groups, err := cli.GetJoinedGroups(ctx)
	if err != nil {
		s.log.Info("the groups are not known", "error", err)
		return
	}
	groups = slices.DeleteFunc(groups, func(g *types.GroupInfo) bool { return !isGroup(g.JID) })
	all := []crm.ID{}
	for some := range slices.Chunk(groups, groupsAtOnce) {
		for _, g := range some {
			s.keepGroup(g.JID, knownGroup{g.Name, g.AddressingMode, true, groupSetting(g.GroupEphemeral, time.Now())})
			all = append(all, content.ID(chatID(g.JID)))
		}
		if !s.ingestGroups(ctx, cli, seen, some) {
			return
		}
	}
	s.groupNews.mu.Lock()
	defer s.groupNews.mu.Unlock()
	for j, n := range s.groupNews.count { // told of meanwhile: joined, perhaps
		if n != seen[j] {
			all = append(all, content.ID(chatID(j)))
		}
	}
	s.ingest(ctx, crm.InboundBatch{AllGroups: all})
}

// ingestGroups ingests groups of the list, but those of which there was news since it was
// asked for.
func (s *session) ingestGroups(ctx context.Context, cli *whatsmeow.Client, seen map[types.JID]int, groups []*types.GroupInfo) (kept bool) {
	q, told := asked{s, ctx, cli}, map[types.JID]crm.Group{}
	for _, g := range groups {
		told[g.JID] = q.group(g)
	}
	s.groupNews.mu.Lock()
	defer s.groupNews.mu.Unlock()
	var t crm.InboundBatch
	for _, g := range groups {
		if s.groupNews.count[g.JID] != seen[g.JID] {
			continue
		}
		now := told[g.JID]
		t.Groups = append(t.Groups, crm.InboundGroup{ID: content.ID(now.ID), Now: &now})
		if chat, ok := groupChat(g.JID, g.Name); ok {
			chat.Disappearing = groupSetting(g.GroupEphemeral, time.Now())
			t.Chats = append(t.Chats, chat)
		}
	}
	return len(t.Groups) == 0 || s.ingest(ctx, t)
}

// catchUp is how long listGroups waits for what happened before the connection.
const catchUp = 10 * time.Second

// caughtUp notes that WhatsApp has told everything that happened before the connection.
func (s *session) caughtUp(cli *whatsmeow.Client) {
	if life := s.lifeOf(cli); life != nil {
		life.catchUp.Do(func() { close(life.caughtUp) })
	}
}

// awaitCaughtUp waits for caughtUp, but not for ever, and returns false when the connection
// is over.
func (s *session) awaitCaughtUp(ctx context.Context, cli *whatsmeow.Client) bool {
	life := s.lifeOf(cli)
	if life == nil {
		return false
	}
	timeout := time.NewTimer(catchUp)
	defer timeout.Stop()
	select {
	case <-life.caughtUp:
	case <-timeout.C:
	case <-life.closed.Done():
		return false
	case <-ctx.Done():
		return false
	}
	return true
}

// lifeOf returns the lifetime of the client, or nil when it is over.
func (s *session) lifeOf(cli *whatsmeow.Client) *lifetime {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cli != cli {
		return nil
	}
	return s.life
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

func groupChat(j types.JID, name string) (crm.InboundChat, bool) {
	if name = content.Name(name); name == "" || j.Server != types.GroupServer {
		return crm.InboundChat{}, false
	}
	return crm.InboundChat{ID: content.ID(chatID(j)), Type: "group", Name: &name}, true
}
